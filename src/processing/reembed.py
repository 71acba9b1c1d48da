"""Another CLIP, another space: segments embedded again from their stored crops."""

from __future__ import annotations

from collections.abc import Iterator

from src.database.embeddings import EmbeddingTable
from src.database.metadata_db import MetadataDatabase
from src.errors import MediaReadError
from src.events import Event, ProblemFound, Progress
from src.models.clip_encoder import ClipEncoder
from src.processing.image_loader import load_image

BATCH = 64


def reembed(
    metadata: MetadataDatabase, embeddings: EmbeddingTable, clip: ClipEncoder, pixel_limit: int
) -> Iterator[Event]:
    """Give every segment an embedding of the CLIP in use; killed, it goes on where it was."""
    missing = embeddings.missing()
    for start in range(0, len(missing), BATCH):
        batch = list(metadata.segments(missing[start : start + BATCH]).values())
        ids, crops = [], []
        for segment in batch:
            try:
                crops.append(load_image(segment.crop_path, pixel_limit).frame.image_rgb)
                ids.append(segment.id)
            except MediaReadError as exc:
                yield ProblemFound(f"{exc}; run verify --repair", mended=False)
        embeddings.add(ids, clip.encode_image(crops))
        yield Progress("embed", start + len(batch), len(missing))
