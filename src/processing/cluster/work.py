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
class Outcome:
    """How work ended: with what it gave, or with what went wrong."""

    value: Any = field(default=None, repr=False)
    error: Exception | None = None


# A worker can't read the very file that it was told to; it asks for the bytes.
NOT_READ = b""


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
