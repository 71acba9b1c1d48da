"""A damaged metadata.db: what can be read goes into a new file, the rest comes from a backup.

The damaged file is read page by page, each once, by our own schema: see page_reader, tree_reader
and refill. SQLite is asked for nothing in it.
"""

from __future__ import annotations

import logging
import mmap
import os
import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from src.database.backup import damage_of
from src.database.migrations import migrate
from src.database.repair.inspection import problems_of
from src.database.repair.log_reader import Log, has_log, log_of, read_log
from src.database.repair.page_reader import Content, Pages, infer_page_size
from src.database.repair.recovered import Recovered
from src.database.repair.refill import Refill
from src.errors import DatabaseError
from src.library_files import Entry, SafeFolder
from src.ownership import BACKUPS

__all__ = [
    "Recovered",
    "finish_recovery",
    "forget_recovery",
    "recover",
    "remember_to_say",
    "set_log_aside",
    "unreported_recovery",
]

log = logging.getLogger(__name__)

OnProgress = Callable[[int, int], None]

# The new file while it is being written, and once it is whole.
RECOVERING, RECOVERED = f"{BACKUPS}/recovering.db", f"{BACKUPS}/recovered.db"

# Seven embeddings of 2 KB fit a page of 16 KB; of SQLite's usual 4 KB each would waste half.
PAGE_SIZE = 16384
# Stand in `info` until the recovered library has been opened: see unreported_recovery.
KEPT_AS = "recovery kept"
SAID = "recovery said"
_MOMENT = r"\d{4}-\d\d-\d\dT\d{6}(-\d{1,3})?"
KEPT_NAME = re.compile(
    rf"metadata-damaged-{_MOMENT}\.db|metadata-log-{_MOMENT}\.db-wal|metadata\.db"
)
LONGEST_SAID = 4000


def recover(database: Path, on_progress: OnProgress | None = None) -> Recovered:
    """Put a sound file in the place of a damaged one, which is kept beside it.

    The new file is written under another name. Once it is whole it gets a name that says so, and
    takes the damaged one's place; after a kill the next start begins again, or takes that last
    step.

    Args:
        on_progress: called with how many pages have been read, and of how many.

    Raises:
        DatabaseError: nothing in the file can be read, and there is no backup either.
    """
    files = SafeFolder(database.parent)
    files.make_marked_folder(BACKUPS)
    _remove(files, RECOVERING)
    files.create(RECOVERING)
    fresh = database.parent / RECOVERING
    result = Recovered(database.with_name(_kept_name(files, database)))
    with files.open(database.name) as stream, closing(_mapped(stream.fileno())) as content:
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
            remember_to_say(new, result.kept, str(result))
            if problems := damage_of(new):
                raise DatabaseError(f"{database}: the library can't be recovered ({problems[0]})")
    with files.open_to_change(RECOVERING) as written:
        os.fsync(written.fileno())
    files.rename(RECOVERING, RECOVERED)
    finish_recovery(database)
    return result


def finish_recovery(database: Path) -> None:
    """Put a recovered file that is whole in its place, if there is one.

    The damaged file and its log are kept first. A kill anywhere leaves what this needs to go on.
    """
    files = SafeFolder(database.parent)
    if not files.is_marked(BACKUPS) or files.entry(RECOVERED) is None:
        return
    whole = database.parent / RECOVERED
    if problem := _problem_of_recovered(files, whole):
        log.warning("%s: this is no recovered library, and stays where it is: %s", whole, problem)
        return
    with closing(sqlite3.connect(f"{whole.as_uri()}?mode=ro&immutable=1", uri=True)) as db:
        said = unreported_recovery(db, database)
    kept = _kept_name(files, database) if said is None else said.kept.name
    there, kept_before = files.entry(database.name), files.entry(kept)
    if there is not None and kept_before is not None and not _is_same(there, kept_before):
        kept, kept_before = _kept_name(files, database), None
    if there is not None and kept_before is None:
        # by a link first: there is a file of the library's name at every moment
        try:
            files.link(database.name, kept)
        except OSError:  # a file system without links
            files.rename(database.name, kept)
    for side in ("-wal", "-shm"):
        if files.entry(database.name + side) is not None:
            files.rename(database.name + side, kept + side)
    files.rename(RECOVERED, database.name)


def remember_to_say(db: sqlite3.Connection, kept: Path, said: str) -> None:
    """Store the message about damage for the next start: see unreported_recovery.

    Args:
        kept: the damaged file, or the database where none is kept.
    """
    for key, value in ((KEPT_AS, kept.name), (SAID, said)):
        db.execute("INSERT OR REPLACE INTO info (key, value) VALUES (?, ?)", (key, value))


def _problem_of_recovered(files: SafeFolder, whole: Path) -> str | None:
    """Return why a file can't be what a recovery has made; it may come from a stranger."""
    entry = files.entry(RECOVERED)
    if entry is None or not entry.is_file or entry.status.st_nlink > 1:
        return "it is no regular file, or has another name elsewhere"
    problems = problems_of(whole, examine=True, alone=True)
    return problems[0] if problems else None


def _is_same(one: Entry, other: Entry) -> bool:
    return (one.status.st_dev, one.status.st_ino) == (other.status.st_dev, other.status.st_ino)


def unreported_recovery(db: sqlite3.Connection, database: Path) -> Recovered | None:
    """Read the message of a recovery or a repair that was killed before it was shown.

    What none of them can have written is not said.
    """
    said = dict(db.execute("SELECT key, value FROM info WHERE key IN (?, ?)", (KEPT_AS, SAID)))
    kept, notice = said.get(KEPT_AS), said.get(SAID)
    if not isinstance(kept, str) or not KEPT_NAME.fullmatch(kept) or not isinstance(notice, str):
        return None
    return Recovered(database.with_name(kept), notice=notice[:LONGEST_SAID])


def forget_recovery(db: sqlite3.Connection) -> None:
    """Remove from a library what a recovery wrote down, once it was shown."""
    db.execute("DELETE FROM info WHERE key IN (?, ?)", (KEPT_AS, SAID))


def set_log_aside(database: Path) -> Recovered:
    """Move a log that does not belong to a file away from it, and keep it."""
    files = SafeFolder(database.parent)
    kept = _free_name(files, f"{database.stem}-log", ".db-wal")
    files.rename(log_of(database).name, kept)
    files.remove(f"{database.name}-shm")
    return Recovered(database.with_name(kept), log_only=True)


def _laid_over(content: Content, log: Log | None) -> Pages:
    size = infer_page_size(content)
    if log is None or log.page_size != size:
        return Pages(content, size)
    return Pages(content, size, log.pages, log.page_count)


def _log_beside(database: Path, content: Content) -> Log | None:
    return read_log(log_of(database), infer_page_size(content)) if has_log(database) else None


def _mapped(handle: int) -> mmap.mmap:
    return mmap.mmap(handle, 0, access=mmap.ACCESS_READ)


def _kept_name(files: SafeFolder, database: Path) -> str:
    return _free_name(files, f"{database.stem}-damaged", ".db")


def _free_name(files: SafeFolder, stem: str, suffix: str) -> str:
    """Return a name for a file that is to be kept, by the time; nothing has that name yet."""
    moment = time.strftime("%Y-%m-%dT%H%M%S")
    names = (f"{stem}-{moment}{more}{suffix}" for more in ("", *(f"-{n}" for n in range(2, 1000))))
    return next(name for name in names if files.entry(name) is None)


def _remove(files: SafeFolder, name: str) -> None:
    for side in ("", "-wal", "-shm", "-journal"):
        files.remove(name + side)


def _tell_nobody(_done: int, _total: int) -> None:
    pass
