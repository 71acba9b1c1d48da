"""What is known of an export before it is written, and shown of one; all frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from src.options import Option
from src.records import BoxXywh, ImageForm, Split


@dataclass(frozen=True)
class AlikePair:
    """Two media files that look alike, on different sides of a split.

    Attributes:
        files: their paths.
        splits: their sides.
        crops: of the frames that are most alike, as the library keeps them.
        similarity: the cosine of those frames' embeddings.
    """

    files: tuple[Path, Path]
    splits: tuple[Split, Split]
    crops: tuple[Path, Path]
    similarity: float


@dataclass(frozen=True)
class ExportPreview:
    """What an export would write: counted, nothing written.

    Attributes:
        written: annotations by class.
        left_out: by class, what is left out by a rule or a limit.
        media_files: that the images come from.
        bytes: of the images, about.
        images: how many files.
        splits: annotations by split; empty where the dataset is not split.
        reasons: how much is left out, by the reason.
        warnings: what the person should know before it is written, in whole sentences.
        close_pairs: media files that look alike on different sides of the split, the closest first.
    """

    written: dict[str, int]
    left_out: dict[str, int]
    media_files: int
    bytes: int
    images: int = 0
    splits: dict[Split, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    close_pairs: tuple[AlikePair, ...] = ()


@dataclass(frozen=True)
class SampleLabel:
    """A label on an image that is shown before or after an export.

    Attributes:
        colour: that it is drawn in, "#E6B450"; the same for the same class.
        bbox_xywh: in pixels of the image that is shown; None for the image as a whole.
    """

    name: str
    colour: str
    bbox_xywh: BoxXywh | None


@dataclass(frozen=True)
class ExportSample:
    """An image of a dataset, small, to be looked at.

    Attributes:
        image_rgb: (h, w, 3) uint8 RGB, masks drawn into it.
        media: the name of the file that it comes from, or its own.
        timestamp_s: in that file, where it is a video.
        size_wh: of the image in the dataset, in pixels.
    """

    image_rgb: np.ndarray = field(repr=False, compare=False)
    labels: tuple[SampleLabel, ...]
    media: str
    size_wh: tuple[int, int]
    timestamp_s: float | None = None
    split: Split | None = None


@dataclass(frozen=True)
class ExportFormatInfo:
    """What a person has to know of an export format to choose it.

    Attributes:
        key: what the command line and Python call it.
        label: its name in the window.
        summary: one sentence about what it writes.
        forms: what its images can be; the usual one first.
        is_for_training: whether models are trained on such datasets as they are.
    """

    key: str
    label: str
    summary: str
    options: tuple[Option, ...]
    forms: tuple[ImageForm, ...]
    is_for_training: bool = True
