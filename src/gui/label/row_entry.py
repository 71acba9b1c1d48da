"""An entry in the place of a row: Enter saves what was typed, Escape does not."""

from __future__ import annotations

import tkinter
from collections.abc import Callable

from src.gui.theme.theme import SMALL, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.inputs import Entry


class RowEntry:
    """Opened over a Canvas; it closes when the keyboard goes elsewhere."""

    def __init__(self, canvas: tkinter.Canvas, theme: Theme) -> None:
        self._canvas, self._theme = canvas, theme
        self._entry: Entry | None = None
        self._wrong: tkinter.Label | None = None

    def open(
        self,
        box: tuple[int, int, int, int],
        text: str,
        on_save: Callable[[str], object],
        wrong: str = "",
    ) -> None:
        """Show it.

        Args:
            box: where, in device pixels of the Canvas: left, top, width, height.
            on_save: gets what was typed, where that is not empty.
            wrong: why what is in it can't be saved.
        """
        self.close()
        theme, (left, top, width, height) = self._theme, box
        entry = Entry(
            self._canvas, theme, "Name", height=32, on_enter=lambda new: self._save(new, on_save)
        )
        self._entry = entry
        entry.set(text)
        entry.field.bind("<Escape>", lambda _: self.close())
        entry.field.bind("<FocusOut>", lambda _: self._left(entry), add="+")
        scale = ctk.ScalingTracker.get_widget_scaling(entry)
        entry.configure(width=width / scale)
        entry.place(x=left / scale, y=(top + theme.px(4)) / scale)
        if wrong:
            entry.set_error(True)
            self._wrong = tkinter.Label(
                self._canvas,
                text=wrong,
                bg=theme.colours.window,
                fg=theme.colours.error,
                justify="left",
                wraplength=width,
                font=theme.canvas_font(self._canvas, SMALL),
            )
            self._wrong.place(x=left, y=top + height)
        entry.focus_field()

    def close(self) -> str:
        """Remove it; the Canvas gets the keyboard back where it had it."""
        entry, self._entry = self._entry, None
        wrong, self._wrong = self._wrong, None
        if wrong is not None:
            wrong.destroy()
        if entry is not None:
            had_focus = f"{self._canvas.focus_get()}.".startswith(f"{entry}.")
            entry.destroy()
            if had_focus:
                self._canvas.focus_set()
        return "break"

    def _left(self, entry: Entry) -> None:
        """Close it once the keyboard is elsewhere, if it is still the same."""

        def close() -> None:
            if self._entry is entry:
                self.close()

        self._canvas.after_idle(close)

    def _save(self, text: str, on_save: Callable[[str], object]) -> None:
        self.close()
        if text.strip():
            on_save(text.strip())
