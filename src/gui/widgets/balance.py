"""How many segments of each tag go into a dataset, and how many are left out."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from typing import Any

from PIL import Image, ImageDraw, ImageTk

from src.gui.theme.icons import icon_image
from src.gui.theme.pictures import rounded_mask
from src.gui.theme.theme import NORMAL, SMALL, Theme, shorten
from src.gui.widgets.key_bindings import bind_key

_ROW = 24


class Balance(tkinter.Canvas):
    """A bar for each tag, most first; where tags are chosen, a click includes or excludes one."""

    def __init__(self, master: Any, theme: Theme, on_change: Callable[[], None], rows: int) -> None:
        super().__init__(
            master,
            bg=theme.colours.card,
            highlightthickness=0,
            bd=0,
            takefocus=1,
            height=theme.px(_ROW * rows),
        )
        self.theme, self._on_change = theme, on_change
        self.chosen: set[str] = set()
        self.choosing = False
        self._names: list[str] = []
        self._written: dict[str, int] = {}
        self._left_out: dict[str, int] = {}
        self._first = 0
        self._at = -1
        self._photos: list[ImageTk.PhotoImage] = []
        self.bind("<Configure>", lambda _: self._draw())
        self.bind(
            "<ButtonRelease-1>", lambda e: self._flip(self._first + e.y // self.theme.px(_ROW))
        )
        self.bind("<Button-4>", lambda _: self._scroll(-3))
        self.bind("<Button-5>", lambda _: self._scroll(3))
        self.bind("<MouseWheel>", lambda e: self._scroll(-3 if e.delta > 0 else 3))
        bind_key(self.bind, "<Up>", lambda _: self._step(-1))
        bind_key(self.bind, "<Down>", lambda _: self._step(1))
        bind_key(self.bind, "<space>", lambda _: self._flip(self._at))
        self.bind("<FocusOut>", lambda _: self._step(0))

    def show(self, names: list[str], written: dict[str, int], left_out: dict[str, int]) -> None:
        self._names, self._written, self._left_out = names, written, left_out
        self._scroll(0)

    def _rows(self) -> int:
        return max(1, self.winfo_height() // self.theme.px(_ROW))

    def _scroll(self, rows: int) -> None:
        most = max(0, len(self._names) - self._rows())
        self._first = min(max(0, self._first + rows), most)
        self._draw()

    def _step(self, step: int) -> str:
        if step and self.choosing and self._names:
            self._at = min(max(0, self._at + step), len(self._names) - 1)
            self._first = min(max(self._first, self._at - self._rows() + 1), self._at)
        else:
            self._at = -1
        self._draw()
        return "break"

    def _flip(self, place: int) -> str:
        if self.choosing and 0 <= place < len(self._names):
            self.chosen ^= {self._names[place]}
            self._draw()
            self._on_change()
        return "break"

    def _draw(self) -> None:
        self.delete("all")
        self._photos.clear()
        theme, c, px = self.theme, self.theme.colours, self.theme.px
        width = self.winfo_width()
        most = max(
            (self._written.get(n, 0) + self._left_out.get(n, 0) for n in self._names), default=1
        )
        font = theme.canvas_font(self, SMALL)
        left = px(20) if self.choosing else 0
        bar_at = left + px(64)
        span = width - bar_at - px(52)
        for row, name in enumerate(self._names[self._first : self._first + self._rows()]):
            y = row * px(_ROW) + px(_ROW) // 2
            taken = not self.choosing or name in self.chosen
            if self.choosing:
                self._box(y, name in self.chosen)
            if self._first + row == self._at:
                self.create_rectangle(0, y - px(11), width - 1, y + px(11), outline=c.accent)
            self.create_text(
                left,
                y,
                text=shorten(name, font, px(58)),
                anchor="w",
                font=font,
                fill=c.text if taken else c.hint,
            )
            written, left_out = self._written.get(name, 0), self._left_out.get(name, 0)
            self._bar(bar_at, y, span * written // max(1, most), span * left_out // max(1, most))
            number = f"{written:,}" if taken else "–"
            self.create_text(width - px(10), y, text=number, anchor="e", font=font, fill=c.text)
        if len(self._names) > self._rows():
            high = self.winfo_height()
            share = self._rows() / len(self._names)
            top = self._first / len(self._names) * high
            self.create_rectangle(
                width - px(3), top, width, top + share * high, fill=c.strong_border, outline=""
            )
        if not self._names:
            self.create_text(
                0,
                px(12),
                text="No tags to export",
                anchor="w",
                fill=c.text_2,
                font=theme.canvas_font(self, NORMAL),
            )

    def _box(self, y: int, ticked: bool) -> None:
        px, c = self.theme.px, self.theme.colours
        side = px(14)
        box = Image.new("RGB", (side * 4, side * 4), c.card)
        draw = ImageDraw.Draw(box)
        draw.rounded_rectangle(
            (0, 0, side * 4 - 1, side * 4 - 1),
            px(12),
            c.accent if ticked else None,
            None if ticked else c.strong_border,
            px(5),
        )
        small = box.resize((side, side), Image.Resampling.LANCZOS)
        if ticked:
            sign = icon_image("check", c.on_accent, px(12))
            small.paste(sign, ((side - sign.width) // 2, (side - sign.height) // 2), sign)
        photo = ImageTk.PhotoImage(small)
        self._photos.append(photo)
        self.create_image(0, y, image=photo, anchor="w")

    def _bar(self, x: int, y: int, written: int, left_out: int) -> None:
        c, high = self.theme.colours, self.theme.px(8)
        if written + left_out < 2:
            return
        bar = Image.new("RGB", (written + left_out, high), c.strong_border)
        bar.paste(c.accent, (0, 0, written, high))
        rounded = Image.new("RGB", bar.size, c.card)
        rounded.paste(bar, (0, 0), rounded_mask(bar.size, min(high / 3, bar.width / 2)))
        photo = ImageTk.PhotoImage(rounded)
        self._photos.append(photo)
        self.create_image(x, y, image=photo, anchor="w")
