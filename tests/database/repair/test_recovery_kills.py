"""A recovery that is killed goes on, and reports how far it is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing

import pytest

from src.config import APPLICATION_FOLDER, LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.database.repair import recovery
from tests.database.repair.test_recovery import back_up_now, filled, rows
from tests.database.repair.test_recovery_kinds import change_bytes
from tests.database.repair.test_recovery_log import logged


class Killed(BaseException):
    """Stands for a kill: nothing behind it is done."""


@pytest.mark.parametrize("kill_at", range(12))
def test_a_kill_at_any_step_of_the_swap_is_gone_on_with(
    paths: LibraryPaths, monkeypatch: pytest.MonkeyPatch, kill_at: int
) -> None:
    filled(paths, 3)
    killed = LibraryPaths(logged(paths))
    truth = rows(paths.metadata_db)
    content = bytearray((killed.root / "metadata.db-wal").read_bytes())
    content[32 + 24 + 5000] ^= 1
    (killed.root / "metadata.db-wal").write_bytes(content)
    steps = 0

    def counted(call):  # type: ignore[no-untyped-def]
        def run(*arguments, **named):  # type: ignore[no-untyped-def]
            nonlocal steps
            if steps == kill_at:
                raise Killed
            steps += 1
            return call(*arguments, **named)

        return run

    with monkeypatch.context() as patch:
        for name in ("replace", "link", "fsync"):
            patch.setattr(recovery.os, name, counted(getattr(os, name)))
        try:
            MetadataDatabase(killed).close()
            was_killed = False
        except Killed:
            was_killed = True
        assert was_killed or kill_at > 5
    with closing(MetadataDatabase(killed)) as metadata:
        said = metadata.connection.recovered
    if was_killed:
        assert said is not None and "recovered" in str(said) and said.kept.exists()
    assert rows(killed.metadata_db) == truth


RECOVERS = """
import sys
from pathlib import Path
from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
def show(done, total):
    print(done, total, flush=True)
    sys.stdin.readline()
MetadataDatabase(LibraryPaths(Path(sys.argv[1])), examine=True, on_progress=show)
"""


def test_a_recovery_that_is_killed_begins_again_and_tells_how_far_it_is(
    paths: LibraryPaths,
) -> None:
    filled(paths, 60)
    truth = rows(paths.metadata_db)
    back_up_now(paths)
    change_bytes(paths.metadata_db, b'CREATE TABLE "segments"', b'CREATE TABLE "segmentq"')
    command = [sys.executable, "-c", RECOVERS, str(paths.root)]
    with subprocess.Popen(
        command, cwd=APPLICATION_FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        done, total = (int(word) for word in process.stdout.readline().split())
        assert 0 < done < total
        process.send_signal(signal.SIGKILL)
        process.wait()
    told: list[tuple[int, int]] = []
    with closing(
        MetadataDatabase(paths, on_progress=lambda done, total: told.append((done, total)))
    ) as metadata:
        assert metadata.connection.recovered is not None
    assert rows(paths.metadata_db) == truth
    assert told == sorted(told) and told[-1][0] == told[-1][1]
    assert not list(paths.root.glob("*.recovering*")) and not list(paths.root.glob("*.recovered*"))
