"""A line with the labels that have keys, to press or to click on; or with what was done last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PIL import Image

from src.gui.theme.pictures import ring_mask, swatch
from src.gui.theme.theme import NORMAL, RADIUS_SMALL, SMALL, Theme, shorten
from src.gui.widgets.controls import ground_of
from src.gui.widgets.drawn_canvas import DrawnCanvas
from src.label_records import Label

_KEY, _SWATCH, _GAP = 20, 12, 16
_LONGEST = 120  # of a name


class LabelKeys(DrawnCanvas):
    """As many labels as there is space for; what is said goes first, and leaves room for fewer."""

    def __init__(
        self, master: Any, theme: Theme, height: int, on_key: Callable[[int], object]
    ) -> None:
        """Make it empty.

        Args:
            on_key: gets the key of a label that was clicked on, from 1 on.
        """
        super().__init__(master, bg=ground_of(master), width=1, height=theme.px(height))
        self.theme, self._on_key = theme, on_key
        self.labels: Sequence[Label] = ()
        self.said = ""
        self._ends: list[int] = []  # where each label ends, in device pixels
        self._begins = 0
        self._hover = -1
        self.bind("<Configure>", lambda _: self.refresh())
        self.bind("<Motion>", lambda event: self._point(self._at(event.x)))
        self.bind("<Leave>", lambda _: self._point(-1))
        self.bind("<Button-1>", lambda event: self._click(event.x))

    def show(self, labels: Sequence[Label]) -> None:
        """Show labels, the one with the key 1 first."""
        if list(labels) != list(self.labels):
            self.labels = tuple(labels)
            self.refresh()

    def say(self, text: str) -> None:
        if text != self.said:
            self.said = text
            self.refresh()

    @property
    def shown(self) -> int:
        """How many labels there is space for."""
        return len(self._ends)

    def _at(self, x: int) -> int:
        begins = self._begins
        for place, end in enumerate(self._ends):
            if begins <= x < end:
                return place
            begins = end
        return -1

    def _point(self, place: int) -> None:
        if place != self._hover:
            self._hover = place
            self.configure(cursor="hand2" if place >= 0 else "")
            self.refresh()

    def _click(self, x: int) -> str:
        place = self._at(x)
        if place >= 0:
            self._on_key(place + 1)
        return "break"

    def _draw(self) -> None:
        self.erase()
        self._ends.clear()
        if self.winfo_width() <= 1:
            return
        px, c, theme = self.theme.px, self.theme.colours, self.theme
        font, small = theme.canvas_font(self, NORMAL), theme.canvas_font(self, SMALL)
        width, middle = self.winfo_width(), self.winfo_height() // 2
        x = 0
        if self.said:
            text = shorten(self.said, small, width, tail=0)
            self.create_text(0, middle, text=text, anchor="w", font=small, fill=c.text_2)
            x = small.measure(text) + px(_GAP)
        self._begins = x
        for key, label in enumerate(self.labels, start=1):
            name = shorten(label.name, font, px(_LONGEST))
            ends = x + px(_KEY + 8 + _SWATCH + 4) + font.measure(name) + px(_GAP)
            if ends - px(_GAP) > width:
                break
            self._draw_label(x, middle, key, label, name)
            self._ends.append(ends)
            x = ends

    def _draw_label(self, x: int, middle: int, key: int, label: Label, name: str) -> None:
        px, c, theme = self.theme.px, self.theme.colours, self.theme
        side = px(_KEY)
        box = Image.new("RGB", (side, side), str(self["bg"]))
        box.paste(c.strong_border, (0, 0), ring_mask(box.size, px(RADIUS_SMALL), theme.scale))
        self.put(x, middle, box, anchor="w")
        bold, font = theme.canvas_font(self, SMALL, "medium"), theme.canvas_font(self, NORMAL)
        self.create_text(x + side // 2, middle, text=str(key), font=bold, fill=c.text)
        x += side + px(8)
        self.put(x, middle, swatch(label.colour, px(_SWATCH)), anchor="w")
        ink = c.text if key - 1 == self._hover else c.text_2
        self.create_text(x + px(_SWATCH + 4), middle, text=name, anchor="w", font=font, fill=ink)
