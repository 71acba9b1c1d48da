"""What Pillow draws for the window."""

from __future__ import annotations

import numpy as np
import pytest

from src.gui.theme.icons import _DRAWN, icon_image, logo
from src.gui.theme.pictures import contain, cover, dashed_zone, rounded_mask
from src.gui.theme.theme import DARK, LIGHT, Palette


def stripes(width: int, height: int) -> np.ndarray:
    """Red at the left half, blue at the right."""
    image = np.zeros((height, width, 3), np.uint8)
    image[:, : width // 2, 0] = 255
    image[:, width // 2 :, 2] = 255
    return image


@pytest.mark.parametrize("shape", [(1000, 10), (10, 1000), (3, 3), (184, 138)])
def test_a_cover_fills_its_size_with_the_middle(shape: tuple[int, int]) -> None:
    picture = cover(stripes(*shape), (184, 138))
    assert picture.size == (184, 138) and picture.mode == "RGB"
    pixels = np.asarray(picture)
    assert pixels[69, 5, 0] > 200 and pixels[69, -5, 2] > 200


def test_what_is_contained_keeps_its_proportions() -> None:
    assert contain(stripes(400, 100), (200, 200)).size == (200, 50)
    assert contain(stripes(100, 400), (200, 200)).size == (50, 200)


def test_corners_are_cut_and_the_middle_is_not() -> None:
    mask = np.asarray(rounded_mask((40, 30), 8))
    assert mask[0, 0] == 0 and mask[15, 20] == 255 and mask[0, 20] == 255


def test_a_zone_has_dashes_and_gaps() -> None:
    zone = dashed_zone((300, 200), DARK.drop_zone, DARK.strong_border, DARK.window, 12, 1.0)
    top = {zone.getpixel((x, 0)) for x in range(20, 280)}
    assert len(top) == 2


@pytest.mark.parametrize("name", sorted(_DRAWN))
def test_every_icon_has_ink_inside_its_frame(name: str) -> None:
    alpha = np.asarray(icon_image(name, "#7AB0FF", 40).getchannel("A")) > 60
    assert 0.02 < alpha.mean() < 0.6
    rows, columns = np.nonzero(alpha)
    assert rows.min() >= 1 and columns.min() >= 1 and rows.max() <= 38 and columns.max() <= 38


def test_the_logo_is_no_square() -> None:
    image = logo(48)
    assert image.size == (48, 48) and image.getpixel((0, 0))[3] == 0  # type: ignore[index]


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])
def test_text_can_be_read_on_every_ground(palette: Palette) -> None:
    for ground in (palette.window, palette.sidebar, palette.card, palette.raised):
        for ink in (palette.text, palette.text_2, palette.hint, palette.accent, palette.error):
            assert contrast(ink, ground) >= 4.5, (ink, ground)
    for ink, ground in (
        (palette.on_accent, palette.accent),
        (palette.accent, palette.selection),
        (palette.text, palette.warn_fill),
        (palette.text, palette.error_fill),
        (palette.text, palette.success_fill),
    ):
        assert contrast(ink, ground) >= 4.5, (ink, ground)


def test_a_cover_of_any_size_stays_inside_its_image() -> None:
    # 320x240 at 184x138 once asked for a hair more than there was, and the card stayed empty
    for width in range(160, 360, 7):
        for size in ((184, 138), (181, 136), (58, 58), (94, 53)):
            image = np.zeros((width * 3 // 4, width, 3), np.uint8)
            assert cover(image, size).size == size
