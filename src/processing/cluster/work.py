"""What goes to a worker of a cluster and comes back: plain data, which can be pickled."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from src.models.auto_tagger import AutoTagger
    from src.processing.ffmpeg_log import VideoFacts
    from src.processing.segment_pipeline import FrameResult
    from src.processing.video_filters import FrameReading
    from src.processing.video_processor import SampleLook
    from src.processing.video_spans import Seam, Span
    from src.settings import Settings


@dataclass(frozen=True)
class WorkerSetup:
    """What a worker needs to begin; the files of the models come beside it.

    Attributes:
        clip, sam: their names (ClipEncoder.name, Segmenter.name), which the models that the worker
            loads must have; sam is NO_SAM where frames are not cut.
        clip_choice, sam_choice: the same in the words of the settings.
        files: names of the models' files, relative to a models folder.
        shares_cores: the SAM is so small that each thread runs it on a core of its own.
    """

    clip: str
    sam: str
    clip_choice: str
    sam_choice: str
    files: tuple[str, ...]
    tagger: AutoTagger
    settings: Settings
    shares_cores: bool


@dataclass(frozen=True)
class ImageWork:
    """An image of one frame that a worker is to read, cut and embed.

    Attributes:
        path: where the worker may find it.
        name: of the file.
        digest: of its content, see media_finder.content_hash.
        pixels: that it probably has.
    """

    path: str
    name: str
    digest: str
    size: int
    pixels: int


@dataclass(frozen=True)
class ImageMade:
    """What a worker made of an image.

    Attributes:
        facts: what was found out about the file.
    """

    result: FrameResult
    facts: VideoFacts


@dataclass(frozen=True)
class SpanWork:
    """A part of a video that a worker is to read, cut and embed.

    Attributes:
        path: where the worker may find it.
        name, digest, size: of the file, see ImageWork.
        ffmpeg: what the one that reads it has to say of its version.
        stored: moments (Frame.timestamp_s) of frames that are not to be cut again.
        cut: exact moments of the frames that are to be cut; None leaves it to the worker, which
            cuts those that differ from the one before.
    """

    path: str
    name: str
    digest: str
    size: int
    ffmpeg: str
    reading: FrameReading
    span: Span
    stored: frozenset[float] = frozenset()
    cut: frozenset[float] | None = None


@dataclass(frozen=True)
class SampledFrame:
    """A frame of a span.

    Attributes:
        count: its place, counted as Seam.count is.
        moment_s: exactly; see Shown.
        result: None where it was not cut.
    """

    count: int
    moment_s: float
    timestamp_s: float | None
    size_wh: tuple[int, int]
    look: SampleLook
    result: FrameResult | None


@dataclass(frozen=True)
class SpanMade:
    """What a worker made of a span.

    Attributes:
        trouble: why it can't be used; then there is nothing else.
        first, after, facts: see SpanReader.
    """

    trouble: str | None = None
    frames: tuple[SampledFrame, ...] = field(default=(), repr=False)
    first: Seam | None = None
    after: Seam | None = None
    facts: VideoFacts | None = None


@dataclass(frozen=True)
class Outcome:
    """How work ended: with what it gave, or with what went wrong."""

    value: Any = field(default=None, repr=False)
    error: Exception | None = None


KILLED = "the worker died over it, and another one as well"
# A worker can't read the very file that it was told to; it asks for the bytes.
NOT_READ = b""
# It would not read a video as it is read here; another worker may.
OTHER_FFMPEG = b"ffmpeg"
# What is said of these where no worker does better.
WHY_NOT = {
    NOT_READ: "no worker finds it under its path, and it is too large to be sent",
    OTHER_FFMPEG: "the workers that find it have another version of ffmpeg, or none",
}
_COUNT_BYTES = 4


def span_answer(work: Callable[[], SpanMade | None]) -> bytes:
    """Make a span, and write before the pickled outcome how many of its frames were cut."""
    cut = 0

    def counted() -> SpanMade | None:
        nonlocal cut
        made = work()
        cut = 0 if made is None else sum(frame.result is not None for frame in made.frames)
        return made

    outcome = outcome_of(counted)
    return cut.to_bytes(_COUNT_BYTES, "big") + outcome


def frames_made(answer: bytes) -> int:
    """Return how many frames of a span were cut; see span_answer."""
    return int.from_bytes(answer[:_COUNT_BYTES], "big")


def span_outcome(answer: bytes) -> Outcome:
    """Return how the work on a span ended; see span_answer."""
    outcome: Outcome = pickle.loads(memoryview(answer)[_COUNT_BYTES:])
    return outcome


def outcome_of(work: Callable[[], Any]) -> bytes:
    """Do work, and pickle how it ended."""
    try:
        return pickle.dumps(Outcome(work()))
    except Exception as exc:
        try:
            made = pickle.dumps(Outcome(error=exc))
            pickle.loads(made)  # an exception with arguments of its own may fail only here
            return made
        except Exception:
            return pickle.dumps(Outcome(error=RuntimeError(f"{type(exc).__name__}: {exc}")))
