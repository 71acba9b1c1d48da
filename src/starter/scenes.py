"""Scenes of named shapes, drawn from a seed: what the starter models learn from."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from src.models.starter.vocabulary import COLOURS, SHAPES
from src.starter.backgrounds import draw_background
from src.starter.colours import lab_distance, sample_colour
from src.starter.noise import fractal_noise, light_scene, photograph, ramp
from src.starter.outlines import draw_outline
from src.starter.patterns import draw_pattern, second_colour

# Longest side of a shape's box over the frame's shorter side.
SMALL_BELOW = 0.20
LARGE_ABOVE = 0.45
_MIN_CONTRAST = 22.0
_MIN_VISIBLE = 0.65
_MIN_AREA = 40


@dataclass(frozen=True)
class DrawnShape:
    """One shape of a scene and what is true of it.

    Attributes:
        mask: (H, W) bool, where it is seen.
        colour, shape, texture: words of the vocabulary.
        tone: 'light', 'dark' or None.
        size: 'small', 'large' or None.
        bbox_xywh: of the mask, in pixels.
        visible: the share of the shape that nothing hides, 0..1.
    """

    mask: np.ndarray
    colour: str
    shape: str
    texture: str
    tone: str | None
    size: str | None
    bbox_xywh: tuple[int, int, int, int]
    visible: float


@dataclass(frozen=True)
class Scene:
    """A picture and everything that was drawn in it.

    Attributes:
        image_rgb: (H, W, 3) uint8.
        shapes: those that are mostly visible, back to front.
        hidden: the shape words of the others.
        labels: (H, W) int32; every region: first the background's own, then the shapes,
            hidden ones too.
        background_regions: labels below this belong to the background.
    """

    image_rgb: np.ndarray
    shapes: tuple[DrawnShape, ...]
    labels: np.ndarray
    background_regions: int
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Placed:
    """A shape on its way into a picture; alpha and full are cut to `window`."""

    window: tuple[slice, slice]
    alpha: np.ndarray
    colour: str
    shape: str
    texture: str
    tone: str | None


def draw_scene(
    rng: np.random.Generator,
    size_wh: tuple[int, int] = (256, 192),
    *,
    count: int | None = None,
    calm: bool = False,
) -> Scene:
    """Draw a scene of coloured, patterned shapes.

    Args:
        rng: the scene is a function of its state.
        size_wh: of the picture, in pixels.
        count: how many shapes to try to place; 1 to 9 unless told.
        calm: a quiet background, no shape over another and a clean camera, for
            pictures that people are shown.

    Returns:
        The scene. Shapes that found no place or lie mostly hidden are left out.
    """
    background = draw_background(rng, size_wh, calm=calm)
    image, labels = background.image.copy(), background.labels.copy()
    first_label = int(labels.max()) + 1
    style = _Style.draw(rng, calm)
    placed: list[_Placed] = []
    full_areas: list[int] = []
    for _ in range(count if count is not None else int(rng.integers(1, 10))):
        item = _place(rng, image, labels, first_label, style)
        if item is None:
            continue
        seen = item.alpha > 0.5
        labels[item.window][seen] = first_label + len(placed)
        placed.append(item)
        full_areas.append(int(seen.sum()))
    image = light_scene(rng, image, strength=0.4 if calm else 1.0)
    image_rgb = np.clip(image, 0, 255).astype(np.uint8) if calm else photograph(rng, image)
    shapes, hidden = [], []
    for index, (item, full_area) in enumerate(zip(placed, full_areas, strict=True)):
        mask = labels == first_label + index
        area = int(mask.sum())
        if area < _MIN_AREA or area < _MIN_VISIBLE * full_area:
            hidden.append(item.shape)
            continue
        bbox = _bounding_box(mask)
        reach = max(bbox[2:]) / min(size_wh)
        size = "small" if reach < SMALL_BELOW else "large" if reach > LARGE_ABOVE else None
        shapes.append(
            DrawnShape(
                mask, item.colour, item.shape, item.texture, item.tone, size, bbox,
                area / full_area,
            )
        )  # fmt: skip
    return Scene(image_rgb, tuple(shapes), labels, first_label, tuple(hidden))


@dataclass(frozen=True)
class LoneShape:
    """A shape drawn by itself, to be laid over pictures.

    Attributes:
        rgb: (H, W, 3) float32 in 0..255, beyond its edge as well.
        alpha: (H, W) float32, its coverage, 0..1.
    """

    rgb: np.ndarray
    alpha: np.ndarray


def draw_alone(rng: np.random.Generator, radius: float, unlike_rgb: np.ndarray) -> LoneShape:
    """Draw one shape, in a colour that stands out from another.

    Args:
        radius: in pixels; the picture is a square that has room for it.
        unlike_rgb: (3,) in 0..255.
    """
    side = 2 * int(np.ceil(1.45 * radius)) + 1
    centre = np.full(2, side / 2)
    ground = np.empty((side, side, 3), np.float32)
    ground[:] = unlike_rgb
    while True:
        name = str(rng.choice(SHAPES))
        made = _rasterise(rng, name, centre, radius, (side, side), _Style(3, False, 0.0, 0.0))
        if made is None:
            continue
        window, alpha = made
        colour = _contrasting_colour(rng, ground[window], alpha, alpha > 0.5)
        if colour is None:
            continue
        whole = np.zeros((side, side), np.float32)
        whole[window] = alpha
        rgb = np.empty((side, side, 3), np.float32)
        rgb[:] = colour[1]
        _render(rng, rgb, window, alpha, colour, centre, radius, _Style(3, False, 0.0, 0.0))
        return LoneShape(rgb, whole)


@dataclass(frozen=True)
class _Style:
    """What all shapes of one picture share: how they are rendered."""

    supersample: int
    hard_edge: bool
    shadow: float
    overlap: float

    @staticmethod
    def draw(rng: np.random.Generator, calm: bool) -> _Style:
        if calm:
            return _Style(4, False, float(rng.choice([0.0, 0.35])), 0.0)
        return _Style(
            supersample=int(rng.choice([1, 2, 3])),
            hard_edge=rng.random() < 0.2,
            shadow=rng.uniform(0.15, 0.6) if rng.random() < 0.35 else 0.0,
            overlap=float(rng.choice([0.0, 0.15, 0.35])),
        )


def _place(
    rng: np.random.Generator,
    image: np.ndarray,
    labels: np.ndarray,
    first_label: int,
    style: _Style,
) -> _Placed | None:
    """Draw one shape into the image where it fits; None when no place was found."""
    height, width = labels.shape
    short = min(height, width)
    for _ in range(8):
        radius = float(np.exp(rng.uniform(np.log(max(6.0, 0.045 * short)), np.log(0.36 * short))))
        slack = rng.choice([1.0, 0.75], p=[0.85, 0.15])
        reach = min(radius * slack, 0.49 * short)
        centre = rng.uniform((reach, reach), (width - reach, height - reach))
        name = str(rng.choice(SHAPES))
        made = _rasterise(rng, name, centre, radius, (width, height), style)
        if made is None:
            continue
        window, alpha = made
        seen = alpha > 0.5
        area = int(seen.sum())
        if area < _MIN_AREA:
            continue
        hidden = labels[window][seen]
        hidden = hidden[hidden >= first_label]
        if hidden.size > style.overlap * area:
            continue
        if hidden.size:
            counts = np.bincount(hidden)
            covered = np.flatnonzero(counts)
            whole = np.array([np.count_nonzero(labels == label) for label in covered])
            if (counts[covered] > 0.4 * whole).any():
                continue
        colour = _contrasting_colour(rng, image[window], alpha, seen)
        if colour is None:
            continue
        texture = _render(rng, image, window, alpha, colour, centre, radius, style)
        return _Placed(window, alpha, colour[0], name, texture, colour[2])
    return None


def _rasterise(
    rng: np.random.Generator,
    name: str,
    centre: np.ndarray,
    radius: float,
    size_wh: tuple[int, int],
    style: _Style,
) -> tuple[tuple[slice, slice], np.ndarray] | None:
    """A shape's coverage of each pixel of its window, (h, w) float32 in 0..1."""
    outline = draw_outline(rng, name)
    edge = outline.edge * radius + centre
    left, top = np.maximum(np.floor(edge.min(axis=0)).astype(int) - 2, 0)
    right, bottom = np.minimum(np.ceil(edge.max(axis=0)).astype(int) + 3, size_wh)
    if right - left < 4 or bottom - top < 4:
        return None
    times = style.supersample
    large = np.zeros(((bottom - top) * times, (right - left) * times), np.uint8)
    origin = np.array([left, top])

    def fill(points: np.ndarray, value: int) -> None:
        scaled = ((points - origin) * times * 16).round().astype(np.int32)
        cv2.fillPoly(large, [scaled], value, lineType=cv2.LINE_8, shift=4)

    fill(edge, 255)
    if outline.hole is not None:
        fill(outline.hole * radius + centre, 0)
    if rng.random() < 0.25 and radius > 10:
        soft = cv2.GaussianBlur(large, (0, 0), times * radius * rng.uniform(0.03, 0.10))
        large = np.where(soft > 127, 255, 0).astype(np.uint8)
    size = (int(right - left), int(bottom - top))
    alpha = cv2.resize(large, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    if style.hard_edge:
        alpha = (alpha > 0.5).astype(np.float32)
    return (slice(int(top), int(bottom)), slice(int(left), int(right))), alpha


def _contrasting_colour(
    rng: np.random.Generator, under: np.ndarray, alpha: np.ndarray, seen: np.ndarray
) -> tuple[str, np.ndarray, str | None] | None:
    """A colour that stands out from what lies around the shape: (name, rgb, tone)."""
    around = under[alpha < 0.5]
    local = np.median(around if len(around) > 20 else under[seen], axis=0)
    for _ in range(6):
        name = str(rng.choice(COLOURS))
        rgb, tone = sample_colour(rng, name)
        if lab_distance(rgb, local) > _MIN_CONTRAST:
            return name, rgb, tone
    return None


def _render(
    rng: np.random.Generator,
    image: np.ndarray,
    window: tuple[slice, slice],
    alpha: np.ndarray,
    colour: tuple[str, np.ndarray, str | None],
    centre: np.ndarray,
    radius: float,
    style: _Style,
) -> str:
    """Lay the shape over the image, in place; the texture it got."""
    name, rgb, _ = colour
    height, width = alpha.shape
    texture = "plain"
    if radius >= 11 and rng.random() < 0.58:
        texture = str(rng.choice(["striped", "dotted", "checkered"]))
    ys = np.arange(window[0].start, window[0].stop, dtype=np.float32)[:, None] - centre[1]
    xs = np.arange(window[1].start, window[1].stop, dtype=np.float32)[None, :] - centre[0]
    ys, xs = ys.astype(np.float32), xs.astype(np.float32)
    paint = np.empty((height, width, 3), np.float32)
    paint[:] = rgb
    if texture != "plain":
        pattern = draw_pattern(rng, texture, radius)
        other = second_colour(rng, name, rgb)
        paint += (other - rgb) * pattern.weight(xs, ys)[..., None]
    gain = np.ones((height, width), np.float32)
    if rng.random() < 0.45:
        gain += rng.uniform(0, 0.16) * ramp(rng, (width, height))
    if rng.random() < 0.35:
        gain += rng.uniform(0, 0.07) * fractal_noise(rng, (width, height), rng.uniform(0.5, 1.0))
    if rng.random() < 0.2:
        # Round, as a ball or a cushion lit from a side.
        light = rng.uniform(-0.5, 0.5, 2) * radius
        away = np.hypot(xs - light[0], ys - light[1]) / radius
        gain += rng.uniform(0.08, 0.25) * (0.6 - np.clip(away, 0, 1.5))
    paint *= gain[..., None]
    if rng.random() < 0.3 and radius > 9:
        line = max(1.0, radius * rng.uniform(0.03, 0.12))
        inside = cv2.distanceTransform((alpha > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
        rim = np.clip(line - inside + 0.5, 0, 1)[..., None]
        ink = rng.choice([0.0, 1.0, 2.0], p=[0.4, 0.2, 0.4])
        edge_colour = rgb * 0.45 if ink == 2.0 else np.full(3, 12 + 235 * ink, np.float32)
        paint += (edge_colour - paint) * rim
    if style.shadow > 0:
        _cast_shadow(rng, image, window, alpha, radius, style.shadow)
    under = image[window]
    image[window] = under + (np.clip(paint, 0, 255) - under) * alpha[..., None]
    return texture


def _cast_shadow(
    rng: np.random.Generator,
    image: np.ndarray,
    window: tuple[slice, slice],
    alpha: np.ndarray,
    radius: float,
    strength: float,
) -> None:
    height, width = image.shape[:2]
    shadow = np.zeros((height, width), np.float32)
    shadow[window] = alpha
    dx, dy = rng.uniform(0.05, 0.25, 2) * radius
    moved = cv2.warpAffine(shadow, np.array([[1, 0, dx], [0, 1, dy]], np.float32), (width, height))
    soft = cv2.GaussianBlur(moved, (0, 0), max(0.8, radius * rng.uniform(0.05, 0.2)))
    image *= 1 - strength * soft[..., None]


def _bounding_box(mask: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    left, top = int(columns[0]), int(rows[0])
    return left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1
