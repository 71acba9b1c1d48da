"""Small pictures for the window, cached on disk."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

import cv2
import numpy as np

from src.config import LibraryPaths
from src.errors import MediaReadError
from src.processing.image_loader import load_image, save_jpeg

# Twice the largest card at 150 %; more would only be shrunk again.
SIDE = 512
# A smaller file is read as fast as its thumbnail would be: nearly all crops are.
CACHE_FROM_BYTES = 200_000


def thumbnail(source: Path, paths: LibraryPaths, pixel_limit: int) -> np.ndarray:
    """Return an image file at thumbnail size, from the cache where it is there.

    Args:
        source: any image the application reads.
        paths: the library that keeps the cache, which can be deleted at any time.

    Returns:
        (h, w, 3) uint8 RGB, the longest side at most 512.

    Raises:
        MediaReadError: the image can't be read.
    """
    try:
        stat = source.stat()
    except OSError as exc:
        raise MediaReadError(source, f"can't be read ({exc.strerror or exc})") from exc
    key = f"{source}|{stat.st_size}|{stat.st_mtime_ns}".encode("utf-8", "surrogateescape")
    name = hashlib.blake2b(key, digest_size=12).hexdigest()
    cached = paths.thumbnails / name[:2] / f"{name}.jpg"
    worth_it = stat.st_size >= CACHE_FROM_BYTES
    if worth_it and cached.is_file():
        with contextlib.suppress(MediaReadError):  # a damaged one is made again
            return load_image(cached, SIDE * SIDE).frame.image_rgb
    image = load_image(source, pixel_limit, draft_side=SIDE).frame.image_rgb
    height, width = image.shape[:2]
    scale = SIDE / max(height, width)
    if scale < 1:
        size_wh = max(1, round(width * scale)), max(1, round(height * scale))
        image = cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA)
    if worth_it:
        with contextlib.suppress(OSError):  # a full disk costs the next start some time, no more
            content = save_jpeg(image, quality=85)
            paths.files.write(paths.name(cached), content, lasting=False)
    return image
