"""Another CLIP, another vocabulary: automatic tags given again, from the embeddings at hand."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from src.database.metadata_db import MetadataDatabase
from src.database.segment_store import replace_automatic_tags
from src.events import Event, Progress
from src.processing.models_in_use import Embedding

BATCH = 256


def retag(metadata: MetadataDatabase, embedding: Embedding) -> Iterator[Event]:
    """Replace every automatic tag by what the CLIP in use sees; people's tags stay.

    It takes no look at a picture, so it is done again from the start after a kill.
    """
    ids = metadata.segment_ids()
    for start in range(0, len(ids), BATCH):
        vectors = embedding.vectors.embeddings.vectors(ids[start : start + BATCH])
        if vectors:
            tags = embedding.tagger.tags(np.stack(list(vectors.values())))
            with metadata.connection.write() as db:
                replace_automatic_tags(db, dict(zip(vectors, tags, strict=True)))
        yield Progress("retag", min(start + BATCH, len(ids)), len(ids))
