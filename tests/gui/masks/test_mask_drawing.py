"""The pixels of a mask under edit, where they are seen."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageColor

from src.gui.masks.mask_drawing import (
    Layers,
    changed_box,
    close_up,
    joined,
    layers,
    paint,
    render,
    seen_part,
)
from src.gui.theme.theme import DARK, Theme
from src.gui.widgets.viewport import Viewport

ACCENT = ImageColor.getrgb(DARK.accent)


@pytest.fixture
def theme() -> Theme:
    return Theme(DARK, 1.0)


@pytest.fixture
def mask() -> np.ndarray:
    """A square of a frame of 400 by 200 pixels."""
    mask = np.zeros((200, 400), bool)
    mask[40:120, 80:200] = True
    return mask


@pytest.fixture
def ground() -> Layers:
    return Layers(Image.new("RGB", (200, 100), (200,) * 3), Image.new("RGB", (200, 100), (80,) * 3))


def test_a_mask_is_seen_where_the_frame_is(mask: np.ndarray) -> None:
    whole = seen_part(mask, Viewport.fitting((400, 200), (200, 100)))
    expected = np.zeros((100, 200), bool)
    expected[20:60, 40:100] = True
    assert (whole == expected).all()
    near = Viewport.fitting((400, 200), (200, 100)).zoomed(4.0, (0, 0)).moved(-8 * 40, -4 * 40)
    left, top, right, bottom = near.part
    seen = seen_part(mask, near)
    assert seen.shape == (100, 200)
    assert seen.sum() == mask[int(top) : int(bottom), int(left) : int(right)].sum() * 16


def test_a_smaller_mask_of_the_frame_is_seen_the_same(mask: np.ndarray) -> None:
    port = Viewport.fitting((400, 200), (200, 100))
    assert (seen_part(mask[::2, ::2], port) == seen_part(mask, port)).all()


def test_only_what_differs_is_drawn_again() -> None:
    before, after = np.zeros((2, 50, 60), bool)
    assert changed_box(before, after) is None
    after[10, 20] = after[30, 15] = True
    assert changed_box(before, after) == (15, 10, 21, 31)
    assert joined(None, (1, 2, 3, 4)) == (1, 2, 3, 4) == joined((1, 2, 3, 4), None)
    assert joined((1, 2, 3, 4), (0, 3, 2, 9)) == (0, 2, 3, 9)


def test_a_stroke_is_painted_and_says_where() -> None:
    seen = np.zeros((100, 100), bool)
    box = paint(seen, [(20.0, 50.0), (80.0, 50.0)], 5, erase=False)
    assert seen[50, 20:81].all() and seen[46:55, 50].all() and not seen[40, 50]
    assert box is not None
    outside = seen.copy()
    outside[box[1] : box[3], box[0] : box[2]] = False
    assert not outside.any()
    paint(seen, [(50.0, 50.0)], 10, erase=True)
    assert not seen[50, 45:56].any() and seen[50, 20:35].all()
    assert paint(seen, [(500.0, 50.0)], 5, erase=False) is None


def test_a_part_drawn_alone_is_as_in_the_whole(ground: Layers, theme: Theme) -> None:
    mask = np.zeros((100, 200), bool)
    mask[30:60, 50:90] = True
    tint = np.roll(mask, 20, axis=1)
    whole, corner = render(ground, mask, tint, (0, 0, 200, 100), theme)
    assert corner == (0, 0)
    part, (x, y) = render(ground, mask, tint, (60, 40, 80, 70), theme)
    same = np.asarray(whole)[y : y + part.height, x : x + part.width]
    assert (np.asarray(part) == same).all()


def test_the_outline_has_the_accent_and_the_rest_is_dim(ground: Layers, theme: Theme) -> None:
    mask = np.zeros((100, 200), bool)
    mask[30:60, 50:90] = True
    image, _ = render(ground, mask, None, (0, 0, 200, 100), theme)
    assert image.getpixel((70, 45)) == (200, 200, 200)
    assert image.getpixel((150, 45)) == (80, 80, 80)
    edge = np.abs(np.array(image.getpixel((70, 30)), int) - ACCENT)
    assert edge.max() < 20


def test_layers_are_the_photo_and_the_photo_darker(theme: Theme) -> None:
    image = Image.new("RGB", (400, 200), (200, 100, 50))
    port = Viewport.fitting((400, 200), (200, 100))
    made = layers(image, (), port, theme, dim=True)
    assert made.bright.size == made.dark.size == (200, 100)
    assert made.bright.getpixel((0, 0)) == (200, 100, 50)
    assert made.dark.getpixel((0, 0))[0] < 120
    line = np.array([[100, 50], [300, 50], [300, 150], [100, 150]], np.float32)
    lined = layers(image, [line], port, theme, dim=False)
    assert lined.bright.tobytes() == lined.dark.tobytes()
    assert lined.bright.getpixel((100, 25)) != made.bright.getpixel((100, 25))


def test_a_close_up_shows_all_of_the_mask(mask: np.ndarray, theme: Theme) -> None:
    image = Image.new("RGB", (400, 200), (200, 200, 200))
    small = close_up(image, mask, (80, 40, 200, 120), (120, 90), theme, "#FF0000")
    assert small.size == (120, 90)
    red = (np.asarray(small, int) - (255, 0, 0) == 0).all(axis=2)
    rows, columns = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
    assert rows[0] > 2 and rows[-1] < 88 and columns[0] > 2 and columns[-1] < 118
    assert columns[-1] - columns[0] > 80
