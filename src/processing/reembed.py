"""Segments embedded again from their stored crops, for another CLIP's embedding space."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import Future
from contextlib import closing

import numpy as np

from src.child_processes import cores
from src.crop_shape import CROP_SIDE
from src.database.embedding_store import EmbeddingStore
from src.database.metadata_db import MetadataDatabase
from src.errors import MediaReadError
from src.events import Event, ProblemFound, Progress
from src.models.clip_encoder import ClipEncoder
from src.models.stopping import ask_before_layers
from src.processing.image_loader import load_image
from src.processing.work_threads import WorkThreads, taken_ahead
from src.records import StoredSegment
from src.stopping import result_of

BATCH = 64
_Reading = Sequence[tuple[StoredSegment, Future[np.ndarray]]]


def reembed(
    metadata: MetadataDatabase, embeddings: EmbeddingStore, clip: ClipEncoder, pixel_limit: int
) -> Generator[Event, None, set[str]]:
    """Embed every segment with a CLIP; killed, the next call continues where this one was.

    Segments that come meanwhile are embedded, too. Crops are read in threads while those before
    them are embedded.

    Returns:
        The segments whose crops can't be read: they have no embedding.
    """

    def square(segment: StoredSegment) -> np.ndarray:
        return clip.square(load_image(segment.crop_path, pixel_limit).frame.image_rgb)

    def reading(ids: Sequence[str]) -> _Reading:
        segments = metadata.segments(ids).values()
        return [(segment, threads.submit(square, segment)) for segment in segments]

    unreadable: set[str] = set()
    ask_before_layers(clip.model)
    with closing(WorkThreads(cores(), cores() * CROP_SIDE**2)) as threads:
        while missing := [name for name in embeddings.missing() if name not in unreadable]:
            starts = range(0, len(missing), BATCH)
            begun = (reading(missing[start : start + BATCH]) for start in starts)
            for batch in taken_ahead(begun, 1):
                ids, squares = [], []
                for segment, read in batch:
                    try:
                        squares.append(result_of(read))
                        ids.append(segment.id)
                    except MediaReadError as exc:
                        unreadable.add(segment.id)
                        yield ProblemFound(f"{exc}; run verify --repair", mended=False)
                embeddings.add(ids, clip.encode_image(squares))
                yield Progress("embed", embeddings.count(), metadata.count_segments())
    return unreadable
