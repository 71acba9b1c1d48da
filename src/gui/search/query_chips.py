"""The parts of a query as chips inside its entry."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

from PIL import Image

from src.gui.core.query_parts import Chip
from src.gui.core.thumbnails import Thumbnails
from src.gui.theme.icons import icon_image
from src.gui.theme.pictures import ring_mask, rounded_mask
from src.gui.theme.theme import NORMAL, RADIUS_SMALL, SMALL, Theme, shorten
from src.gui.widgets.controls import ground_of
from src.gui.widgets.drawn_canvas import DrawnCanvas
from src.gui.widgets.key_bindings import bind_key

HEIGHT = 28
_GAP, _INSIDE, _LONGEST, _THUMB_WH = 6, 8, 220, (24, 18)
Part = Literal["sign", "text", "close"]
PARTS: tuple[Part, ...] = ("sign", "text", "close")


class _Box(NamedTuple):
    """Where a chip lies, in device pixels from the left, and where its parts begin."""

    left: int
    text: int
    close: int
    right: int


class QueryChips(DrawnCanvas):
    """One Canvas for all chips, as wide as they are, or as there is space: then the last are seen.

    Its sign turns a chip round, its cross removes it, and what else is clicked on opens its menu.
    """

    def __init__(
        self,
        master: Any,
        theme: Theme,
        thumbnails: Thumbnails,
        on_click: Callable[[int, Part], None],
        on_leave: Callable[[], None],
    ) -> None:
        """Prepare a row without chips.

        Args:
            on_click: gets the place of a chip and what was clicked on.
            on_leave: called when the keyboard goes on to the right of the last chip.
        """
        super().__init__(
            master,
            bg=ground_of(master),
            width=1,
            height=theme.px(HEIGHT + 4),
            takefocus=0,
        )
        self.theme, self._thumbnails = theme, thumbnails
        self._on_click, self._on_leave = on_click, on_leave
        self.chips: Sequence[Chip] = ()
        self._boxes: list[_Box] = []
        self._most = 1
        self._hover: tuple[int, Part] | None = None
        self._at = -1
        self._selected = False
        self.bind("<Motion>", lambda event: self._point(self._part_at(event.x)))
        self.bind("<Leave>", lambda _: self._point(None))
        self.bind("<ButtonRelease-1>", self._clicked)
        self.bind("<FocusIn>", lambda _: self._focus(True))
        self.bind("<FocusOut>", lambda _: self._focus(False))
        bind_key(self.bind, "<Left>", lambda _: self._step(-1))
        bind_key(self.bind, "<Right>", lambda _: self._step(1))
        for key in ("<Delete>", "<BackSpace>"):
            bind_key(self.bind, key, lambda _: self._act("close"))
        for key in ("<plus>", "<minus>", "<KP_Add>", "<KP_Subtract>"):
            bind_key(self.bind, key, lambda _: self._act("sign"))
        for key in ("<Return>", "<KP_Enter>", "<space>"):
            bind_key(self.bind, key, lambda _: self._act("text"))

    def show(self, chips: Sequence[Chip]) -> None:
        self.chips = tuple(chips)
        self._at = min(self._at, len(chips) - 1)
        self._draw()

    def select(self, selected: bool) -> None:
        """Show that what is typed next takes their place."""
        if selected != self._selected:
            self._selected = selected
            self._draw()

    def fit(self, most: int) -> None:
        """Set how wide it may be, in device pixels."""
        if most != self._most:
            self._most = most
            self._draw()

    def box(self, place: int, part: Part = "text") -> tuple[int, int, int, int]:
        """Return where a part of a chip lies on the Canvas: left, top, width, height."""
        box = self._boxes[place]
        left, right = {
            "sign": (box.left, box.text),
            "text": (box.text, box.close),
            "close": (box.close, box.right),
        }[part]
        return left, 0, right - left, self.winfo_height()

    # -- pointer and keys

    def _part_at(self, x: int) -> tuple[int, Part] | None:
        for place, box in enumerate(self._boxes):
            if box.left <= x < box.right:
                part: Part = "sign" if x < box.text else "close" if x >= box.close else "text"
                return place, part
        return None

    def _point(self, over: tuple[int, Part] | None) -> None:
        if over != self._hover:
            self._hover = over
            self.configure(cursor="hand2" if over else "")
            self._draw()

    def _clicked(self, event: tkinter.Event[tkinter.Misc]) -> None:
        if (over := self._part_at(event.x)) is not None:
            self._on_click(*over)

    def _focus(self, has: bool) -> None:
        self._at = len(self.chips) - 1 if has else -1
        self._draw()

    def _step(self, step: int) -> str:
        if self._at + step >= len(self.chips):
            self._on_leave()
        else:
            self._at = max(0, self._at + step)
            self._draw()
        return "break"

    def _act(self, part: Part) -> str:
        if 0 <= self._at < len(self.chips):
            self._on_click(self._at, part)
            if not self.chips:
                self._on_leave()
        return "break"

    # -- drawing

    def _draw(self) -> None:
        px = self.theme.px
        self.erase()
        self._boxes = self._measured()
        wide = self._boxes[-1].right + px(_GAP) if self._boxes else 1
        hidden = max(0, wide - self._most)
        self._boxes = [_Box(*(x - hidden for x in box)) for box in self._boxes]
        self.configure(width=max(1, wide - hidden))
        crops = [chip.picture for chip in self.chips if chip.picture is not None]
        self._thumbnails.want(self, [(crop, self._thumb_wh) for crop in crops])
        for place, (chip, box) in enumerate(zip(self.chips, self._boxes, strict=True)):
            if box.right > 0:
                self._draw_chip(place, chip, box)

    @property
    def _thumb_wh(self) -> tuple[int, int]:
        return self.theme.px(_THUMB_WH[0]), self.theme.px(_THUMB_WH[1])

    def _measured(self) -> list[_Box]:
        px, theme = self.theme.px, self.theme
        font, small = theme.canvas_font(self, NORMAL), theme.canvas_font(self, SMALL)
        boxes, x = list[_Box](), 0
        for chip in self.chips:
            text = x + px(24 if chip.sign else _INSIDE)
            close = text + font.measure(self._shown(chip))
            close += px(_THUMB_WH[0] + 6) if chip.picture is not None else 0
            close += small.measure(chip.weight) + px(18) if chip.weight else 0
            boxes.append(_Box(x, text, close + px(4), close + px(26)))
            x = boxes[-1].right + px(_GAP)
        return boxes

    def _shown(self, chip: Chip) -> str:
        return shorten(chip.text, self.theme.canvas_font(self, NORMAL), self.theme.px(_LONGEST))

    def _draw_chip(self, place: int, chip: Chip, box: _Box) -> None:
        theme, c, px = self.theme, self.theme.colours, self.theme.px
        size, top = (box.right - box.left, px(HEIGHT)), px(2)
        middle = top + size[1] // 2
        fill = c.selection if self._selected or chip.sign == "+" else c.raised
        if chip.sign == "−" and not self._selected:
            fill = c.error_fill
        body = Image.new("RGB", size, str(self["bg"]))
        body.paste(fill, (0, 0), rounded_mask(size, px(RADIUS_SMALL)))
        if place == self._at:
            body.paste(c.accent, (0, 0), ring_mask(size, px(RADIUS_SMALL), 2 * theme.scale))
        self.put(box.left, top, body)
        part = self._hover[1] if self._hover is not None and self._hover[0] == place else None
        font, small = theme.canvas_font(self, NORMAL), theme.canvas_font(self, SMALL)
        if chip.sign:
            ink = c.text if part == "sign" else c.error if chip.sign == "−" else c.accent
            sign = icon_image("minus" if chip.sign == "−" else "plus", ink, px(14))
            self.put(box.left + px(6), middle - sign.height // 2, sign)
        x = box.text
        if chip.picture is not None:
            self._draw_thumb(x, middle, chip, fill)
            x += px(_THUMB_WH[0] + 6)
        shown = self._shown(chip)
        self.create_text(x, middle, text=shown, anchor="w", font=font, fill=c.text)
        x += font.measure(shown)
        if chip.weight:
            wide = small.measure(chip.weight) + px(10), px(18)
            badge = Image.new("RGB", wide, fill)
            badge.paste(c.window, (0, 0), rounded_mask(wide, px(RADIUS_SMALL)))
            self.put(x + px(6), middle - wide[1] // 2, badge)
            self.create_text(
                x + px(11), middle, text=chip.weight, anchor="w", font=small, fill=c.text
            )
        cross = icon_image("close", c.text if part == "close" else c.text_2, px(14))
        self.put(box.close + px(3), middle - cross.height // 2, cross)

    def _draw_thumb(self, x: int, middle: int, chip: Chip, fill: str) -> None:
        assert chip.picture is not None
        wh = self._thumb_wh
        shown = Image.new("RGB", wh, fill)
        thumb = self._thumbnails.get(chip.picture, wh)
        if thumb is not None:
            shown.paste(thumb, (0, 0), rounded_mask(wh, self.theme.px(3)))
        self.put(x, middle - wh[1] // 2, shown)
