"""An image file -> its pixels, by Pillow. Only decoder_server.py calls this, in its process."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin, UnidentifiedImageError

from src.errors import MediaReadError
from src.processing.capture_dates import camera_of, date_of_image
from src.processing.colour_management import to_srgb
from src.processing.image_notes import note_of_frames, note_of_pages
from src.processing.jpeg_structure import breaks_off, without_end
from src.processing.jxl_files import HAS_PLUGIN, jxl_header, open_jxl
from src.processing.opened_image import check_pixels, too_large
from src.processing.orientation import ON_ITS_SIDE, TURNS, Source, turn_of, upright_part
from src.processing.psd_reading import PsdPicture, read_header
from src.processing.rare_jpegs import is_rare_jpeg, read_rare_jpeg
from src.processing.raw_files import is_raw, open_raw
from src.processing.second_decoders import after_loading, before_loading
from src.processing.tiff_reading import find_page, find_picture, is_plain, is_tiff, pillow_reads

try:
    from pillow_heif import register_heif_opener

    register_heif_opener()
    _HAS_HEIF = True
except ImportError:
    _HAS_HEIF = False  # HEIC then is a format like any other that Pillow can't read

# Packages that read a format each and are not installed.
MISSING_PACKAGES = [
    package
    for package, is_here in (("pillow-heif", _HAS_HEIF), ("pillow-jxl-plugin", HAS_PLUGIN))
    if not is_here
]

# Photographs and pictures. Not on the list: what starts another program (EPS, PDF, WMF) and
# what is data more than picture (FITS, HDF5, GRIB).
FORMATS = (
    "JPEG MPO PNG WEBP BMP DIB TIFF GIF JPEG2000 AVIF HEIF PPM TGA ICO ICNS PCX SGI QOI DDS PSD"
).split()


# Drawing programs keep the drawing itself in a PNG's text; the process has a limit of its own.
PngImagePlugin.MAX_TEXT_CHUNK = 16 << 20
# An icon's largest image, whatever size of it is named.
LEAST_PIXELS = 1 << 20
# As Pillow calls them: all that it can decode smaller.
_JPEG = ("JPEG", "MPO")
# Colours are converted so many pixels at a time: some ways go through 40 bytes a pixel.
STRIP_PIXELS = 4_000_000
# Pillow joins what it hands over from pieces: so much stays in the cache meanwhile, and takes a
# third of the time that a megapixel at once does.
HANDED_OVER_PIXELS = 1 << 17


@dataclass(frozen=True)
class Decoded:
    """An image that has been decoded.

    Attributes:
        size_wh: upright, in pixels.
        strips: its rows from top to bottom, some at a time: (h, W, 3) uint8 RGB each. They are
            made when they are asked for, so that the whole is in memory only once.
        captured_at: when the camera says it was taken.
        note: what there is to know of it, such as that the file has more pages.
        camera: its make and model.
        full_wh: size of the upright picture of a JPEG that was decoded smaller.
    """

    size_wh: tuple[int, int]
    strips: Iterator[np.ndarray]
    captured_at: str | None
    note: str | None = None
    camera: tuple[str | None, str | None] = (None, None)
    full_wh: tuple[int, int] | None = None


def pixels_of_image(path: Path) -> int | None:
    """Return how many pixels an image of a format on the list has, sound or not.

    0 where that takes more than a look at its header; None for a file that is no image.
    """
    # An icon's images are decoded when it is opened: not here.
    Image.MAX_IMAGE_PIXELS = LEAST_PIXELS
    try:
        if is_raw(path) or (HAS_PLUGIN and jxl_header(path) is not None):
            return 0
        with _opened(path) as image:
            return math.prod(image.size)
    except UnidentifiedImageError:  # Pillow does not know every kind of these
        is_one = is_tiff(path) or read_header(path) is not None or is_rare_jpeg(path)
        return 0 if is_one else None
    except Exception:  # it is one, and decoding it will say what is wrong
        return 0


def decode(
    path: Path,
    pixel_limit: int,
    draft_side: int | None,
    on_size: Callable[[int], None],
    page: int | None = None,
    is_new: bool = False,
) -> Decoded:
    """Decode a file's first frame, or a page of a TIFF; see image_loader.load_image.

    Args:
        page: its index, from 0; None finds the page that is the picture.
        is_new: see image_loader.load_image.
        on_size: called with the number of pixels once the header is read, before any is decoded.

    Raises:
        MediaReadError: it is too large, or no image; anything else: it is damaged.
    """
    Image.MAX_IMAGE_PIXELS = pixel_limit
    for open_other in (open_raw, open_jxl):
        opened = open_other(path, pixel_limit, None if is_new else draft_side, on_size)
        if opened is not None:
            decoded = _decode_opened(path, opened.image, draft_side, on_size)
            return replace(decoded, note=opened.note)
    try:
        image = _opened(path)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as exc:
        found = re.search(r"(\d+) pixels", str(exc))
        raise too_large(path, int(found[1]) if found else None, pixel_limit) from exc
    except UnidentifiedImageError:
        if is_tiff(path):
            decoded = _decode_tiff(path, None, pixel_limit, on_size, page)
            return replace(decoded, note=note_of_pages(path))
        jpeg = read_rare_jpeg(path, pixel_limit, on_size)
        if jpeg is not None:
            decoded = _decoded(jpeg.samples, turn_of(jpeg.about), date_of_image(jpeg.about))
            return replace(decoded, camera=camera_of(jpeg.about))
        psd = read_header(path)
        if psd is None:
            raise
        return _decode_psd(path, psd, None, pixel_limit, on_size)
    with image:
        note = note_of_frames(path, image)
        if page is not None:
            return _decode_tiff(path, image, pixel_limit, on_size, page)
        decoded = _decode_by_kind(path, image, pixel_limit, draft_side, on_size, is_new)
        return replace(decoded, note=decoded.note or note)


def _decode_by_kind(
    path: Path,
    image: Image.Image,
    pixel_limit: int,
    draft_side: int | None,
    on_size: Callable[[int], None],
    is_new: bool,
) -> Decoded:
    psd = read_header(path) if image.format == "PSD" else None
    if psd is not None and not psd.pillow_reads:
        return _decode_psd(path, psd, image, pixel_limit, on_size)
    if image.format == "TIFF" and not pillow_reads(image):
        return _decode_tiff(path, image, pixel_limit, on_size)
    return _decode_opened(path, image, draft_side, on_size, is_new)


def _opened(path: Path) -> Image.Image:
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.init()
    return Image.open(path, formats=[name for name in FORMATS if name in Image.OPEN])


def _decode_opened(
    path: Path,
    image: Image.Image,
    draft_side: int | None,
    on_size: Callable[[int], None],
    is_new: bool = False,
) -> Decoded:
    (width, height), kind = image.size, image.format
    on_size(width * height)
    # An icon holds images of its own, about whose sizes its header may be wrong.
    Image.MAX_IMAGE_PIXELS = max(LEAST_PIXELS, 4 * width * height)
    captured_at, camera = date_of_image(image), camera_of(image)
    turn = turn_of(image)
    note = None
    source: Source | None = before_loading(image, path)
    if source is None:
        image, note = _loaded(path, image, draft_side, is_new)
        if 0 in image.size:
            raise MediaReadError(path, "there is no image in it")
        source = after_loading(image, path) or image
    decoded = replace(_decoded(source, turn, captured_at), note=note, camera=camera)
    if draft_side is None or kind not in _JPEG or image.size == (width, height):
        return decoded
    full_wh = (height, width) if turn in ON_ITS_SIDE else (width, height)
    return replace(decoded, full_wh=full_wh)


def _loaded(
    path: Path, image: Image.Image, draft_side: int | None, is_new: bool
) -> tuple[Image.Image, str | None]:
    """Decode an image, so that the file can be closed; returns it and what there is to know."""

    def draft(of: Image.Image) -> None:
        if draft_side is not None:
            of.draft(None, (draft_side, draft_side))

    draft(image)
    is_jpeg = image.format in _JPEG
    try:
        image.load()
        # a thumbnail is made of what has been looked at before, a preview lies in another file
        is_new = is_jpeg and (is_new or draft_side is None)
        if not (is_new and bool(getattr(image, "filename", ""))) or not breaks_off(path):
            return image, None
        failed: OSError = OSError("its end is missing")
    except OSError as exc:
        failed = exc
    # what could follow its end is to change no pixel, not only none of a smaller picture
    whole = without_end(path, (lambda _: None) if is_new else draft) if is_jpeg else None
    if whole is None:
        raise failed
    return whole, "the file breaks off after its last pixel: the picture is complete"


def _decode_tiff(
    path: Path,
    image: Image.Image | None,
    pixel_limit: int,
    on_size: Callable[[int], None],
    page: int | None = None,
) -> Decoded:
    """Decode a TIFF whose picture has to be found, or is of a kind that Pillow does not read.

    Args:
        image: Pillow's, where it knows the first page.
    """
    import tifffile

    try:
        file = tifffile.TiffFile(path)
        picture = find_picture(file) if page is None else find_page(file, page)
    except Exception:  # a page after the first that is broken does not cost the first
        if page is not None or image is None or not is_plain(image):
            raise
        return _decode_opened(path, image, None, on_size)
    with file:
        width, height = picture.size_wh
        check_pixels(path, width * height, pixel_limit)
        if image is not None and picture.pillow_reads and picture.index is not None:
            captured_at = date_of_image(image)
            image.seek(picture.index)
            opened = _decode_opened(path, image, None, on_size)
            return replace(opened, captured_at=opened.captured_at or captured_at)
        on_size(width * height)
        captured_at = None if image is None else date_of_image(image)
        decoded = _decoded(picture.samples(), TURNS.get(picture.orientation), captured_at)
        return decoded if image is None else replace(decoded, camera=camera_of(image))


def _decode_psd(
    path: Path,
    picture: PsdPicture,
    image: Image.Image | None,
    pixel_limit: int,
    on_size: Callable[[int], None],
) -> Decoded:
    width, height = picture.size_wh
    check_pixels(path, width * height, pixel_limit)
    if not width * height:
        raise MediaReadError(path, "there is no image in it")
    on_size(width * height)
    captured_at = None if image is None else date_of_image(image)
    return _decoded(picture.samples(path), None, captured_at)


def _decoded(source: Source, turn: Image.Transpose | None, captured_at: str | None) -> Decoded:
    size_wh = source.size if turn not in ON_ITS_SIDE else source.size[::-1]
    return Decoded(size_wh, _strips(source, turn, size_wh), captured_at)


def _strips(
    source: Source, turn: Image.Transpose | None, size_wh: tuple[int, int]
) -> Iterator[np.ndarray]:
    width, height = size_wh
    rows = max(1, STRIP_PIXELS // width)
    for top in range(0, height, rows):
        part = upright_part(source, turn, (0, top, width, min(height, top + rows)))
        yield from _handed_over(to_srgb(part))


def _handed_over(image: Image.Image) -> Iterator[np.ndarray]:
    """Copy an image's rows out of Pillow, some at a time: (h, W, 3) uint8 each."""
    width, height = image.size
    rows = max(1, HANDED_OVER_PIXELS // width)
    for top in range(0, height, rows):
        yield np.ascontiguousarray(image.crop((0, top, width, min(height, top + rows))))
