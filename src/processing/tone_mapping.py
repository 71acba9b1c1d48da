"""High dynamic range and wide gamut -> sRGB, by the numbers that a container names.

The numbers are those of ITU-T H.273 (CICP): colour primaries and transfer characteristics.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

SRGB, PQ, HLG = 13, 16, 18
LINEAR = 8
# Diffuse white in cd/m2 (ITU-R BT.2408) becomes the white of sRGB, and so does what is brighter.
WHITE_NITS = 203.0
# HLG is shown on a screen of this peak. Its gamma is applied to each colour by itself, as ffmpeg's
# zscale does.
HLG_PEAK_NITS = 1000.0
HLG_GAMMA = 1.2
# Video of an ordinary range is made on screens of this gamma (ITU-R BT.1886), and its codes are
# shown as sRGB's: only the primaries have to be brought to sRGB's.
VIDEO_GAMMA = 2.4
VIDEO = frozenset((1, 6, 14, 15))
# Display gammas of television standards before BT.709.
GAMMAS = {4: 2.2, 5: 2.8}
BT2020 = 9
# From linear light of these primaries to that of BT.709; all have the white D65. Cinema's P3 (11)
# is taken for the display's (12): its white is to be white.
_P3 = [[1.22494, -0.22494, 0.0], [-0.04206, 1.04206, 0.0], [-0.01964, -0.07864, 1.09828]]
_TO_BT709 = {
    BT2020: np.array(
        [
            [1.66049, -0.58764, -0.07285],
            [-0.12455, 1.13290, -0.00835],
            [-0.01815, -0.10058, 1.11873],
        ],
        np.float32,
    ),
    11: np.array(_P3, np.float32),
    12: np.array(_P3, np.float32),
}
# Pictures are converted so many pixels at a time.
STRIP_PIXELS = 1_000_000


def needs_mapping(transfer: int, primaries: int) -> bool:
    """Return whether pixels of these numbers differ from sRGB, and can be brought to it."""
    return transfer in (LINEAR, PQ, HLG) or transfer in GAMMAS or primaries in _TO_BT709


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
    if transfer in (PQ, HLG) and primaries not in _TO_BT709 and primaries != 1:
        primaries = BT2020
    matrix = _TO_BT709.get(primaries)
    light_of, code_of = _light_of_code(transfer), _code_of_light(transfer in VIDEO)
    pixels = rgb.reshape(-1, 1, 3)
    out = np.empty(pixels.shape, np.uint8)
    for start in range(0, len(pixels), STRIP_PIXELS):
        part = pixels[start : start + STRIP_PIXELS]
        light = light_of[part if part.dtype == np.uint16 else _in_steps(part)]
        if matrix is not None:
            light = cv2.transform(light, matrix)
        out[start : start + STRIP_PIXELS] = code_of[_in_steps(light)]
    return out.reshape(rgb.shape)


def _in_steps(values: np.ndarray) -> np.ndarray:
    """Bring 0..1 to uint16, whole range."""
    steps: np.ndarray = (np.clip(values, 0, 1) * np.float32(65535) + np.float32(0.5)).astype(
        np.uint16
    )
    return steps


@cache
def _light_of_code(transfer: int) -> np.ndarray:
    """List the light of each of 65,536 codes, white at 1: float32."""
    code = np.linspace(0, 1, 65536)
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
    elif transfer in VIDEO:
        light = code**VIDEO_GAMMA
    elif transfer in GAMMAS:
        light = code ** GAMMAS[transfer]
    else:
        light = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    return light.astype(np.float32)


@cache
def _code_of_light(of_video: bool) -> np.ndarray:
    """List the 8-bit code of each of 65,536 steps of light up to white, as sRGB or as video."""
    light = np.linspace(0, 1, 65536)
    if of_video:
        code = light ** (1 / VIDEO_GAMMA)
    else:
        code = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    rounded: np.ndarray = np.rint(code * 255).astype(np.uint8)
    return rounded
