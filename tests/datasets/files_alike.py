"""Media files in a library that are alike or not, made of numbers: no picture is drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from src.database.metadata_db import MetadataDatabase
from src.records import EMBEDDING_DIM, FrameLook, MediaKind
from tests.conftest import MODEL, new_segments


class Looks:
    """What pictures look like, drawn at random: a dHash and an embedding each."""

    def __init__(self, seed: int = 0) -> None:
        self._rng = np.random.default_rng(seed)

    def new(self) -> tuple[int, np.ndarray]:
        """Draw a look that is like no other."""
        vector = self._rng.standard_normal(EMBEDDING_DIM).astype(np.float32)
        return int(self._rng.integers(0, 2**64, dtype=np.uint64)), vector / np.linalg.norm(vector)

    def like(
        self, look: tuple[int, np.ndarray], bits: int = 3, distance: float = 0.05
    ) -> tuple[int, np.ndarray]:
        """Draw one that differs from another in so many bits, and by 1 - cosine."""
        dhash, vector = look
        for bit in self._rng.choice(64, bits, replace=False):
            dhash ^= 1 << int(bit)
        noise = self._rng.standard_normal(EMBEDDING_DIM).astype(np.float32)
        noise -= (noise @ vector) * vector
        noise /= np.linalg.norm(noise)
        cosine = 1 - distance
        moved = cosine * vector + np.sqrt(1 - cosine**2) * noise
        return dhash, (moved / np.linalg.norm(moved)).astype(np.float32)


def add_file(
    metadata: MetadataDatabase,
    name: str,
    *looks: tuple[int, np.ndarray],
    captured_at: str | None = None,
    camera: str | None = None,
) -> int:
    """Add a photo, or a video where it has several looks; returns its id."""
    kind: MediaKind = "image" if len(looks) == 1 else "video"
    media_id = metadata.add_media(Path("/photos") / name, kind, 10, 10)
    made = new_segments(np.stack([vector for _, vector in looks]), prefix=f"{name}-")
    for index, ((dhash, _), new) in enumerate(zip(looks, made, strict=True)):
        whole = replace(new, segment=replace(new.segment, kind="frame"))
        moment = None if kind == "image" else float(index)
        look = FrameLook(f"{dhash:016x}", 100.0)
        metadata.store_frame(media_id, index, moment, (100, 100), [whole], MODEL, look=look)
    metadata.update_media(
        media_id,
        status="done",
        content_hash=f"content of {name}",
        captured_at=captured_at,
        camera_model=camera,
    )
    return media_id
