"""Killed while frames are cut again: what people did is there at every moment, and after."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
from contextlib import closing
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest

from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.events import FrameStored
from src.library import MediaLibrary
from src.models.mask_generator import MaskGenerator
from src.models.model_manager import ModelManager
from src.settings import Settings
from tests.e2e.killing import assert_same_rows, kill_with_children, rows_of, wait_for_words

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, sends SIGKILL")

SETTINGS = Settings(points_per_side=8, duplicate_distance=-1)
FRAMES = 4
ROUNDS, MANY_ROUNDS = 3, 10
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.e2e.test_segment_again_killed", "src.models.preload"])


class OtherSam(ModelManager):
    """The starter models; SAM has another name and cuts otherwise."""

    @cached_property
    def _other(self) -> MaskGenerator:
        sam = super().load_sam(points_per_side=6)
        assert isinstance(sam, MaskGenerator)
        sam.name, sam.pred_iou_thresh = "other-sam@1", 0.9
        return sam

    def load_sam(self, *_: object, **__: object) -> MaskGenerator:
        return self._other


def cut_again(root: Path, said: Path) -> None:
    """Cut all frames again; `said` gets a line for each that was acknowledged."""
    handle = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with MediaLibrary(LibraryPaths(root), OtherSam(device="cpu"), SETTINGS) as library:
        library.load_models()
        os.write(handle, b"s")
        for event in library.segment_again():
            if isinstance(event, FrameStored):
                os.write(handle, b"f")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, scene_files: list[Path]) -> Path:
    """A library whose every segment a person has tagged; closed."""
    root = tmp_path_factory.mktemp("base") / "library"
    models = ModelManager(device="cpu", points_per_side=SETTINGS.points_per_side)
    with MediaLibrary(LibraryPaths(root), models, SETTINGS) as library:
        for _ in library.add(scene_files[:FRAMES]):
            pass
        for number, segment_id in enumerate(library.metadata.segment_ids()):
            library.add_tag(segment_id, f"mine {number}")
    return root


def content(paths: LibraryPaths) -> dict[str, list[tuple[object, ...]]]:
    return rows_of(
        paths,
        "SELECT frame_index, sam FROM frames ORDER BY id",
        "SELECT id, kind, x, y, w, h, mask, parent_id, crop_path FROM segments ORDER BY id",
        "SELECT segment_id, vector FROM embeddings ORDER BY segment_id",
        "SELECT st.segment_id, t.name, st.source FROM segment_tags st"
        " JOIN tags t ON t.id = st.tag_id ORDER BY 1, 2",
    )


def people_tags(paths: LibraryPaths) -> set[str]:
    with closing(MetadataDatabase(paths)) as metadata:
        rows = metadata.connection.read().execute(
            "SELECT t.name FROM segment_tags st JOIN tags t ON t.id = st.tag_id"
            " WHERE st.source = 'human'"
        )
        return {row["name"] for row in rows}


def finish(paths: LibraryPaths, models: OtherSam) -> None:
    with MediaLibrary(paths, models, SETTINGS) as library:
        for _ in library.segment_again():
            pass
        assert library.segmented_by_others() == 0
        assert list(library.verify()) == []  # no crop is missing, and none too many


@pytest.mark.parametrize("rounds", [ROUNDS, pytest.param(MANY_ROUNDS, marks=pytest.mark.slow)])
def test_killed_anywhere_no_work_of_people_is_lost(base: Path, tmp_path: Path, rounds: int) -> None:
    whole = LibraryPaths(tmp_path / "undisturbed")
    shutil.copytree(base, whole.root)
    tags = people_tags(whole)
    models = OtherSam(device="cpu")  # loaded once for all rounds
    finish(whole, models)
    assert people_tags(whole) == tags
    at_work = 0
    for number in range(rounds):
        random = np.random.default_rng([25, number])
        paths = LibraryPaths(tmp_path / f"round {number}")
        shutil.copytree(base, paths.root)
        said = tmp_path / f"round {number}.txt"
        process = processes.Process(target=cut_again, args=(paths.root, said))
        process.start()
        wait_for_words(process, said, 1 + int(random.integers(0, FRAMES)))
        process.join(random.uniform(0, 0.4))
        at_work += kill_with_children(process)
        acknowledged = said.read_text().count("f")
        assert people_tags(paths) == tags
        with closing(MetadataDatabase(paths)) as metadata:
            done = metadata.connection.read().execute(
                "SELECT count(*) FROM frames WHERE sam = 'other-sam@1'"
            )
            assert done.fetchone()[0] >= acknowledged
        finish(paths, models)
        for query, rows in content(whole).items():
            assert_same_rows(content(paths)[query], rows)
    assert at_work
