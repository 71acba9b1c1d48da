"""An image that has been opened by something else than Pillow's own plugins."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from src.errors import MediaReadError


@dataclass(frozen=True)
class OpenedImage:
    """An image within the limit of pixels, and what there is to know of it.

    Attributes:
        note: in words for a person, where not all of the file is what is shown.
    """

    image: Image.Image
    note: str | None = None


def too_large(path: Path, pixels: int | None, pixel_limit: int) -> MediaReadError:
    """Write that an image has more pixels than the limit; None: it is not known how many."""
    size = "its" if pixels is None else f"{pixels:,}"
    return MediaReadError(
        path,
        f"{size} pixels are more than the limit of {pixel_limit:,}; "
        "raise pixel_limit in settings.json if you trust the file",
    )


def check_pixels(path: Path, pixels: int, pixel_limit: int) -> None:
    """Check that an image is not too large.

    Raises:
        MediaReadError: it is.
    """
    if pixels > pixel_limit:
        raise too_large(path, pixels, pixel_limit)
