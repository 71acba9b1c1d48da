"""The frames of a video of the library as the linker takes them, some at a time."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from typing import Any

import numpy as np

from src.crop_shape import CROP_SIDE
from src.database.clip_in_use import clip_in_use
from src.database.embedding_store import EmbeddingStore
from src.database.metadata_db import MetadataDatabase
from src.database.rows import SEGMENT_COLUMNS, placeholders
from src.errors import MediaReadError
from src.processing.image_loader import load_image
from src.records import EMBEDDING_DIM, StoredSegment
from src.tracks.segment_looks import PICTURE_SIDE, FrameToLink, SegmentToLink

# So many are read from the database at once.
FRAMES_AT_ONCE = 32

log = logging.getLogger(__name__)


class StoredFrames:
    """The frames of one video, as they were when it was asked for."""

    def __init__(self, metadata: MetadataDatabase, media_file_id: int) -> None:
        self._metadata, self.media_file_id = metadata, media_file_id
        clip = clip_in_use(metadata)
        self._embeddings = None if clip is None else EmbeddingStore(metadata.connection, clip)
        rows = metadata.connection.read().execute(
            "SELECT id FROM frames WHERE media_file_id = ? ORDER BY frame_index", (media_file_id,)
        )
        self._ids = [row["id"] for row in rows]

    def __len__(self) -> int:
        return len(self._ids)

    def state(self) -> str:
        """Name what the video's frames are cut into now; another name for any other cut."""
        rows = self._metadata.connection.read().execute(
            "SELECT s.id, s.fingerprint FROM frames f JOIN segments s ON s.frame_id = f.id"
            " WHERE f.media_file_id = ? ORDER BY s.id",
            (self.media_file_id,),
        )
        digest = hashlib.blake2b(digest_size=16)
        for row in rows:
            digest.update(f"{row['id']} {row['fingerprint']}\n".encode())
        return digest.hexdigest()

    def __iter__(self) -> Iterator[FrameToLink]:
        """Read them in the order of time; those that are removed meanwhile are left out.

        Raises:
            DatabaseError: a row is damaged.
        """
        picture = np.zeros((9, 16, 3), np.uint8)
        for start in range(0, len(self._ids), FRAMES_AT_ONCE):
            for row, segments in self._read(self._ids[start : start + FRAMES_AT_ONCE]):
                picture = self._picture(segments, picture)
                at_s = row["timestamp_s"] or 0.0
                yield FrameToLink(
                    row["frame_index"],
                    at_s,
                    max(at_s, row["until_s"] or at_s),
                    (row["width"], row["height"]),
                    picture,
                    self._to_link(segments),
                )

    def _read(self, ids: list[int]) -> list[tuple[dict[str, Any], list[StoredSegment]]]:
        db, marks = self._metadata.connection.read(), placeholders(ids)
        rows = self._metadata.rows
        frames = rows.checked(
            "frames",
            db.execute(f"SELECT * FROM frames WHERE id IN ({marks}) ORDER BY frame_index", ids),
        )
        found: dict[int, list[StoredSegment]] = {row["frame_index"]: [] for row in frames}
        for segment in rows.segments(
            db.execute(f"{SEGMENT_COLUMNS} WHERE s.frame_id IN ({marks})", ids)
        ):
            found[segment.frame_index].append(segment)
        return [(row, found[row["frame_index"]]) for row in frames]

    def _to_link(self, segments: list[StoredSegment]) -> list[SegmentToLink]:
        objects = [each for each in segments if each.kind == "object"]
        vectors = {}
        if self._embeddings is not None:
            vectors = self._embeddings.get([each.id for each in objects])
        # one that waits to be embedded is linked by all else
        nothing = np.zeros(EMBEDDING_DIM, np.float32)
        return [
            SegmentToLink(
                each.id, each.bbox_xywh, each.area, each.mask_rle, vectors.get(each.id, nothing)
            )
            for each in objects
            if each.mask_rle is not None
        ]

    @staticmethod
    def _picture(segments: list[StoredSegment], before: np.ndarray) -> np.ndarray:
        """Read the stored picture of a frame; where it is gone nothing has moved."""
        for whole in segments:
            if whole.kind == "frame":
                try:
                    return load_image(whole.crop_path, CROP_SIDE**2, PICTURE_SIDE).frame.image_rgb
                except MediaReadError as exc:
                    log.info("a frame is linked without its picture: %s", exc)
        return before
