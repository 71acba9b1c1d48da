"""How a dataset is split, as one bar with its numbers below."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from PIL import Image, ImageColor

from src.gui.theme.pictures import rounded_mask
from src.gui.theme.theme import SMALL, Theme
from src.gui.widgets.drawn_canvas import DrawnCanvas
from src.records import Split

SPLIT_NAMES: dict[Split, str] = {"train": "train", "val": "validation", "test": "test"}
_SHADES: dict[Split, float] = {"train": 1.0, "val": 0.7, "test": 0.45}
_BAR, _GAP, _HEIGHT = 8, 1, 36


class SplitBar(DrawnCanvas):
    """Parts in the order train, validation, test; empty until it is known."""

    def __init__(self, master: Any, theme: Theme) -> None:
        super().__init__(master, bg=theme.colours.card, height=theme.px(_HEIGHT))
        self.theme = theme
        self._sizes: Mapping[Split, int] = {}
        self.bind("<Configure>", lambda _: self.refresh())

    def show(self, sizes: Mapping[Split, int]) -> None:
        """Show how many annotations each side has; nothing where none is known."""
        self._sizes = dict(sizes)
        self.refresh()

    @property
    def texts(self) -> list[str]:
        return [f"{SPLIT_NAMES[split]} {size:,}" for split, size in self._sizes.items()]

    def _draw(self) -> None:
        self.erase()
        width, px, c = self.winfo_width(), self.theme.px, self.theme.colours
        total = sum(self._sizes.values())
        bar = Image.new("RGB", (width, px(_BAR)), c.hover)
        ground, ink = ImageColor.getrgb(c.card), ImageColor.getrgb(c.accent)
        left, done = 0, 0
        for split, size in self._sizes.items():
            done += size
            right = round(width * done / max(1, total))
            share = _SHADES[split]
            shade = tuple(
                round(share * a + (1 - share) * b) for a, b in zip(ink, ground, strict=True)
            )
            if right > left:
                bar.paste(shade, (left, 0, right, bar.height))
            if left and right > left:
                bar.paste(c.card, (left, 0, left + px(_GAP), bar.height))
            left = right
        rounded = Image.new("RGB", bar.size, c.card)
        rounded.paste(bar, (0, 0), rounded_mask(bar.size, bar.height / 3))
        self.put(0, 0, rounded)
        places: list[tuple[int, Literal["w", "center", "e"]]]
        places = [(0, "w"), (width // 2, "center"), (width, "e")]
        if len(self._sizes) == 2:
            del places[1]
        for (x, anchor), text in zip(places, self.texts, strict=False):
            self.create_text(
                x,
                px(_HEIGHT - 10),
                text=text,
                anchor=anchor,
                fill=c.text,
                font=self.theme.canvas_font(self, SMALL),
            )
