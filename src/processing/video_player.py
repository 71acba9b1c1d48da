"""A video to be looked at: the exact frame of a moment, quickly, and the frames after it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Generator
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import Any

from src.child_processes import (
    killed_after,
    read_message,
    start_child,
    write_message,
)
from src.errors import MediaReadError
from src.processing import ffmpeg_log
from src.processing.ffmpeg_process import find_ffmpeg
from src.processing.image_loader import check_readable
from src.processing.read_through import ReadThrough
from src.processing.video_filters import FrameReading
from src.processing.video_streams import read_header
from src.stopping import GoOn, ask_wanted, wanted
from src.track_records import PlayedFrame

Size = tuple[int, int]
# How many frames are asked for before the first of them has come.
ASKED_AHEAD = 2


class VideoPlayer:
    """One video. Calls may come from any thread but the window's own; they are done in turn.

    Frames come from a child process that keeps the file open and seeks in it. Where it can't be
    shown that this gives the frames of reading through, the file is read through.
    """

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            MediaReadError: the file can't be read, or there is no video in it.
        """
        check_readable(path)
        self._path = Path(os.path.abspath(path))
        program = find_ffmpeg()
        if program is None:
            raise MediaReadError(path, "can't be played: no ffmpeg starts on this machine")
        self._lock = threading.RLock()
        self._closed = self._plays = False
        self._turn = 0  # of who asks; a newer one ends what plays
        self._child: _Child | None = None
        self._through: ReadThrough | None = None
        self.untrusted: str | None = None
        self._child = _Child()  # it gets ready while the header is read
        try:
            header = read_header(program, self._path)
            film = header.film()
            if film is None:
                raise MediaReadError(path, "there is no video in it")
        except BaseException:
            self.close()
            raise
        self._reading = FrameReading.of(film)
        self.duration_s = 0.0
        self.size_wh = film.size_wh
        self.has_sound = header.has_sound
        try:
            if film.has_hidden_alpha:
                self._read_through("its transparency is kept apart")
            else:
                self._open_child(film.index)
            if self._through is not None:
                self._open_through()
        except BaseException:
            self.close()
            raise

    @property
    def child_pid(self) -> int | None:
        """The process that decodes; None where the file is read through."""
        return None if self._child is None else self._child.pid

    def frame_at(self, time_s: float, size_wh: Size, go_on: GoOn | None = None) -> PlayedFrame:
        """Return the frame that is shown at a moment, at a size.

        Before the first frame that is the first, after the last one the last.

        Args:
            go_on: asked before each frame of a file that has to be read through.

        Raises:
            MediaReadError: it can't be read.
            StoppedError: `go_on` said no.
        """
        return self._one({"verb": "at", "time_s": time_s}, size_wh, go_on)

    def step(
        self, from_time_s: float, frames: int, size_wh: Size, go_on: GoOn | None = None
    ) -> PlayedFrame:
        """Return the frame so many after the one that is shown at a moment, or before it.

        Args:
            frames: below 0 for earlier ones; the first or the last there is ends the way.
            go_on: see frame_at.

        Raises:
            MediaReadError: it can't be read.
            StoppedError: `go_on` said no.
        """
        request = {"verb": "step", "time_s": from_time_s, "frames": frames}
        return self._one(request, size_wh, go_on)

    def frames_from(
        self, time_s: float, size_wh: Size, go_on: GoOn | None = None
    ) -> Generator[PlayedFrame]:
        """Yield the frame at a moment and all after it, in order; close it to stop.

        It ends as well where another frame is asked of this player meanwhile.

        Args:
            go_on: see frame_at.

        Raises:
            MediaReadError: it can't be read.
            StoppedError: `go_on` said no.
        """
        with self._lock:
            self._turn += 1
            turn, self._plays = self._turn, True
            child = self._usable()
            if child is not None:
                try:
                    child.drop()
                    child.tell({"verb": "begin", "time_s": time_s, "size_wh": size_wh})
                except _UntrustedError as exc:  # of a frame that nobody waits for any more
                    self._read_through(str(exc))
        last: PlayedFrame | None = None
        through: Generator[PlayedFrame] | None = None
        try:
            while True:
                with self._lock:
                    if turn != self._turn or self._closed:
                        return
                    frame = None
                    if self._through is None:
                        frame, ended = self._next_of_child(size_wh)
                        if ended:
                            return
                    if self._through is not None:
                        if through is None:
                            begin_s = time_s if last is None else last.timestamp_s
                            through = self._through.frames_from(begin_s, size_wh, go_on)
                            if last is not None:
                                next(through, None)  # it was given already
                        frame = next(through, None)
                    if frame is None:
                        return
                last = frame
                yield frame
        finally:
            with self._lock:
                if turn == self._turn:
                    self._plays = False

    def prepare(self, time_s: float, size_wh: Size) -> None:
        """Begin to decode around a moment that may be asked for next; returns at once."""
        if not self._lock.acquire(blocking=False):
            return  # it has better things to do
        try:
            child = self._child
            if child is not None and not self._closed and not self._plays:
                child.tell(
                    {"verb": "prepare", "time_s": time_s, "size_wh": size_wh}, is_answered=False
                )
        finally:
            self._lock.release()

    def close(self) -> None:
        """End the processes that belong to it; any thread may call it, at any time."""
        self._closed = True
        child, through = self._child, self._through
        if child is not None:
            child.kill()
        if through is not None:
            through.stop()
            with self._lock:
                through.close()

    # -- the child, and what is done without it

    def _one(self, request: dict[str, Any], size_wh: Size, go_on: GoOn | None) -> PlayedFrame:
        with self._lock:
            self._turn += 1
            self._plays = False
            child = self._usable()
            if child is not None:
                try:
                    child.drop()
                    answer, content = child.ask({**request, "size_wh": size_wh})
                    return self._played(answer, content, size_wh)
                except _UntrustedError as exc:
                    self._read_through(str(exc))
            assert self._through is not None
            if request["verb"] == "at":
                return self._through.frame_at(request["time_s"], size_wh, go_on)
            return self._through.step(request["time_s"], request["frames"], size_wh, go_on)

    def _next_of_child(self, size_wh: Size) -> tuple[PlayedFrame | None, bool]:
        """Wait for the frame that was asked for, and ask for more; also whether it was the end."""
        child = self._child
        assert child is not None
        try:
            answer, content = child.answer()
            if "end" in answer:
                return None, True
            while child.owed < ASKED_AHEAD:
                child.tell({"verb": "next", "size_wh": size_wh})
            return self._played(answer, content, size_wh), False
        except _UntrustedError as exc:
            self._read_through(str(exc))
            return None, False

    def _played(self, answer: dict[str, Any], content: bytearray, size_wh: Size) -> PlayedFrame:
        if "end" in answer:
            raise _UntrustedError("no frame is there")
        image_rgb = self._reading.to_rgb(bytes(content), size_wh)
        return PlayedFrame(image_rgb, answer["timestamp_s"])

    def _usable(self) -> _Child | None:
        if self._closed:
            raise MediaReadError(self._path, "is closed")
        return None if self._through is not None else self._child

    def _open_child(self, stream: int) -> None:
        child = self._child
        assert child is not None
        try:
            answer, _ = child.ask(
                {
                    "verb": "open",
                    "path": str(self._path),
                    "stream": stream,
                    "pixel_format": self._reading.pixel_format(),
                    "deinterlaces": self._reading.deinterlaces(),
                    "matrix": self._reading.matrix(),
                }
            )
        except _UntrustedError as exc:
            self._read_through(str(exc))
            return
        self.duration_s = answer["duration_s"] or 0.0
        self.size_wh = answer["size_wh"][0], answer["size_wh"][1]

    def _read_through(self, why: str) -> None:
        """Go on without the child."""
        self.untrusted = why
        if self._child is not None:
            self._child.kill()
            self._child = None
        self._through = ReadThrough(self._path)
        if self._closed:  # only then: `close` may have come before there was anything to stop
            raise MediaReadError(self._path, "is closed")

    def _open_through(self) -> None:
        assert self._through is not None
        self.size_wh = self._through.first().size_wh
        self.duration_s = self._through.facts.duration_s or 0.0


class _UntrustedError(Exception):
    """The child can't say which frame it is, or is no more."""


class _Child:
    """The child process of a video; see video_server."""

    def __init__(self) -> None:
        one_thread = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._process = start_child("src.processing.video_server", variables=one_thread)
        assert self._process.stdin is not None
        assert isinstance(self._process.stdout, BufferedReader)
        self._requests, self._answers = self._process.stdin, self._process.stdout
        self._killing = threading.Lock()
        self.owed = 0  # answers that are still to come

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytearray]:
        """Send a request and wait for its answer.

        Raises:
            _UntrustedError: the file has to be read through.
        """
        self.tell(request)
        return self.answer()

    def tell(self, request: dict[str, Any], is_answered: bool = True) -> None:
        """Send a request; its answer comes in its turn."""
        self.owed += is_answered
        with suppress(OSError, ValueError):  # it is gone: waiting for the answer says so
            write_message(self._requests, request)

    def drop(self) -> None:
        """Take the answers that nobody waits for any more."""
        while self.owed:
            self.answer()

    def answer(self) -> tuple[dict[str, Any], bytearray]:
        """Wait for the next answer; see ask."""
        message = None
        self.owed -= 1
        limit_s = ffmpeg_log.STALL_S
        with killed_after(self._process, limit_s, wanted()), suppress(OSError, ValueError):
            message = read_message(self._answers)
        if message is None:
            self.kill()
            ask_wanted()
            code = self._process.returncode
            name = signal.Signals(-code).name if code is not None and code < 0 else str(code)
            raise _UntrustedError(f"the decoder stopped ({name})")
        if "untrusted" in message[0]:
            raise _UntrustedError(message[0]["untrusted"])
        return message

    def kill(self) -> None:
        """End the process; it holds nothing that could be lost."""
        with self._killing:
            self._process.kill()
            self._process.wait()
            for pipe in (self._requests, self._answers):
                with suppress(OSError, ValueError):  # a request that was not read to its end
                    pipe.close()
