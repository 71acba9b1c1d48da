"""Drawn videos taken through ffmpeg, SAM and CLIP as the program does."""

from __future__ import annotations

import pickle
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from src.config import LibraryPaths
from src.library import MediaLibrary
from src.models.mask_rle import encode_rle
from src.processing.crop import fitted
from src.processing.ffmpeg_log import VideoFacts
from src.processing.image_loader import load_image_content
from src.processing.segment_pipeline import FrameResult, SegmentPipeline, process_frame
from src.processing.video_processor import VideoProcessor
from src.records import Frame, KeptSegment
from tests.benchmarks.drawn_videos import DrawnVideo, draw_video, write_video

RATES = (1.0, 5.0)


@dataclass(frozen=True)
class Found:
    """A segment of a frame, as the library would have it."""

    id: str
    bbox_xywh: tuple[int, int, int, int]
    area: int
    mask_rle: bytes
    embedding: np.ndarray


@dataclass(frozen=True)
class MaterialFrame:
    """A sampled frame, what SAM finds in it, and what is there.

    Attributes:
        picture_jpeg: the stored crop of the whole frame.
        found: by SAM.
        ideal: cut out by the true masks; ids are "THING@FRAME".
        hidden: names of the things that are too much hidden to be found.
        cpu_s: that processing it took.
    """

    frame_index: int
    timestamp_s: float
    size_wh: tuple[int, int]
    picture_jpeg: bytes
    found: list[Found]
    ideal: list[Found]
    hidden: set[int]
    cpu_s: float


@dataclass(frozen=True)
class Material:
    """A video.

    Attributes:
        sampled: for each rate the frames that are kept, each with until when it stands.
    """

    kind: str
    seed: int
    frames: dict[int, MaterialFrame]
    sampled: dict[float, list[tuple[int, float]]]


@contextmanager
def models() -> Iterator[SegmentPipeline]:
    """Load the bundled models, with the settings of a new library."""
    with (
        tempfile.TemporaryDirectory() as folder,
        MediaLibrary(LibraryPaths(Path(folder))) as library,
    ):
        library.load_models()
        yield SegmentPipeline(library._in_use.clip_bundle, library.mask_generator, library.settings)


def material(kind: str, seed: int, pipeline: SegmentPipeline, cache: Path | None) -> Material:
    """Draw a video and process its frames, or take it from the cache."""
    kept = None if cache is None else cache / f"{kind}-{seed}.pickle"
    if kept is not None and kept.exists():
        loaded: Material = pickle.loads(kept.read_bytes())
        return loaded
    video = draw_video(kind, seed)
    frames: dict[int, Frame] = {}
    sampled: dict[float, list[tuple[int, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "drawn.mp4"
        write_video(video, path)
        for rate in RATES:
            sampled[rate] = _sample(path, rate, frames)
    made = Material(
        kind, seed, {i: _process(video, frame, pipeline) for i, frame in frames.items()}, sampled
    )
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        half = kept.with_suffix(".half")
        half.write_bytes(pickle.dumps(made))
        half.rename(kept)
    return made


def _sample(path: Path, rate: float, frames: dict[int, Frame]) -> list[tuple[int, float]]:
    kept: list[tuple[int, float]] = []
    for frame, differs in VideoProcessor(rate).sampled(path, VideoFacts()):
        assert frame.timestamp_s is not None
        if differs:
            frames[frame.frame_index] = frame
            kept.append((frame.frame_index, frame.timestamp_s))
        else:
            kept[-1] = kept[-1][0], frame.timestamp_s
    return kept


def _process(video: DrawnVideo, frame: Frame, pipeline: SegmentPipeline) -> MaterialFrame:
    bundle, settings = pipeline.clip_bundle(), pipeline.settings
    index = frame.frame_index
    before = time.process_time()
    result = process_frame(frame, bundle.clip, bundle.tagger, pipeline.segmenter, settings)
    spent = time.process_time() - before
    masks = video.masks[index]
    truth = [_true_segment(name, index, mask) for name, mask in masks.items()]
    ideal = process_frame(frame, bundle.clip, bundle.tagger, None, settings, truth)
    assert frame.timestamp_s is not None
    return MaterialFrame(
        index,
        frame.timestamp_s,
        frame.size_wh,
        result.segments[0].crop_jpeg,
        _segments(result, [f"s{i}@{index}" for i in range(1, len(result.segments))]),
        _segments(ideal, [segment.kept.id for segment in ideal.segments[1:] if segment.kept]),
        video.hidden[index],
        spent,
    )


def _true_segment(name: int, index: int, mask: np.ndarray) -> KeptSegment:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = (
        int(columns[0]),
        int(rows[0]),
        int(columns[-1] - columns[0] + 1),
        int(rows[-1] - rows[0] + 1),
    )
    rle = encode_rle(mask)["counts"]
    return KeptSegment("object", box, int(mask.sum()), 1.0, 1.0, rle, f"{name}@{index}", "human")


def _segments(result: FrameResult, ids: list[str]) -> list[Found]:
    return [
        Found(own, segment.bbox_xywh, segment.area, segment.mask_rle or b"", vector)
        for own, segment, vector in zip(ids, result.segments[1:], result.vectors[1:], strict=True)
    ]


def picture_of(frame: MaterialFrame, side: int) -> np.ndarray:
    """Decode the stored crop of a frame, no longer than `side`."""
    picture = load_image_content(frame.picture_jpeg, 10_000_000).frame.image_rgb
    return fitted(picture, side)
