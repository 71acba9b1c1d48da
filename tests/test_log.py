"""What is written down of a session, and what is not."""

from __future__ import annotations

import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from src.config import APPLICATION_FOLDER, LibraryPaths
from src.library import MediaLibrary
from src.models.model_manager import ModelManager
from src.settings import Settings
from tests.processing.test_full_disk import Disk, disk  # noqa: F401 (a fixture)
from tests.processing.test_ingest import SETTINGS, shared_models  # noqa: F401 (a fixture)


def run(code: str, *words: object) -> str:
    """Run code after the program's own start of its log; returns what was said on stderr."""
    start = "import logging, sys; from pathlib import Path; import main\nmain.log_to_console()\n"
    ran = subprocess.run(
        [sys.executable, "-c", start + code, *map(str, words)],
        cwd=APPLICATION_FOLDER,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stderr


def test_warnings_are_in_the_file_and_only_errors_on_the_console(tmp_path: Path) -> None:
    said = run(
        "main.log_to_file(Path(sys.argv[1]))\n"
        "logging.getLogger('src.database').warning('the index is rebuilt')\n"
        "logging.getLogger('src.worker').error('a job ended')\n"
        "logging.getLogger('chromadb').info('chatter')\n",
        tmp_path / "library.log",
    )
    text = (tmp_path / "library.log").read_text()
    assert "WARNING src.database: the index is rebuilt" in text and "a job ended" in text
    assert "chatter" not in text
    assert said == "src.worker: a job ended\n"


def test_the_log_does_not_grow_without_end(tmp_path: Path) -> None:
    run(
        "main.log_to_file(Path(sys.argv[1]))\n"
        "for n in range(30_000): logging.warning('%s', 'x' * 100)\n",
        tmp_path / "library.log",
    )
    assert len(list(tmp_path.iterdir())) == 3
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 1_600_000


def test_a_log_that_finds_no_room_stops_nothing(disk: Disk) -> None:  # noqa: F811
    log = disk.folder / "library.log"
    run(
        "main.log_to_file(Path(sys.argv[1]))\n"
        "logging.warning('before')\n"
        "disk = open(sys.argv[2], 'wb', buffering=0)\n"
        "try:\n"
        "    while True: disk.write(bytes(4096))\n"
        "except OSError: pass\n"
        "for n in range(3000): logging.warning('%s', 'y' * 300)\n"
        "disk.truncate(0)\n"
        "logging.warning('after')\n",
        log,
        disk.ballast,
    )
    assert "after" in log.read_text(errors="replace")


@pytest.mark.parametrize("asked", [False, True])
def test_what_is_searched_for_is_written_down_only_when_asked(
    paths: LibraryPaths,
    shared_models: ModelManager,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
    asked: bool,
) -> None:
    caplog.set_level(logging.DEBUG)
    assert Settings().log_queries is False
    with MediaLibrary(paths, shared_models, replace(SETTINGS, log_queries=asked)) as library:
        library.search("a zyzzogeton")
    assert ("zyzzogeton" in caplog.text) is asked
