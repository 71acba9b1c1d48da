"""The colours of the map's points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import ImageColor

from src.search.map_picture import Rgb

# By the word that a tag may hold: what is called red must not be blue.
_BY_WORD = {
    "yellow": "#E6B450",
    "red": "#F0686C",
    "blue": "#5B96EE",
    "green": "#5CC98B",
    "pink": "#E39BC4",
    "brown": "#C79A6B",
    "purple": "#B08CF0",
}
_NEUTRAL = {"white": "#DADADE", "gray": "#B8B8C0", "grey": "#B8B8C0", "black": "#53535C"}
OTHER = "#8E8E97"  # of what has none of the most frequent tags
_FAINT, _BESIDE_SELECTED = 0.18, 0.5  # of the colour that is left


def rgb(colour: str) -> Rgb:
    """Read "#RRGGBB"."""
    red, green, blue = ImageColor.getrgb(colour)[:3]
    return red, green, blue


def colours_for(names: Sequence[str]) -> list[str]:
    """Choose a colour for each of up to seven tags: its own where its name has one."""
    free, neutral = dict(_BY_WORD), dict(_NEUTRAL)

    def own(name: str) -> str | None:
        for word in name.casefold().split():
            for colours in (free, neutral):
                if word in colours:
                    return colours.pop(word)
        return None

    chosen = [own(name) for name in names]
    others = iter(free.values())
    return [colour or next(others) for colour in chosen]


def with_emphasis(
    colours: np.ndarray, shown: np.ndarray, selection: np.ndarray, ground: Rgb
) -> tuple[np.ndarray, np.ndarray]:
    """Let what matters stand out from the rest, which goes towards the ground.

    Args:
        colours: (N, 3) uint8 RGB.
        shown, selection: (N,) bool.

    Returns:
        (N, 3) uint8 RGB, and (N,) the order in which to paint them.
    """
    share = np.where(shown, 1.0, _FAINT)
    if selection.any():
        share[~selection] *= _BESIDE_SELECTED
    mixed = np.array(ground) + (colours - np.array(ground, np.float64)) * share[:, None]
    order = np.argsort(shown + 2 * selection.astype(np.int64), kind="stable")
    return np.asarray(mixed.round(), np.uint8), order
