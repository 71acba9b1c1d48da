"""What one card shows, where cards come from, and the picture of one."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from PIL import Image, ImageDraw

from src.gui.theme.pictures import CardSprites, ring_mask, rounded_mask
from src.gui.theme.theme import RADIUS, Theme

MARGIN = 8  # around a thumbnail: the selected fill and the focus ring lie in it
CardState = Literal["ready", "waiting", "busy", "failed"]
Colour = Literal["text_2", "accent", "error"]
# What a person said of a card that asks something; "" for nothing yet.
Answer = Literal["", "accepted", "rejected"]
_REJECTED_SHARE = 0.24  # of a rejected picture that is left, the rest is the window's ground


@dataclass(frozen=True)
class CardView:
    """What one card shows.

    Attributes:
        key: what the card stands for.
        thumbnail: the file its picture is made of; None while there is none.
        name, facts: the two lines under it.
        badge: a video's length.
        score: of a search hit; None for a media file.
        strength: of a search hit, 0 to 1: how far its bar goes; None for no bar.
        mark: what stands in the place of the bar.
        alike: how many more like it the card stands for.
        progress: of a card that is busy, 0 to 1.
        action: icon of the button that shows while the pointer is over the card.
        answer: of a person; shown by a ring and a sign.
        word: on the picture's lower edge, such as the label that was given instead.
    """

    key: Hashable
    thumbnail: Path | None
    name: str
    facts: str
    facts_colour: Colour = "text_2"
    badge: str | None = None
    score: float | None = None
    strength: float | None = None
    mark: str = ""
    alike: int = 0
    state: CardState = "ready"
    progress: float = 0.0
    action: str | None = None
    answer: Answer = ""
    word: str = ""


@dataclass(frozen=True)
class CardFlags:
    """What pointer, keyboard and selection add to a card."""

    hover: bool = False
    focus: bool = False
    selected: bool = False
    selecting: bool = False
    button_hover: bool = False
    group_hover: bool = False


@dataclass(frozen=True)
class CardSize:
    """Sizes of a card in device pixels."""

    thumb_wh: tuple[int, int]
    text_height: int
    margin: int

    @property
    def slot_wh(self) -> tuple[int, int]:
        width, height = self.thumb_wh
        return width + 2 * self.margin, height + self.text_height + 2 * self.margin


class CardSource(Protocol):
    """Where a grid's cards come from."""

    def __len__(self) -> int: ...

    def views(self, first: int, last: int) -> Sequence[CardView]:
        """Return the cards from first up to, but not including, last."""
        ...


@dataclass(frozen=True)
class CardActions:
    """What a grid calls; the numbers are places in the source.

    Attributes:
        open: for Enter, and for a click where that has no meaning of its own.
        click: for a click, in a grid where one does not open.
    """

    open: Callable[[int], None]
    button: Callable[[int], None] | None = None
    menu: Callable[[int, int, int], None] | None = None  # with the pointer's place on the screen
    selected: Callable[[frozenset[int]], None] | None = None
    group: Callable[[int], None] | None = None
    end_seen: Callable[[], None] | None = None  # the last card is on the screen
    click: Callable[[int], None] | None = None


class CardPainter:
    """Draws cards, all but their text."""

    def __init__(self, theme: Theme, sprites: CardSprites, background: str) -> None:
        self.theme, self.sprites, self.background = theme, sprites, background

    def paint(
        self, view: CardView, flags: CardFlags, thumbnail: Image.Image | None, size: CardSize
    ) -> Image.Image:
        """Draw a card.

        Args:
            thumbnail: RGB of size.thumb_wh; None while it is not there.

        Returns:
            RGB of size.slot_wh.
        """
        colours, px = self.theme.colours, self.theme.px
        width, height = size.thumb_wh
        m = size.margin
        image = Image.new("RGB", size.slot_wh, self.background)
        if flags.selected:
            image.paste(colours.selection, (0, 0), rounded_mask(size.slot_wh, px(RADIUS)))
        thumb = self._thumb(view, thumbnail, size.thumb_wh)
        if view.state == "busy":
            self._bar(thumb, (px(8), height - px(12), width - px(8), height - px(8)), view.progress)
        self._stamps(thumb, view, flags)
        image.paste(thumb, (m, m), rounded_mask(size.thumb_wh, px(RADIUS)))
        if flags.selected:
            self._ring(image, (m, m), size.thumb_wh, colours.accent, 2)
        elif view.answer:
            answered = colours.success if view.answer == "accepted" else colours.error
            self._ring(image, (m, m), size.thumb_wh, answered, 2)
        elif view.state == "failed":
            self._ring(image, (m, m), size.thumb_wh, colours.border, 1)
        elif flags.hover:
            self._ring(image, (m, m), size.thumb_wh, colours.text_2, 1)
        if flags.focus:
            reach = px(4)
            outer = (width + 2 * reach, height + 2 * reach)
            colour = colours.text if flags.selected else colours.accent
            self._ring(image, (m - reach, m - reach), outer, colour, 2, RADIUS + 4)
        if view.strength is not None:
            top = m + height + px(14)
            self._bar(image, (m, top, m + width - px(42), top + px(4)), view.strength)
        return image

    def button_box(
        self, view: CardView, size: CardSize
    ) -> tuple[tuple[int, int, int, int], str, str] | None:
        """Return where a card's button lies in its slot, its icon and text; None without one."""
        width, height = size.thumb_wh
        if view.state == "failed":
            stamp = self.sprites.button("retry", "Retry", False)
            left, top = (width - stamp.width) // 2, height // 2 + self.theme.px(4)
            return _box(left, top, stamp, size.margin), "retry", "Retry"
        if view.action is not None and view.state == "ready" and not view.answer:
            stamp = self.sprites.button(view.action, "", False)
            left, top = width - stamp.width - self.theme.px(8), self.theme.px(8)
            if view.alike:
                left -= self._group_stamp(view).width + self.theme.px(4)
            return _box(left, top, stamp, size.margin), view.action, ""
        return None

    def group_box(self, view: CardView, size: CardSize) -> tuple[int, int, int, int] | None:
        """Return where in its slot a card says for how many others it stands."""
        if not view.alike:
            return None
        stamp = self._group_stamp(view)
        left = size.thumb_wh[0] - stamp.width - self.theme.px(8)
        return _box(left, self.theme.px(8), stamp, size.margin)

    def _group_stamp(self, view: CardView, hover: bool = False) -> Image.Image:
        return self.sprites.group(f"{view.alike + 1:,}", hover)

    def _thumb(
        self, view: CardView, thumbnail: Image.Image | None, size_wh: tuple[int, int]
    ) -> Image.Image:
        colours = self.theme.colours
        if view.state == "failed" or thumbnail is None:
            return Image.new("RGB", size_wh, colours.card)
        if view.answer == "rejected":
            ground = Image.new("RGB", size_wh, colours.window)
            return Image.blend(ground, thumbnail, _REJECTED_SHARE)
        if view.state in ("busy", "waiting"):
            return Image.blend(Image.new("RGB", size_wh, colours.window), thumbnail, 0.45)
        return thumbnail.copy()

    def _stamps(self, thumb: Image.Image, view: CardView, flags: CardFlags) -> None:
        px = self.theme.px
        size = CardSize(thumb.size, 0, 0)
        if view.state == "failed":
            sign = self.sprites.icon("warning", self.theme.colours.error, 24)
            at = (thumb.width - sign.width) // 2, thumb.height // 2 - px(8) - sign.height
            thumb.paste(sign, at, sign)
        button = self.button_box(view, size)
        if button is not None and (view.state == "failed" or flags.hover):
            (left, top, _, _), icon, text = button
            stamp = self.sprites.button(icon, text, flags.button_hover)
            thumb.paste(stamp, (left, top), stamp)
        group = self.group_box(view, size)
        if group is not None:
            stamp = self._group_stamp(view, flags.group_hover)
            thumb.paste(stamp, group[:2], stamp)
        if view.badge is not None and view.state == "ready":
            stamp = self.sprites.badge(view.badge)
            at = thumb.width - stamp.width - px(8), thumb.height - stamp.height - px(8)
            thumb.paste(stamp, at, stamp)
        if view.answer:
            stamp = self.sprites.answer(view.answer == "accepted")
            thumb.paste(stamp, (thumb.width - stamp.width - px(6), px(6)), stamp)
        if view.word:
            stamp = self.sprites.word(view.word)
            thumb.paste(stamp, (px(6), thumb.height - stamp.height - px(6)), stamp)
        if flags.selected or (flags.selecting and flags.hover):
            stamp = self.sprites.tick(flags.selected)
            thumb.paste(stamp, (px(8), px(8)), stamp)

    def _bar(self, image: Image.Image, box: tuple[int, int, int, int], share: float) -> None:
        draw = ImageDraw.Draw(image)
        left, top, right, bottom = box
        radius = (bottom - top) / 2
        draw.rounded_rectangle((left, top, right - 1, bottom - 1), radius, self.theme.colours.hover)
        end = left + round((right - left) * min(1.0, max(0.0, share)))
        if end - left >= bottom - top:
            draw.rounded_rectangle(
                (left, top, end - 1, bottom - 1), radius, self.theme.colours.accent
            )

    def _ring(
        self,
        image: Image.Image,
        at: tuple[int, int],
        size_wh: tuple[int, int],
        colour: str,
        line: float,
        radius: float = RADIUS,
    ) -> None:
        px = self.theme.px
        image.paste(colour, at, ring_mask(size_wh, px(radius), line * self.theme.scale))


def _box(left: int, top: int, stamp: Image.Image, margin: int) -> tuple[int, int, int, int]:
    left, top = left + margin, top + margin
    return left, top, left + stamp.width, top + stamp.height
