"""The directories of a TIFF, one for each page: the few numbers that say what a page is.

Only numbers are read, and few of each tag, so that a header that lies costs nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO

Directory = dict[int, tuple[int, ...]]

NEW_SUBFILE, OLD_SUBFILE, WIDTH, HEIGHT, PHOTOMETRIC = 254, 255, 256, 257, 262
SUB_DIRECTORIES, DNG_VERSION = 330, 50706
_WANTED = frozenset(
    (NEW_SUBFILE, OLD_SUBFILE, WIDTH, HEIGHT, PHOTOMETRIC, SUB_DIRECTORIES, DNG_VERSION)
)
_TYPES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_MOST_VALUES = 16
# A scanner's stack of pages has hundreds.
MOST_DIRECTORIES = 10_000


def directories(stream: IO[bytes]) -> Iterator[Directory]:
    """Read the directories of a TIFF's pages in their order; ends where the file makes no sense.

    Args:
        stream: at its start. Raw files that begin with other letters are no TIFF here.
    """
    head = stream.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 16:
        return
    (version,) = struct.unpack(order + "H", head[2:4])
    if version not in (42, 43):
        return
    is_big = version == 43
    (at,) = struct.unpack(order + ("Q" if is_big else "I"), head[8:] if is_big else head[4:8])
    yield from _chain(stream, order, is_big, at)


def sub_directories(stream: IO[bytes], of: Directory) -> Iterator[Directory]:
    """Read the directories that hang on another one."""
    stream.seek(0)
    head = stream.read(4)
    order = "<" if head[:2] == b"II" else ">"
    is_big = 43 in head[2:]
    for at in of.get(SUB_DIRECTORIES, ()):
        yield from _chain(stream, order, is_big, at, most=1)


def _chain(
    stream: IO[bytes], order: str, is_big: bool, at: int, most: int = MOST_DIRECTORIES
) -> Iterator[Directory]:
    count_format, entry_format, next_format = ("Q", "HHQ8s", "Q") if is_big else ("H", "HHI4s", "I")
    size = struct.calcsize(order + entry_format)
    seen: set[int] = set()
    while at and at not in seen and len(seen) < most:
        seen.add(at)
        try:
            stream.seek(at)
            (count,) = struct.unpack(
                order + count_format, stream.read(struct.calcsize(order + count_format))
            )
            entries = stream.read(min(count, 4096) * size)
            (at,) = struct.unpack(
                order + next_format, stream.read(struct.calcsize(order + next_format))
            )
        except (struct.error, OSError, ValueError, OverflowError):
            return
        yield {
            tag: _values(stream, order, kind, number, value)
            for tag, kind, number, value in struct.iter_unpack(
                order + entry_format, entries[: len(entries) // size * size]
            )
            if tag in _WANTED and kind in _TYPES
        }


def _values(stream: IO[bytes], order: str, kind: int, count: int, value: bytes) -> tuple[int, ...]:
    count = min(count, _MOST_VALUES)
    form = f"{order}{count}{_TYPES[kind]}"
    size = struct.calcsize(form)
    try:
        if size > len(value):
            (at,) = struct.unpack(order + ("Q" if len(value) == 8 else "I"), value)
            stream.seek(at)
            value = stream.read(size)
        return struct.unpack(form, value[:size])
    except (struct.error, OSError, ValueError, OverflowError):
        return ()
