"""A video whose frames can be told apart, and how to read a clip of it."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from src.processing.ffmpeg_process import find_ffmpeg

WH = (96, 64)
RATE = 25
# It is silent before that.
TONE_FROM_S = 1.0


def grey_of(frame: int) -> int:
    """The grey that a frame has all over."""
    return 20 + 4 * (frame % 50)


def make_video(path: Path, frames: int = 50, sound: bool = True, *options: str) -> Path:
    """Write a video in which each frame is a little lighter than the one before."""
    path.write_bytes(_drawn(path.suffix, frames, sound, options))
    return path


@cache
def _drawn(suffix: str, frames: int, sound: bool, options: tuple[str, ...]) -> bytes:
    made = np.empty((frames, WH[1], WH[0], 3), np.uint8)
    made[:] = np.array([grey_of(each) for each in range(frames)])[:, None, None, None]
    length_s = frames / RATE
    command = [_ffmpeg(), "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", f"{WH[0]}x{WH[1]}", "-r", str(RATE), "-i", "pipe:0"]
    if sound:
        tone = f"sin(2*PI*440*t)*gt(t,{TONE_FROM_S})"
        command += ["-f", "lavfi", "-i", f"aevalsrc='{tone}':s=48000:d={length_s}"]
    command += ["-pix_fmt", "yuv420p", "-crf", "1", "-g", "12", "-metadata", "title=A secret"]
    command += ["-threads", "1"]  # the same file on any machine
    with TemporaryDirectory() as folder:
        file = Path(folder) / f"drawn{suffix}"
        subprocess.run(
            [*command, *options, f"file:{file}"], input=made.tobytes(), check=True, timeout=60
        )
        return file.read_bytes()


def frames_of(path: Path, size_wh: tuple[int, int] = WH) -> np.ndarray:
    """Read all frames of a clip: (N, H, W, 3) uint8 RGB."""
    command = [_ffmpeg(), "-v", "error", "-i", f"file:{path}", "-f", "rawvideo"]
    command += ["-fps_mode", "passthrough", "-pix_fmt", "rgb24", "pipe:1"]
    ran = subprocess.run(command, check=True, capture_output=True, timeout=60)
    return np.frombuffer(ran.stdout, np.uint8).reshape(-1, size_wh[1], size_wh[0], 3)


def sound_of(path: Path) -> np.ndarray:
    """Read the sound of a clip at 48 kHz: (N,) float32; none where it has none."""
    command = [_ffmpeg(), "-v", "error", "-i", f"file:{path}", "-map", "0:a:0?", "-ac", "1"]
    command += ["-ar", "48000", "-f", "f32le", "pipe:1"]
    ran = subprocess.run(command, capture_output=True, timeout=60)
    return np.frombuffer(ran.stdout, np.float32)


def described(path: Path) -> str:
    """What ffmpeg says of a file."""
    command = [_ffmpeg(), "-hide_banner", "-i", f"file:{path}"]
    return subprocess.run(command, capture_output=True, timeout=60, text=True).stderr


def _ffmpeg() -> str:
    program = find_ffmpeg()
    assert program is not None
    return program
