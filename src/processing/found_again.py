"""What a model finds once more of what people made by hand, or removed: it is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from src.models.mask_rle import mask_ious
from src.processing.segment_pipeline import FrameResult
from src.records import StoredSegment

# From here on two masks of a frame are the same cut. Two models' masks of one thing are nearly
# always above it, and a part and its whole, or a wrong cut and a better one, are nearly always
# below.
SAME_CUT_IOU = 0.7


def made_by_hand(segments: Sequence[StoredSegment]) -> list[bytes]:
    """List the masks of a frame that people have drawn, or mended."""
    return [
        segment.mask_rle
        for segment in segments
        if segment.origin == "human" and segment.mask_rle is not None
    ]


def without_found_again(result: FrameResult, masks: Sequence[bytes]) -> FrameResult:
    """Leave out of what was made of a frame what a model has found of the masks of people.

    Args:
        masks: that people drew on the frame or removed from it, as compressed COCO RLE counts.

    Returns:
        The result itself where there is nothing to leave out. What lay in a segment that is left
        out lies in that which this one lay in.
    """
    segments = result.segments
    found = [
        place
        for place, each in enumerate(segments)
        if each.kept is None and each.mask_rle is not None
    ]
    ious = mask_ious([segments[place].mask_rle or b"" for place in found], masks, result.size_wh)
    again = {
        place for place, row in zip(found, ious, strict=True) if row.max(initial=0) >= SAME_CUT_IOU
    }
    if not again:
        return result
    left = [place for place in range(len(segments)) if place not in again]
    number = {place: new for new, place in enumerate(left)}
    kept = []
    for place in left:
        parent = segments[place].parent
        while parent in again:
            parent = segments[parent].parent
        kept.append(replace(segments[place], parent=None if parent is None else number[parent]))
    return replace(result, segments=tuple(kept), vectors=result.vectors[left])
