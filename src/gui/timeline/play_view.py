"""A video in its place: the frame at the playhead, played, with the outlines of what is chosen."""

from __future__ import annotations

import time
import tkinter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageTk

from src.gui.core.main_thread import MainThread
from src.gui.core.wording import explained
from src.gui.theme.pictures import rounded_mask
from src.gui.theme.theme import RADIUS, SMALL, Theme
from src.gui.timeline.moving_outline import Outline, lines_at
from src.gui.timeline.play_worker import Answers, Player, PlayWorker
from src.gui.widgets.frame_drawing import on_window
from src.gui.widgets.viewport import Viewport
from src.track_records import PlayedFrame

Size = tuple[int, int]

READING = "Reading…"
_READING_AFTER_MS = 300
# How often it is looked whether a frame is due, while it plays.
_TICK_MS = 8
# So much the picture may lag before the clock waits for it: a machine that is too slow for a
# video plays it slowly, with as many frames as it can.
_MOST_LATE_S = 0.5
_LINE, _DARK = 2.5, 1.0


def _nothing(*_: object) -> None:
    pass


class PlayView(tkinter.Canvas):
    """As large as it fits, in the middle. Frames are read in another thread; none of this waits.

    Attributes:
        is_playing: whether time goes on.
        time_s: the moment that is shown, or was asked for last.
        dropped: how many frames came too late to be shown, since it plays.
    """

    def __init__(
        self,
        master: Any,
        theme: Theme,
        main_thread: MainThread,
        player: Callable[[int], Player],
        on_time: Callable[[float], None] = _nothing,
        on_end: Callable[[], None] = _nothing,
        on_playing: Callable[[bool], None] = _nothing,
        on_shown: Callable[[float], None] = _nothing,
    ) -> None:
        """Make it empty.

        Args:
            player: opens a video by its id, in another thread.
            on_time: called with the time of each frame while it plays, and after a step.
            on_end: called when the last frame was played.
            on_playing: called when it begins to play, and when it stops.
            on_shown: called with the time of each frame once it is on the screen.
        """
        super().__init__(master, bg=theme.colours.window, highlightthickness=0, bd=0)
        self.theme, self._main_thread, self._player = theme, main_thread, player
        self._on_time, self._on_end = on_time, on_end
        self._on_playing, self._on_shown = on_playing, on_shown
        self.is_playing = False
        self.time_s = 0.0
        self.dropped = 0
        self._worker: PlayWorker | None = None
        self._own_wh: Size = (2, 2)
        self._video_wh: Size | None = None
        self._opened = 0  # counts, so that answers about another video are passed over
        self._asked = self._ended = 0  # numbers of wishes
        self._step: tuple[float, int] | None = None  # from where, and how many, while it is read
        self._is_at_end = False
        self._clock: tuple[float, float] | None = None  # a moment of ours, and the video's then
        self._tick: str | None = None
        self._resizing: str | None = None
        self._shown: PlayedFrame | None = None
        self._shown_s = 0.0
        self._photo: ImageTk.PhotoImage | None = None
        self._corners: tuple[Size, np.ndarray] | None = None
        self._outlines: tuple[Outline, ...] = ()
        self.bind("<Configure>", lambda _: self._resized())
        self.bind("<Destroy>", lambda event: self.close() if event.widget is self else None, "+")

    # -- what it is told

    def open(self, media_file_id: int, at_s: float = 0.0) -> None:
        """Open a video and show a moment of it."""
        self.close()
        self._opened += 1
        opened = self._opened

        def post(call: Callable[..., None]) -> Callable[..., None]:
            def later(*values: Any) -> None:
                self._main_thread.post(
                    lambda: call(*values) if opened == self._opened and self._worker else None
                )

            return later

        answers = Answers(
            post(self._is_open), post(self._frame_came), post(self._has_ended), post(self._failed)
        )
        self._worker = PlayWorker(lambda: self._player(media_file_id), answers)
        self.show(at_s)

    def close(self) -> None:
        """Close the video; nothing is shown."""
        self._stop_clock()
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()
        self._video_wh = self._shown = self._photo = self._step = None
        self._outlines = ()
        if self.winfo_exists():
            self.delete("all")

    def show(self, time_s: float) -> None:
        """Show the frame of a moment; where it plays, it plays on from there."""
        self._step, self._is_at_end = None, False
        self.time_s = max(0.0, time_s)
        if self.is_playing:
            self._play_from(self.time_s)
        elif self._worker is not None:
            self._ask("show")

    def step(self, frames: int) -> None:
        """Show a frame so many after the one that is shown, or before it; playing ends."""
        self.pause()
        self._is_at_end = False
        begin_s, before = (self.time_s, 0) if self._step is None else self._step
        self._step = begin_s, before + frames
        if self._worker is not None:
            number = self._worker.ask("step", begin_s, self._fitted, before + frames)
            self._await(number)

    def prepare(self, time_s: float) -> None:
        """Get ready to show a moment, such as the one under the pointer."""
        if self._worker is not None and not self.is_playing:
            self._worker.ask("prepare", time_s, self._fitted)

    def play(self) -> None:
        """Play from the moment that is shown; from the start where it was played to its end."""
        if self._worker is not None and not self.is_playing:
            self._step = None
            if self._is_at_end:
                self._is_at_end, self.time_s = False, 0.0
            self.is_playing, self.dropped = True, 0
            self._on_playing(True)
            self._play_from(self.time_s)

    def pause(self) -> None:
        """Stay at the frame that is shown."""
        if self.is_playing:
            self._stop_clock()
            if self._worker is not None:
                self._worker.stop()

    def toggle(self) -> None:
        """Play, or stay where it is."""
        if self.is_playing:
            self.pause()
        else:
            self.play()

    def outlines(self, outlines: Sequence[Outline]) -> None:
        """Draw tracks over the picture, and no others; they move as it plays."""
        self._outlines = tuple(outlines)
        self._draw_outlines()

    def waiting(self) -> int:
        """Count the frames that are held for later."""
        return 0 if self._worker is None else self._worker.waiting()

    # -- asking

    def _fitted(self, video_wh: Size) -> Size:
        """Return the size of the picture; called in the worker's thread."""
        return Viewport.fitting(video_wh, self._own_wh).box[2:]

    def _ask(self, kind: Any) -> None:
        assert self._worker is not None
        self._await(self._worker.ask(kind, self.time_s, self._fitted))

    def _await(self, number: int) -> None:
        """Show a note that the frame is being read, if that takes long."""
        self._asked = number
        self.after(_READING_AFTER_MS, self._say_reading, self._opened, number)

    def _say_reading(self, opened: int, number: int) -> None:
        if self._worker is not None and (opened, number) == (self._opened, self._asked):
            self._say(READING)

    def _play_from(self, time_s: float) -> None:
        self._clock = None
        assert self._worker is not None
        self._await(self._worker.ask("play", time_s, self._fitted))
        if self._tick is None:
            self._tick = self.after(_TICK_MS, self._play_on)

    def _resized(self) -> None:
        self._own_wh = max(2, self.winfo_width()), max(2, self.winfo_height())
        if self._shown is not None:
            self._draw(
                self._shown, self._shown_s
            )  # as it is, until the one of the new size is there
        if self._resizing is None:
            self._resizing = self.after(60, self._ask_for_size)

    def _ask_for_size(self) -> None:
        self._resizing = None
        if self._worker is None or self._video_wh is None:
            return
        if self._shown is None or self._size_of(self._shown) != self._fitted(self._video_wh):
            if self.is_playing:
                self._play_from(self.time_s)
            elif self._step is None:
                self._ask("show")

    # -- answers, in the window's thread

    def _is_open(self, player: Player) -> None:
        self._video_wh = player.size_wh

    def _frame_came(self, number: int, frame: PlayedFrame) -> None:
        if number != self._asked or self.is_playing:
            return
        self._asked = 0
        if self._step is not None:
            self._step, self.time_s = None, frame.timestamp_s
            self._on_time(frame.timestamp_s)
        self._draw(frame, self.time_s)

    def _has_ended(self, number: int) -> None:
        self._ended = number

    def _failed(self, number: int, exc: Exception) -> None:
        if number in (0, self._asked) or self.is_playing:
            self._asked, self._step, self._shown = 0, None, None
            self._stop_clock()
            self.delete("all")
            self._say(explained(exc)[0])

    # -- playing

    def _play_on(self) -> None:
        """Show what is due; it is called again and again."""
        self._tick = None
        worker = self._worker
        if worker is None or not self.is_playing:
            return
        now = time.monotonic()
        if self._clock is None and (first_s := worker.next_s()) is not None:
            self._clock, self._asked = (now, first_s), 0
        if self._clock is not None:
            due_s = self._clock[1] + now - self._clock[0]
            frame, dropped = worker.take(due_s)
            self.dropped += dropped
            if frame is not None:
                if due_s - frame.timestamp_s > _MOST_LATE_S:
                    self._clock = now, frame.timestamp_s
                self.time_s = frame.timestamp_s
                self._draw(frame, frame.timestamp_s)
                self._on_time(frame.timestamp_s)
            elif self._ended and not worker.waiting():
                self._finish()
                return
        elif self._ended:
            self._finish()
            return
        if self._tick is None and self.is_playing:
            self._tick = self.after(_TICK_MS, self._play_on)

    def _finish(self) -> None:
        self._stop_clock()
        self._is_at_end = True
        self._on_end()

    def _stop_clock(self) -> None:
        self._ended = 0
        self._clock = None
        if self._tick is not None:
            self.after_cancel(self._tick)
            self._tick = None
        if self.is_playing:
            self.is_playing, self._asked = False, 0
            self._on_playing(False)

    # -- drawing

    @staticmethod
    def _size_of(frame: PlayedFrame) -> Size:
        return frame.image_rgb.shape[1], frame.image_rgb.shape[0]

    def _draw(self, frame: PlayedFrame, moment_s: float) -> None:
        """Put a frame on the screen.

        Args:
            moment_s: the one that it stands for, which is later where it was shown for a while.
        """
        self._shown, self._shown_s = frame, max(moment_s, frame.timestamp_s)
        size_wh = self._size_of(frame)
        image = Image.fromarray(self._rounded(frame.image_rgb))
        if self._photo is None or (self._photo.width(), self._photo.height()) != size_wh:
            self._photo = ImageTk.PhotoImage(image)
        else:
            self._photo.paste(image)
        if not self.find_withtag("picture"):
            self.delete("all")
            self.create_image(0, 0, anchor="nw", tags="picture")
        self.itemconfigure("picture", image=self._photo)
        left, top = self._box()[:2]
        self.coords("picture", left, top)
        self.delete("said")
        self._draw_outlines()
        self._on_shown(frame.timestamp_s)

    def _box(self) -> tuple[int, int, int, int]:
        """Return where the picture lies."""
        assert self._shown is not None
        width, height = self._size_of(self._shown)
        left, top, wide, _ = Viewport.fitting((width, height), self._own_wh).box
        return left + (wide - width) // 2, top, width, height

    def _rounded(self, image_rgb: np.ndarray) -> np.ndarray:
        """Round the corners of a picture."""
        size_wh = image_rgb.shape[1], image_rgb.shape[0]
        radius = self.theme.px(RADIUS)
        if min(size_wh) < 2 * radius or not radius:
            return image_rgb
        if self._corners is None or self._corners[0] != size_wh:
            mask = np.asarray(rounded_mask(size_wh, radius), np.float32)[..., None] / 255
            self._corners = size_wh, mask
        mask = self._corners[1]
        ground = np.array(self.winfo_rgb(self.theme.colours.window), np.float32) / 257
        round_rgb = image_rgb.copy()
        for rows in (slice(radius), slice(-radius, None)):
            for columns in (slice(radius), slice(-radius, None)):
                share = mask[rows, columns]
                part = image_rgb[rows, columns] * share + ground * (1 - share)
                round_rgb[rows, columns] = np.rint(part)
        return round_rgb

    def _draw_outlines(self) -> None:
        self.delete("outline")
        if self._shown is None or self._video_wh is None or not self._outlines:
            return
        left, top, width, _ = self._box()
        scale = width / self._video_wh[0]
        port = Viewport(self._video_wh, self._own_wh, scale, -left / scale, -top / scale)
        at_s = self._shown_s
        c, px = self.theme.colours, self.theme.px
        for outline in self._outlines:
            for line in lines_at(outline, at_s):
                points = on_window(line, port).ravel().tolist()
                for colour, wide in (
                    (c.on_accent, _LINE + 2 * _DARK),
                    (outline.colour or c.accent, _LINE),
                ):
                    self.create_line(*points, fill=colour, width=px(wide), tags="outline")

    def _say(self, sentence: str) -> None:
        """Write a sentence where the picture is, or would be."""
        self.delete("said")
        wide, high = self._own_wh
        colour = self.theme.colours.text_2
        text = self.create_text(
            wide // 2, high // 2, text=sentence, fill=colour, width=max(80, wide - 48),
            justify="center", font=self.theme.canvas_font(self, SMALL), tags="said",
        )  # fmt: skip
        if self._shown is not None:
            x0, y0, x1, y1 = self.bbox(text)
            pad = self.theme.px(8)
            box = self.create_rectangle(
                x0 - pad, y0 - pad, x1 + pad, y1 + pad,
                fill=self.theme.colours.card, outline="", tags="said",
            )  # fmt: skip
            self.tag_lower(box, text)
