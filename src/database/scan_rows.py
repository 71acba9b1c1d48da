"""The rows that a search scans, kept in step with SQLite: in a file, and the newest in memory."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from src.database.connection import Connection
from src.database.quantized import quantized
from src.database.row_values import problem_of
from src.database.scan_file import (
    BLOCK_ROWS,
    NAME,
    Block,
    Record,
    ScanFile,
    ScanFileError,
    write_rows,
)
from src.database.stored_vectors import BATCH, matrix_of_rows
from src.errors import DatabaseError
from src.library_files import SafeFolder
from src.ownership import INDEXES
from src.stopping import ask_wanted

# Rows that are read before they are saved, where the file lacks many: half a second's, which a job
# that stores others may have to wait for.
READ_AT_ONCE = BLOCK_ROWS
# The file is made again once so many of its rows, and so large a share, are gone from SQLite.
MOST_GONE, MOST_GONE_SHARE = 4096, 0.2

# Rows are counted so often at most: a million takes a while.
COUNT_EVERY_S = 60.0
# A disk that gives something else than was written, again and again, is used no more.
MOST_DISTRUSTED = 3

_KEY = "int8 rows of "
# The keys of all of them in SQLite's info.
KEYS = f"{_KEY}%"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """A block as a search sees it: rows that come meanwhile are behind its count."""

    block: Block
    count: int
    last_id: int


class ScanRows:
    """The embeddings of one model in eight bits.

    Row ids only grow, and a row never changes: what is new is behind what is held. A row that is
    gone from SQLite stays until so many are that all are read again. Calls may come from any
    thread.
    """

    def __init__(self, connection: Connection, model: str) -> None:
        """Read nothing yet."""
        self._connection = connection
        self._key = f"{_KEY}{model}"
        self._files = SafeFolder(connection.path.parent)
        self._lock = threading.Lock()  # of what is below
        self._saving = threading.Lock()
        self._is_loaded = False
        self._file: ScanFile | None = None
        self._blocks: list[Block] = []
        self._based_on: str | None = None  # what `info` said when it was read or written
        self._can_save = connection.is_writable
        self._distrusted = 0
        self._count_again_s = 0.0

    # -- for a search

    def parts(self, model_id: int) -> list[Part]:
        """Give all rows of the model, those that came until now too.

        Raises:
            DatabaseError: an embedding is damaged.
            StoppedError: nobody waits for them any more.
        """
        parts, has_more = self._step(model_id)
        while has_more:
            ask_wanted()
            parts, has_more = self._step(model_id)
        return parts

    def prepare(self, model_id: int) -> Iterator[tuple[int, int]]:
        """Read what the first search would wait for: all rows where there is no file yet.

        Every step is saved. Searches meanwhile do the same, and wait for the end of it.

        Yields:
            How many rows are there, and of how many; nothing where one step was enough.
        """
        parts, has_more = self._step(model_id)
        if not has_more:
            return
        rows = self._connection.read().execute(
            "SELECT count(*) FROM embeddings WHERE model_id = ?", (model_id,)
        )
        total = int(rows.fetchone()[0])
        while has_more:
            yield sum(part.count for part in parts), total
            parts, has_more = self._step(model_id)
        self.save(model_id)

    def _step(self, model_id: int) -> tuple[list[Part], bool]:
        """Read some rows; gives all that are here by then, and whether there may be more."""
        with self._lock:
            self._load(model_id)
            has_more = self._read_new(model_id)
            parts = [Part(block, block.count, block.last_id) for block in self._blocks]
            unsaved = self._unsaved()
        if unsaved >= BLOCK_ROWS:  # else the next job does it
            self.save(model_id)
        return parts, has_more

    def check_size(self) -> None:
        """See that no block lies behind the end of the file by now.

        Raises:
            ScanFileError: one does; see distrust.
        """
        if (file := self._file) is not None:
            file.check_size()

    def distrust(self, reason: object) -> None:
        """Leave the file behind; the next search, or job, makes another from SQLite."""
        with self._lock:
            log.warning("the file that searches scan is made again: %s", reason)
            self._forget()
            # another process may have made another one already
            self._is_loaded = self._said(self._connection.read()) == self._based_on
            self._distrusted += 1
            if self._distrusted > MOST_DISTRUSTED:
                self._is_loaded, self._can_save = True, False

    def _forget(self) -> None:
        self._file, self._blocks = None, []

    def close(self) -> None:
        """Let go of the file; a search that is running keeps it until it ends."""
        with self._lock:
            self._forget()
            self._is_loaded = False

    # -- in step

    def _load(self, model_id: int) -> None:
        """Take the file that SQLite names, if it is sound as far as can be told unread."""
        if self._is_loaded:
            return
        self._is_loaded = True
        self._based_on = self._said(self._connection.read())
        record = None if self._based_on is None else Record.read(self._based_on)
        if record is None:
            return
        try:
            if record.model_id != model_id:
                raise ScanFileError("it is of another model")
            file = ScanFile(self._files, record)
            self._blocks = [file.block(number) for number in range(len(record.blocks))]
            if self._count(model_id) > record.rows:
                raise ScanFileError("it lacks rows")
            self._file = file
        except ScanFileError as exc:
            log.warning("the file that searches scan is made again: %s", exc)
            self._forget()

    def _said(self, db: sqlite3.Connection) -> str | None:
        """Read what SQLite says of the file; None where it says nothing, or the row is damaged."""
        row = db.execute("SELECT * FROM info WHERE key = ?", (self._key,)).fetchone()
        if row is None or problem_of("info", dict(row)) is not None:
            return None
        return str(row["value"])

    def _read_new(self, model_id: int) -> bool:
        """Read rows behind those that are held; returns whether there may be more."""
        read = 0
        # query by query: while one is under way the writer can't empty its log
        while (limit := min(BATCH, READ_AT_ONCE - read)) > 0:
            last = self._blocks[-1].last_id if self._blocks else 0
            rows = (
                self._connection.read()
                .execute(
                    "SELECT * FROM embeddings WHERE model_id = ? AND id > ? ORDER BY id LIMIT ?",
                    (model_id, last, limit),
                )
                .fetchall()
            )
            with self._connection.noticing_damage():
                self._add(rows)
            read += len(rows)
            if len(rows) < limit:
                return False
        return True

    def _add(self, rows: Sequence[sqlite3.Row]) -> None:
        """Hold rows of `embeddings`.

        Raises:
            DamagedRowError: one of them is not what was stored.
        """
        matrix = matrix_of_rows(rows)
        ids = [row["id"] for row in rows]
        start = 0
        while start < len(ids):
            if not self._blocks or self._blocks[-1].is_full:
                self._blocks.append(Block())
            block = self._blocks[-1]
            some = slice(start, start + BLOCK_ROWS - block.count)
            block.add(ids[some], quantized(matrix[some]))
            start = some.stop

    def _unsaved(self) -> int:
        if not self._can_save:
            return 0
        saved = 0 if self._file is None else self._file.record.rows
        return sum(block.count for block in self._blocks) - saved

    # -- the file

    def problems(self, model_id: int) -> list[str]:
        """Say what is wrong with the file, by reading all of it; empty means sound.

        One that is not there, or can't be opened, is no problem: searches do without.
        """
        try:
            self.parts(model_id)
        except DatabaseError:
            return []  # an embedding is damaged, which is told of by itself
        with self._lock:
            file, blocks = self._file, list(self._blocks)
        if file is None:
            return []
        try:
            ids = []
            for number in range(len(file.record.blocks)):
                block = file.read(number)
                ids.append(block.ids[: block.count].copy())
        except ScanFileError as exc:
            return [f"the file that searches scan: {exc}"]
        wanted = self._connection.read().execute(
            "SELECT id FROM embeddings WHERE model_id = ? AND id <= ?",
            (model_id, blocks[-1].last_id),
        )
        known = np.concatenate([*ids, *(b.ids[: b.count] for b in blocks[len(ids) - 1 :])])
        missing = np.setdiff1d(np.fromiter((row["id"] for row in wanted), np.int64), known)
        return [f"the file that searches scan lacks {len(missing):,} rows"] if missing.size else []

    def keep(self, model_id: int) -> None:
        """Bring the file into step with SQLite, and make it again where too much of it is gone.

        For the end of a job: a search that begins meanwhile waits for no more than one batch.
        """
        # what could not be written before may be now
        self._can_save = self._connection.is_writable and self._distrusted <= MOST_DISTRUSTED
        if not self._can_save:
            return
        self.parts(model_id)
        with self._lock:
            if time.monotonic() >= self._count_again_s:
                self._count_again_s = time.monotonic() + COUNT_EVERY_S
                held = sum(block.count for block in self._blocks)
                gone = held - self._count(model_id)
                if gone < 0 or gone > max(MOST_GONE, MOST_GONE_SHARE * held):
                    self._forget()
        for _ in range(2):  # once more where another one of this process had saved meanwhile
            self.parts(model_id)
            self.save(model_id)

    def _count(self, model_id: int) -> int:
        """Count the rows in SQLite up to the last one that is held."""
        last = self._blocks[-1].last_id if self._blocks else 0
        count: int = (
            self._connection.read()
            .execute(
                "SELECT count(*) FROM embeddings WHERE model_id = ? AND id <= ?", (model_id, last)
            )
            .fetchone()[0]
        )
        return count

    def save(self, model_id: int) -> None:
        """Write the rows that are only in memory; what can't be written stays there."""
        if not self._can_save or not self._saving.acquire(blocking=False):
            return
        try:
            self._save(model_id)
        except ScanFileError as exc:
            self.distrust(exc)
        except (OSError, DatabaseError) as exc:
            self._can_save = False
            log.warning("what searches scan stays in memory: its file can't be written (%s)", exc)
        finally:
            self._saving.release()

    def _save(self, model_id: int) -> None:
        with self._connection.write() as db:
            said = self._said(db)
            with self._lock:
                if said != self._based_on:  # what another one of this process has written
                    self._forget()
                    self._is_loaded = False
                    return
                old = None if self._file is None else self._file.record
                blocks = [(block, block.count) for block in self._blocks]
            if not blocks or (old is not None and old.rows == sum(count for _, count in blocks)):
                return
            self.check_size()
            name = f"{uuid.uuid4().hex[:12]}.int8" if old is None else old.file
            record = Record(name, model_id, tuple(write_rows(self._files, old, name, blocks)))
            self._remove_strays(db, name)
            written = record.written()
            db.execute(
                "INSERT OR REPLACE INTO info (key, value) VALUES (?, ?)", (self._key, written)
            )
        file = ScanFile(self._files, record)
        with self._lock:
            self._based_on = written
            if [block for block, _ in blocks] != self._blocks[: len(blocks)]:
                self._forget()  # it was distrusted meanwhile
                self._is_loaded = False
                return
            self._file = file
            for number in range(record.full_blocks):
                mapped, held = file.block(number), self._blocks[number]
                mapped.is_checked, mapped.gone = held.is_checked, held.gone
                self._blocks[number] = mapped

    def _remove_strays(self, db: sqlite3.Connection, new: str) -> None:
        """Remove files that SQLite names none of: one that was distrusted, or left by a kill.

        On Windows one that another process still scans stays until the next time.
        """
        rows = db.execute("SELECT value FROM info WHERE key LIKE ? AND key != ?", (KEYS, self._key))
        records = [Record.read(str(row["value"])) for row in rows]
        kept = {new, *(record.file for record in records if record is not None)}
        for entry in self._files.entries(INDEXES):
            name = Path(entry.name).name
            if entry.is_file and NAME.fullmatch(name) and name not in kept:
                with suppress(OSError):
                    self._files.remove(entry.name)
