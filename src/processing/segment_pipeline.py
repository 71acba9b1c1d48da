"""A frame -> its segments cut out, embedded and tagged, as plain data that anyone may store.

Nothing here knows a library, so it can run in the thread that stores the results, in another
process or on another machine. `segment_writer.py` stores them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from src.child_processes import cores
from src.models.mask_hierarchy import Part, tree_of
from src.models.stopping import ask_before_layers
from src.processing.frame_looks import look_of
from src.processing.image_loader import load_image_content, save_jpeg
from src.processing.segment_extractor import SegmentExtractor
from src.processing.work_threads import WorkThreads
from src.records import EMBEDDING_DIM, Frame, FrameLook, KeptSegment, SegmentMask, Tag
from src.settings import NO_SAM, Settings
from src.stopping import ask_wanted

if TYPE_CHECKING:
    from pathlib import Path

    from src.events import Event
    from src.models.auto_tagger import AutoTagger
    from src.models.clip_encoder import ClipEncoder
    from src.models.segmenter import Segmenter
    from src.processing.cluster.videos import VideoInSpans
    from src.processing.cluster.work import ImageMade
    from src.processing.models_in_use import ClipBundle

# ViT-B/32 takes 144 ms of a core for one frame alone, 96 a frame in batches of 4, 78 of 8, 76 of
# 16 and 70 of 32.
EMBEDDED_AT_ONCE = 16


@dataclass(frozen=True)
class SegmentResult(SegmentMask):
    """A segment of a frame, as it will be stored.

    Attributes:
        crop_jpeg: what is in its crop file.
        tags: that CLIP gives it, highest confidence first.
        parent: place in the result of the smallest segment that it lies in, see tree_of; None for
            the whole frame.
        kept: whose it is, where the frame had to have it; None for what is new.
    """

    crop_jpeg: bytes = field(repr=False)
    tags: tuple[Tag, ...]
    parent: int | None
    kept: KeptSegment | None = None


@dataclass(frozen=True)
class FrameResult:
    """What was made of one frame: plain data, which can be pickled.

    Attributes:
        frame_index, timestamp_s, size_wh: of the frame.
        look: of its picture.
        segments: N, the whole frame first, then those that it had to have.
        vectors: (N, 512) float32, each row L2-normalised.
        clip: names the CLIP that embedded and tagged them (ClipEncoder.name).
        sam: names the SAM that cut them (Segmenter.name); NO_SAM where none did.
    """

    frame_index: int
    timestamp_s: float | None
    size_wh: tuple[int, int]
    look: FrameLook
    segments: tuple[SegmentResult, ...]
    vectors: np.ndarray = field(repr=False, compare=False)
    clip: str
    sam: str


@dataclass(frozen=True)
class CutFrame:
    """A frame cut into segments that are not embedded yet.

    Attributes:
        result: what will be made of it, without tags and vectors.
        squares: N, what CLIP sees of each segment: (side, side, 3) uint8 RGB.
    """

    result: FrameResult
    squares: list[np.ndarray] = field(repr=False, compare=False)


def process_frame(
    frame: Frame,
    clip: ClipEncoder,
    tagger: AutoTagger,
    segmenter: Segmenter | None,
    settings: Settings,
    kept: Sequence[KeptSegment] = (),
) -> FrameResult:
    """Cut a frame into segments, embed and tag them.

    Args:
        tagger: of the same CLIP.
        segmenter: None makes one segment of a frame, the frame itself.
        settings: what is cut, and how.
        kept: segments that the frame has to have, cut from it as it is now.
    """
    (result,) = embed_frames([cut_frame(frame, clip, segmenter, settings, kept)], clip, tagger)
    return result


def cut_frame(
    frame: Frame,
    clip: ClipEncoder,
    segmenter: Segmenter | None,
    settings: Settings,
    kept: Sequence[KeptSegment] = (),
) -> CutFrame:
    """Cut a frame into segments; see process_frame.

    Args:
        clip: that will embed them.
    """
    extractor = SegmentExtractor(settings.blur_kernel, settings)
    whole, *found = extractor.segments(frame, segmenter)
    cut = [whole, *extractor.cut_again(frame, kept), *found]
    parents = tree_of([Part.of(str(i), cut[i]) for i in range(len(cut))], frame.size_wh)
    known = [None, *kept, *[None] * len(found)]
    result = FrameResult(
        frame.frame_index,
        frame.timestamp_s,
        frame.size_wh,
        # one that was decoded smaller is not looked at more closely than its crop shows
        look_of(frame.image_rgb if frame.full_wh is None else whole.crop_rgb),
        tuple(
            SegmentResult(
                segment.kind,
                segment.bbox_xywh,
                segment.area,
                segment.predicted_iou,
                segment.stability_score,
                segment.mask_rle,
                _jpeg(segment.crop_rgb),
                (),
                None if parent is None else int(parent),
                kept_segment,
            )
            for segment, parent, kept_segment in zip(cut, parents.values(), known, strict=True)
        ),
        np.empty((0, EMBEDDING_DIM), np.float32),
        clip.name,
        NO_SAM if segmenter is None else segmenter.name,
    )
    return CutFrame(result, [clip.square(segment.crop_rgb) for segment in cut])


def _jpeg(crop_rgb: np.ndarray) -> bytes:
    ask_wanted()
    return save_jpeg(crop_rgb)


def embed_frames(
    frames: Sequence[CutFrame], clip: ClipEncoder, tagger: AutoTagger
) -> list[FrameResult]:
    """Embed and tag the segments of several frames at once, and give back each frame's.

    Args:
        clip: that they were cut for.
        tagger: of the same CLIP.
    """
    ask_before_layers(clip.model)
    vectors = clip.encode_image([square for frame in frames for square in frame.squares])
    ends = np.cumsum([len(frame.squares) for frame in frames])[:-1]
    return [
        _embedded(frame.result, own, clip, tagger)
        for frame, own in zip(frames, np.split(vectors, ends), strict=True)
    ]


def _embedded(
    result: FrameResult, vectors: np.ndarray, clip: ClipEncoder, tagger: AutoTagger
) -> FrameResult:
    segments = tuple(
        replace(segment, tags=tags)
        for segment, tags in zip(result.segments, tagger.tags(vectors), strict=True)
    )
    return replace(result, segments=segments, vectors=vectors, clip=clip.name)


def embed_again(
    result: FrameResult, clip: ClipEncoder, tagger: AutoTagger, pixel_limit: int
) -> FrameResult:
    """Embed and tag a result with another CLIP.

    It sees the JPEGs of the crops, as it does where it embeds a whole library again.
    """
    crops = [
        load_image_content(segment.crop_jpeg, pixel_limit).frame.image_rgb
        for segment in result.segments
    ]
    return _embedded(result, clip.encode_image(crops), clip, tagger)


class SegmentPipeline:
    """The work on frames with the models that a library uses at the moment."""

    def __init__(
        self,
        clip_bundle: Callable[[], ClipBundle],
        segmenter: Segmenter | None,
        settings: Settings,
    ) -> None:
        """Bind the models.

        Args:
            clip_bundle: gives what embeds segments now: another CLIP may take over on the way.
            segmenter, settings: see process_frame.
        """
        self.clip_bundle = clip_bundle
        self.segmenter = segmenter
        self.settings = settings
        # one that somebody added does not say whether several threads may ask it at once
        passes = cores() if segmenter is None else getattr(segmenter, "passes_at_once", None)
        self._turn: AbstractContextManager[object] = Lock() if passes is None else nullcontext()
        self._torch_threads = 1 if passes is not None and passes > 1 else None

    def process(self, frame: Frame, kept: Sequence[KeptSegment] = ()) -> FrameResult:
        """Make a frame's result; see process_frame. Several threads may call this."""
        bundle = self.clip_bundle()
        models = bundle.clip, bundle.tagger, self.segmenter
        with self._turn:
            return process_frame(frame, *models, self.settings, kept)

    def begin(self) -> Iterator[Event]:
        """Say what has to be waited for before the first work; here nothing."""
        yield from ()

    def news(self, at_end: bool = False) -> Iterator[Event]:
        """Say who works, where that has changed; here it is always this process."""
        yield from ()

    @property
    def embeds_in_batches(self) -> bool:
        """Return whether frames are to be cut first, and embedded with others; see `embed`."""
        return self.cuts_nothing

    @property
    def reads_images(self) -> bool:
        """Return whether `image` is to be asked, in place of `process`."""
        return False

    def image(self, path: Path, digest: str, size: int, pixels: int) -> ImageMade | None:
        """Read an image and make its result, where reads_images says so."""
        raise NotImplementedError

    @property
    def reads_videos(self) -> bool:
        """Return whether `video` is to be asked where it can be."""
        return False

    def video(
        self, path: Path, digest: str, size: int, stored: Mapping[int, float] | None = None
    ) -> VideoInSpans:
        """Read a video and make its results, where reads_videos says so; see video_in_spans."""
        raise NotImplementedError

    def files_at_once(self, threads: WorkThreads) -> int:
        """Return how many files may be begun or wait for their turn."""
        # a slow one holds up those after it; a batch is in each thread, and one comes
        return EMBEDDED_AT_ONCE * (threads.count + 2) if self.cuts_nothing else 4 * threads.count

    @property
    def cuts_nothing(self) -> bool:
        """Return whether the frames themselves are all segments there are."""
        return self.segmenter is None

    def cut(self, frame: Frame, kept: Sequence[KeptSegment] = ()) -> tuple[ClipBundle, CutFrame]:
        """Cut a frame for the CLIP in use now; see cut_frame. Several threads may call this."""
        bundle = self.clip_bundle()
        with self._turn:
            return bundle, cut_frame(frame, bundle.clip, self.segmenter, self.settings, kept)

    @staticmethod
    def embed(frames: Sequence[tuple[ClipBundle, CutFrame]]) -> list[FrameResult]:
        """Embed frames in batches, those after another that were cut for the same CLIP."""
        made: list[FrameResult] = []
        for _, group in itertools.groupby(frames, key=lambda each: id(each[0].clip)):
            bundles, cut = zip(*group, strict=True)
            made += embed_frames(cut, bundles[0].clip, bundles[0].tagger)
        return made

    @contextmanager
    def threads(self) -> Iterator[WorkThreads]:
        """Run threads to make results in, one for each core, until the block ends.

        Where each runs models of its own, neither torch nor OpenCV shares its work among more.
        """
        before = torch.get_num_threads(), cv2.getNumThreads()
        count = self._torch_threads
        prepare = None if count is None else partial(torch.set_num_threads, count)
        if count is not None:
            cv2.setNumThreads(count)
        with closing(WorkThreads(cores(), self.settings.pixels_at_once, prepare)) as threads:
            try:
                yield threads
            finally:
                torch.set_num_threads(before[0])
                cv2.setNumThreads(before[1])

    def embed_again(self, result: FrameResult) -> FrameResult:
        """Embed a result with the CLIP in use now; see embed_again."""
        bundle = self.clip_bundle()
        return embed_again(result, bundle.clip, bundle.tagger, self.settings.pixel_limit)
