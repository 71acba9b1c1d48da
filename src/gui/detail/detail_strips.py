"""Below the picture of a frame: what is outlined, its segments, and the frames of its file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from src.counting import place_in_file
from src.gui.core.thumbnails import Thumbnails
from src.gui.theme.theme import SMALL, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import RING, Button, label
from src.gui.widgets.inputs import Check
from src.gui.widgets.thumb_strip import Thumb, ThumbStrip
from src.records import FrameView


@dataclass(frozen=True)
class StripActions:
    """What the strips ask of the panel.

    Attributes:
        show_segment: shows a segment of this frame or another one.
        redraw: something else is to be shown of the frame.
        zoom: shows the frame at a scale; None for as large as it fits.
    """

    show_segment: Callable[[str], None]
    redraw: Callable[[], None]
    zoom: Callable[[float | None], None]


class DetailStrips(ctk.CTkFrame):
    """The frames are shown for a video and for an image of several pages."""

    def __init__(
        self, master: Any, theme: Theme, thumbnails: Thumbnails, actions: StripActions
    ) -> None:
        super().__init__(master, fg_color="transparent")
        self.theme, self._actions = theme, actions
        self._segments_part = ctk.CTkFrame(self, fg_color="transparent")
        self._segments_part.pack(fill="x")
        self._build_segments(self._segments_part, thumbnails)
        self._build_frames(thumbnails)

    def _build_segments(self, part: ctk.CTkFrame, thumbnails: Thumbnails) -> None:
        theme, c, actions = self.theme, self.theme.colours, self._actions
        tools = ctk.CTkFrame(part, fg_color="transparent")
        tools.pack(fill="x", pady=(8, 8))
        self._dim = Check(tools, theme, "Dim the rest", True, lambda _: actions.redraw())
        self._dim.pack(side="left")
        self._others = Check(
            tools, theme, "Outline other segments", True, lambda _: actions.redraw()
        )
        self._others.pack(side="left", padx=12)
        for text, scale in (("100 %", 1.0), ("Fit", None)):
            Button(
                tools,
                theme,
                text,
                partial(actions.zoom, scale),
                kind="quiet",
                height=24,
            ).pack(side="right")
        self._zoom = label(tools, theme, "", size=SMALL, colour=c.text_2)
        self._zoom.pack(side="right", padx=8)
        head = ctk.CTkFrame(part, fg_color="transparent")
        head.pack(fill="x", padx=RING, pady=(0, 4))
        label(head, theme, "Segments in this frame", weight="medium").pack(side="left")
        self._segments_count = label(head, theme, "", colour=c.text_2)
        self._segments_count.pack(side="left", padx=8)
        label(head, theme, "Click to open", size=SMALL, colour=c.text_2).pack(side="right")
        self.segments = ThumbStrip(part, theme, thumbnails, (58, 58), actions.show_segment)
        self.segments.pack(fill="x")

    def _build_frames(self, thumbnails: Thumbnails) -> None:
        theme, c = self.theme, self.theme.colours
        self._frames_part = ctk.CTkFrame(self, fg_color="transparent")
        head = ctk.CTkFrame(self._frames_part, fg_color="transparent")
        head.pack(fill="x", padx=RING, pady=(16, 4))
        self._frames_title = label(head, theme, "Frames", weight="medium")
        self._frames_title.pack(side="left")
        self._frames_count = label(head, theme, "", colour=c.text_2)
        self._frames_count.pack(side="left", padx=8)
        self._partial = label(head, theme, "", size=SMALL, colour=c.warn)
        self._partial.pack(side="right")
        self.frames = ThumbStrip(
            self._frames_part,
            theme,
            thumbnails,
            (94, 53),
            self._actions.show_segment,
            8,
            captions=True,
        )
        self.frames.pack(fill="x")

    @property
    def dim(self) -> bool:
        return self._dim.value

    @property
    def others(self) -> bool:
        return self._others.value

    def show_scale(self, scale: float) -> None:
        self._zoom.configure(text=f"{scale:.0%}")

    def show(self, view: FrameView, segment_id: str) -> None:
        """Show what a frame holds, and among which frames it is."""
        self._segments_count.configure(text=f"{len(view.segments):,}")
        self.segments.show([Thumb(s.id, s.crop_path) for s in view.segments], segment_id)
        if not has_frames(view):
            self._frames_part.pack_forget()
            return
        here = view.segments[0].id
        self.frames.show(
            [
                Thumb(f.segment_id, f.crop_path, place_in_file(f.frame_index, f.timestamp_s, True))
                for f in view.frames
            ],
            here,
        )
        self._frames_title.configure(text="Frames" if view.media.kind == "video" else "Pages")
        self._frames_count.configure(text=f"{self.frames.chosen + 1:,} of {len(view.frames):,}")
        begun = view.media.status in ("pending", "processing")
        self._partial.configure(text="The rest has not been added yet." if begun else "")
        if not self._frames_part.winfo_manager():
            self._frames_part.pack(fill="x")

    def needed_height(self, view: FrameView) -> int:
        """Return how high they are for a frame, in device pixels."""
        height = int(self._segments_part.winfo_reqheight())
        if has_frames(view):
            height += int(self._frames_part.winfo_reqheight())
        return height

    def refresh(self) -> None:
        """Show pictures that have been loaded."""
        self.segments.refresh()
        self.frames.refresh()


def has_frames(view: FrameView) -> bool:
    """Return whether a frame is one of several of its file."""
    return view.media.kind == "video" or len(view.frames) > 1
