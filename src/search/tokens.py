"""The text of queries and filters in pieces: words, values in quotation marks, brackets."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

from src.errors import QueryError

Sign = Literal[":", ">=", "<=", ">", "<"]
_T = TypeVar("_T")

_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_HOLE = re.compile("\0(\\d+)\0")
# A condition begins so. A drive (C:) and an address (http://) do not, and are words.
_CONDITION = re.compile(r"([A-Za-z][A-Za-z_]+)(:?[<>]=?|:)(?!//)(.+)", re.DOTALL)
_PLAIN = re.compile(r"[\w./\\'+#&!?;*$%~][\w./\\'+#&!?;*$%~-]*")


@dataclass(frozen=True)
class Piece:
    """What stands between two spaces or brackets, or is a bracket itself.

    Attributes:
        text: each part in quotation marks is a hole in it, so that no sign in there is read.
        quoted: what the holes hold, in order.
        span: from where to where it stands in the whole text.
        is_unclosed: whether a quotation mark in it is never closed, and so is a letter.
    """

    text: str
    quoted: tuple[str, ...] = ()
    span: tuple[int, int] = field(default=(0, 0), compare=False)
    is_unclosed: bool = field(default=False, compare=False)

    def whole(self, part: str | None = None) -> str:
        """Fill the holes of a part of the text, or of all of it."""
        return _HOLE.sub(
            lambda hole: self.quoted[int(hole[1])], self.text if part is None else part
        )

    def key_and_value(self) -> tuple[str, Value] | None:
        """Split `key:value`; None where it is a word."""
        match = _CONDITION.fullmatch(self.text)
        if match is None:
            return None
        key, sign, value = match.groups()
        if sign != ":":
            sign = sign.removeprefix(":")
        return key.lower(), Value(self, key.lower(), sign, value)  # type: ignore[arg-type]


OPEN, CLOSE = Piece("("), Piece(")")


@dataclass(frozen=True)
class Value:
    """What stands behind a key: the sign between them, and the text with its holes."""

    piece: Piece
    key: str
    sign: Sign
    text: str

    def only(self) -> str:
        """Take it as one text.

        Raises:
            QueryError: the sign is another than a colon.
        """
        if self.sign != ":":
            raise QueryError(f'"{self.key}" is followed by a colon, as in {self.key}:…')
        return self.piece.whole(self.text)

    def listed(self) -> tuple[str, ...]:
        """Take it as texts with commas between them; the bare word "none" is an empty list.

        Raises:
            QueryError: one of them is empty, or the sign is another than a colon.
        """
        self.only()
        if self.text == "none":
            return ()
        texts = tuple(self.piece.whole(part) for part in self.text.split(","))
        if not all(texts):
            raise QueryError(f'a comma in "{self.key}:…" has nothing on one of its sides')
        return texts

    def range(self, read: Callable[[str], _T]) -> tuple[_T | None, _T | None]:
        """Take it as a range: `>=a`, `<=b`, `:a..b`, `:a..`, `:..b`, `:a`, `>a`, `<b`.

        Both ends are in it, but for that of `>a` and `<b`; see is_strict.

        Args:
            read: reads one end.

        Raises:
            QueryError: there is no end, or one can't be read.
        """
        low, dots, high = self.text.partition("..")
        if not dots:
            low, high = ("" if "<" in self.sign else low), ("" if ">" in self.sign else low)
        elif self.sign != ":":
            raise QueryError(f'"{self.key}" has a range behind a colon: {self.key}:a..b')
        ends = [read(self.piece.whole(end)) if end else None for end in (low, high)]
        if ends == [None, None]:
            raise QueryError(f'the range in "{self.key}:…" has no end')
        return ends[0], ends[1]

    @property
    def is_strict(self) -> bool:
        """Whether the one end of its range is not in it."""
        return self.sign in ("<", ">")

    def with_least(self) -> tuple[Value, float]:
        """Take a number off its end: `a>=0.5`; 0 where there is none."""
        text, sign, least = self.text.partition(">=")
        return Value(self.piece, self.key, self.sign, text), number(least) if sign else 0.0


def pieces(text: str) -> Iterator[Piece]:
    """Split a text at its spaces and brackets.

    A bracket counts at the beginning of a word, and where it closes such a one.

    Raises:
        QueryError: it holds what is no text.
    """
    if "\0" in text:
        at = text.index("\0")
        raise QueryError("this text holds a character that is none; type it anew", (at, at + 1))
    at, depth = 0, 0
    while at < len(text):
        if text[at].isspace():
            at += 1
        elif text[at] == "(":
            yield replace(OPEN, span=(at, at + 1))
            at, depth = at + 1, depth + 1
        elif text[at] == ")" and depth:
            yield replace(CLOSE, span=(at, at + 1))
            at, depth = at + 1, depth - 1
        else:
            piece = _piece(text, at, in_brackets=depth > 0)
            yield piece
            at = piece.span[1]


def _piece(text: str, start: int, in_brackets: bool) -> Piece:
    at, found, quoted, is_unclosed = start, "", list[str](), False
    while at < len(text) and not text[at].isspace() and not (in_brackets and text[at] == ")"):
        match = None
        if text[at] == '"' and (
            found in ("", "-", "+") or found[-1] in ":,=<>" or found.endswith("..")
        ):
            match = _QUOTED.match(text, at)
            is_unclosed |= match is None
        if match is not None:
            found += f"\0{len(quoted)}\0"
            quoted.append(match[1].replace('""', '"'))
            at = match.end()
        else:
            found += text[at]
            at += 1
    return Piece(found, tuple(quoted), (start, at), is_unclosed)


def in_quotes(text: str, always: bool = False) -> str:
    """Write a value, in quotation marks where it would be read otherwise."""
    if not always and _PLAIN.fullmatch(text) and ".." not in text and text != "none":
        return text
    return '"{}"'.format(text.replace('"', '""'))


def number(text: str) -> float:
    """Read a number; "10%" is 0.1.

    Raises:
        QueryError: it is none.
    """
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise QueryError(f'"{text}" is no number')
    return value


def as_number(value: float) -> str:
    """Write a number so that it is read as the same."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def as_range(low: str | None, high: str | None, is_strict: bool = False) -> str:
    """Write a range with the sign before it; see Value.range."""
    equal = "" if is_strict else "="
    if high is None:
        return f">{equal}{low}"
    if low is None:
        return f"<{equal}{high}"
    return f":{low}" if low == high else f":{low}..{high}"
