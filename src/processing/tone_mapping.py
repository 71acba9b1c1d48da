"""High dynamic range and wide gamut -> sRGB, by the numbers that a container names.

The numbers are those of ITU-T H.273 (CICP): colour primaries and transfer characteristics.
"""

from __future__ import annotations

from functools import cache

import numpy as np

LINEAR, SRGB, PQ, HLG = 8, 13, 16, 18
BT709, BT2020 = 1, 9
# Diffuse white in cd/m² (ITU-R BT.2408): it becomes the white of sRGB, and what is brighter is
# clipped to it.
WHITE_NITS = 203.0
# What a display of HLG shows at most, and the exponent of the whole chain there (BT.2100). It is
# applied to each colour by itself, as ffmpeg's zscale does.
HLG_PEAK_NITS = 1000.0
HLG_GAMMA = 1.2
# Display gammas of television standards before BT.709.
GAMMAS = {4: 2.2, 5: 2.8}
# x and y of red, green, blue and white. Cinema's P3 (11) is taken for the display's (12): its
# white is to be white.
_D65 = (0.3127, 0.3290)
_P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65)
_CHROMATICITIES = {
    BT709: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65),  # and sRGB
    5: ((0.640, 0.330), (0.290, 0.600), (0.150, 0.060), _D65),  # BT.601, 625 lines
    6: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65),  # BT.601, 525 lines
    7: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65),
    BT2020: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    11: _P3,
    12: _P3,
}
# BT.709's curve and its kin are shown as sRGB is: only their primaries may differ.
_LIKE_SRGB = frozenset((1, 2, 6, SRGB, 14, 15))
_LIKE_BT709 = frozenset((BT709, 5, 6, 7))
_KNOWN = _LIKE_SRGB | GAMMAS.keys() | {LINEAR, PQ, HLG}
# Codes and light are looked up in steps of so many.
STEPS = 1 << 16
# Pictures are converted so many pixels at a time.
STRIP_PIXELS = 1_000_000


def needs_mapping(transfer: int, primaries: int) -> bool:
    """Return whether pixels of these numbers differ from sRGB, and can be brought to it."""
    wide = primaries in _CHROMATICITIES.keys() - _LIKE_BT709
    return transfer in _KNOWN and (wide or transfer not in _LIKE_SRGB)


def to_sdr(rgb: np.ndarray, transfer: int, primaries: int) -> np.ndarray:
    """Bring pixels to sRGB: to linear light, to the primaries of BT.709, to the curve of sRGB.

    Args:
        rgb: (..., 3), the encoded values in full range: uint16, or float from 0 to 1.
        transfer: how they are encoded; a number not known here is taken for sRGB.
        primaries: of what red, green and blue; a number not known here is taken for BT.709, with
            PQ and HLG for BT.2020.

    Returns:
        (..., 3) uint8.
    """
    if transfer in (PQ, HLG) and primaries not in _CHROMATICITIES:
        primaries = BT2020
    matrix = _to_bt709(primaries) if primaries in _CHROMATICITIES.keys() - {BT709} else None
    light_of, code_of = _light_of_code(transfer), _srgb_of_light()
    pixels = rgb.reshape(-1, 1, 3)
    out = np.empty(pixels.shape, np.uint8)
    for start in range(0, len(pixels), STRIP_PIXELS):
        part = pixels[start : start + STRIP_PIXELS]
        light = light_of[part if part.dtype == np.uint16 else _in_steps(part)]
        if matrix is not None:
            light = light @ matrix.T
        out[start : start + STRIP_PIXELS] = code_of[_in_steps(light)]
    return out.reshape(rgb.shape)


def _in_steps(values: np.ndarray) -> np.ndarray:
    """Bring 0..1 to uint16, whole range."""
    steps = np.clip(values, 0, 1) * np.float32(STEPS - 1) + np.float32(0.5)
    whole: np.ndarray = steps.astype(np.uint16)
    return whole


@cache
def _light_of_code(transfer: int) -> np.ndarray:
    """List the light of each code, white at 1: float32."""
    code = np.linspace(0, 1, STEPS)
    if transfer == PQ:  # SMPTE ST 2084
        root = code ** (1 / 78.84375)
        ratio = np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
        light = ratio ** (1 / 0.1593017578125) * 10_000 / WHITE_NITS
    elif transfer == HLG:  # ARIB STD-B67
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
        light = scene**HLG_GAMMA * HLG_PEAK_NITS / WHITE_NITS
    elif transfer == LINEAR:
        light = code
    elif transfer in GAMMAS:
        light = code ** GAMMAS[transfer]
    else:
        light = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    return light.astype(np.float32)


@cache
def _srgb_of_light() -> np.ndarray:
    """List the 8-bit code of sRGB of each step of light up to white."""
    light = np.linspace(0, 1, STEPS)
    code = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    rounded: np.ndarray = np.rint(code * 255).astype(np.uint8)
    return rounded


@cache
def _to_bt709(primaries: int) -> np.ndarray:
    """Return the matrix (3, 3) float32 from linear light of these primaries to that of BT.709."""
    both: np.ndarray = np.linalg.inv(_to_xyz(BT709)) @ _to_xyz(primaries)
    return both.astype(np.float32)


def _to_xyz(primaries: int) -> np.ndarray:
    *colours, white = (np.array([x / y, 1, (1 - x - y) / y]) for x, y in _CHROMATICITIES[primaries])
    matrix = np.stack(colours, axis=1)
    return matrix * np.linalg.solve(matrix, white)
