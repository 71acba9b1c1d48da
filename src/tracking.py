"""What a person does with tracks, and sees of a video over time; MediaLibrary.tracks."""

from __future__ import annotations

from src.database.metadata_db import MetadataDatabase


class Tracks:
    """The verbs on tracks. All of them may be called in any thread."""

    def __init__(self, metadata: MetadataDatabase) -> None:
        self._metadata = metadata

    def has_unlinked(self) -> bool:
        """Return whether there is a video whose segments are not linked as they are now."""
        return self._metadata.tracks.has_unlinked()
