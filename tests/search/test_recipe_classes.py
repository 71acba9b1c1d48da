"""Classes of a recipe beside tags that are in none of them."""

from __future__ import annotations

import pytest

from src.search.recipe import ClassRule, classes_of, parse_classes, with_other_tags

VEHICLE = ClassRule("vehicle", ("car", "bus"))


@pytest.mark.parametrize(
    ("text", "tags", "wanted"),
    [
        ("", ("b", "A"), classes_of("A", "b")),
        ("car, bus -> vehicle", ("Car", "dog"), (*classes_of("dog"), VEHICLE)),
        ("lorry -> truck", ("Truck", "lorry"), (ClassRule("truck", ("lorry", "Truck")),)),
    ],
)
def test_each_tag_is_in_one_class(
    text: str, tags: tuple[str, ...], wanted: tuple[ClassRule, ...]
) -> None:
    assert with_other_tags(parse_classes(text), tags) == wanted
