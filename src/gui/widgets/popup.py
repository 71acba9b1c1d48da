"""A menu that opens where it is asked for, and closes when a choice is made."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from functools import partial

from PIL import Image, ImageGrab

from src.gui.theme.theme import NORMAL, RADIUS, Theme
from src.gui.widgets.corners import Corners
from src.gui.widgets.key_bindings import bind_key

Entry = tuple[str, Callable[[], object]]
_ROW, _MARGIN, _INDENT = 32, 4, 12


def show_menu(
    master: tkinter.Misc,
    theme: Theme,
    entries: Sequence[Entry],
    x: int,
    y: int,
    *,
    width: int = 0,
    above: int | None = None,
    chosen: int | None = None,
) -> None:
    """Open a menu inside the window, at a place on the screen.

    Args:
        entries: what each says, and what it does.
        width: it is at least so wide, in device pixels.
        above: where its lower end goes when it does not fit below `y`.
        chosen: the entry with a tick, which the keys begin from.
    """
    _Menu(master.winfo_toplevel(), theme, entries, width, chosen).open(x, y, above)


class _Menu(tkinter.Frame):
    """Gets all clicks and keys until it closes: a click elsewhere and Escape choose nothing."""

    def __init__(
        self,
        root: tkinter.Misc,
        theme: Theme,
        entries: Sequence[Entry],
        width: int,
        chosen: int | None,
    ) -> None:
        c, px = theme.colours, theme.px
        super().__init__(
            root,
            bg=c.raised,
            highlightthickness=max(1, round(theme.scale)),
            highlightbackground=c.control,
            highlightcolor=c.control,
            takefocus=1,
        )
        self._window, self._theme, self._entries = root, theme, entries
        self._at = -1 if chosen is None else chosen
        self._focus_before = root.focus_get()
        font = theme.canvas_font(root, NORMAL)
        ticks = chosen is not None
        wide = max(font.measure(text) for text, _ in entries) + px(2 * _INDENT + _MARGIN * 2)
        wide += px(24) if ticks else 0
        self._wh = max(width, wide), px(_ROW) * len(entries) + px(2 * _MARGIN) + 2
        self._rows = []
        for place, (text, _) in enumerate(entries):
            said = f"{'✓' if place == chosen else ''}\t{text}" if ticks else text
            row = tkinter.Canvas(self, bg=c.raised, highlightthickness=0, bd=0, height=px(_ROW))
            middle = px(_ROW) // 2
            sign, _, words = said.rpartition("\t")
            row.create_text(px(_INDENT), middle, text=sign, anchor="w", font=font, fill=c.accent)
            left = px(_INDENT + 24) if ticks else px(_INDENT)
            row.create_text(left, middle, text=words, anchor="w", font=font, fill=c.text)
            row.pack(
                fill="x",
                padx=px(_MARGIN),
                pady=(px(_MARGIN) if place == 0 else 0, 0),
            )
            # not <Enter>: a pointer that rests where the menu opens has chosen nothing
            row.bind("<Motion>", partial(self._over, place))
            row.bind("<ButtonRelease-1>", partial(self._choose, place))
            self._rows.append(row)
        self._corners = Corners(self, theme, c.raised, c.control, RADIUS)
        self.bind("<Button-1>", self._pressed)
        self.bind("<Button-3>", self._pressed)
        self.bind("<FocusOut>", lambda _: self._close())
        for key, step in (("Down", 1), ("Up", -1), ("Tab", 1)):
            bind_key(self.bind, f"<{key}>", partial(self._step, step))
        for key in ("Return", "KP_Enter", "space"):
            bind_key(self.bind, f"<{key}>", lambda _: self._choose(self._at, None))
        bind_key(self.bind, "<Escape>", lambda _: self._close())

    def open(self, x: int, y: int, above: int | None) -> None:
        width, height = self._wh
        left, top = self._window.winfo_rootx(), self._window.winfo_rooty()
        wide, high = self._window.winfo_width(), self._window.winfo_height()
        x, y = min(x - left, wide - width), y - top
        if y + height > high:
            y = max(0, (above - top - height) if above is not None else high - height)
        behind = seen_on_screen((left + x, top + y, left + x + width, top + y + height))
        self.place(x=max(0, x), y=y, width=width, height=height)
        self.lift()
        self._mark()
        self.update_idletasks()
        self._corners.match(behind, (0, 0))
        self.grab_set()
        self.focus_set()

    def _over(self, place: int, _event: object) -> None:
        self._at = place
        self._mark()

    def _mark(self) -> None:
        c = self._theme.colours
        for place, row in enumerate(self._rows):
            row.configure(bg=c.hover if place == self._at else c.raised)

    def _step(self, step: int, _event: object) -> str:
        self._at = (self._at + step) % len(self._rows) if self._at >= 0 or step > 0 else -1
        self._mark()
        return "break"

    def _pressed(self, event: tkinter.Event[tkinter.Misc]) -> str:
        """Close on a click outside: with the grab all clicks come here."""
        if event.widget is self and not (
            0 <= event.x < self.winfo_width() and 0 <= event.y < self.winfo_height()
        ):
            self._close()
        return "break"

    def _choose(self, place: int, _event: object) -> str:
        self._close()
        if 0 <= place < len(self._entries):
            self._entries[place][1]()
        return "break"

    def _close(self) -> str:
        if self.winfo_exists():
            self.grab_release()
            had_focus = self.focus_get() is self
            self.destroy()
            before = self._focus_before
            if had_focus and before is not None and before.winfo_exists():
                before.focus_set()
        return "break"


def seen_on_screen(box: tuple[int, int, int, int]) -> Image.Image | None:
    """Return what the screen shows there; None where it can't be read."""
    try:
        return ImageGrab.grab(box).convert("RGB")
    except (OSError, ValueError):
        return None
