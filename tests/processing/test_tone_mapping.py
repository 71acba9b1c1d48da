from __future__ import annotations

import numpy as np
import pytest

from src.processing.tone_mapping import needs_mapping, to_sdr

RED = (230, 20, 20)


def light(code: tuple[int, ...]) -> np.ndarray:
    values = np.array(code) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def primaries_of(corners: tuple[tuple[float, float], ...]) -> np.ndarray:
    """From linear RGB to XYZ, white D65."""
    xyz = np.array([[x / y, 1, (1 - x - y) / y] for x, y in corners]).T
    white = np.array([0.3127 / 0.3290, 1, (1 - 0.3127 - 0.3290) / 0.3290])
    return xyz * np.linalg.solve(xyz, white)


BT709 = primaries_of(((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)))
BT2020 = primaries_of(((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)))
P3 = primaries_of(((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)))


def in_pq(nits: np.ndarray) -> np.ndarray:
    power = (nits / 10000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def in_hlg(nits: np.ndarray) -> np.ndarray:
    scene = (nits / 1000) ** (1 / 1.2)
    high = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), high)


def encoded(colour: tuple[int, ...], transfer: int, to_xyz: np.ndarray = BT2020) -> np.ndarray:
    """Encode an sRGB colour, white at 203 cd/m2: (3,) float."""
    linear = np.maximum(np.linalg.inv(to_xyz) @ BT709 @ light(colour), 0)
    if transfer == 16:
        return in_pq(linear * 203)
    if transfer == 18:
        return in_hlg(linear * 203)
    return linear ** (1 / 2.4) if transfer == 1 else linear


@pytest.mark.parametrize("colour", [RED, (255, 255, 255), (0, 0, 0), (30, 90, 200)])
@pytest.mark.parametrize("transfer", [16, 18, 8])
def test_a_colour_comes_back(transfer: int, colour: tuple[int, ...]) -> None:
    values = encoded(colour, transfer)[None]
    for rgb in (values, np.rint(values * 65535).astype(np.uint16)):
        np.testing.assert_allclose(to_sdr(rgb, transfer, 9)[0].astype(int), colour, atol=1)


def test_what_is_brighter_than_white_is_white() -> None:
    rgb = np.full((2, 3, 3), in_pq(np.array(4000.0)))
    assert (to_sdr(rgb, 16, 9) == 255).all()


def test_greys_of_video_are_shown_as_they_are() -> None:
    greys = np.repeat(np.arange(256, dtype=np.uint16)[:, None] * 257, 3, axis=1)
    np.testing.assert_allclose(to_sdr(greys, 1, 9).astype(int), greys // 257, atol=1)


@pytest.mark.parametrize(("primaries", "to_xyz"), [(9, BT2020), (12, P3)])
def test_a_wide_gamut_of_ordinary_range_is_brought_to_srgb(
    primaries: int, to_xyz: np.ndarray
) -> None:
    code = tuple(int(value) for value in np.rint(255 * light(RED) ** (1 / 2.4)))
    values = encoded(RED, 1, to_xyz)[None]
    np.testing.assert_allclose(to_sdr(values, 1, primaries)[0].astype(int), code, atol=2)


def test_pq_and_hlg_without_primaries_have_those_of_bt2020() -> None:
    values = encoded(RED, 16)[None]
    np.testing.assert_array_equal(to_sdr(values, 16, 2), to_sdr(values, 16, 9))
    assert (to_sdr(values, 16, 1) != to_sdr(values, 16, 9)).any()


def test_ordinary_video_needs_nothing() -> None:
    assert not any(
        needs_mapping(transfer, primaries)
        for transfer in (1, 2, 6, 13)
        for primaries in (1, 2, 5, 6)
    )
    assert needs_mapping(16, 9) and needs_mapping(18, 2) and needs_mapping(1, 12)
