"""Opening a video at a moment, with players that write down how they were started."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from src.gui.app import desktop, video_players
from src.gui.app.video_players import player_command


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Have nothing on PATH but programs of these names."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setattr(video_players.sys, "platform", "linux")
    monkeypatch.setenv("PATH", str(folder))

    def install(*names: str, script: str = "exit 0") -> Path:
        for name in names:
            (folder / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / name).chmod(0o755)
        return folder

    return install


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("vlc", ["--start-time=63.500"]),
        ("mpv", ["--start=63.500"]),
        ("celluloid", ["--mpv-start=63.500"]),
        ("smplayer", ["-start", "63.500"]),
        ("mplayer", ["-ss", "63.500"]),
        ("ffplay", ["-autoexit", "-ss", "63.500"]),
    ],
)
def test_each_player_is_told_where_to_begin(
    programs: Callable[..., Path], name: str, told: list[str]
) -> None:
    folder = programs(name)
    path = Path("/videos/-a film.mp4")
    assert player_command(path, 63.5) == [str(folder / name), *told, str(path)]


def test_the_player_that_the_desktop_uses_comes_first(programs: Callable[..., Path]) -> None:
    folder = programs("vlc", "mpv")
    assert player_command(Path("/a.mp4"), 1)[0] == str(folder / "vlc")  # type: ignore[index]
    programs("xdg-mime", script="echo mpv.desktop")
    assert player_command(Path("/a.mp4"), 1)[0] == str(folder / "mpv")  # type: ignore[index]


@pytest.mark.parametrize("answer", ["org.gnome.Totem.desktop", "", "nonsense"])
def test_a_player_that_takes_no_time_is_passed_over_for_one_that_does(
    programs: Callable[..., Path], answer: str
) -> None:
    folder = programs("mpv")
    programs("xdg-mime", script=f"echo {answer}")
    assert player_command(Path("/a.mp4"), 1)[0] == str(folder / "mpv")  # type: ignore[index]


def test_no_player_takes_a_time(programs: Callable[..., Path]) -> None:
    programs("totem")
    assert player_command(Path("/a.mp4"), 1) is None


def test_a_video_is_opened_at_the_moment(
    programs: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(desktop, "_start", started.append)
    folder = programs("mpv")
    path = Path(os.path.abspath("film.mp4"))
    assert desktop.open_at(path, 2)
    assert started == [[str(folder / "mpv"), "--start=2.000", str(path)]]


def test_without_such_a_player_it_is_opened_as_by_a_double_click(
    programs: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(desktop, "_start", started.append)
    programs("totem")
    assert not desktop.open_at(Path("/film.mp4"), 2)
    assert started == [["xdg-open", "/film.mp4"]]
