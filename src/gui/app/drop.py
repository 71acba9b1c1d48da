"""Files dragged onto the window from elsewhere."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import ImageTk

from src.gui.theme.theme import RADIUS_LARGE, TITLE, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import icon_label, label
from src.gui.widgets.corners import Corners
from src.gui.widgets.overlay import darkened_window

# The list of a drop is cut silently near 256 KiB.
CUT_FROM_BYTES = 250_000


class DropTarget:
    """Shows where things land while they are dragged over, and passes the paths on."""

    def __init__(
        self,
        root: Any,
        theme: Theme,
        on_drop: Callable[[list[Path], bool], None],
        sentence: Callable[[], str],
    ) -> None:
        """Listen on the whole window.

        Args:
            on_drop: gets the paths, and whether the list may have been cut.
            sentence: says what a drop would do at this moment.
        """
        self._root, self._theme, self._on_drop, self._sentence = root, theme, on_drop, sentence
        self._cover: tkinter.Label | None = None
        self._photo: ImageTk.PhotoImage | None = None
        from tkinterdnd2 import DND_FILES

        root.drop_target_register(DND_FILES)
        root.dnd_bind("<<DropEnter>>", self._entered)
        root.dnd_bind("<<DropPosition>>", lambda event: event.action)
        root.dnd_bind("<<DropLeave>>", self._left)
        root.dnd_bind("<<Drop>>", self._dropped)

    def _entered(self, event: Any) -> Any:
        if self._cover is None:
            self._show()
        return event.action

    def _left(self, event: Any) -> Any:
        self._hide()
        return event.action

    def _dropped(self, event: Any) -> Any:
        self._hide()
        data = event.data
        paths = [Path(name) for name in self._root.tk.splitlist(data)]
        cut = len(data.encode("utf-8", "surrogateescape")) >= CUT_FROM_BYTES
        # the source waits until this returns: the work is done later
        self._root.after(1, lambda: self._on_drop(paths, cut))
        return event.action

    def _show(self) -> None:
        theme, c = self._theme, self._theme.colours
        picture = darkened_window(self._root, c.window)
        self._cover = tkinter.Label(self._root, bg=c.window, bd=0)
        if picture is not None:
            self._photo = ImageTk.PhotoImage(picture)
            self._cover.configure(image=self._photo)
        self._cover.place(x=0, y=0, relwidth=1, relheight=1)
        for side in (
            {"relwidth": 1, "height": 2},
            {"relwidth": 1, "height": 2, "rely": 1, "anchor": "sw"},
            {"relheight": 1, "width": 2},
            {"relheight": 1, "width": 2, "relx": 1, "anchor": "ne"},
        ):
            tkinter.Frame(self._cover, bg=c.accent).place(**side)
        card = ctk.CTkFrame(
            self._cover,
            fg_color=c.selection,
            corner_radius=0,
            border_width=1,
            border_color=c.accent,
            bg_color=c.window,
            width=400,
            height=208,
        )
        corners = Corners(card, theme, c.selection, c.accent, RADIUS_LARGE)
        tkinter.Misc.bind(
            card,
            "<Configure>",
            lambda _: corners.match(picture, (card.winfo_x(), card.winfo_y())),
        )
        card.place(relx=0.5, rely=0.5, anchor="center")
        card.pack_propagate(False)
        icon_label(card, "download", c.accent, 32).pack(pady=(48, 20))
        label(card, theme, self._sentence(), size=TITLE, weight="medium").pack()
        label(card, theme, "Subfolders are included.", colour=c.text_2).pack(pady=(8, 0))

    def _hide(self) -> None:
        if self._cover is not None:
            self._cover.destroy()
            self._cover = self._photo = None
