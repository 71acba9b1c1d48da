"""Which way up an image lies, and parts of it as they lie upright."""

from __future__ import annotations

from typing import Protocol

from PIL import ExifTags, Image

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
ON_ITS_SIDE = {
    Image.Transpose.TRANSPOSE,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_90,
}
# Orientations whose upright left, or top, is the right, or bottom, of the stored image.
_MIRRORED_X = {
    Image.Transpose.FLIP_LEFT_RIGHT,
    Image.Transpose.ROTATE_180,
    Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_90,
}
_MIRRORED_Y = {
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.ROTATE_180,
    Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_270,
}


class Source(Protocol):
    """What parts can be cut out of: an image of Pillow's, or Samples."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, in pixels."""

    def crop(self, box: tuple[int, int, int, int], /) -> Image.Image:
        """Cut out a box (left, top, right, bottom)."""


def turn_of(image: Image.Image) -> Image.Transpose | None:
    """Return how to turn an image upright by its EXIF; where that is broken, leave it as it is."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:
        return None
    return TURNS.get(orientation) if isinstance(orientation, int) else None


def upright_part(
    image: Source, turn: Image.Transpose | None, box: tuple[int, int, int, int]
) -> Image.Image:
    """Cut a box (XYXY) out of an image as it lies when it is upright."""
    left, top, right, bottom = box
    if turn in ON_ITS_SIDE:
        left, top, right, bottom = top, left, bottom, right
    width, height = image.size
    if turn in _MIRRORED_X:
        left, right = width - right, width - left
    if turn in _MIRRORED_Y:
        top, bottom = height - bottom, height - top
    box = left, top, right, bottom
    if isinstance(image, Image.Image) and box == (0, 0, width, height):
        part = image
    else:
        part = image.crop(box)
    return part if turn is None else part.transpose(turn)
