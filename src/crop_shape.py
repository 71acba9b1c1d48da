"""The place and the size of a segment's crop: what is cut out of a frame, and how large it is."""

from __future__ import annotations

from src.records import BoxXywh

# A margin of both kinds: the first keeps thin segments recognisable, the second
# lets a small segment look small, which is all CLIP can know of its size.
MARGIN_OF_SEGMENT = 0.10
MARGIN_OF_FRAME = 0.02
# Longest side of a stored crop: four times what CLIP sees, and enough for a card.
CROP_SIDE = 1024


def crop_box(bbox_xywh: BoxXywh, frame_wh: tuple[int, int]) -> BoxXywh:
    """Widen a segment's box by the crop's margin, kept inside the frame."""
    x, y, w, h = bbox_xywh
    frame_w, frame_h = frame_wh
    margin = round(MARGIN_OF_SEGMENT * max(w, h) + MARGIN_OF_FRAME * min(frame_w, frame_h))
    left, top = max(0, x - margin), max(0, y - margin)
    right, bottom = min(frame_w, x + w + margin), min(frame_h, y + h + margin)
    return left, top, right - left, bottom - top


def fitted_size(size_wh: tuple[int, int], side: int) -> tuple[int, int]:
    """Shrink a size so that its longest side is at most `side` pixels; never enlarge."""
    scale = side / max(size_wh)
    if scale >= 1:
        return size_wh
    return max(1, round(size_wh[0] * scale)), max(1, round(size_wh[1] * scale))
