"""The frames by which media files are compared: what each looks like, in numbers."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np

from src.database.clip_in_use import clip_in_use
from src.database.embedding_store import EmbeddingStore
from src.database.metadata_db import MetadataDatabase
from src.database.rows import LISTED
from src.records import EMBEDDING_DIM
from src.search.near_copies import typical_distance

# Comparing takes the square of it: of videos fewer frames are taken where there are more.
MOST_PICTURES = 60_000
_LEAST_OF_VIDEO = 12
# A frame of a video that differs from the one before in no more bits says nothing new.
_SAME_BITS = 2


class _Frame(NamedTuple):
    media_id: int
    segment_id: str
    dhash: int


@dataclass(frozen=True)
class Pictures:
    """Frames that stand for media files: that of a photo, several of a video.

    Attributes:
        media_ids: (M,) int64, ascending.
        media: (N,) int64, for each picture the place of its media file in media_ids.
        segment_ids: N, of the whole frames.
        hashes: (N,) uint64, dHashes.
        embeddings: (N, 512) float32, of length 1, or zeros where there is none.
        is_embedded: (N,) bool.
        typical: 1 - cosine of two pictures of the library that have nothing in common.
    """

    media_ids: np.ndarray
    media: np.ndarray
    segment_ids: tuple[str, ...]
    hashes: np.ndarray
    embeddings: np.ndarray
    is_embedded: np.ndarray
    typical: float

    def distances(self, pairs: np.ndarray) -> np.ndarray:
        """Return how far the embeddings of pairs (2, K) of places are apart: (K,) float32.

        0 for the same embedding, 1 for that of an average picture of the library; UNKNOWN where
        one of them has none.
        """
        cosines = np.empty(pairs.shape[1], np.float32)
        for start in range(0, len(cosines), _PAIRS_AT_ONCE):
            one, other = self.embeddings[pairs[:, start : start + _PAIRS_AT_ONCE]]
            cosines[start : start + _PAIRS_AT_ONCE] = np.einsum("kd,kd->k", one, other)
        known = self.is_embedded[pairs].all(axis=0)
        return np.where(known, (1 - cosines) / np.float32(self.typical), UNKNOWN)


UNKNOWN = np.float32(0.5)
_PAIRS_AT_ONCE = 20_000


def read_pictures(metadata: MetadataDatabase, media_ids: Collection[int]) -> Pictures:
    """Read the frames that stand for media files; one whose frames have no dHash has none.

    Raises:
        DatabaseError: an embedding is damaged.
    """
    ids = np.array(sorted(media_ids), np.int64)
    frames = _frames(metadata, ids)
    segment_ids = tuple(frame.segment_id for frame in frames)
    embeddings = np.zeros((len(frames), EMBEDDING_DIM), np.float32)
    is_embedded = np.zeros(len(frames), bool)
    if (model := clip_in_use(metadata)) is not None:
        found = EmbeddingStore(metadata.connection, model).get(segment_ids)
        for place, segment_id in enumerate(segment_ids):
            if segment_id in found:
                embeddings[place], is_embedded[place] = found[segment_id], True
    return Pictures(
        media_ids=ids,
        media=np.searchsorted(ids, np.array([frame.media_id for frame in frames], np.int64)),
        segment_ids=segment_ids,
        hashes=np.array([frame.dhash for frame in frames], np.uint64),
        embeddings=embeddings,
        is_embedded=is_embedded,
        typical=typical_distance(embeddings[is_embedded]),
    )


def _frames(metadata: MetadataDatabase, ids: np.ndarray) -> list[_Frame]:
    rows = metadata.connection.read().execute(
        "SELECT f.media_file_id, s.id, f.dhash FROM frames f"
        " JOIN segments s ON s.frame_id = f.id AND s.kind = 'frame'"
        f" WHERE f.media_file_id IN {LISTED} AND f.dhash IS NOT NULL"
        " ORDER BY f.media_file_id, f.frame_index",
        (json.dumps(ids.tolist()),),
    )
    read = (_Frame(media_id, segment_id, int(dhash, 16)) for media_id, segment_id, dhash in rows)
    files = [list(frames) for _, frames in groupby(read, key=lambda frame: frame.media_id)]
    single = [frames[0] for frames in files if len(frames) == 1]
    several = [list(_different(frames)) for frames in files if len(frames) > 1]
    left = max(0, MOST_PICTURES - len(single)) // max(1, len(several))
    most = max(_LEAST_OF_VIDEO, left)
    chosen = single + [frame for frames in several for frame in _spread(frames, most)]
    return sorted(chosen, key=lambda frame: frame.media_id)


def _different(frames: Sequence[_Frame]) -> Iterator[_Frame]:
    """Leave out the frames that look as the one before."""
    last: int | None = None
    for frame in frames:
        if last is None or (frame.dhash ^ last).bit_count() > _SAME_BITS:
            last = frame.dhash
            yield frame


def _spread(frames: Sequence[_Frame], most: int) -> list[_Frame]:
    places = np.linspace(0, len(frames) - 1, min(len(frames), most)).round().astype(int)
    return [frames[place] for place in places]
