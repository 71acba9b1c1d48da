"""Stripes, dots and checks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from src.models.starter.vocabulary import COLOURS
from src.starter.colours import ACHROMATIC, lab_distance, sample_colour


@dataclass(frozen=True)
class Pattern:
    """A repeating pattern of a second colour over a first one.

    Attributes:
        kind: a word of vocabulary.TEXTURES; 'plain' has no second colour.
        period: distance from one stripe, dot or pair of checks to the next, in pixels.
        angle: of the pattern's first axis, in radians.
        share: how much of a period the second colour takes.
        phase: offset of the pattern's origin, in periods, for both axes.
        softness: width of the edge between the colours, in pixels.
        stagger: how far each second row of dots is moved, in periods; 0 is a square grid.
    """

    kind: str
    period: float
    angle: float
    share: float
    phase: tuple[float, float]
    softness: float
    stagger: float

    def weight(self, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
        """How much of the second colour shows at each place.

        Args:
            xs: x in pixels, float32, broadcastable against ys.
            ys: y in pixels.

        Returns:
            float32 in 0..1.
        """
        if self.kind == "plain":
            return np.zeros(np.broadcast_shapes(xs.shape, ys.shape), np.float32)
        cos, sin = np.float32(np.cos(self.angle)), np.float32(np.sin(self.angle))
        along = (xs * cos + ys * sin) / np.float32(self.period) + np.float32(self.phase[0])
        if self.kind == "striped":
            inside = self.share / 2 - np.abs(along % 1.0 - 0.5)
            return self._soften(inside)
        across = (ys * cos - xs * sin) / np.float32(self.period) + np.float32(self.phase[1])
        if self.kind == "dotted":
            rows = np.floor(across)
            along = along + self.stagger * (rows % 2)
            radius = np.sqrt(self.share / np.pi)
            inside = radius - np.hypot(along % 1.0 - 0.5, across % 1.0 - 0.5)
            return self._soften(inside)
        # Checks: the sign of a product of two triangle waves, four checks a period square, of
        # which the second colour's two are the smaller the less it takes.
        first = np.abs(along % 1.0 - 0.5) - 0.25
        second = np.abs(across % 1.0 - 0.5) - 0.25
        inside = np.sign(first * second) * np.minimum(np.abs(first), np.abs(second))
        return self._soften(inside - (0.5 - math.sqrt(self.share / 2)) / 2)

    def _soften(self, inside: np.ndarray) -> np.ndarray:
        edge = np.float32(self.period / max(self.softness, 0.05))
        return np.asarray(np.clip(inside * edge + 0.5, 0.0, 1.0), np.float32)


def draw_pattern(rng: np.random.Generator, kind: str, radius: float) -> Pattern:
    """A random pattern for something of about this radius in pixels."""
    finest, coarsest = {
        "striped": (0.22, 0.62),
        "dotted": (0.26, 0.55),
        "checkered": (0.36, 0.85),
    }.get(kind, (0.5, 0.6))
    half, less = rng.uniform(0.32, 0.5), rng.uniform(0.2, 0.4)
    share = {"striped": half, "dotted": less, "checkered": half}.get(kind, 0.5)
    return Pattern(
        kind=kind,
        period=max(5.0, radius * float(np.exp(rng.uniform(np.log(finest), np.log(coarsest))))),
        angle=rng.uniform(0, np.pi),
        share=float(share),
        phase=(rng.random(), rng.random()),
        softness=rng.uniform(0.4, 1.6),
        stagger=float(rng.choice([0.0, 0.5])),
    )


def second_colour(rng: np.random.Generator, name: str, first_rgb: np.ndarray) -> np.ndarray:
    """A pattern's other colour: one that leaves the first the name of the whole.

    White or black, or a much lighter or darker variant; beside black, white and gray only
    another of these, since a strong colour there would be the one people name.

    Args:
        name: the first colour's word.
        first_rgb: (3,) in 0..255.

    Returns:
        (3,) float32 RGB in 0..255.
    """
    if name == "black":
        return np.full(3, rng.uniform(95, 255), np.float32)
    if name == "white":
        return np.full(3, rng.uniform(0, 170), np.float32)
    if name == "gray":
        level = float(first_rgb.mean())
        step = rng.uniform(-150, 150)
        step += np.copysign(50, step)
        # the other way where there is no room for it
        paired = level - step if not 0 <= level + step <= 255 else level + step
        return np.full(3, np.clip(paired, 0, 255), np.float32)
    for _ in range(12):
        pick = rng.random()
        other: np.ndarray
        if pick < 0.45:
            other = np.full(3, rng.uniform(225, 255), np.float32)
        elif pick < 0.65:
            other = np.full(3, rng.uniform(0, 38), np.float32)
        elif pick < 0.85:
            other = first_rgb * rng.uniform(0.25, 0.6)
        else:
            other = 255 - (255 - first_rgb) * rng.uniform(0.2, 0.5)
        if lab_distance(first_rgb, other) > 28:
            return np.asarray(other, np.float32)
    return np.full(3, 250.0 if first_rgb.mean() < 128 else 10.0, np.float32)


def sample_pair(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two colours that contrast, for patterns nobody has to name."""
    name = str(rng.choice([colour for colour in COLOURS if colour not in ACHROMATIC]))
    first, _ = sample_colour(rng, name)
    return first, second_colour(rng, name, first)
