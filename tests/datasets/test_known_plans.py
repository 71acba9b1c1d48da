"""A plan is made once, and anew once something is written to the library."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.database.metadata_db import MetadataDatabase
from src.datasets import known_plans
from src.datasets.known_plans import KnownPlans
from src.datasets.plan import DatasetPlan
from src.datasets.preview import preview_of
from src.errors import GivenUp, OptionError
from src.records import Tag
from src.search.recipe import Recipe
from tests.datasets.drawn_library import a_mask, add_photo


@pytest.fixture
def photo(metadata: MetadataDatabase, tmp_path: Path) -> str:
    segment_id = add_photo(metadata, tmp_path / "a.png", [a_mask((8, 8, 30, 30))])[1]
    metadata.add_tags(segment_id, [Tag("dog", 1.0, "human")], "human")
    return segment_id


def test_the_same_plan_is_given_until_something_is_written(
    metadata: MetadataDatabase, photo: str
) -> None:
    plans = KnownPlans(metadata)
    first = plans.plan(Recipe(format="coco"))
    assert plans.plan(Recipe(format="coco")) is first
    assert plans.plan(Recipe(format="coco", min_confidence=0.5)) is not first
    assert plans.plan(Recipe(format="coco")) is first
    assert preview_of(metadata, first).written == {"dog": 1}
    metadata.add_tags(photo, [Tag("cat", 1.0, "human")], "human")
    second = plans.plan(Recipe(format="coco"))
    assert second is not first and preview_of(metadata, second).written == {"dog": 1, "cat": 1}


def test_only_the_last_few_are_kept(metadata: MetadataDatabase, photo: str) -> None:
    plans = KnownPlans(metadata)
    first = plans.plan(Recipe())
    for number in range(known_plans._MOST_KEPT):
        plans.plan(Recipe(seed=number + 2))
    assert plans.plan(Recipe()) is not first


def test_a_plan_that_was_made_while_something_was_written_is_not_kept(
    metadata: MetadataDatabase, photo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = KnownPlans(metadata)

    def planned(*arguments: object, **named: object) -> DatasetPlan:
        made = DatasetPlan(*arguments, **named)
        metadata.add_tags(photo, [Tag("cat", 1.0, "human")], "human")
        return made

    with monkeypatch.context() as patch:
        patch.setattr(known_plans, "DatasetPlan", planned)
        first = plans.plan(Recipe())
    assert "cat" not in first.labels and "cat" in plans.plan(Recipe()).labels


def test_what_is_not_wanted_or_wrong_is_not_planned(metadata: MetadataDatabase, photo: str) -> None:
    plans = KnownPlans(metadata)
    with pytest.raises(GivenUp):
        plans.plan(Recipe(), wanted=lambda: False)
    with pytest.raises(OptionError):
        plans.plan(Recipe(format="coco", options={"masks": "as drawn"}))
    assert plans.plan(Recipe()).labels == {"dog": 1}
