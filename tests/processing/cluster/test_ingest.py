"""Media added by a cluster's pipeline, with a worker in this process in place of the cluster."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from src.config import LibraryPaths
from src.events import ClusterWorkers, Event, FileFailed, FrameStored, ReadHere
from src.library import MediaLibrary
from src.processing.cluster.pipeline import Cluster, ClusterPipeline
from src.processing.cluster.work import NOT_READ, OTHER_FFMPEG, WHY_NOT
from src.processing.cluster.workers import Worker
from src.processing.work_threads import WorkThreads
from src.settings import NO_SAM, Settings
from tests.conftest import MakeVideo
from tests.remembered_videos import LOSSLESS
from tests.two_nodes import assert_same_library


class Direct(ClusterPipeline):
    """Asks a worker in this process, as the cluster's side would.

    Attributes:
        states: by the names of files, what else than the work becomes of them.
        spans: how many were asked for.
    """

    states: dict[str, str]
    spans = 0

    @contextmanager
    def threads(self) -> Iterator[WorkThreads]:
        setup, files = self._setup()
        self.worker = Worker(pickle.dumps(setup), 2, *(file.read_bytes() for file in files))
        with (
            ThreadPoolExecutor(3) as self.calls,
            closing(WorkThreads(6, self.settings.pixels_at_once)) as threads,
        ):
            yield threads

    def _ask(self, verb: str, work: bytes, file: Path | None = None) -> tuple[str, bytes]:
        if file is None:
            return "done", self.worker.frame(work)
        if file.name in self.states:
            return self.states[file.name], b"SIGKILL"
        made = self.worker.image(work)
        return "done", made if made != NOT_READ else self.worker.image(work, file.read_bytes())

    def _ask_for_span(self, work: bytes, file: Path | None) -> Future[tuple[str, bytes]]:
        self.spans += 1
        return self.calls.submit(self._span, work, file)

    def _span(self, work: bytes, file: Path | None) -> tuple[str, bytes]:
        if file is not None and file.name in self.states:
            return self.states[file.name], b"SIGKILL"
        made = self.worker.span(work)
        if made == NOT_READ and file is not None:
            made = self.worker.span(work, file.read_bytes())
        return ("unread", WHY_NOT[made].encode()) if made in WHY_NOT else ("done", made)


def all_events(
    root: Path,
    media: list[Path],
    settings: Settings,
    states: dict[str, str] | None,
    kind: type[Direct] = Direct,
) -> list[Event]:
    """Add media to a new library, with such a pipeline or, for None, as usual."""
    with MediaLibrary(LibraryPaths(root), settings=settings) as library:
        if states is not None:
            pipeline = kind(
                library._in_use.clip_bundle,
                library.mask_generator,
                settings,
                library.models,
                Cluster("local", ("/=/nowhere",) if "sent" in states else ()),
            )
            pipeline.states = states
            library.use_cluster("local")
            library._cluster_pipeline = lambda: pipeline  # type: ignore[method-assign]
        return list(library.add(media))


def add(
    root: Path, media: list[Path], settings: Settings, states: dict[str, str] | None
) -> list[FileFailed]:
    """Add media as all_events does; returns what failed."""
    events = all_events(root, media, settings, states)
    return [event for event in events if isinstance(event, FileFailed)]


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("src.config._user_file", lambda: tmp_path / "user" / "library.json")


@pytest.fixture
def media(scene_files: list[Path], tmp_path: Path, make_video: MakeVideo) -> list[Path]:
    """Images, one of them cut off and one a copy, and videos, one of them damaged."""
    cut_off, copy = tmp_path / "cut off.png", tmp_path / "copy.png"
    content = scene_files[2].read_bytes()
    cut_off.write_bytes(content[: len(content) // 2])
    copy.write_bytes(scene_files[0].read_bytes())
    videos = [
        make_video("video.mp4", 4, *LOSSLESS),
        make_video("long.mp4", 14, *LOSSLESS, "-g", "20"),
        make_video("noise.ts", 9),
    ]
    content = bytearray(videos[2].read_bytes())
    content[len(content) // 2 : len(content) // 2 + 400] = np.random.default_rng(0).bytes(400)
    videos[2].write_bytes(content)
    return [videos[0], *scene_files[:2], cut_off, copy, *videos[1:]]


@pytest.mark.parametrize("sam_model", [None, NO_SAM])
@pytest.mark.parametrize(
    "states", [{}, {"sent": "sent"}, {"scene 1.png": "gone", "long.mp4": "unread"}]
)
def test_the_library_is_the_one_made_here(
    media: list[Path], tmp_path: Path, sam_model: str | None, states: dict[str, str]
) -> None:
    settings = Settings(points_per_side=4, sam_model=sam_model, device="cpu")
    failed = add(tmp_path / "here", media, settings, None)
    assert add(tmp_path / "there", media, settings, states) == failed
    assert_same_library(tmp_path / "there", tmp_path / "here")


def test_a_video_that_was_stopped_goes_on(make_video: MakeVideo, tmp_path: Path) -> None:
    video = make_video("long.mp4", 14, *LOSSLESS, "-g", "20")
    settings = Settings(points_per_side=10, device="cpu")
    add(tmp_path / "here", [video], settings, None)
    paths = LibraryPaths(tmp_path / "there")
    with MediaLibrary(paths, settings=settings) as library, closing(library.add([video])) as events:
        stored = 0
        while stored < 5:
            stored += isinstance(next(events), FrameStored)
    assert not add(tmp_path / "there", [video], settings, {})
    assert_same_library(tmp_path / "there", tmp_path / "here")


def test_a_file_that_kills_workers_fails_alone(scene_files: list[Path], tmp_path: Path) -> None:
    settings = Settings(points_per_side=10, device="cpu")
    (failed,) = add(tmp_path / "library", scene_files, settings, {"scene 2.png": "killed"})
    assert failed.path == scene_files[2]
    assert failed.reason == "the worker died over it, and another one as well (SIGKILL)"


class Deserted(Direct):
    """Its worker has gone when the first work is asked for, and comes when that was said."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.was_said, self.is_asked = threading.Event(), threading.Event()

    def news(self, at_end: bool = False) -> Iterator[Event]:
        if self.is_asked.is_set() and not self.was_said.is_set():
            yield ClusterWorkers((), (), wait_s=120)
            self.was_said.set()

    def _wait(self) -> None:
        self.is_asked.set()
        assert self.was_said.wait(60)

    def _ask(self, verb: str, work: bytes, file: Path | None = None) -> tuple[str, bytes]:
        self._wait()
        return super()._ask(verb, work, file)

    def _span(self, work: bytes, file: Path | None) -> tuple[str, bytes]:
        if self.states.get("long.mp4") != "unread":
            self._wait()
        return super()._span(work, file)


@pytest.mark.parametrize(
    ("name", "states"), [("scene", {}), ("long.mp4", {}), ("long.mp4", {"long.mp4": "unread"})]
)
def test_while_all_wait_it_is_said_that_no_worker_is_left(
    make_video: MakeVideo,
    scene_files: list[Path],
    tmp_path: Path,
    name: str,
    states: dict[str, str],
) -> None:
    media = [make_video("long.mp4", 2) if name == "long.mp4" else scene_files[0]]
    settings = Settings(points_per_side=4, device="cpu")
    events = all_events(tmp_path / "there", media, settings, states, Deserted)
    assert [str(event) for event in events if isinstance(event, ClusterWorkers)] == [
        "0 workers; waiting for one, 120 s at most"
    ]
    assert any(isinstance(event, FrameStored) for event in events)
    assert not any(isinstance(event, FileFailed) for event in events)


def test_it_is_said_which_videos_are_read_here_and_why(
    media: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(sam_model=NO_SAM, device="cpu")
    events = all_events(tmp_path / "there", media, settings, {})
    (here,) = [event for event in events if isinstance(event, ReadHere)]
    assert here.path.name == "noise.ts" and here.reason
    monkeypatch.setattr("src.processing.cluster.span_work.version_of", lambda program: "another")
    events = all_events(tmp_path / "other", media[:1], settings, {})
    (here,) = [event for event in events if isinstance(event, ReadHere)]
    assert here == ReadHere(media[0], WHY_NOT[OTHER_FFMPEG])
