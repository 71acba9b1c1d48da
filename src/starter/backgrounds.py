"""What lies behind the shapes of a scene."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from src.starter.colours import hsv_to_rgb, sample_natural_colour
from src.starter.dead_leaves import draw_dead_leaves
from src.starter.noise import fractal_noise, ramp, smooth_noise
from src.starter.outlines import draw_blob


@dataclass(frozen=True)
class Background:
    """A picture to draw on, and its own regions.

    Attributes:
        image: (H, W, 3) float32 RGB in 0..255.
        labels: (H, W) int32; 0 everywhere when it is all of a piece.
    """

    image: np.ndarray
    labels: np.ndarray


def draw_background(
    rng: np.random.Generator, size_wh: tuple[int, int], *, calm: bool = False
) -> Background:
    """Draw a background: flat, sloping, textured, blotched, a horizon, or cluttered.

    Args:
        size_wh: in pixels.
        calm: only quiet ones, for pictures that people are shown.
    """
    kinds = [_flat, _textured, _horizon, _blotches, _woven, _clutter]
    weights = [0.45, 0.35, 0.2, 0, 0, 0] if calm else [0.2, 0.26, 0.16, 0.13, 0.1, 0.15]
    drawn = kinds[int(rng.choice(len(kinds), p=weights))](rng, size_wh)
    if not calm:
        return drawn
    paper = hsv_to_rgb(rng.uniform(0, 360), 0.06, rng.choice([0.95, 0.88, 0.2], p=[0.5, 0.3, 0.2]))
    return Background(0.3 * drawn.image + 0.7 * paper, drawn.labels)


def _nothing(size_wh: tuple[int, int]) -> np.ndarray:
    return np.zeros(size_wh[::-1], np.int32)


def _between(first: np.ndarray, second: np.ndarray, weight: np.ndarray) -> np.ndarray:
    mixed = first + (second - first) * np.clip(weight, 0, 1)[..., None]
    return np.asarray(mixed, np.float32)


def _near(rng: np.random.Generator, colour: np.ndarray, spread: float) -> np.ndarray:
    return np.clip(colour * (1 + rng.normal(0, spread)) + rng.normal(0, 60 * spread, 3), 0, 255)


def _flat(rng: np.random.Generator, size_wh: tuple[int, int]) -> Background:
    colour = sample_natural_colour(rng)
    other = _near(rng, colour, 0.25) if rng.random() < 0.6 else colour
    weight = 0.5 + 0.5 * ramp(rng, size_wh)
    return Background(_between(colour, other, weight), _nothing(size_wh))


def _textured(rng: np.random.Generator, size_wh: tuple[int, int]) -> Background:
    colour = sample_natural_colour(rng)
    image = np.empty((size_wh[1], size_wh[0], 3), np.float32)
    image[:] = colour
    roughness = rng.uniform(0.45, 1.05)
    gain = 1 + rng.gamma(2.0, 0.06) * fractal_noise(rng, size_wh, roughness)
    image *= np.clip(gain, 0.2, 1.8)[..., None]
    if rng.random() < 0.5:
        tint = (_near(rng, colour, 0.4) - colour) * 0.6
        image += np.clip(fractal_noise(rng, size_wh, 0.6), -2, 2)[..., None] * tint * 0.4
    return Background(np.clip(image, 0, 255), _nothing(size_wh))


def _horizon(rng: np.random.Generator, size_wh: tuple[int, int]) -> Background:
    """Two or three bands, as wall and floor or sky, hills and ground."""
    width, height = size_wh
    first = _textured(rng, size_wh).image if rng.random() < 0.5 else _flat(rng, size_wh).image
    image, labels = first, _nothing(size_wh)
    for band in range(1, int(rng.integers(2, 4))):
        level = rng.uniform(0.25, 0.85) * height
        rise = rng.normal(0, 0.06) * height
        bumps = rng.normal(0, rng.choice([0.0, 0.03]) * height, 8)
        line = level + np.linspace(-rise, rise, width)
        line += cv2.resize(bumps[None], (width, 1), interpolation=cv2.INTER_CUBIC)[0]
        below = np.arange(height)[:, None] > line[None, :]
        other = _textured(rng, size_wh).image if rng.random() < 0.7 else _flat(rng, size_wh).image
        soft: np.ndarray = below.astype(np.float32)
        if rng.random() < 0.5:
            soft = cv2.GaussianBlur(soft, (0, 0), rng.uniform(0.5, 3.0))
        image = image + (other - image) * soft[..., None]
        labels[below] = band
    return Background(image, labels)


def _blotches(rng: np.random.Generator, size_wh: tuple[int, int]) -> Background:
    """Lights and things far out of focus; too soft to count as regions."""
    image: np.ndarray = _flat(rng, size_wh).image
    for _ in range(int(rng.integers(4, 16))):
        radius = rng.uniform(0.05, 0.35) * min(size_wh)
        points = draw_blob(rng, 0.2) * radius + rng.uniform((0, 0), size_wh)
        colour = _near(rng, sample_natural_colour(rng), 0.1)
        cv2.fillPoly(image, [points.round().astype(np.int32)], colour.tolist())
    image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.03, 0.09) * min(size_wh))
    return Background(image, _nothing(size_wh))


def _woven(rng: np.random.Generator, size_wh: tuple[int, int]) -> Background:
    """Regular low-contrast matter: planks, tiles, bricks, cloth, scratches."""
    width, height = size_wh
    image = _textured(rng, size_wh).image
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = rng.choice([0.0, np.pi / 2, rng.uniform(0, np.pi)])
    along = xs * np.cos(angle) + ys * np.sin(angle)
    across = ys * np.cos(angle) - xs * np.sin(angle)
    bow = rng.uniform(0, 5) * smooth_noise(rng, size_wh, 3)
    step = rng.uniform(0.05, 0.25) * min(size_wh)
    depth = rng.uniform(0.05, 0.3)
    if rng.random() < 0.4:
        gain = 1 + depth * 0.5 * np.sin(2 * np.pi * (along + bow) / max(3.0, step / 3))
    else:
        row = np.floor(across / step)
        shift = 0.5 * (row % 2) if rng.random() < 0.5 else 0.0
        seam = np.minimum(across / step % 1, 1 - across / step % 1) * step
        joint = along / (step * rng.uniform(1, 4)) + shift
        seam = np.minimum(seam, np.minimum(joint % 1, 1 - joint % 1) * step * 2)
        tone = rng.normal(0, depth * 0.3, 512)[
            (row.astype(int) * 7 + np.floor(joint).astype(int)) % 512
        ]
        gain = 1 + tone - depth * np.exp(-((seam / rng.uniform(0.8, 2.5)) ** 2))
    image = image * gain.astype(np.float32)[..., None]
    return Background(np.clip(image, 0, 255), _nothing(size_wh))


def _clutter(rng: np.random.Generator, size_wh: tuple[int, int]) -> Background:
    """Dead leaves, often out of focus."""
    leaves = draw_dead_leaves(rng, size_wh, finish=False)
    image: np.ndarray = leaves.image_rgb.astype(np.float32)
    labels = leaves.labels
    if rng.random() < 0.6:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.8, 4.0))
    if rng.random() < 0.6:
        # Pulled towards one colour, so that what lies in front stands out.
        faintness = np.float32(rng.uniform(0.2, 0.8))
        image += (sample_natural_colour(rng) - image) * faintness
        if faintness > 0.45:
            labels = _nothing(size_wh)
    return Background(image, labels)
