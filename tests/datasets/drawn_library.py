"""Media that are really there, with segments whose masks are known; no model is needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from src.database.metadata_db import MetadataDatabase
from src.database.segment_store import NewSegment
from src.models.mask_rle import encode_rle, measured
from src.processing.media_finder import content_hash
from src.records import MediaKind, Segment
from tests.conftest import MODEL, unit_vectors

WH = (64, 48)


def a_mask(box_xywh: tuple[int, int, int, int], hole: bool = False) -> np.ndarray:
    """A rectangle in a frame of 64 x 48, with a hole in its middle or none: (48, 64) bool."""
    mask = np.zeros((WH[1], WH[0]), bool)
    x, y, w, h = box_xywh
    mask[y : y + h, x : x + w] = True
    if hole:
        mask[y + h // 3 : y + h - h // 3, x + w // 3 : x + w - w // 3] = False
    return mask


def a_picture(seed: int) -> np.ndarray:
    """Colours that run into each other, another for each seed: (48, 64, 3) uint8 RGB."""
    small = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), np.uint8)
    return cv2.resize(small, WH, interpolation=cv2.INTER_LINEAR)


def add_photo(
    metadata: MetadataDatabase, path: Path, masks: Sequence[np.ndarray], seed: int = 0
) -> list[str]:
    """Write a photo, and add it with a whole-frame segment and one of each mask.

    Returns:
        Their ids, the whole frame's first.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), cv2.cvtColor(a_picture(seed), cv2.COLOR_RGB2BGR))
    media_id = add_file(metadata, path, "image")
    return add_frame(metadata, media_id, path.name, masks)


def add_file(
    metadata: MetadataDatabase, path: Path, kind: MediaKind, size_wh: tuple[int, int] = WH
) -> int:
    status = path.stat()
    media_id = metadata.add_media(path, kind, status.st_size, status.st_mtime_ns)
    digest = content_hash(path)
    metadata.update_media(
        media_id, status="done", content_hash=digest, width=size_wh[0], height=size_wh[1]
    )
    return media_id


def add_frame(
    metadata: MetadataDatabase,
    media_id: int,
    name: str,
    masks: Sequence[np.ndarray],
    frame_index: int = 0,
    timestamp_s: float | None = None,
    size_wh: tuple[int, int] = WH,
) -> list[str]:
    """Store a frame with a whole-frame segment and one of each mask; returns their ids."""
    crop = np.zeros((4, 4, 3), np.uint8)
    new = []
    for number, vector in enumerate(unit_vectors(len(masks) + 1, frame_index)):
        if number == 0:
            segment = Segment(
                "frame", (0, 0, *size_wh), size_wh[0] * size_wh[1], None, None, None, crop
            )
        else:
            counts = encode_rle(masks[number - 1])["counts"]
            area, box = measured(counts, size_wh)
            segment = Segment("object", box, area, 0.9, 0.9, counts, crop)
        segment_id = f"{media_id}-{name}-{frame_index}-{number}"
        path = f"extracted_segments/{segment_id}.jpg"
        new.append(NewSegment(segment_id, segment, path, vector))
        metadata.paths.crop(path).write_bytes(f"crop of {segment_id}".encode())
    metadata.store_frame(media_id, frame_index, timestamp_s, size_wh, new, MODEL)
    return [each.id for each in new]
