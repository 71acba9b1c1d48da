"""Which media files that are shown are not where they were; looked for behind the window."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from src.gui.core.main_thread import MainThread

if TYPE_CHECKING:
    from src.library import MediaLibrary

# A file that is still shown is checked again after this time.
AGAIN_S = 10.0
# A page of cards is checked at once.
_TOGETHER_S = 0.05
_KEPT = 20_000

log = logging.getLogger(__name__)


class MissingMedia:
    """Keeps the last answer; a drive that does not answer keeps no card waiting."""

    def __init__(
        self,
        main_thread: MainThread,
        library: Callable[[], MediaLibrary],
        changed: Callable[[], None],
        moved: Callable[[], None],
    ) -> None:
        """Start with nothing known.

        Args:
            changed: called when other files are missing than before.
            moved: called when a copy has taken the place of a file in the library.
        """
        self._main_thread, self._library = main_thread, library
        self._changed, self._moved = changed, moved
        self._known: dict[Path, tuple[bool, float]] = {}  # and when, on the monotonic clock
        self._wanted: set[Path] = set()
        self._is_looking = False

    def has(self, path: Path) -> bool:
        """Return whether a file is missing, as far as is known; a card that shows it asks."""
        is_missing, since = self._known.get(path, (False, None))
        if since is None or time.monotonic() - since > AGAIN_S:
            self._wanted.add(path)
            if not self._is_looking:
                self._is_looking = True
                self._main_thread.after(_TOGETHER_S, self._look)
        return is_missing

    def _look(self) -> None:
        paths, library = list(self._wanted), self._library()
        self._wanted.clear()
        self._main_thread.run(
            lambda: library.missing(paths), partial(self._found, paths), self._not_found
        )

    def _found(self, paths: Sequence[Path], missing: dict[Path, Path | None]) -> None:
        self._is_looking = False
        if len(self._known) > _KEPT:
            self._known.clear()
        before = [self._known.get(path, (False, 0.0))[0] for path in paths]
        now = [path in missing and missing[path] is None for path in paths]
        at = time.monotonic()
        self._known.update((path, (gone, at)) for path, gone in zip(paths, now, strict=True))
        if any(copy is not None for copy in missing.values()):
            self._moved()
        if now != before:
            self._changed()

    def _not_found(self, exc: Exception) -> None:
        """Leave the cards as they are; the error is shown elsewhere."""
        self._is_looking = False
        log.warning("which files are missing can't be determined: %s", exc)
