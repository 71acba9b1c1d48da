"""Which CLIP a library is searched with. Another takes over when it has embedded all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from src.database.embedding_store import EmbeddingStore
from src.database.metadata_db import MetadataDatabase
from src.errors import ModelNotLoadedError

if TYPE_CHECKING:  # who asks for a name alone waits for no torch
    from src.models.clip_encoder import ClipEncoder
    from src.models.model_manager import ModelManager

_KEY = "clip in use"
_TAGS_KEY = "automatic tags by"


def clip_in_use(metadata: MetadataDatabase) -> str | None:
    """Return the name of the CLIP that answers searches (see ClipEncoder.name).

    Where that is not written down, it is the one that has embedded most; None in a library
    without embeddings.
    """
    name = metadata.info(_KEY)
    if name is None:
        row = (
            metadata.connection.read()
            .execute(
                "SELECT m.name FROM models m JOIN embeddings e ON e.model_id = m.id"
                " GROUP BY m.id ORDER BY count(*) DESC, m.id DESC LIMIT 1"
            )
            .fetchone()
        )
        name = None if row is None else str(row["name"])
    return name


def set_clip_in_use(metadata: MetadataDatabase, name: str) -> None:
    """Store its name; inside a transaction it is part of that."""
    if metadata.info(_KEY) != name:
        metadata.set_info(_KEY, name)


def clip_of_tags(metadata: MetadataDatabase) -> str | None:
    """Return the name of the CLIP that gave the automatic tags; None where it is not recorded."""
    return metadata.info(_TAGS_KEY)


def set_clip_of_tags(metadata: MetadataDatabase, name: str) -> None:
    metadata.set_info(_TAGS_KEY, name)


def load_clips(models: ModelManager, metadata: MetadataDatabase) -> tuple[ClipEncoder, ClipEncoder]:
    """Load the CLIP that a library is to be searched with now, and the one that is wanted.

    They are two while the wanted one has not embedded every segment and the weights of the one
    before are still on this machine. Without those the wanted one serves, as far as it is.

    Raises:
        ModelNotLoadedError: no CLIP is on this machine.
    """
    wanted = models.load_clip()
    name = clip_in_use(metadata)
    if name in (None, wanted.name):
        return wanted, wanted
    before = EmbeddingStore(metadata.connection, str(name))
    is_whole = not EmbeddingStore(metadata.connection, wanted.name).lacks_any()
    if is_whole or not before.is_more_than(0):
        return wanted, wanted
    try:
        return models.load_clip_named(before.model), wanted
    except ModelNotLoadedError:
        return wanted, wanted
