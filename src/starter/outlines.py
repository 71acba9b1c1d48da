"""The ten shapes as polygons in the square -1..1."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

_TURN = 2 * np.pi


@dataclass(frozen=True)
class Outline:
    """A shape's edge and, for a ring, the edge of its hole; each (N, 2) float64, x and y."""

    edge: np.ndarray
    hole: np.ndarray | None = None


def _around(count: int, start: float = 0.0) -> np.ndarray:
    return start + np.arange(count) * _TURN / count


def _polar(radius: np.ndarray | float, angle: np.ndarray) -> np.ndarray:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _star(rng: np.random.Generator) -> np.ndarray:
    tips = int(rng.choice([4, 5, 5, 5, 5, 6, 7]))
    inner = rng.uniform(0.32, 0.5) + 0.03 * (tips - 5)
    radius = np.where(np.arange(2 * tips) % 2 == 0, 1.0, inner)
    return _polar(radius, _around(2 * tips))


def _cross(rng: np.random.Generator) -> np.ndarray:
    arm = rng.uniform(0.22, 0.42)
    quarter = np.array([[arm, arm], [arm, 1.0], [-arm, 1.0], [-arm, arm]])
    turns = [
        quarter,
        quarter @ np.array([[0, 1], [-1, 0]]),
        -quarter,
        quarter @ np.array([[0, -1], [1, 0]]),
    ]
    return np.concatenate(turns)


def _heart(rng: np.random.Generator) -> np.ndarray:
    angle = _around(72)
    across = np.sin(angle) ** 3
    depth = rng.uniform(3.5, 5.5)
    down = -(13 * np.cos(angle) - depth * np.cos(2 * angle) - 2 * np.cos(3 * angle)) / 15.0
    return np.stack([across, down - 0.1], axis=1)


def _crescent(rng: np.random.Generator) -> np.ndarray:
    radius, shift = rng.uniform(0.72, 0.95), rng.uniform(0.42, 0.62)
    if radius + shift < 1.18:
        shift = 1.18 - radius
    # Where the biting disc crosses the unit disc.
    cross_x = (1 + shift * shift - radius * radius) / (2 * shift)
    outer = np.arccos(np.clip(cross_x, -1, 1))
    inner = np.arctan2(np.sin(outer), cross_x - shift)
    long_way = np.linspace(outer, _TURN - outer, 48)
    back = np.linspace(_TURN - inner, inner, 32)
    bite = _polar(radius, back) + np.array([shift, 0.0])
    points = np.concatenate([_polar(1.0, long_way), bite[1:-1]])
    return np.asarray(points + np.array([0.25, 0.0]), np.float64)


def draw_outline(rng: np.random.Generator, shape: str) -> Outline:
    """A random instance of a shape, turned, squashed and tilted as it may be and keep its name.

    Args:
        shape: a word of vocabulary.SHAPES.

    Returns:
        The outline, inside about -1.2..1.2.
    """
    hole: np.ndarray | None = None
    turn, squash = rng.uniform(0, _TURN), rng.uniform(0.82, 1.0)
    if shape == "circle":
        edge = _polar(1.0, _around(64))
    elif shape == "ring":
        edge = _polar(1.0, _around(64))
        hole = edge * rng.uniform(0.42, 0.76)
    elif shape == "square":
        edge = _polar(1.0, _around(4, np.pi / 4)) * 1.1
        turn, squash = rng.normal(0, np.radians(12)), rng.uniform(0.78, 1.0)
    elif shape == "diamond":
        # Upright and longer one way: what keeps it apart from a turned square.
        edge = _polar(1.0, _around(4)) * np.array([1.0, rng.uniform(0.5, 0.8)])
        if rng.random() < 0.7:
            edge = edge[:, ::-1]
        turn, squash = rng.normal(0, np.radians(15)), 1.0
    elif shape == "triangle":
        edge = _polar(1.0, _around(3) + rng.normal(0, 0.12, 3))
    elif shape == "hexagon":
        edge = _polar(1.0, _around(6))
    elif shape == "star":
        edge = _star(rng)
    elif shape == "cross":
        edge = _cross(rng)
    elif shape == "heart":
        edge = _heart(rng)
        turn = rng.normal(0, np.radians(20))
    else:
        edge = _crescent(rng)
    cos, sin = np.cos(turn), np.sin(turn)
    spin = np.array([[cos, sin], [-sin, cos]])
    # The squash follows the frame for half of them, as things seen at a slant do.
    stretch = np.array([1.0, squash]) if rng.random() < 0.5 else np.array([squash, 1.0])
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float32)
    tilt = 0.09 if rng.random() < 0.5 else 0.0
    moved = corners + rng.uniform(-tilt, tilt, (4, 2)).astype(np.float32)
    homography = cv2.getPerspectiveTransform(corners, moved)

    def place(points: np.ndarray) -> np.ndarray:
        placed = (points @ spin) * stretch
        out = cv2.perspectiveTransform(placed[None].astype(np.float64), homography)
        return np.asarray(out[0], np.float64)

    return Outline(place(edge), None if hole is None else place(hole))


def draw_blob(rng: np.random.Generator, roughness: float = 0.25) -> np.ndarray:
    """A closed random curve with no name; (N, 2) float64 around the unit circle."""
    angle = _around(48)
    radius = np.ones_like(angle)
    for wave in range(2, 7):
        radius += roughness * rng.normal() / wave * np.cos(wave * angle + rng.uniform(0, _TURN))
    return _polar(np.clip(radius, 0.25, 2.0), angle)
