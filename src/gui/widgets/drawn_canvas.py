"""A Canvas whose content is drawn anew as a whole."""

from __future__ import annotations

import tkinter
from abc import ABC, abstractmethod
from typing import Any, Literal

from PIL import Image, ImageTk


class DrawnCanvas(tkinter.Canvas, ABC):
    """Keeps the pictures on it, which Tk does not, and makes one drawing of many wishes for one."""

    def __init__(self, master: Any, **options: Any) -> None:
        """Make it empty; options are those of tkinter.Canvas."""
        super().__init__(master, highlightthickness=0, bd=0, **options)
        self._photos: list[ImageTk.PhotoImage] = []
        self._draw_waits = False

    @abstractmethod
    def _draw(self) -> None:
        """Erase, and draw all of it."""

    def refresh(self) -> None:
        """Draw again, soon; many calls make one drawing."""
        if not self._draw_waits:
            self._draw_waits = True
            self.after_idle(self._draw_now)

    def _draw_now(self) -> None:
        self._draw_waits = False
        self._draw()

    def erase(self) -> None:
        self.delete("all")
        self._photos.clear()

    def put(self, x: int, y: int, image: Image.Image, anchor: Literal["nw", "w"] = "nw") -> int:
        """Put a picture on it; returns the item's number."""
        photo = ImageTk.PhotoImage(image)
        self._photos.append(photo)
        return self.create_image(x, y, image=photo, anchor=anchor)
