"""A video that several tests draw is drawn once in a run."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from src.processing.ffmpeg_process import find_ffmpeg

# Each second is then the same picture in every such video, on every machine and with every version
# of the encoder: what SAM cuts of it is cut once in a run.
LOSSLESS = ("-c:v", "libx264", "-qp", "0")


def draw_video(path: Path, seconds: float, *options: str) -> Path:
    """Make a video with ffmpeg's own test pictures, which differ from second to second.

    One thread encodes it: with more, the file depends on how many cores there are.
    """
    program = find_ffmpeg()
    assert program is not None
    source = f"testsrc2=size=160x120:rate=10:duration={seconds}"
    command = [program, "-v", "error", "-y", "-f", "lavfi", "-i", source, "-threads", "1", *options]
    subprocess.run([*command, f"file:{path}"], check=True, timeout=60)
    return path


def copy_of_drawn(drawn: Path, path: Path, seconds: float, *options: str) -> Path:
    """Do as draw_video, and keep the file for who asks for the same one next.

    Args:
        drawn: the folder of the files kept; other processes use it at the same time.
    """
    asked = repr((path.suffix, float(seconds), options)).encode()
    kept = drawn / f"{hashlib.sha256(asked).hexdigest()[:24]}{path.suffix}"
    if not kept.exists():
        part = kept.with_name(f"{os.getpid()}-{kept.name}")
        os.replace(draw_video(part, seconds, *options), kept)
    shutil.copyfile(kept, path)  # a test may change its own
    return path
