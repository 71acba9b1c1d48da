"""A segment followed through its video, and what is stored of that; SAM 2 itself is played here.

tests/models/sam2/test_video_memory.py holds the real one against the package's own predictor.
"""

from __future__ import annotations

import shutil
import signal
import sqlite3
from argparse import Namespace
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from src.cli.tracks import follow_segment
from src.config import LibraryPaths
from src.database import track_acts
from src.errors import MediaReadError, ModelNotLoadedError, QueryError
from src.events import JobDone, ProblemFound, Progress, SegmentPropagated
from src.library import MediaLibrary
from src.models.model_manager import ModelManager
from src.records import Frame, StoredSegment
from src.settings import Settings
from src.tracks import following, propagated
from tests.processing.test_ingest import SharedModels
from tests.remembered_videos import copy_of_drawn

# without a SAM each frame is one segment, so a test says itself what else is there
SETTINGS = Settings(duplicate_distance=-1, sam_model="none")
# a red square that goes to the right, 10 pixels a second, and is out of sight from 4 s to 5 s
RED = "geq=r='if(between(X,10*T+10,10*T+30)*between(Y,40,60)*not(between(T,3.9,4.9)),255,30)'"
MOVING = ("-vf", f"format=gbrp,{RED}:g=30:b=30", "-c:v", "ffv1", "-g", "10")
FRAMES, HIDDEN = 8, 4


class RedMemory:
    """Follows what is red, in the place of SAM 2's memory."""

    def __init__(self, size_wh: tuple[int, int], frames: int) -> None:
        self.asked: list[int] = []
        self.frames = frames

    def begin(self, number: int, image_rgb: np.ndarray, mask: np.ndarray) -> None:
        assert mask.dtype == bool and mask.shape == image_rgb.shape[:2]
        self.asked.append(number)

    def follow(self, number: int, image_rgb: np.ndarray) -> np.ndarray:
        self.asked.append(number)
        return red_of(image_rgb)


def red_of(image_rgb: np.ndarray) -> np.ndarray:
    red: np.ndarray = image_rgb[..., 0] > 140
    return red


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[RedMemory]:
    made: list[RedMemory] = []

    def make(_: object, *given: Any) -> RedMemory:
        made.append(RedMemory(*given))
        return made[-1]

    monkeypatch.setattr(following, "follower_of", make)
    return made


@pytest.fixture(scope="module")
def with_square(
    models: ModelManager, drawn_already: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A library of that video, to be copied."""
    folder = tmp_path_factory.mktemp("with square")
    video = copy_of_drawn(drawn_already, folder / "v.mkv", FRAMES, *MOVING)
    paths = LibraryPaths(folder / "library")
    with MediaLibrary(paths, SharedModels(models.load_clip(), None), SETTINGS) as library:
        list(library.add([video]))
    return paths.root


@pytest.fixture
def library(paths: LibraryPaths, models: ModelManager, with_square: Path) -> Iterator[MediaLibrary]:
    shutil.copytree(with_square, paths.root)
    with MediaLibrary(paths, SharedModels(models.load_clip(), None), SETTINGS) as library:
        yield library


def draw(library: MediaLibrary, second: int, shift: int = 0) -> str:
    """Draw the square of a frame as a person does, or beside it; returns the segment's id."""
    (whole,) = [each for each in on_frame(library, second) if each.kind == "frame"]
    left, right = 10 * second + 10 + shift, 10 * second + 31 + shift
    with library.edit_frame(whole.id) as editor:
        editor.begin(None)
        editor.polygon([(left, 40), (right, 40), (right, 61), (left, 61)])
        kept = editor.keep()
    assert kept.segment_id is not None
    return kept.segment_id


def found_by_sam(library: MediaLibrary, second: int, shift: int = 0) -> str:
    """Have a segment of SAM's there."""
    name = draw(library, second, shift)
    with library.metadata.connection.write() as db:
        db.execute("UPDATE segments SET origin = 'sam' WHERE id = ?", (name,))
        db.execute("DELETE FROM segment_edits")
    return name


def put_in_track(library: MediaLibrary, origin: str, *segment_ids: str) -> int:
    with library.metadata.connection.write() as db:
        track_id = db.execute(
            "INSERT INTO tracks (media_file_id, origin) VALUES (1, ?)", (origin,)
        ).lastrowid
        for name in segment_ids:
            db.execute("UPDATE segments SET track_id = ? WHERE id = ?", (track_id, name))
    assert track_id is not None
    return track_id


def on_frame(library: MediaLibrary, second: int) -> list[StoredSegment]:
    return [each for each in library.metadata.segments_where() if each.frame_index == 10 * second]


def track_of(library: MediaLibrary, segment_id: str) -> tuple[int | None, str | None, list[int]]:
    """Return a segment's track, what it is of, and the seconds at which it has segments."""
    db = library.metadata.connection.read()
    track_id = library.metadata.segments([segment_id])[segment_id].track_id
    if track_id is None:
        return None, None, []
    origin = db.execute("SELECT origin FROM tracks WHERE id = ?", (track_id,)).fetchone()[0]
    times = db.execute(
        "SELECT f.timestamp_s FROM segments s JOIN frames f ON f.id = s.frame_id"
        " WHERE s.track_id = ? ORDER BY 1",
        (track_id,),
    )
    return track_id, origin, [int(row[0]) for row in times]


def objects(library: MediaLibrary) -> dict[int, list[StoredSegment]]:
    found: dict[int, list[StoredSegment]] = {}
    for segment in library.metadata.segments_where():
        if segment.kind == "object":
            found.setdefault(segment.frame_index // 10, []).append(segment)
    return found


def propagate(library: MediaLibrary, *given: Any) -> SegmentPropagated:
    events = list(library.tracks.propagate(*given))
    (said,) = [event for event in events if isinstance(event, SegmentPropagated)]
    assert isinstance(events[-1], JobDone)
    return said


def rows(library: MediaLibrary) -> dict[str, list[tuple[object, ...]]]:
    db = library.metadata.connection.read()
    return {
        table: [tuple(row) for row in db.execute(f"SELECT * FROM {table} ORDER BY 1")]
        for table in ("segments", "embeddings", "segment_tags", "tracks", "frames")
    }


def crops(library: MediaLibrary) -> set[Path]:
    return set(library.paths.extracted_segments.rglob("*.jpg"))


def test_it_is_followed_forwards_and_then_back(
    library: MediaLibrary, played: list[RedMemory]
) -> None:
    start = draw(library, 2)
    said = propagate(library, start)
    assert (said.added, said.taken, said.frames) == (6, 0, 7)
    assert played[0].asked == [2, 3, 4, 5, 6, 7, 1, 0] and played[0].frames == FRAMES
    found = objects(library)
    assert sorted(found) == [0, 1, 2, 3, 5, 6, 7]
    for second, (segment,) in found.items():
        if second != 2:
            assert segment.origin == "tracker" and segment.crop_path.exists()
            assert segment.bbox_xywh == (10 * second + 10, 40, 21, 21)
    assert track_of(library, start) == (said.track_id, "propagated", [0, 1, 2, 3, 5, 6, 7])
    assert not library.vectors.embeddings.missing()
    assert not [each for each in library.verify() if isinstance(each, ProblemFound)]
    # all is there now
    again = propagate(library, start)
    assert (again.added, again.batch) == (0, None)


def test_a_segment_that_is_there_is_taken(library: MediaLibrary, played: list[RedMemory]) -> None:
    start, there = draw(library, 2), found_by_sam(library, 3, shift=1)
    linked = put_in_track(library, "linked", there, found_by_sam(library, 5, shift=1))
    said = propagate(library, start)
    assert (said.added, said.taken) == (4, 2)
    assert said.track_id != linked
    assert track_of(library, there) == track_of(library, start)
    assert all(len(some) == 1 for some in objects(library).values())


def test_what_people_drew_is_not_covered_and_what_they_removed_does_not_come_back(
    library: MediaLibrary, played: list[RedMemory]
) -> None:
    start, theirs, gone = draw(library, 2), draw(library, 3, shift=6), draw(library, 5)
    with library.edit_frame(gone) as editor:
        editor.begin(gone)
        editor.delete()
        editor.keep()
    mask = library.metadata.segments([theirs])[theirs].mask_rle
    said = propagate(library, start)
    assert (said.added, said.taken) == (4, 1)
    found = objects(library)
    assert 5 not in found and [each.id for each in found[3]] == [theirs]
    assert found[3][0].mask_rle == mask and found[3][0].origin == "human"


def test_the_track_of_a_person_keeps_its_segments(
    library: MediaLibrary, played: list[RedMemory]
) -> None:
    start, *others = (draw(library, second) for second in (2, 5, 6))
    theirs = put_in_track(library, "human", *others)
    said = propagate(library, start)
    assert said.track_id != theirs and said.added == 4
    assert track_of(library, others[0]) == (theirs, "human", [5, 6])
    assert track_of(library, start)[2] == [0, 1, 2, 3, 7]


@pytest.mark.parametrize("origin", ["human", "propagated"])
def test_a_track_of_its_own_grows(
    library: MediaLibrary, played: list[RedMemory], origin: str
) -> None:
    start, other = draw(library, 2), draw(library, 3, shift=40)
    track_id = put_in_track(library, origin, start, other)
    said = propagate(library, start)
    assert said.track_id == track_id
    # one segment of a frame is in it, and that of a person stays
    of_it, now, seconds = track_of(library, start)
    assert (of_it, seconds) == (track_id, [0, 1, 2, 3, 5, 6, 7])
    assert now in (origin, "human")  # it is not linked anew
    assert track_of(library, other)[0] == track_id


def test_it_is_one_act_undone_and_done_again(
    library: MediaLibrary, played: list[RedMemory]
) -> None:
    start, there = draw(library, 2), found_by_sam(library, 3)
    list(library.reembed())
    linked = put_in_track(library, "linked", there, found_by_sam(library, 5))
    list(library.reembed())
    before = rows(library)
    said = propagate(library, start)
    after = {name: [each.id for each in some] for name, some in objects(library).items()}
    assert said.batch is not None
    assert library.tracks.undo(said.batch) == said.added == 4
    assert rows(library) == before
    assert track_of(library, there) == (linked, "linked", [3, 5])
    assert library.tracks.undo(said.batch) == 0
    assert library.tracks.redo(said.batch) == 4
    list(library.reembed())
    assert {name: [each.id for each in some] for name, some in objects(library).items()} == after
    assert track_of(library, start)[2] == [0, 1, 2, 3, 5, 6, 7]
    assert not [each for each in library.verify() if isinstance(each, ProblemFound)]


def test_doing_it_again_does_not_look_through_the_video_for_each_segment(
    library: MediaLibrary, played: list[RedMemory], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = propagate(library, draw(library, 2))
    assert said.batch is not None and said.added > 2
    library.tracks.undo(said.batch)
    looked: list[int] = []
    put = track_acts._put

    def counted(db: sqlite3.Connection, media_file_id: int, *given: Any) -> int:
        looked.append(media_file_id)
        return put(db, media_file_id, *given)

    monkeypatch.setattr(track_acts, "_put", counted)
    assert library.tracks.redo(said.batch) == said.added
    assert len(looked) == 1


def test_it_stays_in_the_range(library: MediaLibrary, played: list[RedMemory]) -> None:
    start = draw(library, 2)
    said = propagate(library, start, 1.0, 3.5)
    assert (said.frames, said.added) == (2, 2)
    assert played[0].asked == [1, 2, 0]
    assert sorted(objects(library)) == [1, 2, 3]


def test_cancelled_it_has_changed_nothing(library: MediaLibrary, played: list[RedMemory]) -> None:
    start = draw(library, 2)
    list(library.reembed())
    before, files = rows(library), crops(library)
    with closing(library.tracks.propagate(start)) as events:
        for event in events:
            if isinstance(event, Progress) and event.done == 5:
                break
    assert rows(library) == before and crops(library) == files


@pytest.mark.parametrize("frame", [0, 4])  # as it loads, and on its way
def test_ctrl_c_says_that_nothing_was_stored_and_the_next_call_follows_it(
    library: MediaLibrary,
    played: list[RedMemory],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    frame: int,
) -> None:
    start = draw(library, 2)
    list(library.reembed())
    before, files = rows(library), crops(library)
    given = Namespace(segment_id=start, begin_s=None, end_s=None, json=False)

    def stopped(self: RedMemory, number: int, image_rgb: np.ndarray) -> np.ndarray:
        self.asked.append(number)
        if len(self.asked) > frame:
            signal.raise_signal(signal.SIGINT)
        return red_of(image_rgb)

    with monkeypatch.context() as patched:
        patched.setattr(RedMemory, "follow", stopped)
        with pytest.raises(KeyboardInterrupt):
            follow_segment(library, given, lambda events: events)
    said = capsys.readouterr()
    assert "Nothing was stored; run the command again" in said.err and not said.out
    assert rows(library) == before and crops(library) == files
    follow_segment(library, given, lambda events: events)
    said = capsys.readouterr()
    assert "6 new segments, 0 that were there, in 7 frames" in said.out and not said.err


def test_what_fails_while_it_is_stored_leaves_nothing(
    library: MediaLibrary, played: list[RedMemory], monkeypatch: pytest.MonkeyPatch
) -> None:
    start = draw(library, 2)
    list(library.reembed())
    before, files = rows(library), crops(library)
    noted, note_added = [], propagated.note_added

    def fails(*given: Any) -> None:
        noted.append(given)
        note_added(*given)
        if len(noted) == 3:
            raise OSError("the power is gone")

    monkeypatch.setattr(propagated, "note_added", fails)
    with pytest.raises(OSError, match="power"):
        list(library.tracks.propagate(start))
    assert rows(library) == before
    monkeypatch.undo()
    list(library.add([]))  # the next job cleans up
    assert crops(library) == files


def test_on_the_way_back_frames_are_read_in_windows(
    library: MediaLibrary, played: list[RedMemory], monkeypatch: pytest.MonkeyPatch
) -> None:
    start = draw(library, 7)
    read: list[list[int]] = []
    read_stored = following.read_stored

    def watched(path: Path, wanted: Any, known: Any) -> Iterator[Frame]:
        read.append([int(at_s) for _, at_s in wanted])
        return read_stored(path, wanted, known)

    monkeypatch.setattr(following, "read_stored", watched)
    library.settings = replace(SETTINGS, pixels_at_once=2 * 160 * 120 + 5)
    said = propagate(library, start)
    assert said.added == 6
    assert read == [[7], [5, 6], [3, 4], [1, 2], [0]]
    assert played[0].asked == [7, 6, 5, 4, 3, 2, 1, 0]


def test_what_cannot_be_followed_is_refused(
    library: MediaLibrary, played: list[RedMemory], scene_files: list[Path], tmp_path: Path
) -> None:
    start = draw(library, 2)
    list(library.add(scene_files[:1]))
    (photo,) = [s for s in library.metadata.segments_where() if s.timestamp_s is None]
    (whole,) = [s for s in on_frame(library, 2) if s.kind == "frame" and s.timestamp_s is not None]
    before = rows(library)
    for given, said in (
        (("no such segment",), "there is no segment no such segment in the library"),
        ((photo.id,), "photo"),
        ((whole.id,), "whole frame"),
        ((start, 3.0, 5.0), "at 0:02.0"),
        ((start, 1.5, 2.5), "no other frame"),
    ):
        with pytest.raises(QueryError, match=said):
            list(library.tracks.propagate(*given))
    video = library.metadata.all_media()[0].path
    video.rename(tmp_path / "elsewhere.mkv")
    with pytest.raises(MediaReadError, match="missing"):
        list(library.tracks.propagate(start))
    (tmp_path / "elsewhere.mkv").rename(video)
    assert {name: rows(library)[name] for name in ("segments", "tracks")} == {
        name: before[name] for name in ("segments", "tracks")
    }


def test_without_sam_2_it_says_what_to_do(library: MediaLibrary) -> None:
    start = draw(library, 2)
    with pytest.raises(ModelNotLoadedError, match="models download sam2"):
        list(library.tracks.propagate(start))
