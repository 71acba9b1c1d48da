"""A small frame that opens below a button, with controls in it, until a person is done."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Iterator
from functools import partial

from src.gui.theme.theme import RADIUS, Theme
from src.gui.widgets.corners import Corners
from src.gui.widgets.key_bindings import bind_key
from src.gui.widgets.popup import seen_on_screen


class Dropdown(tkinter.Frame):
    """Gets all clicks and keys until it closes: by Escape, by a click elsewhere, or by its content.

    What belongs in it is packed into it before `open`. Tab goes round inside.
    """

    def __init__(
        self,
        master: tkinter.Misc,
        theme: Theme,
        on_close: Callable[[], object] = lambda: None,
        on_click_outside: Callable[[], object] | None = None,
    ) -> None:
        """Make it, with nothing in it.

        Args:
            on_click_outside: called in place of closing by a click elsewhere; it can close it.
        """
        c = theme.colours
        super().__init__(
            master.winfo_toplevel(),
            bg=c.raised,
            highlightthickness=max(1, round(theme.scale)),
            highlightbackground=c.control,
            highlightcolor=c.control,
        )
        self._window, self._on_close = master.winfo_toplevel(), on_close
        self._click_outside = on_click_outside or self.close
        self._focus_before = self._window.focus_get()
        self._corners = Corners(self, theme, c.raised, c.control, RADIUS)
        self._margin = theme.px(8)  # to the window's edge, where it would cross that
        self._keys = f"keys of {self}"  # a class of bindings that all in it have
        for event, answer in (
            ("<Escape>", lambda _: self.close()),
            ("<Tab>", partial(self._step, 1)),
            ("<Shift-Tab>", partial(self._step, -1)),
        ):
            bind_key(partial(self.bind_class, self._keys), event, answer)
        if self._window.tk.call("tk", "windowingsystem") == "x11":
            self.bind_class(self._keys, "<ISO_Left_Tab>", partial(self._step, -1))
        self.bind("<Button>", self._pressed)

    def open(
        self, x: int, y: int, above: int, first: tkinter.Misc, from_right: bool = False
    ) -> None:
        """Show it.

        Args:
            x, y: where its top left corner goes on the screen, as far as there is room.
            above: where its lower end goes when it does not fit below `y`.
            first: what in it gets the keyboard.
            from_right: whether `x` is that of its right edge.
        """
        self.update_idletasks()
        width, height = self.winfo_reqwidth(), self.winfo_reqheight()
        left, top = self._window.winfo_rootx(), self._window.winfo_rooty()
        wide, high = self._window.winfo_width(), self._window.winfo_height()
        x -= left + (width if from_right else 0)
        x, y = max(0, min(x, wide - width - self._margin)), y - top
        if y + height > high:
            y = max(0, above - top - height)
        behind = seen_on_screen((left + x, top + y, left + x + width, top + y + height))
        self.place(x=x, y=y, width=width, height=height)
        self.lift()
        for widget in _all_in(self):
            widget.bindtags((self._keys, *widget.bindtags()))
        self.update_idletasks()
        self._corners.match(behind, (0, 0))
        self.grab_set()
        first.focus_set()

    def close(self) -> str:
        if self.winfo_exists():
            self.grab_release()
            inside = f"{self.focus_get()}.".startswith(f"{self}.")
            self.destroy()
            before = self._focus_before
            if inside and before is not None and before.winfo_exists():
                before.focus_set()
            self._on_close()
        return "break"

    def destroy(self) -> None:
        for event in self.bind_class(self._keys):
            self.unbind_class(self._keys, event)
        super().destroy()

    def _pressed(self, event: tkinter.Event[tkinter.Misc]) -> str | None:
        """Close on a click outside: with the grab all clicks come here."""
        if event.widget is not self:
            return None
        if not (0 <= event.x < self.winfo_width() and 0 <= event.y < self.winfo_height()):
            self._click_outside()
        return "break"

    def _step(self, step: int, event: tkinter.Event[tkinter.Misc]) -> str:
        """Give the keyboard to the next of what takes it."""
        stops = [w for w in _all_in(self) if self.tk.call("tk::FocusOK", str(w))]
        if stops:
            at = stops.index(event.widget) if event.widget in stops else -1
            stops[(at + step) % len(stops)].focus_set()
        return "break"


def _all_in(widget: tkinter.Misc) -> Iterator[tkinter.Misc]:
    for child in widget.winfo_children():
        yield child
        yield from _all_in(child)
