"""What of a filter belongs to which button, and what it says there; without a window."""

from __future__ import annotations

import pytest

from src.gui.filters.periods import taken_in
from src.gui.filters.row_buttons import (
    DATE,
    MEDIA_BUTTONS,
    SEGMENT_BUTTONS,
    TAG,
    TagChoice,
    days_chosen,
    in_folders,
    split,
    tag_choice,
    unowned,
    with_condition,
)
from src.search.filter_text import parse_filter
from src.search.filters import EVERYTHING
from src.search.leaves import Tagged, TakenIn
from src.search.range_leaves import Quality

NAMES = {button.key: button for button in SEGMENT_BUTTONS}


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        ("kind:object", "kind", "objects"),
        ("kind:frame", "kind", "whole images"),
        ("kind:photo", "media", "photos"),
        ("tag:cat,dog", "tag", "cat, dog"),
        ("tag:cat tag:dog", "tag", "cat and dog"),
        ("tag:cat,dog,hen", "tag", "cat +2"),
        ("taken:2024-03..2024-09", "date", "Mar–Sep 2024"),
        ("after:2024-03-01 before:2024-10", "date", "Mar–Sep 2024"),
        ("taken>2023 taken<2025", "date", "2024"),
        ("after:2024-03-05T10:00", "date", "from 5 Mar 2024"),
        ("before:0001", "date", "until 1 Jan 1"),
        ("size:>64px", "size", "> 64 px"),
        ("size:64px..128px", "size", "64–128 px"),
        ("size>=10%", "size", "≥ 10%"),
        ("quality>=0.9", "quality", "≥ 0.90"),
        ("in:/photos/holiday/", "folder", "holiday"),
        ("in:a or in:b", "folder", "a, b"),
        ("camera:canon", "camera", "canon"),
    ],
)
def test_a_button_says_what_belongs_to_it(text: str, key: str, said: str) -> None:
    owned, rest = split(parse_filter(text), SEGMENT_BUTTONS)
    assert {key: said} == {each: NAMES[each].said(found) for each, found in owned.items()}
    assert rest == EVERYTHING


@pytest.mark.parametrize(
    "text",
    ["-tag:cat", "tag:cat>=0.5", "kind:object or tag:cat", "in:a or tag:cat", "path:x", ""],
)
def test_what_no_button_understands_is_left(text: str) -> None:
    where = parse_filter(text)
    assert split(where, SEGMENT_BUTTONS) == ({}, where)


def test_a_second_condition_of_a_kind_is_left() -> None:
    where = parse_filter("kind:object path:x quality>=0.9 in:a in:b kind:frame")
    assert str(unowned(where, SEGMENT_BUTTONS)) == "path:x in:b kind:frame"
    assert str(unowned(where, MEDIA_BUTTONS)) == "kind:object path:x quality>=0.9 in:b kind:frame"


def test_another_choice_takes_the_place_of_the_one_before() -> None:
    where = parse_filter("after:2024 path:x before:2025 tag:cat")
    changed = with_condition(where, DATE, TakenIn("2023", "2023"))
    assert str(changed) == "taken:2023 path:x tag:cat"
    assert str(with_condition(changed, TAG, None)) == "taken:2023 path:x"
    assert str(with_condition(changed, DATE, EVERYTHING)) == "path:x tag:cat"
    assert str(with_condition(EVERYTHING, TAG, Tagged(("cat",)))) == "tag:cat"
    assert str(with_condition(changed, NAMES["quality"], Quality(0.0))) == str(changed)


def test_choices_are_written_as_they_are_read() -> None:
    for text in ("tag:cat", "tag:cat,dog", "tag:cat tag:dog"):
        assert str(tag_choice(parse_filter(text)).condition()) == text
    assert TagChoice().condition() == TagChoice((), needs_all=True).condition() == EVERYTHING
    assert str(in_folders(["a", "b"])) == "in:a or in:b" and in_folders([]) == EVERYTHING
    days = days_chosen(parse_filter("after:2024-03 before:2024-10"))
    assert str(taken_in(days)) == "taken:2024-03..2024-09"
