"""A second start hands its paths to the first window."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from src.config import LibraryPaths
from src.database.lock import LibraryLock, is_locked
from src.gui.app import single_instance as module
from src.gui.app.single_instance import Requests, hand_over, take_requests


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[LibraryLock]:
    """That of a window which has the library open."""
    lock = LibraryLock(LibraryPaths(tmp_path).lock)
    yield lock
    lock.release()


def left_in(library: Path) -> list[Path]:
    return [path for path in library.iterdir() if path != LibraryPaths(library).lock]


def test_a_window_takes_the_paths(tmp_path: Path, lock: LibraryLock) -> None:
    taken: list[list[Path]] = []

    def window() -> None:
        while not taken:
            paths = take_requests(tmp_path)
            if paths is not None:
                taken.append(paths)

    first = threading.Thread(target=window)
    first.start()
    try:
        assert hand_over(
            tmp_path, [tmp_path / "a photo.jpg", Path("鳥.png")], partial(is_locked, lock.path)
        )
    finally:
        first.join()
    assert taken == [[tmp_path / "a photo.jpg", Path("鳥.png").absolute()]]
    assert take_requests(tmp_path) is None


def test_where_no_window_answers_the_request_is_withdrawn(
    tmp_path: Path, lock: LibraryLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TAKEN_WITHIN_S", 0.1)
    assert not hand_over(tmp_path, [], partial(is_locked, lock.path))
    assert left_in(tmp_path) == []


def test_where_the_window_closes_the_request_is_withdrawn_at_once(
    tmp_path: Path, lock: LibraryLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TAKEN_WITHIN_S", 60.0)
    closing = threading.Timer(0.2, lock.release)
    closing.start()
    began = time.monotonic()
    assert not hand_over(tmp_path, [], partial(is_locked, lock.path))
    assert time.monotonic() - began < 30
    closing.join()
    assert left_in(tmp_path) == []


def test_a_window_that_closes_takes_nothing(tmp_path: Path) -> None:
    class Root:
        waiting: dict[str, Callable[[], None]]

        def __init__(self) -> None:
            self.waiting = {}

        def after(self, _ms: int, call: Callable[[], None]) -> str:
            self.waiting["turn"] = call
            return "turn"

        def after_cancel(self, name: str) -> None:
            del self.waiting[name]

    root: Any = Root()
    taken: list[list[Path]] = []
    requests = Requests(root, tmp_path, taken.append)
    (tmp_path / "window.request.1").write_text("[]")
    root.waiting.pop("turn")()
    assert taken == [[]]
    requests.close()
    assert not root.waiting


def test_a_window_without_its_library_leaves_requests_to_the_one_that_has_it(
    tmp_path: Path,
) -> None:
    root: Any = SimpleNamespace(after=lambda *_: "")
    (tmp_path / "window.request.1").write_text("[]")
    taken: list[list[Path]] = []
    Requests(root, tmp_path, taken.append, lambda: False)
    assert not taken
    Requests(root, tmp_path, taken.append)
    assert taken == [[]]


def test_no_paths_is_still_a_request_to_come_forward(tmp_path: Path) -> None:
    (tmp_path / "window.request.1").write_text("[]")
    assert take_requests(tmp_path) == []


@pytest.mark.parametrize("content", ["[", "{}", "[1]", "[" * 100_000, "my own"])
def test_a_file_that_is_no_request_stays_and_stops_no_other(tmp_path: Path, content: str) -> None:
    (tmp_path / "window.request.1").write_text(content)
    (tmp_path / "window.request.2").write_text('["/a.jpg"]')
    (tmp_path / "window.request.mine").write_text('["/b.jpg"]')
    assert take_requests(tmp_path) == [Path("/a.jpg")]
    left = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert left == {"window.request.1": content, "window.request.mine": '["/b.jpg"]'}


def test_a_library_whose_drive_is_gone_asks_for_nothing(tmp_path: Path) -> None:
    assert take_requests(tmp_path / "gone") is None


def test_a_request_that_came_with_the_library_is_left_alone(tmp_path: Path) -> None:
    """A stranger could have the window take in any folder of whoever opens the library."""
    planted = tmp_path / "window.request.1"
    planted.write_text('["/home"]')
    os.utime(planted, (time.time() + 3600,) * 2)
    time.sleep(0.05)  # the clock of a file system is no finer than some milliseconds
    lock = LibraryLock(LibraryPaths(tmp_path).lock)
    try:
        assert take_requests(tmp_path) is None and planted.exists()
        (tmp_path / "window.request.2").write_text('["/a.jpg"]')
        assert take_requests(tmp_path) == [Path("/a.jpg")]
    finally:
        lock.release()
