"""HDR and wide-gamut colours -> sRGB.

PQ and HLG are those of ITU-R BT.2100; white is at 203 cd/m2, as in ITU-R BT.2408, and what is
brighter is white.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

WHITE_NITS = 203.0
HLG_PEAK_NITS = 1000.0
# Pictures are converted so many pixels at a time.
STRIP_PIXELS = 1_000_000

PQ, HLG = "smpte2084", "arib-std-b67"
# From linear RGB of these primaries to linear sRGB; all have the white point D65.
_TO_SRGB = {
    "bt2020": np.array(
        [
            [1.66049, -0.58764, -0.07285],
            [-0.12455, 1.13290, -0.00835],
            [-0.01815, -0.10058, 1.11873],
        ],
        np.float32,
    ),
    "smpte432": np.array(
        [
            [1.22494, -0.22494, 0.0],
            [-0.04206, 1.04206, 0.0],
            [-0.01964, -0.07864, 1.09828],
        ],
        np.float32,
    ),
}
_TO_SRGB["smpte431"] = _TO_SRGB["smpte432"]  # cinema's P3, of whose white ours is made
_LUMINANCE = np.array([[0.2627, 0.6780, 0.0593]], np.float32)


def needs_conversion(primaries: str | None, transfer: str | None) -> bool:
    """Return whether colours of these have to be converted to be shown as sRGB."""
    return transfer in (PQ, HLG) or primaries in _TO_SRGB


def to_srgb(rgb: np.ndarray, primaries: str | None, transfer: str | None) -> np.ndarray:
    """Convert colours to sRGB.

    Args:
        rgb: (H, W, 3) uint16, full range, as the transfer function encodes it.
        primaries, transfer: in ffmpeg's names. Without primaries, those of PQ and HLG are BT.2020's
            and all others sRGB's; a transfer function other than PQ and HLG is taken for sRGB's.

    Returns:
        (H, W, 3) uint8 sRGB.
    """
    if primaries is None and transfer in (PQ, HLG):
        primaries = "bt2020"
    matrix = _TO_SRGB.get(primaries or "")
    height, width = rgb.shape[:2]
    out = np.empty((height, width, 3), np.uint8)
    rows = max(1, STRIP_PIXELS // max(1, width))
    for top in range(0, height, rows):
        linear = _linear_of(transfer)[rgb[top : top + rows]]
        if transfer == HLG:
            # a display of that peak has a gamma of 1.2
            luminance = cv2.transform(linear, _LUMINANCE)
            linear *= (HLG_PEAK_NITS / WHITE_NITS) * np.maximum(luminance, 1e-9)[..., None] ** 0.2
        if matrix is not None:
            linear = cv2.transform(linear, matrix)
        steps = np.clip(linear, 0, 1) * 65535 + 0.5
        out[top : top + rows] = _srgb_of_linear()[steps.astype(np.uint16)]
    return out


@cache
def _linear_of(transfer: str | None) -> np.ndarray:
    """List the light of each of 65,536 codes, white at 1; for HLG that of the scene, 0..1."""
    code = np.linspace(0, 1, 65536)
    if transfer == PQ:
        m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
        root = code ** (1 / m2)
        light = (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1) * 10000 / WHITE_NITS
    elif transfer == HLG:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        light = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
    else:
        light = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    return light.astype(np.float32)


@cache
def _srgb_of_linear() -> np.ndarray:
    light = np.linspace(0, 1, 65536)
    code = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    rounded: np.ndarray = np.rint(code * 255).astype(np.uint8)
    return rounded
