"""The thread that a video's frames are read in: of what is asked of it, the newest counts."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from typing import Literal, Protocol

from src.errors import MediaLibraryError
from src.stopping import GoOn, StoppedError
from src.track_records import PlayedFrame

Size = tuple[int, int]
# Frames that wait to be shown: enough for a picture that takes long, little enough to hold.
MOST_WAITING = 4


class Player(Protocol):
    """A video that is open: VideoPlayer."""

    duration_s: float
    size_wh: Size
    has_sound: bool

    def frame_at(self, time_s: float, size_wh: Size, go_on: GoOn | None = None) -> PlayedFrame: ...

    def step(
        self, from_time_s: float, frames: int, size_wh: Size, go_on: GoOn | None = None
    ) -> PlayedFrame: ...

    def frames_from(
        self, time_s: float, size_wh: Size, go_on: GoOn | None = None
    ) -> Generator[PlayedFrame]: ...

    def prepare(self, time_s: float, size_wh: Size) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Wish:
    """What is to be read.

    Attributes:
        number: a later wish has a higher one.
        size: for the size that the video has, which is known once it is open.
        frames: of a step.
    """

    number: int
    kind: Literal["show", "step", "play", "prepare"]
    time_s: float
    size: Callable[[Size], Size]
    frames: int = 0


@dataclass(frozen=True)
class Answers:
    """What the worker calls, in its own thread, with the number of the wish.

    Attributes:
        opened: with the player.
        shown: with the frame of a wish to show or to step.
        ended: once all frames of a wish to play have been taken in.
        failed: with what went wrong, also where it can't be opened: then with number 0.
    """

    opened: Callable[[Player], None]
    shown: Callable[[int, PlayedFrame], None]
    ended: Callable[[int], None]
    failed: Callable[[int, Exception], None]


class PlayWorker:
    """Opens one video in a thread of its own, and reads in it until it is closed."""

    def __init__(self, open_player: Callable[[], Player], answers: Answers) -> None:
        self._open_player, self._answers = open_player, answers
        self._changed = threading.Condition()
        self._wish: Wish | None = None
        self._prepared: Wish | None = None
        self._closed = False
        self._player: Player | None = None
        self._frames: deque[PlayedFrame] = deque()
        self._number = 0
        # as a daemon: a video that hangs holds up no window that closes
        self._thread = threading.Thread(target=self._work, name="player", daemon=True)
        self._thread.start()

    def ask(
        self,
        kind: Literal["show", "step", "play", "prepare"],
        time_s: float,
        size: Callable[[Size], Size],
        frames: int = 0,
    ) -> int:
        """Ask for something; what was asked before is given up, but not for what is prepared.

        Returns:
            The wish's number.
        """
        with self._changed:
            if kind == "prepare":
                self._prepared = Wish(self._number, kind, time_s, size)
            else:
                self._number += 1
                self._wish = Wish(self._number, kind, time_s, size, frames)
                self._prepared = None
                self._frames.clear()
            self._changed.notify()
            return self._number

    def stop(self) -> None:
        """Cancel what was asked for."""
        with self._changed:
            self._wish = self._prepared = None
            self._frames.clear()
            self._number += 1
            self._changed.notify()

    def take(self, until_s: float) -> tuple[PlayedFrame | None, int]:
        """Take the newest frame that is due, and drop those before it; also how many waited.

        Args:
            until_s: the moment of the video that it is now.
        """
        with self._changed:
            due, dropped = None, -1
            while self._frames and self._frames[0].timestamp_s <= until_s:
                due = self._frames.popleft()
                dropped += 1
            if due is not None:
                self._changed.notify()
            return due, max(0, dropped)

    def next_s(self) -> float | None:
        """Return when the next frame that waits is shown."""
        with self._changed:
            return self._frames[0].timestamp_s if self._frames else None

    def waiting(self) -> int:
        """Count the frames that wait to be shown."""
        return len(self._frames)

    def close(self) -> None:
        """End it, and the player with it; returns at once."""
        with self._changed:
            self._closed = True
            self._frames.clear()
            self._changed.notify()
            player = self._player
        if player is not None:  # what it is reading ends with its process
            threading.Thread(target=player.close, daemon=True).start()

    def join(self) -> None:
        """Wait until its thread has ended; for tests."""
        self._thread.join()

    # -- in its thread

    def _work(self) -> None:
        try:
            player = self._open_player()
        except Exception as exc:
            self._fail(0, exc)
            return
        with self._changed:
            self._player = player
        try:
            if not self._closed:
                self._answers.opened(player)
            while True:
                with self._changed:
                    while not (self._closed or self._wish or self._prepared):
                        self._changed.wait()
                    if self._closed:
                        return
                    wish = self._wish or self._prepared
                    self._wish = self._prepared = None
                assert wish is not None
                self._do(player, wish)
        finally:
            player.close()

    def _do(self, player: Player, wish: Wish) -> None:
        def go_on() -> bool:
            return not self._closed and self._number == wish.number

        size_wh = wish.size(player.size_wh)
        try:
            if wish.kind == "prepare":
                player.prepare(wish.time_s, size_wh)
            elif wish.kind == "play":
                self._play(player, wish, size_wh, go_on)
            else:
                if wish.kind == "show":
                    frame = player.frame_at(wish.time_s, size_wh, go_on)
                else:
                    frame = player.step(wish.time_s, wish.frames, size_wh, go_on)
                self._answers.shown(wish.number, frame)
        except StoppedError:
            pass
        except Exception as exc:
            self._fail(wish.number, exc)

    def _play(self, player: Player, wish: Wish, size_wh: Size, go_on: GoOn) -> None:
        with closing(player.frames_from(wish.time_s, size_wh, go_on)) as frames:
            for frame in frames:
                with self._changed:
                    while go_on() and len(self._frames) >= MOST_WAITING:
                        self._changed.wait()
                    if not go_on():
                        return
                    self._frames.append(frame)
        self._answers.ended(wish.number)

    def _fail(self, number: int, exc: Exception) -> None:
        if self._closed:
            return
        if not isinstance(exc, MediaLibraryError):
            exc.add_note("Couldn't play the video")
        self._answers.failed(number, exc)
