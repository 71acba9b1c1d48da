"""What is black and what is white among the values of an image."""

from __future__ import annotations

import numpy as np
from PIL import Image


def range_of(image: Image.Image, rows: int) -> tuple[float, float]:
    """Find what is black and what is white in 16-bit and floating point greys."""
    width, height = image.size
    low, high = np.inf, -np.inf
    for top in range(0, height, rows):
        part = image.crop((0, top, width, min(height, top + rows)))
        pixels = np.asarray(part).astype(np.float64)
        finite = pixels[np.isfinite(pixels)]
        low = min(low, finite.min(initial=np.inf))
        high = max(high, finite.max(initial=-np.inf))
    if low > high:
        return 0.0, 1.0  # not one number among them
    if image.mode.startswith("F") or high > 65535 or low < 0:
        return float(low), float(high)
    return 0.0, 65535.0 if high > 255 else 255.0


def stretched(image: Image.Image, low: float, high: float) -> Image.Image:
    """Bring 16-bit and floating point greys to 8 bits."""
    pixels = np.asarray(image).astype(np.float64)
    scaled = np.nan_to_num((pixels - low) / max(high - low, 1e-9) * 255)
    return Image.fromarray(scaled.clip(0, 255).astype(np.uint8))
