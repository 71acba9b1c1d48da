"""The desktop's file dialog, played by a script, without a window."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from src.gui.app import desktop

DEADLINE_S = 20


class Root:
    """A window that does what is due until the dialog is answered."""

    def __init__(self) -> None:
        self._due: list[Callable[[], None]] = []
        self._answered = False
        self.on_wait: Callable[[], None] = lambda: None

    def after(self, _ms: int, call: Callable[[], None]) -> None:
        self._due.append(call)

    def setvar(self, *_: str) -> None:
        self._answered = True

    def wait_variable(self, _name: str) -> None:
        self._answered = False
        until = time.monotonic() + DEADLINE_S
        self.on_wait()
        while not self._answered:
            assert time.monotonic() < until, "the dialog is not answered"
            time.sleep(0.01)
            for call in [self._due.pop() for _ in list(self._due)]:
                call()


@pytest.fixture
def root() -> Any:
    return Root()


@pytest.fixture
def zenity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have a shell script answer in the place of zenity."""

    def play(script: str) -> None:
        program = tmp_path / "zenity"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setattr(desktop.sys, "platform", "linux")
        monkeypatch.setattr(desktop.shutil, "which", lambda _: str(program))

    return play


def test_a_list_longer_than_a_pipe_holds_arrives_whole(
    root: Any, zenity: Callable[[str], None], tmp_path: Path
) -> None:
    paths = [Path("/photos") / f"{number:05} {'long ' * 30}.jpg" for number in range(3000)]
    (tmp_path / "list").write_text("\n".join(map(str, paths)) + "\n")
    zenity(f'cat "{tmp_path / "list"}"')
    assert desktop.ask_for_files(root, "media") == paths


def test_what_is_cancelled_is_nothing(root: Any, zenity: Callable[[str], None]) -> None:
    zenity("exit 1")
    assert desktop.ask_for_files(root, "media") == []


@pytest.mark.parametrize("how", ["exit 255", "kill -6 $$", "not executable"])
def test_another_dialog_comes_where_the_desktops_own_fails(
    root: Any,
    zenity: Callable[[str], None],
    how: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    zenity(how)
    if how == "not executable":
        (tmp_path / "zenity").chmod(0o644)
    monkeypatch.setattr(desktop.filedialog, "askopenfilenames", lambda **_: ("/photos/a.jpg",))
    assert desktop.ask_for_files(root, "media") == [Path("/photos/a.jpg")]


def test_the_first_choice_begins_among_a_persons_pictures(
    root: Any, zenity: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    begun = []
    zenity("exit 255")
    monkeypatch.setattr(
        desktop.filedialog, "askdirectory", lambda **given: begun.append(given["initialdir"])
    )
    desktop.ask_for_files(root, "folder")
    (tmp_path / "Pictures").mkdir()
    desktop.ask_for_files(root, "folder")
    desktop.ask_for_files(root, "folder", tmp_path / "elsewhere")
    assert begun == [tmp_path, tmp_path / "Pictures", tmp_path / "elsewhere"]


def test_a_window_that_goes_takes_its_dialog_along_and_can_be_asked_again(
    root: Any, zenity: Callable[[str], None], tmp_path: Path
) -> None:
    zenity(f'echo $$ > "{tmp_path / "came"}"; exec sleep 600')

    def leave() -> None:
        until = time.monotonic() + DEADLINE_S
        while not (tmp_path / "came").exists():
            assert time.monotonic() < until
        root.after(0, desktop.end_file_dialog)

    root.on_wait = leave
    assert desktop.ask_for_files(root, "media") == []
    root.on_wait = lambda: None
    zenity("echo /photos/a.jpg")
    assert desktop.ask_for_files(root, "media") == [Path("/photos/a.jpg")]


def test_a_wait_that_breaks_leaves_the_next_one_free(
    root: Any, zenity: Callable[[str], None]
) -> None:
    def breaks() -> None:
        raise RuntimeError("the window is gone")

    zenity("echo /photos/a.jpg")
    root.on_wait = breaks
    with pytest.raises(RuntimeError):
        desktop.ask_for_files(root, "media")
    root.on_wait = lambda: None
    assert desktop.ask_for_files(root, "media") == [Path("/photos/a.jpg")]
