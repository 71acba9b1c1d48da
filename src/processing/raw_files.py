"""A camera's raw files: developed by rawpy where it is installed, else their largest preview.

rawpy (LibRaw) is an optional extra. A preview is a JPEG, and where it lies in the file is
another thing with every maker; so the file is searched for JPEGs, and the largest is taken.
"""

from __future__ import annotations

import contextlib
import io
import mmap
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image

from src.errors import MediaReadError
from src.processing.file_kinds import install_command
from src.processing.jpeg_structure import jpeg_frame
from src.processing.opened_image import OpenedImage, check_pixels
from src.processing.tiff_directories import (
    DNG_VERSION,
    PHOTOMETRIC,
    directories,
    sub_directories,
)

# Offsets and bytes that begin raw files of makers that have a format of their own.
_SIGNATURES = (
    (0, b"FUJIFILMCCD-RAW"),  # RAF
    (0, b"IIRO"),  # ORF
    (0, b"IIRS"),
    (0, b"MMOR"),
    (0, b"IIU\0"),  # RW2, RWL
    (8, b"CR\x02"),  # CR2
    (4, b"ftypcrx "),  # CR3
    (6, b"HEAPCCDR"),  # CRW
    (0, b"FOVb"),  # X3F
    (0, b"\0MRM"),  # MRW
)
# The others are TIFF (DNG, NEF, ARW, PEF, SRW …), and one of their first pages is what the
# sensor saw: through its colour filters, or as light.
_SENSOR = frozenset((32803, 34892))
_FIRST_PAGES = 4
# A raw file is searched for previews so far; those of today have up to 200 MB.
_SEARCHED_BYTES = 512 << 20
_PREVIEW_BYTES = 64 << 20
_MOST_PREVIEWS = 1000
_EXIF_BYTES = 1 << 20
_TIFF_HEADS = {
    b"II*\0": b"II*\0",
    b"MM\0*": b"MM\0*",
    b"IIRO": b"II*\0",
    b"IIRS": b"II*\0",
    b"MMOR": b"MM\0*",
    b"IIU\0": b"II*\0",
}
_DATES = (
    ExifTags.Base.DateTimeOriginal,
    ExifTags.Base.DateTimeDigitized,
    ExifTags.Base.SubsecTimeOriginal,
    ExifTags.Base.SubsecTimeDigitized,
    ExifTags.Base.OffsetTime,
    ExifTags.Base.OffsetTimeOriginal,
    ExifTags.Base.OffsetTimeDigitized,
)


def is_raw(path: Path) -> bool:
    """Return whether a file is what a camera's sensor saw."""
    with path.open("rb") as stream:
        head = stream.read(16)
        if any(head.startswith(mark, offset) for offset, mark in _SIGNATURES):
            return True
        stream.seek(0)
        for _, page in zip(range(_FIRST_PAGES), directories(stream), strict=False):
            if DNG_VERSION in page or _is_of_sensor(page):
                return True
            here = stream.tell()
            if any(_is_of_sensor(sub) for sub in sub_directories(stream, page)):
                return True
            stream.seek(here)
    return False


def open_raw(
    path: Path, pixel_limit: int, draft_side: int | None, on_size: Callable[[int], None]
) -> OpenedImage | None:
    """Open a raw file; see image_decoding.decode.

    Returns:
        Its picture and, where that is a preview, a note; None for a file of another kind.

    Raises:
        MediaReadError: it is too large, or there is neither rawpy nor a preview.
    """
    if not is_raw(path):
        return None
    try:
        import rawpy
    except ImportError:
        reason = f"the package rawpy is missing; run: {install_command('rawpy')}"
    else:
        try:
            return OpenedImage(_developed(rawpy, path, pixel_limit, draft_side, on_size))
        except (rawpy.LibRawError, MemoryError) as exc:
            said = exc.args[0] if exc.args else type(exc).__name__
            said = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
            reason = f"rawpy could not read it ({said})"
    image = _preview(path, pixel_limit)
    if image is None:
        raise MediaReadError(path, f"this raw file has no preview in it, and {reason}")
    width, height = image.size
    return OpenedImage(image, f"raw file: its preview of {width} × {height} pixels; {reason}")


def _is_of_sensor(page: dict[int, tuple[int, ...]]) -> bool:
    return bool(_SENSOR & set(page.get(PHOTOMETRIC, ())))


def _developed(
    rawpy: Any,
    path: Path,
    pixel_limit: int,
    draft_side: int | None,
    on_size: Callable[[int], None],
) -> Image.Image:
    with rawpy.imread(str(path)) as raw:
        width, height = raw.sizes.width, raw.sizes.height
        check_pixels(path, width * height, pixel_limit)
        on_size(raw.sizes.raw_width * raw.sizes.raw_height)
        half = draft_side is not None and max(width, height) >= 2 * draft_side
        image = Image.fromarray(raw.postprocess(use_camera_wb=True, half_size=half))
    image.info["exif"] = _exif_of(path, with_orientation=False)  # it has been turned upright
    return image


def _preview(path: Path, pixel_limit: int) -> Image.Image | None:
    """Open the largest JPEG in a file that can be decoded; it lies as the file says."""
    with path.open("rb") as stream, _mapped(stream.fileno()) as content:
        for at in _embedded(content, pixel_limit):
            jpeg = content[at : at + _PREVIEW_BYTES]
            try:
                Image.open(io.BytesIO(jpeg), formats=["JPEG", "MPO"]).load()
                image = Image.open(io.BytesIO(jpeg), formats=["JPEG", "MPO"])
                if not image.getexif():
                    exif = _exif_of(path, with_orientation=True)
                    segment = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
                    image = Image.open(io.BytesIO(jpeg[:2] + segment + jpeg[2:]), formats=["JPEG"])
            except Exception:  # a broken one, or no JPEG at all: try the next smaller one
                continue
            return image
    return None


def _embedded(content: mmap.mmap, pixel_limit: int) -> list[int]:
    """List where JPEGs that can be read begin, the largest picture first."""
    found: list[tuple[int, int]] = []
    for at in _starts(content):
        frame = jpeg_frame(content, at)
        # a lossless one is what the sensor saw
        if frame is not None and frame.is_common and len(frame.components) in (1, 3):
            pixels = frame.size_wh[0] * frame.size_wh[1]
            if pixels <= pixel_limit:
                found.append((-pixels, at))
    return [at for _, at in sorted(found)]


def _starts(content: mmap.mmap) -> Iterator[int]:
    at = content.find(b"\xff\xd8\xff")
    for _ in range(_MOST_PREVIEWS):
        if at < 0:
            return
        yield at
        at = content.find(b"\xff\xd8\xff", at + 1)


@contextlib.contextmanager
def _mapped(number: int) -> Iterator[mmap.mmap]:
    size = min(os.fstat(number).st_size, _SEARCHED_BYTES)
    with mmap.mmap(number, size, access=mmap.ACCESS_READ) as content:
        yield content


def _exif_of(path: Path, with_orientation: bool) -> bytes:
    """Copy what a raw file says of when it was taken and, if wanted, how the camera was held."""
    copy = Image.Exif()
    with path.open("rb") as stream:
        head = stream.read(_EXIF_BYTES)
    tiff = _TIFF_HEADS.get(head[:4])
    if tiff is not None:
        with contextlib.suppress(Exception):  # broken metadata does not matter to the picture
            exif = Image.Exif()
            exif.load(b"Exif\0\0" + tiff + head[4:])
            wanted = [ExifTags.Base.DateTime]
            wanted += [ExifTags.Base.Orientation] if with_orientation else []
            copy.update({tag: exif[tag] for tag in wanted if tag in exif})
            dates = exif.get_ifd(ExifTags.IFD.Exif)
            copy.get_ifd(ExifTags.IFD.Exif).update(
                {tag: dates[tag] for tag in _DATES if tag in dates}
            )
    return copy.tobytes()
