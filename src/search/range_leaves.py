"""Conditions on numbers: at least so much, at most so much, or both."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from src.database.conditions import Condition
from src.errors import QueryError
from src.search.filters import Filter, Leaf, leaf
from src.search.tokens import Value, as_number, as_range, number

_End = TypeVar("_End", str, float)


@dataclass(frozen=True)
class _Within(Leaf):
    """A number is in a range, with both ends in it; None is no end.

    Attributes:
        is_strict: whether the end is not in it; only where one is given.
        sql: the number.
        read_end, write_end: an end as text.
    """

    least: float | None = None
    most: float | None = None
    is_strict: bool = False
    sql: ClassVar[str]
    read_end: ClassVar = staticmethod(number)
    write_end: ClassVar = staticmethod(as_number)

    def condition(self) -> Condition:
        given = ends_given(self.least, self.most, self.is_strict)
        return Condition(
            " AND ".join(f"{self.sql} {sign} ?" for _, sign in given) or "1",
            tuple(end for end, _ in given),
        )

    @classmethod
    def read(cls, value: Value) -> Filter:
        return cls(*value.range(cls.read_end), value.is_strict)

    def written(self) -> str:
        low, high = (
            None if end is None else self.write_end(end) for end in (self.least, self.most)
        )
        return as_range(low, high, self.is_strict)


@leaf("at", "at:0:30..1:00")
class AtTime(_Within):
    """The frame lies in a part of its video, in seconds; an image lies in none."""

    sql = "f.timestamp_s"

    @staticmethod
    def read_end(text: str) -> float:
        return _seconds(text)

    @staticmethod
    def write_end(end: float) -> str:
        return _clock(end)


@leaf("width", "width>=200")
class Width(_Within):
    """The width of the segment's box, in pixels of its frame."""

    sql = "s.w"


@leaf("height", "height>=200")
class Height(_Within):
    """The height of the segment's box, in pixels of its frame."""

    sql = "s.h"


@leaf("pixels", "pixels>=5000")
class Pixels(_Within):
    """The pixels of the segment's mask."""

    sql = "s.area"


@leaf("share", "share>=10%")
class Share(_Within):
    """The share of its frame that the segment's mask takes, 0 to 1."""

    sql = "CAST(s.area AS REAL) / (f.width * f.height)"

    def __str__(self) -> str:
        low, high = (None if end is None else _percent(end) for end in (self.least, self.most))
        if "" in (low, high):  # an end that is no number of percents
            return super().__str__()
        return f"size{as_range(low, high, self.is_strict)}"


@leaf("size", "size>64px")
class Size(_Within):
    """The longer side of the segment's box, in pixels; in percents it is read as Share."""

    sql = "max(s.w, s.h)"

    @classmethod
    def read(cls, value: Value) -> Filter:
        return Share.read(value) if value.text.endswith("%") else super().read(value)

    @staticmethod
    def read_end(text: str) -> float:
        return number(text.removesuffix("px"))

    @staticmethod
    def write_end(end: float) -> str:
        return f"{as_number(end)}px"


@leaf("quality", "quality>=0.9")
class Quality(_Within):
    """SAM's predicted_iou of the mask; whole frames, which have no mask, always pass."""

    sql = "s.predicted_iou"

    def __bool__(self) -> bool:
        return (self.least or 0) > 0 or self.is_strict or self.most is not None

    def condition(self) -> Condition:
        condition = super().condition()
        return Condition(f"(s.predicted_iou IS NULL OR {condition.sql})", condition.values)


def ends_given(least: _End | None, most: _End | None, is_strict: bool) -> list[tuple[_End, str]]:
    """Give the ends of a range that there are, each with its sign in SQL."""
    equal = "" if is_strict else "="
    ends = [(least, f">{equal}"), (most, f"<{equal}")]
    return [(end, sign) for end, sign in ends if end is not None]


def _percent(share: float) -> str:
    """Write a share of 0 to 1 as percents; nothing where they would be read as another."""
    text = f"{as_number(round(100 * share, 9))}%"
    return text if number(text) == share else ""


def _seconds(text: str) -> float:
    """Read 90, 1:30 or 0:01:30."""
    if not re.fullmatch(r"(\d+:){0,2}\d+(\.\d+)?", text, re.ASCII):
        raise QueryError(f'"{text}" is no time in a video; write 90, 1:30 or 0:01:30')
    seconds = 0.0
    for part in text.split(":"):
        seconds = 60 * seconds + float(part)
    return seconds


def _clock(seconds: float) -> str:
    if seconds != int(seconds):
        return as_number(seconds)  # sixty times a fraction might be another
    minutes, left = divmod(int(seconds), 60)
    return f"{minutes}:{left:02}"
