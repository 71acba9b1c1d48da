"""How much work a file probably is, before anything is read of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.events import FileWork
from src.processing.expected_work import expected_work, in_all


def sized(path: Path, size: int) -> Path:
    with path.open("wb") as stream:
        stream.truncate(size)
    return path


def test_large_files_count_for_more_and_known_ones_are_apart(tmp_path: Path) -> None:
    tiny, large = sized(tmp_path / "a.jpg", 2_000), sized(tmp_path / "b.jpg", 4_000_000)
    raw, video = sized(tmp_path / "c.dng", 90_000_000), sized(tmp_path / "d.mp4", 30_000_000)
    amounts = [expected_work(path, False, 1.0).amount for path in (tiny, large, raw)]
    assert amounts == [pytest.approx(1, rel=0.01), 3.0, 5.0]
    assert expected_work(video, False, 1.0) == FileWork("video", 60.0)
    assert expected_work(video, False, 2.0) == FileWork("video", 120.0)
    assert expected_work(video, True, 2.0) == FileWork("known")
    assert expected_work(tmp_path / "gone.jpg", False, 1.0) == FileWork("known")


def test_works_are_added_up_by_their_kind() -> None:
    works = [FileWork("known"), FileWork("image", 1.5), FileWork("image", 2.0)]
    assert in_all(works) == {"known": 1.0, "image": 3.5}
