"""An entry in the place of a row: Enter saves what was typed, Escape does not."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence

from src.gui.theme.theme import SMALL, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.label_entry import LabelEntry
from src.search.completion import Suggestion

_AROUND = 10  # of what is typed, within the entry
Suggest = Callable[[str], Sequence[Suggestion]]


def no_suggestions(_typed: str) -> Sequence[Suggestion]:
    """Suggest nothing: the name is to be a new one."""
    return ()


class RowEntry:
    """Opened over a Canvas; it closes when the keyboard goes elsewhere.

    Attributes:
        field: the entry; None before it is first opened.
        wrong: what is said to be wrong with what stands in it.
    """

    def __init__(self, canvas: tkinter.Canvas, theme: Theme) -> None:
        self._canvas, self._theme = canvas, theme
        self.field: LabelEntry | None = None
        self.wrong = ""
        self._suggest: Suggest = no_suggestions
        self._on_save: Callable[[str], object] = str
        self._said = tkinter.Label(
            canvas,
            bg=theme.colours.window,
            fg=theme.colours.error,
            justify="left",
            font=theme.canvas_font(canvas, SMALL),
        )

    @property
    def is_open(self) -> bool:
        return self.field is not None and bool(self.field.winfo_manager())

    def open(
        self,
        box: tuple[int, int, int, int],
        text: str,
        on_save: Callable[[str], object],
        wrong: str = "",
        placeholder: str = "Name",
        suggest: Suggest = no_suggestions,
    ) -> None:
        """Show it.

        Args:
            box: where, in device pixels of the Canvas: left, top, width, height.
            on_save: gets what was typed, where that is not empty.
            wrong: why what is in it can't be saved.
            suggest: what may be meant by what is typed so far.
        """
        theme, (left, top, width, height) = self._theme, box
        self._suggest, self._on_save, self.wrong = suggest, on_save, wrong
        field = self.field or self._made()
        field.field.configure(placeholder_text=placeholder)
        field.set(text)
        field.set_error(bool(wrong))
        scale = ctk.ScalingTracker.get_widget_scaling(field)
        field.field.configure(width=width / scale - _AROUND)
        field.place(x=left / scale, y=(top + theme.px(4)) / scale)
        if wrong:
            self._said.configure(text=wrong, wraplength=width)
            self._said.place(x=left, y=top + height)
        else:
            self._said.place_forget()
        # Tk gives the focus to nothing that is not on the screen yet, and a quick hand types on
        self._canvas.update_idletasks()
        field.focus_field()
        if wrong:  # the list would cover it; what is typed next opens it
            field.after_idle(field.list.hide)

    def close(self) -> None:
        """Hide it; the Canvas gets the keyboard back where it had it."""
        if self.field is None or not self.is_open:
            return
        had_focus = f"{self._canvas.focus_get()}.".startswith(f"{self.field}.")
        self.field.place_forget()
        self._said.place_forget()
        if had_focus:
            self._canvas.focus_set()

    def _made(self) -> LabelEntry:
        self.field = LabelEntry(
            self._canvas,
            self._theme,
            "",
            lambda typed: self._suggest(typed),
            self._save,
            self.close,
            leaves_at_once=True,
        )
        self.field.field.bind("<FocusOut>", lambda _: self._canvas.after_idle(self._left), add="+")
        return self.field

    def _left(self) -> None:
        """Close it once the keyboard is elsewhere."""
        if not f"{self._canvas.focus_get()}.".startswith(f"{self.field}."):
            self.close()

    def _save(self, text: str) -> None:
        self.close()
        self._on_save(text.strip())
