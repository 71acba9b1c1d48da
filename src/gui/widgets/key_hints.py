"""A line at a panel's foot that says what the pointer and the keys do, and what was done last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PIL import Image

from src.gui.theme.icons import icon_image
from src.gui.theme.pictures import ring_mask
from src.gui.theme.theme import LEFT, RADIUS_SMALL, RIGHT, SMALL, Theme, shorten
from src.gui.widgets.drawn_canvas import DrawnCanvas

HEIGHT = 48
KeyHint = tuple[Sequence[str], str]  # the keys of one stroke or of several, and what they do


class KeyHints(DrawnCanvas):
    """As many hints as there is space for, from the left; a sentence at the right."""

    def __init__(self, master: Any, theme: Theme, hints: Sequence[KeyHint] = ()) -> None:
        super().__init__(master, bg=theme.colours.window, height=theme.px(HEIGHT))
        self.theme, self._hints = theme, hints
        self.said = ""
        self._is_good = False
        self.bind("<Configure>", lambda _: self._draw())

    def show(self, hints: Sequence[KeyHint]) -> None:
        """Show other keys."""
        self._hints = hints
        self.refresh()

    def say(self, text: str, is_good: bool = False) -> None:
        """Show a sentence at the right, after a tick where it is good news."""
        if (text, is_good) != (self.said, self._is_good):
            self.said, self._is_good = text, is_good
            self.refresh()

    def _draw(self) -> None:
        self.erase()
        width, middle = self.winfo_width(), self.theme.px(HEIGHT) // 2
        self.create_line(0, 0, width, 0, fill=self.theme.colours.border)
        room = self._draw_said(width, middle)
        x = self.theme.px(LEFT)
        for keys, does in self._hints:
            ends = self._draw_hint(x, middle, keys, does, room)
            if ends is None:
                break
            x = ends + self.theme.px(20)

    def _draw_said(self, width: int, middle: int) -> int:
        """Draw the sentence; returns how far the hints may reach."""
        if not self.said:
            return width - self.theme.px(8)
        px, c = self.theme.px, self.theme.colours
        font = self.theme.canvas_font(self, SMALL)
        text = shorten(self.said, font, width // 2, tail=0)
        right = width - px(RIGHT)
        self.create_text(right, middle, text=text, font=font, fill=c.text_2, anchor="e")
        left = right - font.measure(text)
        if self._is_good:
            left -= px(20)
            self.put(left, middle, icon_image("check", c.success, px(14)), anchor="w")
        return left - px(16)

    def _draw_hint(
        self, x: int, middle: int, keys: Sequence[str], does: str, room: int
    ) -> int | None:
        """Draw a hint; returns where it ends, or None where there is no space for it."""
        px, c = self.theme.px, self.theme.colours
        bold = self.theme.canvas_font(self, SMALL, "medium")
        plain = self.theme.canvas_font(self, SMALL)
        widths = [max(px(20), bold.measure(key) + px(12)) for key in keys]
        ends = x + sum(widths) + px(4) * (len(keys) - 1) + px(8) + plain.measure(does)
        if ends > room:
            return None
        for key, wide in zip(keys, widths, strict=True):
            box = Image.new("RGB", (wide, px(20)), c.window)
            ring = ring_mask(box.size, px(RADIUS_SMALL), self.theme.scale)
            box.paste(c.strong_border, (0, 0), ring)
            self.put(x, middle, box, anchor="w")
            self.create_text(x + wide // 2, middle, text=key, font=bold, fill=c.text)
            x += wide + px(4)
        x += px(4)
        self.create_text(x, middle, text=does, font=plain, fill=c.text_2, anchor="w")
        return ends
