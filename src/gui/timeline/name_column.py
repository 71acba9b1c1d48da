"""The column at the timeline's left: what its rows are."""

from __future__ import annotations

import tkinter

from PIL import ImageTk

from src.gui.theme.pictures import swatch
from src.gui.theme.theme import NORMAL, SMALL, Theme, shorten
from src.gui.timeline.rows import NAMES, Rows
from src.track_records import Lane

TAG = "names"
_SWATCH, _INSIDE, _RIGHT = 12, 16, 16
_BY_PEOPLE, _BY_MODELS = "you", "auto"
_STRONG = "strong"  # names the line of the curve


class NameColumn:
    """Items on a Canvas, drawn again when other lanes are seen."""

    def __init__(self, canvas: tkinter.Canvas, theme: Theme) -> None:
        self._canvas, self._theme = canvas, theme
        self._swatches: dict[str, ImageTk.PhotoImage] = {}
        self._drawn: object = None

    def show(self, rows: Rows, lanes: list[Lane], query: str, line_y: int | None) -> None:
        """Show the names of what is seen.

        Args:
            lanes: those that are seen, in order.
            query: what the curve is of.
            line_y: where the line of the curve is; None where there is none.
        """
        what = rows, tuple((lane.kind, lane.name, lane.colour) for lane in lanes), query, line_y
        if what == self._drawn:
            return
        self._drawn = what
        canvas, c, px = self._canvas, self._theme.colours, self._theme.px
        canvas.delete(TAG)
        for number, lane in zip(rows.visible_lanes(), lanes, strict=True):
            self._draw_lane(lane, rows.top_of(number) + rows.lane // 2)
        # a lane that is scrolled half away ends there
        canvas.create_rectangle(
            0, 0, px(NAMES), rows.lanes_top, fill=c.window, outline="", tags=TAG
        )
        font = self._theme.canvas_font(canvas, NORMAL)
        if lanes or rows.has_score:
            top, bottom = rows.frames
            canvas.create_text(
                0,
                (top + bottom) // 2,
                text="Frames",
                anchor="w",
                font=font,
                fill=c.text_2,
                tags=TAG,
            )
        if rows.has_score:
            self._draw_score(rows, query, line_y)

    def _draw_lane(self, lane: Lane, middle: int) -> None:
        canvas, theme, c, px = self._canvas, self._theme, self._theme.colours, self._theme.px
        if lane.colour not in self._swatches:
            self._swatches[lane.colour] = ImageTk.PhotoImage(swatch(lane.colour, px(_SWATCH)))
        canvas.create_image(-px(2), middle, image=self._swatches[lane.colour], anchor="w", tags=TAG)
        small, font = theme.canvas_font(canvas, SMALL), theme.canvas_font(canvas, NORMAL)
        by = "" if lane.kind == "track" else _BY_PEOPLE if lane.is_of_people else _BY_MODELS
        right = px(NAMES - _RIGHT)
        canvas.create_text(right, middle, text=by, anchor="e", font=small, fill=c.text_2, tags=TAG)
        room = right - px(_INSIDE) - small.measure(by) - px(8)
        name = shorten(lane.name, font, room, tail=0)
        canvas.create_text(
            px(_INSIDE), middle, text=name, anchor="w", font=font, fill=c.text, tags=TAG
        )

    def _draw_score(self, rows: Rows, query: str, line_y: int | None) -> None:
        canvas, theme, c, px = self._canvas, self._theme, self._theme.colours, self._theme.px
        small, font = theme.canvas_font(canvas, SMALL), theme.canvas_font(canvas, NORMAL)
        top, bottom = rows.score
        first = top + px(10) if bottom - top < px(56) else top + px(16)
        canvas.create_text(0, first, text="Score", anchor="w", font=font, fill=c.text, tags=TAG)
        below = min(first + px(21), bottom - px(8))
        if line_y is not None:
            line_y = min(max(top + px(6), line_y), bottom - px(8))
        room = px(NAMES - _RIGHT)
        if line_y is not None and abs(line_y - below) < px(16):
            room -= small.measure(_STRONG) + px(8)  # both stand at one height
        named = shorten(query, small, room, tail=0)
        canvas.create_text(0, below, text=named, anchor="w", font=small, fill=c.text_2, tags=TAG)
        if line_y is not None:
            canvas.create_text(
                px(NAMES - _RIGHT),
                line_y,
                text=_STRONG,
                anchor="e",
                font=small,
                fill=c.text_2,
                tags=TAG,
            )
