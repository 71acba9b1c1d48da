"""What an export would write, as it is counted, beside what it writes."""

from __future__ import annotations

import csv
import random
from collections import Counter
from pathlib import Path

import pytest

from src.database import giving_up
from src.database.metadata_db import MetadataDatabase
from src.datasets import preview
from src.errors import ExportError, GivenUp
from src.records import Tag
from src.search.filter_text import parse_filter
from src.search.leaves import segment_filter
from src.search.recipe import Recipe, classes_of
from tests.conftest import add_frame_of_qualities
from tests.datasets.exporting import export_dataset, preview_dataset

TAGS = ("red", "blue", "a/b", "empty")
RECIPES = {
    "everything": Recipe(),
    "sure": Recipe(min_confidence=0.5),
    "labels": Recipe(classes=classes_of("red", "nobody"), min_confidence=0.3),
    "good masks": Recipe(limits=segment_filter(min_predicted_iou=0.6)),
    "a filter": Recipe(parse_filter("tag:blue>=0.4 or name:b.jpg"), min_confidence=0.2),
    "both": Recipe(
        parse_filter("not tag:blue share>=0.01%"), parse_filter("quality>=0.5 taken>=2020 or at<=1")
    ),
    "results": Recipe(segment_filter(segment_ids=("a.jpg-00001", "b.jpg-00002"))),
    "nothing": Recipe(parse_filter("tag:cat")),
}


@pytest.fixture
def tagged(metadata: MetadataDatabase) -> MetadataDatabase:
    """A library of three files with tags at random, and crops of different sizes."""
    draw = random.Random(5)
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        add_frame_of_qualities(metadata, [None, *(draw.random() for _ in range(9))], name)
    with metadata.connection.write():
        for segment_id in metadata.segment_ids():
            tags = draw.sample(TAGS[:3], draw.randrange(4))
            found = [Tag(tag, round(draw.random(), 2), "auto") for tag in tags]
            metadata.add_tags(segment_id, found, "vocabulary")
    for crop_path in metadata.crop_paths():
        path = metadata.paths.root / crop_path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"." * draw.randrange(1, 100))
    return metadata


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
def test_it_is_what_an_export_writes(
    tagged: MetadataDatabase, monkeypatch: pytest.MonkeyPatch, recipe: Recipe, tmp_path: Path
) -> None:
    seen = preview_dataset(tagged, recipe)
    every = preview_dataset(tagged, Recipe(recipe.where, classes=recipe.classes))
    assert sum(seen.left_out.values()) == sum(every.written.values()) - sum(seen.written.values())
    if not seen.written:
        with pytest.raises(ExportError, match="no segment has a tag"):
            list(export_dataset(tagged, tmp_path / "dataset", recipe))
        return
    list(export_dataset(tagged, tmp_path / "dataset", recipe))
    with (tmp_path / "dataset" / "labels.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert seen.written == Counter(row["tag"] for row in rows)
    assert seen.media_files == len({row["media_path"] for row in rows})
    sizes = [(tmp_path / "dataset" / row["file"]).stat().st_size for row in rows]
    assert seen.bytes == sum(sizes)
    # what is beyond those that are measured is taken for as large
    monkeypatch.setattr(preview, "MOST_MEASURED", max(1, len(rows) // 2))
    assert min(sizes) <= preview_dataset(tagged, recipe).bytes / len(sizes) <= max(sizes)


def test_it_is_given_up_once_nobody_waits_for_it(
    tagged: MetadataDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving_up, "ASK_EVERY_STEPS", 10)
    with pytest.raises(GivenUp):
        preview_dataset(tagged, wanted=lambda: False)
    assert preview_dataset(tagged).written
