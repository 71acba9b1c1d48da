"""Dialogs inside the window, over a darkened picture of it."""

from __future__ import annotations

import contextlib
import tkinter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageGrab, ImageTk

from src.gui.theme.theme import DIALOG, RADIUS_LARGE, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.corners import Corners
from src.gui.widgets.tooltip import Tooltip

_ROUNDS = 3  # of layout: what is laid out may have others laid out again
_DARK = 0.35  # of the window's brightness that is left


def darkened_window(root: tkinter.Misc, colour: str) -> Image.Image | None:
    """Return a picture of the window, darkened; None where the screen can't be read."""
    x, y = root.winfo_rootx(), root.winfo_rooty()
    width, height = root.winfo_width(), root.winfo_height()
    try:
        picture = ImageGrab.grab((x, y, x + width, y + height)).convert("RGB")
    except (OSError, ValueError):
        return None
    if picture.size != (width, height):  # a desktop that scales its screenshots
        picture = picture.resize((width, height))
    return Image.blend(Image.new("RGB", picture.size, colour), picture, _DARK)


@dataclass
class _Layer:
    """One dialog with what lies behind it."""

    dialog: ctk.CTkFrame
    cover: tkinter.Label
    corners: Corners
    on_close: Callable[[], None] | None
    focus_before: tkinter.Misc | None
    about: object
    on_sized: Callable[[], None] | None = None
    picture: Image.Image | None = None
    photo: ImageTk.PhotoImage | None = None
    drawn: bool = False


class Overlay:
    """Covers the window with dialogs, one over another; Escape and the cross close the top one.

    A dialog comes into sight with all that is in it: it is drawn under all else and lifted then,
    over a picture of the window, which has drawn by then what had changed in it, too. Until then
    clicks go nowhere.
    """

    def __init__(self, root: Any, theme: Theme, close_hint: str = "Close") -> None:
        """Start with no dialog.

        Args:
            close_hint: the tooltip of a dialog's cross.
        """
        self.root, self.theme, self.close_hint = root, theme, close_hint
        self._layers: list[_Layer] = []
        self._takes_clicks = tkinter.Frame(root, width=1, height=1, bg=theme.colours.window)
        self._takes_clicks.place(x=0, y=0)
        self._takes_clicks.lower()
        self._size_wh = 0, 0  # of the window, when dialogs were fitted to it
        tkinter.Misc.bind(root, "<Configure>", self._resized, "+")

    @property
    def is_open(self) -> bool:
        return bool(self._layers)

    @property
    def dialog(self) -> ctk.CTkFrame | None:
        """The dialog on top, which gets the clicks and keys."""
        return self._layers[-1].dialog if self._layers else None

    @property
    def undrawn(self) -> ctk.CTkFrame | None:
        """The dialog on top as long as it lies under all else."""
        return None if not self._layers or self._layers[-1].drawn else self.dialog

    def holds(self, dialog: ctk.CTkFrame) -> bool:
        """Return whether a dialog is open still, be it under another one."""
        return self._layer(dialog) is not None

    def shows(self, about: object) -> bool:
        """Return whether a dialog about this is open already."""
        return any(layer.about == about for layer in self._layers)

    def open(
        self,
        width: int = DIALOG,
        on_close: Callable[[], None] | None = None,
        about: object = None,
        on_sized: Callable[[], None] | None = None,
    ) -> ctk.CTkFrame:
        """Return an empty dialog to fill, over the one that is open.

        Args:
            about: what it says, for `shows`.
            on_sized: called when it is known how large all in it would be, before it is seen, and
                whenever the window has got another size.
        """
        c = self.theme.colours
        Tooltip.hide()
        focus_before = self.root.focus_get()
        # a window that gets another size meanwhile keeps its picture where the sidebar is
        cover = tkinter.Label(self.root, bg=c.window, bd=0, anchor="nw")
        cover.bind("<Button-1>", lambda _: "break")
        dialog = ctk.CTkFrame(
            self.root,
            fg_color=c.sidebar,
            corner_radius=0,
            border_width=1,
            border_color=c.strong_border,
            width=width,
            bg_color=c.window,
        )
        corners = Corners(dialog, self.theme, c.sidebar, c.strong_border, RADIUS_LARGE)
        dialog.grid_columnconfigure(0, weight=1, minsize=self.theme.px(width))
        dialog.place(relx=0.5, rely=0.5, anchor="center")
        dialog.lower()
        layer = _Layer(dialog, cover, corners, on_close, focus_before, about, on_sized)
        self._layers.append(layer)
        with contextlib.suppress(tkinter.TclError):  # a window that is not on the screen
            self._takes_clicks.grab_set()
        dialog.focus_set()  # typing must not go to what lies under it
        tkinter.Misc.bind(dialog, "<Configure>", lambda _: self._match_corners(layer), "+")
        # not when idle: CustomTkinter's scrollbar does all idle work while it is being made
        self.root.after(0, self._draw, dialog)
        return dialog

    def _draw(self, dialog: ctk.CTkFrame) -> None:
        """Lay out all that is in a dialog; CustomTkinter draws it on the event of its size."""
        self.root.update_idletasks()
        layer = self._layer(dialog)
        if layer is not None and layer.on_sized is not None:
            layer.on_sized()
            self.root.update_idletasks()
        # The events that are waiting by now draw all of it. What waits until all is idle may wait
        # as long as a job runs: there is always something due.
        self.root.after(0, self.root.after, 0, self._lift, dialog)

    def _lift(self, dialog: ctk.CTkFrame) -> None:
        layer = self._layer(dialog)
        if layer is None:
            return
        for _ in range(_ROUNDS):
            self.root.update_idletasks()
        layer.picture = darkened_window(self.root, self.theme.colours.window)
        if layer.picture is not None:
            layer.photo = ImageTk.PhotoImage(layer.picture)
            layer.cover.configure(image=layer.photo)
        layer.drawn = True
        layer.cover.place(x=0, y=0, relwidth=1, relheight=1)
        layer.cover.lift()
        self._match_corners(layer)
        dialog.lift(layer.cover)
        if self.undrawn is None:
            self._takes_clicks.grab_release()

    def _resized(self, event: tkinter.Event[tkinter.Misc]) -> None:
        """Have dialogs fit a window that has another size now."""
        size_wh = event.width, event.height
        if event.widget is not self.root or size_wh == self._size_wh:
            return
        self._size_wh = size_wh
        for layer in self._layers:
            if layer.drawn and layer.on_sized is not None:
                layer.on_sized()

    def _match_corners(self, layer: _Layer) -> None:
        """Draw the picture behind a dialog's rounded corners."""
        dialog = layer.dialog
        if self.holds(dialog):  # its size may change once more while its parts are destroyed
            layer.corners.match(layer.picture, (dialog.winfo_x(), dialog.winfo_y()))

    def close(self, dialog: ctk.CTkFrame | None = None) -> None:
        """Remove a dialog, wherever it lies; the one on top where none is named."""
        layer = self._layer(dialog or self.dialog)
        if layer is None:
            return
        was_on_top = layer is self._layers[-1]
        if not was_on_top:  # the dialog over it gives the focus back to where it was before both
            above = self._layers[self._layers.index(layer) + 1]
            above.focus_before = layer.focus_before
        self._layers.remove(layer)
        layer.dialog.destroy()
        layer.cover.destroy()
        if self.undrawn is None:
            self._takes_clicks.grab_release()
        before = layer.focus_before
        if was_on_top and before is not None and before.winfo_exists():
            before.focus_set()
        if layer.on_close is not None:
            layer.on_close()

    def keep_focus_inside(self) -> None:
        """Keep Tab inside the dialog: a control outside that gets the focus gives it back."""
        focus, dialog = self.root.focus_get(), self.dialog
        if dialog is None or focus is None or focus is self.root:
            return
        if self.root.grab_current() is not None:  # a menu is open over the dialog
            return
        if not _is_inside(focus, dialog):
            first = dialog.tk_focusNext()
            if first is not None and _is_inside(first, dialog):
                first.focus_set()

    def _layer(self, dialog: ctk.CTkFrame | None) -> _Layer | None:
        return next((layer for layer in self._layers if layer.dialog is dialog), None)


def _is_inside(widget: tkinter.Misc, dialog: tkinter.Misc) -> bool:
    return f"{widget}.".startswith(f"{dialog}.")
