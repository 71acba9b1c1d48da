"""Which of a library's backups could be used."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from src.database.backup import backups, damage_of


def newest_sound(database: Path) -> Path | None:
    """Find the newest backup that is sound."""
    for path in backups(database):
        try:
            with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as copy:
                if not damage_of(copy):
                    return path
        except sqlite3.Error:
            continue  # an older one may do
    return None
