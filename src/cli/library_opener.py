"""How a command opens the library that it is about."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from src.cli.arguments import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from src.config import LibraryPaths
    from src.library import MediaLibrary


class LibraryOpener:
    """Opens the library of the arguments, to write or to read."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments

    def _initialize(
        self,
        root: Path | None = None,
        read_only: bool = False,
        examine: bool = False,
        on_recovery: Callable[[int, int], None] | None = None,
        upkeep_later: bool = False,
        to_browse: bool = False,
    ) -> MediaLibrary:
        """Open the library, with the models and settings it is to use.

        Args:
            on_recovery: called with how far the recovery of a damaged library is; where it is
                None, a line on stderr shows it.
        """
        from src.cli.report import RecoveryLine, note
        from src.config import LibraryPaths
        from src.library import MediaLibrary

        paths = self._paths() if root is None else LibraryPaths(root)
        library = MediaLibrary(
            paths,
            read_only=read_only or self.arguments.read_only,
            examine=examine,
            on_recovery=on_recovery or RecoveryLine().show,
            upkeep_later=upkeep_later,
            to_browse=to_browse,
        )
        try:
            self._choose_chroma(library)
        except BaseException:
            library.close()
            raise
        for problem in library.settings_problems:
            note(problem)
        for notice in (library.notice, library.share_notice):
            if notice is not None:
                note(notice)
        return library

    def _choose_chroma(self, library: MediaLibrary) -> None:
        """Keep the search index where `--chroma` says from now on."""
        server = self.arguments.chroma
        if server is not None:
            library.keep_index(None if server == "off" else server)

    def _choose_cluster(self, library: MediaLibrary) -> None:
        """Process media where `--ray` says from now on."""
        where, roots = self.arguments.ray, self.arguments.ray_root
        if where is not None:
            library.use_cluster(None if where == "off" else where, roots)
        elif roots is not None:  # a library may name a cluster of its own
            raise UsageError("say with --ray which cluster the --ray-root is for")

    def _paths(self) -> LibraryPaths:
        from src.config import LibraryPaths, default_library

        return LibraryPaths(self.arguments.library or default_library())

    def _paths_of_library(self) -> LibraryPaths:
        """Return where the library lies; none is made only to be read.

        Raises:
            DatabaseError: there is none.
        """
        from src.errors import DatabaseError

        paths = self._paths()
        if not paths.has_library():
            raise DatabaseError(
                f"{paths.root}: there is no library in this folder; name its folder with "
                "--library, or add media to create one"
            )
        return paths

    def _open_to_read(self) -> MediaLibrary:
        """Open the library, for reading only when it is open elsewhere or can't be written to."""
        from src.cli.report import note
        from src.errors import LibraryLockedError

        if not self._paths_of_library().is_writable():
            note("the library can't be written to; it is opened for reading only")
            return self._initialize(read_only=True)
        try:  # what only looks waits for no backup
            return self._initialize(upkeep_later=True)
        except LibraryLockedError:
            note("the library is open in another process; it is opened for reading only")
            return self._initialize(read_only=True)
