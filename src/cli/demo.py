"""`main.py demo`: scenes drawn, taken in and found again, with nothing but what is bundled."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from src.cli.contact_sheet import write_contact_sheet
from src.cli.report import ProgressLine, note, print_hits
from src.config import NO_CONSOLE
from src.library import MediaLibrary
from src.models.starter.scenes import draw_scene
from src.processing.video_processor import find_ffmpeg
from src.records import SearchHit

SCENES = 12
SIZE_WH = (640, 480)
VIDEO_RATE, VIDEO_FRAMES = 10, 60
QUERIES = (
    "a yellow star",
    "a dotted blue star",
    "a photo of a green ring",
    "something purple",
    "a striped heart",
)


def draw_samples(folder: Path, count: int = SCENES) -> list[Path]:
    """Draw sample scenes as PNG files, and a video; those that are there already stay."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"scene {number:02}.png" for number in range(1, count + 1)]
    for seed, path in enumerate(paths):
        if not path.exists():
            scene = draw_scene(np.random.default_rng([2026, seed]), SIZE_WH, count=7, calm=True)
            Image.fromarray(scene.image_rgb).save(path)
    video = folder / "walk.mp4"
    if video.exists() or _draw_video(video):
        paths.append(video)
    return paths


def _draw_video(path: Path) -> bool:
    """Walk past a wide scene; says whether there was an ffmpeg to do it."""
    program = find_ffmpeg()
    if program is None:
        return False
    width, height = SIZE_WH
    scene = draw_scene(np.random.default_rng([2026, 99]), (3 * width, height), count=14, calm=True)
    frames = [
        np.ascontiguousarray(scene.image_rgb[:, left : left + width])
        for left in np.linspace(0, 2 * width, VIDEO_FRAMES).astype(int)
    ]
    part = path.with_suffix(".part.mp4")
    command = [program, "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", f"{width}x{height}", "-r", str(VIDEO_RATE), "-i", "pipe:0"]
    command += ["-c:v", "mpeg4", "-q:v", "3", "-pix_fmt", "yuv420p", f"file:{part}"]
    try:
        subprocess.run(
            command,
            input=b"".join(frame.tobytes() for frame in frames),
            check=True,
            capture_output=True,
            creationflags=NO_CONSOLE,
        )
    except (OSError, subprocess.CalledProcessError):
        part.unlink(missing_ok=True)
        return False  # a sample less; the drawn scenes are enough to try the program
    os.replace(part, path)
    return True


def run_demo(folder: Path, open_library: Callable[[Path], MediaLibrary]) -> None:
    """Draw, ingest and search in a library of its own under `folder`, and write hits.png."""
    note(f"drawing {SCENES} sample scenes in {folder / 'scenes'}")
    samples = draw_samples(folder / "scenes")
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
        write_contact_sheet(rows, sheet, library.read_image)
    print(f"\nThe hits as a picture: {sheet}")
