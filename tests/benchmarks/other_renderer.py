"""The starter models on another hand's drawings: python -m tests.benchmarks.other_renderer

What a model learns from drawn pictures may be the renderer and not the world. So the same words
are drawn once more by code that shares nothing with the first: shapes as inequalities instead
of polygons, colours from a list of well-known ones instead of ranges, other backgrounds, other
edges. `evaluate` then measures both, and this prints them side by side.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from src.models.starter.vocabulary import TEXTURES
from src.starter.evaluate import (
    Measure,
    StarterModels,
    fresh_scenes,
    measure_alike,
    measure_clicks,
    measure_everything,
    measure_pipeline,
    measure_words,
)
from src.starter.scenes import DrawnShape, Scene
from src.starter.train import DEFAULT_OUTPUT

SEED = 92_001
# Each pixel is asked at so many places along each side.
FINE = 3
CLOSE_BY = 5.0  # percentage points

COLOURS = {
    "red": ((220, 20, 40), (178, 34, 34), (232, 52, 44), (255, 0, 0)),
    "orange": ((255, 140, 0), (244, 122, 30), (255, 165, 0)),
    "yellow": ((255, 221, 40), (240, 226, 90), (255, 255, 0)),
    "green": ((34, 139, 34), (0, 104, 40), (124, 200, 92), (0, 255, 0)),
    "cyan": ((0, 200, 210), (72, 220, 224), (0, 255, 255)),
    "blue": ((30, 60, 205), (65, 120, 230), (20, 28, 112), (0, 0, 255)),
    "purple": ((128, 36, 170), (98, 50, 140), (128, 0, 128)),
    "pink": ((255, 112, 180), (250, 182, 205), (255, 192, 203)),
    "brown": ((122, 70, 30), (92, 52, 26), (150, 104, 70), (139, 69, 19), (150, 75, 0)),
    "black": ((14, 14, 18), (26, 22, 20), (0, 0, 0)),
    "white": ((250, 250, 247), (238, 240, 242), (255, 255, 255)),
    "gray": ((128, 128, 128), (90, 92, 95), (166, 166, 170)),
}

Inside = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _star(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    turn = np.arctan2(x, -y) / (2 * np.pi) * 5
    towards_tip = 1 - 2 * np.abs(turn - np.floor(turn + 0.5))
    # straight from a tip at 1 to a notch at 0.4, in polar form
    angle = (1 - towards_tip) * np.pi / 5
    notch_x, notch_y = 0.4 * np.cos(np.pi / 5), 0.4 * np.sin(np.pi / 5)
    edge = notch_y / (notch_y * np.cos(angle) + (1 - notch_x) * np.sin(angle))
    return np.asarray(np.hypot(x, y) < edge)


SHAPES: dict[str, Inside] = {
    "circle": lambda x, y: x * x + y * y < 1,
    "square": lambda x, y: np.maximum(abs(x), abs(y)) < 0.85,
    "triangle": lambda x, y: (y < 0.6) & (abs(x) * 1.75 < y + 1),
    "star": _star,
    "diamond": lambda x, y: abs(x) / 0.75 + abs(y) < 1,
    "hexagon": lambda x, y: np.maximum(abs(x), abs(x) / 2 + abs(y) * 0.866) < 0.9,
    "ring": lambda x, y: abs(np.hypot(x, y) - 0.76) < 0.22,
    "cross": lambda x, y: (np.minimum(abs(x), abs(y)) < 0.3) & (np.maximum(abs(x), abs(y)) < 1),
    "heart": lambda x, y: (1.5 * x * x + 1.5 * y * y - 1) ** 3 < -4.5 * x * x * y**3,
    "crescent": lambda x, y: (x * x + y * y < 1) & ((x - 0.48) ** 2 + y * y > 0.6),
}


def _pick(rng: np.random.Generator, items: Sequence[str]) -> str:
    return items[int(rng.integers(len(items)))]


def _colour(rng: np.random.Generator, name: str) -> np.ndarray:
    some = COLOURS[name]
    drawn = np.array(some[int(rng.integers(len(some)))], np.float32)
    return np.clip(drawn + rng.normal(0, 5, 3), 0, 255)


def _background(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """A gradient, clouds, or boards; (H, W, 3) float32."""
    first, second = (_colour(rng, _pick(rng, tuple(COLOURS))) * 0.6 + 60 for _ in range(2))
    ys, xs = np.mgrid[:height, :width] / max(width, height)
    kind = int(rng.integers(3))
    if kind == 0:
        share = xs * rng.uniform(-1, 1) + ys * rng.uniform(-1, 1)
    elif kind == 1:
        coarse = rng.random((int(rng.integers(3, 9)), int(rng.integers(3, 9)))).astype(np.float32)
        share = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    else:
        boards = np.floor(ys * rng.uniform(5, 12))
        share = (boards * 0.618) % 1 + 0.1 * np.sin(xs * 90 + boards * 7)
    share = np.clip(share - share.min(), 0, 1)[..., None]
    return np.asarray(first * (1 - share) + second * share, np.float32)


def _second(texture: str, x: np.ndarray, y: np.ndarray, period: float) -> np.ndarray:
    """Where a pattern's second colour is: on less than half, since the first one names it."""
    u, v = x / period, y / period
    if texture == "striped":
        return np.asarray(u % 2 < 0.85)
    if texture == "dotted":
        return np.asarray((u % 2 - 1) ** 2 + (v % 2 - 1) ** 2 < 0.35)
    if texture == "checkered":
        cells = (np.floor(u) + np.floor(v)) % 2 == 0
        return np.asarray(cells & (u % 1 < 0.92) & (v % 1 < 0.92))
    return np.zeros(x.shape, bool)


def draw(rng: np.random.Generator, size_wh: tuple[int, int]) -> Scene:
    """One picture of 3 to 7 shapes, which may overlap."""
    width, height = size_wh
    image = _background(rng, width, height)
    labels = np.zeros((height, width), np.int32)
    drawn: list[tuple[str, str, str, int]] = []
    for _ in range(int(rng.integers(3, 8))):
        radius = min(size_wh) * rng.uniform(0.07, 0.24)
        centre_x, centre_y = (
            rng.uniform(radius, width - radius),
            rng.uniform(radius, height - radius),
        )
        shape, texture = _pick(rng, tuple(SHAPES)), _pick(rng, TEXTURES)
        colour = _pick(rng, tuple(COLOURS))
        first = _colour(rng, colour)
        if np.linalg.norm(first - image[int(centre_y), int(centre_x)]) < 60:
            continue  # nobody could see it
        places = np.mgrid[: height * FINE, : width * FINE].astype(np.float32) + 0.5
        ys, xs = (places[0] / FINE - centre_y) / radius, (places[1] / FINE - centre_x) / radius
        angle = rng.uniform(-0.5, 0.5)
        x, y = xs * np.cos(angle) + ys * np.sin(angle), ys * np.cos(angle) - xs * np.sin(angle)
        inside = SHAPES[shape](x, y)
        other = np.array([245, 245, 240] if first.mean() < 150 else [30, 30, 34], np.float32)
        pattern = _second(texture, x, y, rng.uniform(0.22, 0.3))
        paint = np.where(pattern[..., None], other, first)
        alpha = inside.astype(np.float32)
        mixed = np.dstack([paint * alpha[..., None], alpha])
        mixed = mixed.reshape(height, FINE, width, FINE, 4).mean((1, 3))
        image = image * (1 - mixed[..., 3:]) + mixed[..., :3]
        drawn.append((colour, shape, texture, int((mixed[..., 3] > 0.5).sum())))
        labels[mixed[..., 3] > 0.5] = len(drawn)
    image += rng.normal(0, rng.uniform(0, 7), image.shape)
    pixels = np.clip(image, 0, 255).astype(np.uint8)
    written = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
    read = cv2.imdecode(written, cv2.IMREAD_COLOR)
    assert read is not None
    image_rgb = np.ascontiguousarray(read[..., ::-1])
    shapes = []
    for label, (colour, shape, texture, whole) in enumerate(drawn, start=1):
        mask = labels == label
        visible = float(mask.sum() / max(1, whole))
        if visible >= 0.6:
            x0, y0, w, h = cv2.boundingRect(mask.astype(np.uint8))
            shapes.append(
                DrawnShape(mask, colour, shape, texture, None, None, (x0, y0, w, h), visible)
            )
    return Scene(image_rgb, tuple(shapes), labels, 1)


def scenes(count: int) -> list[Scene]:
    """Pictures of the sizes that fresh_scenes draws."""
    drawn = []
    for index in range(count):
        rng = np.random.default_rng((SEED, index))
        shorter = int(rng.choice([192, 256, 384]))
        drawn.append(draw(rng, (int(shorter * rng.choice([1.0, 1.333, 1.5])), shorter)))
    return drawn


def measures(models: StarterModels, pictures: Sequence[Scene]) -> list[Measure]:
    generator = models.mask_generator()
    return [
        *measure_clicks(generator, pictures),
        *measure_everything(generator, pictures)[:2],  # shares, not masks a scene
        *measure_words(models.clip, pictures),
        measure_alike(models.clip, pictures),
        *measure_pipeline(DEFAULT_OUTPUT, pictures),
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=60)
    chosen = parser.parse_args(arguments)
    models = StarterModels.load(DEFAULT_OUTPUT)
    print(f"{'':46} {'own':>6} {'other':>6} points")
    for own, other in zip(
        measures(models, fresh_scenes(chosen.scenes)),
        measures(models, scenes(chosen.scenes)),
        strict=True,
    ):
        points = 100 * (other.value - own.value) * (-1 if own.at_most else 1)
        far = "" if points > -CLOSE_BY else "  further than 5 points"
        print(f"{own.name:<46} {own.value:6.3f} {other.value:6.3f} {points:+6.1f}{far}")


if __name__ == "__main__":
    main()
