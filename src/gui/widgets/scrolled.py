"""Content higher than its place: a bar when there is something to scroll, and keys that follow."""

from __future__ import annotations

import tkinter
from typing import Any

import customtkinter as ctk

from src.gui.theme.theme import LEFT, RIGHT, Theme

_BAR = 12


class Scrolled(ctk.CTkScrollableFrame):
    """Keeps the panel's margins; the bar lives in the right one and moves nothing."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        ground: str | None = None,
        margins: tuple[int, int] = (LEFT, RIGHT),
    ) -> None:
        """Make it.

        Args:
            ground: the colour behind it; the window's where there is none.
            margins: left and right of what is in it; the bar lies in the right one.
        """
        c = theme.colours
        ground = ground or c.window
        super().__init__(
            master,
            fg_color=ground,
            corner_radius=0,
            scrollbar_button_color=c.strong_border,
            scrollbar_button_hover_color=c.hint,
            scrollbar_fg_color=ground,
        )
        self.theme = theme
        self._scrollbar.configure(width=_BAR, border_spacing=2)
        self._parent_canvas.grid(padx=(theme.px(margins[0]), theme.px(margins[1])))
        self._scrollbar.grid_remove()
        self._scrollbar.place(relx=1.0, relheight=1.0, anchor="ne")
        tkinter.Misc.bind(self, "<Configure>", lambda _: self._tidy(), "+")
        self.winfo_toplevel().bind("<FocusIn>", lambda event: self._follow(event.widget), "+")
        self._parent_canvas.bind("<Configure>", lambda _: self._tidy(), add="+")

    def fit(self, room_px: int) -> bool:
        """Make it as high as what is in it, or as the room there is.

        Returns:
            Whether something is out of sight.
        """
        wanted: int = self.winfo_reqheight()
        self._parent_canvas.configure(height=max(1, min(wanted, room_px)))
        return wanted > room_px

    def _follow(self, focused: object) -> None:
        """Scroll a control into view when the Tab key reaches it."""
        if isinstance(focused, tkinter.Misc) and str(focused).startswith(f"{self}."):
            self._see(focused)

    def _see(self, widget: tkinter.Misc) -> None:
        content, height = self.winfo_reqheight(), self._parent_canvas.winfo_height()
        top = widget.winfo_rooty() - self.winfo_rooty()
        bottom, shown = top + widget.winfo_height(), -self.winfo_y()
        margin = self.theme.px(16)
        if top - margin < shown:
            self._parent_canvas.yview_moveto(max(0, top - margin) / content)
        elif bottom + margin > shown + height:
            self._parent_canvas.yview_moveto((bottom + margin - height) / content)

    def _tidy(self) -> None:
        """Hide the scrollbar where there is nothing to scroll; CustomTkinter always shows it."""
        if self.winfo_reqheight() > self._parent_canvas.winfo_height() > 1:
            self._scrollbar.place(relx=1.0, relheight=1.0, anchor="ne")
        else:
            self._scrollbar.place_forget()
            self._parent_canvas.yview_moveto(0)
