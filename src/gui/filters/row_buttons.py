"""Which conditions of a filter the buttons of the filter row understand, and what they say then.

A filter is a tree; what holds for all segments that it leaves are the conditions at its top. A
button owns those of them that it can change, and what none owns stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from src.gui.filters.periods import Days, days_of, short_words
from src.search.filters import EVERYTHING, And, Filter, Or, all_of, any_of, conditions_of
from src.search.leaves import KindIs, MediaKindIs, Tagged, TakenIn
from src.search.media_leaves import InFolder, TakenAfter, TakenBefore, TakenWith
from src.search.range_leaves import Quality, Share, Size


@dataclass(frozen=True)
class RowButton:
    """A button of the filter row.

    Attributes:
        key: what the code calls it.
        name: what it says while it asks for nothing.
        short: the same where there is little room.
        owned: keeps those conditions of several that belong to it.
        said: says what they ask for, behind the name.
    """

    key: str
    name: str
    short: str
    owned: Callable[[Sequence[Filter]], Sequence[Filter]]
    said: Callable[[Filter], str]


def split(where: Filter, buttons: Sequence[RowButton]) -> tuple[dict[str, Filter], Filter]:
    """Divide a filter among buttons.

    Returns:
        What belongs to each button that owns anything, by its key; and the rest.
    """
    rest = list(conditions_of(where))
    owned: dict[str, Filter] = {}
    for button in buttons:
        if mine := button.owned(rest):
            owned[button.key] = all_of(mine)
            rest = [each for each in rest if not any(each is its for its in mine)]
    return owned, all_of(rest)


def unowned(where: Filter, buttons: Sequence[RowButton]) -> Filter:
    """Return what of a filter no button shows."""
    return split(where, buttons)[1]


def with_condition(where: Filter, button: RowButton, condition: Filter | None) -> Filter:
    """Put another condition in the place of what belongs to a button; None takes it away."""
    parts = conditions_of(where)
    mine = button.owned(parts)
    if condition is None:
        condition = And()
    changed, is_placed = list[Filter](), False
    for part in parts:
        if not any(part is each for each in mine):
            changed.append(part)
        elif not is_placed:
            changed.append(condition)
            is_placed = True
    return all_of(changed if is_placed else [*changed, condition])


# -- what the buttons own


def _first(*kinds: type[Filter]) -> Callable[[Sequence[Filter]], list[Filter]]:
    """Own the first condition of some kinds; a second one would be another choice."""

    def owned(parts: Sequence[Filter]) -> list[Filter]:
        return [each for each in parts if isinstance(each, kinds)][:1]

    return owned


def _dates(parts: Sequence[Filter]) -> list[Filter]:
    return [each for each in parts if isinstance(each, TakenIn | TakenAfter | TakenBefore)]


def _folders(parts: Sequence[Filter]) -> list[Filter]:
    """Own the first condition that names folders of which one is enough."""
    return [each for each in parts if folders_chosen(each)][:1]


def _tags(parts: Sequence[Filter]) -> list[Filter]:
    """Own one condition that any of some tags fits, or several that one tag each fits."""
    found = [p for p in parts if isinstance(p, Tagged) and p.names and not p.min_confidence]
    if found and len(found[0].names) > 1:
        return [found[0]]
    return [each for each in found if len(each.names) == 1]


@dataclass(frozen=True)
class TagChoice:
    """The tags chosen, and whether a segment must have all of them."""

    names: tuple[str, ...] = ()
    needs_all: bool = False

    def condition(self) -> Filter:
        if self.needs_all:
            return all_of([Tagged((name,)) for name in self.names])
        return Tagged(self.names) if self.names else EVERYTHING


def tag_choice(condition: Filter) -> TagChoice:
    """Read what belongs to the button of the tags."""
    found = [each for each in conditions_of(condition) if isinstance(each, Tagged)]
    return TagChoice(tuple(name for each in found for name in each.names), len(found) > 1)


def days_chosen(condition: Filter) -> Days:
    """Read what belongs to the button of the dates: the days that are in all of them."""
    dates = (TakenIn, TakenAfter, TakenBefore)
    found = [days_of(each) for each in conditions_of(condition) if isinstance(each, dates)]
    return reduce(Days.__and__, found, Days(None, None))


def folders_chosen(condition: Filter) -> tuple[str, ...]:
    """Read what belongs to the button of the folders; empty where anything else is in it."""
    parts = condition.parts if isinstance(condition, Or) else (condition,)
    folders = tuple(each.folder for each in parts if isinstance(each, InFolder))
    return folders if len(folders) == len(parts) else ()


def in_folders(folders: Sequence[str]) -> Filter:
    """Write that a media file is in one of some folders; without any it may be anywhere."""
    return any_of([InFolder(folder) for folder in folders]) if folders else EVERYTHING


# -- what they say


def _said_of_tags(condition: Filter) -> str:
    choice = tag_choice(condition)
    return few(choice.names, " and " if choice.needs_all else ", ")


def _said_of_dates(condition: Filter) -> str:
    return short_words(days_chosen(condition))


def _said_of_quality(condition: Filter) -> str:
    assert isinstance(condition, Quality)
    return range_words(condition.least, condition.most, condition.is_strict, "{:.2f}")


def said_of_size(condition: Filter) -> str:
    """Say "≥ 64 px" or, of the frame, "≥ 10%"."""
    assert isinstance(condition, Size | Share)
    times, unit = (1, " px") if isinstance(condition, Size) else (100, "%")
    least, most = (None if e is None else e * times for e in (condition.least, condition.most))
    return range_words(least, most, condition.is_strict) + unit


def _said_of_folders(condition: Filter) -> str:
    return few([last_part(folder) for folder in folders_chosen(condition)])


def _said_of_cameras(condition: Filter) -> str:
    assert isinstance(condition, TakenWith)
    return few(condition.cameras)


def _named(words: Mapping[str, str]) -> Callable[[Filter], str]:
    def said(condition: Filter) -> str:
        assert isinstance(condition, KindIs | MediaKindIs)
        return few([words.get(value, value) for value in condition.values])

    return said


def few(names: Sequence[str], between: str = ", ") -> str:
    """Name two at most: "cat, dog", "cat +2"; none where nothing can fit."""
    if len(names) > 2:
        return f"{names[0]} +{len(names) - 1}"
    return between.join(names) or "none"


def last_part(folder: str) -> str:
    """Return the name of a folder without those that it lies in; a drive's root as it is."""
    return folder.replace("\\", "/").rstrip("/").rpartition("/")[2] or folder


def range_words(
    least: float | None, most: float | None, is_strict: bool = False, written: str = "{:g}"
) -> str:
    """Say a range of numbers: "≥ 64", "64–128"."""
    if least is None or most is None:
        signs = "><" if is_strict else "≥≤"
        end = least if most is None else most
        return f"{signs[least is None]} {written.format(end)}"
    low, high = written.format(least), written.format(most)
    return low if low == high else f"{low}–{high}"


KINDS = {"object": "objects", "frame": "whole images"}
MEDIA_KINDS = {"image": "photos", "video": "videos"}

KIND = RowButton("kind", "Kind", "Kind", _first(KindIs), _named(KINDS))
TAG = RowButton("tag", "Tag", "Tag", _tags, _said_of_tags)
DATE = RowButton("date", "Date", "Date", _dates, _said_of_dates)
SIZE = RowButton("size", "Size", "Size", _first(Size, Share), said_of_size)
QUALITY = RowButton("quality", "Mask quality", "Quality", _first(Quality), _said_of_quality)
MEDIA = RowButton("media", "Media", "Media", _first(MediaKindIs), _named(MEDIA_KINDS))
FOLDER = RowButton("folder", "Folder", "Folder", _folders, _said_of_folders)
CAMERA = RowButton("camera", "Camera", "Camera", _first(TakenWith), _said_of_cameras)

SEGMENT_BUTTONS = (KIND, TAG, DATE, SIZE, QUALITY, MEDIA, FOLDER, CAMERA)
# A media file has no kind, size or mask of its own.
MEDIA_BUTTONS = (TAG, DATE, MEDIA, FOLDER, CAMERA)
