"""The child process that decodes images: `python -m src.processing.decoder_server`.

Pillow's decoders are C libraries that read what strangers wrote. Here a crash, a hang or a
hunger for memory costs one file: the parent kills this process and starts another. Requests
come on standard input, and answers go to standard output (see src/child_processes.py), with the
pixels where they name a shape. The parent gone means standard input
closed: the child leaves at once.

Limits it sets itself: an alarm that ends it when the parent is no longer there to do so, and
on Linux no core files, no bytes written to any file, and as much address space as an image of
its header's size needs. macOS does not enforce the last, and Windows has none of the three;
there the time limit and the limit of pixels hold.
"""

from __future__ import annotations

import math
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterable
from io import BufferedReader
from itertools import chain
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import UnidentifiedImageError

from src.child_processes import (
    answers_of_this_process,
    forbid_files,
    limit_memory,
    read_message,
    write_in_parts,
    write_message,
)
from src.errors import MediaReadError
from src.processing.image_decoding import MISSING_PACKAGES, decode, pixels_of_image
from src.processing.tiff_reading import is_tiff, other_pages

# The process itself with its libraries, and a small image.
START_BYTES = 1 << 30
# A small image may take more than its pixels: decoders keep planes of 32 bits, and copies.
BYTES_PER_PIXEL = 48
# A large one is held to what Pillow keeps of it and its strips, so that with the application
# itself an image at the default pixel limit stays under 2.5 GB.
LARGE_BYTES = 1280 << 20
BYTES_PER_LARGE_PIXEL = 5
# A larger image is announced to the parent before it is decoded, so that it waits longer.
SMALL_PIXELS = 16_000_000
SMALL_S = 30.0
S_PER_MEGAPIXEL = 1.0


def time_limit_s(pixels: int) -> float:
    """Return how long an image of so many pixels may take."""
    return SMALL_S + S_PER_MEGAPIXEL * max(0, pixels - SMALL_PIXELS) / 1e6


def main() -> None:
    answers = answers_of_this_process()
    forbid_files()
    requests: queue.Queue[dict[str, Any]] = queue.Queue()

    def read() -> None:
        assert isinstance(sys.stdin.buffer, BufferedReader)
        while (message := read_message(sys.stdin.buffer)) is not None:
            requests.put(message[0])
        os._exit(0)  # nothing waits for what is being decoded

    threading.Thread(target=read, daemon=True).start()
    while True:
        _answer(answers, requests.get())


def _answer(answers: IO[bytes], request: dict[str, Any]) -> None:
    _limit(0)
    path = Path(request["path"])
    strips: Iterable[np.ndarray] = ()
    try:
        if request["verb"] == "is_image":
            pixels = pixels_of_image(path)
            answer: dict[str, Any] = {
                "is_image": pixels is not None,
                "of_pixels": pixels,
                "missing": MISSING_PACKAGES,
            }
        elif request["verb"] == "pages":
            answer = {"pages": other_pages(path) if is_tiff(path) else []}
        else:

            def on_size(count: int) -> None:
                _limit(count)
                if count > SMALL_PIXELS:
                    write_message(answers, {"pixels": count})

            decoded = decode(
                path,
                request["pixel_limit"],
                request["draft_side"],
                on_size,
                request["page"],
                request.get("is_new", False),
            )
            width, height = decoded.size_wh
            first = next(decoded.strips)  # errors are raised here
            strips = chain([first], decoded.strips)
            answer = {
                "shape": (height, width, 3),
                "full_wh": decoded.full_wh,
                "captured_at": decoded.captured_at,
                "note": decoded.note,
                "camera": decoded.camera,
            }
    except MediaReadError as exc:
        answer = {"reason": exc.reason}
    except UnidentifiedImageError:
        answer = {"unidentified": True, "missing": MISSING_PACKAGES}
    except MemoryError:
        answer = {"reason": "decoding it takes more memory than an image of its size may need"}
    except Exception as exc:  # Pillow's plugins raise whatever a wrong byte leads them to
        said = " ".join(str(exc).split())[:120] or type(exc).__name__
        answer = {"reason": f"damaged or incomplete file ({said})"}
    size = math.prod(answer.get("shape", (0,)))
    write_in_parts(answers, answer, size, (strip.data.cast("B") for strip in strips))
    _limit(None)


def _limit(pixels: int | None) -> None:
    """Limit time and memory for an image of so many pixels; None: no more time limit."""
    if sys.platform != "win32":
        # The parent's own limit comes first; this one ends a child that has lost its parent.
        signal.setitimer(signal.ITIMER_REAL, 0 if pixels is None else 2 * time_limit_s(pixels))
    if pixels is not None:
        small = min(BYTES_PER_PIXEL * pixels, LARGE_BYTES)
        limit_memory(START_BYTES + max(small, BYTES_PER_LARGE_PIXEL * pixels))


if __name__ == "__main__":
    main()
