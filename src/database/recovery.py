"""A damaged metadata.db: what can be read goes into a new file, the rest comes from a backup.

The damaged file is read page by page, each once, by our own schema: see page_reader, tree_reader
and refill. SQLite is asked for nothing in it.
"""

from __future__ import annotations

import mmap
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from src.database.backup import damage_of
from src.database.log_reader import Log, has_log, log_of, read_log
from src.database.migrations import migrate
from src.database.page_reader import Content, Pages, infer_page_size
from src.database.recovered import Recovered
from src.database.refill import Refill
from src.errors import DatabaseError

__all__ = [
    "Recovered",
    "finish_recovery",
    "forget_recovery",
    "recover",
    "set_log_aside",
    "untold_recovery",
]

OnProgress = Callable[[int, int], None]

# Seven embeddings of 2 KB fit a page of 16 KB; of SQLite's usual 4 KB each would waste half.
PAGE_SIZE = 16384
# Stand in `info` until the recovered library has been opened: see untold_recovery.
KEPT_AS = "recovery kept"
SAID = "recovery said"


def recover(database: Path, on_progress: OnProgress | None = None) -> Recovered:
    """Put a sound file in the place of a damaged one, which is kept beside it.

    The new file is written under another name. Once it is whole it gets a name that says so, and
    takes the damaged one's place; after a kill the next start begins again, or takes that last
    step.

    Args:
        on_progress: is told how many pages have been read, and of how many.

    Raises:
        DatabaseError: nothing in the file can be read, and there is no backup either.
    """
    fresh = database.with_name(f"{database.name}.recovering")
    _remove(fresh)
    result = Recovered(_kept_name(database))
    with database.open("rb") as stream, closing(_mapped(stream.fileno())) as content:
        pages = _laid_over(content, _log_beside(database, content))
        with closing(sqlite3.connect(fresh, isolation_level=None)) as new:
            new.execute(f"PRAGMA page_size = {PAGE_SIZE}")
            new.execute("PRAGMA journal_mode = OFF")  # a file that is not whole is made again
            new.execute("PRAGMA synchronous = OFF")
            migrate(new, fresh)
            Refill(new, pages, database, result, on_progress or _tell_nobody).run()
            if not result.rows and not result.from_backup:
                raise DatabaseError(
                    f"{database}: the library can't be opened: nothing in it can be read, and "
                    "there is no backup; put a copy of your own in its place"
                )
            for key, value in ((KEPT_AS, result.kept.name), (SAID, str(result))):
                new.execute("INSERT INTO info (key, value) VALUES (?, ?)", (key, value))
            if problems := damage_of(new):
                raise DatabaseError(f"{database}: the library can't be recovered ({problems[0]})")
    with fresh.open("rb+") as written:
        os.fsync(written.fileno())
    os.replace(fresh, _whole(database))
    finish_recovery(database)
    return result


def finish_recovery(database: Path) -> None:
    """Put a recovered file that is whole in its place, if there is one.

    The damaged file and its log are kept first. A kill anywhere leaves what this needs to go on.
    """
    whole = _whole(database)
    if not whole.exists():
        return
    with closing(sqlite3.connect(f"{whole.as_uri()}?mode=ro&immutable=1", uri=True)) as db:
        said = untold_recovery(db, database)
    kept = _kept_name(database) if said is None else said.kept
    if database.exists() and not kept.exists():
        # by a link first: there is a file of the library's name at every moment
        try:
            os.link(database, kept)
        except OSError:  # a file system without links
            os.replace(database, kept)
    for side in ("-wal", "-shm"):
        file = database.with_name(database.name + side)
        if file.exists():
            os.replace(file, kept.with_name(kept.name + side))
    os.replace(whole, database)


def untold_recovery(db: sqlite3.Connection, database: Path) -> Recovered | None:
    """Read what a recovery has to say that was killed before it said it."""
    said = dict(db.execute("SELECT key, value FROM info WHERE key IN (?, ?)", (KEPT_AS, SAID)))
    if len(said) < 2:
        return None
    return Recovered(database.with_name(Path(said[KEPT_AS]).name), told=said[SAID])


def forget_recovery(db: sqlite3.Connection) -> None:
    """Take out of a library what a recovery has said now."""
    db.execute("DELETE FROM info WHERE key IN (?, ?)", (KEPT_AS, SAID))


def set_log_aside(database: Path) -> Recovered:
    """Take a log that does not belong to a file from beside it, and keep it."""
    moment = time.strftime("%Y-%m-%dT%H%M%S")
    kept = database.with_name(f"{database.stem}-log-{moment}.db-wal")
    number = 1
    while kept.exists():
        number += 1
        kept = database.with_name(f"{database.stem}-log-{moment}-{number}.db-wal")
    os.replace(log_of(database), kept)
    database.with_name(f"{database.name}-shm").unlink(missing_ok=True)
    return Recovered(kept, log_only=True)


def _laid_over(content: Content, log: Log | None) -> Pages:
    size = infer_page_size(content)
    if log is None or log.page_size != size:
        return Pages(content, size)
    return Pages(content, size, log.pages, log.page_count)


def _log_beside(database: Path, content: Content) -> Log | None:
    return read_log(log_of(database), infer_page_size(content)) if has_log(database) else None


def _mapped(handle: int) -> mmap.mmap:
    return mmap.mmap(handle, 0, access=mmap.ACCESS_READ)


def _kept_name(database: Path) -> Path:
    moment = time.strftime("%Y-%m-%dT%H%M%S")
    name = database.with_name(f"{database.stem}-damaged-{moment}.db")
    number = 1
    while name.exists():
        number += 1
        name = database.with_name(f"{database.stem}-damaged-{moment}-{number}.db")
    return name


def _whole(database: Path) -> Path:
    return database.with_name(f"{database.name}.recovered")


def _remove(path: Path) -> None:
    for side in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + side).unlink(missing_ok=True)


def _tell_nobody(_done: int, _total: int) -> None:
    pass
