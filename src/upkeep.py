"""What a library needs done now and then, and nobody has to wait for: jobs of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from src.database.metadata_db import MetadataDatabase
from src.events import Event, MissingMediaFound, Progress, said

if TYPE_CHECKING:
    from src.database.vector_db import VectorDatabase
    from src.processing.missing_files import MissingFiles


class Upkeep:
    """Jobs that run by themselves beside all else; MediaLibrary.upkeep.

    Each can be stopped between two events, and goes on, or begins again, the next time.
    """

    def __init__(
        self,
        metadata: MetadataDatabase,
        vectors: Callable[[], VectorDatabase],
        missing: Callable[[], MissingFiles],
    ) -> None:
        """Look after a library that is open.

        Args:
            vectors: gives what searches with the CLIP in use, and loads it.
            missing: gives what looks for its media files.
        """
        self._metadata, self._vectors, self._missing = metadata, vectors, missing

    @property
    def backup_waits(self) -> bool:
        """Whether opening has left the day's examination and backup to `back_up`."""
        return self._metadata.connection.backup_waits

    def back_up(self) -> Iterator[Event]:
        """Write the day's backup, and examine the library by it.

        Raises:
            DatabaseError: the library is damaged; the next start mends it.
        """
        for done, total in self._metadata.connection.back_up_later():
            yield Progress("backup" if total else "examine", done, total)

    def prepare_search(self) -> Iterator[Event]:
        """Make what searches go through, which the first one would have to wait for.

        A library of an earlier version has none; else next to nothing is to be done.
        """
        for done, total in self._vectors().embeddings.prepare_scan():
            yield Progress("scan", done, total)

    def look_for_missing(self) -> Iterator[Event]:
        """Look for all media files, and say at the end which are gone; copies take their places."""
        gone, away = yield from said("missing", self._missing().look_at_all())
        yield MissingMediaFound(tuple(media.id for media in gone), len(away))

    @property
    def embedding_waits(self) -> bool:
        """Whether segments wait for `reembed`, as those whose masks a person has changed do."""
        return self._vectors().embeddings.lacks_any()

    @property
    def index_waits(self) -> bool:
        """Whether Chroma is still to be told what is new, or gone."""
        index = self._vectors().index
        return index is not None and index.pending() > 0

    def tell_index(self) -> Iterator[Event]:
        """Tell Chroma what is new and what is gone; no search waits for that."""
        index = self._vectors().index
        if index is not None:
            yield from index.catch_up()
