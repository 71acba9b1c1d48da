"""A clip's pictures and sound -> an MP4 file, by ffmpeg. Only what was decoded here reaches it."""

from __future__ import annotations

import subprocess
import tempfile
from fractions import Fraction
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import IO

import numpy as np

from src.config import NO_CONSOLE
from src.errors import ExportError
from src.processing.ffmpeg_log import STALL_S
from src.processing.ffmpeg_process import ends_with_us, find_encoder, opened, start
from src.stopping import ask_wanted
from src.video_clips.stall_watch import StallWatch

_BLOCK = 1 << 18
NO_FFMPEG = "there is no ffmpeg that can write MP4 here; install imageio-ffmpeg, or an ffmpeg"
_STILL = f"ffmpeg stopped responding for {STALL_S:.0f} s"
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

    Raises:
        ExportError: it stands still.
    """
    command = opened(program, path, "-ss", f"{begin_s:.6f}", "-t", f"{length_s:.6f}")
    command += ["-map", "0:a:0", "-vn", "-sn", "-dn", "-map_metadata", "-1"]
    # where it begins later than the range there is silence
    command += ["-af", "aresample=async=1:first_pts=0", "-c:a", "flac", "-f", "flac", "pipe:1"]
    process = start(command)
    assert process.stdout is not None and process.stderr is not None
    # so that it never waits for somebody to read it
    log = Thread(target=process.stderr.read, daemon=True)
    log.start()
    watch = StallWatch(process)
    written = 0
    try:
        while True:
            with watch.waiting():
                block = process.stdout.read1(_BLOCK)  # type: ignore[attr-defined]
            ask_wanted()
            if not block:
                break
            output.write(block)
            written += len(block)
        if watch.stalled:
            raise ExportError(
                f"{path.name}: its sound can't be read ({_STILL}); nothing was kept"
            )
    finally:
        watch.close()
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
        self._watch = StallWatch(self._process, self._written)

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
            self._watch.close()
            self._process.kill()
            self._process.wait()
            self._log.close()

    def write(self, image_rgb: np.ndarray) -> None:
        """Write a frame.

        Args:
            image_rgb: (H, W, 3) uint8 RGB, of the size that was said.

        Raises:
            ExportError: the encoder gave up, or stands still.
        """
        assert self._process.stdin is not None
        width, height = self._size_wh
        if image_rgb.shape != (height, width, 3):
            raise ExportError(
                f"{self._file.name}: the size of the video's pictures changes in this range; "
                "choose a range before or after that"
            )
        content = np.ascontiguousarray(image_rgb).reshape(-1).data
        try:
            with self._watch.waiting():
                for start_at in range(0, len(content), _BLOCK):
                    self._process.stdin.write(content[start_at : start_at + _BLOCK])
                    self._watch.moved()
        except OSError as exc:
            raise self._failed() from exc

    def _finish(self) -> None:
        assert self._process.stdin is not None
        try:
            with self._watch.waiting():
                self._process.stdin.close()
        except OSError as exc:
            raise self._failed() from exc
        if self._ended():
            raise self._failed()

    def _ended(self) -> int:
        """Wait for its end; returns its code."""
        with self._watch.waiting():
            return self._process.wait()

    def _written(self) -> object:
        """Return how far its file is: at the end it is written anew, in place."""
        try:
            status = self._file.stat()
        except OSError:
            return None
        return status.st_size, status.st_mtime_ns

    def _failed(self) -> ExportError:
        self._ended()
        ask_wanted()  # it was ended because nobody waits for it
        if self._watch.stalled:
            return ExportError(f"the clip can't be written ({_STILL}); nothing was kept")
        self._log.seek(0)
        lines = self._log.read(1 << 16).decode("utf-8", "replace").splitlines()
        said = lines[-1].replace(str(self._file.parent), "…") if lines else "ffmpeg gave up"
        return ExportError(f"the clip can't be written ({said[:200]}); nothing was kept")
