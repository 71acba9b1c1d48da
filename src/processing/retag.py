"""Automatic tags computed again for another CLIP's vocabulary, from the stored embeddings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from src.database.decisions import replace_automatic_tags
from src.database.embedding_store import EmbeddingStore
from src.database.metadata_db import MetadataDatabase
from src.events import Event, Progress
from src.models.auto_tagger import AutoTagger
from src.records import Tag

BATCH = 256


def retag(
    metadata: MetadataDatabase, embeddings: EmbeddingStore, tagger: AutoTagger
) -> Iterator[Event]:
    """Replace every automatic tag by what the CLIP in use sees; people's tags stay.

    It takes no look at a picture, so it is done again from the start after a kill.

    Args:
        embeddings: of the CLIP in use.
        tagger: of the same CLIP.
    """
    frames = metadata.segment_ids_by_frame()
    total, done = sum(len(ids) for ids in frames), 0
    for some in _batches(frames):
        tags: dict[str, tuple[Tag, ...]] = {}
        for ids in some:
            done += len(ids)
            vectors = embeddings.get(ids)
            if vectors:
                found = tagger.tags(np.stack(list(vectors.values())))
                tags.update(zip(vectors, found, strict=True))
        with metadata.connection.write() as db:
            replace_automatic_tags(db, tags)
        yield Progress("retag", done, total)


def tag_drawn(
    metadata: MetadataDatabase,
    embeddings: EmbeddingStore,
    tagger: AutoTagger,
    segment_ids: Sequence[str],
) -> None:
    """Give automatic tags to those of some segments that a person drew and that have none yet.

    A segment whose mask was changed keeps the tags that it has.

    Args:
        embeddings, tagger: see retag.
    """
    tags = metadata.tags_of(segment_ids)
    drawn = [
        segment.id
        for segment in metadata.segments(segment_ids, with_masks=False).values()
        if segment.origin == "human"
        and not any(tag.source == "auto" for tag in tags.get(segment.id, ()))
    ]
    vectors = embeddings.get(drawn)
    if vectors:
        found = tagger.tags(np.stack(list(vectors.values())))
        with metadata.connection.write() as db:
            replace_automatic_tags(db, dict(zip(vectors, found, strict=True)))


def _batches(frames: Iterable[list[str]]) -> Iterator[list[list[str]]]:
    """Group frames until they have a batch of segments."""
    batch: list[list[str]] = []
    for ids in frames:
        batch.append(ids)
        if sum(map(len, batch)) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
