"""The shared records, all frozen."""

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
TagSource = Literal["auto", "human", "propagated", "imported"]
SegmentOrigin = Literal["sam", "human", "imported", "tracker"]
Split = Literal["train", "val", "test"]
# What the images of a dataset are: whole pictures; segments cut out of them with a small margin;
# the library's own crops, with what is around the segment blurred, of 1,024 pixels at most; the
# segment alone on a transparent ground.
ImageForm = Literal["frames", "crops", "blurred", "cutouts"]


@dataclass(frozen=True)
class MediaFile:
    """A photo or a video in the library. Times are seconds since the epoch.

    Attributes:
        error: what is wrong with the file; it may have been taken as far as it is sound.
        note: what there is to know of a sound file, such as that one of its pages was taken.
    """

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
    note: str | None = None


@dataclass(frozen=True)
class MovedRoot:
    """A folder of media that is elsewhere now.

    Attributes:
        files: how many media files of the library are in it.
        missing: those that are not in the new folder, or have another size there, by the paths
            that the library has for them now.
    """

    files: int
    missing: tuple[Path, ...]


@dataclass(frozen=True)
class Frame:
    """One picture to be segmented: an image, or a sampled moment of a video.

    Attributes:
        image_rgb: (H, W, 3) uint8 RGB, orientation applied.
        frame_index: position of the frame in its source; 0 for an image.
        timestamp_s: presentation time in the video; None for an image.
        full_wh: size of the whole image where it was decoded smaller.
    """

    image_rgb: np.ndarray = field(repr=False, compare=False)
    frame_index: int = 0
    timestamp_s: float | None = None
    full_wh: tuple[int, int] | None = None

    @property
    def size_wh(self) -> tuple[int, int]:
        """Of the frame in its source."""
        if self.full_wh is not None:
            return self.full_wh
        return self.image_rgb.shape[1], self.image_rgb.shape[0]


@dataclass(frozen=True)
class FrameLook:
    """What a frame looks like, in numbers.

    Attributes:
        dhash: of 64 bits, 16 hex digits; those of two pictures alike differ in few bits.
        sharpness: variance of the Laplacian of the grey frame at a fixed size; see look_of.
    """

    dhash: str
    sharpness: float


@dataclass(frozen=True)
class SegmentMask:
    """Where a segment lies in its frame, and the quality of its mask by SAM's own estimate.

    Attributes:
        bbox_xywh: in pixels of the frame.
        area: pixels of the mask.
        predicted_iou: SAM's own estimate of the mask's quality; None for a frame.
        stability_score: IoU of the mask at two logit thresholds; None for a frame.
        mask_rle: compressed COCO RLE counts at the frame's size; None for a frame,
            which needs no mask.
    """

    kind: SegmentKind
    bbox_xywh: BoxXywh
    area: int
    predicted_iou: float | None
    stability_score: float | None
    mask_rle: bytes | None = field(repr=False)


@dataclass(frozen=True)
class Segment(SegmentMask):
    """A part of a frame, cut out: what SAM found, or the frame as a whole.

    Attributes:
        crop_rgb: (h, w, 3) uint8 RGB, background blurred.
    """

    crop_rgb: np.ndarray = field(repr=False, compare=False)


@dataclass(frozen=True)
class KeptSegment(SegmentMask):
    """A segment that a frame has to have, whatever SAM finds there.

    Attributes:
        id: that it has, and keeps.
        origin: what made it; none is of SAM's.
    """

    id: str
    origin: SegmentOrigin


@dataclass(frozen=True)
class StoredSegment:
    """A segment as the library keeps it.

    Attributes:
        parent_id: the smallest segment of its frame that it lies in: the whole frame's when it
            lies in no other; None for the whole frame.
        fingerprint: of what is cut out of which picture; see segment_fingerprint.
        origin: what made it.
        track_id: of the thing that it shows through its video; None where it is linked to nothing.
    """

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
    parent_id: str | None = None
    fingerprint: str | None = None
    origin: SegmentOrigin = "sam"
    track_id: int | None = None


@dataclass(frozen=True)
class Tag:
    """A word on a segment, with the confidence (0 to 1) and the source that gave it."""

    name: str
    confidence: float
    source: TagSource


@dataclass(frozen=True)
class Decision:
    """An act on a tag of a segment or of a frame.

    Attributes:
        has_tag: whether it was said to have the tag, or not to have it.
        confidence: how sure that is, 0 to 1; of a person 1.
        decided_at: seconds since the epoch; None where it is not recorded.
        batch: of the act that it was part of, for undo; None where it is not recorded.
    """

    tag: str
    has_tag: bool
    source: TagSource
    confidence: float = 1.0
    decided_at: float | None = None
    batch: str | None = None


@dataclass(frozen=True)
class SearchHit:
    """A segment that answers a query.

    Attributes:
        score: cosine similarity, -1 to 1, higher is better; of several terms to their weighted
            sum. 1 where it is tagged_so; None of a search by a filter alone, which scores nothing.
        tagged_so: whether a person has tagged the segment with the very words of the query.
        strength: how far the score is from chance, 0 to 1; 0.5 is the line that SearchResult
            tells of. None where no line is drawn, or nothing is scored.
        alike: weaker hits of the same thing, best first, which this one stands for; see
            Query.one_of_each.
        moment: when its track is seen first and last, in seconds of its video; None where it is in
            no track.
        is_example: whether it is itself what the query asks for more of; see mark_examples.
    """

    segment: StoredSegment
    score: float | None
    tags: tuple[Tag, ...] = ()
    tagged_so: bool = False
    strength: float | None = None
    alike: tuple[SearchHit, ...] = ()
    moment: tuple[float, float] | None = None
    is_example: bool = False

    @property
    def with_alike(self) -> tuple[SearchHit, ...]:
        """It and those that it stands for."""
        return self, *self.alike

    @property
    def is_strong(self) -> bool:
        """Whether it is above the line, or a person's word stands for it."""
        return self.tagged_so or (self.strength is not None and self.strength >= 0.5)


@dataclass(frozen=True)
class SearchResult(Sequence[SearchHit]):
    """Hits, best first, and what the person should know about them.

    Attributes:
        unknown_words: words of the query that the CLIP in use was never taught;
            they had no part in the ranking.
        known_words: those that had a part in it.
        left_by_filter: of a search by a filter alone, how many segments that leaves; there may be
            fewer hits. None where hits are scored, which every segment is that the filter leaves.
        has_more: that a filter alone leaves more than these, which nobody has counted.
        line: the score below which a match is likely chance; None where no line is drawn. Of things
            in one frame the lowest of their lines: `strength` is counted from its own line.
        strong: how many segments, or frames, are above the line, shown or not; None without a line.
        total: how many were scored, shown or not; None where none was.
    """

    hits: tuple[SearchHit, ...]
    unknown_words: tuple[str, ...] = ()
    known_words: tuple[str, ...] = ()
    left_by_filter: int | None = None
    has_more: bool = False
    line: float | None = None
    strong: int | None = None
    total: int | None = None

    @property
    def has_words(self) -> bool:
        """Whether there was any word in the query: emoji and punctuation may be none."""
        return bool(self.known_words or self.unknown_words)

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


MediaOrder = Literal["added", "captured", "name", "segments"]


@dataclass(frozen=True)
class MediaCard:
    """A media file as a grid shows it.

    Attributes:
        segments: how many it was cut into so far.
        poster: crop file of its first frame; None before that is stored.
    """

    media: MediaFile
    segments: int
    poster: Path | None


# What a person said of a group of near-duplicates: nothing yet; that one of its files is shown and
# the others are not; that they belong together and are all shown; that they are no copies.
DuplicateVerdict = Literal["open", "hidden", "kept", "apart"]


@dataclass(frozen=True)
class DuplicateFile:
    """A media file in a group of near-duplicates.

    Attributes:
        poster: crop file of its first frame.
        sharpness: of that frame; see FrameLook.
        is_hidden: whether searches and the library leave it out.
        same_content: other files with the very same content, which the library knows of.
    """

    media: MediaFile
    poster: Path | None
    sharpness: float | None
    is_hidden: bool
    same_content: tuple[Path, ...] = ()


@dataclass(frozen=True)
class DuplicateGroup:
    """Media files that are almost equal, and what a person said of them.

    Attributes:
        files: the one that is suggested to be kept first; of a group that is decided on, the one
            that was kept.
    """

    id: int
    verdict: DuplicateVerdict
    files: tuple[DuplicateFile, ...]


@dataclass(frozen=True)
class SampledFrame:
    """A stored frame of a media file, by its whole-frame segment."""

    segment_id: str
    frame_index: int
    timestamp_s: float | None
    crop_path: Path


@dataclass(frozen=True)
class FrameView:
    """A frame and all that was found in it, at the size of its stored crop.

    Attributes:
        image_rgb: (h, w, 3) uint8 RGB, the longest side at most 1024.
        segments: the whole frame, then the others, largest first; N of them.
        masks: (N, h, w) bool; the whole frame's is true everywhere.
        outlines: for each segment its closed outlines, (points, 2) float32 x and y in pixels of
            image_rgb; none for the whole frame.
        tags: of each segment, highest confidence first.
        media: the file that the frame is of.
        frames: all stored frames of that file, in order.
    """

    image_rgb: np.ndarray = field(repr=False, compare=False)
    segments: tuple[StoredSegment, ...]
    masks: np.ndarray = field(repr=False, compare=False)
    outlines: tuple[tuple[np.ndarray, ...], ...] = field(repr=False, compare=False)
    tags: dict[str, tuple[Tag, ...]]
    media: MediaFile
    frames: tuple[SampledFrame, ...]

    def parent(self, number: int) -> int | None:
        """Find the segment that one lies in; None for the whole frame, which lies in none."""
        parent_id = self.segments[number].parent_id
        found = (i for i, segment in enumerate(self.segments) if segment.id == parent_id)
        return next(found, None)

    def parts(self, number: int) -> list[int]:
        """Find the segments that lie in one and in none between; largest first."""
        whole = self.segments[number].id
        return [i for i, segment in enumerate(self.segments) if segment.parent_id == whole]


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
