"""A dataset's labels on segments of a library: read, and put there as decisions of people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from src.database.decisions import OF_PEOPLE
from src.database.label_table import LabelTable
from src.database.metadata_db import MetadataDatabase
from src.database.text_normalization import casefold_key
from src.dataset_events import AnnotationSkipped
from src.datasets.annotations import AnnotatedImage, AnnotatedVideo, Annotation
from src.datasets.protocols import Importer
from src.datasets.registry import importer_for, importers
from src.datasets.segment_matching import NoSegmentError
from src.errors import DamagedMaskError, DatasetReadError, MediaReadError
from src.events import Event, Progress
from src.records import Decision, Tag

# So many images are read between two places to stop.
_PART = 100
_UNSAMPLED = "no frame in which it is seen is in the library; sample the video more finely first"

# Finds the file of a video, and the frames that are sampled; see ImageImport.frames_of.
FramesOf = Callable[[AnnotatedVideo], tuple[Path, Collection[int]]]

# The tags that segments are to get: by their ids, then by the folded names.
Labels = Mapping[str, Mapping[str, Tag]]


def find_importer(path: Path) -> Importer | None:
    """Find the importer that reads a dataset; None where no importer knows it.

    Raises:
        DatasetReadError: it can't be looked at.
    """
    try:
        return importer_for(path)
    except OSError as exc:
        raise DatasetReadError(path, f"can't be read ({exc.strerror or exc})") from exc


def read_dataset(
    path: Path, frames_of: FramesOf
) -> Generator[Event, None, tuple[list[AnnotatedImage], int]]:
    """Read a dataset of any kind that is known here.

    Args:
        frames_of: looks a video up.

    Yields:
        Progress, AnnotationSkipped for each annotation that can't be taken.

    Returns:
        Its images, each file and frame once, with all that is said of it; and how many
        annotations were skipped.

    Raises:
        DatasetReadError: it can't be read, or is none that is known here.
    """
    images: dict[tuple[Path, int], AnnotatedImage] = {}
    skipped: list[AnnotationSkipped] = []
    number = told = 0
    importer = find_importer(path)
    if importer is None:
        kinds = ", ".join(each.label for each in importers())
        raise DatasetReadError(
            path, f"no dataset that can be imported; these are read: {kinds or 'none'}"
        )
    try:
        yield Progress("import", 0, 0)
        for read in importer.read(
            path,
            importer.options(),
            lambda image, reason: skipped.append(AnnotationSkipped(image, reason)),
        ):
            some = (
                _frames_of_video(read, frames_of, skipped)
                if isinstance(read, AnnotatedVideo)
                else (read,)
            )
            for image in some:
                place = image.image, image.frame_index
                if place in images:
                    more = images[place].annotations + image.annotations
                    image = replace(images[place], annotations=more)
                images[place] = image
                number += 1
                yield from skipped[told:]
                told = len(skipped)
                if number % _PART == 0:
                    yield Progress("import", 0, 0)
    except OSError as exc:
        raise DatasetReadError(path, f"can't be read ({exc.strerror or exc})") from exc
    except ValueError as exc:
        raise DatasetReadError(path, f"{exc}; nothing was imported") from exc
    yield from skipped[told:]
    return list(images.values()), len(skipped)


def _frames_of_video(
    video: AnnotatedVideo, frames_of: FramesOf, skipped: list[AnnotationSkipped]
) -> Iterator[AnnotatedImage]:
    """Give the frames of a video that the library has sampled, where something is seen.

    Args:
        skipped: gets each track of which nothing comes in, and each shape that is broken.
    """
    try:
        path, sampled = frames_of(video)
    except (NoSegmentError, MediaReadError, OSError) as exc:
        reason = exc.reason if isinstance(exc, MediaReadError) else str(exc)
        skipped += (AnnotationSkipped(video.video, f"{name}: {reason}") for name, _ in video.tracks)
        return
    unseen = {name for name, _ in video.tracks}
    for frame_index in sorted(sampled):
        seen: list[Annotation] = []
        for name, track in video.tracks:
            try:
                annotation = track.at(frame_index)
            except (ValueError, DamagedMaskError) as exc:
                unseen.discard(name)
                skipped.append(AnnotationSkipped(path, f"{name}, frame {frame_index}: {exc}"))
                continue
            if annotation is not None:
                unseen.discard(name)
                seen.append(annotation)
        if seen:
            yield AnnotatedImage(path, tuple(seen), frame_index, video.size_wh)
    skipped += (
        AnnotationSkipped(path, f"{name}: {_UNSAMPLED}")
        for name, _ in video.tracks
        if name in unseen
    )


@dataclass(frozen=True)
class ImportedTag(Tag):
    """A tag that a dataset gives, with the attributes that it has there."""

    attributes: tuple[tuple[str, str | float], ...] = ()


def put_labels(metadata: MetadataDatabase, labels: Labels, batch: str) -> Counter[str]:
    """Give segments the tags of a dataset, in one transaction.

    Where people here have decided on a tag of a segment, that stays.

    Args:
        batch: of the act that this is a part of.

    Returns:
        How many were `added`, `known` from people already, and `overruled`, that is taken off by
        a person here.
    """
    counts = Counter[str]()
    table = LabelTable(metadata.connection, metadata.rows)
    with metadata.connection.write() as db:
        decided = metadata.decisions_of(list(labels))
        for segment_id, tags in labels.items():
            word = _words_of_people(decided.get(segment_id, ()))
            new = [tag for key, tag in tags.items() if key not in word]
            counts["known"] += sum(word.get(key, False) for key in tags)
            counts["overruled"] += sum(not word.get(key, True) for key in tags)
            if new and metadata.add_tags(segment_id, new, added_by="human", batch=batch):
                counts["added"] += len(new)
                for tag in new:
                    if isinstance(tag, ImportedTag) and tag.attributes:
                        table.take_values(db, segment_id, tag.name, tag.attributes, batch)
    return counts


def _words_of_people(decisions: tuple[Decision, ...]) -> dict[str, bool]:
    """What people say of each tag of a segment, by its folded name; the strongest word counts."""
    words: dict[str, bool] = {}
    for source in reversed(OF_PEOPLE):
        words |= {casefold_key(d.tag): d.has_tag for d in decisions if d.source == source}
    return words
