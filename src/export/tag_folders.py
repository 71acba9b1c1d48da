"""The basic dataset: one folder a tag with its crops, and labels.csv beside them."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from src.database.metadata_db import MetadataDatabase
from src.database.words import folded
from src.errors import ExportError
from src.events import Event, JobDone, Progress
from src.export.place import DatasetFolder, check_free, dataset_at
from src.ownership import LABELS, LABELS_COLUMNS
from src.records import (
    ExportPreview,
    ExportSelection,
    StoredSegment,
    Tag,
)
from src.search.leaves import segment_filter

RESERVED = re.compile(r"con|prn|aux|nul|(com|lpt)[\d¹²³]", re.IGNORECASE)
LONGEST_BYTES = 200
# Letters and marks that nobody sees: a name may not be made of them, nor differ by them, which
# some file systems don't take for a difference.
UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# The wide ones are what East Asian keyboards give, and some spreadsheets take them as well.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# Crops have 1,024 pixels on their longer side at most.
LARGEST_CROP = 1 << 26
NOTHING = "no segment has a tag to export by; add media, choose other tags, or leave less out"

ALL = ExportSelection()


def preview_tag_folders(metadata: MetadataDatabase, selection: ExportSelection) -> ExportPreview:
    """Count what export_tag_folders would write."""
    written: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    media: set[int] = set()
    size = 0
    for segment, tag in _tagged(metadata, selection):
        if not _is_wanted(selection, segment, tag):
            left_out[tag.name] += 1
            continue
        written[tag.name] += 1
        media.add(segment.media_file_id)
        with contextlib.suppress(OSError):  # verify finds what is missing
            size += segment.crop_path.stat().st_size
    return ExportPreview(dict(written), dict(left_out), len(media), size)


def export_tag_folders(
    metadata: MetadataDatabase, folder: Path, selection: ExportSelection = ALL
) -> Iterator[Event]:
    """Write the tagged segments of a library as an image-classification dataset.

    Everything is written in a hidden folder first and renamed into its place, so the dataset is
    whole or not there.

    Args:
        folder: where to; it must not exist, or be empty.
        selection: what goes into it.

    Raises:
        ExportError: there is something there already, or it can't be written.
    """
    with _told(folder):
        folder = Path(os.path.abspath(folder))
        check_free(folder)
    tagged = [
        (segment, tag)
        for segment, tag in _tagged(metadata, selection)
        if _is_wanted(selection, segment, tag)
    ]
    if not tagged:
        raise ExportError(NOTHING)
    folders = folder_names({tag.name for _, tag in tagged})
    with _told(folder), dataset_at(folder) as dataset:
        written = yield from _write(metadata, dataset, tagged, folders)
    yield JobDone(segments=written, written=folder)


@contextlib.contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Say where a dataset can't be written."""
    try:
        yield
    except OSError as exc:
        raise ExportError(
            f"{folder}: the dataset can't be written ({exc.strerror or exc}); nothing was kept"
        ) from exc


def _tagged(
    metadata: MetadataDatabase, selection: ExportSelection
) -> Iterator[tuple[StoredSegment, Tag]]:
    segments = metadata.segments_where(segment_filter(segment_ids=selection.segment_ids))
    tags_of = metadata.tags_of([segment.id for segment in segments])
    for segment in segments:
        for tag in tags_of.get(segment.id, ()):
            if selection.tags is None or tag.name in selection.tags:
                yield segment, tag


def _is_wanted(selection: ExportSelection, segment: StoredSegment, tag: Tag) -> bool:
    """Say whether a tag is sure enough, and the mask under it good enough."""
    quality = segment.predicted_iou
    return tag.confidence >= selection.min_confidence and (
        quality is None or quality >= selection.min_predicted_iou
    )


def _write(
    metadata: MetadataDatabase,
    dataset: DatasetFolder,
    tagged: Sequence[tuple[StoredSegment, Tag]],
    folders: dict[str, str],
) -> Generator[Event, None, int]:
    """Write crops and labels.csv; returns how many crops, without what was removed meanwhile."""
    written = 0
    labels = dataset.files.open_new(dataset.path(LABELS))
    with io.TextIOWrapper(labels, encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(LABELS_COLUMNS)
        for number, (segment, tag) in enumerate(tagged, start=1):
            crop = _crop(metadata, segment)
            if crop is not None:
                file = f"{folders[tag.name]}/{_file_name(segment.id)}"
                dataset.files.create(dataset.path(file), crop)
                writer.writerow(_row(file, segment, tag))
                written += 1
            yield Progress("export", number, len(tagged))
    if not written:
        raise ExportError(NOTHING)
    return written


def _crop(metadata: MetadataDatabase, segment: StoredSegment) -> bytes | None:
    """Read a crop; None when the window has removed its segment since the export began."""
    path, advice = segment.crop_path, "`verify --repair` makes it again. Nothing was written"
    try:
        return metadata.paths.files.read(metadata.paths.name(path), LARGEST_CROP)
    except OSError as exc:
        if not metadata.segments([segment.id]):
            return None
        raise ExportError(
            f"{path}: this crop can't be read ({exc.strerror or exc}); {advice}"
        ) from exc


def _row(file: str, segment: StoredSegment, tag: Tag) -> tuple[object, ...]:
    """Write a line of labels.csv; see LABELS_COLUMNS."""
    return (
        file,
        as_text(tag.name),
        f"{tag.confidence:.4f}",
        tag.source,
        as_text(segment.id),
        segment.kind,
        as_text(str(segment.media_path)),
        segment.frame_index,
        "" if segment.timestamp_s is None else f"{segment.timestamp_s:.6f}",
        *segment.bbox_xywh,
    )


def folder_names(tags: set[str]) -> dict[str, str]:
    """Give each tag a folder name that is safe on every system, and no two the same."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for tag in sorted(tags):
        seen = UNSEEN.sub("", unicodedata.normalize("NFC", tag))
        base = re.sub("\0+", "_", "".join(char if _is_safe(char) else "\0" for char in seen))[:80]
        # cut by bytes as well: a file system counts those
        base = base.encode()[:LONGEST_BYTES].decode(errors="ignore")
        # a mark belongs to what it stands on, so none comes first
        first = next((i for i, char in enumerate(base) if _is_letter(char)), len(base))
        base = base[first:].rstrip(" _-") or "tag"
        if RESERVED.fullmatch(base):
            base += "_"
        name, number = base, 2
        while folded(name) in taken:  # for some systems those are the same
            name, number = f"{base}_{number}", number + 1
        taken.add(folded(name))
        names[tag] = name
    return names


def _is_letter(char: str) -> bool:
    return unicodedata.category(char)[0] in "LN"


def _is_safe(char: str) -> bool:
    """Say whether a character may stand in a name: letters, numbers, and marks on them."""
    return char in "_- " or _is_letter(char) or unicodedata.category(char)[0] == "M"


def _file_name(segment_id: str) -> str:
    """Name a crop by its segment's id, unless somebody else's library has an odd one."""
    if not re.fullmatch(r"\w[\w.\-]{,80}", segment_id, re.ASCII):
        segment_id = hashlib.sha1(segment_id.encode()).hexdigest()
    return f"{segment_id}.jpg"


def as_text(value: str) -> str:
    """Keep a spreadsheet from taking a name for a formula."""
    return f"'{value}" if value.startswith(FORMULA) else value
