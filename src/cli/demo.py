"""`main.py demo`: scenes drawn, added and found again, with nothing but what is bundled."""

from __future__ import annotations

import io
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from src.cli.contact_sheet import contact_sheet
from src.cli.report import ProgressLine, note, print_hits
from src.config import NO_CONSOLE, LibraryPaths
from src.errors import DatabaseError
from src.library import MediaLibrary
from src.processing.ffmpeg_process import find_ffmpeg
from src.records import SearchHit
from src.starter.scenes import Scene, draw_scene

SCENES = 12
SIZE_WH = (640, 480)
VIDEO_RATE, VIDEO_FRAMES = 10, 60
QUERIES = (
    "a yellow star",
    "a dotted blue star",
    "a photo of a green cross",
    "something purple",
    "a striped heart",
)


def draw_samples(paths: LibraryPaths, folder: Path, count: int = SCENES) -> list[Path]:
    """Draw sample scenes as PNG files, and a video; those that are there already stay.

    Args:
        folder: where to, inside the library's own folder.

    Raises:
        DatabaseError: they can't be written there.
    """
    samples = [folder / f"scene {number:02}.png" for number in range(1, count + 1)]
    try:
        for seed, path in enumerate(samples):
            if paths.files.entry(paths.name(path)) is None:
                paths.files.write(paths.name(path), _drawn_scene(seed))
        video = folder / "walk.mp4"
        if paths.files.entry(paths.name(video)) is None:
            film = _drawn_video()
            if film is None:
                return samples  # they are enough to try the program
            paths.files.write(paths.name(video), film)
    except OSError as exc:
        raise DatabaseError(
            f"{folder}: the samples can't be written ({exc.strerror or exc}); see that the disk "
            "has room and can be written to"
        ) from exc
    return [*samples, video]


def sample_scene(seed: int) -> Scene:
    """Draw one of the sample scenes."""
    return draw_scene(np.random.default_rng([2026, seed]), SIZE_WH, count=7, calm=True)


def _drawn_scene(seed: int) -> bytes:
    content = io.BytesIO()
    Image.fromarray(sample_scene(seed).image_rgb).save(content, "PNG")
    return content.getvalue()


def _drawn_video() -> bytes | None:
    """Walk past a wide scene; None where there is no ffmpeg to make a film of it."""
    program = find_ffmpeg()
    if program is None:
        return None
    width, height = SIZE_WH
    scene = draw_scene(np.random.default_rng([2026, 99]), (3 * width, height), count=14, calm=True)
    frames = [
        np.ascontiguousarray(scene.image_rgb[:, left : left + width])
        for left in np.linspace(0, 2 * width, VIDEO_FRAMES).astype(int)
    ]
    command = [program, "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", f"{width}x{height}", "-r", str(VIDEO_RATE), "-i", "pipe:0"]
    command += ["-c:v", "mpeg4", "-q:v", "3", "-pix_fmt", "yuv420p"]
    with tempfile.TemporaryDirectory(prefix="samples-") as folder:
        film = Path(folder) / "walk.mp4"
        try:
            subprocess.run(
                [*command, f"file:{film}"],
                input=b"".join(frame.tobytes() for frame in frames),
                check=True,
                capture_output=True,
                creationflags=NO_CONSOLE,
            )
            return film.read_bytes()
        except (OSError, subprocess.CalledProcessError):
            return None


def run_demo(paths: LibraryPaths, open_library: Callable[[Path], MediaLibrary]) -> None:
    """Draw, ingest and search in a library of its own in `datasets`, and write hits.png."""
    folder = paths.datasets / "demo"
    paths.create()
    try:
        paths.files.make_folder(paths.name(folder / "library"))  # and no link to one elsewhere
    except OSError as exc:
        raise DatabaseError(
            f"{folder}: the demo can't be kept here ({exc.strerror or exc}); move it elsewhere"
        ) from exc
    note(f"drawing {SCENES} sample scenes in {folder / 'scenes'}")
    samples = draw_samples(paths, folder / "scenes")
    with open_library(folder / "library") as library:
        progress = ProgressLine()
        for event in library.add(samples):
            progress.show(event)
        progress.close()
        rows: list[tuple[str, tuple[SearchHit, ...]]] = []
        for query in QUERIES:
            result = library.search(query, n_results=6)
            print(f"\n{query}")
            print_hits(result.hits)
            rows.append((query, result.hits))
        sample = samples[0]
        result = library.search(image=sample, n_results=6)
        print(f"\nlike {sample.name}")
        print_hits(result.hits)
        rows.append((f"like {sample.name}", result.hits))
        sheet = folder / "hits.png"
        paths.files.write(paths.name(sheet), contact_sheet(rows, library.browse.read_image))
    print(f"\nThe hits as a picture: {sheet}")
