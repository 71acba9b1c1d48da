"""Attributes of a label as people type them."""

from __future__ import annotations

import pytest

from src.gui.label.attribute_row import number_of
from src.gui.label.attribute_text import parse_attributes, write_attributes
from src.label_records import LabelAttribute

BOTH = [LabelAttribute("size", "choice", ("small", "large")), LabelAttribute("age", "number")]


def test_what_is_written_is_read_back() -> None:
    assert write_attributes(BOTH) == "size: small, large\nage: number"
    assert parse_attributes(write_attributes(BOTH)) == BOTH
    assert parse_attributes("\n  size :small,, large ,small\n\nage:number\n") == BOTH
    assert parse_attributes("") == []


@pytest.mark.parametrize("line", ["size", "size:", ": small", "size: ,"])
def test_a_line_that_is_wrong_is_named(line: str) -> None:
    with pytest.raises(ValueError, match=r"^Line 2: write a name, a colon"):
        parse_attributes(f"age: number\n{line}")


def test_no_attribute_is_there_twice() -> None:
    with pytest.raises(ValueError, match=r"^Line 2: “age” is there already"):
        parse_attributes("age: number\nage: old, young")


def test_numbers_are_read_as_people_type_them() -> None:
    assert number_of(" 1,5 ") == 1.5 and number_of("-2") == -2 and number_of(" ") is None
    for text in ("many", "nan", "inf"):
        with pytest.raises(ValueError, match=r"\S"):
            number_of(text)
