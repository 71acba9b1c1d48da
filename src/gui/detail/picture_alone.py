"""The picture of the detail view alone, over the whole window and the whole screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from src.gui.core.main_thread import MainThread
from src.gui.detail.frame_picture import FramePicture
from src.gui.theme.theme import RADIUS, SMALL, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import label
from src.gui.widgets.key_bindings import bind_key
from src.records import FrameView

_LEAVE = "Escape leaves the full screen"
_SAID_MS = 2500


class PictureAlone(ctk.CTkFrame):
    """Covers all else in the window, and asks the window manager for the whole screen.

    Without a window manager, or under one that does not know the wish, it fills the window.
    """

    def __init__(
        self,
        window: Any,
        theme: Theme,
        main_thread: MainThread,
        on_choose: Callable[[str], None],
        read_full: Callable[[FrameView], np.ndarray | None],
        on_step: Callable[[int], None],
    ) -> None:
        """Make it, out of sight.

        Args:
            window: that it covers.
            on_choose, read_full: see FramePicture.
            on_step: goes to the next (1) or previous (-1) picture.
        """
        super().__init__(window, fg_color=theme.colours.window, corner_radius=0)
        self._window = window
        self._was_full = False
        self.is_open = False
        self.picture = FramePicture(self, theme, main_thread, on_choose, read_full, lambda _: None)
        self.picture.place(relwidth=1, relheight=1)
        self._hint = label(
            self,
            theme,
            _LEAVE,
            size=SMALL,
            fg_color=theme.colours.card,
            corner_radius=RADIUS,
            padx=12,
            pady=8,
        )
        self._hiding = ""
        self.picture.bind("<Double-Button-1>", lambda _: self.picture.fit())
        for key, step in (("<Left>", -1), ("<Right>", 1)):
            bind_key(self.picture.bind, key, lambda _, step=step: on_step(step))  # type: ignore[misc]

    def open(self) -> None:
        """Cover the window; the owner shows something in `picture` then."""
        self.is_open = True
        self._was_full = bool(self._window.attributes("-fullscreen"))
        self._window.attributes("-fullscreen", True)
        self.place(x=0, y=0, relwidth=1, relheight=1)
        self.lift()
        self._hint.place(relx=0.5, rely=1.0, y=-24, anchor="s")
        self._hiding = self.after(_SAID_MS, self._hint.place_forget)
        self.picture.focus_set()

    def close(self) -> bool:
        """Uncover the window; returns whether it was covered."""
        if not self.is_open:
            return False
        self.is_open = False
        self.after_cancel(self._hiding)
        self.place_forget()
        self.picture.clear()
        self._window.attributes("-fullscreen", self._was_full)
        self._window.focus_set()
        return True
