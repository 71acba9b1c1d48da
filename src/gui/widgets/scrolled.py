"""Content higher than its place: a bar when there is something to scroll, and keys that follow."""

from __future__ import annotations

import re
import tkinter
from collections.abc import Callable
from typing import Any

from src.gui.theme.theme import LEFT, RIGHT, Theme
from src.gui.theme.toolkit import ctk

_BAR = 12
_COMMAND = re.compile(r"\[(\S+) ")  # in a script that tkinter has bound


def scrollbar(master: Any, theme: Theme, command: Callable[..., None]) -> ctk.CTkScrollbar:
    """Make the bar of a Canvas, which lies in the panel's right margin."""
    c = theme.colours
    return ctk.CTkScrollbar(
        master,
        width=_BAR,
        command=command,
        fg_color=c.window,
        button_color=c.strong_border,
        button_hover_color=c.hint,
        corner_radius=4,
        border_spacing=2,
    )


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
        self._room_px = 0  # that `fit` was told of
        before = _commands_bound_to_all(master)
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
        self._bound_to_all = _commands_bound_to_all(master) - before
        top = self.winfo_toplevel()
        self._bound_to_top = top.bind("<FocusIn>", lambda event: self._follow(event.widget), "+")
        self._parent_canvas.bind("<Configure>", lambda _: self._tidy(), add="+")

    def destroy(self) -> None:
        """Remove it, and what was bound outside of it: CustomTkinter leaves that behind."""
        top = self.winfo_toplevel()
        for sequence in top.bind_all():
            self._unbind("all", sequence, self._bound_to_all)
        self._unbind(str(top), "<FocusIn>", {self._bound_to_top})
        for command in (*self._bound_to_all, self._bound_to_top):
            top.deletecommand(command)  # by the window, or it would be deleted with it once more
        super().destroy()

    def _unbind(self, tag: str, sequence: str, commands: set[str]) -> None:
        """Take some commands out of what is bound to an event; tkinter would take all."""
        lines = str(self.tk.call("bind", tag, sequence)).splitlines()
        left = [line for line in lines if not commands.intersection(_COMMAND.findall(line))]
        if left != lines:
            self.tk.call("bind", tag, sequence, "\n".join(left))

    def fit(self, room_px: int) -> bool:
        """Make it as high as what is in it, or as the room there is.

        Returns:
            Whether something is out of sight.
        """
        wanted: int = self.winfo_reqheight()
        self._room_px = room_px
        self._parent_canvas.configure(height=max(1, min(wanted, room_px)))
        self._tidy()
        return wanted > room_px

    def show_from(self, widget: tkinter.Misc) -> None:
        """Scroll so far that a widget in it is at the top, or as near to it as possible."""
        self.update_idletasks()
        top = widget.winfo_rooty() - self.winfo_rooty() - self.theme.px(8)
        self._parent_canvas.yview_moveto(max(0, top) / max(1, self.winfo_reqheight()))

    def _follow(self, focused: object) -> None:
        """Scroll a control into view when the Tab key reaches it."""
        if isinstance(focused, tkinter.Misc) and str(focused).startswith(f"{self}."):
            self.see(focused)

    def see(self, widget: tkinter.Misc) -> None:
        """Scroll as little as shows all of a widget in it."""
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
        # a place that is fitted to its content gets its height a moment later
        room = self._room_px or self._parent_canvas.winfo_height()
        if self.winfo_reqheight() > room > 1:
            self._scrollbar.place(relx=1.0, relheight=1.0, anchor="ne")
            # what has become lower may be out of sight, where Tk tells nobody of its size
            canvas = self._parent_canvas
            canvas.configure(scrollregion=canvas.bbox("all"))
            canvas.yview_moveto(canvas.yview()[0])
        else:
            self._scrollbar.place_forget()
            self._parent_canvas.yview_moveto(0)


def _commands_bound_to_all(widget: tkinter.Misc) -> set[str]:
    window = widget.winfo_toplevel()  # CustomTkinter's other widgets can't be asked
    return {
        command
        for sequence in window.bind_all()
        for command in _COMMAND.findall(window.bind_all(sequence))
    }
