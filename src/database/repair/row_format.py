"""Which rows of a damaged file are sound, and the one changed bit of those that are not."""

from __future__ import annotations

from collections.abc import Sequence

from src.database.checksums import row_checksum
from src.database.repair.known_schema import Form
from src.database.repair.one_bit import one_bit_back
from src.database.repair.record_format import (
    Value,
    as_signed,
    read_record,
    read_varint,
    value_places,
)

Key = tuple[tuple[int, int | float | bytes], ...]
LOWEST: Key = ()
HIGHEST: Key = ((9, 0),)

# Bits are tried one by one in so much of a cell; longer values are left to one_bit_back.
_TRIED_BYTES = 640
_HEADER_BYTES = 40
_LONGEST_ROW = 1 << 16


class Row:
    """A row that is as it was written, as far as anything in the file can say.

    Attributes:
        key: what identifies it in its table.
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
            if kind == "REAL" and isinstance(values[place], int):  # stored so to save space
                values[place] = float(values[place])  # type: ignore[arg-type]
        return values, stored

    def row(self, rowid: int | None, values: list[Value], stored: int) -> Row | None:
        """Build a row of values; None where they break the schema or their checksum."""
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
                row = self._mended_by_checksum(rowid, *read)
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

    def _mended_by_checksum(
        self, rowid: int | None, values: list[Value], stored: int
    ) -> Row | None:
        """Look the changed bit up: a CRC says which one it is, if it is one."""
        place = self.form.checksum
        assert place is not None
        said = values[place]
        if not isinstance(said, int):
            return None
        found = one_bit_back([*values[:place], *values[place + 1 :]], said)
        if found is None:
            return None
        fixed = [*found[:place], row_checksum(*found), *found[place:]]
        alias = self.form.rowid_column
        fixed_id = rowid if alias is None else fixed[alias]
        if self.form.has_rowid and not isinstance(fixed_id, int):
            return None
        return self.row(fixed_id if isinstance(fixed_id, int) else None, fixed, stored)


def _is_utf8(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
