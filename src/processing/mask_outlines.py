"""The outlines of stored masks, in pixels of their frames, to be drawn over a playing video."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from src.database.metadata_db import MetadataDatabase
from src.errors import DamagedMaskError
from src.processing.frame_view import mask_at, outlines_of

# Masks are outlined at this size at most: that of the picture in which they are seen.
LONGEST_SIDE = 1024


def frame_outlines(
    metadata: MetadataDatabase, segment_ids: Sequence[str]
) -> dict[str, tuple[np.ndarray, ...]]:
    """Outline masks; see Browsing.outlines."""
    found: dict[str, tuple[np.ndarray, ...]] = {}
    for segment in metadata.segments(segment_ids).values():
        if segment.mask_rle is None:
            continue
        width, height = segment.frame_wh
        shrunk = min(1.0, LONGEST_SIDE / max(width, height))
        size_wh = max(1, round(width * shrunk)), max(1, round(height * shrunk))
        try:
            mask = mask_at(segment.mask_rle, segment.frame_wh, size_wh)
        except DamagedMaskError:
            continue  # it is found and repaired elsewhere; the video plays on
        ratio = np.array((width / size_wh[0], height / size_wh[1]), np.float32)
        found[segment.id] = tuple(line * ratio for line in outlines_of(np.ascontiguousarray(mask)))
    return found
