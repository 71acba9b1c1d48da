"""Pictures that Pillow draws: cropped and rounded thumbnails, badges, dashed zones, drawings."""

from __future__ import annotations

from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from src.gui.theme.icons import blob_outline, icon_image
from src.gui.theme.theme import RADIUS_SMALL, Palette

_TIMES = 4


def cover(image_rgb: np.ndarray, size_wh: tuple[int, int]) -> Image.Image:
    """Fill a size with the middle of an image: (H, W, 3) uint8 RGB -> a picture of size_wh."""
    image = Image.fromarray(image_rgb)
    width, height = size_wh
    scale = max(width / image.width, height / image.height)
    # rounding must not make what is seen larger than the image
    seen_w, seen_h = min(width / scale, image.width), min(height / scale, image.height)
    left, top = (image.width - seen_w) / 2, (image.height - seen_h) / 2
    return image.resize(
        size_wh,
        Image.Resampling.BICUBIC,
        (left, top, left + seen_w, top + seen_h),
        reducing_gap=2.0,
    )


def contain(image_rgb: np.ndarray, size_wh: tuple[int, int]) -> Image.Image:
    """Fit an image into a size, whole: (H, W, 3) uint8 RGB -> a picture, not larger than that."""
    image = Image.fromarray(image_rgb)
    scale = min(size_wh[0] / image.width, size_wh[1] / image.height)
    inner = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(inner, Image.Resampling.LANCZOS, reducing_gap=2.0)


@cache
def rounded_mask(size_wh: tuple[int, int], radius_px: float) -> Image.Image:
    """Return a rounded rectangle with soft corners, as an 'L' mask."""
    width, height = size_wh
    mask = Image.new("L", (width * _TIMES, height * _TIMES), 0)
    ImageDraw.Draw(mask).rounded_rectangle(
        (0, 0, width * _TIMES - 1, height * _TIMES - 1), radius_px * _TIMES, 255
    )
    return mask.resize(size_wh, Image.Resampling.BOX)


@cache
def ring_mask(size_wh: tuple[int, int], radius_px: float, line_px: float) -> Image.Image:
    """Return the border of a rounded rectangle, inside its edge, as an 'L' mask."""
    width, height = size_wh
    mask = Image.new("L", (width * _TIMES, height * _TIMES), 0)
    ImageDraw.Draw(mask).rounded_rectangle(
        (0, 0, width * _TIMES - 1, height * _TIMES - 1),
        radius_px * _TIMES,
        None,
        255,
        max(1, round(line_px * _TIMES)),
    )
    return mask.resize(size_wh, Image.Resampling.BOX)


@cache
def swatch(colour: str, side_px: int) -> Image.Image:
    """Return the sign of a label: a small rounded square of its colour, in the middle; RGBA."""
    inner = round(side_px * 0.75)
    image = Image.new("RGBA", (side_px, side_px))
    at = (side_px - inner) // 2
    image.paste(colour, (at, at), rounded_mask((inner, inner), round(side_px * 0.2)))
    return image


@cache
def dashed_zone(
    size_wh: tuple[int, int], fill: str, line: str, background: str, radius_px: int, scale: float
) -> Image.Image:
    """Return a rounded area with a dashed border: where things can be dropped."""
    width, height = size_wh
    image = Image.new("RGB", size_wh, background)
    image.paste(fill, (0, 0), rounded_mask(size_wh, radius_px))
    dash, gap = 7 * scale, 5 * scale
    dashes = Image.new("L", size_wh, 0)
    draw = ImageDraw.Draw(dashes)
    for start in np.arange(radius_px, width - radius_px, dash + gap):
        end = min(start + dash, width - radius_px)
        draw.rectangle((start, 0, end, height), 255)
    for start in np.arange(radius_px, height - radius_px, dash + gap):
        end = min(start + dash, height - radius_px)
        draw.rectangle((0, start, width, end), 255)
    for x in (0, width - radius_px):  # the corners stay whole
        for y in (0, height - radius_px):
            draw.rectangle((x, y, x + radius_px, y + radius_px), 255)
    ring = np.asarray(ring_mask(size_wh, radius_px, 1.5 * scale)).astype(np.uint16)
    border = Image.fromarray((ring * np.asarray(dashes) // 255).astype(np.uint8))
    image.paste(line, (0, 0), border)
    return image


@cache
def empty_drawing(colours: Palette, scale: float) -> Image.Image:
    """Three pictures and the segment in the foremost: the drawing of an empty library."""
    times = _TIMES * scale
    width, height = round(184 * times), round(100 * times)
    image = Image.new("RGBA", (width, height), colours.drop_zone + "00")
    for angle, x in ((8, 6), (-8, 96)):
        card = Image.new("RGBA", (round(82 * times), round(74 * times)), colours.drop_zone + "00")
        ImageDraw.Draw(card).rounded_rectangle(
            (2 * times, 2 * times, 78 * times, 70 * times),
            8 * times,
            colours.card,
            colours.strong_border,
            round(1.5 * times),
        )
        turned = card.rotate(angle, Image.Resampling.BICUBIC, expand=True)
        image.alpha_composite(turned, (round(x * times), round(8 * times)))
    draw = ImageDraw.Draw(image)
    left, top, right, bottom = (round(v * times) for v in (40, 6, 144, 90))
    front = Image.new("RGBA", (right - left, bottom - top), colours.raised)
    hills = ImageDraw.Draw(front)
    w, h = front.size
    hills.polygon([(0, h * 0.82), (w * 0.28, h * 0.5), (w * 0.62, h), (0, h)], colours.hover)
    hills.polygon([(w * 0.45, h), (w * 0.75, h * 0.72), (w, h * 0.95), (w, h)], colours.hover)
    image.paste(front, (left, top), rounded_mask(front.size, 8 * times))
    draw.rounded_rectangle(
        (left, top, right, bottom), 8 * times, None, colours.strong_border, round(1.5 * times)
    )
    blob = blob_outline((left + right) / 2 + 2 * times, (top + bottom) / 2, 23 * times)
    draw.polygon(blob, colours.selection)
    draw.line([*blob, blob[0], blob[1]], colours.accent, round(2.5 * times), joint="curve")
    small = round(184 * scale), round(100 * scale)
    return image.resize(small, Image.Resampling.LANCZOS)


class CardSprites:
    """Small things laid onto thumbnails: badges, ticks, the button in a card."""

    def __init__(self, colours: Palette, scale: float, font_file: str) -> None:
        self._colours, self._scale = colours, scale
        self._small = _font(font_file, round(12 * scale))
        self._normal = _font(font_file, round(14 * scale))
        self._made: dict[tuple[object, ...], Image.Image] = {}

    def badge(self, text: str) -> Image.Image:
        """Return a video's length on its own ground, with a play sign; RGBA."""
        return self._kept(("badge", text), lambda: self._draw_badge(text))

    def word(self, text: str) -> Image.Image:
        """Return a word on its own ground; RGBA."""
        return self._kept(("word", text), lambda: self._draw_word(text))

    def group(self, text: str, hover: bool) -> Image.Image:
        """Return the sign of a card that stands for several, with how many; RGBA."""
        return self._kept(("group", text, hover), lambda: self._draw_group(text, hover))

    def tick(self, filled: bool) -> Image.Image:
        """Return the sign of a selected card, or the invitation to select one; RGBA."""
        return self._kept(("tick", filled), lambda: self._draw_tick(filled))

    def answer(self, accepted: bool) -> Image.Image:
        """Return the sign of a card that was accepted or rejected; RGBA."""
        return self._kept(("answer", accepted), lambda: self._draw_answer(accepted))

    def button(self, icon: str, text: str, hover: bool) -> Image.Image:
        """Return a button inside a card, as wide as its text; RGBA."""
        return self._kept(
            ("button", icon, text, hover), lambda: self._draw_button(icon, text, hover)
        )

    def icon(self, name: str, colour: str, size: int) -> Image.Image:
        return icon_image(name, colour, round(size * self._scale))

    def _kept(self, key: tuple[object, ...], draw: object) -> Image.Image:
        if key not in self._made:
            assert callable(draw)
            self._made[key] = draw()
        return self._made[key]

    def _draw_badge(self, text: str) -> Image.Image:
        s = self._scale
        wide = round(self._small.getlength(text))
        size_wh = wide + round(27 * s), round(20 * s)
        image = _ground(size_wh, RADIUS_SMALL * s, self._colours.window)
        sign = self.icon("play", self._colours.text, 12)
        image.alpha_composite(sign, (round(5 * s), (image.height - sign.height) // 2))
        ImageDraw.Draw(image).text(
            (round(20 * s), image.height / 2), text, self._colours.text, self._small, "lm"
        )
        return image

    def _draw_word(self, text: str) -> Image.Image:
        s = self._scale
        size_wh = round(self._small.getlength(text)) + round(16 * s), round(20 * s)
        image = _ground(size_wh, RADIUS_SMALL * s, self._colours.window)
        at = image.width / 2, image.height / 2
        ImageDraw.Draw(image).text(at, text, self._colours.text, self._small, "mm")
        return image

    def _draw_group(self, text: str, hover: bool) -> Image.Image:
        s, c = self._scale, self._colours
        size_wh = round(self._small.getlength(text)) + round(32 * s), round(24 * s)
        image = _ground(size_wh, RADIUS_SMALL * s, c.hover if hover else c.window)
        sign = self.icon("copies", c.text, 14)
        image.alpha_composite(sign, (round(6 * s), (image.height - sign.height) // 2))
        at = round(25 * s), image.height / 2
        ImageDraw.Draw(image).text(at, text, c.text, self._small, "lm")
        return image

    def _draw_tick(self, filled: bool) -> Image.Image:
        side = round(20 * self._scale)
        if not filled:
            image = _ground((side, side), side / 2, self._colours.window)
            image.putalpha(image.getchannel("A").point(lambda value: value * 5 // 10))
            image.paste(
                self._colours.text, (0, 0), ring_mask((side, side), side / 2, 1.5 * self._scale)
            )
            return image
        return self._draw_disc("check", self._colours.accent, self._colours.on_accent)

    def _draw_answer(self, accepted: bool) -> Image.Image:
        c = self._colours
        if accepted:
            return self._draw_disc("check", c.success, c.success_fill)
        return self._draw_disc("close", c.error, c.error_fill)

    def _draw_disc(self, sign_name: str, fill: str, ink: str) -> Image.Image:
        side = round(20 * self._scale)
        image = _ground((side, side), side / 2, fill)
        sign = self.icon(sign_name, ink, 14)
        image.alpha_composite(sign, ((side - sign.width) // 2, (side - sign.height) // 2))
        return image

    def _draw_button(self, icon: str, text: str, hover: bool) -> Image.Image:
        s = self._scale
        wide = round(self._normal.getlength(text)) + round(9 * s) if text else 0
        fill = self._colours.hover if hover else self._colours.raised
        image = _ground(
            (wide + round(32 * s) + (round(11 * s) if text else 0), round(32 * s)), 8 * s, fill
        )
        if text:
            image.paste(self._colours.border, (0, 0), ring_mask(image.size, 8 * s, s))
        sign = self.icon(icon, self._colours.text, 16)
        image.alpha_composite(
            sign,
            (
                round(12 * s) if text else (image.width - sign.width) // 2,
                (image.height - sign.height) // 2,
            ),
        )
        if text:
            ImageDraw.Draw(image).text(
                (round(36 * s), image.height / 2), text, self._colours.text, self._normal, "lm"
            )
        return image


def _ground(size_wh: tuple[int, int], radius_px: float, colour: str) -> Image.Image:
    image = Image.new("RGBA", size_wh, colour)
    image.putalpha(rounded_mask(size_wh, radius_px))
    return image


def _font(file: str, size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    try:
        return ImageFont.truetype(file, size_px)
    except OSError:
        return ImageFont.load_default(size_px)
