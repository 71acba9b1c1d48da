"""The pipeline as a whole: real models, real files, a library in a folder of its own."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from PIL import Image

from src.config import LibraryPaths
from src.errors import DatabaseError, ModelNotLoadedError
from src.events import (
    Event,
    FileDone,
    FileKnown,
    FrameSkipped,
    FrameStored,
    JobDone,
    ProblemFound,
)
from src.library import MediaLibrary
from src.library_files import SafeFolder
from src.models.model_manager import ModelManager
from src.processing.segment_extractor import SegmentExtractor
from src.records import Frame, SegmentKind
from src.settings import Settings
from tests.conftest import MakeVideo
from tests.processing.test_media_finder import may_not_be_read
from tests.remembered_videos import LOSSLESS

# A coarse grid: the masks are real, and a frame takes a quarter of the time.
SETTINGS = Settings(points_per_side=8, duplicate_distance=-1)


E = TypeVar("E", bound=Event)


class SharedModels(ModelManager):
    """Models loaded once for all libraries of the tests."""

    def __init__(self, clip: object, sam: object) -> None:
        super().__init__(device="cpu")
        self.shared = clip, sam

    def load_clip(self, checkpoint_path: object = None) -> object:  # type: ignore[override]
        return self.shared[0]

    def load_clip_named(self, name: str) -> object:  # type: ignore[override]
        raise ModelNotLoadedError(f"no {name} here")

    def load_sam(self, checkpoint_path: object = None, **options: object) -> object:  # type: ignore[override]
        return self.shared[1]


@pytest.fixture(scope="session")
def shared_models() -> ModelManager:
    manager = ModelManager(device="cpu", points_per_side=8)
    return SharedModels(manager.load_clip(), manager.load_sam())


@pytest.fixture
def library(paths: LibraryPaths, shared_models: ModelManager) -> Iterator[MediaLibrary]:
    with MediaLibrary(paths, shared_models, SETTINGS) as library:
        yield library


def add(library: MediaLibrary, *paths: Path) -> list[Event]:
    return list(library.add(paths))


def of_kind(events: list[Event], kind: type[E]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


def content(library: MediaLibrary) -> dict[str, object]:
    """Everything that ingest wrote, but for ids given by counting and times of day."""
    db = library.metadata.connection.read()
    return {
        table: [
            tuple(row)
            for row in db.execute(f"SELECT {columns} FROM {table} ORDER BY {order}").fetchall()
        ]
        for table, columns, order in (
            ("media_files", "content_hash, kind, width, height, duration_s, status, error", "1"),
            ("frames", "frame_index, timestamp_s, width, height", "1, 2"),
            ("segments", "id, kind, x, y, w, h, area, mask, crop_path", "id"),
            ("embeddings", "segment_id, vector", "segment_id"),
            ("segment_tags", "segment_id, tag_id, round(confidence, 4)", "1, 2"),
        )
    }


def crop_files(library: MediaLibrary) -> set[str]:
    root = library.paths.root
    found = library.paths.extracted_segments.rglob("*.jpg")
    return {path.relative_to(root).as_posix() for path in found}


def test_images_and_videos_become_segments_that_are_found(
    library: MediaLibrary, scene_files: list[Path], make_video: MakeVideo
) -> None:
    video = make_video("video.mp4", 3, *LOSSLESS)
    events = add(library, *scene_files, video)
    (done,) = of_kind(events, JobDone)
    assert (done.files, done.frames, done.failed) == (5, 7, ())
    stats = library.stats()
    assert (stats.media_files, stats.images, stats.videos, stats.frames) == (5, 4, 1, 7)
    assert stats.segments == done.segments > 14
    assert stats.tags > 0 and stats.bytes > 0
    assert crop_files(library) == library.metadata.crop_paths()
    assert library.index.problems() == []

    hit = library.search(image=scene_files[2], n_results=1)[0]
    assert (hit.segment.media_path, hit.segment.kind) == (scene_files[2], "frame")
    assert hit.score > 0.98
    assert video in {hit.segment.media_path for hit in library.search("red", n_results=999)}
    hit = library.search("something blue", n_results=1)[0]
    assert hit.segment.crop_path.is_file()
    x, y, w, h = hit.segment.bbox_xywh
    assert 0 <= x < x + w <= hit.segment.frame_wh[0] and 0 <= y < y + h <= hit.segment.frame_wh[1]


def test_a_video_keeps_its_moments(library: MediaLibrary, make_video: MakeVideo) -> None:
    video = make_video("video.mp4", 3, *LOSSLESS)
    events = add(library, video)
    assert [event.timestamp_s for event in of_kind(events, FrameStored)] == [0, 1, 2]
    segments = library.search("something red", n_results=999)
    assert {hit.segment.timestamp_s for hit in segments} == {0, 1, 2}
    media = library.metadata.media_by_path(video)
    assert media is not None and media.duration_s == pytest.approx(3, abs=0.1)


def test_the_same_file_twice_is_one(library: MediaLibrary, scene_files: list[Path]) -> None:
    add(library, scene_files[0])
    before = content(library)
    events = add(library, scene_files[0])
    assert [event.reason for event in of_kind(events, FileKnown)] == ["already in the library"]
    assert content(library) == before


def test_the_same_content_under_two_names_is_one(
    library: MediaLibrary, scene_files: list[Path], tmp_path: Path
) -> None:
    copy = tmp_path / "copy.png"
    shutil.copy(scene_files[0], copy)
    events = add(library, scene_files[0], copy)
    assert [event.path for event in of_kind(events, FileKnown)] == [copy]
    assert library.stats().media_files == 1


def test_a_moved_file_is_linked_again(
    library: MediaLibrary, scene_files: list[Path], tmp_path: Path
) -> None:
    old, new = tmp_path / "old.png", tmp_path / "new.png"
    shutil.copy(scene_files[0], old)
    add(library, old)
    library.add_tag(library.search("something red")[0].segment.id, "mine")
    before = content(library)
    old.rename(new)
    events = add(library, new)
    assert [event.reason for event in of_kind(events, FileKnown)] == ["moved here"]
    assert content(library) == before
    assert [media.path for media in library.metadata.all_media()] == [new]


def test_a_changed_file_is_done_again(
    library: MediaLibrary, scene_files: list[Path], tmp_path: Path
) -> None:
    path = tmp_path / "photo.png"
    shutil.copy(scene_files[0], path)
    add(library, path)
    before = library.metadata.crop_paths()
    shutil.copy(scene_files[1], path)
    events = add(library, path)
    assert len(of_kind(events, FileDone)) == 1
    assert library.metadata.crop_paths().isdisjoint(before)
    assert crop_files(library) == library.metadata.crop_paths()
    assert library.stats().media_files == 1


def test_a_touched_file_is_not_done_again(
    library: MediaLibrary, scene_files: list[Path], tmp_path: Path
) -> None:
    path = tmp_path / "photo.png"
    shutil.copy(scene_files[0], path)
    add(library, path)
    os.utime(path, (1, 1))
    assert not of_kind(add(library, path), FrameStored)


def test_a_cancelled_job_goes_on_where_it_stopped(
    paths: LibraryPaths,
    shared_models: ModelManager,
    scene_files: list[Path],
    make_video: MakeVideo,
    tmp_path: Path,
) -> None:
    video = make_video("video.mp4", 5, *LOSSLESS)
    media = [scene_files[0], video, scene_files[1]]
    with MediaLibrary(paths, shared_models, SETTINGS) as library:
        job = library.add(media)
        stored = 0
        for event in job:
            stored += isinstance(event, FrameStored)
            if stored == 3:  # the image and two of the video's frames
                break
        job.close()  # type: ignore[attr-defined]
    with MediaLibrary(paths, shared_models, SETTINGS) as library:
        events = add(library)  # what is unfinished is remembered
        assert len(of_kind(events, FrameSkipped)) == 2
        assert len(of_kind(events, FrameStored)) == 4
        interrupted = content(library)
    with MediaLibrary(LibraryPaths(tmp_path / "other"), shared_models, SETTINGS) as other:
        add(other, *media)
        assert content(other) == interrupted


def test_bad_files_cost_only_themselves(
    library: MediaLibrary, scene_files: list[Path], make_video: MakeVideo, tmp_path: Path
) -> None:
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "empty.jpg").touch()
    (bad / "empty.mp4").touch()
    (bad / "text.png").write_text("no image")
    whole = scene_files[0].read_bytes()
    (bad / "cut.png").write_bytes(whole[: len(whole) // 2])
    (bad / "dangling.jpg").symlink_to(bad / "nowhere")
    (bad / "circle").symlink_to(bad)
    shutil.copy(scene_files[1], bad / "a 😀 name\nof two lines.png")
    shutil.copy(scene_files[2], bad / ("n" * 246 + ".png"))
    os.mkfifo(bad / "pipe.jpg")
    undecodable = os.fsdecode(os.fsencode(bad) + b"/not \xff unicode.png")
    shutil.copy(scene_files[3], undecodable)
    missing = tmp_path / "vanished.jpg"

    (done,) = of_kind(add(library, bad, missing, tmp_path / "bad" / "text.png"), JobDone)
    reasons = {event.path.name: event.reason for event in done.failed}
    assert done.frames == 2
    assert reasons.pop(Path(undecodable).name).startswith("its name is not valid Unicode")
    assert reasons == {
        "empty.jpg": "the file is empty",
        "empty.mp4": "the file is empty",
        "text.png": "this is a text file; only photos and videos can be added",
        "cut.png": reasons["cut.png"],
        "dangling.jpg": "the link leads to no file",
        "pipe.jpg": "not a file",
        "vanished.jpg": "there is no such file or folder",
    }
    del reasons["vanished.jpg"]  # nothing is kept of what was never there
    assert "damaged or incomplete file" in reasons["cut.png"]
    failed = {media.path.name: media.error for media in library.metadata.all_media("failed")}
    assert failed == reasons
    assert library.stats().media_files == 2


def test_a_file_that_failed_and_was_mended_is_taken(
    library: MediaLibrary, scene_files: list[Path], tmp_path: Path
) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(b"")
    add(library, path)
    shutil.copy(scene_files[0], path)
    assert of_kind(add(library, path), FileDone)
    assert library.metadata.all_media("failed") == []


def test_a_cut_video_keeps_its_frames_and_is_marked(
    library: MediaLibrary, make_video: MakeVideo
) -> None:
    video = make_video("cut.mkv", 6, *LOSSLESS)
    video.write_bytes(video.read_bytes()[: video.stat().st_size // 2])
    (done,) = of_kind(add(library, video), FileDone)
    assert done.frames >= 1 and done.note is not None and "could be read" in done.note
    media = library.metadata.media_by_path(video)
    assert media is not None and (media.status, media.error) == ("done", done.note)


def test_without_sam_whole_frames_are_found(
    paths: LibraryPaths, shared_models: ModelManager, scene_files: list[Path]
) -> None:
    clip_only = SharedModels(shared_models.load_clip(), None)
    with MediaLibrary(paths, clip_only, SETTINGS) as library:
        add(library, *scene_files)
        kinds: set[SegmentKind] = {hit.segment.kind for hit in library.search("something red")}
        assert kinds == {"frame"}
        assert library.stats().sam_model is None


def test_a_library_copied_elsewhere_works(
    paths: LibraryPaths, shared_models: ModelManager, scene_files: list[Path], tmp_path: Path
) -> None:
    with MediaLibrary(paths, shared_models, SETTINGS) as library:
        add(library, scene_files[0])
    copy = LibraryPaths(tmp_path / "copy")
    shutil.copytree(paths.root, copy.root)
    with MediaLibrary(copy, shared_models, SETTINGS) as library:
        assert library.index.problems() == []
        crop = library.search("something red")[0].segment.crop_path
        assert crop.is_relative_to(copy.root) and crop.is_file()


def test_crops_lost_are_cut_again_and_strays_are_removed(
    library: MediaLibrary, scene_files: list[Path], make_video: MakeVideo
) -> None:
    add(library, scene_files[0], make_video("video.mp4", 2, *LOSSLESS))
    segments = library.search("something red", n_results=999).hits
    lost = [hit.segment.crop_path for hit in segments[::3]]
    before = [np.asarray(Image.open(path)) for path in lost]
    for path in lost:
        path.unlink()
    stray = lost[0].with_name(f"{0:024x}.jpg")
    stray.write_bytes(b"x")
    assert len(of_kind(list(library.verify()), ProblemFound)) == len(lost) + 1
    assert stray.exists() and not lost[0].exists()
    mended = of_kind(list(library.verify(repair=True)), ProblemFound)
    assert len(mended) == len(lost) + 1 and all(problem.mended for problem in mended)
    for path, pixels in zip(lost, before, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(path)), pixels)
    assert list(library.verify()) == []


def test_replaced_weights_embed_the_library_again(
    paths: LibraryPaths, shared_models: ModelManager, scene_files: list[Path]
) -> None:
    import dataclasses

    with MediaLibrary(paths, shared_models, SETTINGS) as library:
        add(library, *scene_files)
        segments = library.stats().segments
        first = library.search("something red", n_results=5)
    renamed = dataclasses.replace(shared_models.load_clip(), name="another@1")
    other = SharedModels(renamed, None)  # has no weights of the first one's name
    with MediaLibrary(paths, other, SETTINGS) as library:
        assert len(library.search("something red")) == 0  # scores of two models never mix
        for _ in library.reembed():
            pass
        assert library.vectors.embeddings.count() == segments
        again = library.search("something red", n_results=5)
        # the stored crops are JPEGs, so scores move in the third place
        assert again[0].score == pytest.approx(first[0].score, abs=0.05)


@pytest.fixture
def odd_picture(scene_files: list[Path], tmp_path: Path) -> Path:
    """One of a size of its own, which the tests have a model stumble over."""
    path = tmp_path / "odd.png"
    Image.open(scene_files[0]).resize((50, 40)).save(path)
    return path


def stumble(patch: pytest.MonkeyPatch, error: Exception) -> None:
    segments = SegmentExtractor.segments

    def odd(self: SegmentExtractor, frame: Frame, *others: object) -> object:
        if frame.size_wh == (50, 40):
            raise error
        return segments(self, frame, *others)  # type: ignore[arg-type]

    patch.setattr(SegmentExtractor, "segments", odd)


@pytest.mark.parametrize("error", [IndexError("out of range"), KeyError(), ZeroDivisionError()])
def test_a_model_that_stumbles_over_one_picture_costs_that_alone(
    library: MediaLibrary,
    scene_files: list[Path],
    odd_picture: Path,
    error: Exception,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stumble(monkeypatch, error)
    (done,) = of_kind(add(library, odd_picture, scene_files[1]), JobDone)
    (failed,) = done.failed
    said = str(error) or type(error).__name__
    assert (failed.path, failed.reason) == (odd_picture, f"could not be processed ({said})")
    assert done.frames == 1 and library.unfinished() == 0
    assert [media.path for media in library.metadata.all_media("failed")] == [odd_picture]


@pytest.mark.parametrize(
    "error", [DatabaseError("no room"), ModelNotLoadedError("gone"), sqlite3.OperationalError("io")]
)
def test_trouble_of_the_library_itself_ends_the_job(
    library: MediaLibrary, odd_picture: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        stumble(patch, error)
        with pytest.raises(type(error)):
            add(library, odd_picture)
    assert library.metadata.all_media("failed") == []
    assert of_kind(add(library), FileDone)


def test_a_full_disk_stops_the_job_with_a_sentence(
    library: MediaLibrary, scene_files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(files: SafeFolder, name: str, content: bytes, lasting: bool = True) -> None:
        raise OSError(28, "No space left on device")

    add(library, scene_files[0])
    with monkeypatch.context() as patch:
        patch.setattr(SafeFolder, "write", full)
        with pytest.raises(DatabaseError, match="No space left"):
            add(library, scene_files[1])
    assert of_kind(add(library), FileDone)  # and it goes on once there is room


def test_a_folder_that_may_not_be_read_is_told_of_and_costs_no_other(
    library: MediaLibrary,
    scene_files: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("open", "secret"):
        (tmp_path / name).mkdir()
        shutil.copy(scene_files[0], tmp_path / name / "photo.png")
    may_not_be_read(tmp_path / "secret", monkeypatch)
    done = of_kind(add(library, tmp_path), JobDone)[0]
    assert done.files == 1 and [failed.path for failed in done.failed] == [tmp_path / "secret"]
    assert "this folder can't be read" in done.failed[0].reason


def test_a_video_that_stands_still_can_be_stopped_at_every_frame(
    paths: LibraryPaths, shared_models: ModelManager, make_video: MakeVideo
) -> None:
    video = make_video("still.mp4", 4, "-vf", "drawbox=c=white:t=fill")
    with MediaLibrary(paths, shared_models, Settings(points_per_side=4)) as library:
        skipped = of_kind(add(library, video), FrameSkipped)
    assert [event.frame_index for event in skipped] == [10, 20, 30]
