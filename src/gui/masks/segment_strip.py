"""The segments of the frame under edit, one beside the other, where there is space for them."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from typing import Any

from src.gui.core.thumbnails import Thumbnails
from src.gui.theme.theme import Theme
from src.gui.widgets.thumb_strip import Thumb, ThumbStrip
from src.records import FrameView

_PICTURE_PX = 300  # the picture is at least so high before the strip has a place


class SegmentStrip(ThumbStrip):
    """Shown at the bottom of its master as long as the picture keeps enough height beside it."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        thumbnails: Thumbnails,
        on_choose: Callable[[str], None],
        others: Sequence[Any],
        before: Any,
    ) -> None:
        """Make it, hidden.

        Args:
            others: what else lies over and under the picture.
            before: of these, what it lies above.
        """
        super().__init__(master, theme, thumbnails, (58, 58), on_choose)
        self._around, self._others, self._before = master, others, before
        tkinter.Misc.bind(master, "<Configure>", lambda _: self._fit_itself(), "+")

    def show_segments(self, view: FrameView, segment_id: str | None) -> None:
        """Show the segments of a frame, of which one is edited."""
        objects = [Thumb(s.id, s.crop_path) for s in view.segments if s.kind == "object"]
        self.show(objects, segment_id)

    def _fit_itself(self) -> None:
        px = self.theme.px
        others = sum(other.winfo_reqheight() for other in self._others) + px(24)
        free = self._around.winfo_height() - others - self.winfo_reqheight()
        shown = free >= px(_PICTURE_PX)
        if shown and not self.winfo_manager():
            self.pack(side="bottom", fill="x", before=self._before)
        elif not shown:
            self.pack_forget()
