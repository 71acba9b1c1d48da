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


def check_pixels(path: Path, pixels: int, pixel_limit: int) -> None:
    """See that an image is not too large.

    Raises:
        MediaReadError: it is.
    """
    if pixels > pixel_limit:
        raise MediaReadError(
            path,
            f"{pixels:,} pixels are more than the limit of {pixel_limit:,}; "
            "raise pixel_limit in settings.json if you trust the file",
        )
