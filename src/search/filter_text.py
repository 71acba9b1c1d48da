"""Filters as people type them: `tag:dog>=0.8 kind:object or not (media:video at:0:30..1:00)`.

    filter     one part, or several with `or` between them
    part       conditions side by side: all of them hold
    condition  key:value, key>=value, key<=value, key>value or key<value, where a colon may stand
               before the sign; `not` or a dash before it turns it round, a plus says nothing; a
               filter in brackets is a condition, too
    value      text; in quotation marks where it holds a space or a sign of this grammar, and two
               of them stand for one inside; "a,b" is any of both, and "a..b" is from a to b

docs/search.md lists the keys.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

# the conditions there are register in it
import src.search.copy_leaves as _copy_leaves  # noqa: F401
import src.search.leaves as _leaves  # noqa: F401
import src.search.media_leaves as _media_leaves  # noqa: F401
from src.errors import QueryError
from src.search.filters import EVERYTHING, LEAVES, Filter, Leaf, Not, all_of, any_of
from src.search.tokens import OPEN, Piece, pieces

# A person types fewer; SQLite has a limit on both.
MOST_CONDITIONS = 1000
DEEPEST = 50
# A condition, and what was probably meant as one: quality=0.9, height>200.
_NAMES = re.compile(r"([A-Za-z][A-Za-z_]+)[:=<>](?!//).", re.DOTALL)


def parse_filter(text: str) -> Filter:
    """Read a filter; an empty one leaves everything.

    Raises:
        QueryError: it is no filter, and why.
    """
    return filter_of(list(pieces(text)))


def filter_of(found: Sequence[Piece]) -> Filter:
    """Read a filter in pieces.

    Raises:
        QueryError: it is no filter, and why.
    """
    if len(found) > MOST_CONDITIONS:
        raise QueryError(f"a filter has at most {MOST_CONDITIONS:,} words and conditions")
    for piece in found:
        if piece.is_unclosed:
            raise QueryError(
                f'a quotation mark in "{piece.whole()}" is not closed; two of them ("") stand for '
                "one",
                piece.span,
                "this quotation mark is not closed",
            )
    return _Reader(found).read() if found else EVERYTHING


def is_condition(piece: Piece) -> bool:
    """Return whether a piece begins with the key of a condition that there is."""
    return _meant(_without_sign(piece)) is not None


def _meant(piece: Piece) -> type[Leaf] | None:
    match = _NAMES.match(piece.text)
    return None if match is None else LEAVES.get(match[1].lower())


def _without_sign(piece: Piece) -> Piece:
    return replace(piece, text=piece.text[1:]) if piece.text.startswith(("-", "+")) else piece


class _Reader:
    """Goes through the pieces of one filter."""

    def __init__(self, found: Sequence[Piece]) -> None:
        self._pieces = [*found]
        self._at = self._depth = 0

    def read(self) -> Filter:
        found = self._either()
        if self._at < len(self._pieces):
            raise QueryError(
                "a bracket is closed that was never opened", self._pieces[self._at].span
            )
        return found

    def _either(self) -> Filter:
        parts = [self._together()]
        while self._is_next("or"):
            self._at += 1
            parts.append(self._together())
        return any_of(parts)

    def _together(self) -> Filter:
        parts = [self._one()]
        while self._at < len(self._pieces) and not self._is_next("or", ")"):
            if self._is_next("and"):
                self._at += 1
            parts.append(self._one())
        return all_of(parts)

    def _one(self) -> Filter:
        if self._at == len(self._pieces) or self._is_next(")", "or", "and"):
            last = self._pieces[max(0, self._at - 1)]
            before = f'after "{last.whole()}"' if self._at else "at the start"
            raise QueryError(
                f"a condition is missing {before}, such as tag:dog; see docs/search.md",
                last.span,
                f"a condition is missing {before}",
            )
        piece, self._at = self._pieces[self._at], self._at + 1
        if piece != OPEN and not _is_word(piece, "not"):
            return _condition(piece)
        self._depth += 1
        if self._depth > DEEPEST:
            raise QueryError(
                f"a filter has at most {DEEPEST} brackets inside each other", piece.span
            )
        found = Not(self._one()) if piece != OPEN else self._in_brackets()
        self._depth -= 1
        return found

    def _in_brackets(self) -> Filter:
        first = self._at
        found = self._either()
        if not self._is_next(")"):
            raise QueryError(
                f'the bracket before "{self._pieces[first].whole()}" is not closed',
                self._pieces[first - 1].span,
                "this bracket is not closed",
            )
        self._at += 1
        return found

    def _is_next(self, *words: str) -> bool:
        return self._at < len(self._pieces) and any(
            _is_word(self._pieces[self._at], word) for word in words
        )


def _is_word(piece: Piece, word: str) -> bool:
    return piece.text.lower() == word


def _condition(piece: Piece) -> Filter:
    bare = _without_sign(piece)
    found = bare.key_and_value()
    if found is None:
        meant = _meant(bare)
        how = f"{_examples()}, and so on" if meant is None else meant.example
        raise QueryError(
            f'"{piece.whole()}" is no condition; one is written {how}',
            piece.span,
            f"a condition is written {how}",
        )
    key, value = found
    if key not in LEAVES:
        raise QueryError(
            f'there is no condition "{key}:"; there are {", ".join(sorted(LEAVES))}',
            piece.span,
            f'there is no condition "{key}:"',
        )
    try:
        condition = LEAVES[key].read(value)
    except QueryError as exc:
        raise QueryError(f'in "{piece.whole()}", {exc}', piece.span, exc.short) from exc
    return Not(condition) if piece.text.startswith("-") else condition


def _examples() -> str:
    return ", ".join(LEAVES[key].example for key in ("tag", "kind", "quality"))
