"""What an export would write, as SQLite counts it, beside what it writes."""

from __future__ import annotations

import random

import pytest

from src.database import giving_up
from src.database.metadata_db import MetadataDatabase
from src.datasets import export_counts
from src.datasets.export import preview_dataset
from src.datasets.selected import SelectedSegments
from src.errors import GivenUp
from src.records import Tag
from src.search.export_selection import ExportSelection
from src.search.filter_text import parse_filter
from src.search.leaves import segment_filter
from tests.conftest import add_frame_of_qualities

TAGS = ("red", "blue", "a/b", "empty")
SELECTIONS = {
    "everything": ExportSelection(),
    "sure": ExportSelection(min_confidence=0.5),
    "labels": ExportSelection(labels=frozenset({"red", "nobody"}), min_confidence=0.3),
    "good masks": ExportSelection(limits=segment_filter(min_predicted_iou=0.6)),
    "a filter": ExportSelection(parse_filter("tag:blue>=0.4 or name:b.jpg"), min_confidence=0.2),
    "both": ExportSelection(
        parse_filter("not tag:blue share>=0.01%"), parse_filter("quality>=0.5 taken>=2020 or at<=1")
    ),
    "results": ExportSelection(segment_filter(segment_ids=("a.jpg-00001", "b.jpg-00002"))),
    "nothing": ExportSelection(parse_filter("tag:cat")),
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


@pytest.mark.parametrize("selection", SELECTIONS.values(), ids=SELECTIONS.keys())
@pytest.mark.parametrize("listed", [0, 20_000])
def test_it_is_what_an_export_writes(
    tagged: MetadataDatabase,
    monkeypatch: pytest.MonkeyPatch,
    selection: ExportSelection,
    listed: int,
) -> None:
    monkeypatch.setattr(export_counts, "MOST_LISTED", listed)
    preview = preview_dataset(tagged, selection)
    labelled = SelectedSegments(tagged, selection).labelled
    written: dict[str, int] = {}
    for _, tag in labelled:
        written[tag.name] = written.get(tag.name, 0) + 1
    assert preview.written == written
    assert preview.media_files == len({segment.media_file_id for segment, _ in labelled})
    assert preview.bytes == sum(segment.crop_path.stat().st_size for segment, _ in labelled)
    every = ExportSelection(selection.where, labels=selection.labels)
    of_all = len(SelectedSegments(tagged, every).labelled)
    assert sum(preview.left_out.values()) == of_all - len(labelled)
    if labelled:  # what is beyond those that are measured is taken for as large
        monkeypatch.setattr(export_counts, "MOST_MEASURED", max(1, len(labelled) // 2))
        sizes = [segment.crop_path.stat().st_size for segment, _ in labelled]
        assert min(sizes) <= preview_dataset(tagged, selection).bytes / len(sizes) <= max(sizes)


def test_it_is_given_up_once_nobody_waits_for_it(
    tagged: MetadataDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving_up, "ASK_EVERY_STEPS", 10)
    with pytest.raises(GivenUp):
        preview_dataset(tagged, wanted=lambda: False)
    assert preview_dataset(tagged).written
