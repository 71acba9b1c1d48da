"""The labels that frames are reviewed for, each with a box to tick and how many are marked here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PIL import Image

from src.gui.theme.icons import icon_image
from src.gui.theme.pictures import ring_mask, rounded_mask, swatch
from src.gui.theme.theme import NORMAL, RADIUS, RADIUS_SMALL, SMALL, Theme, shorten
from src.gui.widgets.drawn_canvas import DrawnCanvas
from src.gui.widgets.key_bindings import bind_key
from src.label_records import Label

WIDTH = 216
_HEAD, _ROW, _FOOT = 52, 36, 72
_SIDE, _INSIDE, _BOX, _SWATCH = 12, 12, 16, 12
NOTE = "An export can leave out frames that were not looked at."


class ReviewLabels(DrawnCanvas):
    """A click or Space ticks a label; arrows go through them."""

    def __init__(self, master: Any, theme: Theme, on_change: Callable[[], object]) -> None:
        super().__init__(master, bg=theme.colours.window, width=theme.px(WIDTH), takefocus=1)
        self.theme, self._on_change = theme, on_change
        self.labels: Sequence[Label] = ()
        self.ticked: frozenset[str] = frozenset()
        self._marked: Mapping[str, int] = {}
        self._first, self._at, self._hover = 0, 0, -1
        for event in ("<Configure>", "<FocusIn>", "<FocusOut>"):
            self.bind(event, lambda _: self.refresh(), "+")
        self.bind("<Motion>", lambda event: self._point(self._row_at(event.y)))
        self.bind("<Leave>", lambda _: self._point(-1))
        self.bind("<Button-1>", lambda event: self.toggle(self._row_at(event.y)))
        self.bind("<Button-4>", lambda _: self._scroll(-1))
        self.bind("<Button-5>", lambda _: self._scroll(1))
        self.bind("<MouseWheel>", lambda event: self._scroll(-1 if event.delta > 0 else 1))
        for key, step in (("Up", -1), ("Down", 1)):
            bind_key(self.bind, f"<{key}>", lambda _, step=step: self._step(step))  # type: ignore[misc]
        for key in ("<space>", "<Return>", "<KP_Enter>"):
            bind_key(self.bind, key, lambda _: self.toggle(self._at))

    def show(self, labels: Sequence[Label]) -> None:
        """Show labels; those that are ticked stay so as far as they are there."""
        self.labels = tuple(labels)
        self.ticked &= {label.name for label in labels}
        self._at = min(self._at, max(0, len(labels) - 1))
        self._scroll(0)

    def tick(self, names: Sequence[str]) -> None:
        """Tick these, and no others; nothing is called."""
        self.ticked = frozenset(names)
        self.refresh()

    def show_marked(self, marked: Mapping[str, int]) -> None:
        """Show how many segments of the frame have each label."""
        if marked != self._marked:
            self._marked = dict(marked)
            self.refresh()

    @property
    def chosen(self) -> list[Label]:
        """The labels that are ticked, in order."""
        return [label for label in self.labels if label.name in self.ticked]

    def toggle(self, place: int) -> str:
        """Tick a label, or take its tick away."""
        if 0 <= place < len(self.labels):
            self._at = place
            self.ticked ^= {self.labels[place].name}
            self.refresh()
            self._on_change()
        return "break"

    def box(self, place: int) -> tuple[int, int, int, int]:
        """Return where a row lies on the Canvas: left, top, width, height."""
        px = self.theme.px
        top = px(_HEAD) + (place - self._first) * px(_ROW)
        return px(_SIDE), top, px(WIDTH - 2 * _SIDE), px(_ROW)

    # -- rows

    @property
    def _fitting(self) -> int:
        px = self.theme.px
        return max(1, (self.winfo_height() - px(_HEAD) - px(_FOOT)) // px(_ROW))

    def _row_at(self, y: int) -> int:
        row = (y - self.theme.px(_HEAD)) // self.theme.px(_ROW)
        place = row + self._first
        return place if 0 <= row < self._fitting and place < len(self.labels) else -1

    def _point(self, place: int) -> None:
        if place != self._hover:
            self._hover = place
            self.configure(cursor="hand2" if place >= 0 else "")
            self.refresh()

    def _scroll(self, rows: int) -> str:
        last = max(0, len(self.labels) - self._fitting)
        self._first = min(max(0, self._first + rows), last)
        self.refresh()
        return "break"

    def _step(self, step: int) -> str:
        self._at = min(max(0, self._at + step), max(0, len(self.labels) - 1))
        self._first = min(max(self._first, self._at - self._fitting + 1), self._at)
        self.refresh()
        return "break"

    # -- drawing

    def _draw(self) -> None:
        self.erase()
        if self.winfo_width() <= 1:
            return
        px, c, theme = self.theme.px, self.theme.colours, self.theme
        small, width = theme.canvas_font(self, SMALL), self.winfo_width()
        left, right = px(_SIDE + _INSIDE), width - px(_SIDE + _INSIDE)
        self.create_text(left, px(32), text="Look for", anchor="w", font=small, fill=c.text_2)
        self.create_text(right, px(32), text="marked here", anchor="e", font=small, fill=c.text_2)
        for place in range(self._first, min(len(self.labels), self._first + self._fitting)):
            self._draw_row(place, self.labels[place])
        hidden = len(self.labels) - self._first - self._fitting
        rows = min(self._fitting, len(self.labels) - self._first)
        top = px(_HEAD) + rows * px(_ROW) + px(12)
        if hidden > 0:
            more = f"{hidden:,} more below"
            self.create_text(left, top, text=more, anchor="nw", font=small, fill=c.text_2)
            top += px(20)
        self.create_text(
            left, top, text=NOTE, anchor="nw", font=small, fill=c.text_2, width=right - left
        )

    def _draw_row(self, place: int, label: Label) -> None:
        px, c, theme = self.theme.px, self.theme.colours, self.theme
        left, top, width, height = self.box(place)
        is_ticked = label.name in self.ticked
        if place == self._hover:
            ground = Image.new("RGB", (width, height), c.window)
            ground.paste(c.raised, (0, 0), rounded_mask(ground.size, px(RADIUS)))
            self.put(left, top, ground)
        if place == self._at and self.focus_get() is self and theme.shows_focus:
            ring = Image.new("RGBA", (width, height))
            ring.paste(c.accent, (0, 0), ring_mask(ring.size, px(RADIUS), 2 * theme.scale))
            self.put(left, top, ring)
        middle, x = top + height // 2, left + px(_INSIDE)
        self.put(x, middle, self._tick_box(is_ticked), anchor="w")
        x += px(_BOX + 10)
        self.put(x, middle, swatch(label.colour, px(_SWATCH)), anchor="w")
        x += px(_SWATCH + 8)
        right = left + width - px(_INSIDE)
        count = f"{self._marked.get(label.name, 0):,}" if is_ticked else ""
        small = theme.canvas_font(self, SMALL)
        self.create_text(right, middle, text=count, anchor="e", font=small, fill=c.text_2)
        font = theme.canvas_font(self, NORMAL, "medium" if is_ticked else "regular")
        name = shorten(label.name, font, right - x - small.measure(count) - px(8))
        ink = c.text if is_ticked else c.text_2
        self.create_text(x, middle, text=name, anchor="w", font=font, fill=ink)

    def _tick_box(self, is_ticked: bool) -> Image.Image:
        px, c = self.theme.px, self.theme.colours
        side = px(_BOX)
        image = Image.new("RGBA", (side, side))
        if not is_ticked:
            ring = ring_mask((side, side), px(RADIUS_SMALL), self.theme.scale)
            image.paste(c.strong_border, (0, 0), ring)
            return image
        image.paste(c.accent, (0, 0), rounded_mask((side, side), px(RADIUS_SMALL)))
        sign = icon_image("check", c.on_accent, px(12))
        image.alpha_composite(sign, ((side - sign.width) // 2, (side - sign.height) // 2))
        return image
