"""A clip's pictures and sound -> an MP4 file, by ffmpeg. Only what was decoded here reaches it."""

from __future__ import annotations

import subprocess
import tempfile
from fractions import Fraction
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import IO

import numpy as np

from src.config import NO_CONSOLE
from src.errors import ExportError
from src.processing import ffmpeg_log
from src.processing.ffmpeg_process import ends_with_us, find_encoder, opened, start
from src.stopping import ask_wanted

_BLOCK = 1 << 18
NO_FFMPEG = "there is no ffmpeg that can write MP4 here; install imageio-ffmpeg, or an ffmpeg"
# Near to what the eye can't tell from the video, at some 4 MB for ten seconds of 720p.
_QUALITY = {"libx264": ["-preset", "medium", "-crf", "18"], "libopenh264": ["-b:v", "8M"]}
_OF_OTHERS = ["-q:v", "2"]
_CODECS = ("libx264", "libopenh264", "mpeg4")
# H.264 halves colours in both directions, so that sides are even.
_FILTERS = (
    "pad=max(2\\,iw):max(2\\,ih),crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0,"
    "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"
)
_COLOURS = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]
# Nothing of the source is told, nor which ffmpeg wrote it: the same input gives the same bytes.
_SAYS_NOTHING = [
    "-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact",
    "-flags:a", "+bitexact",
]  # fmt: skip


def read_sound(
    program: str, path: Path, begin_s: float, length_s: float, output: IO[bytes]
) -> bool:
    """Write the sound of a range as FLAC, from the very moment on; returns whether there is any.

    Args:
        path: of the video, absolute.
    """
    command = opened(program, path, "-ss", f"{begin_s:.6f}", "-t", f"{length_s:.6f}")
    command += ["-map", "0:a:0", "-vn", "-sn", "-dn", "-map_metadata", "-1"]
    # where it begins later than the range there is silence
    command += ["-af", "aresample=async=1:first_pts=0", "-c:a", "flac", "-f", "flac", "pipe:1"]
    process = start(command)
    assert process.stdout is not None and process.stderr is not None
    watch = Timer(ffmpeg_log.STALL_S + length_s, process.kill)
    log = Timer(0, process.stderr.read)  # so that it never waits for somebody to read it
    watch.start()
    log.start()
    written = 0
    try:
        while block := process.stdout.read(_BLOCK):
            ask_wanted()
            output.write(block)
            written += len(block)
    finally:
        watch.cancel()
        process.kill()
        process.stdout.close()
        process.wait()
        log.join()
        process.stderr.close()
    return written > 0


class VideoEncoder:
    """Writes a file; leave its block by an exception, and the encoder is ended."""

    def __init__(
        self, file: Path, size_wh: tuple[int, int], rate: Fraction, sound: Path | None
    ) -> None:
        """Start to write.

        Args:
            file: absolute; in a folder where nobody else writes.
            sound: as read_sound writes it.

        Raises:
            ExportError: there is no ffmpeg that can.
        """
        found = find_encoder(_CODECS)
        if found is None:
            raise ExportError(NO_FFMPEG)
        program, codec = found
        self._file, self._size_wh = file, size_wh
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 closed in __exit__
        command = [
            *ends_with_us(), program, "-hide_banner", "-nostats", "-loglevel", "error",
            "-protocol_whitelist", "file,pipe", "-f", "rawvideo", "-pix_fmt", "rgb24",
            "-s", f"{size_wh[0]}x{size_wh[1]}", "-r", str(rate), "-i", "pipe:0",
        ]  # fmt: skip
        if sound is not None:
            command += ["-f", "flac", "-i", f"file:{sound}"]
        command += ["-map", "0:v:0", "-vf", _FILTERS, "-c:v", codec]
        command += [*_QUALITY.get(codec, _OF_OTHERS), *_COLOURS, "-r", str(rate)]
        if sound is not None:
            command += ["-map", "1:a:0", "-c:a", "aac", "-b:a", "192k"]
        command += [*_SAYS_NOTHING, "-movflags", "+faststart", "-f", "mp4", "-y", f"file:{file}"]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._log,
            start_new_session=True,
            creationflags=NO_CONSOLE,
        )

    def __enter__(self) -> VideoEncoder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._process.kill()
            self._process.wait()
            self._log.close()

    def write(self, image_rgb: np.ndarray) -> None:
        """Write a frame.

        Args:
            image_rgb: (H, W, 3) uint8 RGB, of the size that was said.

        Raises:
            ExportError: the encoder gave up.
        """
        assert self._process.stdin is not None
        width, height = self._size_wh
        if image_rgb.shape != (height, width, 3):
            raise ExportError(
                f"{self._file.name}: the size of the video's pictures changes in this range; "
                "choose a range before or after that"
            )
        try:
            self._process.stdin.write(np.ascontiguousarray(image_rgb).data)
        except OSError as exc:
            raise self._failed() from exc

    def _finish(self) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
        except OSError as exc:
            raise self._failed() from exc
        if self._process.wait():
            raise self._failed()

    def _failed(self) -> ExportError:
        self._process.wait()
        self._log.seek(0)
        lines = self._log.read(1 << 16).decode("utf-8", "replace").splitlines()
        said = lines[-1].replace(str(self._file.parent), "…") if lines else "ffmpeg gave up"
        return ExportError(f"the clip can't be written ({said[:200]}); nothing was kept")
