"""Segments embedded again from their stored crops, for another CLIP's embedding space."""

from __future__ import annotations

from collections.abc import Generator

from src.database.embedding_store import EmbeddingStore
from src.database.metadata_db import MetadataDatabase
from src.errors import MediaReadError
from src.events import Event, ProblemFound, Progress
from src.models.clip_encoder import ClipEncoder
from src.processing.image_loader import load_image

BATCH = 64


def reembed(
    metadata: MetadataDatabase, embeddings: EmbeddingStore, clip: ClipEncoder, pixel_limit: int
) -> Generator[Event, None, set[str]]:
    """Embed every segment with a CLIP; killed, the next call continues where this one was.

    Segments that come meanwhile are embedded, too.

    Returns:
        The segments whose crops can't be read: they have no embedding.
    """
    unreadable: set[str] = set()
    while missing := [name for name in embeddings.missing() if name not in unreadable]:
        for start in range(0, len(missing), BATCH):
            ids, crops = [], []
            for segment in metadata.segments(missing[start : start + BATCH]).values():
                try:
                    crops.append(load_image(segment.crop_path, pixel_limit).frame.image_rgb)
                    ids.append(segment.id)
                except MediaReadError as exc:
                    unreadable.add(segment.id)
                    yield ProblemFound(f"{exc}; run verify --repair", mended=False)
            embeddings.add(ids, clip.encode_image(crops))
            yield Progress("embed", embeddings.count(), metadata.count_segments())
    return unreadable
