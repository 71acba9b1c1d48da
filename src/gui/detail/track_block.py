"""Where else in its video a segment is seen, at the side of the detail view."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from src.counting import counted, from_to
from src.gui.core.session import Session
from src.gui.theme.theme import SMALL, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, IconButton, label
from src.gui.widgets.popup import Entry, show_menu
from src.gui.widgets.tooltip import Tooltip
from src.records import StoredSegment
from src.track_records import Track

SPLIT, TAKE_OUT = "Split here", "Take this segment out"
JOIN = "Join with another in the timeline…"
_TIMELINE_TIP = "See the video over time, with this moment chosen"


@dataclass(frozen=True)
class TrackActions:
    """What the block asks of the panel.

    Attributes:
        open_timeline: shows the video of a segment in the timeline, at its moment.
        split: makes two tracks of one, the second from a segment on: the track, the segment.
        take_out: takes a segment out of its track.
    """

    open_timeline: Callable[[StoredSegment], object]
    split: Callable[[int, str], object]
    take_out: Callable[[str], object]


class TrackBlock(ctk.CTkFrame):
    """Hidden for a photo; of a whole frame and of a segment in no track the way on alone is shown.

    Attributes:
        said: when the thing is seen: "Seen 0:03.4–0:09.7 · 13 frames".
        track: of the segment that is shown; None where it is in none, or not known yet.
    """

    def __init__(self, master: Any, theme: Theme, session: Session, actions: TrackActions) -> None:
        super().__init__(master, fg_color="transparent", corner_radius=0)
        self.theme, self._session, self._actions = theme, session, actions
        self._segment: StoredSegment | None = None
        self._asked = 0
        self.said = ""
        self.track: Track | None = None
        self._words = label(self, theme, "", size=SMALL, colour=theme.colours.text_2, anchor="w")
        row = ctk.CTkFrame(self, fg_color="transparent", corner_radius=0)
        row.pack(side="bottom", fill="x", padx=(0, 16))
        self.change = IconButton(row, theme, "down", "Change the track", self._open_menu)
        self.timeline = Button(
            row, theme, "Show in timeline", self._open_timeline, icon_name="timeline", height=32
        )
        self.timeline.pack(side="left", fill="x", expand=True)
        Tooltip(self.timeline, theme, _TIMELINE_TIP)
        self._row = row

    @property
    def is_for_video(self) -> bool:
        """Whether the segment is of a video."""
        return self._segment is not None and self._segment.timestamp_s is not None

    def show(self, segment: StoredSegment) -> None:
        """Show a segment, and its track once that is looked up."""
        before, self._segment = self._segment, segment
        if before is None or before.id != segment.id:
            self._show_track(None)
        self._asked += 1
        asked, library = self._asked, self._session.library
        if not self.is_for_video or segment.kind == "frame":
            self._show_track(None)
            return

        def found(track: Track | None) -> None:
            if asked == self._asked:
                self._show_track(track)

        self._session.main_thread.run(
            lambda: library.tracks.track_of(segment.id), found, fails="Couldn't read the track"
        )

    def _show_track(self, track: Track | None) -> None:
        self.track = track
        self.said = "" if track is None else seen_words(track)
        self._words.configure(text=self.said)
        if track is None:
            self._words.pack_forget()
            self.change.pack_forget()
        else:
            self._words.pack(side="top", fill="x", pady=(0, 4), before=self._row)
            self.change.pack(side="right")
            self._session.only_to_write(self.change)

    def entries(self) -> list[Entry]:
        """List what can be done with the track, from above."""
        track, segment = self.track, self._segment
        if track is None or segment is None:
            return []
        entries: list[Entry] = []
        if track.segments[0].segment_id != segment.id:
            entries.append((SPLIT, lambda: self._actions.split(track.id, segment.id)))
        entries.append((TAKE_OUT, lambda: self._actions.take_out(segment.id)))
        entries.append((JOIN, self._open_timeline))
        return entries

    def _open_menu(self) -> None:
        button = self.change
        top = button.winfo_rooty()
        below = top + button.winfo_height()
        if entries := self.entries():
            show_menu(button, self.theme, entries, button.winfo_rootx(), below, above=top)

    def _open_timeline(self) -> None:
        if self._segment is not None:
            self._actions.open_timeline(self._segment)


def seen_words(track: Track) -> str:
    """Write when a track is seen: Seen 0:03.4–0:09.7 · 13 frames."""
    frames = counted(len(track.segments), "frame")
    return f"Seen {from_to(track.begin_s, track.end_s)} · {frames}"
