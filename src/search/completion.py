"""What may follow what a person types in the entry of a search: fields, their values, tags."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

# all conditions register in it
import src.search.filter_text as _filter_text  # noqa: F401
from src.database.text_normalization import casefold_key
from src.search.filters import LEAVES
from src.search.tokens import in_quotes

MOST_SUGGESTIONS = 8
MOST_FIELDS = 4
MONTHS = range(1, 13)

_FIELD = re.compile(r"([A-Za-z][A-Za-z_]+)(:?[<>]=?|:)(?!//)(.*)", re.DOTALL)
_OPENS_QUOTE = re.compile(r"(?:^|[-+:,=<>])$")
_REST, _REST_QUOTED = re.compile(r'[^\s()"]*'), re.compile(r'[^"]*"')
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
# Where a name may be begun to be typed: at each of its words, and at a sign before the first.
_BEGINNING = re.compile(r"\b\w|^\W")
# What may stand before a condition without making the text a sentence.
_TERM = re.compile(r'(?:[-+]|\d[^ ]*:).+|.*"|\(|or|and|not', re.DOTALL | re.IGNORECASE)
# Fields that show what is of which kind of names.
_FOLDER_KEYS, _DATE_KEYS = ("in", "path"), ("after", "before", "taken")
_LIKE = ("like", "like:photo.jpg")

SuggestionKind = Literal["field", "value", "tag", "label", "folder", "camera", "date", "recent"]


class Suggestion(NamedTuple):
    """What may stand in the place of what was typed.

    Attributes:
        note: a count, an example of a field, or a key.
        colour: of a label, "#RRGGBB".
    """

    text: str
    kind: SuggestionKind
    note: str
    colour: str = ""


@dataclass(frozen=True)
class Completion:
    """Suggestions, and the span of the text in whose place each of them goes."""

    span: tuple[int, int]
    suggestions: tuple[Suggestion, ...] = ()


class Names:
    """Names with counts, found by the beginning of any of their words; most first."""

    def __init__(self, counts: Iterable[tuple[str, int]] = ()) -> None:
        self.counts = sorted(counts, key=lambda item: (-item[1], item[0]))
        words = sorted(
            (casefold_key(name[word.start() :]), place)
            for place, (name, _) in enumerate(self.counts)
            for word in _BEGINNING.finditer(name)
        )
        self._words = [word for word, _ in words]
        self._places = np.array([place for _, place in words], np.int64)

    def beginning(self, typed: str, n: int) -> list[tuple[str, int]]:
        """Find up to n names of which a word begins so, those with the highest counts first."""
        if not typed:
            return self.counts[:n]
        key = casefold_key(typed)
        first = bisect_left(self._words, key)
        last = bisect_left(self._words, key + "\U0010ffff")
        places, enough = self._places[first:last], 4 * n
        while True:
            if enough >= len(places):
                best = np.unique(places)[:n]
            else:  # a name may be among them with several of its words
                best = np.unique(np.partition(places, enough)[:enough])[:n]
            if len(best) == n or enough >= len(places):
                return [self.counts[place] for place in best]
            enough *= 4


NO_NAMES = Names()


@dataclass(frozen=True)
class SearchFacts:
    """What is in a library that a search can name; made once and asked at every key.

    Attributes:
        tags: with the segments of each.
        folders, cameras: with the media files of each.
        captured: the first and the last day on which a file was taken; None where none is known.
        recent: searches, the last one first.
    """

    tags: Names = NO_NAMES
    folders: Names = NO_NAMES
    cameras: Names = NO_NAMES
    captured: tuple[str, str] | None = None
    recent: tuple[str, ...] = ()


def complete(text: str, cursor: int, facts: SearchFacts) -> Completion:
    """Suggest what may stand where the cursor is.

    An empty entry gets the recent searches. A condition that is begun gets its values. Any other
    word gets the tags that begin so, and where it is in no sentence the fields, too.

    Args:
        cursor: of how many characters it stands behind.
    """
    if not text.strip():
        found = [Suggestion(each, "recent", "") for each in facts.recent]
        return Completion((0, len(text)), tuple(found[:MOST_SUGGESTIONS]))
    start, is_quoted = _start_of_piece(text, cursor)
    before = text[:start]
    start += text[start:cursor].startswith(("-", "+"))
    typed = text[start:cursor]
    rest = (_REST_QUOTED if is_quoted else _REST).match(text, cursor)
    end = cursor if rest is None else rest.end()
    match = _FIELD.fullmatch(typed)
    if match is not None and (match[1].lower() in LEAVES or match[1].lower() == "like"):
        # of values with commas between them it is the last
        bare = _QUOTED.sub(lambda quoted: "_" * len(quoted[0]), match[3])
        comma = bare.rfind(",", 0, bare.find('"') if is_quoted else len(bare)) + 1
        value = match[3][comma:]
        start = cursor - len(value)
        value = value.strip('"').replace('""', '"')
        return Completion((start, end), _values(match[1].lower(), match[2], value, facts))
    if not typed or is_quoted or '"' in typed:
        return Completion((cursor, cursor))
    return Completion((start, end), _words(typed, _is_in_sentence(before), facts))


def _start_of_piece(text: str, cursor: int) -> tuple[int, bool]:
    """Find where the piece begins that the cursor is in, and whether that is inside quotes."""
    start = at = 0
    while at < cursor:
        if text[at] == '"' and _OPENS_QUOTE.search(text[start:at]):
            match = _QUOTED.match(text, at)
            if match is None or match.end() > cursor:
                return start, True
            at = match.end()
        else:
            at += 1
            if text[at - 1].isspace() or (text[at - 1] == "(" and at - 1 == start):
                start = at
    return start, False


def _is_in_sentence(before: str) -> bool:
    """Return whether words stand before: such that a condition is not expected behind them."""
    words = before.split()
    if not words or _TERM.fullmatch(words[-1]):
        return False
    match = _FIELD.fullmatch(words[-1].lstrip("(-+"))
    return match is None or match[1].lower() not in (*LEAVES, "like")


def _words(typed: str, is_in_sentence: bool, facts: SearchFacts) -> tuple[Suggestion, ...]:
    found = list[Suggestion]()
    if not is_in_sentence:
        examples = [*((key, leaf.example) for key, leaf in LEAVES.items()), _LIKE]
        found += [
            Suggestion(f"{key}:", "field", example)
            for key, example in examples
            if key.startswith(typed.lower())
        ][:MOST_FIELDS]
    if not is_in_sentence or len(typed) > 1:
        found += [
            Suggestion(f"tag:{in_quotes(name)}", "tag", f"{count:,}")
            for name, count in facts.tags.beginning(typed, MOST_SUGGESTIONS - len(found))
        ]
    return tuple(found)


def _values(key: str, sign: str, typed: str, facts: SearchFacts) -> tuple[Suggestion, ...]:
    """Suggest values of a field; none where the only one is what was typed."""
    found: Sequence[Suggestion]
    if key in _DATE_KEYS:
        found = [Suggestion(each, "date", "") for each in _dates(typed, facts.captured)]
    elif sign != ":":
        return ()
    elif key == "tag":
        found = _named("tag", facts.tags, typed)
    elif key in _FOLDER_KEYS:
        found = _named("folder", facts.folders, typed)
    elif key == "camera":
        found = _named("camera", facts.cameras, typed)
    else:
        choices = LEAVES[key].choices if key in LEAVES else ()
        found = [Suggestion(each, "value", "") for each in choices if each.startswith(typed)]
    if len(found) == 1 and found[0].text == in_quotes(typed):
        return ()
    return tuple(found[:MOST_SUGGESTIONS])


def _named(kind: SuggestionKind, names: Names, typed: str) -> list[Suggestion]:
    return [
        Suggestion(in_quotes(name), kind, f"{count:,}")
        for name, count in names.beginning(typed, MOST_SUGGESTIONS)
    ]


def _dates(typed: str, captured: tuple[str, str] | None) -> list[str]:
    """List the years that begin so, the last one first, or the months of a year that is typed."""
    if captured is None:
        return []
    first, last = captured
    years = range(int(last[:4]), int(first[:4]) - 1, -1)
    if len(typed) < 4:
        found = (f"{year:04}" for year in years if f"{year:04}".startswith(typed))
        return [each for each, _ in zip(found, range(MOST_SUGGESTIONS), strict=False)]
    months = (f"{typed[:4]}-{month:02}" for month in MONTHS)
    return [each for each in months if first[:7] <= each <= last[:7] and each.startswith(typed)]
