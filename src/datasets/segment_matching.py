"""Which segments of a library the annotations of a dataset are about."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from src.database.metadata_db import MetadataDatabase
from src.datasets.annotations import AnnotatedImage, Annotation
from src.errors import DamagedMaskError
from src.models.mask_rle import SAME_THING_IOU, mask_ious
from src.records import BoxXywh, StoredSegment
from src.search.leaves import MediaFileIs


class NoSegmentError(LookupError):
    """A library has no segment for an annotation; the message says why."""


def match_segments(
    metadata: MetadataDatabase, images: Iterable[AnnotatedImage]
) -> Iterator[tuple[AnnotatedImage, Annotation, str | NoSegmentError]]:
    """Find the segment of each annotation: by its id, or by its place in the media file.

    An id stands for a cut of a content, so it holds in every library of the same media. Where it is
    unknown the media file has to have the path of the dataset's image, or else its name and the
    folder's, which no other file of the library may have; and the segment its mask or its box
    (SAME_THING_IOU).

    Returns:
        Each annotation with its image and the segment's id, those that have one by their id first.
    """
    annotated = [(image, each) for image in images for each in image.annotations]
    known = metadata.segments([each.segment_id for _, each in annotated if each.segment_id])
    elsewhere: dict[Path, list[tuple[AnnotatedImage, Annotation]]] = defaultdict(list)
    for image, each in annotated:
        if each.segment_id in known:
            yield image, each, each.segment_id
        else:
            elsewhere[image.image].append((image, each))
    files = _MediaFiles(metadata) if elsewhere else None
    for path, some in elsewhere.items():
        assert files is not None
        try:
            segments = files.segments_of(path)
        except NoSegmentError as exc:
            yield from ((image, each, exc) for image, each in some)
            continue
        for image, each in some:
            try:
                yield image, each, _same_thing(each, segments.get(image.frame_index, ()))
            except NoSegmentError as exc:
                yield image, each, exc


class _MediaFiles:
    """The media files of a library, by what a dataset made elsewhere calls them."""

    def __init__(self, metadata: MetadataDatabase) -> None:
        self._metadata = metadata
        self._by_path: dict[str, int] = {}
        self._by_name: dict[str, list[tuple[list[str], int]]] = defaultdict(list)
        for media in metadata.all_media():
            parts = _parts(media.path)
            self._by_path[str(media.path)] = media.id
            self._by_name[parts[0]].append((parts, media.id))

    def segments_of(self, path: Path) -> dict[int, list[StoredSegment]]:
        """List the segments of a media file by the index of their frame.

        Raises:
            NoSegmentError: no media file is called so, or several are.
        """
        media_id = self._by_path.get(str(path))
        if media_id is None:
            media_id = self._alike(_parts(path))
        frames: dict[int, list[StoredSegment]] = defaultdict(list)
        where = MediaFileIs((media_id,))
        for segment in self._metadata.segments_where(where, with_masks=True):
            frames[segment.frame_index].append(segment)
        return frames

    def _alike(self, wanted: list[str]) -> int:
        ends = [(_shared(parts, wanted), one) for parts, one in self._by_name.get(wanted[0], ())]
        longest = max((length for length, _ in ends), default=0)
        if longest < 2:  # a name alone, as cameras give them, says little
            raise NoSegmentError("the library has no such media file")
        best = [one for length, one in ends if length == longest]
        if len(best) > 1:
            raise NoSegmentError(f"{len(best)} media files of the library may be meant")
        return best[0]


def _parts(path: Path) -> list[str]:
    """The parts of a path of any system, the file's name first."""
    return re.split(r"[\\/]+", str(path))[::-1]


def _shared(parts: list[str], others: list[str]) -> int:
    """Count the parts in which two paths are the same, from the file's name on."""
    same = [one == other for one, other in zip(parts, others, strict=False)]
    return same.index(False) if False in same else len(same)


def _same_thing(wanted: Annotation, segments: Sequence[StoredSegment]) -> str:
    """Find the segment of a frame that an annotation is about: its id.

    Raises:
        NoSegmentError: there is none.
    """
    if not segments:
        raise NoSegmentError("the library has not sampled this frame")
    if wanted.bbox_xywh is None and wanted.mask_rle is None:
        frame = next((each for each in segments if each.kind == "frame"), None)
        if frame is None:
            raise NoSegmentError("the whole frame is not in the library")
        return frame.id
    others = [each for each in segments if each.mask_rle is not None]
    try:
        ious = _ious(wanted, others)
    except DamagedMaskError as exc:
        raise NoSegmentError(f"its mask does not fit ({exc})") from exc
    best = int(ious.argmax()) if len(ious) else -1
    if best < 0 or ious[best] < SAME_THING_IOU:
        raise NoSegmentError("no segment of this frame is the same thing")
    return others[best].id


def _ious(wanted: Annotation, segments: Sequence[StoredSegment]) -> np.ndarray:
    if wanted.mask_rle is not None and segments:
        masks = [each.mask_rle for each in segments if each.mask_rle is not None]
        return np.asarray(mask_ious([wanted.mask_rle], masks, segments[0].frame_wh)[0])
    assert wanted.bbox_xywh is not None
    return np.array([box_iou(wanted.bbox_xywh, each.bbox_xywh) for each in segments])


def box_iou(box: BoxXywh, other: BoxXywh) -> float:
    """Measure how far two boxes are the same, 0 to 1; 0 where one is empty."""
    (x, y, w, h), (left, top, width, height) = box, other
    across = min(x + w, left + width) - max(x, left)
    down = min(y + h, top + height) - max(y, top)
    if across <= 0 or down <= 0:
        return 0.0
    shared = across * down
    return shared / (w * h + width * height - shared)
