"""The picture at the playhead: a stored frame, or any moment of the video, which can be played."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from src.gui.core.session import Session
from src.gui.theme.theme import Theme
from src.gui.timeline.moving_outline import Outline
from src.gui.timeline.play_view import PlayView
from src.gui.timeline.stored_picture import StoredPicture, adds
from src.gui.timeline.timeline_model import TimelineModel
from src.gui.widgets.controls import label
from src.records import FrameView
from src.track_records import SAME_MOMENT_S, Track

# Outlines are read for what may be played soon; so far from the end of that they are read on.
_BEHIND_S, _AHEAD_S, _SOON_S = 5.0, 60.0, 10.0


class MomentPicture(tkinter.Frame):
    """A stored frame is there at once; the video lies over it from when its own frame is there."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        session: Session,
        model: TimelineModel,
        on_segment: Callable[[str, bool], None],
        on_time: Callable[[float], None],
        on_playing: Callable[[bool], None],
        on_failed: Callable[[], None],
    ) -> None:
        """Make it empty.

        Args:
            on_segment: gets the segment that was clicked on, and whether beside what is chosen.
            on_time: gets the time of each frame while it plays.
            on_playing: hears that it plays, or does no more.
            on_failed: hears that it can't be played.
        """
        super().__init__(master, bg=theme.colours.window)
        self.pack_propagate(False)
        self._session, self._model = session, model
        self._on_segment, self._on_playing, self._on_failed = on_segment, on_playing, on_failed
        self.stored = StoredPicture(self, theme, session.main_thread, on_segment)
        self.video = PlayView(
            self,
            theme,
            session.main_thread,
            lambda media_file_id: session.library.browse.player(media_file_id),
            on_time=on_time,
            on_playing=self._plays,
            on_shown=self._video_shown,
        )
        for picture in (self.video, self.stored):
            picture.place(relwidth=1, relheight=1)
        self.tk.call("raise", str(self.stored))
        self.video.bind("<ButtonRelease-1>", self._click, "+")
        self.video.bind("<Motion>", self._light, "+")
        self.video.bind("<Leave>", lambda _: self.stored.light_on(self.video, -1), "+")
        self._why = label(self, theme, "", colour=theme.colours.text_2, wraplength=320)
        self._opened: int | None = None  # the video that is open to be played
        self._is_on_video = self._has_played = False
        self._outlined: tuple[tuple[int, ...], float] | None = None  # tracks, and read until when

    def fit(self, width: int, height: int, wrap: float) -> None:
        """Become so large, in device pixels."""
        self.configure(width=width, height=height)
        self._why.configure(wraplength=wrap)

    # -- what is shown

    def show_view(self, view: FrameView | None, chosen: Sequence[str], why: str = "") -> None:
        """Show a stored frame with some of its segments outlined, or why there is none."""
        self.stored.show(view, chosen)
        self._why.configure(text=why)
        if why:
            self._why.place(relx=0.5, rely=0.5, anchor="center")
        else:
            self._why.place_forget()

    def go(self) -> None:
        """Show the moment at the playhead: of a sampled frame what is stored is enough."""
        frame, time_s = self._model.frame, self._model.playhead_s
        if self.video.is_playing:
            if abs(time_s - self.video.time_s) > SAME_MOMENT_S:
                self.video.show(time_s)
            return
        if frame is None or self._model.is_at_frame or self._is_missing:
            self._show_stored()
        elif self._open(time_s):
            self.video.show(time_s)

    def prepare(self, time_s: float) -> None:
        """Get ready to show the moment under the pointer, where the video is open."""
        if self._opened is not None:
            self.video.prepare(time_s)

    def close(self) -> None:
        """Let go of the video file."""
        if self._opened is not None:
            self._opened = None
            self.video.close()
        self._outlined = None
        self._show_stored()

    @property
    def _is_missing(self) -> bool:
        timeline = self._model.timeline
        return timeline is None or self._session.missing.has(timeline.media.path)

    def _show_stored(self) -> None:
        if self._is_on_video:
            self._is_on_video = False
            self.tk.call("raise", str(self.stored))
            self.tk.call("raise", str(self._why))

    def _video_shown(self, _time_s: float) -> None:
        """Show the video, now that its frame is there, unless a stored one is wished for by now."""
        self._has_played = True
        if not self._is_on_video and (self.video.is_playing or not self._model.is_at_frame):
            self._is_on_video = True
            self.tk.call("raise", str(self.video))

    # -- playing

    def _open(self, time_s: float) -> bool:
        """Open the video's file, if it is not open yet; returns whether there is one."""
        timeline = self._model.timeline
        if timeline is None or self._is_missing:
            return False
        if self._opened != timeline.media.id:
            self._opened = timeline.media.id
            self.video.open(timeline.media.id, time_s)
        self.outline()
        return True

    def toggle(self) -> bool:
        """Play, or pause; returns whether the video can be played."""
        if self.video.is_playing:
            self.video.pause()
            return True
        time_s = self._model.playhead_s
        if not self._open(time_s):
            return False
        self._has_played = False
        self.video.show(0.0 if time_s >= self._model.duration_s - SAME_MOMENT_S else time_s)
        self.video.play()
        return True

    def step(self, frames: int) -> None:
        """Go so many frames of the video on, or back, whether they are sampled or not."""
        if self._open(self._model.playhead_s):
            if abs(self.video.time_s - self._model.playhead_s) > SAME_MOMENT_S:
                self.video.show(self._model.playhead_s)
            self.video.step(frames)

    def _plays(self, is_playing: bool) -> None:
        self._on_playing(is_playing)
        if not is_playing and not self._has_played:
            self._on_failed()

    # -- outlines over the video

    def outline_again(self) -> None:
        """Read the outlines anew: tracks may have changed."""
        self._outlined = None
        self.outline()

    def outline(self) -> None:
        """Draw the chosen tracks over the video, as far as it may be played soon."""
        if self._opened is None:
            return
        found = (self._model.track_of(choice) for choice in self._model.chosen)
        tracks = [track for track in found if track is not None]
        ids, now = tuple(track.id for track in tracks), self._model.playhead_s
        if self._outlined is not None and self._outlined[0] == ids:
            read_until = self._outlined[1]
            if read_until - _AHEAD_S - _BEHIND_S <= now < read_until - _SOON_S:
                return
        self._outlined = wanted = ids, now + _AHEAD_S
        segments = [
            segment.segment_id
            for track in tracks
            for segment in track.segments
            if now - _BEHIND_S <= segment.until_s and segment.timestamp_s <= now + _AHEAD_S
        ]
        library = self._session.library

        def read(lines: dict[str, tuple[np.ndarray, ...]]) -> None:
            if wanted == self._outlined and self._opened is not None:
                self.video.outlines([_outline(track, lines) for track in tracks])

        if segments:
            self._session.main_thread.run(lambda: library.browse.outlines(segments), read)
        else:
            self.video.outlines(())

    # -- pointer

    def _light(self, event: tkinter.Event[tkinter.Misc]) -> None:
        """Outline the segment under the pointer, while it does not play."""
        number = -1 if self.video.is_playing else self.stored.number_at(event.x, event.y)
        self.stored.light_on(self.video, number)

    def _click(self, event: tkinter.Event[tkinter.Misc]) -> None:
        """Pause; else choose the segment that the sampled frame has at that place."""
        if self.video.is_playing:
            self.video.pause()
            return
        segment_id = self.stored.segment_at(event.x, event.y)
        if segment_id:
            self._on_segment(segment_id, adds(event))


def _outline(track: Track, lines: dict[str, tuple[np.ndarray, ...]]) -> Outline:
    return Outline(track.segments, lines)
