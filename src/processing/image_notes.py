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
    is_marked,
    is_small_copy,
)

_ANIMATED = frozenset(("GIF", "PNG", "WEBP", "AVIF"))


def note_of_frames(path: Path, image: Image.Image) -> str | None:
    """Write how many frames or pages a file has besides the one shown; None when there is one.

    Args:
        image: opened by Pillow, and not decoded yet.
    """
    if image.format == "TIFF":
        return note_of_pages(path)
    try:
        count = int(getattr(image, "n_frames", 1))
    except Exception:  # damage after the first frame does not matter to it
        return None
    if count > 1 and image.format in _ANIMATED:
        return f"an animation: the first of {count:,} frames"
    if count > 1 and image.format == "HEIF":
        return f"one of {count:,} pictures in the file"
    return None


def note_of_pages(path: Path) -> str | None:
    """Write how many pages a TIFF has; None when there is one."""
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
    full_wh = _size_wh(largest)
    return [i for i, page in pages.items() if not is_small_copy(_size_wh(page), full_wh)]


def _is_marked(page: Directory) -> bool:
    return is_marked(_value(page, NEW_SUBFILE), _value(page, OLD_SUBFILE))


def _size_wh(page: Directory) -> tuple[int, int]:
    return max(1, _value(page, WIDTH)), max(1, _value(page, HEIGHT))


def _longest_side(page: Directory) -> int:
    return max(_size_wh(page))


def _value(page: Directory, tag: int) -> int:
    return (*page.get(tag, ()), 0)[0]
