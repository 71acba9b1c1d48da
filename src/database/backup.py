"""Copies of metadata.db that are whole: taken before a change of schema and once a day of use."""

from __future__ import annotations

import os
import re
import sqlite3
import time
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

KEPT = 5
DAY_S = 24 * 3600
MOMENT = "%Y-%m-%dT%H%M%S"
PAGES_AT_ONCE = 1000


def backup_folder(database: Path) -> Path:
    return database.parent / "backups"


def _next_name(database: Path) -> str:
    """Name a backup by the time; where the clock was set back, by a second after the newest."""
    now = datetime.fromtimestamp(int(time.time()))
    moments = [now]
    for path in backups(database):
        moment = _moment(path)
        # names have the local time, and that is set back in autumn; later ones: see `backups`
        if moment is not None and moment < now + timedelta(days=1):
            moments.append(moment + timedelta(seconds=1))
    return f"{database.stem}-{max(moments).strftime(MOMENT)}.db"


def _moment(backup: Path) -> datetime | None:
    """Read when a backup was made from its name, to the second."""
    found = re.search(r"-(\d{4}-\d\d-\d\dT\d{6})", backup.name)
    try:
        return None if found is None else datetime.strptime(found[1], MOMENT)
    except ValueError:
        return None  # a month 99: none of ours


def backups(database: Path) -> list[Path]:
    """List a library's backups, the newest first; their names are their times.

    One of the future comes last: the clock was wrong then, and it may be as old as any.
    """
    # a day later, since names have the local time, and that is set back in autumn
    latest = f"{database.stem}-{time.strftime(MOMENT, time.localtime(time.time() + DAY_S))}"
    found = backup_folder(database).glob(f"{database.stem}-*.db")
    return sorted(found, key=lambda path: (path.name < latest, path.name), reverse=True)


def is_due(database: Path) -> bool:
    """Say whether none of the backups was written within the last day."""
    now = time.time()
    return not any(0 <= now - path.stat().st_mtime <= DAY_S for path in backups(database))


def back_up(source: sqlite3.Connection, database: Path) -> Path:
    """Write a backup under a temporary name, check it, and only then give it its own.

    The oldest beyond the last five go. A kill or a full disk on the way leaves the earlier ones.

    Raises:
        OSError, sqlite3.Error: it can't be written, or what was written is not sound.
    """
    folder = backup_folder(database)
    folder.mkdir(exist_ok=True)
    for stray in folder.glob("*.tmp*"):  # of a process that was killed here
        stray.unlink()
    final = folder / _next_name(database)
    temporary = folder / f"{final.name}.tmp"
    try:
        with closing(sqlite3.connect(temporary, isolation_level=None)) as copy:
            source.backup(copy, pages=PAGES_AT_ONCE, sleep=0)
            # the copy says that it is in WAL mode, and would leave files of its own beside it
            copy.execute("PRAGMA journal_mode = DELETE")
            if problems := damage_of(copy):
                raise sqlite3.DatabaseError(f"the backup is not sound: {problems[0]}")
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        os.replace(temporary, final)
        _sync_folder(folder)
    except BaseException:
        for left in folder.glob(f"{temporary.name}*"):
            left.unlink(missing_ok=True)
        raise
    for old in [path for path in backups(database) if path != final][KEPT - 1 :]:
        old.unlink()
    return final


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


def damage_of(connection: sqlite3.Connection) -> list[str]:
    """Ask SQLite for what is wrong with the structure of a file; empty means sound."""
    return [row[0] for row in connection.execute("PRAGMA quick_check") if row[0] != "ok"]


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a loss of power; Windows has no such call."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
