"""The conditions there are on segments. A new one is a class here, or anywhere: see Leaf."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from src.database.conditions import Condition, one_by_one
from src.database.duplicate_groups import HIDDEN, IN_A_GROUP
from src.database.rows import LISTED
from src.database.text_normalization import casefold_key
from src.errors import QueryError
from src.records import SegmentKind
from src.search.filters import And, Filter, Leaf, Not, Or, all_of, leaf
from src.search.tokens import Value, as_number, as_range, in_quotes, number


def _on_media(sql: str) -> str:
    """Write a condition on media_files, which is then looked into once and not for each segment."""
    media = f"SELECT id FROM media_files WHERE {sql}{one_by_one('id = media_file_id')}"
    return _on_frames(f"media_file_id IN ({media})")


def _on_frames(sql: str) -> str:
    """Write a condition on frames."""
    return f"s.frame_id IN (SELECT id FROM frames WHERE {sql}{one_by_one('id = s.frame_id')})"


@leaf("tag", "tag:dog>=0.8")
@dataclass(frozen=True)
class Tagged(Leaf):
    """One of some tags is on the segment, with at least a confidence of 0 to 1."""

    names: tuple[str, ...]
    min_confidence: float = 0.0

    def condition(self) -> Condition:
        return Condition(
            "s.id IN (SELECT st.segment_id FROM segment_tags st WHERE st.tag_id IN"
            f" (SELECT id FROM tags WHERE casefold_key(name) IN {LISTED}) AND st.confidence >= ?"
            f"{one_by_one('st.segment_id = s.id')})",
            (json.dumps([casefold_key(name) for name in self.names]), self.min_confidence),
        )

    @classmethod
    def read(cls, value: Value) -> Filter:
        names, least = value.with_least()
        return cls(names.listed(), least)

    def written(self) -> str:
        least = f">={as_number(self.min_confidence)}" if self.min_confidence else ""
        return f":{_list(self.names)}{least}"


@dataclass(frozen=True)
class _OneOf(Leaf):
    """A column has one of some values.

    Attributes:
        sql: the condition, with `{}` for the list of values.
        choices: the values there are; empty for any.
    """

    values: tuple[str, ...]
    sql: ClassVar[str]
    choices: ClassVar[tuple[str, ...]] = ()

    def condition(self) -> Condition:
        return Condition(self.sql.format(LISTED), (json.dumps(self.values),))

    @classmethod
    def read(cls, value: Value) -> Filter:
        values = value.listed()
        for each in values:
            if cls.choices and each not in cls.choices:
                raise QueryError(f'{cls.key} is {" or ".join(cls.choices)}, not "{each}"')
        return cls(values)

    def written(self) -> str:
        return f":{_list(self.values)}"


@leaf("kind", "kind:object")
class KindIs(_OneOf):
    """The segment is a whole frame, or an object in one."""

    sql, choices = "s.kind IN {}", ("frame", "object")


@leaf("origin", "origin:human")
class OriginIs(_OneOf):
    """The segment was made by SAM, a person, an import or a tracker."""

    sql, choices = "s.origin IN {}", ("sam", "human", "imported", "tracker")


@leaf("media", "media:video")
class MediaKindIs(_OneOf):
    """The segment is of an image, or of a video."""

    sql, choices = _on_media("kind IN {}"), ("image", "video")


@leaf("segment", "segment:3f2a")
class SegmentIs(_OneOf):
    """The segment is one of those named by id."""

    sql = "s.id IN {}"


@leaf("file", "file:12")
@dataclass(frozen=True)
class MediaFileIs(Leaf):
    """The segment is of one of the media files named by id."""

    ids: tuple[int, ...]

    def condition(self) -> Condition:
        return Condition(_on_frames(f"media_file_id IN {LISTED}"), (json.dumps(self.ids),))

    @classmethod
    def read(cls, value: Value) -> Filter:
        ids = value.listed()
        for each in ids:
            if not re.fullmatch(r"\d{1,18}", each, re.ASCII):
                raise QueryError(f'file is the number of a media file, not "{each}"')
        return cls(tuple(int(each) for each in ids))

    def written(self) -> str:
        return f":{_list(tuple(map(str, self.ids)))}"


@dataclass(frozen=True)
class _Has(Leaf):
    """A text holds another, in whichever case."""

    text: str
    sql: ClassVar[str]

    def condition(self) -> Condition:
        return Condition(
            _on_media(f"instr(casefold_key({self.sql}), ?)"), (casefold_key(self.text),)
        )

    @classmethod
    def read(cls, value: Value) -> Filter:
        return cls(value.only())

    def written(self) -> str:
        return f":{in_quotes(self.text)}"


@leaf("path", "path:holiday")
class PathHas(_Has):
    """The path of the media file holds a text."""

    sql = "path"


@leaf("name", "name:IMG_20")
class NameHas(_Has):
    """The name of the media file, without its folders, holds a text."""

    # all that is no separator is taken off the end, which leaves the folders
    sql = r"substr(path, length(rtrim(path, replace(replace(path, '/', ''), '\', ''))) + 1)"


_DATE = re.compile(r"(\d{4})(-\d\d)?(?:(?<=-\d\d)(-\d\d))?(?:(?<=-\d\d-\d\d)(T\d\d:\d\d(:\d\d)?))?")


@leaf("taken", "taken:2020..2021")
@dataclass(frozen=True)
class TakenIn(Leaf):
    """The photo or film was taken in a time, by the clock that its camera was set to.

    What no capture time is known of was taken in none.

    Attributes:
        first: a year, month, day or moment: 2020, 2020-05, 2020-05-31, 2020-05-31T10:00.
        last: the same; all of it belongs to the time.
    """

    first: str | None = None
    last: str | None = None

    def condition(self) -> Condition:
        # dates are stored as ISO 8601, so the beginnings of two of them are in their order
        parts, values = ["captured_at GLOB '[0-9][0-9][0-9][0-9]*'"], list[object]()
        for end, sign in ((self.first, ">="), (self.last, "<=")):
            if end is not None:
                parts.append(f"substr(captured_at, 1, {len(end)}) {sign} ?")
                values.append(end)
        return Condition(_on_media(" AND ".join(parts)), tuple(values))

    @classmethod
    def read(cls, value: Value) -> Filter:
        return cls(*value.range(_date))

    def written(self) -> str:
        return as_range(self.first, self.last)


@dataclass(frozen=True)
class _Within(Leaf):
    """A number is in a range, with both ends in it; None is no end.

    Attributes:
        sql: the number.
        read_end, write_end: an end as text.
    """

    least: float | None = None
    most: float | None = None
    sql: ClassVar[str]
    read_end: ClassVar = staticmethod(number)
    write_end: ClassVar = staticmethod(as_number)

    def condition(self) -> Condition:
        ends = [(self.least, ">="), (self.most, "<=")]
        given = [(end, sign) for end, sign in ends if end is not None]
        return Condition(
            " AND ".join(f"{self.sql} {sign} ?" for _, sign in given) or "1",
            tuple(end for end, _ in given),
        )

    @classmethod
    def read(cls, value: Value) -> Filter:
        return cls(*value.range(cls.read_end))

    def written(self) -> str:
        ends = (None if end is None else self.write_end(end) for end in (self.least, self.most))
        return as_range(*ends)


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


@leaf("quality", "quality>=0.9")
class Quality(_Within):
    """SAM's predicted_iou of the mask; whole frames, which have no mask, always pass."""

    sql = "s.predicted_iou"

    def __bool__(self) -> bool:
        return (self.least or 0) > 0 or self.most is not None

    def condition(self) -> Condition:
        condition = super().condition()
        return Condition(f"(s.predicted_iou IS NULL OR {condition.sql})", condition.values)


@leaf("duplicate", "duplicate:no")
@dataclass(frozen=True)
class Duplicate(Leaf):
    """The segment's crop is the same file, byte for byte, as that of one that came before."""

    def condition(self) -> Condition:
        first = "SELECT min(rowid) FROM segments WHERE crop_hash IS NOT NULL GROUP BY crop_hash"
        return Condition(f"(s.crop_hash IS NOT NULL AND s.rowid NOT IN ({first}))")

    @classmethod
    def read(cls, value: Value) -> Filter:
        answer = value.only()
        if answer not in ("yes", "no"):
            raise QueryError(f'duplicate is yes or no, not "{answer}"')
        return cls() if answer == "yes" else Not(cls())

    def written(self) -> str:
        return ":yes"


_STATES = {"duplicate": IN_A_GROUP, "hidden": HIDDEN}


@leaf("is", "is:duplicate")
@dataclass(frozen=True)
class Is(Leaf):
    """The media file is in a group of near-duplicates, or hidden as a copy."""

    states: tuple[str, ...]

    def condition(self) -> Condition:
        parts = (_STATES[state] for state in self.states)
        return Condition(_on_media(f"({' OR '.join(f'id IN ({part})' for part in parts) or 0})"))

    @classmethod
    def read(cls, value: Value) -> Filter:
        states = value.listed()
        for each in states:
            if each not in _STATES:
                raise QueryError(f"is:{each} is not known; write {' or '.join(_STATES)}")
        return cls(states)

    def written(self) -> str:
        return f":{_list(self.states)}"


def without_hidden(where: Filter) -> Filter:
    """Leave hidden copies out, unless a filter asks for duplicates or for hidden ones."""
    return where if _asks_for_copies(where) else where & ~Is(("hidden",))


def _asks_for_copies(where: Filter) -> bool:
    if isinstance(where, Not):
        return _asks_for_copies(where.part)
    if isinstance(where, And | Or):
        return any(_asks_for_copies(part) for part in where.parts)
    return isinstance(where, Is)


def _list(texts: tuple[str, ...]) -> str:
    return ",".join(in_quotes(text) for text in texts) or "none"


def _date(text: str) -> str:
    """Read a year, month, day or moment."""
    text = text.replace(" ", "T")
    try:
        if _DATE.fullmatch(text):
            # what is missing of it is the first of its kind
            datetime.fromisoformat(text + "0001-01-01T00:00:00"[len(text) :])
            return text
    except ValueError:
        pass  # a day that is in no calendar: said below
    raise QueryError(f'"{text}" is no date; write 2020, 2020-05, 2020-05-31 or 2020-05-31T10:00')


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


def segment_filter(
    kinds: tuple[SegmentKind, ...] = (),
    media_file_ids: tuple[int, ...] = (),
    tags: tuple[str, ...] = (),
    min_confidence: float = 0.0,
    segment_ids: tuple[str, ...] | None = None,
    min_predicted_iou: float = 0.0,
) -> Filter:
    """Join the conditions that the program itself asks most; what is empty asks nothing.

    Args:
        tags: each of them is on the segment, with at least `min_confidence`.
    """
    return all_of(
        [
            *([KindIs(kinds)] if kinds else []),
            *([MediaFileIs(media_file_ids)] if media_file_ids else []),
            *(Tagged((tag,), min_confidence) for tag in tags),
            *([] if segment_ids is None else [SegmentIs(segment_ids)]),
            Quality(min_predicted_iou),
        ]
    )
