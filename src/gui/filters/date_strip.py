"""When what is found was taken, as a chart to drag over."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from PIL import Image, ImageTk

from src.counting import counted
from src.gui.core.session import Session
from src.gui.filters.library_choices import TimeChart, time_chart
from src.gui.filters.periods import Days, long_words, taken_in, ticks
from src.gui.filters.row_buttons import DATE, days_chosen, split, with_condition
from src.gui.theme.pictures import ring_mask, rounded_mask
from src.gui.theme.theme import NORMAL, RADIUS, SMALL, Theme
from src.gui.widgets.controls import ground_of
from src.gui.widgets.key_bindings import bind_key
from src.search.filters import EVERYTHING, Filter

_HEIGHT = 56
_INSIDE = 12  # from the edge to the words
_LEFT, _RIGHT = 140, 190  # of the chart, from the edges
_TOP, _BASE = 6, 36  # of the bars, from above
_HANDLE = 8, 14
_NEAR = 8  # pixels from an end at which the pointer takes hold of it
_REST_MS = 200  # after the last key, until the choice is told
START, END, WHOLE = "start", "end", "whole"


class DateStrip(tkinter.Canvas):
    """Bars of how many were taken when, and the range that is chosen, with an end to each side.

    A drag moves an end or the whole range, or draws a new one. Tab goes from one end to the other
    and to the whole, arrows move it, Delete takes the range away, Escape and Enter close it.
    """

    def __init__(
        self,
        master: Any,
        theme: Theme,
        session: Session,
        choose: Callable[[str, Filter], None],
        close: Callable[[], object],
    ) -> None:
        super().__init__(
            master,
            bg=ground_of(master),
            height=theme.px(_HEIGHT),
            width=1,
            highlightthickness=0,
            bd=0,
            takefocus=1,
        )
        self.theme, self._session = theme, session
        self._tell, self._close = choose, close
        self._chart: TimeChart | None = None
        self._asked: Filter | None = None  # what the chart is of, or will be
        self._days = Days(None, None)  # that are chosen
        self._range: tuple[int, int] | None = None  # the first and the last bar that are in them
        self._held = START  # what keys move, or the pointer
        self._drag: tuple[str, int, tuple[int, int] | None] | None = None
        self._waits: str | None = None
        self._photo: ImageTk.PhotoImage | None = None
        for event in ("<Configure>", "<FocusIn>", "<FocusOut>"):
            self.bind(event, lambda _: self._draw())
        self.bind("<Button-1>", self._pressed)
        self.bind("<B1-Motion>", self._dragged)
        self.bind("<ButtonRelease-1>", self._released)
        self.bind("<Motion>", self._pointed)
        for key, step in (("Left", -1), ("Right", 1), ("Home", -999), ("End", 999)):
            bind_key(self.bind, f"<{key}>", partial(self._move, step))
        for key in ("Escape", "Return", "KP_Enter"):
            bind_key(self.bind, f"<{key}>", lambda _: self._done())
        for key in ("Delete", "BackSpace"):
            bind_key(self.bind, f"<{key}>", lambda _: self._set(None))
        self.bind("<Tab>", lambda _: self._next(1))
        self.bind("<Shift-Tab>", lambda _: self._next(-1))
        if self.tk.call("tk", "windowingsystem") == "x11":
            self.bind("<ISO_Left_Tab>", lambda _: self._next(-1))

    def open(self, where: Filter) -> None:
        """Come into sight with a filter."""
        self._held = START
        self._asked = None  # the library may have changed
        self.show(where)
        self.focus_set()

    def show(self, where: Filter) -> None:
        """Show the range in a filter, over what the rest of the filter leaves."""
        owned = split(where, [DATE])[0].get(DATE.key)
        self._days = Days(None, None) if owned is None else days_chosen(owned)
        self._find_range()
        rest = with_condition(where, DATE, None)
        if self.winfo_manager() and rest != self._asked and self._session.is_open:
            self._asked = rest
            library = self._session.library

            def found(chart: TimeChart) -> None:
                if self._asked is rest:
                    self._chart = chart
                    self._find_range()
                    self._draw()

            def failed(exc: Exception) -> None:
                if self._asked is rest:
                    self._asked = None
                raise exc  # to the window's error handler

            self._session.main_thread.run(lambda: time_chart(library, rest), found, failed)
        self._draw()

    @property
    def words(self) -> tuple[str, str]:
        """How many are in the range, of how many; and when that is."""
        return self._counted, long_words(self._days)

    def x_of(self, bar: int) -> int:
        """Return where a bar begins, in device pixels from the left of the widget."""
        left, width = self._chart_place
        return left + round(bar * width / max(1, len(self._bars)))

    # -- what is chosen

    @property
    def _bars(self) -> Sequence[Days]:
        return () if self._chart is None else self._chart.bars

    def _find_range(self) -> None:
        """Find the bars that lie in the days chosen, wholly or in part."""
        self._range = None
        if not self._bars or self._days == Days(None, None):
            return
        both = [bar & self._days for bar in self._bars]
        inside = [
            n for n, each in enumerate(both) if each.first and each.last and each.first <= each.last
        ]
        self._range = (inside[0], inside[-1]) if inside else (0, -1)

    def _set(self, chosen: tuple[int, int] | None, now: bool = True) -> str:
        """Choose the days of some bars; all of them are no choice.

        Args:
            now: whether the choice is told at once, or when keys have come to rest.
        """
        last = len(self._bars) - 1
        if chosen is None or chosen == (0, last):
            self._range, self._days = None, Days(None, None)
        else:
            self._range = chosen
            self._days = Days(self._bars[chosen[0]].first, self._bars[chosen[1]].last)
        self._draw()
        self._wait_no_more()
        if now:
            self._tell_it()
        else:
            self._waits = self.after(_REST_MS, self._tell_it)
        return "break"

    def _tell_it(self) -> None:
        self._waits = None
        nothing = self._days == Days(None, None)
        self._tell(DATE.key, EVERYTHING if nothing else taken_in(self._days))

    def _wait_no_more(self) -> None:
        if self._waits is not None:
            self.after_cancel(self._waits)
            self._waits = None

    def _moved(self, held: str, chosen: tuple[int, int] | None, step: int) -> tuple[int, int]:
        """Return a range with one of its ends moved, or all of it, as far as there are bars."""
        last = len(self._bars) - 1
        low, high = chosen if chosen is not None else (0, last)
        if high < low:  # nothing of what is shown lies in the range
            low, high = 0, last
        if held == START:
            return min(max(0, low + step), high), high
        if held == END:
            return low, min(max(low, high + step), last)
        step = min(max(-low, step), last - high)
        return low + step, high + step

    # -- keys

    def _move(self, step: int, _event: object) -> str:
        if self._bars:
            self._set(self._moved(self._held, self._range, step), now=False)
        return "break"

    def _next(self, step: int) -> str | None:
        """Go on to the other end or the whole; after that to the next widget."""
        stops = (START, END, WHOLE)
        at = stops.index(self._held) + step
        if not 0 <= at < len(stops):
            self._held = START if at > 0 else WHOLE
            return None
        self._held = stops[at]
        self._draw()
        return "break"

    def _done(self) -> str:
        if self._waits is not None:
            self._wait_no_more()
            self._tell_it()
        self._close()
        return "break"

    # -- pointer

    def _bar_at(self, x: int) -> int:
        left, width = self._chart_place
        return min(max(0, (x - left) * len(self._bars) // max(1, width)), len(self._bars) - 1)

    def _grip(self, x: int) -> str:
        """Tell what the pointer would take hold of; "" for nothing: there a new range begins."""
        start, end = self._ends
        near = self.theme.px(_NEAR)
        if min(abs(x - start), abs(x - end)) <= near:
            return START if abs(x - start) < abs(x - end) else END
        return WHOLE if self._range is not None and start < x < end else ""

    def _pointed(self, event: tkinter.Event[tkinter.Misc]) -> None:
        left, width = self._chart_place
        cursor = ""
        if self._bars and left - self.theme.px(_NEAR) <= event.x <= left + width + self.theme.px(
            _NEAR
        ):
            cursor = {WHOLE: "fleur", "": "crosshair"}.get(self._grip(event.x), "sb_h_double_arrow")
        self.configure(cursor=cursor)

    def _pressed(self, event: tkinter.Event[tkinter.Misc]) -> None:
        self.focus_set()
        left, width = self._chart_place
        near = self.theme.px(_NEAR)
        if not self._bars or not left - near <= event.x <= left + width + near:
            return
        held = self._grip(event.x)
        at = self._bar_at(event.x)
        if not held:
            self._range = at, at
        self._held = held or END
        self._drag = held, at, self._range
        self._dragged(event)

    def _dragged(self, event: tkinter.Event[tkinter.Misc]) -> None:
        if self._drag is None:
            return
        held, start, before = self._drag
        at = self._bar_at(event.x)
        if held:
            self._range = self._moved(held, before, self._steps(held, start, event.x, before))
        else:
            self._range = min(start, at), max(start, at)
        self._days = Days(self._bars[self._range[0]].first, self._bars[self._range[1]].last)
        self._draw()

    def _steps(self, held: str, start: int, x: int, before: tuple[int, int] | None) -> int:
        """Return by how many bars the pointer has moved what it holds."""
        if held == WHOLE:
            return self._bar_at(x) - start
        low, high = before if before is not None else (0, len(self._bars) - 1)
        left, width = self._chart_place
        edge = round((x - left) * len(self._bars) / max(1, width))  # between two bars
        return edge - low if held == START else edge - 1 - high

    def _released(self, _event: object) -> None:
        if self._drag is not None:
            self._drag = None
            self._set(self._range)

    # -- drawing

    @property
    def _chart_place(self) -> tuple[int, int]:
        """Where the chart begins, and how wide it is."""
        px = self.theme.px
        return px(_LEFT), max(1, self.winfo_width() - px(_LEFT + _RIGHT))

    @property
    def _ends(self) -> tuple[int, int]:
        """Where the two ends of the range lie."""
        low, high = (0, len(self._bars) - 1) if self._range is None else self._range
        return self.x_of(low), self.x_of(high + 1)

    @property
    def _counted(self) -> str:
        """How many files are in the range, of all that the rest of the filter leaves."""
        if self._chart is None:
            return "Counting…"
        counts = self._chart.counts
        every = sum(counts) + self._chart.undated
        if self._range is None:
            return counted(every, "file")
        return f"{sum(counts[self._range[0] : self._range[1] + 1]):,} of {counted(every, 'file')}"

    def _draw(self) -> None:
        width, height, px, c = (
            self.winfo_width(),
            self.winfo_height(),
            self.theme.px,
            self.theme.colours,
        )
        if width <= 1:
            return
        self.delete("all")
        picture = Image.new("RGB", (width, height), str(self["bg"]))
        picture.paste(c.border, (0, 0), ring_mask((width, height), px(RADIUS), self.theme.scale))
        self._draw_bars(picture)
        self._photo = ImageTk.PhotoImage(picture)
        self.create_image(0, 0, image=self._photo, anchor="nw")
        how_many, when = self.words
        self._write(px(_INSIDE), px(18), DATE.name, "w")
        self._write(px(_INSIDE), px(38), how_many, "w", small=True)
        self._write(
            width - px(_INSIDE), px(18), when.capitalize() if self._range is None else when, "e"
        )
        if self._bars:
            self._write(width - px(_INSIDE), px(38), "Drag the ends", "e", small=True)
        elif self._chart is not None:
            left, wide = self._chart_place
            self._write(left + wide // 2, height // 2, "No dates are known", "center", small=True)
        free = 0
        for bar, text in ticks(self._bars):
            x = self.x_of(bar)
            wide = self.theme.canvas_font(self, SMALL).measure(text)
            if x >= free and x + wide <= width - px(_RIGHT - _INSIDE):
                self._write(x, px(46), text, "w", small=True)
                free = x + wide + px(8)

    def _draw_bars(self, picture: Image.Image) -> None:
        if self._chart is None or not self._bars:
            return
        c, px = self.theme.colours, self.theme.px
        start, end = self._ends
        low, high = self._range if self._range is not None else (0, -1)
        if self._range is not None and high >= low:
            picture.paste(c.selection, (start, px(_TOP) - px(2), end, px(_BASE)))
        most = max(self._chart.counts) or 1
        gap = (
            px(2)
            if self.x_of(1) - self.x_of(0) >= px(5)
            else min(1, self.x_of(1) - self.x_of(0) - 1)
        )
        for bar, count in enumerate(self._chart.counts):
            if count:
                high_px = max(px(2), round(count / most * px(_BASE - _TOP - 2)))
                x = self.x_of(bar)
                box = (
                    x,
                    px(_BASE) - high_px,
                    max(x + 1, self.x_of(bar + 1) - max(0, gap)),
                    px(_BASE),
                )
                picture.paste(c.accent if low <= bar <= high else c.strong_border, box)
        has_focus = self.focus_get() is self and self.theme.shows_focus
        for name, x in ((START, start), (END, end)):
            is_held = has_focus and self._held in (name, WHOLE)
            line = max(1, px(1.5))
            at = min(max(0, x - line // 2), picture.width - line)
            picture.paste(c.accent, (at, px(_TOP) - px(2), at + line, px(_BASE)))
            size = px(_HANDLE[0] + (4 if is_held else 0)), px(_HANDLE[1] + (4 if is_held else 0))
            middle = x - size[0] // 2, (px(_TOP) + px(_BASE)) // 2 - size[1] // 2
            if is_held:
                picture.paste(c.accent, middle, rounded_mask(size, px(5)))
                size = px(_HANDLE[0]), px(_HANDLE[1])
                middle = x - size[0] // 2, (px(_TOP) + px(_BASE)) // 2 - size[1] // 2
            picture.paste(c.text, middle, rounded_mask(size, px(4)))

    def _write(self, x: int, y: int, text: str, anchor: Any, small: bool = False) -> None:
        c = self.theme.colours
        font = self.theme.canvas_font(self, SMALL if small else NORMAL)
        self.create_text(
            x, y, text=text, anchor=anchor, font=font, fill=c.text_2 if small else c.text
        )

    def destroy(self) -> None:
        self._wait_no_more()
        super().destroy()
