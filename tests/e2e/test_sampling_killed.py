"""Killed while a range is sampled more finely: asked again, it ends as if nothing had happened."""

from __future__ import annotations

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
from src.events import FrameStored, ProblemFound
from src.library import MediaLibrary
from tests.e2e.killed_work import SETTINGS, Models
from tests.e2e.killing import assert_same_rows, kill_with_children, rows_of, wait_for_words
from tests.remembered_videos import LOSSLESS, draw_video

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, sends SIGKILL")

SECONDS, RATE = 2, 5
NEW = SECONDS * RATE - SECONDS
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.e2e.test_sampling_killed", "src.models.preload"])


def sample(root: Path, said: Path) -> None:
    """Sample a video; `said` gets a letter for each frame that was acknowledged."""
    handle = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with MediaLibrary(LibraryPaths(root), Models(), SETTINGS) as library:
        library.load_models()
        os.write(handle, b"s")
        for event in library.tracks.sample_finely(1, 0, SECONDS, RATE):
            if isinstance(event, FrameStored):
                os.write(handle, b"f")


def content(paths: LibraryPaths) -> dict[str, list[tuple[object, ...]]]:
    return rows_of(
        paths,
        "SELECT path, content_hash, status, duration_s FROM media_files",
        "SELECT frame_index, timestamp_s, until_s, sam, dhash FROM frames ORDER BY frame_index",
        "SELECT id, kind, x, y, w, h, mask, origin, parent_id, crop_path FROM segments ORDER BY id",
        "SELECT segment_id, vector FROM embeddings ORDER BY segment_id",
        "SELECT st.segment_id, t.name, st.source FROM segment_tags st"
        " JOIN tags t ON t.id = st.tag_id ORDER BY 1, 2",
    )


def without_whole_frame(paths: LibraryPaths) -> int:
    with closing(MetadataDatabase(paths)) as metadata:
        row = metadata.connection.read().execute(
            "SELECT count(*) FROM frames f WHERE NOT EXISTS (SELECT 1 FROM segments s"
            " JOIN embeddings e ON e.segment_id = s.id WHERE s.frame_id = f.id"
            " AND s.kind = 'frame')"
        )
        return int(row.fetchone()[0])


def frames(paths: LibraryPaths) -> int:
    with closing(MetadataDatabase(paths)) as metadata:
        return len(metadata.stored_frames(1))


def finish(paths: LibraryPaths, models: Models) -> None:
    with MediaLibrary(paths, models, SETTINGS) as library:
        mine = [s.id for s in library.metadata.segments_where() if "mine" in _tags(library, s.id)]
        for _ in library.tracks.sample_finely(1, 0, SECONDS, RATE):
            pass
        # no crop is missing, and none too many; an index that was just being told is made anew
        found = [each for each in library.verify(repair=True) if isinstance(each, ProblemFound)]
        assert [each for each in found if not each.mended or "index: " not in each.what] == []
        assert len(mine) == 1


def _tags(library: MediaLibrary, segment_id: str) -> list[str]:
    rows = library.metadata.connection.read().execute(
        "SELECT t.name FROM segment_tags st JOIN tags t ON t.id = st.tag_id"
        " WHERE st.segment_id = ? AND st.source = 'human'",
        (segment_id,),
    )
    return [row[0] for row in rows]


@pytest.mark.parametrize("rounds", [1, pytest.param(5, marks=pytest.mark.slow)])
def test_killed_anywhere_frames_are_whole_and_the_next_call_goes_on(
    tmp_path: Path, rounds: int
) -> None:
    models = Models()
    video = draw_video(tmp_path / "v.mp4", SECONDS, *LOSSLESS, "-g", "10")
    base = tmp_path / "base"
    with MediaLibrary(LibraryPaths(base), models, SETTINGS) as library:
        for _ in library.add([video]):
            pass
        library.add_tag(library.metadata.segment_ids()[1], "mine")
    whole = LibraryPaths(tmp_path / "undisturbed")
    shutil.copytree(base, whole.root)
    finish(whole, models)
    assert frames(whole) == SECONDS + NEW
    at_work = 0
    for number in range(rounds):
        random = np.random.default_rng([29, number])
        paths, said = LibraryPaths(tmp_path / f"round {number}"), tmp_path / f"{number}.txt"
        shutil.copytree(base, paths.root)
        process = processes.Process(target=sample, args=(paths.root, said))
        process.start()
        wait_for_words(process, said, 1 + int(random.integers(0, NEW)))
        process.join(random.uniform(0, 0.2))
        at_work += kill_with_children(process)
        assert without_whole_frame(paths) == 0
        assert frames(paths) >= SECONDS + said.read_text().count("f")
        finish(paths, models)
        ours, theirs = content(paths), content(whole)
        for query, rows in theirs.items():
            assert_same_rows(ours[query], rows)
    assert at_work or rounds == 1  # which may have been done by then
