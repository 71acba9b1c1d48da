"""Media files that are not where the library knows them."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from pathlib import Path

from src.database.metadata_db import MetadataDatabase
from src.events import run_through
from src.presence import FilePresence, Presence
from src.processing.known_copies import KnownCopies
from src.records import MediaFile

# Files that are looked for at once: a moment's, on a drive of today.
AT_ONCE = 1000


class MissingFiles:
    """Looks for a library's media files, and replaces those that are gone by known copies."""

    def __init__(self, metadata: MetadataDatabase, read_only: bool) -> None:
        self._metadata, self._read_only = metadata, read_only
        self._presence = FilePresence()

    def among(self, paths: Iterable[Path]) -> dict[Path, Path | None]:
        """Find those that are not there, each with the copy that takes its place, or None."""
        return self._with_copies(self._presence.look(paths))

    def _with_copies(self, found: Mapping[Path, Presence]) -> dict[Path, Path | None]:
        copies = KnownCopies(self._metadata)
        missing: dict[Path, Path | None] = {}
        for path, state in found.items():
            if state != "here":
                media = self._metadata.media_by_path(path)
                # on a drive that is not connected the file may be as it was
                may_move = state == "gone" and not self._read_only
                missing[path] = copies.take_over(media) if media and may_move else None
        return missing

    def all(self) -> tuple[list[MediaFile], list[MediaFile]]:
        """List those that are gone without a copy, and those whose drive can't be reached."""
        return run_through(self.look_at_all())

    def look_at_all(
        self,
    ) -> Generator[tuple[int, int], None, tuple[list[MediaFile], list[MediaFile]]]:
        """Do what `all` does step by step; yields how many were looked for, and of how many."""
        paths, found = self._metadata.media_paths(), dict[Path, Presence]()
        for start in range(0, len(paths), AT_ONCE):
            found.update(self._presence.look(paths[start : start + AT_ONCE]))
            yield len(found), len(paths)
        gone = self._metadata.media_at(path for path, at in found.items() if at == "gone")
        away = self._metadata.media_at(path for path, at in found.items() if at == "away")
        copies = KnownCopies(self._metadata)
        known = set() if self._read_only else copies.known()
        left = [each for each in gone if each.id not in known or copies.take_over(each) is None]
        return left, away
