"""Random fields, and what a camera does to a picture."""

from __future__ import annotations

import cv2
import numpy as np


def smooth_noise(rng: np.random.Generator, size_wh: tuple[int, int], cells: float) -> np.ndarray:
    """Value noise with about `cells` bumps along the shorter side; (H, W) float32, unit spread."""
    width, height = size_wh
    scale = max(1.0, cells) / min(width, height)
    grid = rng.normal(size=(int(height * scale) + 3, int(width * scale) + 3)).astype(np.float32)
    field = cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(field / (field.std() + 1e-6), np.float32)


def fractal_noise(
    rng: np.random.Generator, size_wh: tuple[int, int], roughness: float
) -> np.ndarray:
    """Noise with energy at every scale, as natural pictures have; (H, W) float32, unit spread.

    Args:
        roughness: how much weaker each octave is than the one before, about 0.4 to 0.9.
    """
    field = np.zeros(size_wh[::-1], np.float32)
    weight, cells = 1.0, float(rng.uniform(1.0, 3.0))
    while cells < min(size_wh) / 2:
        field += weight * smooth_noise(rng, size_wh, cells)
        weight *= roughness
        cells *= 2.3
    return np.asarray(field / (field.std() + 1e-6), np.float32)


def ramp(rng: np.random.Generator, size_wh: tuple[int, int]) -> np.ndarray:
    """A linear slope in a random direction; (H, W) float32 in about -1..1."""
    width, height = size_wh
    angle = rng.uniform(0, 2 * np.pi)
    across = np.linspace(-1, 1, width, dtype=np.float32) * np.float32(np.cos(angle))
    down = np.linspace(-1, 1, height, dtype=np.float32) * np.float32(np.sin(angle))
    return np.asarray(down[:, None] + across[None, :], np.float32)


def light_scene(rng: np.random.Generator, image: np.ndarray, strength: float = 1.0) -> np.ndarray:
    """Uneven light, a soft vignette and a small colour cast.

    Args:
        image: (H, W, 3) float32 in 0..255.
        strength: 0 leaves the picture as it is.

    Returns:
        (H, W, 3) float32.
    """
    height, width = image.shape[:2]
    light = np.ones((height, width), np.float32)
    if rng.random() < 0.5:
        light += strength * rng.uniform(0.0, 0.16) * ramp(rng, (width, height))
    if rng.random() < 0.3:
        light += strength * rng.uniform(0.0, 0.07) * smooth_noise(rng, (width, height), 2)
    if rng.random() < 0.3:
        ys = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
        xs = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
        light -= strength * rng.uniform(0.0, 0.18) * (xs * xs + ys * ys)
    cast = 1.0 + strength * rng.normal(0, 0.025, 3).clip(-0.06, 0.06).astype(np.float32)
    return np.asarray(image * light[..., None] * cast, np.float32)


def photograph(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """What a lens, a sensor and a file format leave of a picture.

    Args:
        image: (H, W, 3) float32 in 0..255.

    Returns:
        (H, W, 3) uint8.
    """
    if rng.random() < 0.45:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.2))
    if rng.random() < 0.65:
        height, width = image.shape[:2]
        grain = rng.normal(0, rng.uniform(0.8, 9.0), (height, width, 3)).astype(np.float32)
        if rng.random() < 0.5:
            grain = cv2.GaussianBlur(grain, (0, 0), rng.uniform(0.4, 0.9)) * 1.6
        image = image + grain
    picture: np.ndarray = np.clip(image, 0, 255).astype(np.uint8)
    if rng.random() < 0.55:
        quality = int(rng.integers(30, 96))
        _, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        picture = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)
    return picture
