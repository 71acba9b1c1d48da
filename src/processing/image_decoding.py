"""An image file -> its pixels, by Pillow. Only decoder_server.py calls this, in its process."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageCms, PngImagePlugin, UnidentifiedImageError

from src.errors import MediaReadError

try:
    from pillow_heif import register_heif_opener

    register_heif_opener()
except ImportError:
    pass  # HEIC then is a format like any other that Pillow can't read

# Photographs and pictures. Not on the list: what starts another program (EPS, PDF, WMF) and
# what is data more than picture (FITS, HDF5, GRIB).
FORMATS = (
    "JPEG MPO PNG WEBP BMP DIB TIFF GIF JPEG2000 AVIF HEIF PPM TGA ICO ICNS PCX SGI QOI DDS PSD"
).split()


# Drawing programs keep the drawing itself in a PNG's text; the process has a limit of its own.
PngImagePlugin.MAX_TEXT_CHUNK = 16 << 20
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_ITS_SIDE = {
    Image.Transpose.TRANSPOSE,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_90,
}
# Whose upright left, or top, is the right, or bottom, of what the file holds.
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
# An icon's largest image, whatever size of it is named.
LEAST_PIXELS = 1 << 20
# Colours are converted so many pixels at a time: some ways go through 40 bytes a pixel.
STRIP_PIXELS = 4_000_000


@dataclass(frozen=True)
class Decoded:
    """An image that has been decoded.

    Attributes:
        size_wh: upright, in pixels.
        strips: its rows from top to bottom, some at a time: (h, W, 3) uint8 RGB each. They are
            made when they are asked for, so that the whole is in memory only once.
        captured_at: when the camera says it was taken.
    """

    size_wh: tuple[int, int]
    strips: Iterator[np.ndarray]
    captured_at: str | None


def is_image(path: Path) -> bool:
    """Say whether a file is an image of a format on the list, sound or not."""
    # An icon's images are decoded when it is opened: not here.
    Image.MAX_IMAGE_PIXELS = LEAST_PIXELS
    try:
        with _opened(path):
            return True
    except UnidentifiedImageError:
        return False
    except Exception:  # it is one, and decoding it will say what is wrong
        return True


def decode(
    path: Path, pixel_limit: int, draft_side: int | None, on_size: Callable[[int], None]
) -> Decoded:
    """Decode a file's first frame; see image_loader.load_image.

    Args:
        on_size: told the number of pixels once the header is read, before any is decoded.

    Raises:
        MediaReadError: it is too large, or no image; anything else: it is damaged.
    """
    Image.MAX_IMAGE_PIXELS = pixel_limit
    try:
        image = _opened(path)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as exc:
        found = re.search(r"(\d+) pixels", str(exc))
        size = f"{int(found[1]):,}" if found else "its"
        raise MediaReadError(
            path,
            f"{size} pixels are more than the limit of {pixel_limit:,}; "
            "raise pixel_limit in settings.json if you trust the file",
        ) from exc
    with image:
        width, height = image.size
        on_size(width * height)
        # An icon holds images of its own, whose sizes its header need not tell the truth about.
        Image.MAX_IMAGE_PIXELS = max(LEAST_PIXELS, 4 * width * height)
        captured_at = _captured_at(image)
        if draft_side is not None:
            image.draft(None, (draft_side, draft_side))
        image.load()  # the file can be closed: all is in memory
        if 0 in image.size:
            raise MediaReadError(path, "there is no image in it")
        turn = _turn_of(image)
        size_wh = image.size if turn not in _ON_ITS_SIDE else image.size[::-1]
        return Decoded(size_wh, _strips(image, turn, size_wh), captured_at)


def _opened(path: Path) -> Image.Image:
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.init()
    return Image.open(path, formats=[name for name in FORMATS if name in Image.OPEN])


def _turn_of(image: Image.Image) -> Image.Transpose | None:
    """Say how to turn an image upright by its EXIF; where that is broken the picture matters."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:
        return None
    return _TURNS.get(orientation) if isinstance(orientation, int) else None


def _strips(
    image: Image.Image, turn: Image.Transpose | None, size_wh: tuple[int, int]
) -> Iterator[np.ndarray]:
    width, height = size_wh
    range_of_greys = _range_of(image) if image.mode.startswith(("I", "F")) else (0.0, 255.0)
    rows = max(1, STRIP_PIXELS // width)
    for top in range(0, height, rows):
        part = _upright_part(image, turn, (0, top, width, min(height, top + rows)))
        yield np.ascontiguousarray(_to_srgb(part, range_of_greys))


def _upright_part(
    image: Image.Image, turn: Image.Transpose | None, box: tuple[int, int, int, int]
) -> Image.Image:
    """Cut a box (XYXY) out of an image as it lies when it is upright."""
    left, top, right, bottom = box
    if turn in _ON_ITS_SIDE:
        left, top, right, bottom = top, left, bottom, right
    width, height = image.size
    if turn in _MIRRORED_X:
        left, right = width - right, width - left
    if turn in _MIRRORED_Y:
        top, bottom = height - bottom, height - top
    part = image.crop((left, top, right, bottom))
    return part if turn is None else part.transpose(turn)


def _to_srgb(image: Image.Image, range_of_greys: tuple[float, float]) -> Image.Image:
    """Bring any mode to RGB, over white where there is transparency."""
    if image.mode.startswith(("I", "F")):
        image = _stretched(image, *range_of_greys)
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "CMYK", "L", "RGBA"):
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(
                image, source, ImageCms.createProfile("sRGB"), outputMode=mode
            )
            image = converted or image
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a broken profile; the pixels as they are come nearest
    if image.mode == "RGB":
        return image
    if image.has_transparency_data:
        over = image.convert("RGBA")
        white = Image.new("RGBA", over.size, "white")
        return Image.alpha_composite(white, over).convert("RGB")
    return image.convert("RGB")


def _range_of(image: Image.Image) -> tuple[float, float]:
    """Find what is black and what is white in 16-bit and floating point greys."""
    width, height = image.size
    rows = max(1, STRIP_PIXELS // width)
    low, high = np.inf, -np.inf
    for top in range(0, height, rows):
        part = image.crop((0, top, width, min(height, top + rows)))
        pixels = np.asarray(part).astype(np.float64)
        finite = pixels[np.isfinite(pixels)]
        low = min(low, finite.min(initial=np.inf))
        high = max(high, finite.max(initial=-np.inf))
    if low > high:
        return 0.0, 1.0  # not one number among them
    if image.mode.startswith("F") or high > 65535 or low < 0:
        return float(low), float(high)
    return 0.0, 65535.0 if high > 255 else 255.0


def _stretched(image: Image.Image, low: float, high: float) -> Image.Image:
    """Bring 16-bit and floating point greys to 8 bits."""
    pixels = np.asarray(image).astype(np.float64)
    scaled = np.nan_to_num((pixels - low) / max(high - low, 1e-9) * 255)
    return Image.fromarray(scaled.clip(0, 255).astype(np.uint8))


def _captured_at(image: Image.Image) -> str | None:
    try:
        exif = image.getexif()
        text = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal)
        text = text or exif.get(ExifTags.Base.DateTime)
        date, time = str(text).split(" ")[:2] if text else ("", "")
        date = date.replace(":", "-")
        return f"{date}T{time}" if re.fullmatch(r"\d{4}-\d\d-\d\d", date) and time else None
    except Exception:
        return None  # the picture matters, a broken note about it does not
