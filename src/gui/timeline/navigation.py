"""Going about in the time of a video: clicks, steps, playing, and a glance under the pointer."""

from __future__ import annotations

from collections.abc import Callable

from src.gui.timeline.choosing import Choosing
from src.gui.timeline.hover_preview import HoverPreview
from src.gui.timeline.moment_picture import MomentPicture
from src.gui.timeline.time_scale import clock_of
from src.gui.timeline.timeline_canvas import TimelineCanvas
from src.gui.timeline.timeline_model import TimelineModel
from src.gui.timeline.timeline_reader import TimelineReader
from src.gui.timeline.timeline_side import TimelineSide

MISSING = "The file is missing. Only the frames in the library can be shown."
_ABOVE = 4  # pixels between the timeline and the preview


class Navigation:
    """Moves the playhead, and shows in each part of the panel where that is."""

    def __init__(
        self,
        model: TimelineModel,
        reader: TimelineReader,
        canvas: TimelineCanvas,
        side: TimelineSide,
        picture: MomentPicture,
        preview: HoverPreview,
        choosing: Choosing,
        say: Callable[[str], object],
    ) -> None:
        """Prepare it.

        Args:
            say: says why the video can't be played; "" is no longer of what was done before.
        """
        self._model, self._reader, self._canvas, self._side = model, reader, canvas, side
        self._picture, self._preview, self._choosing = picture, preview, choosing
        self._say = say

    # -- the playhead

    def go_to(self, time_s: float) -> None:
        """Go to a moment."""
        self._say("")
        self._model.go(time_s)
        self.show()

    def step(self, frames: int) -> None:
        """Go to the next frames, or with a number below 0 to those before."""
        self.go_to(self._model.stepped(frames))

    def step_video(self, frames: int) -> None:
        """Go to the next frame of the video, sampled or not, or with -1 to the one before."""
        self._say("")
        self._picture.step(frames)

    def toggle_play(self) -> None:
        """Play in place, or pause."""
        self._say("")
        if not self._picture.toggle() and self._model.timeline is not None:
            self._say(MISSING)

    def played(self, time_s: float) -> None:
        """Follow a video that plays."""
        self._model.go(time_s)
        self._show_moment()

    def begin_of(self, lane: int, place: int) -> None:
        """Go to where a bar begins; of one that several tracks make, the chosen one of them."""
        bar = self._model.lanes[lane].bars[place]
        if self._model.choice is None:
            self._choosing.choose(lane, place)
        choice = self._model.choice
        self.go_to(bar.begin_s if choice is None else self._model.span_of(choice, bar)[0])

    # -- showing

    def show(self) -> None:
        """Show where the playhead is now."""
        self._show_moment()
        self._picture.go()

    def _show_moment(self) -> None:
        """Show where the playhead is now, in all but the picture."""
        self._canvas.follow_playhead()
        self.show_place()
        self._reader.look()
        self.show_outlines()
        self._choosing.show()

    def show_outlines(self) -> None:
        """Outline what is chosen in the picture."""
        self._picture.stored.show(self._reader.view, self._choosing.outlined())
        self._picture.outline()

    def show_place(self) -> None:
        """Show the time at the playhead, and the number of its sampled frame."""
        model = self._model
        place, count = model.place_at(model.playhead_s), len(model.frames)
        if place is None:
            self._side.show_moment("", "", True, True)
            return
        said = clock_of(model.playhead_s)
        is_last = model.stepped(1) <= model.playhead_s
        self._side.show_moment(
            said, f"frame {place + 1:,} of {count:,}", model.playhead_s <= 0, is_last
        )

    # -- under the pointer

    def hover(self, time_s: float | None, x: int) -> None:
        """Show the frame at a moment, above the place of the timeline where it is."""
        if time_s is not None:
            time_s = self._canvas.exact(time_s)
        place = None if time_s is None else self._model.place_at(time_s)
        if time_s is None or place is None:
            self._preview.hide()
            return
        canvas = self._canvas
        wide, high = canvas.tile_wh()
        self._picture.prepare(time_s)
        said = clock_of(time_s)
        if (score := self._model.score_at(time_s)) is not None:
            said += f" · {score:.2f}"
        self._preview.show(
            self._model.frames[place].crop_path,
            wide / high,
            said,
            canvas.winfo_x() + x,
            canvas.winfo_y() - canvas.theme.px(_ABOVE),
        )
