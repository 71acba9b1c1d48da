"""The child process that decodes images: `python -m src.processing.decoder_server`.

Pillow's decoders are C libraries that read what strangers wrote. Here a crash, a hang or a
hunger for memory costs one file: the parent kills this process and starts another. Requests
come on standard input, each a line of JSON; answers go to standard output, each a line of
JSON, followed by the pixels where it names a shape. The parent gone means standard input
closed: the child leaves at once.

Limits it sets itself: an alarm that ends it when the parent is no longer there to do so, and
on Linux no core files, no bytes written to any file, and as much address space as an image of
its header's size needs. macOS does not enforce the last, and Windows has none of the three;
there the time limit and the limit of pixels hold.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import UnidentifiedImageError

from src.errors import MediaReadError
from src.processing.image_decoding import MISSING_PACKAGES, decode, is_image

# The process itself with its libraries, and a small image.
START_BYTES = 1 << 30
# A small image may take more than its pixels: decoders keep planes of 32 bits, and copies.
BYTES_PER_PIXEL = 48
# A large one is held to what Pillow keeps of it and its strips, so that with the application
# itself an image at the default pixel limit stays under 2.5 GB.
LARGE_BYTES = 1280 << 20
BYTES_PER_LARGE_PIXEL = 5
# Of a larger image the parent is told before it is decoded, so that it waits longer.
SMALL_PIXELS = 16_000_000
SMALL_S = 30.0
S_PER_MEGAPIXEL = 1.0


def time_limit_s(pixels: int) -> float:
    """How long an image of so many pixels may take."""
    return SMALL_S + S_PER_MEGAPIXEL * max(0, pixels - SMALL_PIXELS) / 1e6


def main() -> None:
    # Answers keep the real standard output for themselves; what a library prints goes to stderr.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _limit_files()
    requests: queue.Queue[dict[str, Any]] = queue.Queue()

    def read() -> None:
        for line in sys.stdin.buffer:
            requests.put(json.loads(line))
        os._exit(0)  # whatever is being decoded is for nobody

    threading.Thread(target=read, daemon=True).start()
    while True:
        _answer(answers, requests.get())


def _answer(answers: IO[bytes], request: dict[str, Any]) -> None:
    _limit(0)
    path = Path(request["path"])
    strips: Iterable[np.ndarray] = ()
    try:
        if request["verb"] == "is_image":
            answer: dict[str, Any] = {"is_image": is_image(path), "missing": MISSING_PACKAGES}
        else:

            def on_size(count: int) -> None:
                _limit(count)
                if count > SMALL_PIXELS:
                    _write(answers, {"pixels": count})

            decoded = decode(path, request["pixel_limit"], request["draft_side"], on_size)
            width, height = decoded.size_wh
            first = next(decoded.strips)  # what can fail does so here
            strips = chain([first], decoded.strips)
            answer = {
                "shape": (height, width, 3),
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
    _write(answers, answer)
    for strip in strips:
        answers.write(strip.data.cast("B"))
    answers.flush()
    _limit(None)


def _write(answers: IO[bytes], answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.flush()


def _limit(pixels: int | None) -> None:
    """Limit time and memory for an image of so many pixels; None: no more time limit."""
    if sys.platform != "win32":
        # The parent's own limit comes first; this one ends a child that has lost its parent.
        signal.setitimer(signal.ITIMER_REAL, 0 if pixels is None else 2 * time_limit_s(pixels))
    if sys.platform == "linux" and pixels is not None:
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_AS)
        small = min(BYTES_PER_PIXEL * pixels, LARGE_BYTES)
        wanted = START_BYTES + max(small, BYTES_PER_LARGE_PIXEL * pixels)
        soft = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(resource.RLIMIT_AS, (soft, most))


def _limit_files() -> None:
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


if __name__ == "__main__":
    main()
