"""Where Chroma keeps the index of a library: a folder of ours, or a server.

A name of 12 hex digits is that of a folder in chroma_db, or of a database of the server. Each holds
one collection, `media_segments`, of one CLIP.
"""

from __future__ import annotations

import logging
import sqlite3
import uuid
from pathlib import Path
from typing import Protocol

from src.chroma_address import ChromaAddress
from src.database.index_process import IndexAwayError, IndexProcess, IndexUnavailableError
from src.database.index_server import marker_of
from src.database.metadata_db import MetadataDatabase
from src.ownership import INDEX_NAME, INDEXES

log = logging.getLogger(__name__)


class IndexPlaces(Protocol):
    """Makes, starts and removes indexes by their names."""

    def name_in(self, recorded: str | None) -> str | None:
        """Read what the library has written down of its index; None where that is none of here."""

    def recorded(self, name: str) -> str:
        """Give what the library writes down."""

    def reach(self) -> None:
        """See that indexes can be made and removed now.

        Raises:
            IndexAwayError: what keeps them can't be reached.
        """

    def check(self, name: str) -> None:
        """Check that an index is there and may be opened.

        Raises:
            IndexUnavailableError: it may not.
        """

    def make(self) -> tuple[str, IndexProcess]:
        """Make an empty place, and start a child for it.

        Raises:
            IndexUnavailableError: it can't be made.
        """

    def start(self, name: str) -> IndexProcess:
        """Start a child for an index.

        Raises:
            IndexUnavailableError: the system can't start another process.
        """

    def remove(self, name: str) -> None:
        """Remove an index that this program made; what can't be removed stays behind."""

    def remove_strays(self, db: sqlite3.Connection, new: str) -> None:
        """Remove what no model's index is in: a kill may leave one behind."""


class IndexFolders:
    """Indexes in folders of the library, each opened by one child process alone."""

    def __init__(self, metadata: MetadataDatabase) -> None:
        self._paths = metadata.paths

    def name_in(self, recorded: str | None) -> str | None:
        return recorded if recorded is not None and INDEX_NAME.fullmatch(recorded) else None

    def recorded(self, name: str) -> str:
        return name

    def reach(self) -> None:
        """The folder is the library's own."""

    def check(self, name: str) -> None:
        """Check that nothing in the folder is a link that Chroma would follow."""
        files, folder = self._paths.files, f"{INDEXES}/{name}"
        try:
            if not files.is_marked(folder):
                raise IndexUnavailableError("its folder is gone")
            for entry in files.walk(folder):
                if not entry.is_file or entry.status.st_nlink > 1:
                    raise IndexUnavailableError(f"{entry.name} leads elsewhere")
        except OSError as exc:
            raise IndexUnavailableError(f"its folder can't be read ({exc})") from exc

    def make(self) -> tuple[str, IndexProcess]:
        name = _new_name()
        try:
            self._paths.files.make_marked_folder(INDEXES)
            self._paths.files.make_marked_folder(f"{INDEXES}/{name}")
        except OSError as exc:
            raise IndexUnavailableError(
                f"{self._paths.chroma_db} can't be written to ({exc.strerror or exc})"
            ) from exc
        return name, self.start(name)

    def start(self, name: str) -> IndexProcess:
        return IndexProcess(self._paths.chroma_db / name)

    def remove(self, name: str) -> None:
        files, folder = self._paths.files, f"{INDEXES}/{name}"
        try:
            if files.is_marked(folder):
                files.remove_folder(folder)
            else:
                files.remove_if_empty(folder)
            files.remove(marker_of(Path(folder)).as_posix())
        except OSError as exc:
            log.warning("an index that is not used any more stays in %s: %s", folder, exc)

    def remove_strays(self, db: sqlite3.Connection, new: str) -> None:
        rows = db.execute("SELECT value FROM info WHERE key LIKE 'index of %'")
        kept = {new, *(row["value"] for row in rows)}
        for entry in self._paths.files.entries(INDEXES):
            name = Path(entry.name).name
            if entry.is_folder and INDEX_NAME.fullmatch(name) and name not in kept:
                self.remove(name)


class IndexDatabases:
    """Indexes in databases of a Chroma server, which others may search at the same time."""

    def __init__(self, metadata: MetadataDatabase, server: ChromaAddress) -> None:
        self._folders = IndexFolders(metadata)
        self._server = server

    def name_in(self, recorded: str | None) -> str | None:
        name, _, server = (recorded or "").partition(" ")
        return name if server == str(self._server) and INDEX_NAME.fullmatch(name) else None

    def recorded(self, name: str) -> str:
        return f"{name} {self._server}"

    def reach(self) -> None:
        reach_server(self._server)

    def check(self, name: str) -> None:
        """Leave it to the child: what is not there is found by looking."""

    def make(self) -> tuple[str, IndexProcess]:
        name = _new_name()
        process = self.start(name)
        try:
            process.ask({"verb": "make"})
        except IndexUnavailableError:
            process.close()
            raise
        return name, process

    def start(self, name: str) -> IndexProcess:
        return IndexProcess(name, self._server)

    def remove(self, name: str) -> None:
        try:
            process = self.start(name)
            try:
                process.ask({"verb": "drop"})
            finally:
                process.close()
        except IndexAwayError as exc:
            log.warning("an index that is not used any more stays in database %s: %s", name, exc)
        except IndexUnavailableError:
            pass  # it is gone

    def remove_strays(self, db: sqlite3.Connection, new: str) -> None:
        """Remove the library's own folders; the server's databases may be others'."""
        self._folders.remove_strays(db, new)


def reach_server(server: ChromaAddress, timeout_s: float | None = None) -> None:
    """See that a Chroma server answers, and takes our token; see IndexProcess.ask.

    Raises:
        IndexAwayError: it can't be reached.
        IndexUnavailableError: the system can't start another process to ask it.
    """
    process = IndexProcess("", server)
    try:
        process.ask({"verb": "reach"}, timeout_s=timeout_s)
    finally:
        process.close()


def index_places(metadata: MetadataDatabase, server: ChromaAddress | None) -> IndexPlaces:
    return IndexFolders(metadata) if server is None else IndexDatabases(metadata, server)


def _new_name() -> str:
    return uuid.uuid4().hex[:12]
