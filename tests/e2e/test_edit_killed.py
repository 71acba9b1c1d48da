"""Killed while an edit of a mask is kept: it is there as a whole, or not at all."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from src.config import LibraryPaths
from src.library import MediaLibrary
from src.models.model_manager import ModelManager
from src.settings import Settings
from tests.e2e.killing import kill_with_children, rows_of, wait_for_words

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, sends SIGKILL")

SETTINGS = Settings(points_per_side=8, duplicate_distance=-1)
ROUNDS, MANY_ROUNDS = 4, 16
EDITS = 40
SEGMENTS = "SELECT id, mask, crop_path, fingerprint, origin FROM segments ORDER BY id"
EDITED = "SELECT batch, segment_id, undone_at IS NULL FROM segment_edits ORDER BY id"
REMOVED = "SELECT batch FROM removed_segments ORDER BY id"
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.e2e.test_edit_killed", "src.models.preload"])


def edit(root: Path, said: Path) -> None:
    """Paint, split, delete and undo, again and again; `said` gets a letter for each act."""
    handle = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    models = ModelManager(device="cpu")
    with MediaLibrary(LibraryPaths(root), models, SETTINGS) as library:
        (first,) = library.browse.sampled_frames(library.metadata.all_media()[0].id)
        with library.edit_frame(first.segment_id) as editor:
            os.write(handle, b"s")
            for number in range(EDITS):
                editor.begin(None, "made")
                editor.stroke([(10 + 7 * number, 20)], 5)
                editor.stroke([(10 + 7 * number, 200)], 5)
                new = editor.keep()
                os.write(handle, b"n")
                editor.begin(new.segment_id)
                assert editor.split() == 2
                editor.keep()
                os.write(handle, b"p")
                editor.begin(new.segment_id)
                editor.delete()
                gone = editor.keep()
                os.write(handle, b"d")
                if number % 2:
                    library.undo_edit(gone.batch)
                    editor.refresh()
                    os.write(handle, b"u")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, scene_files: list[Path]) -> Path:
    root = tmp_path_factory.mktemp("base") / "library"
    models = ModelManager(device="cpu", points_per_side=SETTINGS.points_per_side)
    with MediaLibrary(LibraryPaths(root), models, SETTINGS) as library:
        for _ in library.add(scene_files[:1]):
            pass
    return root


@pytest.mark.parametrize("rounds", [ROUNDS, pytest.param(MANY_ROUNDS, marks=pytest.mark.slow)])
def test_killed_anywhere_an_edit_is_whole_or_absent(
    base: Path, tmp_path: Path, rounds: int
) -> None:
    models = ModelManager(device="cpu", points_per_side=SETTINGS.points_per_side)
    before = len(rows_of(LibraryPaths(base), SEGMENTS)[SEGMENTS])
    at_work = 0
    for number in range(rounds):
        random = np.random.default_rng([28, number])
        paths = LibraryPaths(tmp_path / f"round {number}")
        shutil.copytree(base, paths.root)
        said = tmp_path / f"round {number}.txt"
        process = processes.Process(target=edit, args=(paths.root, said))
        process.start()
        wait_for_words(process, said, 1 + int(random.integers(0, 30)))
        process.join(random.uniform(0, 0.05))
        at_work += kill_with_children(process)
        found = rows_of(paths, SEGMENTS, EDITED, REMOVED)
        # each act is there with all of its segments, or not at all
        acts = said.read_text()[1:]
        lasting = _expected(acts), _expected(acts + _next(acts))
        assert (len(found[SEGMENTS]) - before, len(found[REMOVED])) in lasting
        for _, _, crop_path, *_ in found[SEGMENTS]:
            assert (paths.root / str(crop_path)).is_file()
        with MediaLibrary(paths, models, SETTINGS) as library:
            for _ in library.add([]):  # which embeds what waits, and removes what is left over
                pass
            assert list(library.verify()) == []
            for batch in dict.fromkeys(batch for batch, _, holds in found[EDITED][::-1] if holds):
                library.undo_edit(str(batch))
            origins = [row[4] for row in rows_of_open(library)]
            assert len(origins) == before and set(origins) == {"sam"}
    assert at_work


def _expected(acts: str) -> tuple[int, int]:
    """How many segments there are more, and how many are removed, after some acts."""
    segments = sum({"n": 1, "p": 1, "d": -1, "u": 1}[act] for act in acts)
    return segments, acts.count("d") - acts.count("u")


def _next(acts: str) -> str:
    """The act that comes after some."""
    number = acts.count("d")
    last = acts[-1:]
    if last == "d" and number % 2 == 0:
        return "u"
    return {"n": "p", "p": "d"}.get(last, "n")


def rows_of_open(library: MediaLibrary) -> list[tuple[object, ...]]:
    return [tuple(row) for row in library.metadata.connection.read().execute(SEGMENTS)]
