"""A model's vectors in eight bits, beside SQLite: blocks in memory, and the file they are kept in.

The file holds rows and nothing else. How many of them count, and the checksum of each block, stand
in SQLite's `info`, written after the file is on the disk: whatever a kill leaves behind the last
row is of no meaning, and an older copy of SQLite's file names just the rows that it knew of. The
file can be deleted at any moment; it is made again.
"""

from __future__ import annotations

import json
import mmap
import os
import re
import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

import numpy as np

from src.database.mapped_pages import bring_in
from src.database.quantized import FORM, Quantized
from src.library_files import SafeFolder
from src.ownership import INDEXES
from src.records import EMBEDDING_DIM

# Rows of a block: what a thread takes at once, and what one checksum is of.
BLOCK_ROWS = 16_384
NAME = re.compile(r"[0-9a-f]{12}\.int8")
# Bytes that are read and summed up at once: they stay in the processor's cache.
READ_AT_ONCE = 1 << 18

_COLUMNS = (("<i8", 1), ("<f4", 1), ("<f4", 1), ("i1", EMBEDDING_DIM))
BLOCK_BYTES = BLOCK_ROWS * sum(np.dtype(kind).itemsize * width for kind, width in _COLUMNS)


class ScanFileError(Exception):
    """The file is not what SQLite says of it."""


class Block:
    """Up to 16,384 rows, ascending by id; what is behind `count` is nothing yet.

    Attributes:
        ids: (16384,) int64, the row ids of embeddings.
        scales, errors: (16384,) float32, see Quantized.
        rows: (16384, 512) int8.
        count: how many rows there are. It only grows.
        is_checked: whether the rows are known to be those that were written; see check.
        gone: (16384,) bool, rows known to be gone from SQLite; None while none is.
    """

    def __init__(
        self,
        count: int = 0,
        content: np.ndarray | None = None,
        source: ScanFile | None = None,
        last_id: int | None = None,
    ) -> None:
        """Make an empty block, or take one of a file.

        Args:
            content: (BLOCK_BYTES,) uint8, which may be a part of a file.
            source: that file.
            last_id: of the rows in it, known before they are checked.
        """
        self.is_checked = source is None
        self._source, self._last_id = source, last_id
        # untouched pages of zeros take no memory
        self.content = np.zeros(BLOCK_BYTES, np.uint8) if content is None else content
        columns, start = [], 0
        for kind, width in _COLUMNS:
            size = BLOCK_ROWS * width * np.dtype(kind).itemsize
            columns.append(self.content[start : start + size].view(kind))
            start += size
        self.ids, self.scales, self.errors, rows = columns
        self.rows = rows.reshape(BLOCK_ROWS, EMBEDDING_DIM)
        self.count = count
        self.gone: np.ndarray | None = None

    @property
    def is_full(self) -> bool:
        return self.count == BLOCK_ROWS

    @property
    def last_id(self) -> int:
        return int(self.ids[self.count - 1]) if self._last_id is None else self._last_id

    def add(self, ids: Sequence[int], vectors: Quantized) -> None:
        """Put rows behind those that there are; there has to be room."""
        new = slice(self.count, self.count + len(ids))
        self.ids[new], self.scales[new] = ids, vectors.scales
        self.errors[new], self.rows[new] = vectors.errors, vectors.rows
        self.count = new.stop

    def check(self, number: int) -> None:
        """See that the rows are those that were written, once, and are in memory, each time.

        Before they are used: a page that its disk can't give would end the process.

        Raises:
            ScanFileError: they are not, or can't be read.
        """
        if self._source is None:
            return
        if self.is_checked:
            self._source.bring_in(number)
        else:
            self._source.check_full(number)
            self.is_checked = True

    def mark_gone(self, place: int) -> None:
        if self.gone is None:
            self.gone = np.zeros(BLOCK_ROWS, bool)
        self.gone[place] = True

    def columns(self, first: int, end: int) -> list[tuple[int, np.ndarray]]:
        """List the parts of some rows, each with its place in the block in bytes."""
        found, start = [], 0
        for column in (self.ids, self.scales, self.errors, self.rows):
            width = column[0].nbytes
            found.append((start + first * width, column[first:end]))
            start += BLOCK_ROWS * width
        return found

    def checksum(self, count: int) -> int:
        """Compute the CRC-32 of the first rows."""
        value = 0
        for _, column in self.columns(0, count):
            value = zlib.crc32(np.ascontiguousarray(column).data, value)
        return value


@dataclass(frozen=True)
class BlockRecord:
    """What SQLite says of a block: how many rows count, their checksum, the last one's id."""

    rows: int
    checksum: int
    last_id: int


@dataclass(frozen=True)
class Record:
    """What SQLite says of the file: its name in the indexes' folder, the model's row, blocks.

    All blocks but the last one are full.
    """

    file: str
    model_id: int
    blocks: tuple[BlockRecord, ...]

    def written(self) -> str:
        blocks = [[block.rows, block.checksum, block.last_id] for block in self.blocks]
        return json.dumps({"form": FORM, "file": self.file, "model": self.model_id, "of": blocks})

    @classmethod
    def read(cls, text: str) -> Record | None:
        """Read what `written` wrote; None for anything else: a library may be a stranger's."""
        try:
            stored = json.loads(text)
            blocks = tuple(BlockRecord(*block) for block in stored["of"])
            record = cls(stored["file"], stored["model"], blocks)
            is_ours = stored["form"] == FORM and NAME.fullmatch(record.file) is not None
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        full = all(block.rows == BLOCK_ROWS for block in blocks[:-1])
        is_whole = all(
            type(number) is int and 0 <= number < 1 << 62
            for block in blocks
            for number in (block.rows, block.checksum, block.last_id)
        )
        if not (is_ours and full and is_whole and blocks and 0 < blocks[-1].rows <= BLOCK_ROWS):
            return None
        return record

    @property
    def bytes(self) -> int:
        """The size that the file has at least."""
        whole = len(self.blocks) - 1
        return whole * BLOCK_BYTES + _end_of(self.blocks[-1].rows)

    @property
    def rows(self) -> int:
        return sum(block.rows for block in self.blocks)

    @property
    def full_blocks(self) -> int:
        return sum(block.rows == BLOCK_ROWS for block in self.blocks)


def _end_of(rows: int) -> int:
    return BLOCK_BYTES - (BLOCK_ROWS - rows) * EMBEDDING_DIM


class ScanFile:
    """The file that a record names, opened for reading."""

    def __init__(self, files: SafeFolder, record: Record) -> None:
        """Open it; full blocks are mapped, and nothing is read.

        Raises:
            ScanFileError: it is not there, or too short.
        """
        self.record = record
        self._reading = threading.Lock()  # where threads can't read at places of their own
        try:
            self._stream = files.open(f"{INDEXES}/{record.file}")
            self.check_size()
            self._content: np.ndarray | None = None
            if length := record.full_blocks * BLOCK_BYTES:
                mapped = mmap.mmap(self._stream.fileno(), length, access=mmap.ACCESS_READ)
                self._content = np.frombuffer(mapped, np.uint8)
                self._address = self._content.ctypes.data
        except (OSError, ValueError) as exc:
            raise ScanFileError(f"it can't be read ({exc})") from exc

    def check_size(self) -> None:
        """See that no mapped page lies behind the end: to touch one would end the process.

        Raises:
            ScanFileError: the file has become shorter.
        """
        if os.fstat(self._stream.fileno()).st_size < self.record.bytes:
            raise ScanFileError("it is shorter than it has to be")

    def block(self, number: int) -> Block:
        """Give a block: mapped when it is full, else read.

        Raises:
            ScanFileError: it was read, and is not what was written.
        """
        if self._content is None or number >= self.record.full_blocks:
            return self.read(number)
        start, last_id = number * BLOCK_BYTES, self.record.blocks[number].last_id
        return Block(BLOCK_ROWS, self._content[start : start + BLOCK_BYTES], self, last_id)

    def read(self, number: int) -> Block:
        """Read a block into memory, and see that it is what was written.

        A disk that can't read it says so here, where touching a mapped page would end the process.

        Raises:
            ScanFileError: it is not, or can't be read.
        """
        said = self.record.blocks[number]
        block = Block(said.rows)
        self._read_into(block.content[: _end_of(said.rows)].data, number * BLOCK_BYTES)
        if block.checksum(said.rows) != said.checksum or block.last_id != said.last_id:
            raise ScanFileError(f"block {number} is not what was written")
        return block

    def check_full(self, number: int) -> None:
        """See that a full block is what was written, and keep nothing of it.

        Raises:
            ScanFileError: it is not, or can't be read.
        """
        start, value = number * BLOCK_BYTES, 0
        if self.bring_in(number) and self._content is not None:
            value = zlib.crc32(self._content[start : start + BLOCK_BYTES].data)
        else:
            room = memoryview(bytearray(READ_AT_ONCE))
            for place in range(0, BLOCK_BYTES, READ_AT_ONCE):  # its columns follow each other
                some = room[: BLOCK_BYTES - place]
                self._read_into(some, start + place)
                value = zlib.crc32(some, value)
        if value != self.record.blocks[number].checksum:
            raise ScanFileError(f"block {number} is not what was written")

    def bring_in(self, number: int) -> bool:
        """Have the system bring a mapped block into memory.

        Returns:
            Whether all of it is there; False where the system can't be asked.

        Raises:
            ScanFileError: the disk does not give it.
        """
        start = self._address + number * BLOCK_BYTES
        first = start - start % mmap.PAGESIZE
        is_there = bring_in(first, start + BLOCK_BYTES - first)
        if is_there is False:
            raise ScanFileError(f"block {number} can't be read")
        return bool(is_there)

    def _read_into(self, room: memoryview, place: int) -> None:
        try:
            if hasattr(os, "preadv"):
                length = os.preadv(self._stream.fileno(), [room], place)
            else:
                with self._reading:
                    self._stream.seek(place)
                    length = self._stream.readinto(room)  # type: ignore[attr-defined]
        except OSError as exc:
            raise ScanFileError(f"it can't be read ({exc})") from exc
        if length != len(room):
            raise ScanFileError("it ends too early")


def write_rows(
    files: SafeFolder, record: Record | None, name: str, blocks: Sequence[tuple[Block, int]]
) -> list[BlockRecord]:
    """Write the rows that the file does not hold yet, and wait until they are on the disk.

    Nothing that another process may be reading is written over.

    Args:
        record: what the file holds; None makes a new one.
        blocks: all of them, each with how many of its rows there are.

    Returns:
        What SQLite is to say of the blocks.

    Raises:
        OSError: it can't be written.
    """
    path = f"{INDEXES}/{name}"
    if record is None:
        files.make_marked_folder(INDEXES)
        files.create(path)
    before = () if record is None else record.blocks
    said = list(before)
    with files.open_to_change(path) as stream:
        for number, (block, count) in enumerate(blocks):
            first = before[number].rows if number < len(before) else 0
            if count == first:
                continue
            for place, column in block.columns(first, count):
                _write_at(stream, number * BLOCK_BYTES + place, column)
            new = BlockRecord(count, block.checksum(count), int(block.ids[count - 1]))
            said[number:] = [new]
        os.fsync(stream.fileno())
    if record is None:
        files.sync(INDEXES)
    return said


def _write_at(stream: IO[bytes], place: int, column: np.ndarray) -> None:
    left = np.ascontiguousarray(column).data.cast("B")
    stream.seek(place)
    while left:  # a disk that is nearly full takes a part of it before it says so
        left = left[stream.write(left) :]
