"""High dynamic range and wide gamut are shown as the same colours in sRGB."""

from __future__ import annotations

import struct
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from src.processing.tone_mapping import HLG, PQ, needs_mapping, to_sdr
from tests.processing.pictures import (
    ALPHA,
    COLOURS,
    HEIGHT,
    RGB,
    WIDTH,
    assert_quarters,
    decoded,
    in_bits,
    over_white,
    png,
    profile_with_numbers,
    typed,
)  # fmt: skip

# From BT.709 to BT.2020 and to Display P3, as ITU-R BT.2087 and SMPTE EG 432-1 give them.
TO_PRIMARIES = {
    1: np.eye(3),
    9: np.array(
        [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]
    ),
    12: np.array(
        [[0.8225, 0.1775, 0.0000], [0.0332, 0.9668, 0.0000], [0.0171, 0.0724, 0.9105]]
    ),
}  # fmt: skip


def encoded(srgb: np.ndarray, transfer: int, primaries: int) -> np.ndarray:
    """Encode what sRGB shows, its white at 203 cd/m², as another system would."""
    light = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    light = light @ TO_PRIMARIES[primaries].T
    if transfer == PQ:
        power = (light * 203 / 10_000).clip(0) ** 0.1593017578125
        return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    if transfer == HLG:
        shown = light.clip(0) * 0.203  # of 1,000 cd/m²
        scene = shown ** (1 / 1.2)
        logarithm = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
        return np.where(scene <= 1 / 12, np.sqrt(3 * scene), logarithm)
    if transfer == 8:
        return light
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light.clip(0) ** (1 / 2.4) - 0.055)


CASES = [(PQ, 9), (HLG, 9), (PQ, 12), (PQ, 1), (13, 12), (13, 9), (8, 1), (1, 9)]


@pytest.mark.parametrize(("transfer", "primaries"), CASES)
def test_the_same_colours_come_back(transfer: int, primaries: int) -> None:
    values = np.linspace(0, 1, 9)
    srgb = np.stack(np.meshgrid(values, values, values), axis=-1)
    shown = to_sdr(encoded(srgb, transfer, primaries), transfer, primaries)
    assert shown.dtype == np.uint8
    # A value of 1 in linear light was rounded in the matrices above.
    assert np.abs(shown - srgb * 255).max() <= 3
    assert needs_mapping(transfer, primaries)


def test_the_numbers_of_the_standards() -> None:
    for transfer, signal in ((PQ, 0.58069), (HLG, 0.75)):  # BT.2408: diffuse white
        shown = to_sdr(np.full((1, 3), signal), transfer, 9)
        assert shown.min() >= 254
        darker = to_sdr(np.full((1, 3), signal - 0.02), transfer, 9)
        assert darker.max() < 252
    assert to_sdr(np.ones((1, 3)), PQ, 9).tolist() == [[255, 255, 255]]  # 10,000 cd/m²
    assert to_sdr(np.zeros((1, 3)), PQ, 9).tolist() == [[0, 0, 0]]


def test_what_is_srgb_already_is_left_alone() -> None:
    for transfer, primaries in ((13, 1), (1, 1), (2, 2), (6, 6), (6, 5), (255, 9), (0, 0)):
        assert not needs_mapping(transfer, primaries)


@pytest.mark.parametrize(("transfer", "primaries"), [(PQ, 9), (HLG, 9), (PQ, 12), (13, 12)])
class TestContainers:
    def test_avif(self, tmp_path: Path, transfer: int, primaries: int) -> None:
        for bits in (8, 10, 12):
            for shares, expected in (
                (RGB, COLOURS),
                (np.dstack([RGB, ALPHA]), over_white(COLOURS)),
            ):
                pixels = shares.copy()
                pixels[..., :3] = encoded(RGB, transfer, primaries).clip(0, 1)
                content = imagecodecs.avif_encode(
                    in_bits(pixels, bits), level=95, bitspersample=bits,
                    primaries=primaries, transfer=transfer, matrix=9,
                )  # fmt: skip
                path = tmp_path / "picture.avif"
                path.write_bytes(content)
                # in eight bits dark greens lie far apart
                assert_quarters(path, expected, 20 if bits == 8 else 12, f"{bits} bits")

    def test_heic(self, tmp_path: Path, transfer: int, primaries: int) -> None:
        heif = pytest.importorskip("pillow_heif")
        pixels = typed(encoded(RGB, transfer, primaries).clip(0, 1), "u2")
        image = heif.from_bytes("RGB;16", (WIDTH, HEIGHT), pixels.tobytes())
        path = tmp_path / "picture.heic"
        image.save(
            path, quality=98, chroma=444, color_primaries=primaries,
            transfer_characteristics=transfer, matrix_coefficients=9, full_range_flag=1,
        )  # fmt: skip
        assert_quarters(path, COLOURS, 12, "HEIC")

    def test_png(self, tmp_path: Path, transfer: int, primaries: int) -> None:
        path = tmp_path / "picture.png"
        said = (b"cICP", bytes((primaries, transfer, 0, 1)))
        colours = encoded(RGB, transfer, primaries).clip(0, 1)
        for depth in (8, 16):
            path.write_bytes(png(2, depth, in_bits(colours, depth), said))
            most_off = 10 if depth == 8 else 2  # in eight bits dark greens lie far apart
            assert_quarters(path, COLOURS, most_off, f"{depth} bits")
            pixels = in_bits(np.dstack([colours, ALPHA]), depth)
            path.write_bytes(png(6, depth, pixels, said))
            assert_quarters(path, over_white(COLOURS), most_off, f"alpha, {depth} bits")


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_numbers_in_a_profile(tmp_path: Path, transfer: int) -> None:
    path = tmp_path / "picture.png"
    pixels = in_bits(encoded(RGB, transfer, 9).clip(0, 1), 8)
    Image.fromarray(pixels).save(path, icc_profile=profile_with_numbers(9, transfer))
    assert_quarters(path, COLOURS, 10, "numbers in a profile")


def test_greys_of_high_range(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    grey = encoded(np.full((HEIGHT, WIDTH, 3), 0.5), PQ, 9)[..., :1]
    for depth in (8, 16):
        path.write_bytes(png(0, depth, in_bits(grey, depth), (b"cICP", bytes((9, PQ, 0, 1)))))
        assert np.abs(decoded(path).astype(int) - 128).max() <= 4, depth


def test_a_header_of_nonsense_costs_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "picture.avif"
    content = imagecodecs.avif_encode(typed(RGB, "u1"), level=95)
    for name in (b"ipma", b"ipco", b"pitm", b"colr"):
        at = content.index(name)
        for size in (0, 1, 7, 2**31 - 1):
            broken = content[: at - 4] + struct.pack(">I", size) + content[at:]
            path.write_bytes(broken)
            try:
                decoded(path)
            except Exception as exc:
                # the decoder's own word: it is not one of ours
                assert not isinstance(exc, (struct.error, IndexError, KeyError)), exc


def test_pq_and_hlg_without_primaries_have_those_of_bt2020() -> None:
    values = encoded(np.array([[0.9, 0.1, 0.1]]), PQ, 9)
    np.testing.assert_array_equal(to_sdr(values, PQ, 2), to_sdr(values, PQ, 9))
    assert (to_sdr(values, PQ, 1) != to_sdr(values, PQ, 9)).any()


def test_whole_numbers_are_read_as_shares_of_their_range() -> None:
    values = encoded(np.array([[[0.9, 0.1, 0.4]]]), HLG, 9)
    whole = np.rint(values * 65535).astype(np.uint16)
    np.testing.assert_allclose(
        to_sdr(whole, HLG, 9).astype(int), to_sdr(values, HLG, 9).astype(int), atol=1
    )
