"""Images whose pixels are numbers of things or classes, in the colours of Pascal VOC."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from src.models.mask_rle import MOST_PIXELS

# Not one thing or class more fits: 0 is the background, and 255 what is left open.
MOST_NUMBERS = 254
OPEN = 255


def voc_palette() -> np.ndarray:
    """Make the colours: (256, 3) uint8. A number's bits go to red, green and blue in turn."""
    numbers = np.arange(256)
    colours = np.zeros((256, 3), np.uint8)
    for place in range(8):
        for channel in range(3):
            bit = numbers >> (3 * place + channel) & 1
            colours[:, channel] |= (bit << (7 - place)).astype(np.uint8)
    return colours


def png_of_numbers(numbers: np.ndarray) -> bytes:
    """Write numbers (H, W) uint8 as a PNG with the palette."""
    height, width = numbers.shape
    image = Image.frombytes("P", (width, height), np.ascontiguousarray(numbers).tobytes())
    image.putpalette(voc_palette().tobytes())
    made = io.BytesIO()
    image.save(made, "PNG", compress_level=1)
    return made.getvalue()


def png_of_mask(mask: np.ndarray) -> bytes:
    """Write a mask (H, W) bool as a PNG of one bit."""
    made = io.BytesIO()
    Image.fromarray(mask).save(made, "PNG")
    return made.getvalue()


def read_png(content: bytes, size_wh: tuple[int, int]) -> Image.Image:
    """Decode a PNG that has to have a size.

    Raises:
        ValueError: it is none, or has another size.
    """
    try:
        image = PngImageFile(io.BytesIO(content))
        is_fitting = image.size == size_wh and size_wh[0] * size_wh[1] <= MOST_PIXELS
        if is_fitting:
            image.load()
    except Exception as exc:  # what Pillow raises on what it can't read has no end
        raise ValueError("a mask is not a PNG") from exc
    if not is_fitting:
        raise ValueError("a PNG has another size than its image, or is too large")
    return image


def numbers_of(image: Image.Image) -> np.ndarray:
    """Read the number of each pixel, (H, W) integers: of its colour, where it has no palette.

    A colour that is none of the palette has a number of its own, from 256 on.
    """
    if image.mode in ("P", "L", "1"):
        return np.asarray(image).astype(np.uint8, copy=False)
    codes = colour_codes(np.asarray(image.convert("RGB")))
    known = {code: number for number, code in enumerate(colour_codes(voc_palette()).tolist())}
    found, places = np.unique(codes, return_inverse=True)
    numbers = [known.get(code, 256 + at) for at, code in enumerate(found.tolist())]
    return np.array(numbers, np.int64)[places].reshape(codes.shape)


def colours_of(image: Image.Image) -> np.ndarray:
    """Read the colour of each pixel as a code, (H, W) int64."""
    return colour_codes(np.asarray(image.convert("RGB")))


def colour_codes(rgb: np.ndarray) -> np.ndarray:
    """Make one number of each colour (..., 3) uint8: (...) int64."""
    codes: np.ndarray = rgb.astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])
    return codes
