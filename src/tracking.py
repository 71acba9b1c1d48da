"""What a person does with tracks, and sees of a video over time; MediaLibrary.tracks."""

from __future__ import annotations

from collections.abc import Iterator

from src.database.metadata_db import MetadataDatabase
from src.events import Event
from src.tracks.method import METHOD


class Tracks:
    """The verbs on tracks. All of them may be called in any thread."""

    def __init__(self, metadata: MetadataDatabase) -> None:
        self._metadata = metadata

    def has_unlinked(self) -> bool:
        """Return whether there is a video whose segments are not linked as they are now."""
        return self._metadata.tracks.has_unlinked(METHOD)

    def link(self) -> Iterator[Event]:
        """Link the segments of videos to tracks, where they are not as they are now.

        Adding does so at its end, and the window by itself. Cancelled or killed, the next call
        goes on; see link_videos.

        Raises:
            DatabaseError: the library is damaged, or can't be written to.
        """
        from src.tracks.link_job import link_videos

        yield from link_videos(self._metadata)
