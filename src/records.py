"""The words of the house, as frozen records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, overload

import numpy as np

EMBEDDING_DIM = 512

BoxXywh = tuple[int, int, int, int]
MediaKind = Literal["image", "video"]
MediaStatus = Literal["pending", "processing", "done", "failed"]
SegmentKind = Literal["frame", "object"]
TagSource = Literal["auto", "human", "propagated"]


@dataclass(frozen=True)
class MediaFile:
    """A photo or a video in the library. Times are seconds since the epoch."""

    id: int
    path: Path
    content_hash: str | None
    kind: MediaKind
    width: int | None
    height: int | None
    duration_s: float | None
    captured_at: str | None
    file_size: int
    modified_at_ns: int
    status: MediaStatus
    error: str | None
    added_at: float


@dataclass(frozen=True)
class Frame:
    """One picture to be segmented: an image, or a sampled moment of a video.

    Attributes:
        image_rgb: (H, W, 3) uint8 RGB, orientation applied.
        frame_index: position of the frame in its source; 0 for an image.
        timestamp_s: presentation time in the video; None for an image.
    """

    image_rgb: np.ndarray = field(repr=False, compare=False)
    frame_index: int = 0
    timestamp_s: float | None = None

    @property
    def size_wh(self) -> tuple[int, int]:
        return self.image_rgb.shape[1], self.image_rgb.shape[0]


@dataclass(frozen=True)
class Segment:
    """A part of a frame, cut out: what SAM found, or the frame as a whole.

    Attributes:
        bbox_xywh: in pixels of the frame.
        area: pixels of the mask.
        predicted_iou: SAM's own estimate of the mask's quality; None for a frame.
        stability_score: IoU of the mask at two logit thresholds; None for a frame.
        mask_rle: compressed COCO RLE counts at the frame's size; None for a frame,
            which needs no mask.
        crop_rgb: (h, w, 3) uint8 RGB, background blurred.
    """

    kind: SegmentKind
    bbox_xywh: BoxXywh
    area: int
    predicted_iou: float | None
    stability_score: float | None
    mask_rle: bytes | None = field(repr=False)
    crop_rgb: np.ndarray = field(repr=False, compare=False)


@dataclass(frozen=True)
class StoredSegment:
    """A segment as the library keeps it."""

    id: str
    media_file_id: int
    media_path: Path
    frame_index: int
    timestamp_s: float | None
    frame_wh: tuple[int, int]
    kind: SegmentKind
    bbox_xywh: BoxXywh
    area: int
    predicted_iou: float | None
    stability_score: float | None
    mask_rle: bytes | None = field(repr=False)
    crop_path: Path


@dataclass(frozen=True)
class Tag:
    """A word on a segment, with how sure its giver was (0 to 1)."""

    name: str
    confidence: float
    source: TagSource


@dataclass(frozen=True)
class SearchHit:
    """A segment that answers a query; `score` is cosine similarity, higher is better."""

    segment: StoredSegment
    score: float
    tags: tuple[Tag, ...] = ()


@dataclass(frozen=True)
class SearchResult(Sequence[SearchHit]):
    """Hits, best first, and what the person should know about them.

    Attributes:
        unknown_words: words of the query that the CLIP in use was never taught;
            they had no part in the ranking.
    """

    hits: tuple[SearchHit, ...]
    unknown_words: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.hits)

    @overload
    def __getitem__(self, index: int) -> SearchHit: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[SearchHit]: ...
    def __getitem__(self, index: int | slice) -> SearchHit | Sequence[SearchHit]:
        return self.hits[index]

    def __iter__(self) -> Iterator[SearchHit]:
        return iter(self.hits)


@dataclass(frozen=True)
class LibraryStats:
    """Counts of a library, its size on disk, and the models in use."""

    media_files: int
    images: int
    videos: int
    frames: int
    segments: int
    tags: int
    bytes: int
    clip_model: str | None
    sam_model: str | None
