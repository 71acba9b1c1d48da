"""Tracks and ranges of videos in datasets."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.database.metadata_db import MetadataDatabase
from src.dataset_events import DatasetWritten
from src.datasets.media_counts import NO_TRACK
from src.datasets.registry import export_format, export_formats
from src.search.filter_text import parse_filter
from src.search.filters import EVERYTHING, Filter
from src.search.recipe import Recipe, classes_of
from tests.datasets.exporting import export_dataset, preview_dataset
from tests.datasets.formats.planned import read_back, written_files
from tests.datasets.tracked_video import STEP, add_tracked_video, box_of
from tests.video_clips.numbered_video import RATE, grey_of

SPECKLESS = (*classes_of("dog"), *classes_of("cat"))


@pytest.fixture
def film(metadata: MetadataDatabase, tmp_path: Path) -> int:
    return add_tracked_video(metadata, tmp_path / "media")


def a_range(film: int, begin_s: float, end_s: float) -> Filter:
    return parse_filter(f"file:{film} at:{begin_s}..{end_s}")


def written(
    metadata: MetadataDatabase, folder: Path, key: str, where: Filter = EVERYTHING, **more: object
) -> DatasetWritten:
    recipe = Recipe(format=key, where=where, **more)  # type: ignore[arg-type]
    events = list(export_dataset(metadata, folder, recipe))
    return next(each for each in events if isinstance(each, DatasetWritten))


def test_coco_numbers_tracks_in_the_order_in_which_they_are_seen(
    metadata: MetadataDatabase, film: int, tmp_path: Path
) -> None:
    written(metadata, tmp_path / "d", "coco")
    said = json.loads((tmp_path / "d" / "annotations" / "instances.json").read_text())
    names = {each["id"]: each["name"] for each in said["categories"]}
    tracks = [(names[each["category_id"]], each.get("track_id")) for each in said["annotations"]]
    assert set(tracks) == {("cat", 1), ("dog", 2), ("speck", None), ("dog", None)}
    assert sum(track == ("dog", 2) for track in tracks) == 9
    (video,) = said["videos"]
    of_video = [each for each in said["images"] if each.get("video_id") == video["id"]]
    assert [each["frame_id"] for each in of_video] == [*range(10)]
    assert [each["frame_index"] for each in of_video] == [STEP * number for number in range(10)]
    assert sum("video_id" not in each for each in said["images"]) == 1


def test_the_same_library_gives_the_same_bytes(
    metadata: MetadataDatabase, film: int, tmp_path: Path
) -> None:
    for key in ("mot", "coco", "csv"):
        written(metadata, tmp_path / f"{key} 1", key)
        written(metadata, tmp_path / f"{key} 2", key)
        for file in written_files(tmp_path / f"{key} 1"):
            first, second = (tmp_path / f"{key} {n}" / file for n in (1, 2))
            assert first.read_bytes() == second.read_bytes()


def test_mot_has_the_video_frame_by_frame(
    metadata: MetadataDatabase, film: int, tmp_path: Path
) -> None:
    report = written(metadata, tmp_path / "d", "mot")
    assert report.images == {None: 10} and report.annotations == 15
    assert report.left_out == {NO_TRACK: 10}  # the speck, and the dog of the photo
    folder = tmp_path / "d" / "film"
    lines = (folder / "gt" / "gt.txt").read_text().splitlines()
    rows = [tuple(map(int, line.split(","))) for line in lines]
    assert (folder / "gt" / "labels.txt").read_text() == "cat\ndog\n"
    dogs = {row[0]: row[2:6] for row in rows if row[7] == 2}
    cats = {row[0]: row[2:6] for row in rows if row[7] == 1}
    one = np.array((1, 1, 0, 0))
    assert {frame: tuple(np.array(box) - one) for frame, box in dogs.items()} == {
        number + 1: box_of(0, number) for number in range(10) if number != 3
    }
    assert {frame: tuple(np.array(box) - one) for frame, box in cats.items()} == {
        number + 1: box_of(1, number) for number in range(6)
    }
    assert {row[1] for row in rows if row[7] == 2} == {2}
    about = (folder / "seqinfo.ini").read_text()
    assert "frameRate=5\n" in about and "seqLength=10\n" in about
    for number in range(10):  # the pictures are those frames
        picture = np.asarray(Image.open(folder / "img1" / f"{number + 1:06}.jpg"))
        assert abs(float(picture.mean()) - grey_of(STEP * number)) < 2


def test_motmetrics_measures_the_tracks_as_perfect(
    metadata: MetadataDatabase, film: int, tmp_path: Path
) -> None:
    motmetrics = pytest.importorskip("motmetrics")
    written(metadata, tmp_path / "d", "mot")
    file = tmp_path / "d" / "film" / "gt" / "gt.txt"
    truth = motmetrics.io.loadtxt(file, fmt="mot15-2D")
    assert len(truth) == 15 and set(truth.index.get_level_values("Id")) == {1, 2}
    boxes = truth.loc[(slice(None), 2), :]
    assert tuple(boxes.iloc[0][["X", "Y", "Width", "Height"]]) == box_of(0, 0)


@pytest.mark.parametrize("key", [each.key for each in export_formats()])
def test_each_format_holds_a_range(
    metadata: MetadataDatabase, film: int, tmp_path: Path, key: str
) -> None:
    where = a_range(film, 0.4, 1.2)  # the sampled frames 2 to 6
    recipe = Recipe(format=key, where=where, classes=SPECKLESS)
    preview = preview_dataset(metadata, recipe)
    report = written(metadata, tmp_path / "d", key, where, classes=SPECKLESS)
    assert preview.written == {"dog": 4, "cat": 4} and preview.media_files == 1
    assert report.annotations == 8
    holds, forms = export_format(key).holds, export_format(key).forms
    images = sum(report.images.values())
    assert images == preview.images == (5 if forms[0] == "frames" else 8)
    read = read_back(export_format(key), tmp_path / "d")
    assert sum(len(each.annotations) for each in read.values()) == 8
    if holds.tracks:
        tracks = {each.track_id for image in read.values() for each in image.annotations}
        assert tracks == {1, 2}


def test_yolo_frames_of_a_range_are_those_frames(
    metadata: MetadataDatabase, film: int, tmp_path: Path
) -> None:
    written(metadata, tmp_path / "d", "yolo_detection", a_range(film, 0.4, 1.2), classes=SPECKLESS)
    images = sorted((tmp_path / "d" / "images" / "all").iterdir())
    assert [each.stem for each in images] == [
        f"film {number * STEP / RATE:09.3f}s" for number in range(2, 7)
    ]
    for number, image in zip(range(2, 7), images, strict=True):
        assert abs(float(np.asarray(Image.open(image)).mean()) - grey_of(STEP * number)) < 2
        lines = (tmp_path / "d" / "labels" / "all" / f"{image.stem}.txt").read_text().splitlines()
        wanted = ([0] if number != 3 else []) + ([1] if number < 6 else [])
        assert sorted(int(line.split()[0]) for line in lines) == wanted


def test_a_track_alone_is_a_dataset(metadata: MetadataDatabase, film: int, tmp_path: Path) -> None:
    ids = [each.track_id for each in metadata.segments_where() if each.track_id is not None]
    cat = min(ids)
    where = parse_filter(f"track:{cat}")
    report = written(metadata, tmp_path / "d", "yolo_detection", where)
    assert report.labels == {None: {"cat": 6}}


def test_a_range_with_a_split_is_on_one_side_and_says_so(
    metadata: MetadataDatabase, film: int, tmp_path: Path
) -> None:
    report = written(metadata, tmp_path / "d", "coco", a_range(film, 0.4, 1.2), split="80/20")
    assert len(report.images) == 1 and report.notes


def test_empty_frames_of_a_range_come_with_it_and_no_others(
    metadata: MetadataDatabase, film: int, tmp_path: Path
) -> None:
    for number in (2, 3, 9):
        metadata.decide_on_frame(film, number * STEP, "hat", False)
    where = a_range(film, 0.4, 1.2)
    recipe = Recipe(format="coco", where=where, classes=classes_of("hat"))
    assert preview_dataset(metadata, recipe).images == 2


def test_what_a_cap_leaves_out_is_no_empty_frame(
    metadata: MetadataDatabase, film: int, tmp_path: Path
) -> None:
    report = written(metadata, tmp_path / "d", "mot", most_per_class=3, classes=SPECKLESS)
    read = read_back(export_format("mot"), tmp_path / "d")
    empty = sum(not image.annotations for image in read.values())
    assert report.annotations <= 6 and empty <= 1


def test_photos_alone_have_no_place_in_mot(metadata: MetadataDatabase, film: int) -> None:
    preview = preview_dataset(metadata, Recipe(format="mot", where=parse_filter("media:image")))
    assert preview.images == 0 and preview.reasons == {NO_TRACK: 1}
