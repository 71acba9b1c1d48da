"""A window that only reads: what it says of the library, and when it reads it again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace
from typing import cast

import pytest

from src.gui.app import reading_beside as module
from src.gui.app.reading_beside import LOST, NEWER, SHOW_EVERY_S, WRITER_WORDS, ReadingBeside
from src.gui.core.session import Listeners, Session
from src.reader_records import ReaderState


class Window:
    """A session whose library is in the state that it is given, and what is said of it."""

    def __init__(self) -> None:
        self.state = ReaderState(1, "open")
        self.fails: Exception | None = None
        self.seconds, self.minute = 100.0, 32
        self.waiting: list[Callable[[], None]] = []
        self.told, self.is_closing = 0, False
        self.said: tuple[str, str, bool] = ("", "", False)
        self.lost: list[str] = []
        self.signals = Listeners()
        self.library = SimpleNamespace(reader_state=self._state)
        self.main_thread = SimpleNamespace(run=self._run, after=self._after)
        self.reading = ReadingBeside(
            cast(Session, self),
            self,
            self.lost.append,
            lambda: self.seconds,
            lambda: datetime(2026, 11, 30, 14, self.minute),
        )
        for listener in self.signals.opened:
            listener()

    def _state(self) -> ReaderState:
        if self.fails is not None:
            raise self.fails
        return self.state

    def _run(
        self,
        work: Callable[[], ReaderState],
        then: Callable[[ReaderState], None],
        failed: Callable[[Exception], None],
    ) -> None:
        try:
            found = work()
        except Exception as exc:
            failed(exc)
        else:
            then(found)

    def _after(self, seconds: float, call: Callable[[], None]) -> None:
        assert seconds == module.LOOK_EVERY_S
        self.waiting.append(call)

    def tell_stored_elsewhere(self) -> None:
        self.told += 1

    def show(self, title: str, text: str, is_wrong: bool = False) -> None:
        self.said = title, text, is_wrong

    def look(self, seconds: float = SHOW_EVERY_S) -> None:
        """Let time go by until the next look."""
        self.seconds += seconds
        self.minute += 1
        (call,), self.waiting = self.waiting, []
        call()


def test_it_says_as_of_when_and_who_writes() -> None:
    window = Window()
    assert window.said == ("Read only · as of 14:32", WRITER_WORDS["open"], False)
    for writer in ("closed", "killed"):
        window.state = ReaderState(1, writer)  # type: ignore[arg-type]
        window.look()
        assert window.said == ("Read only · as of 14:32", WRITER_WORDS[writer], False)
    assert not window.told  # nothing was stored


def test_what_is_stored_is_shown_by_itself_and_no_more_often_than_now_and_then() -> None:
    window = Window()
    window.look()
    window.state = ReaderState(2, "open")
    window.look(seconds=1)
    assert window.told == 1 and window.said[0] == "Read only · as of 14:34"
    window.state = ReaderState(3, "open")
    window.look(seconds=1)
    assert window.told == 1 and window.said == ("Read only · as of 14:34", NEWER, False)
    window.look()
    assert window.told == 2
    assert window.said == ("Read only · as of 14:36", WRITER_WORDS["open"], False)
    window.look()
    assert window.told == 2


def test_a_library_that_is_lost_is_said_once_and_read_again_when_it_is_back() -> None:
    window = Window()
    window.look()
    window.state = ReaderState(1, "closed", "the library was deleted")
    window.look()
    window.look()
    assert window.lost == ["The library was deleted."] and window.said[1:] == (LOST, True)
    assert window.reading.lost and not window.told
    window.state = ReaderState(1, "closed")
    window.look(seconds=SHOW_EVERY_S)
    assert window.told == 1 and not window.reading.lost
    assert window.said[1:] == (WRITER_WORDS["closed"], False)


def test_one_that_is_back_very_soon_is_read_again_a_little_later() -> None:
    window = Window()
    window.state = ReaderState(1, "closed", "the disk does not answer")
    window.look(seconds=1)
    window.state = ReaderState(1, "open")
    window.look(seconds=1)
    assert not window.told and window.said[1:] == (NEWER, False)
    window.look()
    assert window.told == 1 and window.said[1:] == (WRITER_WORDS["open"], False)
    window.look()
    assert window.told == 1


def test_it_looks_again_after_a_look_that_failed_and_not_once_the_window_closes() -> None:
    window = Window()
    window.fails = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        window.look()
    window.fails = None
    window.look()
    assert len(window.waiting) == 1
    window.is_closing = True
    window.look()
    assert not window.waiting
