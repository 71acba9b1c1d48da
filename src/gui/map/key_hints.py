"""A line that says what the pointer and the keys do on the map."""

from __future__ import annotations

from typing import Any

from PIL import Image

from src.gui.theme.pictures import ring_mask
from src.gui.theme.theme import LEFT, RADIUS_SMALL, SMALL, Theme
from src.gui.widgets.drawn_canvas import DrawnCanvas

HEIGHT = 48
HINTS = (
    ("Drag", "select"),
    ("Shift", "add"),
    ("Space", "move"),
    ("Wheel", "zoom"),
    ("Enter", "show as results"),
    ("Esc", "clear"),
    ("Ctrl A", "all"),
)


class KeyHints(DrawnCanvas):
    """As many as there is space for, from the left."""

    def __init__(self, master: Any, theme: Theme) -> None:
        super().__init__(master, bg=theme.colours.window, height=theme.px(HEIGHT))
        self.theme = theme
        self.bind("<Configure>", lambda _: self._draw())

    def _draw(self) -> None:
        self.erase()
        width = self.winfo_width()
        px, c = self.theme.px, self.theme.colours
        self.create_line(0, 0, width, 0, fill=c.border)
        bold = self.theme.canvas_font(self, SMALL, "medium")
        plain = self.theme.canvas_font(self, SMALL)
        x, middle, high = px(LEFT), px(HEIGHT) // 2, px(20)
        for key, does in HINTS:
            wide = bold.measure(key) + px(12)
            ends = x + wide + px(8) + plain.measure(does)
            if ends > width - px(8):
                break
            box = Image.new("RGB", (wide, high), c.window)
            box.paste(
                c.strong_border, (0, 0), ring_mask(box.size, px(RADIUS_SMALL), self.theme.scale)
            )
            self.put(x, middle, box, anchor="w")
            self.create_text(x + wide // 2, middle, text=key, font=bold, fill=c.text)
            self.create_text(
                x + wide + px(8), middle, text=does, font=plain, fill=c.text_2, anchor="w"
            )
            x = ends + px(20)
