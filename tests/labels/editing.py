"""What tests of mask editing share: a library of drawn scenes, rows of it, and masks."""

from __future__ import annotations

import numpy as np

from src.library import MediaLibrary

# All that an edit may change, without embeddings, which are made again.
QUERIES = (
    "SELECT id, frame_id, kind, x, y, w, h, area, predicted_iou, stability_score, mask, crop_path,"
    " crop_hash, fingerprint, origin, parent_id FROM segments ORDER BY id",
    "SELECT st.segment_id, t.name, st.source, st.confidence FROM segment_tags st"
    " JOIN tags t ON t.id = st.tag_id ORDER BY 1, 2",
    "SELECT segment_id, tag_id FROM removed_tags ORDER BY 1, 2",
    "SELECT id, segment_id, frame_id, tag_id, has_tag, source, batch, undone_at IS NULL"
    " FROM decisions ORDER BY id",
    "SELECT frame_id, mask, x, y, w, h, batch FROM removed_segments ORDER BY id",
)


def rows(library: MediaLibrary) -> list[list[tuple[object, ...]]]:
    """All rows that an edit may change."""
    db = library.metadata.connection.read()
    return [[tuple(row) for row in db.execute(query)] for query in QUERIES]


def disc(size_wh: tuple[int, int], x: float, y: float, radius: float) -> np.ndarray:
    """A mask of a frame: (H, W) bool, the pixels whose middle is in a disc."""
    ys, xs = np.mgrid[: size_wh[1], : size_wh[0]] + 0.5
    inside: np.ndarray = (xs - x) ** 2 + (ys - y) ** 2 <= radius**2
    return inside
