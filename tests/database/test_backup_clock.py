"""A clock that jumps changes neither which backup is the newest nor which are kept."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from src.database import backup
from src.database.backup import KEPT, back_up, backups
from tests.database.sound_backup import newest_sound

JUMPS_S = (-3e7, -18_000, -7200, -60, 0, 0, 1, 60, 7200, 108_000, 3e7)


@pytest.mark.parametrize("seed", range(3))
def test_the_newest_backup_is_the_last_one_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    clock = time.time()
    monkeypatch.setattr(backup.time, "time", lambda: clock)
    random = np.random.default_rng(seed)
    database = tmp_path / "metadata.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE made (number INTEGER)")
        for number in range(12):
            clock += float(random.choice(JUMPS_S))
            connection.execute("INSERT INTO made VALUES (?)", (number,))
            assert back_up(connection, database).exists()
            newest = newest_sound(database)
            assert newest is not None
            with closing(sqlite3.connect(newest)) as copy:
                assert copy.execute("SELECT max(number) FROM made").fetchone() == (number,)
    assert len(backups(database)) == KEPT
