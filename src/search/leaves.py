"""The conditions there are on segments. A new one is a class here, or anywhere: see Leaf."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from src.database.conditions import Condition, one_by_one
from src.database.media_facts import FILE_NAME
from src.database.rows import LISTED
from src.database.text_normalization import casefold_key
from src.errors import QueryError
from src.records import SegmentKind
from src.search.filters import Filter, Leaf, Not, all_of, any_of, leaf
from src.search.range_leaves import Quality, ends_given
from src.search.tokens import Value, as_number, as_range, in_quotes


def on_media(sql: str) -> str:
    """Write a condition on media_files, which is then looked into once and not for each segment."""
    media = f"SELECT id FROM media_files WHERE {sql}{one_by_one('id = media_file_id')}"
    return _on_frames(f"media_file_id IN ({media})")


def _on_frames(sql: str) -> str:
    """Write a condition on frames."""
    return f"s.frame_id IN (SELECT id FROM frames WHERE {sql}{one_by_one('id = s.frame_id')})"


# Nearly always one tag has a name, and no segment has it twice: its rows are counted. The segments
# of several are made a list of, so that one that has two of them counts once.
_OF_TAGS = f"SELECT id FROM tags WHERE casefold_key(name) IN {LISTED.replace('?', '?1')}"
_WITH_TAGS = f"FROM segment_tags WHERE tag_id IN ({_OF_TAGS}) AND confidence >= ?2"
_COUNT_TAGGED = (
    f"SELECT CASE WHEN (SELECT count(*) FROM ({_OF_TAGS})) < 2 THEN (SELECT count(*) {_WITH_TAGS})"
    f" ELSE (SELECT count(*) FROM (SELECT DISTINCT segment_id {_WITH_TAGS})) END"
)


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
            _COUNT_TAGGED,
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


@dataclass(frozen=True)
class _Numbered(Leaf):
    """Something is one of those named by their numbers.

    Attributes:
        what: "a media file", for what a number is not.
    """

    ids: tuple[int, ...]
    what: ClassVar[str]

    @classmethod
    def read(cls, value: Value) -> Filter:
        ids = value.listed()
        for each in ids:
            if not re.fullmatch(r"\d{1,18}", each, re.ASCII):
                raise QueryError(f'{cls.key} is the number of {cls.what}, not "{each}"')
        return cls(tuple(int(each) for each in ids))

    def written(self) -> str:
        return f":{_list(tuple(map(str, self.ids)))}"


@leaf("file", "file:12")
class MediaFileIs(_Numbered):
    """The segment is of one of the media files named by id."""

    what = "a media file"

    def condition(self) -> Condition:
        return Condition(_on_frames(f"media_file_id IN {LISTED}"), (json.dumps(self.ids),))


@leaf("track", "track:12")
class TrackIs(_Numbered):
    """The segment is in one of the tracks named by id."""

    what = "a track"

    def condition(self) -> Condition:
        return Condition(f"s.track_id IN {LISTED}", (json.dumps(self.ids),))


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
        for end, sign in ends_given(self.first, self.last, self.is_strict):
            parts.append(f"substr(captured_at, 1, {len(end)}) {sign} ?")
            values.append(end)
        return Condition(on_media(" AND ".join(parts)), tuple(values))

    @classmethod
    def read(cls, value: Value) -> Filter:
        return cls(*value.range(read_date), value.is_strict)

    def written(self) -> str:
        return as_range(self.first, self.last, self.is_strict)


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
