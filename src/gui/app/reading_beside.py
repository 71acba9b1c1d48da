"""A window that only reads a library: it follows what another program stores, and says so."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from src.gui.core.session import Session
from src.gui.core.wording import as_sentence
from src.reader_records import ReaderState

# Between two looks at the library.
LOOK_EVERY_S = 2.0
# Lists, counts and the map are read again no more often: in a large library that takes a while.
SHOW_EVERY_S = 10.0

WRITER_WORDS = {
    "open": "Another program has it open to write.",
    "closed": "Nobody is writing to it.",
    "killed": "The writer was killed. All that it stored is kept.",
}
NEWER = "Newer is stored. It will be shown in a moment."
LOST = "It can't be followed any more. Click to open it again."


class Card(Protocol):
    """Where it is said."""

    def show(self, title: str, text: str, is_wrong: bool = False) -> None: ...


class ReadingBeside:
    """Looks every few seconds, in another thread; what is new is shown a little later.

    Attributes:
        lost: why the library can't be followed any more, as a sentence; "" while it can.
    """

    def __init__(
        self,
        session: Session,
        card: Card,
        on_lost: Callable[[str], object],
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        """Listen for the library.

        Args:
            on_lost: called once with why it can't be followed.
            clock: in seconds.
            now: the time of day.
        """
        self._session, self._card, self._on_lost = session, card, on_lost
        self._clock, self._now = clock, now
        self.lost = ""
        self._shown: int | None = None  # the version that is shown
        self._shown_at = 0.0
        self._as_of = now()
        self._was_lost = False  # and what is shown may lack what could not be read then
        self._failure = ""  # of the last look
        self._looks = False
        session.signals.opened.append(self._opened)

    def _opened(self) -> None:
        self._shown = None
        if not self._looks:
            self._looks = True
            self._look()

    def _look(self) -> None:
        session = self._session
        if not session.is_closing:
            session.main_thread.run(session.library.reader_state, self._looked, self._failed)

    def _look_later(self) -> None:
        if not self._session.is_closing:
            self._session.main_thread.after(LOOK_EVERY_S, self._look)

    def _failed(self, exc: Exception) -> None:
        """Look again all the same; what is new of it is for the window's error handler."""
        self._look_later()
        is_new, self._failure = repr(exc) != self._failure, repr(exc)
        if is_new:
            raise exc

    def _looked(self, state: ReaderState) -> None:
        self._failure = ""
        self._look_later()
        if state.lost:
            self._say_lost(state.lost)
            return
        self.lost = ""
        is_newer = self._shown is not None and (state.version != self._shown or self._was_lost)
        may_show = self._clock() - self._shown_at >= SHOW_EVERY_S
        if self._shown is None or (is_newer and may_show):
            self._shown, self._shown_at, self._as_of = state.version, self._clock(), self._now()
            self._was_lost = False
            if is_newer:
                self._session.tell_stored_elsewhere()
                is_newer = False
        self._card.show(self._title, NEWER if is_newer else WRITER_WORDS[state.writer])

    @property
    def _title(self) -> str:
        return f"Read only · as of {self._as_of:%H:%M}"

    def _say_lost(self, why: str) -> None:
        self._card.show(self._title, LOST, is_wrong=True)
        is_new, self.lost, self._was_lost = why != self.lost, why, True
        if is_new:
            self._on_lost(as_sentence(why))
