"""What a dataset is made of: images with annotations, as they are planned, written and read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from src.label_records import LabelAttribute
from src.records import BoxXywh, ImageForm, SegmentKind, Split, TagSource

# Looks up the embeddings of segments by their ids: (N, 512) float32, zeros where one has none.
Embeddings = Callable[[Sequence[str]], np.ndarray]

# Of each class that has any.
ClassAttributes = Mapping[str, tuple[LabelAttribute, ...]]

SPLITS: tuple[Split, ...] = ("train", "val", "test")


@dataclass(frozen=True)
class Annotation:
    """What a dataset says of a part of an image, or of the image as a whole.

    Attributes:
        bbox_xywh: in pixels of the image; None for the image as a whole.
        mask_rle: compressed COCO RLE counts at the image's size; None where there is only a box.
        confidence: 0 to 1; None where the dataset says nothing of it.
        segment_id: of the segment that it was in a library; None where the dataset names none.
            Two annotations with the same one are two labels of one thing.
        source: who said so; None where the dataset says nothing of it.
        attributes: of the label, by name: words of a choice, or numbers.
        track_id: the number of its track in the dataset, from 1; None where it is in none. No two
            videos of a dataset have tracks of the same number.
    """

    label: str
    bbox_xywh: BoxXywh | None = None
    mask_rle: bytes | None = field(default=None, repr=False)
    confidence: float | None = None
    segment_id: str | None = None
    source: TagSource | None = None
    attributes: tuple[tuple[str, str | float], ...] = ()
    track_id: int | None = None


@dataclass(frozen=True)
class AnnotatedImage:
    """An image of a dataset, with what is said of it.

    Attributes:
        image: its file; relative to the dataset's folder where it lies in that.
        frame_index: of a frame of a video, or a page of a file that has several.
        size_wh: in pixels, as the dataset says or the image is; None where nobody knows.
        split: None where the dataset has none.
        media: the file that it was taken from, as the dataset names it.
        timestamp_s: in that file, where it is a video.
    """

    image: Path
    annotations: tuple[Annotation, ...]
    frame_index: int = 0
    size_wh: tuple[int, int] | None = None
    split: Split | None = None
    media: str | None = None
    timestamp_s: float | None = None


class TrackShapes(Protocol):
    """A thing in a video, frame by frame."""

    def at(self, frame_index: int) -> Annotation | None:
        """What is said of it in a frame; None where it is not seen.

        Raises:
            ValueError, DamagedMaskError: its shape there is broken.
        """
        ...


@dataclass(frozen=True)
class AnnotatedVideo:
    """A video of a dataset, with what is said of it over time: of each of its frames.

    Attributes:
        video: its file; relative to the dataset's folder where it lies in that.
        media: as the dataset names it; None where the dataset has the file.
        tracks: with what each is called in a message.
    """

    video: Path
    media: str | None
    size_wh: tuple[int, int]
    tracks: tuple[tuple[str, TrackShapes], ...]


@dataclass(frozen=True)
class MediaFrame:
    """A frame of a media file in a library.

    Attributes:
        media: the file relative to the folder that was added, that folder's name first, with
            forward slashes: no dataset has a path of this machine in it.
        content_hash: of the file.
        timestamp_s: None for an image.
        size_wh: of the whole frame, upright.
        name: of the media file as a file may be called: safe on every system, and that of no
            other in the dataset.
    """

    media_id: int
    path: Path
    media: str
    content_hash: str | None
    frame_index: int
    timestamp_s: float | None
    size_wh: tuple[int, int]
    name: str = ""


@dataclass(frozen=True)
class Cut:
    """A segment that is cut out of its frame to be an image of its own.

    Attributes:
        bbox_xywh: of the segment, in pixels of the frame.
        box_xywh: what is cut: that and a margin.
        mask_rle: of the segment, at the frame's size; None for the whole frame.
        crop_path: of the crop that the library keeps.
    """

    segment_id: str
    kind: SegmentKind
    bbox_xywh: BoxXywh
    box_xywh: BoxXywh
    crop_path: Path
    mask_rle: bytes | None = field(repr=False)


@dataclass(frozen=True)
class PlannedImage:
    """An image that is to be written.

    Attributes:
        stem: its name without folder and ending: safe on every system, no two in a dataset the
            same in whichever case, and the same again when the library has grown.
        cut: None for a whole frame.
        size_wh: of the image, in pixels.
        annotations: in pixels of this image; none where nothing that is exported is in it.
        split: None where the dataset is not split.
        is_reviewed: whether a person has said of the frame as a whole what is in it.
    """

    stem: str
    frame: MediaFrame
    cut: Cut | None
    size_wh: tuple[int, int]
    annotations: tuple[Annotation, ...]
    split: Split | None
    is_reviewed: bool


class PlannedDataset(Protocol):
    """All that is to be written; a format reads it as often as it likes, always the same.

    One that has embeddings of its segments has `embeddings` of the type `Embeddings`; one whose
    labels have attributes has `attributes`, those of each class, of the type `ClassAttributes`.

    Attributes:
        title: of the dataset: the recipe's name, or the library's.
        description: one sentence about where it comes from.
        form: what its images are.
        classes: the labels; the number of a class is its place here.
        splits: those that it has; empty where it is not split.
        annotations: how many there are.
    """

    @property
    def title(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def form(self) -> ImageForm: ...
    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def splits(self) -> tuple[Split, ...]: ...
    @property
    def annotations(self) -> int: ...

    def __len__(self) -> int:
        """How many images there are."""
        ...

    def __iter__(self) -> Iterator[PlannedImage]:
        """Give the images, a split after the other, those of one media file together."""
        ...
