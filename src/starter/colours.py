"""What the twelve colour words cover, as ranges of hue, saturation and value.

The ranges follow the basic colour terms (Berlin and Kay 1969) as people use them for
things in photos: a wide red, browns that are dark orange, grays with a cast.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from src.models.starter.vocabulary import COLOURS

Span = tuple[float, float]


@dataclass(frozen=True)
class ColourRange:
    """One box of the colour space: hue in degrees, saturation and value in 0..1."""

    name: str
    tone: str | None
    hue: Span
    saturation: Span
    value: Span


_ANY_HUE: Span = (0.0, 360.0)

RANGES = (
    ColourRange("red", None, (-12, 9), (0.72, 1.0), (0.58, 0.95)),
    ColourRange("red", "light", (-9, 9), (0.58, 0.80), (0.88, 1.0)),
    ColourRange("red", "dark", (-12, 8), (0.65, 1.0), (0.30, 0.52)),
    ColourRange("orange", None, (17, 37), (0.80, 1.0), (0.86, 1.0)),
    ColourRange("orange", "light", (20, 37), (0.50, 0.72), (0.93, 1.0)),
    ColourRange("orange", "dark", (15, 33), (0.82, 1.0), (0.76, 0.84)),
    ColourRange("yellow", None, (47, 63), (0.65, 1.0), (0.85, 1.0)),
    ColourRange("yellow", "light", (47, 64), (0.32, 0.55), (0.93, 1.0)),
    ColourRange("yellow", "dark", (47, 60), (0.70, 1.0), (0.60, 0.78)),
    ColourRange("green", None, (80, 158), (0.45, 1.0), (0.42, 0.80)),
    ColourRange("green", "light", (82, 155), (0.28, 0.60), (0.82, 1.0)),
    ColourRange("green", "dark", (78, 160), (0.42, 1.0), (0.18, 0.36)),
    ColourRange("cyan", None, (173, 194), (0.50, 1.0), (0.70, 1.0)),
    ColourRange("cyan", "light", (172, 193), (0.22, 0.42), (0.88, 1.0)),
    ColourRange("cyan", "dark", (173, 193), (0.60, 1.0), (0.38, 0.60)),
    ColourRange("blue", None, (207, 246), (0.60, 1.0), (0.60, 1.0)),
    ColourRange("blue", "light", (203, 236), (0.26, 0.50), (0.85, 1.0)),
    ColourRange("blue", "dark", (207, 248), (0.50, 1.0), (0.22, 0.46)),
    ColourRange("purple", None, (263, 296), (0.48, 1.0), (0.50, 0.88)),
    ColourRange("purple", "light", (258, 290), (0.22, 0.45), (0.80, 1.0)),
    ColourRange("purple", "dark", (262, 300), (0.42, 1.0), (0.22, 0.42)),
    ColourRange("pink", None, (312, 342), (0.42, 0.85), (0.86, 1.0)),
    ColourRange("pink", "light", (318, 362), (0.15, 0.36), (0.92, 1.0)),
    ColourRange("pink", "dark", (310, 336), (0.62, 0.95), (0.66, 0.82)),
    ColourRange("brown", None, (12, 36), (0.48, 0.85), (0.34, 0.52)),
    ColourRange("brown", None, (16, 40), (0.30, 0.48), (0.32, 0.54)),
    ColourRange("brown", None, (14, 36), (0.58, 1.0), (0.40, 0.64)),
    ColourRange("brown", "light", (18, 36), (0.34, 0.55), (0.55, 0.70)),
    ColourRange("brown", "dark", (8, 36), (0.48, 1.0), (0.19, 0.31)),
    ColourRange("black", None, _ANY_HUE, (0.0, 0.35), (0.0, 0.14)),
    ColourRange("white", None, _ANY_HUE, (0.0, 0.08), (0.90, 1.0)),
    ColourRange("gray", None, _ANY_HUE, (0.0, 0.14), (0.40, 0.62)),
    ColourRange("gray", "light", _ANY_HUE, (0.0, 0.11), (0.64, 0.80)),
    ColourRange("gray", "dark", _ANY_HUE, (0.0, 0.17), (0.22, 0.38)),
)

_RANGES_OF = {name: tuple(entry for entry in RANGES if entry.name == name) for name in COLOURS}
ACHROMATIC = frozenset({"black", "white", "gray"})
# A measured colour may be this far outside a range and be in it all the same.
_NAMING_SLACK = (3.0, 0.03, 0.03)
# In units of that: beyond it no word holds, however far the others.
_FARTHEST = 4.0
# So many times as far the next word has to be.
_CLEARLY = 1.4


def hsv_to_rgb(hue: float, saturation: float, value: float) -> np.ndarray:
    """One colour: hue in degrees, the rest 0..1 -> (3,) float32 RGB in 0..255."""
    pixel = np.array([[[hue % 360.0, saturation, value]]], np.float32)
    return np.asarray(cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0] * 255.0, np.float32)


def rgb_to_hsv(rgb: np.ndarray) -> tuple[float, float, float]:
    """One colour: (3,) RGB in 0..255 -> hue in degrees, saturation and value in 0..1."""
    pixel = np.asarray(rgb, np.float32).reshape(1, 1, 3) / 255.0
    hue, saturation, value = cv2.cvtColor(pixel, cv2.COLOR_RGB2HSV)[0, 0]
    return float(hue), float(saturation), float(value)


def sample_colour(rng: np.random.Generator, name: str) -> tuple[np.ndarray, str | None]:
    """Draw one of the colours that a word covers.

    Returns:
        (3,) float32 RGB in 0..255, and its tone: 'light', 'dark' or None for between.
    """
    entries = _RANGES_OF[name]
    entry = entries[rng.integers(len(entries))]
    return (
        hsv_to_rgb(
            rng.uniform(*entry.hue), rng.uniform(*entry.saturation), rng.uniform(*entry.value)
        ),
        entry.tone,
    )


def name_colour(rgb: np.ndarray) -> tuple[str | None, str | None]:
    """Name a colour, if one word is clearly the nearest.

    Args:
        rgb: (3,) in 0..255.

    Returns:
        (colour, tone); (None, None) for a colour between the words, and no tone for one that
        lies outside the ranges of its word.
    """
    hsv = rgb_to_hsv(rgb)
    away = {
        name: [_steps_from(entry, hsv) for entry in entries] for name, entries in _RANGES_OF.items()
    }
    nearest, next_word = sorted(away, key=lambda name: min(away[name]))[:2]
    least, second = min(away[nearest]), min(away[next_word])
    if least > _FARTHEST or second <= max(1.0, _CLEARLY * least):
        return None, None
    of_word = zip(_RANGES_OF[nearest], away[nearest], strict=True)
    tones = {entry.tone for entry, steps in of_word if steps <= 1}
    return nearest, tones.pop() if len(tones) == 1 else None


def _steps_from(entry: ColourRange, hsv: tuple[float, float, float]) -> float:
    """How far a colour lies outside a range, in units of _NAMING_SLACK."""
    hue, saturation, value = hsv
    middle = sum(entry.hue) / 2
    hue = middle + (hue - middle + 180) % 360 - 180
    beyond = [
        max(low - x, x - high, 0.0) / slack
        for x, (low, high), slack in zip(
            (hue, saturation, value),
            (entry.hue, entry.saturation, entry.value),
            _NAMING_SLACK,
            strict=True,
        )
    ]
    return max(beyond)


def lab_distance(first_rgb: np.ndarray, second_rgb: np.ndarray) -> float:
    """CIE 1976 colour difference of two (3,) RGB colours in 0..255."""
    pair = np.stack([first_rgb, second_rgb]).astype(np.float32).reshape(1, 2, 3) / 255.0
    lab = cv2.cvtColor(pair, cv2.COLOR_RGB2LAB)[0]
    return float(np.linalg.norm(lab[0] - lab[1]))


def sample_natural_colour(rng: np.random.Generator) -> np.ndarray:
    """A colour as photos have them: mostly muted, many dark, some vivid; (3,) RGB 0..255."""
    kind = rng.random()
    if kind < 0.35:
        return sample_colour(rng, str(rng.choice(COLOURS)))[0]
    value = float(np.clip(rng.beta(1.6, 1.4), 0.03, 1.0))
    if kind < 0.60:
        return hsv_to_rgb(rng.uniform(0, 360), rng.uniform(0, 0.12), value)
    # Earth, foliage and sky: hues of real scenes bunch around 30, 95 and 212 degrees.
    hue = rng.choice([30.0, 95.0, 212.0, rng.uniform(0, 360)], p=[0.42, 0.2, 0.22, 0.16])
    return hsv_to_rgb(hue + rng.normal(0, 14), float(rng.beta(2.0, 2.6)), value)
