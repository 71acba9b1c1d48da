"""High dynamic range and wide gamut -> sRGB, by the numbers that a container names.

The numbers are those of ITU-T H.273 (CICP): colour primaries and transfer characteristics.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

LINEAR, PQ, HLG = 8, 16, 18
# Diffuse white in cd/m² (ITU-R BT.2408): it becomes the white of sRGB, and what is brighter is
# clipped to it.
WHITE_NITS = 203.0
# What a display of HLG shows at most, and the exponent of the whole chain there (BT.2100).
HLG_PEAK_NITS = 1000.0
HLG_GAMMA = 1.2
# x and y of red, green, blue and white.
_D65 = (0.3127, 0.3290)
_CHROMATICITIES = {
    1: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65),  # BT.709, sRGB
    5: ((0.640, 0.330), (0.290, 0.600), (0.150, 0.060), _D65),  # BT.601, 625 lines
    6: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65),  # BT.601, 525 lines
    7: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),  # BT.2020
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),  # Display P3
}
# BT.709's curve and its kin are shown as sRGB is: only their primaries may differ.
_LIKE_SRGB = frozenset((1, 2, 6, 13, 14, 15))


def needs_mapping(transfer: int, primaries: int) -> bool:
    """Return whether pixels of these numbers differ from sRGB, and can be brought to it."""
    known = transfer in _LIKE_SRGB or transfer in _LINEAR_LIGHT
    alike = transfer in _LIKE_SRGB and primaries not in _CHROMATICITIES.keys() - {1, 5, 6, 7}
    return known and not alike


def to_sdr(rgb: np.ndarray, transfer: int, primaries: int) -> np.ndarray:
    """Bring pixels to sRGB: to linear light, to the primaries of BT.709, to the curve of sRGB.

    Args:
        rgb: (..., 3) float, the encoded values, 0 to 1.
        transfer: how they are encoded; a number not known here is taken for sRGB.
        primaries: of what red, green and blue; a number not known here is taken for BT.709.

    Returns:
        (..., 3) uint8.
    """
    encoded = np.clip(rgb.astype(np.float32, copy=False), 0, 1)
    light = _LINEAR_LIGHT.get(transfer, _srgb_light)(encoded)
    if primaries in _CHROMATICITIES and primaries != 1:
        light = light @ _to_bt709(primaries).T
    np.clip(light, 0, 1, out=light)
    low = light * 12.92
    high = 1.055 * light ** np.float32(1 / 2.4) - 0.055
    shown: np.ndarray = np.rint(np.where(light <= 0.0031308, low, high) * 255).astype(np.uint8)
    return shown


def _pq_light(encoded: np.ndarray) -> np.ndarray:
    """SMPTE ST 2084, relative to diffuse white."""
    root = encoded ** np.float32(1 / 78.84375)
    ratio = np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
    light: np.ndarray = ratio ** np.float32(1 / 0.1593017578125) * (10_000 / WHITE_NITS)
    return light


def _hlg_light(encoded: np.ndarray) -> np.ndarray:
    """ARIB STD-B67 with the display's exponent of BT.2100, relative to diffuse white."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(encoded <= 0.5, encoded**2 / 3, (np.exp((encoded - c) / a) + b) / 12)
    luminance = scene @ np.array([0.2627, 0.6780, 0.0593], np.float32)
    gain = luminance[..., None] ** np.float32(HLG_GAMMA - 1)
    light: np.ndarray = scene * gain * np.float32(HLG_PEAK_NITS / WHITE_NITS)
    return light


def _srgb_light(encoded: np.ndarray) -> np.ndarray:
    curve = ((encoded + 0.055) / 1.055) ** np.float32(2.4)
    light: np.ndarray = np.where(encoded <= 0.04045, encoded / 12.92, curve)
    return light


_LINEAR_LIGHT: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    4: lambda encoded: encoded ** np.float32(2.2),
    5: lambda encoded: encoded ** np.float32(2.8),
    LINEAR: lambda encoded: encoded.copy(),
    PQ: _pq_light,
    HLG: _hlg_light,
}


def _to_bt709(primaries: int) -> np.ndarray:
    """Give the matrix (3, 3) float32 from linear light of these primaries to that of BT.709."""
    both: np.ndarray = np.linalg.inv(_to_xyz(1)) @ _to_xyz(primaries)
    return both.astype(np.float32)


def _to_xyz(primaries: int) -> np.ndarray:
    *colours, white = (np.array([x / y, 1, (1 - x - y) / y]) for x, y in _CHROMATICITIES[primaries])
    matrix = np.stack(colours, axis=1)
    return matrix * np.linalg.solve(matrix, white)
