"""The work on frames done by the workers of a cluster."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src.cluster_address import path_there
from src.errors import ClusterError, MediaReadError
from src.events import ClusterWorkers, Event, Progress
from src.processing.cluster.client import WAIT_S, ClusterProcess
from src.processing.cluster.videos import SpansAtOnce, VideoInSpans, video_in_spans
from src.processing.cluster.work import (
    KILLED,
    ImageMade,
    ImageWork,
    Outcome,
    WorkerSetup,
    frames_made,
)
from src.processing.segment_pipeline import FrameResult, SegmentPipeline
from src.processing.work_threads import WorkThreads
from src.records import Frame, KeptSegment
from src.settings import NO_SAM, Settings
from src.stopping import result_of

if TYPE_CHECKING:
    from src.models.model_manager import ModelFile, ModelManager
    from src.models.segmenter import Segmenter
    from src.processing.models_in_use import ClipBundle

# Threads of this machine that ask and wait, however large the cluster is: so many images and
# frames are under way, and half as many results wait for their turn to be stored. Results of
# frames that are not cut are small, and embedded in batches.
CUT_AT_ONCE, EMBEDDED_AT_ONCE = 64, 128


@dataclass(frozen=True)
class Cluster:
    """A cluster that a library is to use, and where its workers find media; see Settings.

    Attributes:
        wait_s: how long it may have no worker.
        for_measurements: see ClusterProcess.
    """

    address: str
    roots: tuple[str, ...] = ()
    wait_s: float = WAIT_S
    for_measurements: Mapping[str, Any] = field(default_factory=dict)


class ClusterPipeline(SegmentPipeline):
    """Asks a cluster for what SegmentPipeline computes; the results are the same."""

    def __init__(
        self,
        clip_bundle: Callable[[], ClipBundle],
        segmenter: Segmenter | None,
        settings: Settings,
        models: ModelManager,
        cluster: Cluster,
    ) -> None:
        """Connect to nothing yet.

        Args:
            clip_bundle, segmenter, settings: see SegmentPipeline.
            models: that these were loaded by, whose files the workers load.
        """
        super().__init__(clip_bundle, segmenter, settings)
        self._models, self._cluster = models, cluster
        self._process: ClusterProcess | None = None
        self._told: ClusterWorkers | None = None
        self._spans = SpansAtOnce(settings, self.cuts_nothing, self._ask_for_span)

    def begin(self) -> Iterator[Event]:
        """Say that workers are started, which takes some seconds."""
        yield Progress("cluster", 0, 0)

    def news(self, at_end: bool = False) -> Iterator[Event]:
        """Say how many workers there are, where that has changed; at the end what each has done."""
        now = None if self._process is None else self._process.workers
        if now is not None and (at_end or now != self._told):
            self._told = now
            yield now

    @property
    def embeds_in_batches(self) -> bool:
        """Return False: the workers do."""
        return False

    @property
    def reads_images(self) -> bool:
        """Return whether images are read by the workers; pages of TIFFs are read here."""
        return not self.settings.all_pages

    def files_at_once(self, threads: WorkThreads) -> int:
        """Return how many files may be begun or wait for their turn."""
        return threads.count + threads.count // 2

    def process(self, frame: Frame, kept: Sequence[KeptSegment] = ()) -> FrameResult:
        """Have a frame cut by a worker; see SegmentPipeline."""
        state, made = self._ask("frame", pickle.dumps((frame, tuple(kept))))
        result: FrameResult = self._value(state, made, "frame")
        return result

    def image(self, path: Path, digest: str, size: int, pixels: int) -> ImageMade | None:
        """Have an image read and cut by a worker.

        Args:
            digest, size: of its content.
            pixels: that it probably has.

        Returns:
            None where its content is another one by now.

        Raises:
            MediaReadError: it can't be read, or no worker survives it.
            ClusterError: the cluster is gone.
        """
        work = ImageWork(path_there(path, self._cluster.roots), path.name, digest, size, pixels)
        state, made = self._ask("image", pickle.dumps(work), path)
        if state == "gone":
            return None
        try:
            read: ImageMade | None = self._value(state, made, path)
        except MediaReadError as exc:  # it had another path there
            raise MediaReadError(path, exc.reason) from exc
        return read

    @property
    def reads_videos(self) -> bool:
        """Return True: the workers do."""
        return True

    def video(
        self, path: Path, digest: str, size: int, stored: Mapping[int, float] | None = None
    ) -> VideoInSpans:
        """Have a video read and cut by the workers; see video_in_spans.

        Raises:
            MediaReadError: it can't be read.
            NotExactError: it has to be read through here.
            ClusterError: the cluster is gone.
        """
        there = path_there(path, self._cluster.roots)
        return video_in_spans(path, there, digest, size, self.settings, stored or {}, self._spans)

    @contextmanager
    def threads(self) -> Iterator[WorkThreads]:
        """Run threads that ask the cluster until the block ends; waits for the first worker.

        Raises:
            ClusterError: there is no such cluster, or no worker on it.
        """
        setup, files = self._setup()
        cluster = self._cluster
        process = ClusterProcess(
            cluster.address,
            pickle.dumps(setup),
            files,
            self.cuts_nothing,
            cluster.wait_s,
            cluster.for_measurements,
        )
        self._process = process
        try:
            result_of(process.begun)
            count = EMBEDDED_AT_ONCE if self.cuts_nothing else CUT_AT_ONCE
            with closing(WorkThreads(count, self.settings.pixels_at_once)) as threads:
                yield threads
        finally:
            self._process = None
            process.close()

    def _ask(self, verb: str, work: bytes, file: Path | None = None) -> tuple[str, bytes]:
        if self._process is None:
            raise ClusterError("the cluster is not connected")
        return result_of(self._process.ask(verb, work, file))

    def _ask_for_span(self, work: bytes, file: Path | None) -> Future[tuple[str, bytes]]:
        if self._process is None:
            raise ClusterError("the cluster is not connected")
        return self._process.ask("span", work, file, frames_made)

    @staticmethod
    def _value(state: str, made: bytes, path: Path | str) -> Any:
        if state == "killed":
            raise MediaReadError(path, f"{KILLED} ({made.decode()})")
        outcome: Outcome = pickle.loads(made)
        if outcome.error is not None:
            raise outcome.error
        return outcome.value

    def _setup(self) -> tuple[WorkerSetup, list[Path]]:
        """Put together what a worker needs, and the files of the models."""
        bundle, models = self.clip_bundle(), self._models
        sources = [_source(models, models.in_use("clip"))]
        if self.segmenter is not None:
            sources.append(_source(models, models.in_use("sam")))
        choices = [choice for choice, _ in sources]
        named = {name: path for _, files in sources for name, path in files.items()}
        passes = getattr(self.segmenter, "passes_at_once", None)
        setup = WorkerSetup(
            bundle.clip.name,
            NO_SAM if self.segmenter is None else self.segmenter.name,
            choices[0],
            choices[1] if self.segmenter is not None else NO_SAM,
            tuple(named),
            bundle.tagger,
            self.settings,
            self.segmenter is None or (passes is not None and passes > 1),
        )
        return setup, list(named.values())


def _source(models: ModelManager, file: ModelFile | None) -> tuple[str, dict[str, Path]]:
    """Return what the settings call a model, and its files by their names in a models folder."""
    if file is None:
        raise ClusterError("the files of the models in use are gone; choose others")
    if not file.bundled:
        return file.choice, {file.choice: file.path}
    return file.choice, {
        f"starter/{each.name}": each
        for each in sorted(file.path.parent.iterdir())
        if each.is_file()
    }
