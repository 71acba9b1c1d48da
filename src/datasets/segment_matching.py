"""Which media files and segments of a library a dataset is about."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from src.database.metadata_db import MetadataDatabase
from src.datasets.annotations import Annotation
from src.datasets.boxes import box_iou
from src.errors import DamagedMaskError
from src.models.mask_rle import SAME_THING_IOU, mask_ious
from src.records import StoredSegment

# From here on a mask that people drew is the one that is there already. What they drew otherwise
# is kept: to put their label on it would lose their outline.
SAME_MASK_IOU = 0.95
# A box says less than the mask that it is put on, so that need not fit to the pixel.
SAME_BOX_IOU = 0.9


NO_VIDEO = "the library has no such video; add it, then import again"


class NoSegmentError(LookupError):
    """A library has no segment for an annotation, and gets none; the message says why."""


class NamedMedia:
    """The media files of a library, by what a dataset made elsewhere calls them."""

    def __init__(self, metadata: MetadataDatabase) -> None:
        self._by_path: dict[str, int] = {}
        self._by_name: dict[str, list[tuple[list[str], int]]] = defaultdict(list)
        self._videos: dict[str, list[int]] = defaultdict(list)
        for media in metadata.all_media():
            parts = _parts(str(media.path))
            self._by_path[str(media.path)] = media.id
            self._by_name[parts[0]].append((parts, media.id))
            if media.kind == "video":
                self._videos[parts[0]].append(media.id)

    def find(self, name: str) -> int:
        """Find the media file of a path, or else of its name and the folder's; returns its id.

        Raises:
            NoSegmentError: no media file is called so, or several are.
        """
        media_id = self._by_path.get(name)
        return self._alike(_parts(name)) if media_id is None else media_id

    def find_video(self, name: str) -> int:
        """Find the video of a name without folders; returns its id.

        Raises:
            NoSegmentError: no video is called so, or several are.
        """
        found = self._videos.get(name, [])
        if not found:
            raise NoSegmentError(NO_VIDEO)
        if len(found) > 1:
            raise NoSegmentError(
                f"{len(found)} videos of the library may be meant; put the right one beside the"
                " dataset, then import again"
            )
        return found[0]

    def _alike(self, wanted: list[str]) -> int:
        ends = [(_shared(parts, wanted), one) for parts, one in self._by_name.get(wanted[0], ())]
        longest = max((length for length, _ in ends), default=0)
        if longest < 2:  # a name alone, as cameras give them, says little
            raise NoSegmentError("the library has no such media file")
        best = [one for length, one in ends if length == longest]
        if len(best) > 1:
            raise NoSegmentError(f"{len(best)} media files of the library may be meant")
        return best[0]


def _parts(path: str) -> list[str]:
    """The parts of a path of any system, the file's name first."""
    return re.split(r"[\\/]+", path)[::-1]


def _shared(parts: list[str], others: list[str]) -> int:
    """Count the parts in which two paths are the same, from the file's name on."""
    same = [one == other for one, other in zip(parts, others, strict=False)]
    return same.index(False) if False in same else len(same)


def matching_segment(wanted: Annotation, segments: Sequence[StoredSegment]) -> str | None:
    """Find the segment of a frame that an annotation is about.

    A mask has to be the same (SAME_MASK_IOU), a box nearly (SAME_BOX_IOU). What was a segment in
    the library that was exported, and is only a box in the dataset, may be cut otherwise here: then
    it has to be the same thing (SAME_THING_IOU).

    Args:
        wanted: a part of the frame, not the whole.
        segments: of the frame, with their masks.

    Returns:
        Its id; None where there is none, and the dataset has what to make one of.

    Raises:
        NoSegmentError: there is none, and none can be made.
    """
    others = [each for each in segments if each.mask_rle is not None]
    try:
        ious = _ious(wanted, others)
    except DamagedMaskError as exc:
        raise NoSegmentError(f"its mask does not fit ({exc})") from exc
    names_one = wanted.segment_id is not None and wanted.mask_rle is None
    least = SAME_BOX_IOU if wanted.mask_rle is None else SAME_MASK_IOU
    best = int(ious.argmax()) if len(ious) else -1
    if best >= 0 and ious[best] >= (SAME_THING_IOU if names_one else least):
        return others[best].id
    if names_one:
        raise NoSegmentError("no segment of this frame is the same thing")
    return None


def whole_frame(segments: Sequence[StoredSegment]) -> str:
    """Find the segment that is the whole frame; returns its id.

    Raises:
        NoSegmentError: there is none.
    """
    frame = next((each for each in segments if each.kind == "frame"), None)
    if frame is None:
        raise NoSegmentError("the whole frame is not in the library")
    return frame.id


def _ious(wanted: Annotation, segments: Sequence[StoredSegment]) -> np.ndarray:
    if wanted.mask_rle is not None and segments:
        masks = [each.mask_rle for each in segments if each.mask_rle is not None]
        return np.asarray(mask_ious([wanted.mask_rle], masks, segments[0].frame_wh)[0])
    assert wanted.bbox_xywh is not None
    return np.array([box_iou(wanted.bbox_xywh, each.bbox_xywh) for each in segments])
