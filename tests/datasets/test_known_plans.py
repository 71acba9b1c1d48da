"""A plan is made once, and anew once something is written to the library."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.database import giving_up
from src.database.metadata_db import MetadataDatabase
from src.dataset_events import DatasetWritten
from src.datasets import known_plans
from src.datasets.known_plans import KnownPlans
from src.datasets.plan import DatasetPlan
from src.datasets.preview import preview_of
from src.errors import GivenUp, OptionError
from src.records import Tag
from src.search.recipe import Recipe
from tests.datasets.drawn_library import a_mask, add_photo
from tests.datasets.exporting import export_dataset


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


def test_what_changes_after_it_was_planned_costs_itself(
    metadata: MetadataDatabase, photo: str, tmp_path: Path
) -> None:
    """A file is removed, another one changed, and a third one leaves the library while it runs."""
    for number, name in enumerate("bcd"):
        path = tmp_path / f"{name}.png"
        segment_id = add_photo(metadata, path, [a_mask((8, 8, 30, 30))], number + 1)[1]
        metadata.add_tags(segment_id, [Tag("dog", 1.0, "human")], "human")
    ids = {media.path.name: media.id for media in metadata.all_media()}
    plan = KnownPlans(metadata).plan(Recipe(format="coco"))
    assert preview_of(metadata, plan).images == 4
    (tmp_path / "b.png").unlink()
    (tmp_path / "c.png").write_bytes((tmp_path / "a.png").read_bytes())
    export = export_dataset(metadata, tmp_path / "d", Recipe(format="coco"))
    events = [next(export)]
    metadata.remove_media(ids["d.png"])
    events += export
    (written,) = [event for event in events if isinstance(event, DatasetWritten)]
    assert set(written.unread) == {tmp_path / "b.png", tmp_path / "c.png"}
    assert written.images == {None: 1}
    assert [path.name for path in (tmp_path / "d" / "images").iterdir()] == ["a.png"]


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


def test_what_is_not_wanted_or_wrong_is_not_planned(
    metadata: MetadataDatabase, photo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving_up, "ASK_EVERY_STEPS", 1)
    plans = KnownPlans(metadata)
    with pytest.raises(GivenUp):
        plans.plan(Recipe(), wanted=lambda: False)
    with pytest.raises(OptionError):
        plans.plan(Recipe(format="coco", options={"masks": "as drawn"}))
    assert plans.plan(Recipe()).labels == {"dog": 1}
