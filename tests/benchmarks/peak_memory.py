"""The most memory one image costs: python -m tests.benchmarks.peak_memory [--side N] [--mode M]

Draws an image of N x N pixels, takes it in with the command line and SAM, and prints the peak of
what this process and all its children hold together (each shared page counted once), and what the
two largest of them held at that moment. Linux only.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from src.config import APPLICATION_FOLDER

LOOK_EVERY_S = 0.03


def tree(pid: int) -> list[int]:
    """List a process and all below it."""
    found = [pid]
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += tree(int(child))
    except (FileNotFoundError, ProcessLookupError):
        pass  # it has ended
    return found


def held_mb(pid: int) -> float:
    """Give a process's proportional set size."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0.0
    found = re.search(r"^Pss: +(\d+)", text, re.M)
    return int(found[1]) / 1024 if found else 0.0


def peak_of(command: list[str]) -> tuple[float, list[float], str, float]:
    """Run a command.

    Returns:
        The peak in MB, what each process held then, most first, what it printed, and seconds.
    """
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        child = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        peak, parts = 0.0, list[float]()
        while child.poll() is None:
            now = [held_mb(pid) for pid in tree(child.pid)]
            if sum(now) > peak:
                peak, parts = sum(now), sorted(now, reverse=True)
            time.sleep(LOOK_EVERY_S)
        output.seek(0)
        return peak, parts, output.read(), time.monotonic() - began


def draw(path: Path, side: int, mode: str) -> None:
    """Draw large coarse shapes, of which SAM finds some."""
    random = np.random.default_rng(3)
    cells = random.integers(0, 255, (6, 6, 3), np.uint8)
    image = Image.fromarray(cells).resize((side, side), Image.Resampling.NEAREST)
    if mode == "I;16":
        grey = np.asarray(image.convert("L")).astype(np.uint16) * 257
        Image.fromarray(grey).save(path, compress_level=1)
        return
    image.convert(mode).save(path, compress_level=1)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the peak of memory of one image.")
    parser.add_argument("--side", type=int, default=15_800)
    parser.add_argument("--mode", default="RGB")
    parser.add_argument("--suffix", default=".png")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="peak-") as name:
        path = Path(name) / f"large{arguments.suffix}"
        draw(path, arguments.side, arguments.mode)
        library = str(Path(name) / "library")
        main_py = str(APPLICATION_FOLDER / "main.py")
        command = [sys.executable, main_py, "--library", library, "ingest", str(path)]
        peak, parts, said, seconds = peak_of(command)
        print(said.strip())
        shares = " + ".join(f"{part:.0f}" for part in parts[:4])
        print(f"peak {peak:.0f} MB ({shares}), {seconds:.0f} s")


if __name__ == "__main__":
    main()
