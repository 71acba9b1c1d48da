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
# By the TIFF specification: a preview of another page, a mask for one.
_REDUCED_OR_MASK, _OLD_REDUCED = 1 | 4, 2
# A preview that is not marked as one has its picture's proportion, but for rounding.
_SAME_SHAPE = 0.03


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


def is_marked(new_subfile: int, old_subfile: int = 0) -> bool:
    """Return whether a page is marked as the preview of another one, or as a mask for one.

    Args:
        new_subfile: the value of its NEW_SUBFILE, 0 where it has none.
        old_subfile: of its OLD_SUBFILE, in the same way.
    """
    return bool(new_subfile & _REDUCED_OR_MASK) or old_subfile == _OLD_REDUCED


def is_small_copy(size_wh: tuple[int, int], of_wh: tuple[int, int]) -> bool:
    """Return whether a page is, by its size, an unmarked preview of another: half as wide at most.

    Args:
        size_wh: of the page, in pixels, neither 0.
        of_wh: of the other one.
    """
    (width, height), (full_width, full_height) = size_wh, of_wh
    has_its_shape = abs(width * full_height / (height * full_width) - 1) <= _SAME_SHAPE
    return has_its_shape and 2 * width <= full_width
