"""Where ffmpeg is, and how it is started: with limits, and killed with its parent process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

import imageio_ffmpeg

from src.child_processes import forbid_files, limit_memory
from src.config import APPLICATION_FOLDER, NO_CONSOLE

# ffmpeg opens nothing but the file named, and reads it as a container of video only: a playlist
# that calls itself .mp4 must not send it elsewhere.
PROTOCOLS = "file,pipe"
DEMUXERS = (
    "mov,matroska,avi,mpeg,mpegts,mpegvideo,asf,flv,ogg,mxf,dv,rm,wtv,dhav,nut,ivf,yuv4mpegpipe"
    ",h264,hevc,vvc,av1,obu,vc1,m4v"
)
OPENCV_OPTIONS = f"protocol_whitelist;{PROTOCOLS}|format_whitelist;{DEMUXERS}"
# 12K is 80 million; an 8K film with its frames in flight takes 2 GiB.
MAX_PIXELS = 100_000_000
MEMORY_BYTES = 6 << 30


@cache
def find_ffmpeg() -> str | None:
    """Find an ffmpeg that can do the work: on PATH first, else the one in imageio-ffmpeg."""
    return next((program for program in _candidates() if _works(program)), None)


@cache
def find_encoder(codecs: Sequence[str]) -> tuple[str, str] | None:
    """Find an ffmpeg that can write video, and with which codec.

    Args:
        codecs: ffmpeg's names of them, the best first; a tuple.
    """
    programs = [program for program in _candidates() if _works(program)]
    return next(
        (
            (program, codec)
            for codec in codecs
            for program in programs
            if _knows(program, "encoder", codec)
        ),
        None,
    )


def _candidates() -> list[str]:
    found = [shutil.which("ffmpeg")]
    try:
        found.append(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError:
        pass  # no binary for this platform in the wheel
    return [program for program in found if program is not None]


@cache
def version_of(program: str) -> str:
    """Return what an ffmpeg says of its version, or nothing."""
    try:
        said = _run([program, "-version"]).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.split(b"\n", 1)[0].decode("utf-8", "replace").strip()


@cache
def has_decoder(program: str, name: str) -> bool:
    """Return whether an ffmpeg was built with a decoder."""
    return _knows(program, "decoder", name)


def _knows(program: str, kind: str, name: str) -> bool:
    try:
        ran = _run([program, "-v", "error", "-h", f"{kind}={name}"])
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ran.stdout.startswith(f"{kind.capitalize()} ".encode())


def opened(program: str, path: Path, *options: str) -> list[str]:
    """Return the start of a command: an ffmpeg with a file opened, and what it may open.

    Args:
        path: absolute.
        options: of ffmpeg, for this input.
    """
    return [
        program, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+info",
        "-protocol_whitelist", PROTOCOLS, "-format_whitelist", DEMUXERS,
        "-max_pixels", str(MAX_PIXELS), *options, "-i", f"file:{path}",
    ]  # fmt: skip


def start(command: list[str]) -> subprocess.Popen[bytes]:
    """Start ffmpeg, or its replacement; its output and its log are pipes."""
    process = subprocess.Popen(
        [*ends_with_us(), *command],
        cwd=APPLICATION_FOLDER,
        env={**os.environ, "OPENCV_FFMPEG_CAPTURE_OPTIONS": OPENCV_OPTIONS},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        creationflags=NO_CONSOLE,
    )
    _limit(process)
    return process


def _run(command: list[str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=30,
        creationflags=NO_CONSOLE,
    )


def _works(program: str) -> bool:
    """Try it on nothing: one before 5.1 starts, but does not know -fps_mode."""
    command = [program, "-v", "error", "-f", "lavfi", "-i", "nullsrc=duration=0.1"]
    command += ["-fps_mode", "passthrough", "-f", "null", "-"]
    try:
        return _run(command).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@cache
def ends_with_us() -> tuple[str, ...]:
    """Return the start of a command that Linux kills when the thread that runs it is gone.

    It ends an ffmpeg that hangs after the application was killed; one that does not hang ends
    anyway, when its frames are not read. Empty where there is no such program.
    """
    program = shutil.which("setpriv") if sys.platform == "linux" else None
    if program is None:
        return ()
    start = (program, "--pdeathsig", "KILL", "--")
    try:
        tried = subprocess.run([*start, "true"], capture_output=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return start if tried.returncode == 0 else ()  # an old one, or busybox's


def _limit(process: subprocess.Popen[bytes]) -> None:
    """Limit ffmpeg's memory to what a film needs, and forbid it to write files. Linux only."""
    with suppress(ProcessLookupError):  # it has ended already
        limit_memory(MEMORY_BYTES, process.pid, for_good=True)
        forbid_files(process.pid)
