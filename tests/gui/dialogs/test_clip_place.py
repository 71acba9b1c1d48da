"""Where a clip goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.gui.dialogs.clip_place import clip_file, clip_problem, free_clip, videos_folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    return tmp_path


def test_a_name_is_proposed_that_is_free(home: Path) -> None:
    assert videos_folder() == home
    (home / "Videos").mkdir()
    folder = videos_folder()
    assert folder == home / "Videos"
    first = free_clip(folder, "dog.mp4", 4, 6.5)
    assert first == folder / "dog 4.0-6.5 s.mp4" and not clip_problem(str(first))
    first.touch()
    assert free_clip(folder, "dog.mp4", 4, 6.5) == folder / "dog 4.0-6.5 s 2.mp4"
    assert "already" in clip_problem(str(first))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Choose a name"),
        ("a.avi", "ends in .mp4"),
        ("no/a.mp4", "no such folder"),
        ("~nobody-of-this-name/a.mp4", "no user"),
        ("a\0.mp4", "can't be"),
    ],
)
def test_what_can_not_be_is_said(home: Path, text: str, said: str) -> None:
    assert said in clip_problem(text)


def test_a_name_alone_lies_in_the_folder_of_videos(home: Path) -> None:
    assert clip_file(" a.mp4 ") == home / "a.mp4"
    assert clip_file("~/b.mp4") == home / "b.mp4"
