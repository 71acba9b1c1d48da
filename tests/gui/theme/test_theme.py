"""Colours that can be told from one another."""

from __future__ import annotations

import pytest
from PIL import ImageColor

from src.gui.theme.theme import DARK, LIGHT, Palette


def _luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    shares = [value / 255 for value in ImageColor.getrgb(colour)[:3]]
    linear = [s / 12.92 if s <= 0.03928 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("ground", ["window", "sidebar", "card", "raised"])
@pytest.mark.parametrize("outline", ["control", "strong_border"])
def test_outlines_of_controls_are_seen_in_light(outline: str, ground: str) -> None:
    assert contrast(getattr(LIGHT, outline), getattr(LIGHT, ground)) >= 3


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])
def test_a_button_that_cannot_be_pressed_stands_out_less(palette: Palette) -> None:
    for ground in (palette.window, palette.sidebar):
        assert contrast(palette.disabled, ground) < contrast(palette.raised, ground)
    assert contrast(palette.hint, palette.disabled) >= 4.5


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize("ink", ["text", "text_2", "hint", "accent", "error"])
def test_text_is_read_on_every_ground(palette: Palette, ink: str) -> None:
    for ground in ("window", "sidebar", "card", "raised"):
        assert contrast(getattr(palette, ink), getattr(palette, ground)) >= 4.5
