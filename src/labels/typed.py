"""What a person types for labels, checked: names, colours, attributes, lists of names."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

from src.database.label_table import AttributeValue
from src.database.text_normalization import casefold_key, normalize_text
from src.errors import MediaReadError, QueryError
from src.label_records import AttributeKind, LabelAttribute
from src.regular_files import read_small

LONGEST_TAG = 80
LARGEST_LIST = 1 << 20  # bytes of a text file with labels
LARGEST_NUMBER = 1e6  # of an attribute's values, either way
_COLOUR = re.compile("#[0-9A-Fa-f]{6}")
_LINE = re.compile(r"(.*?)(?:,\s*(#[0-9A-Fa-f]{6}))?")


def tag_name(text: str) -> str:
    """Bring typed text to the form that names of tags have.

    Raises:
        QueryError: there is none, a very long one, or one that is no text or can't be seen.
    """
    name = normalize_text(text)
    if not name:
        raise QueryError("a tag needs a name")
    kinds = {unicodedata.category(char) for char in name}
    if "Cc" in kinds:
        raise QueryError(f"the tag {name!r} holds a control character; type it anew")
    if kinds <= {"Cf", "Zs"}:
        raise QueryError("a tag needs a name that can be seen")
    if len(name) > LONGEST_TAG:
        raise QueryError(f"a tag has at most {LONGEST_TAG} characters; this one has {len(name):,}")
    return name


def check_colour(colour: str | None) -> None:
    """Check that it is one.

    Raises:
        QueryError: it is not.
    """
    if colour is not None and not _COLOUR.fullmatch(colour):
        raise QueryError(f"{colour!r} is no colour; write it like #E6B450")


def checked_attributes(attributes: Iterable[LabelAttribute]) -> tuple[LabelAttribute, ...]:
    """Return attributes of a label.

    Raises:
        QueryError: one of them is none.
    """
    listed = tuple(
        LabelAttribute(
            normalize_text(each.name), each.kind, tuple(normalize_text(one) for one in each.choices)
        )
        for each in attributes
    )
    for each in listed:
        for text in (each.name, *each.choices):
            if not text or len(text) > LONGEST_TAG or not text.isprintable():
                raise QueryError(
                    f"attributes and their choices need names of 1 to {LONGEST_TAG} characters"
                )
        if each.kind not in get_args(AttributeKind):
            raise QueryError(f"the attribute “{each.name}” is neither a choice nor a number")
        if each.kind == "choice" and not each.choices:
            raise QueryError(f"say what can be chosen for the attribute “{each.name}”")
    if len({each.name for each in listed}) < len(listed):
        raise QueryError("two attributes of a label have the same name")
    return listed


def fitting_value(attribute: LabelAttribute, value: AttributeValue | None) -> AttributeValue | None:
    """Return a value as it is stored.

    Raises:
        QueryError: the attribute can't have it.
    """
    if value is None:
        return None
    if attribute.kind == "choice":
        if value in attribute.choices:
            return str(value)
        listed = ", ".join(attribute.choices)
        raise QueryError(f"“{attribute.name}” can't be {value!r}; it can be: {listed}")
    try:
        number = float(value)
    except (ValueError, TypeError, OverflowError):
        number = math.nan
    if not abs(number) <= LARGEST_NUMBER:
        raise QueryError(
            f"“{attribute.name}” is a number up to {LARGEST_NUMBER:,.0f}, and {value!r} is none"
        )
    return number


def read_names(path: Path) -> dict[str, str | None]:
    """Read the names of a list, with their colours.

    Raises:
        MediaReadError: it can't be read.
        QueryError: lines of it are wrong.
    """
    try:
        lines = read_small(path, LARGEST_LIST).decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror or str(exc) if isinstance(exc, OSError) else "it is no UTF-8 text"
        raise MediaReadError(path, reason) from exc
    found: dict[str, str | None] = {}
    keys, wrong = set[str](), list[str]()
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        assert match is not None
        try:
            name = tag_name(match[1])
        except QueryError as exc:
            wrong.append(f"line {number}: {exc}")
            continue
        if re.search(r",\s*#", name):
            wrong.append(f"line {number}: a colour is written like #E6B450")
        elif casefold_key(name) in keys:
            wrong.append(f"line {number}: “{name}” is there twice")
        else:
            keys.add(casefold_key(name))
            found[name] = match[2]
    if wrong:
        raise QueryError(f"{path}: nothing was imported; {'; '.join(wrong[:10])}")
    if not found:
        raise QueryError(f"{path}: there is no name in it")
    return found
