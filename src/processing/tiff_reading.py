"""TIFF: which of its pages is the picture, and the kinds of page that Pillow reads wrongly or not.

Pillow keeps those of eight bits or fewer. The others are read a strip or tile at a time, twice
where black and white have to be found first, so that the whole is in memory only once and in no
more bits than are shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from src.processing.grey_range import Declared, range_of, rounder
from src.processing.image_notes import page_indexes
from src.processing.samples import CHANNELS, SIXTEEN_BIT_PIXELS, Samples
from src.processing.tiff_directories import (
    NEW_SUBFILE,
    OLD_SUBFILE,
    SUB_DIRECTORIES,
    is_marked,
    is_small_copy,
)

# tifffile is imported where it is needed, and of its pages any attribute may be None by its types.
Page = Any
# A page marked as a preview lies among the first, or belongs to one of the first.
MOST_PAGES = 64
# Bytes read and decoded at once, where the file lets us choose.
BLOCK_BYTES = 8 << 20

MIN_IS_WHITE, RGB, PALETTE, MASK, SEPARATED, YCBCR, CIELAB, ICCLAB = 0, 2, 3, 4, 5, 6, 8, 9
# What a sensor saw, as it is or put together, and logarithms of light.
_NOT_SHOWN = frozenset((MASK, 32803, 34892, 32844, 32845))
_JPEG = frozenset((6, 7))
# None, those of fax machines, LZW, both of JPEG, both of Deflate, PackBits, ThunderScan.
_OF_PILLOW = frozenset((1, 2, 3, 4, 5, 8, 32771, 32773, 32809, 32946)) | _JPEG
_MIN_SAMPLE, _MAX_SAMPLE, _S_MIN, _S_MAX, _NO_DATA, _PROFILE = 280, 281, 340, 341, 42113, 34675


def is_tiff(path: Path) -> bool:
    """Return whether a file begins as a TIFF does."""
    with path.open("rb") as stream:
        return stream.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def pillow_reads(image: Image.Image) -> bool:
    """Return whether the picture is a TIFF's first page, and one that Pillow reads right.

    That is certain of one page only: of several, the picture has to be found.
    """
    tags = image.tag_v2  # type: ignore[attr-defined]
    alone = not tags.next and not {NEW_SUBFILE, OLD_SUBFILE, SUB_DIRECTORIES} & tags.keys()
    return alone and is_plain(image)


def is_plain(image: Image.Image) -> bool:
    """Return whether the page of a TIFF that Pillow has opened is one that it reads right."""
    tags = image.tag_v2  # type: ignore[attr-defined]
    return _is_plain(
        bits=tags.get(258, (1,)),
        formats=tags.get(339, (1,)),
        photometric=tags.get(262, 0),
        compression=tags.get(259, 1),
        planes=tags.get(284, 1),
    )


def _is_plain(
    bits: tuple[int, ...], formats: tuple[int, ...], photometric: int, compression: int, planes: int
) -> bool:
    eight = max(bits) <= 8 and set(formats) <= {1, 4} and planes == 1
    if photometric == YCBCR:
        return eight and compression in _JPEG
    return eight and photometric <= SEPARATED and compression in _OF_PILLOW


class TiffPicture:
    """The page of a TIFF that is the picture.

    Attributes:
        size_wh: in pixels, as it is stored.
        index: which page it is, from 0, or None: one inside another.
        pillow_reads: Pillow reads it right.
        orientation: EXIF's number of how it lies.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self.size_wh = (page.imagewidth, page.imagelength)
        self.index = page.index if len(page.treeindex) == 1 else None
        bits = page.bitspersample
        self.pillow_reads = self.index is not None and _is_plain(
            bits=bits if isinstance(bits, tuple) else (bits,),
            formats=(int(page.sampleformat),),
            photometric=int(page.photometric),
            compression=int(page.compression),
            planes=int(page.planarconfig),
        )
        found = page.tags.valueof(274)
        self.orientation = found if isinstance(found, int) else 1

    def samples(self) -> Samples:
        """Decode it.

        Raises:
            ValueError, OSError: it is damaged, or of a kind that nothing here reads.
        """
        page = self._page
        if page.dtype is None:
            raise ValueError("its samples are of a kind that is not read here")
        if _is_thinned(page):
            return _of_libtiff(page, self.index)
        mode, alpha_at, premultiplied = _channels(page)
        count = CHANNELS[mode]
        kept = [*range(count), *([alpha_at] if alpha_at is not None else [])]
        profile = _profile_of(page)
        black, white = _range(page, mode, count, profile)
        alpha_most = _alpha_most(page, alpha_at, white)
        width, height = self.size_wh
        sixteen = profile is not None and page.dtype.itemsize > 1
        sixteen = sixteen and width * height <= SIXTEEN_BIT_PIXELS
        most = 65535 if sixteen else 255
        stored = np.zeros((height, width, len(kept)), np.uint16 if sixteen else np.uint8)
        kind = np.dtype(np.uint16) if int(page.photometric) == PALETTE else page.dtype
        of_colour = rounder(kind, black, white, most)
        of_alpha = rounder(kind, 0, alpha_most, most)
        for block, (plane, top, left) in _blocks(page):
            first = plane or 0
            for at, channel in enumerate(kept):
                if plane is not None and channel != plane:
                    continue
                values = block[..., channel - first]
                rows, columns = values.shape
                part = stored[top : top + rows, left : left + columns, at]
                rounded = of_alpha if channel == alpha_at else of_colour
                part[:] = rounded(values[: part.shape[0], : part.shape[1]])
        return Samples(
            size=self.size_wh,
            read=lambda box: stored[box[1] : box[3], box[0] : box[2]],
            mode=mode,
            black=0,
            white=most,
            alpha=None if alpha_at is None else most,
            premultiplied=premultiplied,
            profile=profile,
        )


def find_picture(file: Any) -> TiffPicture:
    """Find the page that is the picture, in a file that tifffile has opened.

    That is the first, unless it is marked as a preview, or is unmarked and a copy, at half the
    size or less, of another: then it is the largest that is not marked. Where all are marked, as
    around what a camera's sensor saw, it is the largest of them.

    Raises:
        ValueError: none of the pages is a picture.
    """
    shown = [page for page in _pages(file) if _is_shown(page)]
    if not shown:
        raise ValueError("no page of it is a picture")
    whole = [page for page in shown if not is_marked(page.subfiletype)]
    largest = max(whole or shown, key=lambda page: page.imagewidth * page.imagelength)
    first = whole[0] if whole else largest
    begins_with_preview = first.treeindex != (0,)
    first_wh, largest_wh = ((p.imagewidth, p.imagelength) for p in (first, largest))
    is_copy = is_small_copy(first_wh, largest_wh)
    return TiffPicture(largest if begins_with_preview or is_copy else first)


def find_page(file: Any, index: int) -> TiffPicture:
    """Find a page by its index, from 0, in a file that tifffile has opened.

    Raises:
        ValueError: it is no picture.
    """
    page = file.pages[index]
    if not _is_shown(page):
        raise ValueError("the page is no picture")
    return TiffPicture(page)


def other_pages(path: Path) -> list[int]:
    """List the pages of a TIFF beside its picture, without previews and masks."""
    import tifffile

    with tifffile.TiffFile(path) as file:
        picture = find_picture(file)
    return [index for index in page_indexes(path) if index != picture.index]


def _pages(file: Any) -> Iterator[Page]:
    for page in islice(file.pages, MOST_PAGES):
        yield page
        if page.subifds:
            yield from islice(page.pages, MOST_PAGES)


def _is_shown(page: Page) -> bool:
    return (
        page.imagewidth > 0
        and page.imagelength > 0
        and not page.is_mask
        and int(page.photometric) not in _NOT_SHOWN
    )


def _is_thinned(page: Page) -> bool:
    """Return whether there are fewer samples of colour than of brightness, outside a JPEG."""
    found = page.tags.valueof(530, (2, 2))
    jpeg = int(page.compression) in _JPEG
    return int(page.photometric) == YCBCR and not jpeg and tuple(found) != (1, 1)


def _of_libtiff(page: Page, index: int | None) -> Samples:
    """Decode a page of thinned colours, which OpenCV leaves to libtiff as a whole."""
    import cv2

    if index is None:
        raise ValueError("its colours are stored in a way that is not read here")
    content = np.fromfile(page.parent.filehandle.path, np.uint8)
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    done, found = cv2.imdecodemulti(content, flags, range=(index, index + 1))
    if not done or not found:
        raise ValueError("its colours can't be decoded")
    pixels = found[0]
    return Samples(
        (page.imagewidth, page.imagelength),
        lambda box: pixels[box[1] : box[3], box[0] : box[2]],
        "RGB",
        black=0,
        white=255,
        profile=_profile_of(page),
    )


def _profile_of(page: Page) -> bytes | None:
    found = page.tags.valueof(_PROFILE)
    return found if isinstance(found, bytes) else None


def _channels(page: Page) -> tuple[str, int | None, bool]:
    """Return the mode, which channel is alpha if one is, and whether it is multiplied already."""
    photometric, samples = int(page.photometric), page.samplesperpixel
    if photometric == SEPARATED and samples >= 4:
        mode = "CMYK"
    elif photometric in (CIELAB, ICCLAB) and samples >= 3:
        mode = "LAB"
    elif photometric == YCBCR and samples >= 3 and int(page.compression) not in _JPEG:
        mode = "YCbCr"
    elif photometric == PALETTE or samples >= 3:
        mode = "RGB"
    else:
        mode = "L"
    count = 1 if photometric == PALETTE else CHANNELS[mode]
    extra = [int(kind) for kind in page.extrasamples]
    if 338 not in page.tags and mode == "RGB" and samples == 4:
        extra = [2]  # written by programs that leave the tag out
    found = next((at for at, kind in enumerate(extra) if kind in (1, 2)), None)
    if photometric == PALETTE or found is None or count + found >= samples:
        return mode, None, False
    return mode, count + found, extra[found] == 1


def _range(page: Page, mode: str, count: int, profile: bytes | None) -> tuple[float, float]:
    photometric = int(page.photometric)
    if photometric == PALETTE:
        return 0.0, 65535.0
    if mode not in ("L", "RGB"):
        return 0.0, _full(page)
    width, height = page.imagewidth, page.imagelength
    declared = _declared(page, profile)
    blocks = (block[..., :count] for block, (plane, _, _) in _blocks(page) if (plane or 0) < count)
    black, white = range_of(blocks, width * height * count, declared, colour=mode == "RGB")
    return (white, black) if photometric == MIN_IS_WHITE else (black, white)


def _alpha_most(page: Page, alpha_at: int | None, white: float) -> float:
    """Return the largest alpha: that of its type, unless the whole image uses less."""
    full = _full(page)
    if alpha_at is None or not 0 < white < full:
        return full
    used = max(
        (
            block[..., alpha_at - (plane or 0)].max()
            for block, (plane, _, _) in _blocks(page)
            if plane in (None, alpha_at)
        ),
        default=full,
    )
    return white if used <= white else full


def _declared(page: Page, profile: bytes | None) -> Declared:
    bits = page.bitspersample
    bits = max(bits) if isinstance(bits, tuple) else bits
    white = _number(page, _S_MAX)
    black = _number(page, _S_MIN)
    most = _number(page, _MAX_SAMPLE)
    if white is None and most is not None and most > 1 and _is_a_depth(most):
        white = most  # otherwise it is the largest value there happens to be
    return Declared(
        bits=bits if bits < 8 * page.dtype.itemsize else None,
        black=black,
        white=white,
        no_data=_number(page, _NO_DATA),
        full_scale=profile is not None,
    )


def _is_a_depth(most: float) -> bool:
    return most == int(most) and (int(most) & (int(most) + 1)) == 0


def _number(page: Page, tag: int) -> float | None:
    found: Any = page.tags.valueof(tag)
    if isinstance(found, (tuple, list)) and found:
        found = found[0]
    try:
        number = float(found.strip("\0 ") if isinstance(found, str) else found)
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None


def _full(page: Page) -> float:
    """Return the largest value that a sample can have; 1 for floats."""
    if page.dtype.kind == "b" or page.dtype.kind == "f":
        return 1.0
    bits = page.bitspersample
    bits = max(bits) if isinstance(bits, tuple) else bits
    return float(2 ** (bits - (page.dtype.kind == "i")) - 1)


def _blocks(
    page: Page,
) -> Iterator[tuple[np.ndarray, tuple[int | None, int, int]]]:
    """Decode a page a block at a time.

    Yields:
        (h, w, channels), and where it lies: its plane, or None: it has all of them; top; left.
    """
    separate = int(page.planarconfig) == 2 and page.samplesperpixel > 1
    photometric = int(page.photometric)
    stored = _rows(page) if page.is_contiguous else _segments(page)
    for found, (plane, top, left) in stored:
        block = found
        if photometric == PALETTE:
            colours = np.asarray(page.colormap).T
            block = colours[np.minimum(block[..., 0], len(colours) - 1)]
        elif photometric == CIELAB:
            block = _unsigned_lab(block, plane if separate else None)
        yield block, (plane if separate else None, top, left)


def _rows(page: Page) -> Iterator[tuple[np.ndarray, tuple[int, int, int]]]:
    """Read pixels that lie in the file as they are, some rows at a time."""
    planes, _, height, width, channels = page.shaped
    kind = page.dtype.newbyteorder(page.parent.byteorder)
    row_bytes = width * channels * kind.itemsize
    at_once = max(1, BLOCK_BYTES // row_bytes)
    stream = page.parent.filehandle
    for plane in range(planes):
        for top in range(0, height, at_once):
            rows = min(at_once, height - top)
            stream.seek(page.dataoffsets[0] + (plane * height + top) * row_bytes)
            content = stream.read(rows * row_bytes)
            if len(content) < rows * row_bytes:
                raise OSError("the file ends before its pixels do")
            block = np.frombuffer(content, kind).reshape(rows, width, channels)
            yield block, (plane, top, 0)


def _segments(page: Page) -> Iterator[tuple[np.ndarray, tuple[int, int, int]]]:
    """Decode strips or tiles one after another; one that is left out of the file is black."""
    for block, (plane, depth, top, left, _), _ in page.segments(
        maxworkers=1, buffersize=BLOCK_BYTES
    ):
        if block is not None and depth == 0:
            yield block[0], (plane, top, left)


def _unsigned_lab(block: np.ndarray, plane: int | None) -> np.ndarray:
    """Bring CIE L*a*b* of signed a and b to Pillow's, where they begin at the half."""
    kind = np.dtype(f"u{block.dtype.itemsize}")
    half = kind.type(1 << (8 * kind.itemsize - 1))
    unsigned = block.astype(block.dtype.newbyteorder("=")).view(kind)
    if plane is None:
        unsigned[..., 1:3] ^= half
    elif plane in (1, 2):
        unsigned ^= half
    return unsigned
