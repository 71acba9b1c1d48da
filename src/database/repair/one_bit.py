"""The one changed bit of a row, found by its checksum and put back.

CRC-32 is linear: a bit that changes changes the checksum by a number that depends on nothing but
the bit's distance from the end. So the difference of two checksums says which bit it was. For a
row of 2 KB another bit fits by chance in one of 250,000 cases of worse damage.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence

from src.database.checksums import HEAD_BYTES, Value, content_of, row_checksum

# A row that is longer has to come from a backup: the table of differences would grow too large.
LONGEST_ROW = 1 << 16
_ALL_ONES = 0xFFFFFFFF


def one_bit_back(values: Sequence[Value], stored: int) -> tuple[Value, ...] | None:
    """Find what a row was before one bit of it changed, in a value or in the checksum.

    Args:
        values: as they are now; see row_checksum.
        stored: the row's checksum.

    Returns:
        The values as they were; None when no single bit makes them fit.
    """
    difference = row_checksum(*values) ^ stored
    if difference.bit_count() == 1:  # the bit is one of the checksum's
        return tuple(values)
    total = sum(HEAD_BYTES + len(content_of(v)) for v in values if v is not None)
    if total > LONGEST_ROW:
        return None
    place = _DIFFERENCES.find(difference, total)
    if place is not None:
        from_end, bit = place
        found = _with_bit(values, total - 1 - from_end, bit)
        if found is not None and row_checksum(*found) == stored:
            return found
    for number, value in enumerate(values):
        for other in _stored_otherwise(value):
            found = (*values[:number], other, *values[number + 1 :])
            if row_checksum(*found) == stored:
                return found
    return None


class _Differences:
    """Which bit makes which difference; grows with the longest row asked for."""

    def __init__(self) -> None:
        self._places: dict[int, tuple[int, int]] = {}
        self._last = [zlib.crc32(bytes([1 << bit]), _ALL_ONES) ^ _ALL_ONES for bit in range(8)]
        self._bytes = 0

    def find(self, difference: int, total: int) -> tuple[int, int] | None:
        """Find a bit by the difference that it makes: bytes from the end, bit 0 to 7."""
        while self._bytes < total:
            for bit, made in enumerate(self._last):
                self._places[made] = (self._bytes, bit)
            self._last = [zlib.crc32(b"\0", made ^ _ALL_ONES) ^ _ALL_ONES for made in self._last]
            self._bytes += 1
        place = self._places.get(difference)
        return place if place is not None and place[0] < total else None


_DIFFERENCES = _Differences()


def _with_bit(values: Sequence[Value], offset: int, bit: int) -> tuple[Value, ...] | None:
    """Change a bit at an offset into what the checksum is of; None where no value stands."""
    for number, value in enumerate(values):
        if value is None:
            continue
        content = bytearray(content_of(value))
        offset -= HEAD_BYTES
        if offset < 0:
            return None
        if offset < len(content):
            content[offset] ^= 1 << bit
            other: Value = bytes(content)
            if isinstance(value, int):
                other = struct.unpack("<q", content)[0]
            elif isinstance(value, float):
                other = struct.unpack("<d", content)[0]
            elif isinstance(value, str):
                other = bytes(content).decode("utf-8", "surrogateescape")
            return (*values[:number], other, *values[number + 1 :])
        offset -= len(content)
    return None


def _stored_otherwise(value: Value) -> Iterator[Value]:
    """List what one bit makes of a number where SQLite stores it in fewer bytes."""
    if isinstance(value, int) and not isinstance(value, bool):
        for size in (1, 2, 3, 4, 6):  # the highest bit of these is copied into all above it
            half = 1 << 8 * size - 1
            if -half <= value < half:
                yield value + half if value < 0 else value - half
    elif isinstance(value, float) and value.is_integer() and abs(value) < 1 << 47:
        whole = int(value)  # SQLite stores it as one
        for bit in range(48):
            yield float(whole ^ 1 << bit)
        for other in _stored_otherwise(whole):
            assert isinstance(other, int)
            yield float(other)
