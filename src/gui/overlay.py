"""Dialogs inside the window, over a darkened picture of it."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from typing import Any

import customtkinter as ctk
from PIL import Image, ImageGrab, ImageTk

from src.gui.theme import DIALOG, RADIUS_LARGE, Theme

_DARK = 0.35  # of the window's brightness that is left


def darkened_window(root: tkinter.Misc, colour: str) -> Image.Image | None:
    """A picture of the window, darkened; None where the screen can't be read."""
    x, y = root.winfo_rootx(), root.winfo_rooty()
    width, height = root.winfo_width(), root.winfo_height()
    try:
        picture = ImageGrab.grab((x, y, x + width, y + height)).convert("RGB")
    except (OSError, ValueError):
        return None
    if picture.size != (width, height):  # a desktop that scales what it hands out
        picture = picture.resize((width, height))
    return Image.blend(Image.new("RGB", picture.size, colour), picture, _DARK)


class Overlay:
    """Covers the window with one dialog at a time; Escape and the cross close it."""

    def __init__(self, root: Any, look: Theme) -> None:
        self.root, self.look = root, look
        self._cover: tkinter.Label | None = None
        self._photo: ImageTk.PhotoImage | None = None
        self._picture: Image.Image | None = None
        self.dialog: ctk.CTkFrame | None = None
        self._on_close: Callable[[], None] | None = None
        self._focus_before: tkinter.Misc | None = None

    @property
    def is_open(self) -> bool:
        return self.dialog is not None

    def open(self, width: int = DIALOG, on_close: Callable[[], None] | None = None) -> ctk.CTkFrame:
        """Give an empty dialog to fill; one that is open gives way."""
        self.close()
        c = self.look.colours
        self._focus_before = self.root.focus_get()
        # a window that gets another size meanwhile keeps its picture where the sidebar is
        self._cover = tkinter.Label(self.root, bg=c.window, bd=0, anchor="nw")
        picture = darkened_window(self.root, c.window)
        if picture is not None:
            self._photo = ImageTk.PhotoImage(picture)
            self._cover.configure(image=self._photo)
        self._cover.place(x=0, y=0, relwidth=1, relheight=1)
        self._cover.bind("<Button-1>", lambda _: "break")
        self._on_close = on_close
        self.dialog = ctk.CTkFrame(
            self.root,
            fg_color=c.sidebar,
            corner_radius=RADIUS_LARGE,
            border_width=1,
            border_color=c.strong_border,
            width=width,
            bg_color=c.window,
        )
        self.dialog.grid_columnconfigure(0, weight=1, minsize=self.look.px(width))
        self.dialog.place(relx=0.5, rely=0.5, anchor="center")
        self._picture = picture
        self.dialog.after_idle(self.match_corners)
        return self.dialog

    def match_corners(self) -> None:
        """Behind its rounded corners the dialog shows the colours of the picture there."""
        dialog, picture = self.dialog, self._picture
        if dialog is None or picture is None:
            return
        self.root.update_idletasks()
        left, top = dialog.winfo_x(), dialog.winfo_y()
        right, bottom = left + dialog.winfo_width() - 1, top + dialog.winfo_height() - 1
        colours = []
        for x, y in ((left, top), (right, top), (right, bottom), (left, bottom)):
            at = min(max(0, x), picture.width - 1), min(max(0, y), picture.height - 1)
            colours.append("#{:02x}{:02x}{:02x}".format(*picture.getpixel(at)))  # type: ignore[misc]
        dialog.configure(background_corner_colors=tuple(colours))

    def close(self) -> None:
        """Take the dialog away."""
        if self.dialog is None or self._cover is None:
            return
        on_close, self._on_close = self._on_close, None
        self.dialog.destroy()
        self._cover.destroy()
        self.dialog = self._cover = self._photo = self._picture = None
        if self._focus_before is not None and self._focus_before.winfo_exists():
            self._focus_before.focus_set()
        if on_close is not None:
            on_close()

    def keep_focus_inside(self) -> None:
        """Tab stays among the dialog's controls: whoever gets the focus outside gives it back."""
        focus = self.root.focus_get()
        if self.dialog is None or focus is None or focus is self.root:
            return
        inside = str(self.dialog)
        if not str(focus).startswith(inside):
            first = self.dialog.tk_focusNext()
            if first is not None and str(first).startswith(inside):
                first.focus_set()
