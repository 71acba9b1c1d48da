"""The conditions there are on segments. A new one is a class here, or anywhere: see Leaf."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypeVar

from src.database.conditions import Condition, one_by_one
from src.database.media_facts import FILE_NAME
from src.database.rows import LISTED
from src.database.text_normalization import casefold_key
from src.errors import QueryError
from src.records import SegmentKind
from src.search.filters import Filter, Leaf, Not, all_of, any_of, leaf
from src.search.tokens import Value, as_number, as_range, in_quotes, number

_End = TypeVar("_End", str, float)


def on_media(sql: str) -> str:
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
    """

    values: tuple[str, ...]
    sql: ClassVar[str]

    def condition(self) -> Condition:
        return Condition(self.sql.format(LISTED), (json.dumps(self.values),))

    @classmethod
    def read(cls, value: Value) -> Filter:
        return cls.of(value.listed())

    @classmethod
    def of(cls, values: tuple[str, ...]) -> Filter:
        """Make the condition of values as they are typed.

        Raises:
            QueryError: one of them is none of the choices.
        """
        for each in values:
            if cls.choices and each not in cls.choices:
                raise QueryError(f'{cls.key} is {" or ".join(cls.choices)}, not "{each}"')
        return cls(values)

    def written(self) -> str:
        return f":{_list(self.values)}"


@leaf("kind", "kind:object")
class KindIs(_OneOf):
    """The segment is a whole frame, or an object in one; read with it are kinds of media, too."""

    sql, choices = "s.kind IN {}", ("frame", "object", "photo", "video")

    @classmethod
    def read(cls, value: Value) -> Filter:
        texts = tuple("photo" if each == "image" else each for each in value.listed())
        cls.of(texts)
        kinds = tuple(each for each in texts if each in ("frame", "object"))
        media = tuple("image" if each == "photo" else each for each in texts if each not in kinds)
        return any_of(
            [
                *([cls(kinds)] if kinds or not media else []),
                *([MediaKindIs(media)] if media else []),
            ]
        )


@leaf("origin", "origin:human")
class OriginIs(_OneOf):
    """The segment was made by SAM, a person, an import or a tracker."""

    sql, choices = "s.origin IN {}", ("sam", "human", "imported", "tracker")


@leaf("media", "media:video")
class MediaKindIs(_OneOf):
    """The segment is of an image, or of a video."""

    sql, choices = on_media("kind IN {}"), ("image", "video")

    @classmethod
    def read(cls, value: Value) -> Filter:
        return cls.of(tuple("image" if each == "photo" else each for each in value.listed()))

    def __str__(self) -> str:
        if not self.values:
            return super().__str__()
        return f"kind:{','.join('photo' if each == 'image' else each for each in self.values)}"


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
            on_media(f"instr(casefold_key({self.sql}), ?)"), (casefold_key(self.text),)
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

    sql = FILE_NAME


_DATE = re.compile(r"(\d{4})(-\d\d)?(?:(?<=-\d\d)(-\d\d))?(?:(?<=-\d\d-\d\d)(T\d\d:\d\d(:\d\d)?))?")


@leaf("taken", "taken:2020..2021")
@dataclass(frozen=True)
class TakenIn(Leaf):
    """The photo or film was taken in a time, by the clock that its camera was set to.

    What no capture time is known of was taken in none.

    Attributes:
        first: a year, month, day or moment: 2020, 2020-05, 2020-05-31, 2020-05-31T10:00.
        last: the same; all of it belongs to the time.
        is_strict: whether the end does not belong to it; only where one is given.
    """

    first: str | None = None
    last: str | None = None
    is_strict: bool = False

    def condition(self) -> Condition:
        # dates are stored as ISO 8601, so the beginnings of two of them are in their order
        parts, values = ["captured_at GLOB '[0-9][0-9][0-9][0-9]*'"], list[object]()
        for end, sign in _ends(self.first, self.last, self.is_strict):
            parts.append(f"substr(captured_at, 1, {len(end)}) {sign} ?")
            values.append(end)
        return Condition(on_media(" AND ".join(parts)), tuple(values))

    @classmethod
    def read(cls, value: Value) -> Filter:
        return cls(*value.range(read_date), value.is_strict)

    def written(self) -> str:
        return as_range(self.first, self.last, self.is_strict)


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
        given = _ends(self.least, self.most, self.is_strict)
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


@leaf("duplicate", "duplicate:no")
@dataclass(frozen=True)
class Duplicate(Leaf):
    """The segment's crop is the same file, byte for byte, as that of one that came before."""

    choices = ("yes", "no")

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


def _list(texts: tuple[str, ...]) -> str:
    return ",".join(in_quotes(text) for text in texts) or "none"


def _ends(least: _End | None, most: _End | None, is_strict: bool) -> list[tuple[_End, str]]:
    """Give the ends of a range that there are, each with its sign in SQL."""
    equal = "" if is_strict else "="
    ends = [(least, f">{equal}"), (most, f"<{equal}")]
    return [(end, sign) for end, sign in ends if end is not None]


def _percent(share: float) -> str:
    """Write a share of 0 to 1 as percents; nothing where they would be read as another."""
    text = f"{as_number(round(100 * share, 9))}%"
    return text if number(text) == share else ""


def read_date(text: str) -> str:
    """Read a year, month, day or moment.

    Raises:
        QueryError: it is none.
    """
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
