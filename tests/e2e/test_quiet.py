"""The application opens no connection, and keeps no word of what was searched for."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from src.config import APPLICATION_FOLDER
from src.settings import Settings
from tests.e2e.desktop import FAST, Screen, Start
from tests.e2e.test_window_search import search

WORD = "zyzzogeton"  # in no file that is here before
# One process for several commands: each of its own would load torch anew.
# on one line: what is started is written down as a line
IN_TURN = (
    "import json, sys; from main import main;"
    " codes = [main(words) for words in json.loads(sys.argv[1])]; assert not any(codes), codes"
)


class Guard:
    """What a program is run with, and what it was heard to do."""

    def __init__(self, folder: Path) -> None:
        self._record = folder / "record.txt"
        self._server = socket.create_server(("127.0.0.1", 0))
        self._calls = 0
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()
        proxy = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        names = "http_proxy https_proxy all_proxy".split()
        self.environment = {
            **dict.fromkeys([*names, *(name.upper() for name in names)], proxy),
            "no_proxy": "",
            "NO_PROXY": "",
            "PYTHONPATH": str(Path(__file__).with_name("quiet")),
            "QUIET_RECORD": str(self._record),
        }

    def _listen(self) -> None:
        while True:
            try:
                self._server.accept()[0].close()
                self._calls += 1
            except OSError:
                return

    def heard(self) -> tuple[list[str], list[str]]:
        """Which processes started, and what they tried to connect to."""
        lines = self._record.read_text(encoding="utf-8").splitlines()
        started = [line for line in lines if line.startswith("started ")]
        tried = [line for line in lines if line not in started]
        return started, tried + ["the proxy"] * self._calls

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._listener.join()
        self._server.close()


@pytest.fixture
def guard(tmp_path: Path) -> Iterator[Guard]:
    guard = Guard(tmp_path)
    yield guard
    guard.close()


def run(guard: Guard, *words: object) -> str:
    ran = subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=APPLICATION_FOLDER,
        env={**os.environ, **guard.environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout + ran.stderr


def files_that_hold(word: str, folder: Path) -> list[str]:
    by_the_test = "probe.json", "probe.json.asked", "said.txt"
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and path.name not in by_the_test and word.encode() in path.read_bytes()
    ]


def test_the_guard_hears(guard: Guard) -> None:
    code = (
        "import contextlib, socket, urllib.request\n"
        "for host in ('192.0.2.1', 'example.invalid'):\n"
        "    with contextlib.suppress(OSError):\n"
        "        socket.create_connection((host, 80), 0.01)\n"
        "with contextlib.suppress(OSError):\n"
        "    urllib.request.urlopen('http://example.invalid', timeout=5)\n"
    )
    run(guard, "-c", code)
    started, tried = guard.heard()
    assert len(started) == 1
    assert any("192.0.2.1" in line for line in tried)
    assert any("example.invalid" in line for line in tried)
    assert "the proxy" in tried


def test_the_command_line_opens_no_connection_and_keeps_no_query(
    guard: Guard, tmp_path: Path, scene_files: list[Path]
) -> None:
    library = tmp_path / "library"
    library.mkdir()
    FAST.save(library / "settings.json")
    photos = [str(path) for path in scene_files[:2]]
    commands = [
        ["ingest", *photos],
        ["search", f"red {WORD}"],
        ["search", "--image", photos[0]],
        ["verify"],
    ]
    at = ["--library", str(library)]
    said = run(guard, "-c", IN_TURN, json.dumps([[*at, *words] for words in commands]))
    assert WORD in said  # it says that it does not know it
    started, tried = guard.heard()
    for child in ("src.database.index_server", "src.processing.decoder_server"):
        assert any(child in line for line in started)
    assert tried == []
    assert files_that_hold(WORD, library) == []


@pytest.mark.usefixtures("cold_start")
def test_the_window_opens_no_connection_and_keeps_recent_searches_alone(
    guard: Guard,
    start: Start,
    screen: Screen,
    tmp_path: Path,
    scene_files: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in guard.environment.items():
        monkeypatch.setitem(screen.environment, name, value)
    window = start(tmp_path / "library", scene_files[:2])
    window.card(scene_files[1].name)
    window.wait("the models", lambda s: s["models_ready"])
    search(window, f"red {WORD}")
    window.wait("the notice", lambda s: any(WORD in text for text in s["texts"]))
    window.close()
    started, tried = guard.heard()
    for program in ("main.py", "src.database.index_server", "src.processing.decoder_server"):
        assert any(program in line for line in started)
    assert tried == []
    # the recent searches that the window offers again, and nothing else
    assert files_that_hold(WORD, tmp_path / "library") == ["settings.json"]
    assert Settings.load(tmp_path / "library" / "settings.json").recent_searches == (f"red {WORD}",)


def test_open_clip_asks_no_hub() -> None:
    code = (
        "import src.models.model_manager\n"
        "from huggingface_hub import constants\n"
        "assert constants.HF_HUB_OFFLINE\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=APPLICATION_FOLDER, check=True)
