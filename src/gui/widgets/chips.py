"""A row of words to click on, as many as fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from src.gui.theme.pictures import ring_mask, rounded_mask
from src.gui.theme.theme import NORMAL, RADIUS, RADIUS_LARGE, SMALL, Theme
from src.gui.widgets.controls import RING, ground_of
from src.gui.widgets.drawn_canvas import DrawnCanvas
from src.gui.widgets.key_bindings import bind_key

HEIGHT = 40
_BODY = 30
_INSIDE = 12  # between a chip's edge and its word
_BETWEEN = 29  # a line between groups, with what lies beside it
_NARROWEST = 2  # pixels of a letter, to reject a long text without measuring it
Group = tuple[str, Sequence[tuple[str, str]]]


@dataclass(frozen=True)
class _Chip:
    """Where a chip's body lies, in device pixels from the left, and what it says."""

    left: int
    width: int
    text: str
    count: str


class ChipRow(DrawnCanvas):
    """Groups of chips in one line; what does not fit is left out, never cut.

    One Canvas draws them all: they change while a person types, and a widget for each would hold
    up the next key.
    """

    def __init__(self, master: Any, theme: Theme, on_click: Callable[[str], None]) -> None:
        super().__init__(
            master,
            bg=ground_of(master),
            height=theme.px(HEIGHT),
            takefocus=1,
        )
        self.theme, self._on_click = theme, on_click
        self._groups: Sequence[Group] = ()
        self._chips: list[_Chip] = []
        self._drawn: tuple[object, ...] = ()
        self._hover = self._at = -1
        for event in ("<Configure>", "<FocusIn>", "<FocusOut>"):
            self.bind(event, lambda _: self.refresh())
        for event in ("<Motion>", "<Enter>"):
            self.bind(event, lambda event: self._point(self._chip_at(event.x)))
        self.bind("<Leave>", lambda _: self._point(-1))
        self.bind("<Button-1>", lambda event: self._choose(self._chip_at(event.x)))
        bind_key(self.bind, "<Left>", lambda _: self._step(-1))
        bind_key(self.bind, "<Right>", lambda _: self._step(1))
        for key in ("<Return>", "<KP_Enter>", "<space>"):
            bind_key(self.bind, key, lambda _: self._choose(self._focused))

    @property
    def shown(self) -> list[str]:
        """The chips that are there to be clicked on."""
        return [chip.text for chip in self._chips]

    def show(self, groups: Sequence[Group]) -> None:
        self._groups = [(name, list(chips)) for name, chips in groups if chips]
        self.refresh()

    def box(self, text: str) -> tuple[int, int, int, int]:
        """Return where a chip lies on the Canvas: left, top, width, height."""
        chip = next(chip for chip in self._chips if chip.text == text)
        return chip.left, self._top, chip.width, self.theme.px(_BODY)

    # -- pointer and keys

    def _chip_at(self, x: int) -> int:
        found = (i for i, chip in enumerate(self._chips) if 0 <= x - chip.left < chip.width)
        return next(found, -1)

    def _point(self, place: int) -> None:
        if place != self._hover:
            self._hover = place
            self.configure(cursor="hand2" if place >= 0 else "")
            self.refresh()

    @property
    def _focused(self) -> int:
        """The chip that the keys are about; -1 where there is none."""
        return min(max(0, self._at), len(self._chips) - 1)

    def _step(self, step: int) -> str:
        self._at = min(max(0, self._focused + step), len(self._chips) - 1)
        self.refresh()
        return "break"

    def _choose(self, place: int) -> str:
        if 0 <= place < len(self._chips):
            self._on_click(self._chips[place].text)
        return "break"

    # -- drawing

    @property
    def _top(self) -> int:
        return (self.winfo_height() - self.theme.px(_BODY)) // 2

    def _draw(self) -> None:
        px = self.theme.px
        chosen = self._fitting(self.winfo_width())
        focused = self._focused if self.focus_get() is self else -1
        words = tuple((name, tuple(chips)) for name, chips in chosen)
        now = (words, self._hover, focused, self.winfo_width(), self.winfo_height())
        if now == self._drawn or self.winfo_width() <= 1:
            return
        self._drawn = now
        self.erase()
        self._chips.clear()
        c, middle = self.theme.colours, self.winfo_height() // 2
        x = 0
        for number, (name, chips) in enumerate(chosen):
            if number:
                line = x + px(12)
                self.create_line(line, middle - px(8), line, middle + px(8), fill=c.control)
                x += px(_BETWEEN)
            self._write(x, name, SMALL, c.text_2)
            x += self._wide(name, SMALL) + px(8)
            for text, count in chips:
                width = self._chip_width(text, count)
                self._chips.append(_Chip(x + px(RING), width - 2 * px(RING), text, count))
                x += width
        self._draw_bodies(focused)
        for chip in self._chips:
            left = chip.left + px(_INSIDE)
            self._write(left, chip.text, NORMAL, c.text)
            if chip.count:
                left += self._wide(chip.text, NORMAL) + px(8)
                self._write(left, chip.count, SMALL, c.text_2)

    def _draw_bodies(self, focused: int) -> None:
        """Draw what lies under the words, in one picture."""
        px, c = self.theme.px, self.theme.colours
        high, ring = px(_BODY), px(RING)
        row = Image.new("RGB", (self.winfo_width(), self.winfo_height()), str(self["bg"]))
        for place, chip in enumerate(self._chips):
            at, size = (chip.left, self._top), (chip.width, high)
            fill = c.raised if place == self._hover else c.card
            row.paste(fill, at, rounded_mask(size, px(RADIUS)))
            row.paste(c.control, at, ring_mask(size, px(RADIUS), self.theme.scale))
            if place == focused:
                around = chip.width + 2 * ring, high + 2 * ring
                mask = ring_mask(around, px(RADIUS_LARGE), 2 * self.theme.scale)
                row.paste(c.accent, (chip.left - ring, self._top - ring), mask)
        self.tag_lower(self.put(0, 0, row))

    def _write(self, x: int, text: str, size: int, colour: str) -> None:
        font = self.theme.canvas_font(self, size)
        self.create_text(x, self.winfo_height() // 2, text=text, anchor="w", font=font, fill=colour)

    def _wide(self, text: str, size: int) -> int:
        return self.theme.canvas_font(self, size).measure(text)

    def _chip_width(self, text: str, count: str) -> int:
        """Return how much of the row a chip takes, with its focus ring."""
        beside = self._wide(count, SMALL) + self.theme.px(8) if count else 0
        return self._wide(text, NORMAL) + beside + 2 * self.theme.px(_INSIDE + RING)

    def _fitting(self, width: int) -> list[Group]:
        px = self.theme.px

        def chip_width(text: str, count: str) -> float:
            if len(text) * _NARROWEST > width:
                return width + 1.0
            return float(self._chip_width(text, count))

        return fitting(
            self._groups,
            width,
            lambda name: self._wide(name, SMALL) + px(8),
            chip_width,
            px(_BETWEEN),
        )


def fitting(
    groups: Sequence[Group],
    row_width: float,
    name_width: Callable[[str], float],
    chip_width: Callable[[str, str], float],
    between: float = _BETWEEN,
) -> list[Group]:
    """Leave out what does not fit: a chip that is too long hides no other one.

    Each group but the last takes half of the width at most, so that those after it are seen.
    """
    chosen: list[Group] = []
    for number, (name, chips) in enumerate(groups, start=1):
        head = name_width(name) + (between if chosen else 0)
        left = (row_width if number == len(groups) else row_width / 2) - head
        kept, taken = [], head
        for text, count in chips:
            width = chip_width(text, count)
            if width <= left:
                kept.append((text, count))
                left, taken = left - width, taken + width
        if kept:
            chosen.append((name, kept))
            row_width -= taken
    return chosen
