"""Whole searches as people type them: `a red car -striped 0.5:like:"night.jpg" tag:dog`.

    condition        of a filter, with its brackets, `not` and `or`: see src/search/filter_text.py
    -word -"words"   what hits are to be unlike; +word and +"words" are like a sentence of their own
    2:word 2:"words" words that weigh twice as much; "words"^2 is the same
    like:"FILE"      an image, or a video's first frame; with #xywh=10,20,300,200 behind it only
                     that part, as in W3C's Media Fragments URI 1.0
    like:segment:ID  a segment; signs and weights go with each `like`
    "a" with "b"     hits are like the first, in frames that hold something like the second, too;
                     both are words in quotation marks or any other of the terms above
    anything else    words as they are typed, which are searched for together

What has no other meaning is words, so a sentence is one term, whatever is in it. Refused is only
what names a condition that there is, or `like`, and is none. docs/search.md has examples.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from src.errors import QueryError
from src.search.filter_text import filter_of, is_condition
from src.search.filters import Filter
from src.search.query import NO_WEIGHT_BESIDE, ImageFile, Like, Query, Term, Words
from src.search.tokens import CLOSE, OPEN, Piece, as_number, in_quotes, number, pieces

# Each is embedded; a person types fewer.
MOST_TERMS = 100
HOW_LIKE = 'it is written like:"photo.jpg", like:"photo.jpg"#xywh=x,y,w,h or like:segment:ID'

_NUMBER = r"(?:\d+(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?"
_SIGNED = rf"(?P<sign>[-+]?)(?:(?P<before>{_NUMBER}):)?"
_WEIGHT = rf"(?:\^(?P<behind>{_NUMBER}))?"
# A word that has a sign or a weight begins with a letter: 10:30 and -5 are words as they stand.
_WORDS = re.compile(rf"{_SIGNED}(?P<text>\0\d+\0|[^\W\d_][^\0]*?){_WEIGHT}")
_PHRASE = re.compile(r"\0\d+\0")
_LIKE = re.compile(
    rf"{_SIGNED}like:(?:segment:(?P<id>[^#^]+)"
    rf"|(?!segment:)(?P<path>.+?)(?:\#xywh=(?P<box>-?\d+,-?\d+,\d+,\d+))?){_WEIGHT}",
    re.ASCII | re.DOTALL | re.IGNORECASE,
)
_NAMES_LIKE = re.compile(rf"{_SIGNED}like:(?!//).", re.DOTALL | re.IGNORECASE)
_BARE = re.compile(r"[^\W\d_][\w'’-]*")

# What a piece of the text is a part of; "joint" is an `and` that could be left out as well.
_Role = Literal["words", "term", "filter", "joint"]


def parse_query(text: str, limit: int = 10) -> Query:
    """Read a search.

    Args:
        limit: of hits; it is no part of the text.

    Raises:
        QueryError: what names a condition or `like` can't be read, and why.
    """
    found = list(pieces(text))
    named = [_term(piece) for piece in found]
    behind_with = _mark_with(found, named)
    roles = _roles(found, named, behind_with)
    beside: list[Term] = []
    terms: list[Term | None] = []  # None for the words, until all of them are known
    runs: list[tuple[int, int]] = []
    for number_of, (piece, term, role) in enumerate(zip(found, named, roles, strict=True)):
        if term is not None and role == "term" and number_of in behind_with:
            if term.weight != 1:
                raise QueryError(NO_WEIGHT_BESIDE, piece.span)
            beside.append(term)
        elif role == "term":
            terms.append(term)
        elif role == "words" and number_of and roles[number_of - 1] == "words":
            runs[-1] = runs[-1][0], piece.span[1]
        elif role == "words":
            terms += [] if runs else [None]
            runs.append(piece.span)
    if len(terms) + len(beside) > MOST_TERMS:
        raise QueryError(f"a search has at most {MOST_TERMS} parts")
    words = Words(" ".join(text[start:end] for start, end in runs))
    return Query(
        tuple(words if term is None else term for term in terms),
        _filter([piece for piece, role in zip(found, roles, strict=True) if role == "filter"]),
        limit,
        beside=tuple(beside),
    )


def write_query(query: Query) -> str:
    """Write a search so that parse_query reads the same terms and filter.

    Raises:
        QueryError: an image in it is no file.
    """
    parts = [*map(_written, query.terms), str(query.filter)]
    if query.beside:
        parts[0] = " with ".join([parts[0], *map(_written, query.beside)])
    whole = _joined(parts)
    for number_of, term in enumerate(query.terms):
        if number_of == 0 and query.beside:
            continue  # a sentence ends with no "with"
        if isinstance(term, Words) and term.weight == 1:
            bare = _joined([*parts[:number_of], term.text, *parts[number_of + 1 :]])
            return bare if _is_read_as(bare, query) else whole
    return whole


def _is_read_as(text: str, query: Query) -> bool:
    try:
        read = parse_query(text)
    except QueryError:
        return False
    return (read.terms, read.filter) == (query.terms, query.filter)


def _joined(parts: Sequence[str]) -> str:
    return " ".join(part for part in parts if part)


def _mark_with(found: Sequence[Piece], named: list[Term | None]) -> set[int]:
    """Find the terms that stand behind a "with"; what is in quotation marks beside one is a term.

    Args:
        found: the pieces.
        named: the terms among them, where phrases are added.
    """

    def term_at(i: int) -> Term | None:
        is_phrase = _PHRASE.fullmatch(found[i].text)
        return Words(found[i].whole()) if is_phrase else named[i]

    behind = set()
    for i in range(1, len(found) - 1):
        before, after = term_at(i - 1), term_at(i + 1)
        if _is_word(found[i], "with") and before is not None and after is not None:
            named[i - 1], named[i + 1] = before, after
            behind.add(i + 1)
    return behind


def _roles(
    found: Sequence[Piece], named: Sequence[Term | None], behind_with: set[int]
) -> list[_Role]:
    """Tell what each piece is a part of.

    Raises:
        QueryError: `or` or `not` stands where there is nothing for it to join or to turn round.
    """
    roles: list[_Role] = [
        "term" if term is not None else "filter" if is_condition(piece) else "words"
        for piece, term in zip(found, named, strict=True)
    ]
    for i in behind_with:
        roles[i - 1] = "joint"
    unclosed = _mark_brackets(found, roles)
    for i in reversed(range(len(found) - 1)):
        if roles[i] != "words" or not (i in unclosed or _is_word(found[i], "not")):
            continue
        if roles[i + 1] == "filter":
            roles[i] = "filter"
        elif roles[i + 1] == "term" and i not in unclosed:
            raise QueryError(
                f'before "{found[i + 1].whole()}" a dash is written, and not the word "not"',
                found[i].span,
                'write a dash instead of "not"',
            )
    for i, piece in enumerate(found):
        beside = [roles[j] for j in (i - 1, i + 1) if 0 <= j < len(found)]
        if roles[i] != "words" or not {"filter", "term"} & set(beside):
            continue
        if _is_word(piece, "and"):
            roles[i] = "joint"
        elif _is_word(piece, "or"):
            if beside != ["filter", "filter"]:
                around = _joined([each.whole() for each in found[max(0, i - 1) : i + 2]])
                raise QueryError(
                    f'in "{around}", "or" does not stand between two conditions, and only these '
                    "can be joined with it",
                    piece.span,
                    '"or" joins conditions only, as in tag:dog or tag:cat',
                )
            roles[i] = "filter"
    return roles


def _mark_brackets(found: Sequence[Piece], roles: list[_Role]) -> set[int]:
    """Give brackets round a condition to the filter; round mere words they are letters.

    Returns:
        Where there are brackets that are never closed.
    """
    opened, around, named = list[tuple[int, int]](), list[tuple[int, int]](), 0
    for i, piece in enumerate(found):
        named += roles[i] != "words"
        if piece == OPEN:
            opened.append((i, named))
        elif piece == CLOSE and opened:
            start, named_before = opened.pop()
            if named > named_before:
                while around and around[-1][0] > start:
                    around.pop()  # brackets inside these
                around.append((start, i))
    for start, end in around:
        for i in range(start, end + 1):
            roles[i] = "filter"
    return {i for i, _ in opened}


def _is_word(piece: Piece, word: str) -> bool:
    return piece.text.lower() == word


def _filter(found: Sequence[Piece]) -> Filter:
    try:
        return filter_of(found)
    except QueryError as exc:
        raise QueryError(
            f"{exc}; to search for it as words, put it in quotation marks", exc.span, exc.short
        ) from exc


def _term(piece: Piece) -> Term | None:
    """Read a term that is written with a sign or a name; None where a piece is none.

    Raises:
        QueryError: it is a `like` that can't be read, or has a weight that can't be.
    """
    try:
        if _NAMES_LIKE.match(piece.text):
            return _like(piece)
        if is_condition(piece):
            return None
        match = _WORDS.fullmatch(piece.text)
        weight = None if match is None else _weight(match)
        if match is None or weight is None:  # quotation marks alone are those of a sentence
            return None
        bare = replace(piece, text=match["text"])
        if not (match["sign"] or match["before"] or _PHRASE.fullmatch(bare.text)):
            return None  # as in x^2
        if is_condition(bare):
            raise QueryError("a condition has no weight")
        return Words(bare.whole(), weight=weight)
    except QueryError as exc:
        raise QueryError(str(exc), piece.span, exc.short) from exc


def _like(piece: Piece) -> Term:
    match = _LIKE.fullmatch(piece.text)
    if match is None or piece.is_unclosed or "#xywh" in (match["path"] or ""):
        raise QueryError(f'"{piece.whole()}" can\'t be read; {HOW_LIKE}', short=HOW_LIKE)
    given = _weight(match)
    weight = 1.0 if given is None else given
    if match["id"]:
        return Like(piece.whole(match["id"]), weight=weight)
    box = None
    if match["box"]:
        x, y, w, h = map(int, match["box"].split(","))
        box = x, y, w, h
    return ImageFile(Path(piece.whole(match["path"])), box, weight=weight)


def _weight(match: re.Match[str]) -> float | None:
    """Give the weight that is written with a term; None where neither a sign nor a number is.

    Raises:
        QueryError: there are two of them.
    """
    sign, before, behind = match["sign"], match["before"], match["behind"]
    if not (sign or before or behind):
        return None
    if before and behind:
        raise QueryError(f"this has two weights, {before} and {behind}")
    return (-1 if sign == "-" else 1) * number(before or behind or "1")


def _written(term: Term) -> str:
    if isinstance(term, Words):
        is_bare = abs(term.weight) != 1 or term.weight < 0
        text = in_quotes(term.text, always=not (is_bare and _BARE.fullmatch(term.text)))
    elif isinstance(term, Like):
        text = f"like:segment:{in_quotes(term.segment_id, always=True)}"
    elif isinstance(term, ImageFile):
        text = f"like:{in_quotes(str(term.path), always=True)}"
        if term.box_xywh is not None:
            text += "#xywh={},{},{},{}".format(*term.box_xywh)
    else:
        raise QueryError("an image that is in no file can't be written down; save it first")
    weight = "" if abs(term.weight) == 1 else f"{as_number(abs(term.weight))}:"
    sign = "+" if isinstance(term, Words) and term.weight == 1 else ""
    return f"{'-' if term.weight < 0 else sign}{weight}{text}"
