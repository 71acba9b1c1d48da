"""What the export dialog asks of the library, and what it says of the answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from src.dataset_events import DatasetWritten
from src.export_records import ExportPreview
from src.gui.dialogs.export_count import Asked, count, ticked_again
from src.gui.dialogs.export_details import details_lines
from src.gui.dialogs.export_outcome import rows_of
from src.search.recipe import ClassRule, Recipe, classes_of, parse_classes

SPLIT = Recipe(split="80/10/10")
MERGED = parse_classes("car, truck -> vehicle")


class Library:
    """Counts one annotation of each class."""

    def __init__(self) -> None:
        self.asked: list[Recipe] = []

    def export_preview(self, recipe: Recipe, wanted: object) -> ExportPreview:
        self.asked.append(recipe)
        names = [rule.name for rule in recipe.classes] or ["car", "dog"]
        return ExportPreview(
            dict.fromkeys(names, 1), {"truck": 1} if not recipe.classes else {}, 1, 1
        )


def counted(asked: Asked) -> tuple[Any, list[Recipe]]:
    library: Any = Library()
    return count(library, asked, lambda: True), library.asked


def test_all_is_counted_once() -> None:
    found, asked = counted(Asked(SPLIT))
    assert asked == [SPLIT] and found.preview is found.everything
    assert found.tags == ("car", "dog", "truck")


def test_what_is_not_ticked_is_counted_too_without_the_split() -> None:
    found, asked = counted(Asked(SPLIT, ticked=("dog",)))
    assert asked == [Recipe(), replace(SPLIT, classes=classes_of("dog"))]
    assert set(found.preview.written) == {"dog"} and set(found.everything.written) == {"car", "dog"}


def test_tags_are_merged_before_they_are_ticked() -> None:
    found, asked = counted(Asked(SPLIT, MERGED, ("vehicle",)))
    every = (ClassRule("dog", ("dog",)), *MERGED)
    assert [each.classes for each in asked] == [(), every, MERGED]
    assert set(found.everything.written) == {"dog", "vehicle"}


def test_with_nothing_ticked_nothing_is_written() -> None:
    found, asked = counted(Asked(SPLIT, ticked=()))
    assert not found.preview.written and found.everything.written and asked == [Recipe()]


@pytest.mark.parametrize("ticked", [None, ("dog", "vehicle")])
def test_the_recipe_has_all_tags_where_some_are_merged(ticked: tuple[str, ...] | None) -> None:
    recipe = Asked(SPLIT, MERGED, ticked).with_classes(("car", "dog", "truck"))
    assert recipe == replace(SPLIT, classes=(ClassRule("dog", ("dog",)), *MERGED))


def test_details_are_said_in_groups() -> None:
    lines = details_lines(("it is small",), {"few": 2, "many": 9}, {Path("/a/b.jpg"): "is gone"})
    assert [text for text, is_heading in lines if is_heading] == [
        "Please note",
        "Skipped",
        "Could not be read",
    ]
    assert [text for text, is_heading in lines if not is_heading] == [
        "It is small.",
        "9  many",
        "2  few",
        "b.jpg: is gone",
    ]
    assert details_lines((), {}, {}) == []


def test_what_was_read_back_is_listed_by_split() -> None:
    written = DatasetWritten(
        Path("there"), "COCO", "image", {"test": 1, "train": 8}, {"train": {"a": 2, "b": 3}}, {}, {}
    )
    assert rows_of(written) == [("Train", "8 images", "5 labels"), ("Test", "1 image", "0 labels")]
    whole = replace(written, images={None: 3}, labels={None: {"a": 1}}, file="crop")
    assert rows_of(whole) == [("In all", "3 crops", "1 label")]


def test_what_is_ticked_stays_so_when_classes_are_merged_and_parted() -> None:
    ticked = ticked_again({"Car", "dog"}, (), MERGED)
    assert ticked == {"vehicle", "dog"}
    assert ticked_again(ticked, MERGED, ()) == {"car", "truck", "dog"}
    assert ticked_again(set(), (), MERGED) == set()
