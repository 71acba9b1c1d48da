"""The class that runs on a cluster, asked without one."""

from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path

import numpy as np
import pytest

from src.errors import MediaReadError
from src.library import MediaLibrary
from src.processing.cluster.pipeline import Cluster, ClusterPipeline
from src.processing.cluster.work import NOT_READ, ImageMade, ImageWork, Outcome
from src.processing.cluster.workers import Worker
from src.processing.ffmpeg_log import VideoFacts
from src.processing.frames import read_sampled
from src.processing.media_finder import content_hash
from src.processing.segment_pipeline import FrameResult, process_frame
from src.records import Frame
from src.settings import NO_SAM, Settings
from tests.conftest import LibraryPaths


def worker_of(library: MediaLibrary, settings: Settings) -> Worker:
    """Make a worker of what is sent to one."""
    pipeline = ClusterPipeline(
        library._in_use.clip_bundle,
        library.mask_generator,
        settings,
        library.models,
        Cluster("local"),
    )
    setup, files = pipeline._setup()
    return Worker(pickle.dumps(setup), 2, *(file.read_bytes() for file in files))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> MediaLibrary:
    settings = Settings(points_per_side=10, device="cpu")
    return MediaLibrary(LibraryPaths(tmp_path_factory.mktemp("made")), settings=settings)


@pytest.fixture(scope="module")
def worker(library: MediaLibrary) -> Worker:
    return worker_of(library, library.settings)


def work_on(path: Path, there: Path | None = None, digest: str | None = None) -> bytes:
    digest = content_hash(path) if digest is None else digest
    size = path.stat().st_size
    return pickle.dumps(ImageWork(str(there or path), path.name, digest, size, 76_800))


def outcome(made: bytes) -> Outcome:
    found: Outcome = pickle.loads(made)
    return found


def here(library: MediaLibrary, frame: Frame) -> FrameResult:
    """Make the result of a frame in this process."""
    return process_frame(
        frame, library.clip, library.tagger, library.mask_generator, library.settings
    )


def assert_same(made: FrameResult, expected: FrameResult) -> None:
    assert made == expected
    np.testing.assert_allclose(made.vectors, expected.vectors, atol=1e-5)


def test_an_image_that_the_worker_can_read(
    worker: Worker, library: MediaLibrary, scene_files: list[Path]
) -> None:
    facts = VideoFacts()
    ((frame, _),) = read_sampled(scene_files[0], "image", library.settings, facts)
    made = outcome(worker.image(work_on(scene_files[0]))).value
    assert isinstance(made, ImageMade)
    assert_same(made.result, here(library, frame))
    assert made.facts == facts


def test_one_that_it_can_not_read_is_sent(
    worker: Worker, library: MediaLibrary, scene_files: list[Path], tmp_path: Path
) -> None:
    work = work_on(scene_files[0], there=tmp_path / "nothing.png")
    assert worker.image(work) == NOT_READ
    made = outcome(worker.image(work, scene_files[0].read_bytes())).value
    assert_same(made.result, outcome(worker.image(work_on(scene_files[0]))).value.result)


def test_another_file_under_the_same_path_is_not_read(
    worker: Worker, scene_files: list[Path], tmp_path: Path
) -> None:
    other = tmp_path / "other.png"
    content = bytearray(scene_files[0].read_bytes())
    content[-20] ^= 1  # of the same size
    other.write_bytes(content)
    assert worker.image(work_on(scene_files[0], there=other)) == NOT_READ


def test_bytes_of_another_content_give_nothing(worker: Worker, scene_files: list[Path]) -> None:
    work = work_on(scene_files[0])
    assert outcome(worker.image(work, scene_files[1].read_bytes())) == Outcome(None)


def test_what_is_wrong_with_a_file_comes_back(worker: Worker, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 no picture")
    for content in (None, broken.read_bytes()):
        error = outcome(worker.image(work_on(broken), content)).error
        assert isinstance(error, MediaReadError)


def test_a_frame(worker: Worker, library: MediaLibrary) -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[10:30, 10:30] = 200
    frame = Frame(picture, 7, 1.5)
    assert_same(outcome(worker.frame(pickle.dumps((frame, ())))).value, here(library, frame))


def test_without_a_sam_frames_are_embedded(scene_files: list[Path], tmp_path: Path) -> None:
    settings = Settings(sam_model=NO_SAM, device="cpu")
    with MediaLibrary(LibraryPaths(tmp_path), settings=settings) as library:
        made = outcome(worker_of(library, settings).image(work_on(scene_files[0]))).value
        ((frame, _),) = read_sampled(scene_files[0], "image", settings, VideoFacts())
        assert_same(made.result, here(library, frame))
    assert len(made.result.segments) == 1


def test_a_worker_whose_models_are_others_does_not_begin(
    library: MediaLibrary, worker: Worker
) -> None:
    pipeline = ClusterPipeline(
        library._in_use.clip_bundle,
        library.mask_generator,
        library.settings,
        library.models,
        Cluster("local"),
    )
    setup, files = pipeline._setup()
    other = dataclasses.replace(setup, clip="starter-clip@0")
    with pytest.raises(RuntimeError, match="same packages as this machine"):
        Worker(pickle.dumps(other), 1, *(file.read_bytes() for file in files))
