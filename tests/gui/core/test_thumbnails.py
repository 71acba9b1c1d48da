"""Thumbnails that can't be read at first, without a window."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from src.errors import MediaReadError
from src.gui.core import thumbnails as module
from src.gui.core.thumbnails import Thumbnails

DEADLINE_S = 20
PICTURE, SIZE = Path("/crops/a.jpg"), (8, 6)


class MainThread:
    """Does what is posted when it is told to, and counts what is to be done later."""

    def __init__(self) -> None:
        self.calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.post = self.calls.put
        self.later: list[Callable[[], None]] = []

    def after(self, _seconds: float, call: Callable[[], None]) -> None:
        self.later.append(call)

    def turn(self) -> None:
        self.calls.get(timeout=DEADLINE_S)()


@pytest.fixture
def main_thread() -> MainThread:
    return MainThread()


@pytest.fixture
def readable() -> set[Path]:
    return set()


@pytest.fixture
def loaded() -> list[str]:
    return []


@pytest.fixture
def thumbnails(
    main_thread: MainThread, readable: set[Path], loaded: list[str]
) -> Iterator[Thumbnails]:
    def read(path: Path) -> np.ndarray:
        if path not in readable:
            raise MediaReadError(path, "can't be read")
        return np.zeros((60, 80, 3), np.uint8)

    thread: Any = main_thread
    shown = Thumbnails(thread, read, lambda: loaded.append("loaded"))
    shown.want("a place", [(PICTURE, SIZE)])
    yield shown
    shown.close()


def test_what_can_not_be_read_is_asked_for_again_later(
    thumbnails: Thumbnails,
    main_thread: MainThread,
    readable: set[Path],
    loaded: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = time.monotonic()
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    assert thumbnails.get(PICTURE, SIZE) is None
    main_thread.turn()
    assert thumbnails.get(PICTURE, SIZE) is None and not thumbnails._waiting
    assert loaded == ["loaded"] and thumbnails._bytes == 0
    readable.add(PICTURE)
    now += module.RETRY_S
    (retry,) = main_thread.later
    retry()
    assert loaded == ["loaded", "loaded"]
    assert thumbnails.get(PICTURE, SIZE) is None
    main_thread.turn()
    picture = thumbnails.get(PICTURE, SIZE)
    assert picture is not None and picture.size == SIZE


def test_many_that_can_not_be_read_are_waited_for_together(
    thumbnails: Thumbnails, main_thread: MainThread
) -> None:
    keys = [(Path(f"/crops/{number}.jpg"), SIZE) for number in range(5)]
    thumbnails.want("a place", keys)
    for key in keys:
        thumbnails.get(*key)
    for _ in keys:
        main_thread.turn()
    assert len(main_thread.later) == 1
