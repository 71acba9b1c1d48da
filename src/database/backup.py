"""Copies of metadata.db that are whole: taken before a change of schema and once a day of use."""

from __future__ import annotations

import os
import queue
import re
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

from src.database.migrations import MIGRATIONS, check_version, migrate
from src.library_files import TEMPORARY, SafeFolder
from src.ownership import BACKUP_NAME, BACKUPS
from src.stopping import StoppedError

KEPT = 5
DAY_S = 24 * 3600
MOMENT = "%Y-%m-%dT%H%M%S"
PAGES_AT_ONCE = 1000
REPORT_EVERY_S = 0.2
# Of a backup that is being written, and of an old one brought to today's schema to be read.
TEMPORARY_NAME = re.compile(rf"{BACKUP_NAME.pattern}(\.of-today)?\.tmp(-journal|-wal|-shm)?")


def backup_folder(database: Path) -> Path:
    return database.parent / BACKUPS


def _next_name(database: Path) -> str:
    """Return a backup's name by the time; after a clock set back, a second after the newest."""
    now = datetime.fromtimestamp(int(time.time()))
    moments = [now]
    for path in backups(database):
        moment = _moment(path)
        # names have the local time, which is set back in autumn; later ones: see `backups`
        if moment is not None and moment < now + timedelta(days=1):
            moments.append(moment + timedelta(seconds=1))
    return f"{database.stem}-{max(moments).strftime(MOMENT)}.db"


def _moment(backup: Path) -> datetime | None:
    """Read when a backup was made from its name, to the second."""
    found = re.search(r"-(\d{4}-\d\d-\d\dT\d{6})", backup.name)
    try:
        return None if found is None else datetime.strptime(found[1], MOMENT)
    except ValueError:
        return None  # not a name of ours, as with a month 99


def backups(database: Path) -> list[Path]:
    """List a library's backups, the newest first; their names are their times.

    One of the future comes last: the clock was wrong then, and it may be as old as any.
    """
    # a day later, since names have the local time, which is set back in autumn
    latest = f"{database.stem}-{time.strftime(MOMENT, time.localtime(time.time() + DAY_S))}"
    found = [
        database.parent / entry.name
        for entry in SafeFolder(database.parent).entries(BACKUPS)
        if entry.is_file and BACKUP_NAME.fullmatch(Path(entry.name).name)
    ]
    return sorted(found, key=lambda path: (path.name < latest, path.name), reverse=True)


def is_due(database: Path) -> bool:
    """Return whether none of the backups was written within the last day."""
    now = time.time()
    return not any(0 <= now - path.stat().st_mtime <= DAY_S for path in backups(database))


def back_up_in_steps(source: sqlite3.Connection, database: Path) -> Iterator[tuple[int, int]]:
    """Write a backup in a thread of its own, and say how far it is; see back_up.

    Closed before its end it leaves nothing behind.

    Yields:
        How many pages are copied, and of how many; 0 of 0 while the copy is examined.
    """
    told = queue.SimpleQueue[tuple[int, int]]()
    copies: list[sqlite3.Connection] = []
    is_over, step = threading.Event(), (0, 0)

    def report(copy: sqlite3.Connection, done: int, total: int) -> None:
        if is_over.is_set():
            raise StoppedError
        copies[:] = [copy]
        told.put((done, total) if done < total else (0, 0))

    with ThreadPoolExecutor(1) as threads:
        work = threads.submit(back_up, source, database, report)
        try:
            while not work.done():
                with suppress(queue.Empty):
                    step = told.get(timeout=REPORT_EVERY_S)
                yield step
            work.result()
        finally:
            is_over.set()
            while not work.done():
                for copy in copies:  # which is being examined
                    with suppress(sqlite3.ProgrammingError):  # it is closed by now
                        copy.interrupt()
                wait([work], REPORT_EVERY_S)


def back_up(
    source: sqlite3.Connection,
    database: Path,
    on_progress: Callable[[sqlite3.Connection, int, int], None] | None = None,
) -> Path:
    """Write a backup under a temporary name, check it, and only then give it its own.

    The oldest beyond the last five go. A kill or a full disk on the way leaves the earlier ones.

    Args:
        on_progress: called with the copy, and how many pages of how many are in it.

    Raises:
        OSError, sqlite3.Error: it can't be written, or what was written is not sound.
    """
    folder = backup_folder(database)
    files = SafeFolder(database.parent)
    files.make_marked_folder(BACKUPS)
    _remove_temporary(files)  # of a process that was killed here
    final = folder / _next_name(database)
    temporary = folder / f"{final.name}{TEMPORARY}"
    try:
        files.create(f"{BACKUPS}/{temporary.name}")  # SQLite would follow a link
        with closing(sqlite3.connect(temporary, isolation_level=None)) as copy:

            def report(_: int, left: int, total: int) -> None:
                if on_progress is not None:
                    on_progress(copy, total - left, total)

            source.backup(copy, pages=PAGES_AT_ONCE, progress=report, sleep=0)
            # the copy says that it is in WAL mode, and would leave files of its own beside it
            copy.execute("PRAGMA journal_mode = DELETE")
            if problems := damage_of(copy):
                raise sqlite3.DatabaseError(f"the backup is not sound: {problems[0]}")
        with files.open_to_change(f"{BACKUPS}/{temporary.name}") as stream:
            os.fsync(stream.fileno())
        files.rename(f"{BACKUPS}/{temporary.name}", f"{BACKUPS}/{final.name}")
        files.sync(BACKUPS)
    except BaseException:
        _remove_temporary(files)
        raise
    for old in [path for path in backups(database) if path != final][KEPT - 1 :]:
        files.remove(f"{BACKUPS}/{old.name}")
    return final


def _remove_temporary(files: SafeFolder, of: str = "") -> None:
    """Remove backups that were never finished, with what SQLite left beside them.

    Args:
        of: only those whose names begin so.
    """
    for entry in files.entries(BACKUPS):
        name = Path(entry.name).name
        if name.startswith(of) and TEMPORARY_NAME.fullmatch(name):
            files.remove(entry.name)


@contextmanager
def open_backup(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a connection that reads a backup as if it had today's schema.

    An older one is copied beside itself and the copy brought to today's schema; the copy goes
    at the end of the block.

    Raises:
        DatabaseError: it was made by a newer version.
        OSError, sqlite3.Error: it can't be read, or the copy can't be written.
    """
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as saved:
        if check_version(saved, path) == len(MIGRATIONS):
            yield saved
            return
    files = SafeFolder(path.parents[1])
    copy = path.with_name(f"{path.name}.of-today{TEMPORARY}")  # a leftover goes with the next
    try:
        _remove_temporary(files, copy.name)
        with (
            files.open(f"{BACKUPS}/{path.name}") as old,
            files.open_new(f"{BACKUPS}/{copy.name}") as new,
        ):
            shutil.copyfileobj(old, new, 1 << 20)
        with closing(sqlite3.connect(copy, isolation_level=None)) as changed:
            changed.execute("PRAGMA synchronous = OFF")  # nothing in it has to outlive a crash
            migrate(changed, copy)
            changed.execute("PRAGMA query_only = ON")
            yield changed
    finally:
        _remove_temporary(files, copy.name)


def damage_of(connection: sqlite3.Connection) -> list[str]:
    """Ask SQLite for what is wrong with the structure of a file; empty means sound."""
    return [row[0] for row in connection.execute("PRAGMA quick_check") if row[0] != "ok"]
