"""The folders of crops are written as on the day they were recorded, byte for byte."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from src.database.metadata_db import MetadataDatabase
from src.ownership import MANIFEST
from src.records import Tag
from src.search.leaves import segment_filter
from src.search.recipe import Recipe, classes_of
from tests.conftest import MODEL, add_frame_of_qualities, new_segments, unit_vectors
from tests.datasets.exporting import export_dataset

RECORDED = Path(__file__).with_name("recorded_tag_folders.json")
TAGS = {
    "a.jpg-00000": [Tag("red", 0.9, "auto"), Tag("a/b", 1.0, "human"), Tag("=1+1", 0.25, "auto")],
    "a.jpg-00001": [Tag("Red", 0.123456, "propagated"), Tag("straße, lang", 1.0, "human")],
    "a.jpg-00002": [Tag("red", 0.4, "auto"), Tag("鳥", 0.7, "auto")],
    "v.mp4-00000": [Tag('a "quoted" tag', 0.5, "auto"), Tag("CON", 1.0, "human")],
}


def library_of_the_record(metadata: MetadataDatabase) -> None:
    """A photo with a whole frame and two masks, and a moment of a video; crops are text."""
    add_frame_of_qualities(metadata, [None, 0.5, 0.9])
    video = metadata.add_media(Path("/photos/v, 1.mp4"), "video", 10, 10)
    (made,) = new_segments(unit_vectors(1), prefix="v.mp4-")
    segment = replace(made.segment, bbox_xywh=(7, 0, 4, 4))
    metadata.store_frame(video, 75, 2.5, (100, 100), [replace(made, segment=segment)], MODEL)
    for segment_id, tags in TAGS.items():
        metadata.add_tags(segment_id, tags, "vocabulary")
    for crop_path in metadata.crop_paths():
        metadata.paths.crop(crop_path).write_bytes(f"crop {crop_path}".encode())


def tree(folder: Path) -> dict[str, str]:
    """Each file's SHA-256 by its name; of the table the lines themselves."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {
        path.relative_to(folder).as_posix(): path.read_bytes().decode()
        if path.suffix == ".csv"
        else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def test_folders_of_crops_are_what_they_were(metadata: MetadataDatabase, tmp_path: Path) -> None:
    library_of_the_record(metadata)
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    list(export_dataset(metadata, tmp_path / "all"))
    assert tree(tmp_path / "all") == recorded["all"]
    some = Recipe(
        segment_filter(segment_ids=("a.jpg-00000", "a.jpg-00001", "v.mp4-00000")),
        segment_filter(min_predicted_iou=0.6),
        classes=classes_of("red", "CON"),
        min_confidence=0.1,
    )
    list(export_dataset(metadata, tmp_path / "some", some))
    assert tree(tmp_path / "some") == recorded["some"]
