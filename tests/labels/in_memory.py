"""An editor of a picture and some masks, with no library behind it: it can't keep anything."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import numpy as np

from src.labels.frame_to_edit import FrameToEdit
from src.labels.kept_edits import KeptEdits
from src.labels.mask_editor import MaskEditor
from src.models.mask_rle import encode_rle, measured
from src.models.segmenter import Segmenter
from src.records import MediaFile, SegmentKind, StoredSegment


def open_in_memory(
    image_rgb: np.ndarray,
    sam: Segmenter | None = None,
    masks: Mapping[str, np.ndarray] | None = None,
) -> MaskEditor:
    """Open a picture; besides the masks, the whole of it is a segment called "whole"."""
    wh = image_rgb.shape[1], image_rgb.shape[0]
    stored = [_segment("whole", None, wh)]
    stored += [_segment(name, mask, wh) for name, mask in (masks or {}).items()]
    by_id = {each.id: each for each in stored}
    frame = FrameToEdit(1, cast(MediaFile, None), 0, "digest", image_rgb, by_id)
    return MaskEditor(frame, cast(KeptEdits, None), lambda: sam, 5)


def _segment(name: str, mask: np.ndarray | None, wh: tuple[int, int]) -> StoredSegment:
    rle = None if mask is None else encode_rle(mask)["counts"]
    area, box = (wh[0] * wh[1], (0, 0, *wh)) if rle is None else measured(rle, wh)
    kind: SegmentKind = "frame" if rle is None else "object"
    return StoredSegment(
        name, 1, Path("a.png"), 0, None, wh, kind, box, area, None, None, rle, Path("a.jpg")
    )
