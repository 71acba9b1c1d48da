"""Classes of a recipe beside tags that are in none of them, and its seed."""

from __future__ import annotations

import pytest

from src.errors import QueryError
from src.search.recipe import (
    ClassRule,
    Recipe,
    checked_recipe,
    classes_of,
    parse_classes,
    with_other_tags,
)

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


def test_a_seed_is_one_that_a_library_can_keep() -> None:
    assert checked_recipe(Recipe(seed=-(2**63))).seed == -(2**63)
    with pytest.raises(QueryError, match="seed: 9223372036854775808 is not a whole number"):
        checked_recipe(Recipe(seed=2**63))
