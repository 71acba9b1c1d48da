"""A second start hands its paths to the first window."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from src.gui import hand_over as module
from src.gui.hand_over import hand_over, take_requests


def test_a_window_takes_the_paths(tmp_path: Path) -> None:
    taken: list[list[Path]] = []

    def window() -> None:
        while not taken:
            paths = take_requests(tmp_path)
            if paths is not None:
                taken.append(paths)

    first = threading.Thread(target=window)
    first.start()
    try:
        assert hand_over(tmp_path, [tmp_path / "a photo.jpg", Path("鳥.png")])
    finally:
        first.join()
    assert taken == [[tmp_path / "a photo.jpg", Path("鳥.png").absolute()]]
    assert take_requests(tmp_path) is None


def test_where_no_window_answers_the_request_is_withdrawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TAKEN_WITHIN_S", 0.1)
    assert not hand_over(tmp_path, [])
    assert list(tmp_path.iterdir()) == []


def test_no_paths_is_still_a_request_to_come_forward(tmp_path: Path) -> None:
    (tmp_path / "window.request.1").write_text("[]")
    assert take_requests(tmp_path) == []


def test_a_damaged_request_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "window.request.1").write_text("[")
    (tmp_path / "window.request.2").write_text('["/a.jpg"]')
    assert take_requests(tmp_path) == [Path("/a.jpg")]
    assert list(tmp_path.iterdir()) == []
