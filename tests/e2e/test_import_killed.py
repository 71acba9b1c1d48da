"""Killed while a dataset comes in: every image is there with its labels, or not at all."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.dataset_events import LabelsImported
from src.events import FrameStored
from src.library import MediaLibrary
from src.models.model_manager import ModelManager
from src.settings import Settings
from tests.e2e.killing import assert_same_rows, kill_with_children, rows_of, wait_for_words

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, sends SIGKILL")

SETTINGS = Settings()
IMAGES, BOXES = 20, 3  # more than a batch
ROUNDS = 2
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.e2e.test_import_killed", "src.models.preload"])


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory, scene_files: list[Path]) -> Path:
    """COCO with a few boxes on each image."""
    folder = tmp_path_factory.mktemp("coco")
    random = np.random.default_rng(27)
    images, annotations = [], []
    for number in range(IMAGES):
        name = f"{number}.png"
        shutil.copy(scene_files[number % 4], folder / name)
        with (folder / name).open("ab") as stream:  # another content
            stream.write(bytes([number]))
        images.append({"id": number, "file_name": name, "width": 320, "height": 240})
        for _ in range(BOXES):
            x, y = random.integers(0, 200, 2).tolist()
            box = {"id": len(annotations), "image_id": number, "bbox": [x, y, 60, 40]}
            annotations.append({**box, "category_id": 1 + len(annotations) % 2})
    categories = [{"id": 1, "name": "one"}, {"id": 2, "name": "two"}]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "instances.json").write_text(json.dumps(content))
    return folder


def take_in(root: Path, dataset: Path, said: Path) -> None:
    """Import a dataset; `said` gets a letter for each image that was acknowledged."""
    handle = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with MediaLibrary(LibraryPaths(root), ModelManager(device="cpu"), SETTINGS) as library:
        library.load_models()
        os.write(handle, b"s")
        for event in library.import_dataset(dataset):
            if isinstance(event, FrameStored):
                os.write(handle, b"f")


def content(paths: LibraryPaths) -> dict[str, list[tuple[object, ...]]]:
    return rows_of(
        paths,
        "SELECT path, content_hash, status, width, height FROM media_files ORDER BY path",
        "SELECT id, kind, x, y, w, h, mask, origin, parent_id, crop_path FROM segments ORDER BY id",
        "SELECT segment_id, vector FROM embeddings ORDER BY segment_id",
        "SELECT st.segment_id, t.name, st.source FROM segment_tags st"
        " JOIN tags t ON t.id = st.tag_id ORDER BY 1, 2",
    )


def labelled(paths: LibraryPaths) -> list[int]:
    """How many segments with a label each media file has."""
    with closing(MetadataDatabase(paths)) as metadata:
        rows = metadata.connection.read().execute(
            "SELECT count(DISTINCT d.segment_id) FROM media_files m"
            " LEFT JOIN frames f ON f.media_file_id = m.id LEFT JOIN segments s"
            " ON s.frame_id = f.id LEFT JOIN decisions d ON d.segment_id = s.id GROUP BY m.id"
        )
        return [row[0] for row in rows]


def finish(paths: LibraryPaths, dataset: Path, models: ModelManager) -> None:
    with MediaLibrary(paths, models, SETTINGS) as library:
        outcome = None
        for event in library.import_dataset(dataset):
            outcome = event if isinstance(event, LabelsImported) else outcome
        assert outcome is not None
        assert list(library.verify()) == []  # no crop is missing, and none too many
        assert library.unfinished() == 0
        assert outcome.added + outcome.known == IMAGES * BOXES
        taken_back = library.undo(outcome.batch)
        assert taken_back == IMAGES * BOXES  # those from before the kill as well


def test_killed_anywhere_an_image_is_whole_and_the_next_import_goes_on(
    dataset: Path, tmp_path: Path
) -> None:
    whole, models = LibraryPaths(tmp_path / "undisturbed"), ModelManager(device="cpu")
    finish(whole, dataset, models)
    at_work = 0
    for number in range(ROUNDS):
        random = np.random.default_rng([27, number])
        paths, said = LibraryPaths(tmp_path / f"round {number}"), tmp_path / f"{number}.txt"
        process = processes.Process(target=take_in, args=(paths.root, dataset, said))
        process.start()
        wait_for_words(process, said, 1 + int(random.integers(0, IMAGES)))
        process.join(random.uniform(0, 0.05))
        at_work += kill_with_children(process)
        counts = labelled(paths)
        assert set(counts) <= {BOXES} and len(counts) >= said.read_text().count("f")
        finish(paths, dataset, models)
        for query, rows in content(whole).items():
            assert_same_rows(content(paths)[query], rows)
    assert at_work
