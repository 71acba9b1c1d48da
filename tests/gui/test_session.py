"""Jobs of a session: who is told what went wrong, without a window."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from src.errors import ExportError
from src.events import Event
from src.gui.session import Session


class MainThread:
    """Asks the pollers when it is told to."""

    def __init__(self) -> None:
        self.pollers: list[Callable[[], bool]] = []
        self.poll = self.pollers.append

    def turn_until(self, condition: Callable[[], object]) -> None:
        until = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < until
            for poller in self.pollers:
                poller()


@pytest.fixture
def errors() -> list[Exception]:
    return []


@pytest.fixture
def main_thread() -> MainThread:
    return MainThread()


@pytest.fixture
def session(main_thread: MainThread, errors: list[Exception]) -> Iterator[Session]:
    thread: Any = main_thread
    session = Session(thread, lambda: pytest.fail("no library is opened"), errors.append)
    yield session
    for worker in session._workers.values():
        worker.stop()


def failing() -> Iterator[Event]:
    raise ExportError("the disk is full")
    yield


@pytest.mark.parametrize("dialog_is_there", [True, False])
def test_a_failed_export_is_said_once(
    session: Session, main_thread: MainThread, errors: list[Exception], dialog_is_there: bool
) -> None:
    in_dialog: list[object] = []
    session.tell.job_ended.append(lambda _, ended: in_dialog.append(ended.error))
    session.start("export", failing, "Writing").in_place = dialog_is_there
    main_thread.turn_until(lambda: not session.is_busy)
    assert [str(error) for error in in_dialog] == ["the disk is full"]
    assert [str(error) for error in errors] == ([] if dialog_is_there else ["the disk is full"])
