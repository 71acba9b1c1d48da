"""A range of a video sampled more finely, held against the same video added at that rate."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from src.config import LibraryPaths
from src.errors import MediaReadError, QueryError
from src.events import Event, FileDone, FrameSkipped, FrameStored, JobDone, ProblemFound
from src.library import MediaLibrary
from src.models.model_manager import ModelManager
from src.settings import Settings
from tests.conftest import MakeVideo
from tests.processing.test_ingest import SETTINGS, SharedModels, add, of_kind, shared_models
from tests.remembered_videos import LOSSLESS

__all__ = ["shared_models"]

# a keyframe every second, so that reading can begin in the middle
KEYS = (*LOSSLESS, "-g", "10", "-bf", "2")


@pytest.fixture
def library(paths: LibraryPaths, shared_models: ModelManager) -> Iterator[MediaLibrary]:
    with MediaLibrary(paths, shared_models, SETTINGS) as library:
        yield library


def sample(
    library: MediaLibrary, begin_s: float, end_s: float, rate: float, media_id: int = 1
) -> Iterator[Event]:
    return library.tracks.sample_finely(media_id, begin_s, end_s, rate)


def frames_of(library: MediaLibrary) -> list[tuple[object, ...]]:
    rows = library.metadata.connection.read().execute(
        "SELECT frame_index, timestamp_s, until_s, width, height, sam, dhash, sharpness"
        " FROM frames ORDER BY media_file_id, frame_index"
    )
    return [tuple(row) for row in rows]


def segments_of(library: MediaLibrary) -> dict[str, tuple[object, ...]]:
    rows = library.metadata.connection.read().execute(
        "SELECT s.*, f.frame_index, e.vector FROM segments s JOIN frames f ON f.id = s.frame_id"
        " JOIN embeddings e ON e.segment_id = s.id"
    )
    left_out = ("frame_id", "checksum", "vector", "track_id")
    return {
        row["id"]: (
            {name: row[name] for name in row.keys() if name not in left_out},  # noqa: SIM118
            np.frombuffer(row["vector"], "<f4"),
        )
        for row in rows
    }


def tracks_of(library: MediaLibrary) -> set[str]:
    rows = library.metadata.connection.read().execute(
        "SELECT group_concat(id) FROM (SELECT id, track_id FROM segments"
        " WHERE track_id IS NOT NULL ORDER BY id) GROUP BY track_id"
    )
    return {row[0] for row in rows}


def assert_same(one: MediaLibrary, other: MediaLibrary) -> None:
    assert frames_of(one) == frames_of(other)
    assert tracks_of(one) == tracks_of(other)
    ours, theirs = segments_of(one), segments_of(other)
    assert ours.keys() == theirs.keys()
    for name, (columns, vector) in ours.items():
        assert columns == theirs[name][0]
        assert np.abs(vector - theirs[name][1]).max() < 1e-5
    for library in (one, other):
        crops = {segment.crop_path for segment in library.metadata.segments_where()}
        assert all(path.exists() for path in crops)


def added_at(
    rate: float, video: Path, folder: Path, models: ModelManager, settings: Settings = SETTINGS
) -> MediaLibrary:
    library = MediaLibrary(LibraryPaths(folder), models, replace(settings, frames_per_second=rate))
    add(library, video)
    return library


def test_sampled_finely_it_is_as_if_it_had_been_added_at_that_rate(
    library: MediaLibrary, shared_models: ModelManager, make_video: MakeVideo, tmp_path: Path
) -> None:
    video = make_video("v.mp4", 2, *KEYS)
    add(library, video)
    before = segments_of(library)
    events = list(sample(library, 0, 2, 5))
    with closing(added_at(5, video, tmp_path / "other", shared_models)) as other:
        assert len(frames_of(other)) == 10
        assert_same(library, other)
        assert library.stats().segments == other.stats().segments
    assert len(of_kind(events, FrameStored)) == 8
    assert of_kind(events, FileDone)[0].frames == 10
    assert before.keys() <= segments_of(library).keys()
    assert of_kind(events, JobDone)[0].frames == 8
    assert not of_kind(list(library.verify()), ProblemFound)


@pytest.fixture
def uncut(paths: LibraryPaths, models: ModelManager) -> Iterator[MediaLibrary]:
    """A library without a SAM: each frame is one segment, which takes no time."""
    without = SharedModels(models.load_clip(), None)
    with MediaLibrary(paths, without, replace(SETTINGS, sam_model="none")) as library:
        yield library


def test_only_the_range_is_read_and_its_frames_have_their_own_numbers(
    uncut: MediaLibrary, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(uncut, make_video("v.mp4", 6, *KEYS))
    from src.processing import known_frames

    read: list[float] = []
    decoded = known_frames.decoded

    def watched(*given: object) -> Iterator[object]:
        for frame in decoded(*given):  # type: ignore[arg-type]
            read.append(frame.timestamp_s or 0.0)
            yield frame

    monkeypatch.setattr(known_frames, "decoded", watched)
    events = list(sample(uncut, 4, 5, 5))
    stored = of_kind(events, FrameStored)
    assert [event.frame_index for event in stored] == [42, 44, 46, 48]
    assert [event.timestamp_s for event in stored] == pytest.approx([4.2, 4.4, 4.6, 4.8])
    assert read and min(read) > 2 and max(read) < 5.5
    assert stored[-1].fraction == pytest.approx(0.8)


def test_it_goes_on_where_it_was_stopped(
    library: MediaLibrary, shared_models: ModelManager, make_video: MakeVideo, tmp_path: Path
) -> None:
    video = make_video("v.mp4", 2, *KEYS)
    add(library, video)
    with closing(sample(library, 0, 2, 5)) as events:
        for event in events:
            if isinstance(event, FrameStored):
                break
    assert len(frames_of(library)) == 3
    again = list(sample(library, 0, 2, 5))
    assert len(of_kind(again, FrameStored)) == 7
    with closing(added_at(5, video, tmp_path / "other", shared_models)) as other:
        assert_same(library, other)
    assert not of_kind(list(sample(library, 0, 2, 5)), FrameStored)


def test_what_people_did_stays(library: MediaLibrary, make_video: MakeVideo) -> None:
    add(library, make_video("v.mp4", 2, *KEYS))
    drawn, removed = list(segments_of(library))[:2]
    library.add_tag(drawn, "mine")
    rows = "SELECT * FROM decisions WHERE source = 'human'"
    before = [tuple(row) for row in library.metadata.connection.read().execute(rows)]
    list(sample(library, 0, 2, 5))
    after = [tuple(row) for row in library.metadata.connection.read().execute(rows)]
    assert before and before == after
    assert removed in segments_of(library)


def test_what_looks_alike_comes_in_and_what_is_equal_stands_for_it(
    paths: LibraryPaths, models: ModelManager, make_video: MakeVideo
) -> None:
    # the picture changes a little at 4 s, which the dHash takes for the same
    box = "drawbox=x=80:y=60:w=6:h=6:color=gray:t=fill:enable='gte(t,4)'"
    still = ("-vf", f"trim=end_frame=1,loop=-1:1,setpts=N/10/TB,trim=duration=8,{box}")
    video = make_video("v.mkv", 1, *still, "-c:v", "ffv1", "-g", "10")
    settings = replace(SETTINGS, duplicate_distance=2, sam_model="none")
    without = SharedModels(models.load_clip(), None)
    with MediaLibrary(paths, without, settings) as library:
        add(library, video)
        assert [row[:3] for row in frames_of(library)] == [(0, 0.0, 7.0)]
        events = list(sample(library, 2, 6, 5))
        found = [row[:3] for row in frames_of(library)]
        # the first of the range is not known to be the first picture; the next equal it
        assert [event.frame_index for event in of_kind(events, FrameStored)] == [40]
        assert found == [(0, 0.0, pytest.approx(3.8)), (40, 4.0, 7.0)]
        assert of_kind(events, FrameSkipped)
        assert [row[:3] for row in frames_of(library)] == found
        list(sample(library, 2, 6, 5))
        assert [row[:3] for row in frames_of(library)] == found


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ((7, 0.0, 1.0, 5.0), "no media file 7"),
        ((1, 2.0, 1.0, 5.0), "begin before it ends"),
        ((1, 0.0, float("nan"), 5.0), "begin before it ends"),
        ((1, -1.0, 1.0, 5.0), "begin before it ends"),
        ((1, 0.0, 1.0, 0.0), "frames a second"),
        ((1, 50.0, 60.0, 5.0), "the video ends at 0:02"),
    ],
)
def test_what_cannot_be_is_refused(
    uncut: MediaLibrary,
    make_video: MakeVideo,
    asked: tuple[int, float, float, float],
    said: str,
) -> None:
    add(uncut, make_video("v.mp4", 2, *KEYS))
    media_id, *wanted = asked
    with pytest.raises(QueryError, match=said):
        list(sample(uncut, *wanted, media_id=media_id))
    assert len(frames_of(uncut)) == 2


def test_a_photo_has_no_more_frames(library: MediaLibrary, scene_files: list[Path]) -> None:
    add(library, scene_files[0])
    with pytest.raises(QueryError, match="photo"):
        list(sample(library, 0, 1, 5))


def test_a_file_that_is_gone_or_another_one_changes_nothing(
    uncut: MediaLibrary, make_video: MakeVideo, tmp_path: Path
) -> None:
    video = make_video("v.mp4", 2, *KEYS)
    add(uncut, video)
    before = segments_of(uncut)
    video.rename(tmp_path / "elsewhere.mp4")
    with pytest.raises(MediaReadError, match="missing"):
        list(sample(uncut, 0, 2, 5))
    shutil.copy(make_video("other.mp4", 3, *KEYS), video)
    with pytest.raises(MediaReadError, match="add it again"):
        list(sample(uncut, 0, 2, 5))
    assert segments_of(uncut).keys() == before.keys()
    # its new content takes the place of all frames, the finely sampled ones among them
    os.utime(video, (1, 1))
    add(uncut, video)
    assert [row[0] for row in frames_of(uncut)] == [0, 10, 20]


def test_a_video_that_is_not_wholly_there_is_added_first(
    uncut: MediaLibrary, make_video: MakeVideo
) -> None:
    video = make_video("v.mp4", 2, *KEYS)
    with closing(uncut.add([video])) as events:
        for event in events:
            if isinstance(event, FrameStored):
                break
    with pytest.raises(MediaReadError, match="add it first"):
        list(sample(uncut, 0, 2, 5))


def test_no_more_frames_than_the_settings_allow(
    paths: LibraryPaths, shared_models: ModelManager, make_video: MakeVideo
) -> None:
    settings = replace(SETTINGS, frames_per_video=6)
    with MediaLibrary(paths, shared_models, settings) as library:
        add(library, make_video("v.mp4", 2, *KEYS))
        (done,) = of_kind(list(sample(library, 0, 2, 5)), FileDone)
        assert done.frames == 6
        assert done.note is not None and "frames_per_video" in done.note


def test_segmenting_again_and_adding_again_take_the_finer_frames_along(
    library: MediaLibrary, make_video: MakeVideo
) -> None:
    video = make_video("v.mp4", 2, *KEYS)
    add(library, video)
    list(sample(library, 0.5, 1.5, 5))
    frames, segments = len(frames_of(library)), segments_of(library).keys()
    with library.metadata.connection.write() as db:
        db.execute("UPDATE frames SET sam = 'another'")
    (done,) = of_kind(list(library.segment_again()), JobDone)
    assert (done.frames, done.failed) == (frames, ())
    assert segments_of(library).keys() == segments
    os.utime(video, (1, 1))
    add(library, video)
    assert len(frames_of(library)) == frames
