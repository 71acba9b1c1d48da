"""One SQLite file: a single writer, and a reader for each thread that asks."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from src.database.backup import back_up, back_up_in_steps, damage_of, is_due
from src.database.checksums import watch_rows
from src.database.damage import is_damage
from src.database.file_to_read import FileToRead
from src.database.log_size import LogSize
from src.database.migrations import MIGRATIONS, check_version, migrate
from src.database.open_marker import OpenMarker
from src.database.readers import Readers
from src.database.repair.inspection import log_is_foreign, problems_of, refuse_others
from src.database.repair.mending import Mended, mend_rows
from src.database.repair.recovery import (
    PAGE_SIZE,
    OnProgress,
    Recovered,
    finish_recovery,
    forget_recovery,
    recover,
    remember_to_say,
    set_log_aside,
    unreported_recovery,
)
from src.database.track_changes import put_touched_right, watch_tracks
from src.database.transactions import transaction
from src.errors import DamagedMaskError, DamagedRowError, DatabaseError
from src.reader_records import OPENED_TO_READ

log = logging.getLogger(__name__)

# Of a file in bytes: its examination and backup take longer than a person waits for a window.
LARGE = 256 << 20

# SQLite's messages about rows that break the schema's rules, in sound pages.
_OF_ROWS = ("CHECK constraint failed", "NULL value in")


class Connection:
    """The library's SQLite file, in WAL mode.

    Exactly one connection writes and checkpoints (SQLite before 3.51.3 can lose a WAL that
    two connections reset at once); readers see whole transactions and never wait for it.
    """

    def __init__(
        self,
        path: Path,
        read_only: bool = False,
        examine: bool = False,
        on_progress: OnProgress | None = None,
        upkeep_later: bool = False,
    ) -> None:
        """Open the file, make it if it is not there, and bring it to this schema.

        Args:
            read_only: open no writer, for a process that does not hold the library's lock.
            examine: look for damage even where nothing speaks for any.
            on_progress: called during the recovery of a damaged library: done, of how much.
            upkeep_later: leave the day's examination and backup of a large file, which take long,
                to back_up_later.

        Raises:
            DatabaseError: it is no library of ours, damaged, newer, or out of reach.
        """
        self.path = path
        self.recovered: Recovered | None = None
        self.mended: Mended | None = None
        self._rows_are_damaged = False
        self._marker = OpenMarker(path)
        self._read_only = read_only and path.exists()
        size = path.stat().st_size if path.exists() else 0
        self._is_daily = not (upkeep_later and size > LARGE)
        self._log_size = LogSize(path)
        self._write_lock = threading.RLock()
        self._readers = Readers(path, self._damaged)
        self._closed = False
        self._writer: sqlite3.Connection | None = None
        try:
            if self._read_only:
                file = FileToRead(path)
                file.uri()  # whether it can be read, before anything tries to
                self._readers = Readers(path, self._damaged, file)
            self._refuse_others()
            if self._read_only:
                self._readers.refuse_newer()
            else:
                self._writer = self._opened_to_write(examine, on_progress)
        except (sqlite3.Error, OSError) as exc:
            self.close()
            what_for = "be read" if self._read_only else "be read and written"
            room = "" if self._read_only else "the disk has room and that "
            raise DatabaseError(
                f"{path}: the library can't be opened ({exc}); see that {room}"
                f"this folder and its files can {what_for}"
            ) from exc
        except BaseException:
            self.close()
            raise

    def _refuse_others(self) -> None:
        """Check that the file is ours before anything is written, even the log into the file."""
        if self.path.exists() and self.path.stat().st_size:
            try:
                refuse_others(self.path)
            except (sqlite3.DatabaseError, UnicodeDecodeError) as exc:
                log.warning("%s: %s", self.path, exc)  # damaged: what is left is seen below

    def _opened_to_write(self, examine: bool, on_progress: OnProgress | None) -> sqlite3.Connection:
        finish_recovery(self.path)
        known = self.path.exists() and self.path.stat().st_size > 0
        is_marked = self._marker.says_damaged
        if known:
            self._recover_if_damaged(examine, on_progress)
        writer = self._connect_to_write()
        try:
            old = known and check_version(writer, self.path) < len(MIGRATIONS)
            # damaged rows are repaired first, so that no backup of them replaces a sound one
            is_marked = is_marked or self._rows_are_damaged
            if old or (known and self._is_daily and is_due(self.path) and not is_marked):
                self._back_up(writer, must=old)
            migrate(writer, self.path)
            watch_rows(writer)
            watch_tracks(writer)
            if self.recovered is not None and self.recovered.log_only:
                remember_to_say(writer, self.recovered.kept, str(self.recovered))
            self.recovered = self.recovered or unreported_recovery(writer, self.path)
            if known and is_marked:
                writer = self._mended(writer, on_progress)
            self._marker.say(is_damaged=False)
        except BaseException:
            writer.close()
            raise
        return writer

    def _recover_if_damaged(self, examine: bool, on_progress: OnProgress | None) -> None:
        """Examine the file, and recover it when it is damaged.

        All of it is examined when the last writer was killed or damage was found,
        and when the day's backup is due. Until it is known to be sound nothing is written to it,
        nor is the log moved into it.
        """
        daily = self._is_daily and is_due(self.path)
        problems = problems_of(self.path, examine or self._marker.is_there or daily)
        if not problems:
            return
        log.warning("%s is damaged: %s", self.path, problems[0])
        if all(problem.startswith(_OF_ROWS) for problem in problems):
            self._rows_are_damaged = True
            return
        self._marker.say(is_damaged=True)  # until it is repaired
        if log_is_foreign(self.path):
            self.recovered = set_log_aside(self.path)
        else:
            self.recovered = recover(self.path, on_progress)
        log.warning("%s", self.recovered)

    def _mended(
        self, writer: sqlite3.Connection, on_progress: OnProgress | None
    ) -> sqlite3.Connection:
        """Repair damaged rows, those that were found and all others; else recover the file."""
        try:
            self.mended = self._mend(writer)
        except (sqlite3.Error, DatabaseError) as exc:
            log.warning("%s: %s", self.path, exc)
            writer.close()
            self.recovered = recover(self.path, on_progress)
            log.warning("%s", self.recovered)
            writer = self._connect_to_write()
            migrate(writer, self.path)
            watch_rows(writer)
            watch_tracks(writer)
        return writer

    def _mend(self, writer: sqlite3.Connection) -> Mended | None:
        with transaction(writer):
            mended = mend_rows(writer, self.path)
            put_touched_right(writer)
            if mended is not None:
                remember_to_say(writer, self.path, str(mended))
        if mended is not None:
            log.warning("%s: %s", self.path, mended)
        return mended

    def mend(self) -> Mended | None:
        """Repair every damaged row; see mend_rows.

        Raises:
            DatabaseError: some can't be mended in place; the next start recovers the file.
        """
        try:
            with self.write() as writer:
                try:
                    return mend_rows(writer, self.path)
                except (sqlite3.DatabaseError, DatabaseError) as exc:
                    raise self._damaged(exc) from exc
        except DatabaseError as exc:
            if isinstance(exc.__cause__, sqlite3.IntegrityError):  # noticed only at its end
                raise self._damaged(exc.__cause__) from exc
            raise

    def _back_up(self, writer: sqlite3.Connection, must: bool) -> None:
        """Write the day's backup; without one before a change of schema there is no change."""
        try:
            back_up(writer, self.path)
        except (OSError, sqlite3.Error) as exc:
            if must:
                raise DatabaseError(
                    f"{self.path}: this version changes the library's file, and the backup that "
                    f"has to come before can't be written ({exc}); make room on the disk"
                ) from exc
            log.warning("no backup was written: %s", exc)

    @property
    def backup_waits(self) -> bool:
        """Whether the day's examination and backup are still to be done; see back_up_later."""
        return self.is_writable and not self._is_daily and is_due(self.path)

    def back_up_later(self) -> Iterator[tuple[int, int]]:
        """Write the day's backup beside other work, and examine the file by it.

        It is a copy of the moment when it begins. Closed before its end it leaves nothing.

        Yields:
            How many pages are copied, and of how many; 0 of 0 while the copy is examined.

        Raises:
            DatabaseError: the library is damaged; the next start mends it.
        """
        source = self._readers.open()
        try:
            source.execute("PRAGMA query_only = ON")
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # fixes the moment
            try:
                yield from back_up_in_steps(source, self.path)
            except (OSError, sqlite3.Error) as exc:
                log.warning("no backup was written: %s", exc)
                if problems := damage_of(source):
                    raise self._damaged(sqlite3.DatabaseError(problems[0])) from exc
        finally:
            source.close()

    def _connect_to_write(self) -> sqlite3.Connection:
        self._marker.put()
        writer = self._readers.open()
        try:
            writer.execute(f"PRAGMA page_size = {PAGE_SIZE}")
            writer.execute("PRAGMA journal_mode = WAL")
            writer.execute("PRAGMA synchronous = FULL")
            writer.execute("PRAGMA foreign_keys = ON")
            self._log_size.limit(writer)
        except BaseException:
            writer.close()
            raise
        return writer

    def why_lost(self) -> str:
        """Return why a reader can't go on reading, as a sentence; see Readers.why_lost."""
        return self._readers.why_lost()

    def refuse_older(self) -> None:
        """Check that a reader knows all of its tables; see Readers.refuse_older."""
        self._readers.refuse_older()

    def _damaged(self, exc: sqlite3.Error | DatabaseError) -> DatabaseError:
        """Leave a mark, so that the next process that opens the file examines it."""
        log.warning("%s: %s", self.path, exc)
        with contextlib.suppress(OSError):  # only looking is allowed here
            self._marker.say(is_damaged=True)
        return DatabaseError(
            f"{self.path}: the library's database is damaged ({exc}); start the application again: "
            "what can be read is kept then, and the rest comes from a backup"
        )

    @contextmanager
    def noticing_damage(self) -> Iterator[None]:
        """Treat damage found inside the block as damage to the file.

        Raises:
            DatabaseError: there was some; the next start mends it.
        """
        try:
            yield
        except (DamagedRowError, DamagedMaskError) as exc:
            raise self._readers.damaged(exc) from exc
        except sqlite3.DatabaseError as exc:
            if not is_damage(exc):
                raise
            raise self._readers.damaged(exc) from exc

    @property
    def is_writable(self) -> bool:
        """Whether this process may write: it holds the library's lock, and has not closed it."""
        return self._writer is not None

    @contextmanager
    def write(self, lasting: bool = True) -> Iterator[sqlite3.Connection]:
        """Yield the writer inside one transaction: all of the block is kept, or none of it.

        Args:
            lasting: wait until it is on the disk. What is not waited for is there with the next
                transaction that is; a power cut before that loses it, and nothing before it.
        """
        with self._write_lock:
            writer = self._writer
            if writer is None:
                how = "is closed" if self._closed else OPENED_TO_READ
                raise DatabaseError(f"{self.path}: the library {how}")
            if writer.in_transaction:  # a verb inside a larger one
                yield writer
                return
            try:
                with _synchronous(writer, lasting), transaction(writer):
                    yield writer
                    put_touched_right(writer)
            except sqlite3.Error as exc:
                raise DatabaseError(
                    f"{self.path}: nothing was written ({exc}); "
                    "see that the disk has room and can be written to"
                ) from exc
            self._log_size.committed(writer)

    @property
    def is_read_only(self) -> bool:
        """Whether nothing can be written: the library was opened so."""
        return self._read_only

    def read(self) -> sqlite3.Connection:
        """Return this thread's reader.

        Raises:
            DatabaseError: the library is closed.
        """
        return self._readers.of_this_thread()

    def version(self) -> int:
        """Return a number that is another one once anything has been committed, by any process."""
        return self._readers.version()

    def close(self) -> None:
        """Close everything; the writer goes last, and the WAL into the file before."""
        with self._write_lock:
            self._closed = True
            self._readers.close()
            if self._writer is not None:
                if self.recovered is not None or self.mended is not None:
                    self._forget_recovery(self._writer)
                self._log_size.empty(self._writer)
                self._writer.close()
                self._writer = None
                self._marker.take_away()

    def _forget_recovery(self, writer: sqlite3.Connection) -> None:
        """Remove the notice, once it was shown; a program killed before that shows it again."""
        try:
            forget_recovery(writer)
        except sqlite3.Error as exc:  # the disk is full: it is shown once more
            log.warning("%s: %s", self.path, exc)


@contextmanager
def _synchronous(writer: sqlite3.Connection, lasting: bool) -> Iterator[None]:
    """Have transactions in the block wait for the disk, or not."""
    if lasting:
        yield
        return
    writer.execute("PRAGMA synchronous = NORMAL")
    try:
        yield
    finally:
        writer.execute("PRAGMA synchronous = FULL")
