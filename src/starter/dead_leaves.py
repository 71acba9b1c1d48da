"""Dead leaves: pictures of overlapping random regions, with the statistics of natural ones."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from src.models.starter.vocabulary import SHAPES
from src.starter.colours import sample_natural_colour
from src.starter.noise import fractal_noise, light_scene, photograph, ramp
from src.starter.outlines import draw_blob, draw_outline
from src.starter.patterns import draw_pattern, sample_pair

_FIELDS = 3


@dataclass(frozen=True)
class DeadLeaves:
    """A picture of leaves and which leaf each pixel belongs to.

    Attributes:
        image_rgb: (H, W, 3) uint8.
        labels: (H, W) int32, the leaf seen at each pixel.
        parents: (N,) int32, the leaf that each leaf is a part of, or itself.
        textures: N words of vocabulary.TEXTURES, or None for a natural texture.
    """

    image_rgb: np.ndarray
    labels: np.ndarray
    parents: np.ndarray
    textures: tuple[str | None, ...]

    def masks(self, min_area: int = 60) -> list[np.ndarray]:
        """The visible regions with at least `min_area` pixels, as (H, W) bool."""
        areas = np.bincount(self.labels.ravel(), minlength=len(self.parents))
        return [self.labels == label for label in np.flatnonzero(areas >= min_area)]


@dataclass
class _Canvas:
    """The leaves painted so far; grows while painting."""

    labels: np.ndarray
    parents: list[int]
    centres: list[tuple[float, float, float]]


def draw_dead_leaves(
    rng: np.random.Generator, size_wh: tuple[int, int], *, busy: float = 1.0, finish: bool = True
) -> DeadLeaves:
    """Draw occluding random leaves, back to front (Lee, Mumford and Huang 2001).

    Sizes follow a power law; leaves are ellipses, polygons, blobs, bars and our shapes,
    with colours, shading and textures inside, some with parts of their own.

    Args:
        size_wh: of the picture, in pixels.
        busy: fewer and larger leaves below 1.
        finish: light and photograph it; off where it becomes part of another picture.

    Returns:
        The picture and its regions.
    """
    scale = 2 if rng.random() < 0.4 and max(size_wh) <= 640 else 1
    width, height = size_wh[0] * scale, size_wh[1] * scale
    canvas = _Canvas(np.zeros((height, width), np.int32), [0], [(width / 2, height / 2, width)])
    smallest = rng.uniform(0.02, 0.06) / np.sqrt(busy) * min(width, height)
    largest = rng.uniform(0.3, 0.7) * min(width, height)
    far = 2 + int(busy * rng.integers(2, 43))
    near = 1 + int(busy * rng.integers(1, 49))
    _paint(rng, canvas, far, smallest, largest)
    picture = None
    if rng.random() < 0.35:
        # Out of focus behind, sharp in front.
        back, back_textures = _shade(rng, canvas)
        back = cv2.GaussianBlur(back, (0, 0), scale * rng.uniform(0.8, 3.5))
        first_near = len(canvas.parents)
        _paint(rng, canvas, near, smallest, largest * 0.8)
        front, textures = _shade(rng, canvas)
        picture = np.where((canvas.labels >= first_near)[..., None], front, back)
        textures = back_textures + textures[first_near:]
    else:
        _paint(rng, canvas, near, smallest, largest)
        picture, textures = _shade(rng, canvas)
    if rng.random() < 0.3:
        picture = _darken_edges(rng, picture, canvas.labels)
    labels = canvas.labels
    if scale > 1:
        picture = cv2.resize(picture, size_wh, interpolation=cv2.INTER_AREA)
        labels = labels[::scale, ::scale].copy()
    if finish:
        picture = light_scene(rng, picture)
        image_rgb = photograph(rng, picture)
    else:
        image_rgb = np.clip(picture, 0, 255).astype(np.uint8)
    return DeadLeaves(image_rgb, labels, np.array(canvas.parents, np.int32), tuple(textures))


def _leaf(rng: np.random.Generator) -> np.ndarray:
    kind = rng.random()
    if kind < 0.30:
        angles = np.arange(28) * 2 * np.pi / 28
        points = np.stack([np.cos(angles), np.sin(angles) * rng.uniform(0.35, 1.0)], axis=1)
    elif kind < 0.58:
        points = draw_blob(rng, rng.uniform(0.15, 0.6))
    elif kind < 0.78:
        angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 7))))
        points = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    elif kind < 0.92:
        thin = rng.uniform(0.06, 0.6)
        points = np.array([[-1, -thin], [1, -thin], [1, thin], [-1, thin]], np.float64)
    else:
        points = draw_outline(rng, str(rng.choice(SHAPES))).edge
    # Many edges of the world are level or upright.
    turn = rng.uniform(0, 2 * np.pi) if rng.random() < 0.6 else rng.integers(4) * np.pi / 2
    cos, sin = np.cos(turn), np.sin(turn)
    return np.asarray(points @ np.array([[cos, sin], [-sin, cos]]), np.float64)


def _paint(
    rng: np.random.Generator, canvas: _Canvas, count: int, smallest: float, largest: float
) -> None:
    height, width = canvas.labels.shape
    # Inverse of the cumulative r^-3 law between the two radii, by rank of a uniform draw.
    uniform = rng.random(count)
    power = rng.uniform(1.0, 2.2)
    radii = (smallest**-power + uniform * (largest**-power - smallest**-power)) ** (-1 / power)
    radii = np.sort(radii)[::-1] if rng.random() < 0.6 else radii
    for radius in radii:
        centre = rng.uniform((0, 0), (width, height))
        own = _fill(rng, canvas, centre, float(radius), parent=None)
        if own is None or rng.random() > 0.25 or radius < 0.08 * min(width, height):
            continue
        for _ in range(int(rng.integers(1, 5))):
            spot = centre + rng.uniform(-0.6, 0.6, 2) * radius
            _fill(rng, canvas, spot, float(radius * rng.uniform(0.12, 0.45)), parent=own)


def _fill(
    rng: np.random.Generator,
    canvas: _Canvas,
    centre: np.ndarray,
    radius: float,
    parent: int | None,
) -> int | None:
    points = np.round(_leaf(rng) * radius + centre).astype(np.int32)
    label = len(canvas.parents)
    if parent is None:
        cv2.fillPoly(canvas.labels, [points], label)
    else:
        left, top = np.maximum(points.min(axis=0), 0)
        right, bottom = points.max(axis=0) + 1
        window = canvas.labels[top : max(bottom, top), left : max(right, left)]
        if window.size == 0:
            return None
        stamp = np.zeros(window.shape, np.uint8)
        cv2.fillPoly(stamp, [points - np.array([left, top])], 1)
        window[(stamp > 0) & (window == parent)] = label
    canvas.parents.append(label if parent is None else parent)
    canvas.centres.append((float(centre[0]), float(centre[1]), radius))
    return label


def _shade(rng: np.random.Generator, canvas: _Canvas) -> tuple[np.ndarray, list[str | None]]:
    """Colour every leaf: base colour, slope, roundness, natural texture or a pattern."""
    labels = canvas.labels
    height, width = labels.shape
    count = len(canvas.parents)
    base = np.stack([sample_natural_colour(rng) for _ in range(count)]).astype(np.float32)
    texture_names: list[str | None] = [None] * count
    fields = np.stack(
        [fractal_noise(rng, (width, height), rng.uniform(0.45, 1.0)) for _ in range(_FIELDS)]
    )
    amount = np.where(rng.random(count) < 0.3, 0.0, rng.gamma(1.6, 0.055, count))
    texture_names = ["plain" if weight < 0.06 else None for weight in amount]
    amount_of = amount.clip(0, 0.3).astype(np.float32)
    which = rng.integers(_FIELDS, size=count)
    gain = np.ones((height, width), np.float32)
    for index, field in enumerate(fields):
        gain += field * np.where(which == index, amount_of, 0).astype(np.float32)[labels]
    slope = rng.normal(0, 0.09, count).astype(np.float32)
    gain += ramp(rng, (width, height)) * slope[labels]
    picture = base[labels]
    centres = np.array(canvas.centres, np.float32)
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    roundness = np.where(rng.random(count) < 0.3, rng.uniform(0.1, 0.5, count), 0)
    if roundness.any():
        rounded = roundness.astype(np.float32)[labels]
        dx = (xs - centres[labels, 0]) / centres[labels, 2]
        dy = (ys - centres[labels, 1]) / centres[labels, 2]
        gain += rounded * (0.35 - np.clip(dx * dx + dy * dy, 0, 1.2))
    areas = np.bincount(labels.ravel(), minlength=count)
    for label in np.flatnonzero((areas > 150) & (rng.random(count) < 0.16)):
        rows, columns = np.nonzero(labels == label)
        kind = str(rng.choice(["striped", "dotted", "checkered"]))
        first, second = sample_pair(rng)
        pattern = draw_pattern(rng, kind, float(np.sqrt(areas[label] / np.pi)))
        weight = pattern.weight(columns.astype(np.float32), rows.astype(np.float32))[:, None]
        picture[rows, columns] = first * (1 - weight) + second * weight
        texture_names[label] = kind
    picture *= np.clip(gain, 0.15, 1.9)[..., None]
    return np.clip(picture, 0, 255), texture_names


def _darken_edges(rng: np.random.Generator, picture: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Contact shadows: a soft dark line where one leaf lies on another."""
    edges = np.zeros(labels.shape, np.float32)
    edges[:, 1:] = labels[:, 1:] != labels[:, :-1]
    edges[1:] = np.maximum(edges[1:], labels[1:] != labels[:-1])
    soft = cv2.GaussianBlur(edges, (0, 0), rng.uniform(0.6, 3.0))
    shadow = 1 - rng.uniform(0.2, 0.6) * soft / (soft.max() + 1e-6)
    return np.asarray(picture * shadow[..., None], np.float32)
