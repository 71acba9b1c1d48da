"""A frame -> its segments cut out, embedded and tagged, as plain data that anyone may store.

Nothing here knows a library, so it can run in the thread that stores the results, in another
process or on another machine. `segment_writer.py` stores them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from src.models.mask_hierarchy import Part, tree_of
from src.processing.frame_looks import look_of
from src.processing.image_loader import load_image_content, save_jpeg
from src.processing.segment_extractor import SegmentExtractor
from src.records import Frame, FrameLook, KeptSegment, SegmentMask, Tag
from src.settings import NO_SAM, Settings

if TYPE_CHECKING:
    from src.models.auto_tagger import AutoTagger
    from src.models.clip_encoder import ClipEncoder
    from src.models.segmenter import Segmenter
    from src.processing.models_in_use import ClipBundle


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
    extractor = SegmentExtractor(settings.blur_kernel, settings)
    whole, *found = extractor.segments(frame, segmenter)
    cut = [whole, *extractor.cut_again(frame, kept), *found]
    parents = tree_of([Part.of(str(i), cut[i]) for i in range(len(cut))], frame.size_wh)
    known = [None, *kept, *[None] * len(found)]
    vectors = clip.encode_image([segment.crop_rgb for segment in cut])
    return FrameResult(
        frame.frame_index,
        frame.timestamp_s,
        frame.size_wh,
        look_of(frame.image_rgb),
        tuple(
            SegmentResult(
                segment.kind,
                segment.bbox_xywh,
                segment.area,
                segment.predicted_iou,
                segment.stability_score,
                segment.mask_rle,
                save_jpeg(segment.crop_rgb),
                tags,
                None if parent is None else int(parent),
                kept_segment,
            )
            for segment, tags, parent, kept_segment in zip(
                cut, tagger.tags(vectors), parents.values(), known, strict=True
            )
        ),
        vectors,
        clip.name,
        NO_SAM if segmenter is None else segmenter.name,
    )


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
    vectors = clip.encode_image(crops)
    segments = tuple(
        replace(segment, tags=tags)
        for segment, tags in zip(result.segments, tagger.tags(vectors), strict=True)
    )
    return replace(result, segments=segments, vectors=vectors, clip=clip.name)


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

    def process(self, frame: Frame, kept: Sequence[KeptSegment] = ()) -> FrameResult:
        """Make a frame's result; see process_frame."""
        bundle = self.clip_bundle()
        return process_frame(frame, bundle.clip, bundle.tagger, self.segmenter, self.settings, kept)

    def embed_again(self, result: FrameResult) -> FrameResult:
        """Embed a result with the CLIP in use now; see embed_again."""
        bundle = self.clip_bundle()
        return embed_again(result, bundle.clip, bundle.tagger, self.settings.pixel_limit)
