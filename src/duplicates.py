"""What a person does with files that are almost equal: find them, compare them, decide."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from src.database.browse_queries import BrowseQueries
from src.database.metadata_db import MetadataDatabase
from src.errors import QueryError
from src.events import Event
from src.records import DuplicateFile, DuplicateGroup, DuplicateVerdict
from src.search.best_copy import best_first
from src.settings import Settings

if TYPE_CHECKING:
    from src.database.vector_db import VectorDatabase


class Duplicates:
    """Groups of near-duplicates; MediaLibrary.duplicates.

    What was found is kept in the library, so that looking at it computes nothing. Only a person
    decides, and each decision but the trash can be undone.
    """

    def __init__(
        self,
        metadata: MetadataDatabase,
        vectors: Callable[[], VectorDatabase],
        settings: Callable[[], Settings],
    ) -> None:
        """Look at a library that is open.

        Args:
            vectors: gives what searches with the CLIP in use, and loads it.
            settings: gives those of this moment.
        """
        self._metadata, self._vectors, self._settings = metadata, vectors, settings
        self._queries = BrowseQueries(metadata)

    def find(self) -> Iterator[Event]:
        """Compare all media files; see find_duplicates."""
        from src.processing.duplicate_finder import find_duplicates
        from src.processing.frame_look_job import look_at_frames

        limit = self._settings().pixel_limit
        yield from look_at_frames(self._metadata, limit)
        yield from find_duplicates(self._metadata, self._vectors().embeddings, limit)

    def is_current(self) -> bool:
        """Return whether they were looked for since media were added or removed."""
        return self._metadata.duplicates.is_current()

    def group_ids(self) -> list[int]:
        """List the groups, those to be decided on first."""
        return list(self.verdicts())

    def verdicts(self) -> dict[int, DuplicateVerdict]:
        """List the groups in the same order, each with what a person said of it."""
        return self._metadata.duplicates.verdicts()

    def group(self, group_id: int) -> DuplicateGroup:
        """Look up a group, with what there is to know of its files.

        Raises:
            QueryError: it is gone.
        """
        from src.processing.known_copies import KnownCopies

        duplicates, copies = self._metadata.duplicates, KnownCopies(self._metadata)
        verdict, hidden = duplicates.verdict(group_id), duplicates.files(group_id)
        sharpness = duplicates.looks(hidden)
        files = [
            DuplicateFile(
                card.media,
                card.poster,
                sharpness.get(number),
                hidden[number],
                tuple(path for path in copies.of(card.media) if path != card.media.path),
            )
            for number, card in self._queries.media_cards(list(hidden)).items()
        ]
        ordered = best_first(files)
        if verdict == "hidden":
            ordered = tuple(sorted(ordered, key=lambda file: file.is_hidden))
        return DuplicateGroup(group_id, verdict, ordered)

    # -- what a person decides

    def hide_others(self, group_id: int, kept_id: int) -> None:
        """Leave all files of a group but one out of searches and of the library's grid.

        Raises:
            QueryError: the group is gone, or the file is none of its own.
        """
        self._metadata.duplicates.decide(group_id, "hidden", kept_id)

    def keep_all(self, group_id: int) -> None:
        """Say that the files of a group belong together and are all kept; see hide_others."""
        self._metadata.duplicates.decide(group_id, "kept")

    def keep_apart(self, group_id: int) -> None:
        """Say that the files of a group are no copies: they are in no group together again."""
        self._metadata.duplicates.decide(group_id, "apart")

    def undo(self, group_id: int) -> None:
        """Take back what was said of a group; what is in the trash stays there."""
        self._metadata.duplicates.decide(group_id, "open")

    def trash_others(self, group_id: int, kept_id: int) -> Iterator[Event]:
        """Move all files of a group but one to the trash; see move_to_trash.

        Raises:
            QueryError: the group is gone, or the file is none of its own.
            MediaReadError: the file to keep is gone, or has changed; nothing is moved then.
        """
        from src.processing.trash import move_to_trash

        files = {file.media.id: file.media for file in self.group(group_id).files}
        kept = files.pop(kept_id, None)
        if kept is None:
            raise QueryError("the file to keep is not in this group of duplicates")
        yield from move_to_trash(self._metadata, kept, list(files.values()))
