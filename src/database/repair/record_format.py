"""SQLite's records: the bytes of a row and the values in them.

The format is that of https://www.sqlite.org/fileformat2.html. Whatever does not add up is None:
the bytes may be damaged.
"""

from __future__ import annotations

import struct

Value = int | float | str | bytes | None

_FIXED_SIZES = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)
# More columns than any table of ours has; a damaged header of a record must not take long.
MOST_COLUMNS = 200


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Read a number of one to nine bytes.

    Returns:
        The number, 0 to 2**64 - 1, and where the next byte is.

    Raises:
        IndexError: the data end before it does.
    """
    value = data[at]
    at += 1
    if value < 0x80:
        return value, at
    value &= 0x7F
    for _ in range(7):
        byte = data[at]
        at += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at
    return value << 8 | data[at], at + 1


def as_signed(value: int) -> int:
    """Read 64 bits as a signed number, as row ids are stored."""
    return value - (1 << 64) if value >= 1 << 63 else value


def record_length(data: bytes, at: int) -> int | None:
    """Return the length of a record by its own header; None when that makes no sense.

    Args:
        at: where the record begins.
    """
    found = _header(data, at)
    if found is None:
        return None
    types, body = found
    length = body - at
    for kind in types:
        if kind > 9:
            length += (kind - 12) // 2
        else:
            length += _FIXED_SIZES[kind]
    return length


def _header(data: bytes, at: int) -> tuple[list[int], int] | None:
    """Read the serial types of a record, and where its values begin."""
    try:
        length, place = read_varint(data, at)
        end = at + length
        if not 1 < length <= 9 * MOST_COLUMNS or end > len(data):
            return None
        types: list[int] = []
        while place < end:
            kind = data[place]
            place += 1
            if kind >= 0x80:
                kind, place = read_varint(data, place - 1)
            if kind in (10, 11):  # reserved
                return None
            types.append(kind)
    except IndexError:
        return None
    return (types, end) if place == end and len(types) <= MOST_COLUMNS else None


def read_record(data: bytes) -> list[Value] | None:
    """Read the values of a record; None when its lengths don't fit it exactly.

    Text that is no UTF-8 is decoded with "surrogateescape".
    """
    found = _header(data, 0)
    if found is None:
        return None
    types, at = found
    values: list[Value] = []
    size = len(data)
    for kind in types:
        if kind > 11:
            end = at + (kind - 12) // 2
            if end > size:
                return None
            part = data[at:end]
            values.append(part.decode("utf-8", "surrogateescape") if kind & 1 else part)
        elif kind == 0:
            values.append(None)
            continue
        elif kind > 7:
            values.append(kind - 8)
            continue
        else:
            end = at + _FIXED_SIZES[kind]
            if end > size:
                return None
            if kind == 7:
                values.append(struct.unpack(">d", data[at:end])[0])
            else:
                values.append(int.from_bytes(data[at:end], "big", signed=True))
        at = end
    return values if at == size else None


def value_places(data: bytes) -> list[tuple[int, int, int]] | None:
    """Return each value's serial type in a record, and where its bytes begin and end."""
    found = _header(data, 0)
    if found is None:
        return None
    types, at = found
    places = []
    for kind in types:
        size = (kind - 12) // 2 if kind > 11 else _FIXED_SIZES[kind]
        places.append((kind, at, at + size))
        at += size
    return places if at == len(data) else None
