"""What may follow what is being typed, in a list under its entry; the entry keeps the keyboard."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence

from PIL import Image

from src.gui.theme.icons import icon_image
from src.gui.theme.pictures import ring_mask, rounded_mask, swatch
from src.gui.theme.theme import NORMAL, RADIUS, SMALL, Theme, shorten
from src.gui.widgets.drawn_canvas import DrawnCanvas
from src.search.completion import Suggestion

_ROW, _MARGIN, _INDENT, _ICON = 32, 4, 12, 16
_LEAST_WIDTH = 280
_ICONS = {"field": "sliders", "value": "check", "tag": "similar", "recent": "retry"}
_ICONS |= {"label": "similar", "folder": "folder", "camera": "image", "date": "right"}


class CompletionList(DrawnCanvas):
    """Shown and hidden by its owner, which hands it the keys that are for it."""

    def __init__(
        self, master: tkinter.Misc, theme: Theme, on_choose: Callable[[Suggestion], None]
    ) -> None:
        c = theme.colours
        super().__init__(master, bg=c.window, cursor="hand2")
        self.theme, self._on_choose = theme, on_choose
        self.suggestions: Sequence[Suggestion] = ()
        self.at = -1
        self._wh = 0, 0
        self.bind("<Motion>", lambda event: self._point(self._row_at(event.y)))
        self.bind("<Leave>", lambda _: self._point(-1))
        # pressed, and not released: the entry loses no focus to it
        self.bind("<Button-1>", lambda event: self._clicked(event.y))

    @property
    def is_open(self) -> bool:
        return bool(self.winfo_manager())

    @property
    def chosen(self) -> Suggestion | None:
        """The suggestion that the keys have come to."""
        return self.suggestions[self.at] if 0 <= self.at < len(self.suggestions) else None

    def show(self, suggestions: Sequence[Suggestion], x: int, y: int) -> None:
        """Show suggestions, none of them chosen, at a place in its master in device pixels."""
        if not suggestions:
            self.hide()
            return
        self.suggestions, self.at = tuple(suggestions), -1
        px = self.theme.px
        width = min(self._wide(), self.master.winfo_width() - x - px(8))
        height = self.height_of(len(suggestions))
        tkinter.Misc.lift(self)
        self.place(x=x, y=y, width=width, height=height)
        self._wh = width, height
        self._draw()

    def height_of(self, count: int) -> int:
        """Return how high it is with so many suggestions, in device pixels."""
        return self.theme.px(_ROW) * count + 2 * self.theme.px(_MARGIN)

    def hide(self) -> None:
        self.place_forget()
        self.suggestions, self.at = (), -1

    def step(self, step: int) -> None:
        """Go to the next suggestion, or the one before; past the ends there is none chosen."""
        count = len(self.suggestions)
        self.at = (self.at + 1 + step) % (count + 1) - 1
        self._draw()

    def row(self, place: int) -> tuple[int, int, int, int]:
        """Return where a suggestion lies: left, top, width, height."""
        px = self.theme.px
        top = px(_MARGIN) + place * px(_ROW)
        return px(_MARGIN), top, self._wh[0] - 2 * px(_MARGIN), px(_ROW)

    def _row_at(self, y: int) -> int:
        row = (y - self.theme.px(_MARGIN)) // self.theme.px(_ROW)
        return row if 0 <= row < len(self.suggestions) else -1

    def _point(self, row: int) -> None:
        if row != self.at:
            self.at = row
            self._draw()

    def _clicked(self, y: int) -> str:
        row = self._row_at(y)
        if row >= 0:
            self._on_choose(self.suggestions[row])
        return "break"

    def _wide(self) -> int:
        px, theme = self.theme.px, self.theme
        font, small = theme.canvas_font(self, NORMAL), theme.canvas_font(self, SMALL)
        words = ((each.text, each.note) for each in self.suggestions)
        widest = max(font.measure(text) + small.measure(note) for text, note in words)
        return max(px(_LEAST_WIDTH), widest + px(2 * _INDENT + 2 * _MARGIN + _ICON + 8 + 24))

    def _sign(self, each: Suggestion) -> Image.Image:
        """Return what stands before a suggestion: the colour of a label, else what it is."""
        if not each.colour:
            return icon_image(_ICONS[each.kind], self.theme.colours.text_2, self.theme.px(_ICON))
        return swatch(each.colour, self.theme.px(_ICON))

    def _draw(self) -> None:
        px, theme, c = self.theme.px, self.theme, self.theme.colours
        width, height = self._wh
        self.erase()
        ground = Image.new("RGB", (width, height), c.window)
        ground.paste(c.raised, (0, 0), rounded_mask((width, height), px(RADIUS)))
        if self.at >= 0:
            left, top = px(_MARGIN), px(_MARGIN) + self.at * px(_ROW)
            size = width - 2 * left, px(_ROW)
            ground.paste(c.hover, (left, top), rounded_mask(size, px(RADIUS) // 2))
        ground.paste(c.control, (0, 0), ring_mask((width, height), px(RADIUS), theme.scale))
        self.put(0, 0, ground)
        font, small = theme.canvas_font(self, NORMAL), theme.canvas_font(self, SMALL)
        for place, each in enumerate(self.suggestions):
            middle = px(_MARGIN) + place * px(_ROW) + px(_ROW) // 2
            left, right = px(_MARGIN + _INDENT), width - px(_MARGIN + _INDENT)
            sign = self._sign(each)
            self.put(left, middle - sign.height // 2, sign)
            left += px(_ICON + 8)
            free = right - left - small.measure(each.note) - px(16)
            text = shorten(each.text, font, max(px(40), free))
            self.create_text(left, middle, text=text, anchor="w", font=font, fill=c.text)
            self.create_text(right, middle, text=each.note, anchor="e", font=small, fill=c.text_2)
