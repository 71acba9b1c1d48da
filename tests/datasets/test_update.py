"""A dataset is exported again into its folder: what has changed is written, and said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from src.config import APPLICATION_FOLDER
from src.database.metadata_db import MetadataDatabase
from src.dataset_events import DatasetChanges, DatasetWritten
from src.dataset_images import DatasetImages
from src.errors import ExportError
from src.records import Tag
from src.search.recipe import Recipe, classes_of
from tests.datasets.drawn_library import a_mask, add_photo
from tests.datasets.exporting import export_dataset

CROPS = Recipe(images="crops")


@pytest.fixture
def photos(metadata: MetadataDatabase, tmp_path: Path) -> list[str]:
    """Three photos with a tagged segment each; gives the ids of the segments."""
    ids = []
    for number, name in enumerate("abc"):
        masks = [a_mask((8 + number, 8, 30, 30))]
        ids.append(add_photo(metadata, tmp_path / f"{name}.png", masks, number)[1])
        metadata.add_tags(ids[-1], [Tag("dog", 1.0, "human")], "human")
    return ids


def updated(metadata: MetadataDatabase, folder: Path, recipe: Recipe = CROPS) -> DatasetChanges:
    (written,) = [
        event
        for event in export_dataset(metadata, folder, recipe, update=True)
        if isinstance(event, DatasetWritten)
    ]
    assert written.changes is not None
    return written.changes


def content_of(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_only_what_has_changed_is_made_anew(
    metadata: MetadataDatabase, photos: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "dataset"
    list(export_dataset(metadata, folder, CROPS))
    before = content_of(folder)
    made: list[str] = []
    render = DatasetImages.render

    def noted(images: DatasetImages, image: Any, form: Any) -> Any:
        made.append(image.cut.segment_id)
        return render(images, image, form)

    monkeypatch.setattr(DatasetImages, "render", noted)
    assert updated(metadata, folder) == DatasetChanges(0, 0, 0)
    assert content_of(folder) == before and not made
    new = add_photo(metadata, tmp_path / "d.png", [a_mask((1, 1, 20, 20))], 9)[1]
    metadata.add_tags(new, [Tag("dog", 1.0, "human")], "human")
    metadata.remove_tag(photos[0], "dog")
    metadata.add_tags(photos[1], [Tag("cat", 1.0, "human")], "human")
    assert updated(metadata, folder) == DatasetChanges(2, 1, 0)  # a crop for each tag
    assert made == [new]
    list(export_dataset(metadata, tmp_path / "anew", CROPS))
    assert content_of(folder) == content_of(tmp_path / "anew")
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == [
        "anew",
        "dataset",
        "library",
    ]


def test_the_manifest_says_how_it_was_made_and_the_same_gives_the_same_bytes(
    metadata: MetadataDatabase, photos: list[str], tmp_path: Path
) -> None:
    recipe = Recipe(images="crops", classes=classes_of("dog"), min_confidence=0.5)
    for name in ("one", "two"):
        list(export_dataset(metadata, tmp_path / name, recipe))
    assert content_of(tmp_path / "one") == content_of(tmp_path / "two")
    text = (tmp_path / "one" / "manifest.json").read_text(encoding="utf-8")
    said = json.loads(text)
    assert said["made_by"].startswith("Media Library ")
    assert said["recipe"]["min_confidence"] == 0.5 and said["classes"] == ["dog"]
    assert str(tmp_path) not in text
    image = said["images"][f"dog/{photos[0]}.jpg"]
    assert image["media"].endswith("/a.png") and image["segment_id"] == photos[0]
    assert set(said["files"]) == set(content_of(tmp_path / "one")) - {"manifest.json"}


def test_crops_that_were_blurred_anew_are_taken_anew(
    metadata: MetadataDatabase, photos: list[str], tmp_path: Path
) -> None:
    folder, blurred = tmp_path / "dataset", Recipe(images="blurred")
    list(export_dataset(metadata, folder, blurred))
    (crop,) = [each.crop_path for each in metadata.segments(photos[:1]).values()]
    crop.write_bytes(b"the same segment, cut with another blur")
    assert updated(metadata, folder, blurred) == DatasetChanges(0, 0, 0, 1)
    assert (folder / "dog" / f"{photos[0]}.jpg").read_bytes() == crop.read_bytes()
    assert updated(metadata, folder, blurred) == DatasetChanges(0, 0, 0, 0)
    (folder / "dog" / f"{photos[1]}.jpg").write_bytes(b"painted over")
    assert "somebody has changed this file" in refusal(metadata, folder, blurred)


def refusal(metadata: MetadataDatabase, folder: Path, recipe: Recipe = CROPS) -> str:
    before = content_of(folder)
    with pytest.raises(ExportError) as said:
        updated(metadata, folder, recipe)
    assert content_of(folder) == before
    return str(said.value)


def test_what_somebody_has_changed_is_not_lost(
    metadata: MetadataDatabase, photos: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / "dataset"
    list(export_dataset(metadata, folder, CROPS))
    assert "with blurred; choose another folder" in refusal(metadata, folder, Recipe())
    (folder / "notes.txt").write_text("mine")
    assert "such as notes.txt; move them" in refusal(metadata, folder)
    (folder / "notes.txt").unlink()
    image = folder / "dog" / f"{photos[0]}.jpg"
    kept = image.read_bytes()
    image.write_bytes(b"another")
    assert "somebody has changed this file" in refusal(metadata, folder)
    image.write_bytes(kept)
    with (folder / "labels.csv").open("a") as stream:
        stream.write("\n")
    assert "labels.csv: somebody has changed this file" in refusal(metadata, folder)
    (folder / "manifest.json").write_text("{}")
    assert "no dataset of this program here" in refusal(metadata, folder)
    assert "no dataset of this program here" in refusal(metadata, tmp_path / "library")


KILLED = """
import os, signal, sys
from pathlib import Path
from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from tests.datasets.exporting import export_dataset
from tests.datasets.test_update import CROPS
from src.library_files import SafeFolder
rename, left = SafeFolder.rename, int(sys.argv[3])
def killed(files, source, target):
    global left
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    rename(files, source, target)
SafeFolder.rename = killed
metadata = MetadataDatabase(LibraryPaths(Path(sys.argv[1])), read_only=True)
list(export_dataset(metadata, Path(sys.argv[2]), CROPS, update=True))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such kill")
def test_a_link_or_a_changed_image_that_would_go_is_not_lost(
    metadata: MetadataDatabase, photos: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / "dataset"
    list(export_dataset(metadata, folder, CROPS))
    (folder / "mine").symlink_to(tmp_path / "a.png")
    with pytest.raises(ExportError, match="such as mine"):
        updated(metadata, folder)
    (folder / "mine").unlink()
    metadata.remove_tag(photos[0], "dog")
    changed = folder / "dog" / f"{photos[0]}.jpg"
    changed.write_bytes(b"painted over")
    with pytest.raises(ExportError, match="somebody has changed this file"):
        updated(metadata, folder)
    assert changed.read_bytes() == b"painted over"
    changed.unlink()  # would have gone all the same
    assert updated(metadata, folder) == DatasetChanges(0, 1, 0)
    next(folder.rglob("*.jpg")).unlink()
    with pytest.raises(ExportError, match="somebody has removed this file"):
        updated(metadata, folder)


def test_what_a_link_leads_to_is_updated(
    metadata: MetadataDatabase, photos: list[str], tmp_path: Path
) -> None:
    folder, link = tmp_path / "dataset", tmp_path / "link"
    list(export_dataset(metadata, folder, CROPS))
    link.symlink_to(folder)
    metadata.remove_tag(photos[0], "dog")
    assert updated(metadata, link) == DatasetChanges(0, 1, 0)
    assert link.is_symlink() and len(list(folder.rglob("*.jpg"))) == 2


@pytest.mark.parametrize("file", ["\ud800", "c.jpg"])
def test_a_manifest_of_a_stranger_costs_a_sentence(
    metadata: MetadataDatabase, photos: list[str], tmp_path: Path, file: str
) -> None:
    folder = tmp_path / "dataset"
    list(export_dataset(metadata, folder, CROPS))
    content = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    content["images"][file] = {"source": "", "labels": ""}
    content["files"]["\ud800" if file != "c.jpg" else "d"] = "00"
    (folder / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ExportError, match="no dataset of this program here that could be updated"):
        updated(metadata, folder)


@pytest.mark.parametrize("renamed", [0, 1])
@pytest.mark.usefixtures("photos")
def test_a_kill_loses_no_dataset(metadata: MetadataDatabase, tmp_path: Path, renamed: int) -> None:
    place = tmp_path / "place"
    list(export_dataset(metadata, place / "dataset", CROPS))
    before = content_of(place / "dataset")
    command = [sys.executable, "-c", KILLED, str(metadata.paths.root)]
    ended = subprocess.run(
        [*command, str(place / "dataset"), str(renamed)], cwd=APPLICATION_FOLDER, timeout=60
    )
    assert ended.returncode == -signal.SIGKILL
    assert (place / "dataset").exists() == (renamed == 0)
    list(export_dataset(metadata, place / "another", CROPS))
    assert content_of(place / "dataset") == before
    assert sorted(os.listdir(place)) == ["another", "dataset"]
