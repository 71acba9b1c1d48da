"""Draws docs/*.png anew from today's program: python -m tests.upkeep.pictures [FOLDER]

It runs the demo, then shows the demo's library in the real window, on a screen of its own (Debian
packages xvfb, openbox, xdotool). Beside the pictures it writes what the demo was made of, so that
a test can say when they show an old one. FOLDER is where they go, docs/ by default.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from src.cli.demo import QUERIES, SCENES, SIZE_WH, VIDEO_FRAMES, VIDEO_RATE, sample_scene
from src.config import APPLICATION_FOLDER, STARTER_FOLDER, LibraryPaths
from src.settings import Settings
from tests.e2e.desktop import STILL_LOOKS, Screen, Window, missing_packages, wait_until

DOCS = APPLICATION_FOLDER / "docs"
DEMO, SEARCH, DETAIL = "demo.png", "window-search.png", "window-detail.png"
DRAWN_FROM = "pictures.json"
SEARCHED, OPENED = "a yellow star", "a striped triangle"
ENTRY = "entry:What are you looking for?"
CORNER = 4, 796  # where the pointer rests on nothing
FRAME, STRIP = (320, 100, 880, 500), (264, 590, 700, 730)  # x0, y0, x1, y1 of what a hit shows
COLOURS = 500  # an empty panel has a few dozen


def drawn_from() -> dict[str, str]:
    """Say what the pictures depend on, in a form that is the same on every machine.

    Returns:
        What it is -> a digest of it.
    """
    asked = [QUERIES, SEARCHED, OPENED, SIZE_WH, VIDEO_FRAMES, VIDEO_RATE]
    weights = {path.name: path.read_bytes() for path in STARTER_FOLDER.iterdir()}
    return {
        "scenes": _digest(repr(shapes()).encode()),
        "searches": _digest(repr(asked).encode()),
        **{name: _digest(content) for name, content in sorted(weights.items())},
    }


@cache
def shapes() -> list[list[tuple[object, ...]]]:
    """Draw the demo's scenes and say of each shape its colour, shape, texture, tone, size, box."""
    return [
        [(s.colour, s.shape, s.texture, s.tone, s.size, s.bbox_xywh) for s in scene.shapes]
        for scene in map(sample_scene, range(SCENES))
    ]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def run_demo(root: Path) -> LibraryPaths:
    """Run the demo in a folder; returns its library, with the picture of its hits beside it."""
    command = [sys.executable, "main.py", "--library", str(root), "demo"]
    subprocess.run(command, cwd=APPLICATION_FOLDER, check=True, stdout=subprocess.DEVNULL)
    return LibraryPaths(LibraryPaths(root).datasets / "demo" / "library")


@contextlib.contextmanager
def _window(folder: Path, library: Path) -> Iterator[Window]:
    screen = Screen(folder)
    try:
        window = Window(screen, library)
        window.key("F11")
        window.wait("models", lambda state: state["models_ready"])
        yield window
        window.close()
    finally:
        screen.close()


def _search(window: Window, query: str) -> None:
    window.key("ctrl+f")
    x, y, width, height = window.wait_still("the entry", lambda s: s["buttons"].get(ENTRY))
    window.screen.do("mousemove", x + width // 2, y + height // 2, "click", 1)
    window.key("ctrl+a")
    window.type(query)
    window.key("Return")
    window.wait_still(query, lambda s: s["cards"] if s["searched"] == query else [])
    window.screen.do("mousemove", *CORNER)
    window.wait_pictures()


def _wait_for_frame(window: Window) -> None:
    """Wait until the frame and the strip of its segments are drawn, and nothing moves any more."""
    seen: list[bytes] = []

    def drawn() -> bool:
        picture = window.screen.picture()
        seen.append(picture.tobytes())
        parts = [picture.crop(box).getcolors(1 << 20) or () for box in (FRAME, STRIP)]
        still = len(seen) >= STILL_LOOKS and len(set(seen[-STILL_LOOKS:])) == 1
        return still and all(len(colours) > COLOURS for colours in parts)

    wait_until("the frame", drawn)


def draw(folder: Path) -> None:
    """Draw all pictures into a folder, and write what they were drawn from.

    Raises:
        SystemExit: the window can't be driven here.
    """
    if missing := missing_packages():
        raise SystemExit(f"the window can't be driven here; apt install {' '.join(missing)}")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pictures-") as name:
        library = run_demo(Path(name) / "library")
        shutil.copy(library.root.parent / "hits.png", folder / DEMO)
        Settings().save(library.settings)
        with _window(Path(name), library.root) as window:
            _search(window, SEARCHED)
            window.screen.picture().save(folder / SEARCH)
            _search(window, OPENED)
            best = window.state()["cards"][0]
            window.click_at(best["box"])
            window.wait("the hit", lambda s: s["segment"] == best["key"])
            window.screen.do("mousemove", *CORNER)
            window.wait_text("Find similar", best["name"])
            _wait_for_frame(window)
            window.screen.picture().save(folder / DETAIL)
    content = json.dumps(drawn_from(), indent=2) + "\n"
    (folder / DRAWN_FROM).write_text(content, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the pictures of docs/ anew.")
    parser.add_argument("folder", nargs="?", type=Path, default=DOCS)
    folder: Path = parser.parse_args().folder
    draw(folder)
    print(f"{folder}: {DEMO}, {SEARCH}, {DETAIL} and {DRAWN_FROM}; look at them")


if __name__ == "__main__":
    main()
