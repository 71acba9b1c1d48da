"""Other places where the content of a media file lies: when it is gone, a copy takes its place."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

from src.database.metadata_db import MetadataDatabase
from src.errors import MediaReadError
from src.presence import presence_of
from src.processing.moved_files import MovedFiles
from src.records import MediaFile

# More than there are of one picture in the folders of a person.
_MOST = 16
_KEY = "copies of media file "
_NUMBER = re.compile(r"[0-9]{1,19}")

log = logging.getLogger(__name__)


class KnownCopies:
    """Files found in walks whose content the library has under another name."""

    def __init__(self, metadata: MetadataDatabase, moved: MovedFiles | None = None) -> None:
        """Look for copies in a library.

        Args:
            moved: what the job at hand knows of where contents lie.
        """
        self.metadata = metadata
        self._moved = moved or MovedFiles(metadata)

    def remember(self, media: MediaFile, path: Path) -> None:
        """Record that a file has the content of a media file."""
        copies = self.of(media)
        if path not in copies:
            self._write(media, [*copies, path])

    def of(self, media: MediaFile) -> list[Path]:
        """List the known copies of a media file; they may have changed since."""
        text = self.metadata.info(_key(media.id))
        if text is None:
            return []
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, list) or not all(_is_path(name) for name in found):
            log.warning("what is noted as %r is no list of files", _key(media.id))
            return []
        return [Path(name) for name in found]

    def known(self) -> set[int]:
        """List the media files that have known copies, by id; few have."""
        rows = self.metadata.connection.read().execute(
            "SELECT key FROM info WHERE key >= ?1 AND key < ?1 || char(0x10ffff)", (_KEY,)
        )
        numbers = (str(row["key"]).removeprefix(_KEY) for row in rows)
        return {int(number) for number in numbers if _NUMBER.fullmatch(number)}

    def forget(self, media_file_id: int) -> None:
        """Delete the record of the copies of a media file that is removed."""
        self.metadata.forget_info(_key(media_file_id))

    def take_over(self, media: MediaFile) -> Path | None:
        """Put a copy in the place of a media file that is gone, if one holds its content.

        Returns:
            The copy; None when there is none any more.
        """
        copies = self.of(media)
        for path in copies:
            try:
                is_copy = self._moved.content_hash(path) == media.content_hash
            except (OSError, MediaReadError):
                continue
            if is_copy:
                self._moved.move([(media, path)])
                # it may come back
                self._write(media, [*(each for each in copies if each != path), media.path])
                return path
        return None

    def at_hand(self, media: MediaFile) -> MediaFile:
        """Return a media file that is to be read: where it is gone, a copy has taken its place."""
        if presence_of(media.path) == "gone" and self.take_over(media) is not None:
            return self.metadata.media(media.id) or media
        return media

    def _write(self, media: MediaFile, copies: list[Path]) -> None:
        self.metadata.set_info(_key(media.id), json.dumps([str(p) for p in copies[-_MOST:]]))


def _key(media_file_id: int) -> str:
    return f"{_KEY}{media_file_id}"


def _is_path(name: object) -> bool:
    return isinstance(name, str) and "\0" not in name and Path(name).is_absolute()
