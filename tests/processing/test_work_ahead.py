"""What is read and cut ahead of its turn gives the library that one file after another gives."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from src.config import LibraryPaths
from src.errors import MediaReadError
from src.events import Event, FileDone, FileFailed, FileKnown, FrameStored, ProblemFound
from src.library import MediaLibrary
from src.models.model_manager import ModelManager
from src.processing import content_check, ingest
from src.processing.crop import CROP_SIDE
from src.processing.ffmpeg_log import VideoFacts
from src.processing.files_ahead import FileAhead, FilesAhead
from src.processing.frames_ahead import ReadFrame, Wanted, as_read
from src.processing.image_loader import load_image
from src.processing.models_in_use import ClipBundle
from src.processing.segment_pipeline import CutFrame, FrameResult, SegmentPipeline
from src.processing.work_threads import WorkThreads
from src.records import Frame
from tests.conftest import MakeVideo
from tests.processing.test_ingest import SETTINGS, SharedModels, of_kind
from tests.processing.test_ingest import shared_models as shared_models

# Moments, embeddings (sums of floats in another order), and checksums over them.
_NOT_COMPARED = {"checksum", "added_at", "modified_at_ns", "decided_at", "batch", "vector"}


def in_turn(
    frames: Iterable[tuple[Frame, bool]],
    facts: VideoFacts,
    wanted: Wanted,
    pipeline: SegmentPipeline,
    threads: WorkThreads,
) -> Generator[ReadFrame]:
    """Do what frames_ahead does, a frame after the other in this thread."""
    for frame, differs in frames:
        result: Future[FrameResult] | None = None
        if (kept := wanted(frame, differs)) is not None:
            result = Future()
            result.set_result(pipeline.process(frame, kept))
        yield as_read(frame, differs, facts, result)


def one_after_another(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ingest, "frames_ahead", in_turn)
    patch.setattr(FilesAhead, "take", lambda self, path: iter(()))


def two_libraries(
    folder: Path, models: ModelManager
) -> Iterator[tuple[MediaLibrary, MediaLibrary]]:
    with (
        MediaLibrary(LibraryPaths(folder / "one"), models, SETTINGS) as here,
        MediaLibrary(LibraryPaths(folder / "other"), models, SETTINGS) as elsewhere,
    ):
        yield here, elsewhere


@pytest.fixture
def libraries(
    tmp_path: Path, shared_models: ModelManager
) -> Iterator[tuple[MediaLibrary, MediaLibrary]]:
    yield from two_libraries(tmp_path, shared_models)


@pytest.fixture
def whole_frames(
    tmp_path: Path, shared_models: ModelManager
) -> Iterator[tuple[MediaLibrary, MediaLibrary]]:
    """Libraries whose frames are not cut."""
    yield from two_libraries(tmp_path, SharedModels(shared_models.load_clip(), None))


@pytest.fixture
def media(tmp_path: Path, scene_files: list[Path], make_video: MakeVideo) -> Path:
    """A folder with all that can be in one: images, a video, a copy, bad files."""
    folder = tmp_path / "media"
    folder.mkdir()
    for number, path in enumerate(scene_files):
        shutil.copy(path, folder / f"{number} {path.name}")
    shutil.copy(scene_files[0], folder / f"9 copy{scene_files[0].suffix}")
    whole = scene_files[1].read_bytes()
    (folder / f"1 cut{scene_files[1].suffix}").write_bytes(whole[: len(whole) // 3])
    (folder / "2 empty.jpg").touch()
    (folder / "3 text.png").write_text("no picture")
    shutil.move(make_video(seconds=3), folder / "4 video.mp4")
    return folder


def table_rows(library: MediaLibrary) -> dict[str, list[tuple[object, ...]]]:
    """All rows of the tables that an ingest fills, and what is in the crop files."""
    db = library.metadata.connection.read()
    found: dict[str, list[tuple[object, ...]]] = {}
    for table in ("media_files", "frames", "segments", "tags", "segment_tags", "embeddings"):
        rows = db.execute(f"SELECT * FROM {table}")
        left_out = _NOT_COMPARED | ({"confidence"} if table == "segment_tags" else set())
        names = [column[0] for column in rows.description if column[0] not in left_out]
        found[table] = sorted((tuple(row[name] for name in names) for row in rows), key=repr)
    folder = library.paths.extracted_segments
    crops = [path for path in folder.rglob("*") if path.is_file()]
    found["crops"] = sorted((str(p.relative_to(folder)), p.read_bytes()) for p in crops)
    return found


@pytest.mark.parametrize("with_sam", [True, False])
def test_the_library_is_the_same_row_by_row(
    request: pytest.FixtureRequest,
    with_sam: bool,
    media: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    libraries = request.getfixturevalue("libraries" if with_sam else "whole_frames")
    here, elsewhere = libraries
    events = list(here.add([media]))
    with monkeypatch.context() as patch:
        one_after_another(patch)
        expected = list(elsewhere.add([media]))
    assert [str(event) for event in events] == [str(event) for event in expected]
    assert len(of_kind(events, FileFailed)) == 3 and len(of_kind(events, FileKnown)) == 1
    assert len(of_kind(events, FrameStored)) > len(of_kind(events, FileDone)) > 2
    first, second = table_rows(here), table_rows(elsewhere)
    for name in first:
        assert first[name] == second[name], name
    ids = sorted(here.metadata.segment_ids())
    vectors = [library.vectors.embeddings.get(ids) for library in libraries]
    for name in ids:  # with other threads sums of floats differ in their last digits
        np.testing.assert_allclose(vectors[0][name], vectors[1][name], atol=1e-5)
    assert len(of_kind(list(here.verify()), ProblemFound)) == 3  # the bad files


@pytest.mark.parametrize("turned", [False, True])
def test_a_large_photo_that_stays_whole_is_known_by_its_own_size(
    whole_frames: tuple[MediaLibrary, MediaLibrary],
    scene_files: list[Path],
    tmp_path: Path,
    turned: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "large.jpg"
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6 if turned else 1
    Image.open(scene_files[0]).resize((3200, 2400)).save(path, quality=90, exif=exif)
    here, elsewhere = whole_frames
    assert of_kind(list(here.add([path])), FileDone)
    with monkeypatch.context() as patch:
        one_after_another(patch)
        assert of_kind(list(elsewhere.add([path])), FileDone)
    (small,), (full,) = (library.metadata.all_media() for library in whole_frames)
    assert (small.width, small.height) == ((2400, 3200) if turned else (3200, 2400))
    assert (full.width, full.height) == (small.width, small.height)
    looks, crops = [], []
    for library in whole_frames:
        (segment,) = library.metadata.segments(library.metadata.segment_ids()).values()
        assert segment.bbox_xywh == (0, 0, small.width, small.height)
        assert segment.frame_wh == (small.width, small.height)
        crops.append(np.asarray(Image.open(segment.crop_path), np.int16))
        row = "SELECT dhash, sharpness FROM frames"
        looks.append(tuple(library.metadata.connection.read().execute(row).fetchone()))
    assert crops[0].shape == crops[1].shape and max(crops[0].shape) == CROP_SIDE
    assert np.abs(crops[0] - crops[1]).mean() < 1  # of 255
    assert (int(looks[0][0], 16) ^ int(looks[1][0], 16)).bit_count() <= 2
    assert looks[0][1] == pytest.approx(looks[1][1], rel=0.1)


def test_of_a_large_photo_that_stays_whole_only_a_part_is_decoded(
    scene_files: list[Path], tmp_path: Path
) -> None:
    path, limit = tmp_path / "large.jpg", 10**8
    Image.open(scene_files[0]).resize((3200, 2400)).save(path, quality=90)
    loaded = load_image(path, limit, CROP_SIDE, is_new=True)
    assert loaded.frame.image_rgb.shape[:2] == (1200, 1600)
    assert loaded.frame.size_wh == (3200, 2400) and loaded.note is None
    whole = path.read_bytes()
    path.write_bytes(whole[:-2])  # every pixel is there, the mark of the end is not
    as_ever = load_image(path, limit)
    loaded = load_image(path, limit, CROP_SIDE, is_new=True)
    assert loaded.note == as_ever.note is not None
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MediaReadError):
        load_image(path, limit, CROP_SIDE, is_new=True)


def ahead_threads() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith("ahead")]


def test_a_job_that_is_closed_leaves_no_thread(
    libraries: tuple[MediaLibrary, MediaLibrary], media: Path
) -> None:
    job = libraries[0].add([media])
    for event in job:
        if isinstance(event, FrameStored):
            assert ahead_threads()
            break
    assert isinstance(job, Generator)
    job.close()
    assert ahead_threads() == []
    assert len(of_kind(list(libraries[0].add([])), FileDone)) > 1  # and the next one goes on
    assert ahead_threads() == []


def test_a_whole_frame_that_can_not_be_embedded_costs_its_file(
    whole_frames: tuple[MediaLibrary, MediaLibrary],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(6):
        Image.new("RGB", (40 + number, 50), (40 * number, 90, 90)).save(tmp_path / f"{number}.png")
    embed = SegmentPipeline.embed

    def fails(frames: Sequence[tuple[ClipBundle, CutFrame]]) -> list[FrameResult]:
        if any(cut.result.size_wh == (43, 50) for _, cut in frames):
            raise ValueError("an odd frame")
        return embed(frames)

    monkeypatch.setattr(SegmentPipeline, "embed", staticmethod(fails))
    events = list(whole_frames[0].add([tmp_path]))
    (failed,) = of_kind(events, FileFailed)
    assert failed.path.name == "3.png" and "odd frame" in failed.reason
    assert len(of_kind(events, FileDone)) == 5


def test_a_job_that_is_closed_while_frames_wait_for_others_leaves_no_thread(
    whole_frames: tuple[MediaLibrary, MediaLibrary], tmp_path: Path
) -> None:
    for number in range(40):
        Image.new("RGB", (40 + number, 50)).save(tmp_path / f"{number:02}.png")
    job = whole_frames[0].add([tmp_path])
    for event in job:
        if isinstance(event, FrameStored):
            break
    assert isinstance(job, Generator)
    job.close()
    assert ahead_threads() == []


def test_a_job_that_fails_leaves_no_thread(
    libraries: tuple[MediaLibrary, MediaLibrary], media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(pipeline: SegmentPipeline, frame: Frame, kept: object = ()) -> FrameResult:
        raise KeyboardInterrupt

    monkeypatch.setattr(SegmentPipeline, "process", fails)
    with pytest.raises(KeyboardInterrupt):
        list(libraries[0].add([media]))
    assert ahead_threads() == []


def test_copies_are_cut_once(
    libraries: tuple[MediaLibrary, MediaLibrary], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (40, 50, 3), np.uint8)
    folder = tmp_path / "copies"
    folder.mkdir()
    for number in range(6):
        Image.fromarray(picture).save(folder / f"{number}.png")
    process, cut = SegmentPipeline.process, list[int]()

    def counted(self: SegmentPipeline, frame: Frame, *kept: object) -> FrameResult:
        cut.append(frame.frame_index)
        return process(self, frame, *kept)  # type: ignore[arg-type]

    monkeypatch.setattr(SegmentPipeline, "process", counted)
    events: list[Event] = list(libraries[0].add([folder]))
    assert len(of_kind(events, FileDone)) == 1 and len(of_kind(events, FileKnown)) == 5
    assert cut == [0]


def test_a_file_that_changes_before_its_turn_is_read_as_it_is_then(
    libraries: tuple[MediaLibrary, MediaLibrary], scene_files: list[Path], tmp_path: Path
) -> None:
    first, second = tmp_path / "a.png", tmp_path / "b.png"
    for path, scene in zip((first, second), scene_files, strict=False):
        Image.open(scene).save(path)
    job = libraries[0].add([first, second])
    for event in job:
        if isinstance(event, FileDone):
            break
    Image.fromarray(np.full((30, 44, 3), 90, np.uint8)).save(second)
    assert of_kind(list(job), FileDone)
    changed = libraries[0].metadata.media_by_path(second)
    assert changed is not None and (changed.width, changed.height) == (44, 30)
    assert list(libraries[0].verify()) == []


def test_a_folder_that_has_not_changed_is_not_read(
    whole_frames: tuple[MediaLibrary, MediaLibrary], media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library, _ = whole_frames
    done = of_kind(list(library.add([media])), FileDone)

    def reads(*_: object) -> None:
        raise AssertionError("it was read")

    for path in media.iterdir():
        if path not in {event.path for event in done}:
            path.unlink()
    monkeypatch.setattr(content_check, "media_kind", reads)
    monkeypatch.setattr(FileAhead, "read", reads)
    job = library.add([media])
    known = []
    for event in job:
        if isinstance(event, FileKnown):
            known.append(event)
            if len(known) == 1:  # what is removed meanwhile is no longer known
                gone = library.metadata.media_by_path(done[1].path)
                assert gone is not None
                library.remove([gone.id])
    assert [event.path for event in known] == [event.path for event in done]
    reasons = ["removed" in event.reason for event in known]
    assert reasons == [False, True, *[False] * (len(done) - 2)]


def test_pictures_wait_for_room() -> None:
    threads = WorkThreads(4, 100)
    inside, most = [0], [0]
    lock = threading.Lock()

    def hold(pixels: int) -> None:
        with threads.room_for(pixels):
            with lock:
                inside[0] += pixels
                most[0] = max(most[0], inside[0])
            time.sleep(0.01)
            with lock:
                inside[0] -= pixels

    for work in [threads.submit(hold, pixels) for pixels in (40, 50, 60, 500, 10, 90, 30)]:
        work.result()
    assert most[0] == 500  # more than all there is room for: alone
    threads.close()


def test_what_waits_for_room_ends_with_the_threads() -> None:
    threads = WorkThreads(2, 100)
    closing = threading.Event()

    def hold() -> None:
        with threads.room_for(100):
            closing.wait(10)

    def wait() -> None:
        with threads.room_for(100):
            raise AssertionError("there was room")

    threads.submit(hold)
    waiting = threads.submit(wait)
    threading.Timer(0.1, closing.set).start()
    # what waits is told before what holds the room is waited for
    threads.close()
    with pytest.raises((CancelledError, AssertionError)) as raised:
        waiting.result()
    assert raised.type is CancelledError
