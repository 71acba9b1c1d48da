"""What there is to know of an image of which one frame or page is shown."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from src.processing.tiff_directories import (
    HEIGHT,
    MOST_DIRECTORIES,
    NEW_SUBFILE,
    OLD_SUBFILE,
    WIDTH,
    Directory,
    directories,
)

_ANIMATED = frozenset(("GIF", "PNG", "WEBP", "AVIF"))
# By the TIFF specification: a preview of another page, a mask for one.
_REDUCED_OR_MASK, _OLD_REDUCED = 1 | 4, 2
# A preview that is not marked as one has its picture's proportion, but for rounding.
_SAME_SHAPE = 0.03


def note_of_frames(path: Path, image: Image.Image) -> str | None:
    """Say how many frames or pages a file has besides the one shown; None when there is one.

    Args:
        image: opened by Pillow, and not decoded yet.
    """
    if image.format == "TIFF":
        return note_of_pages(path)
    try:
        count = int(getattr(image, "n_frames", 1))
    except Exception:  # what is damaged behind the first frame does not matter to it
        return None
    if count > 1 and image.format in _ANIMATED:
        return f"an animation: the first of {count:,} frames"
    if count > 1 and image.format == "HEIF":
        return f"one of {count:,} pictures in the file"
    return None


def note_of_pages(path: Path) -> str | None:
    """Say how many pages a TIFF has; None when there is one."""
    pages = len(page_indexes(path))
    if pages >= MOST_DIRECTORIES:
        return f"the first of {pages:,} pages or more"
    return f"the first of {pages:,} pages" if pages > 1 else None


def page_indexes(path: Path) -> list[int]:
    """List a TIFF's pages from 0, without previews and masks of other pages."""
    with path.open("rb") as stream:
        pages = {
            index: page for index, page in enumerate(directories(stream)) if not _is_marked(page)
        }
    largest = max(pages.values(), key=_longest_side, default=Directory())
    return [index for index, page in pages.items() if not _is_preview(page, largest)]


def _is_marked(page: Directory) -> bool:
    new, old = page.get(NEW_SUBFILE, (0,)), page.get(OLD_SUBFILE, (0,))
    return bool(new and new[0] & _REDUCED_OR_MASK) or old[:1] == (_OLD_REDUCED,)


def _is_preview(page: Directory, largest: Directory) -> bool:
    width, height = _side(page, WIDTH), _side(page, HEIGHT)
    full_width, full_height = _side(largest, WIDTH), _side(largest, HEIGHT)
    has_its_shape = abs(width * full_height / (height * full_width) - 1) <= _SAME_SHAPE
    return has_its_shape and 2 * width <= full_width


def _longest_side(page: Directory) -> int:
    return max(_side(page, WIDTH), _side(page, HEIGHT))


def _side(page: Directory, tag: int) -> int:
    return max(1, (*page.get(tag, ()), 1)[0])
