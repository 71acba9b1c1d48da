"""A short text about a control."""

from __future__ import annotations

import tkinter
from typing import ClassVar

from src.gui.theme.theme import SMALL, Theme

# The attribute of a control that its tooltip is.
_OWN = "_own_tooltip"


class Tooltip:
    """A short text about a control, after the pointer has rested on it.

    Attributes:
        why_not: why the control can't be used, in the place of the text; "" where it can.
    """

    AFTER_MS = 600
    _in_sight: ClassVar[Tooltip | None] = None

    def __init__(self, widget: tkinter.Misc, theme: Theme, text: str) -> None:
        self._widget, self._theme, self.text, self.why_not = widget, theme, text, ""
        self._at: tuple[int, int] | None = None
        self._waits: str | None = None
        self._shown: tkinter.Toplevel | None = None
        for child in _all_inside(widget):
            child.bind("<Enter>", self._enter, add="+")
            child.bind("<Leave>", self._leave, add="+")
            child.bind("<Button-1>", self._leave, add="+")
        widget.bind("<Destroy>", self._leave, add="+")
        setattr(widget, _OWN, self)  # it goes with the widget

    def say(self, text: str, at: tuple[int, int] | None = None) -> None:
        """Show another text from now on, after a rest as before; nothing when there is no text.

        Args:
            at: where in the widget, in device pixels; below it when None.
        """
        self.text, self._at = text, at
        self._enter(None)

    def _enter(self, _event: object) -> None:
        self._leave(None)
        if self._shown_text:
            self._waits = self._widget.after(self.AFTER_MS, self._show)

    @property
    def _shown_text(self) -> str:
        return self.why_not or self.text

    def _leave(self, _event: object) -> None:
        if self._waits is not None:
            self._widget.after_cancel(self._waits)
            self._waits = None
        if self._shown is not None:
            self._shown.destroy()
            self._shown = None
        if Tooltip._in_sight is self:
            Tooltip._in_sight = None

    @classmethod
    def hide(cls) -> None:
        """Hide the one that is seen: what it explains is about to be covered."""
        if cls._in_sight is not None:
            cls._in_sight._leave(None)

    def _show(self) -> None:
        self._waits = None
        if not self._shown_text:
            return
        c, px = self._theme.colours, self._theme.px
        top = tkinter.Toplevel(self._widget, bg=c.border)
        top.wm_overrideredirect(True)
        tkinter.Label(
            top,
            text=self._shown_text,
            justify="left",
            wraplength=px(480),
            bg=c.raised,
            fg=c.text,
            padx=px(8),
            pady=px(4),
            font=self._theme.canvas_font(self._widget, SMALL),
        ).pack(padx=1, pady=1)
        left, below = self._at or (0, self._widget.winfo_height() + px(2))
        x, y = self._widget.winfo_rootx() + left, self._widget.winfo_rooty() + below
        top.update_idletasks()
        window = self._widget.winfo_toplevel()
        if y + top.winfo_reqheight() > self._widget.winfo_screenheight():  # no space below
            y = self._widget.winfo_rooty() - top.winfo_reqheight() - px(2)
        # inside the window, as far as it is wide enough
        left = window.winfo_rootx() + px(4)
        right = window.winfo_rootx() + window.winfo_width() - px(4)
        x = max(left, min(x, right - top.winfo_reqwidth()))
        top.wm_geometry(f"+{x}+{y}")
        self._shown, Tooltip._in_sight = top, self


def explain(widget: tkinter.Misc, theme: Theme, why_not: str) -> None:
    """Have a control's tooltip say why it can't be used, in the place of what it says else."""
    tooltip: Tooltip = getattr(widget, _OWN, None) or Tooltip(widget, theme, "")
    tooltip.why_not = why_not


def _all_inside(widget: tkinter.Misc) -> list[tkinter.Misc]:
    found = [widget]
    for child in widget.winfo_children():
        found += _all_inside(child)
    return found
