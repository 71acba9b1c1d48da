"""Which classes a segment is exported under."""

from __future__ import annotations

import pytest

from src.database.text_normalization import casefold_key
from src.datasets.labels import ACCEPTED_TOGETHER, EQUALLY_SURE, SEVERAL, LabelRules
from src.errors import QueryError
from src.records import Tag
from src.search.filter_text import parse_filter
from src.search.recipe import (
    Recipe,
    classes_text,
    parse_classes,
    recipe_from_json,
    recipe_to_json,
)

CAR, TRUCK = Tag("car", 0.6, "auto"), Tag("Truck", 0.8, "auto")
MINE, THEIRS = Tag("dog", 1.0, "human"), Tag("dog", 1.0, "imported")
CARRIED = Tag("cat", 0.7, "propagated")


def labels(recipe: Recipe, *tags: Tag, one_label: bool = False) -> tuple[set[str], LabelRules]:
    classes = recipe.classes or parse_classes("car; truck; dog; cat")
    of_tag = {casefold_key(tag): rule.name for rule in classes for tag in rule.tags}
    rules = LabelRules(recipe, of_tag, one_label)
    return {tag.name for tag in rules.labels_of(tags)}, rules


@pytest.mark.parametrize(
    ("whose", "kept"),
    [
        ("all", {"car", "dog", "cat"}),
        ("people", {"dog"}),
        ("accepted", {"dog", "cat"}),
        ("models", {"car", "cat"}),
        ("people first", {"dog"}),
    ],
)
def test_whose_labels_they_are(whose: str, kept: set[str]) -> None:
    recipe = Recipe(labels=whose)  # type: ignore[arg-type]
    assert labels(recipe, CAR, MINE, CARRIED)[0] == kept
    assert labels(recipe, CAR)[0] == (set() if whose in ("people", "accepted") else {"car"})
    assert labels(recipe, THEIRS)[0] == (set() if whose == "models" else {"dog"})


def test_tags_are_merged_and_renamed_and_the_surest_stands_for_a_class() -> None:
    recipe = Recipe(classes=parse_classes("car, truck -> vehicle\n dog"))
    found, rules = labels(recipe, CAR, TRUCK, CARRIED)
    assert found == {"vehicle"} and not rules.left_out
    (vehicle,) = rules.labels_of([CAR, TRUCK])
    assert vehicle == Tag("vehicle", 0.8, "auto")


def test_what_is_left_out_is_counted_by_its_reason_and_class() -> None:
    found, rules = labels(Recipe(min_confidence=0.7), CAR, TRUCK, MINE)
    assert found == {"truck", "dog"}
    assert rules.left_out_of == {"car": 1} and rules.left_out.total() == 1


def test_what_was_accepted_together_is_not_left_out_of_peoples_labels_in_silence() -> None:
    found, rules = labels(Recipe(labels="people"), CAR, MINE, CARRIED)
    assert found == {"dog"}
    assert rules.left_out == {ACCEPTED_TOGETHER: 1} and rules.left_out_of == {"cat": 1}


def test_one_class_of_several() -> None:
    assert labels(Recipe(several="surest"), CAR, TRUCK)[0] == {"truck"}
    assert labels(Recipe(several="surest"), TRUCK, MINE)[0] == {"dog"}
    assert labels(Recipe(), TRUCK, MINE, one_label=True)[0] == {"dog"}
    found, rules = labels(Recipe(several="none"), CAR, TRUCK)
    assert not found and rules.left_out == {SEVERAL: 1}
    found, rules = labels(Recipe(several="surest"), MINE, Tag("cat", 1.0, "human"))
    assert not found and rules.left_out == {EQUALLY_SURE: 1}
    assert rules.left_out_of == {"dog": 1, "cat": 1}


def test_classes_are_read_as_they_are_written() -> None:
    text = "car, truck -> vehicle\ndog\nhund -> dog two"
    rules = parse_classes(text)
    assert [(rule.name, rule.tags) for rule in rules] == [
        ("vehicle", ("car", "truck")),
        ("dog", ("dog",)),
        ("dog two", ("hund",)),
    ]
    assert classes_text(rules) == text and parse_classes("  ") == ()
    assert parse_classes("a, b") == parse_classes("a; b")
    assert parse_classes("a -> x; b -> x")[0].tags == ("a", "b")


@pytest.mark.parametrize("text", ["-> x", "car ->", "car -> a -> b", "car; Car -> x", ", -> y"])
def test_what_is_no_list_of_classes_is_said(text: str) -> None:
    with pytest.raises(QueryError):
        parse_classes(text)


def test_a_recipe_is_text_and_back() -> None:
    recipe = Recipe(
        parse_filter('tag:"a dog" or in:holiday'),
        parse_filter("quality>=0.8"),
        "people first",
        0.5,
        parse_classes("car, truck -> vehicle"),
        "surest",
        "crops",
        False,
        True,
        100,
        "80/10/10",
        7,
        "coco",
        {"b": 1, "a": "x"},
    )
    assert recipe_from_json(recipe_to_json(recipe)) == recipe
    assert recipe_from_json("{}") == Recipe()
    for wrong in ("[]", "{", '{"colour": 1}', '{"labels": "mine"}', '{"min_confidence": 2}'):
        with pytest.raises(QueryError):
            recipe_from_json(wrong)
