"""Where a segment lies in the image that is cut out around it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from src.crop_shape import CROP_SIDE, fitted_size
from src.models.mask_rle import decode_rle, encode_rle, measured
from src.records import BoxXywh, ImageForm, StoredSegment


@dataclass(frozen=True)
class PlaceInCut:
    """Where a segment lies in its own image.

    Attributes:
        mask_rle: compressed COCO RLE counts at that image's size; None where there is only a box.
    """

    bbox_xywh: BoxXywh
    mask_rle: bytes | None = field(repr=False)


def cut_size(box_xywh: BoxXywh, form: ImageForm) -> tuple[int, int]:
    """Return the size of the image that a box is cut out to: (width, height) in pixels."""
    size_wh = box_xywh[2:]
    return fitted_size(size_wh, CROP_SIDE) if form == "blurred" else size_wh


def place_in_cut(segment: StoredSegment, box_xywh: BoxXywh, size_wh: tuple[int, int]) -> PlaceInCut:
    """Move a segment's mask and box from its frame into the image that is cut out.

    Args:
        box_xywh: what is cut out, in pixels of the frame.
        size_wh: of the image that it becomes.

    Raises:
        DamagedMaskError: it is no mask of such a frame.
    """
    left, top, w, h = box_xywh
    if segment.mask_rle is None:
        across, down = size_wh[0] / w, size_wh[1] / h
        x, y, width, height = segment.bbox_xywh
        x, y = round((x - left) * across), round((y - top) * down)
        return PlaceInCut((x, y, round(width * across), round(height * down)), None)
    mask = decode_rle(segment.mask_rle, segment.frame_wh)[top : top + h, left : left + w]
    if size_wh != (w, h):
        # the pixel of the frame under the middle of each pixel of the image
        rows = ((np.arange(size_wh[1]) + 0.5) * h / size_wh[1]).astype(int)
        columns = ((np.arange(size_wh[0]) + 0.5) * w / size_wh[0]).astype(int)
        mask = mask[np.ix_(rows, columns)]
    counts = encode_rle(mask)["counts"]
    _, bbox = measured(counts, size_wh)
    return PlaceInCut(bbox, counts)
