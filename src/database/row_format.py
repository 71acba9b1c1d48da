"""Which rows of a damaged file are sound, and the one changed bit of those that are not."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from src.database.checksums import row_checksum
from src.database.known_schema import Form
from src.database.record_format import Value, as_signed, read_record, read_varint, value_places

Key = tuple[tuple[int, int | float | bytes], ...]
LOWEST: Key = ()
HIGHEST: Key = ((9, 0),)

# Bits are tried one by one in so much of a cell; longer values are looked up in a table.
_TRIED_BYTES = 640
_HEADER_BYTES = 40
_LONGEST_ROW = 1 << 16


class Row:
    """A row that is as it was written, as far as anything in the file can say.

    Attributes:
        key: what tells it from the others of its table.
        rowid: None in tables without.
        values: of all columns of today's schema; those that it was written without are NULL.
        is_proven: its checksum fits.
        stored: how many values stood in the file.
    """

    __slots__ = ("is_proven", "key", "rowid", "stored", "values")

    def __init__(
        self, key: Key, rowid: int | None, values: list[Value], is_proven: bool, stored: int
    ) -> None:
        self.key, self.rowid, self.values = key, rowid, values
        self.is_proven, self.stored = is_proven, stored


def key_of_rowid(rowid: int) -> Key:
    return ((1, rowid),)


def key_of(values: Sequence[Value]) -> Key:
    """Make of values what sorts as SQLite sorts them."""
    return tuple(_sortable(value) for value in values)


def _sortable(value: Value) -> tuple[int, int | float | bytes]:
    if value is None:
        return 0, 0
    if isinstance(value, (int, float)):
        return 1, value
    if isinstance(value, str):
        return 2, value.encode("utf-8", "surrogateescape")
    return 3, value


class RowFormat:
    """Reads the rows of a table, or the entries of an index."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self._count = len(form.columns)
        self._checks = tuple(zip(form.types, form.required, strict=True))

    def read(self, rowid: int | None, record: bytes | None) -> Row | None:
        """Read a row; None when anything about it is damaged.

        Args:
            rowid: None in tables without.
        """
        values = self.values(rowid, record)
        return None if values is None else self.row(rowid, values[0], values[1])

    def values(self, rowid: int | None, record: bytes | None) -> tuple[list[Value], int] | None:
        """Read a row's values, damaged or not, and say how many stood in the file."""
        values = None if record is None else read_record(record)
        if values is None or len(values) not in self.form.lengths:
            return None
        stored = len(values)
        values += [None] * (self._count - stored)
        alias = self.form.rowid_column
        if alias is not None:
            if values[alias] is not None or rowid is None:
                return None
            values[alias] = rowid
        for place, (kind, _) in enumerate(self._checks):
            if kind == "REAL" and isinstance(values[place], int):  # stored so to save room
                values[place] = float(values[place])  # type: ignore[arg-type]
        return values, stored

    def row(self, rowid: int | None, values: list[Value], stored: int) -> Row | None:
        """Take values as a row, unless they break the schema or their checksum."""
        if not self._is_possible(values):
            return None
        is_proven = False
        place = self.form.checksum
        if place is not None and values[place] is not None:
            if row_checksum(*values[:place], *values[place + 1 :]) != values[place]:
                return None
            is_proven = True
        if self.form.has_rowid:
            assert rowid is not None
            return Row(key_of_rowid(rowid), rowid, values, is_proven, stored)
        return Row(key_of([values[i] for i in self.form.key]), None, values, is_proven, stored)

    def _is_possible(self, values: list[Value]) -> bool:
        for value, (kind, required) in zip(values, self._checks, strict=True):
            if value is None:
                if required:
                    return False
            elif kind == "TEXT":
                if not isinstance(value, str) or not _is_utf8(value):
                    return False
            elif kind == "INTEGER":
                if not isinstance(value, int):
                    return False
            elif kind == "REAL":
                if not isinstance(value, float):
                    return False
            elif kind == "BLOB" and not isinstance(value, bytes):
                return False
        return True

    # -- one changed bit

    def mend(self, raw: bytes, tries: int) -> tuple[Row | None, int]:
        """Find the one bit whose change explains why a row's checksum does not fit.

        Args:
            raw: the bytes of its cell, and perhaps some behind it.
            tries: how many bits may be tried.

        Returns:
            The row as it was, None when more than a bit is damaged; and how many were tried.
        """
        if self.form.checksum is None:
            return None, 0
        found = self._split(raw)
        end = min(len(raw), _HEADER_BYTES)
        if found is not None:
            rowid, record = found
            read = self.values(rowid, record)
            if read is not None:
                row = self._mended_by_table(rowid, *read)
                if row is not None:
                    return row, 0
            if len(record) <= _TRIED_BYTES:
                end = len(raw)
        elif len(raw) <= _TRIED_BYTES:
            end = len(raw)
        spent = 0
        changed = bytearray(raw)
        for at in self._tried(raw, found, end):
            for bit in range(8):
                if spent >= tries:
                    return None, spent
                spent += 1
                changed[at] ^= 1 << bit
                again = self._split(bytes(changed))
                changed[at] ^= 1 << bit
                row = None if again is None else self.read(*again)
                if row is not None and row.is_proven:
                    return row, spent
        return None, spent

    def _tried(self, raw: bytes, found: tuple[int | None, bytes] | None, end: int) -> list[int]:
        """List the places in a cell whose bits are worth trying one by one."""
        places = list(range(end))
        if found is None or end == len(raw):
            return places
        spans = value_places(found[1])
        if spans is None:
            return places
        begin = raw.find(found[1])
        short = [
            begin + at
            for kind, low, high in spans
            if high - low <= 64 and not (kind > 11 and kind % 2 == 0)
            for at in range(low, high)
        ]
        return sorted({*places, *short})

    def _split(self, raw: bytes) -> tuple[int | None, bytes] | None:
        """Read a cell of a leaf: its row id and its record, which has to be as long as it says."""
        try:
            length, place = read_varint(raw, 0)
            rowid = None
            if self.form.has_rowid:
                number, place = read_varint(raw, place)
                rowid = as_signed(number)
        except IndexError:
            return None
        if length > _LONGEST_ROW or place + length > len(raw):
            return None
        return rowid, raw[place : place + length]

    def _mended_by_table(self, rowid: int | None, values: list[Value], stored: int) -> Row | None:
        """Look the changed bit up: a CRC says which one it is, if it is one."""
        place = self.form.checksum
        assert place is not None
        said = values[place]
        if not isinstance(said, int):
            return None
        others = [*values[:place], *values[place + 1 :]]
        difference = row_checksum(*others) ^ (said & 0xFFFFFFFF)
        if not 0 <= said < 1 << 32 or difference.bit_count() == 1:
            # the checksum itself is damaged, if all else fits
            if bin(row_checksum(*others) ^ said).count("1") != 1:
                return None
            fixed = list(values)
            fixed[place] = row_checksum(*others)
            return self.row(rowid, fixed, stored)
        length = _message_length(others)
        if length > _LONGEST_ROW:
            return None
        for at, bit in _bits_of(difference, length):
            fixed_others = _with_bit(others, at, bit)
            if fixed_others is None:
                continue
            fixed = [*fixed_others[:place], said, *fixed_others[place:]]
            new_rowid = rowid
            alias = self.form.rowid_column
            if alias is not None:
                fixed_id = fixed[alias]
                if not isinstance(fixed_id, int):
                    continue
                new_rowid = fixed_id
            row = self.row(new_rowid, fixed, stored)
            if row is not None and row.is_proven:
                return row
        return None


def _is_utf8(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _content(value: Value) -> bytes:
    """The bytes with which a value enters a row's checksum."""
    if isinstance(value, int):
        return struct.pack("<q", value)
    if isinstance(value, float):
        return struct.pack("<d", value + 0.0)
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    return value or b""


def _message_length(values: Sequence[Value]) -> int:
    return sum(3 + len(_content(value)) for value in values if value is not None)


def _with_bit(values: list[Value], at: int, bit: int) -> list[Value] | None:
    """Change one bit of what a checksum is of; None when it is in no value."""
    begin = 0
    for place, value in enumerate(values):
        if value is None:
            continue
        content = bytearray(_content(value))
        begin += 3  # its position and type
        if at < begin:
            return None
        if at < begin + len(content):
            content[at - begin] ^= 1 << bit
            changed = list(values)
            changed[place] = _value_of(bytes(content), value)
            return changed
        begin += len(content)
    return None


def _value_of(content: bytes, like: Value) -> Value:
    if isinstance(like, int):
        number: int = struct.unpack("<q", content)[0]
        return number
    if isinstance(like, float):
        real: float = struct.unpack("<d", content)[0]
        return real
    return content.decode("utf-8", "surrogateescape") if isinstance(like, str) else content


def _bits_of(difference: int, length: int) -> list[tuple[int, int]]:
    """Find the bits of a message whose change changes its CRC-32 in a given way.

    Returns:
        Places in bytes from the beginning, and bits.
    """
    size = 4096
    while size < length:
        size *= 2
    table = _changes(size)[:length]
    found = np.argwhere(table == np.uint32(difference))
    return [(length - 1 - int(behind), int(bit)) for behind, bit in found]


@lru_cache(maxsize=5)
def _changes(length: int) -> np.ndarray:
    """Compute how each bit of a message changes its CRC-32: (bytes from the end, 8) uint32."""
    steps = np.array(
        [zlib.crc32(bytes([value])) ^ zlib.crc32(b"\0") for value in range(256)], np.uint32
    )
    rows = np.zeros((length, 8), np.uint32)
    row = np.array([steps[1 << bit] for bit in range(8)], np.uint32)
    for behind in range(length):
        rows[behind] = row
        # one more byte of zeros behind it
        row = (row >> np.uint32(8)) ^ steps[row & np.uint32(255)]
    return rows
