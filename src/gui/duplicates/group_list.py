"""Groups one below the other: as many rows as are seen, however many groups there are."""

from __future__ import annotations

import sys
import tkinter
from collections.abc import Callable, Sequence
from functools import partial

from src.gui.duplicates.group_row import HEIGHT, GroupRow
from src.gui.theme.theme import LEFT, RIGHT, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.key_bindings import bind_key
from src.gui.widgets.scrolled import scrollbar

GAP = 12
_WHEEL_PX = 80


class GroupList(ctk.CTkFrame):
    """Rows are made once, and show other groups as the list is scrolled."""

    def __init__(
        self,
        master: tkinter.Misc,
        theme: Theme,
        make_row: Callable[[tkinter.Misc], GroupRow],
        fill: Callable[[GroupRow, int], None],
    ) -> None:
        """Make it.

        Args:
            fill: shows a group, by its id, in a row.
        """
        c = theme.colours
        super().__init__(master, fg_color=c.window, corner_radius=0)
        self.theme, self._make_row, self._fill = theme, make_row, fill
        self.ids: list[int] = []
        self.rows: list[GroupRow] = []
        self._shows: dict[int, int] = {}  # by the row's place in the pool: a group's id
        self._offset = 0
        self._waits = False
        self._view = tkinter.Frame(self, bg=c.window)
        self._view.pack(fill="both", expand=True, padx=(theme.px(LEFT), theme.px(RIGHT)))
        self._bar = scrollbar(self, theme, self._scroll_command)
        self._view.bind("<Configure>", lambda _: self.refresh())
        self._listen(self._view)

    def show(self, ids: Sequence[int], keep_place: bool = False) -> None:
        """Show other groups, or the same ones changed."""
        self.ids = list(ids)
        if not keep_place:
            self._offset = 0
        self._shows.clear()
        self.refresh()

    def refresh(self) -> None:
        """Place the rows again, soon; many calls make one drawing."""
        if not self._waits:
            self._waits = True
            self.after_idle(self._place)

    def fill_again(self, group_id: int) -> None:
        """Show a group again, where it is on the screen."""
        for number, shown in self._shows.items():
            if shown == group_id:
                self._fill(self.rows[number], group_id)

    def redraw(self) -> None:
        """Draw pictures that have been loaded."""
        for number in self._shows:
            self.rows[number].draw()

    @property
    def seen(self) -> list[GroupRow]:
        """The rows that show a group."""
        return [self.rows[number] for number in self._shows]

    @property
    def _pitch(self) -> int:
        return self.theme.px(HEIGHT + GAP)

    def _place(self) -> None:
        self._waits = False
        height = self._view.winfo_height()
        if height <= 1:
            return
        content = len(self.ids) * self._pitch
        most = max(0, content - height)
        self._offset = min(max(0, self._offset), most)
        pool = height // self._pitch + 2
        while len(self.rows) < pool:
            self.rows.append(self._make_row(self._view))
            self._listen(self.rows[-1])
        first = self._offset // self._pitch
        seen = dict[int, int]()
        for place in range(first, min(first + pool, len(self.ids))):
            number = place % len(self.rows)
            seen[number] = group_id = self.ids[place]
            row = self.rows[number]
            tkinter.Place.place_configure(  # CustomTkinter's own takes no height
                row,
                x=0,
                y=place * self._pitch - self._offset,
                relwidth=1.0,
                height=self.theme.px(HEIGHT),
            )
            if self._shows.get(number) != group_id:
                self._fill(row, group_id)
        for number, row in enumerate(self.rows):
            if number not in seen:
                row.place_forget()
                row.rest()
        self._shows = seen
        if most:
            self._bar.place(relx=1.0, x=-6, rely=0.0, relheight=1.0, anchor="ne")
            self._bar.set(self._offset / content, (self._offset + height) / content)
        else:
            self._bar.place_forget()

    def scroll_by(self, px: float) -> None:
        self._offset = round(self._offset + px)
        self.refresh()

    def _scroll_command(self, verb: str, amount: str, unit: str = "") -> None:
        height = self._view.winfo_height()
        if verb == "moveto":
            self.scroll_by(float(amount) * len(self.ids) * self._pitch - self._offset)
        else:
            self.scroll_by(float(amount) * height * 0.9)

    def _listen(self, widget: tkinter.Misc) -> None:
        """Scroll by the wheel over a widget and all that is in it."""
        px = self.theme.px(_WHEEL_PX)
        ticks = 120 if sys.platform == "win32" else 1
        bind = tkinter.Misc.bind
        bind(widget, "<MouseWheel>", lambda event: self.scroll_by(-px * event.delta / ticks), "+")
        bind(widget, "<Button-4>", lambda _: self.scroll_by(-px), "+")
        bind(widget, "<Button-5>", lambda _: self.scroll_by(px), "+")
        bind_key(partial(bind, widget), "<Prior>", lambda _: self.scroll_by(-self._pitch), "+")
        bind_key(partial(bind, widget), "<Next>", lambda _: self.scroll_by(self._pitch), "+")
        # CustomTkinter's own leaves out the canvas that covers a frame
        for child in tkinter.Misc.winfo_children(widget):
            self._listen(child)
