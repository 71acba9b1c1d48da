"""Formats other than TIFF: every mode and depth is read as the same picture."""

from __future__ import annotations

import struct
from itertools import product
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.processing.pictures import (
    ALPHA,
    COLOURS,
    GREY,
    GREYS,
    HEIGHT,
    RAMP,
    RGB,
    WHITE,
    WIDTH,
    assert_quarters,
    assert_ramp,
    bmp,
    decoded,
    grey_profile,
    in_bits,
    over_white,
    png,
    psd,
    quarters,
    rgb_profile,
    tga,
    typed,
)  # fmt: skip

INDEX = quarters([0, 1, 2, 3])[..., 0].astype(np.uint8)
PALETTE = bytes(value for colour in COLOURS for value in colour)
RGB8, GREY8, ALPHA8 = typed(RGB, "u1"), typed(GREY, "u1")[..., 0], typed(ALPHA, "u1")
BGR8 = RGB8[..., ::-1]
RGBA8 = np.dstack([RGB8, ALPHA8])
BLACK_AND_WHITE = [(0, 0, 0), (0, 0, 0), WHITE, WHITE]
FIVES = RGB8.astype(np.uint16) >> 3
IN_15_BITS = FIVES[..., 0] << 10 | FIVES[..., 1] << 5 | FIVES[..., 2]


def put(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def save(path: Path, pixels: np.ndarray | Image.Image, **how: Any) -> Path:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(path, **how)
    return path


def indexed() -> Image.Image:
    image = Image.fromarray(INDEX)
    image.putpalette(PALETTE)
    return image


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_png_of_grey_and_palette(tmp_path: Path, depth: int) -> None:
    path = tmp_path / "picture.png"
    values = in_bits(GREY, depth)
    shown = [(int(values[y, x, 0]) * 255 // (2**depth - 1),) * 3 for y in (9, -9) for x in (9, -9)]
    assert_quarters(put(path, png(0, depth, values)), shown, 1, "grey")
    for clear in set(values.ravel().tolist()):
        key = (b"tRNS", struct.pack(">H", clear))
        expected = [
            WHITE if values[y, x, 0] == clear else shown[number]
            for number, (y, x) in enumerate(product((9, -9), (9, -9)))
        ]
        assert_quarters(put(path, png(0, depth, values, key)), expected, 1, f"clear {clear}")
    if depth < 16:
        count = min(4, 2**depth)
        index = INDEX % count
        expected = [COLOURS[number % count] for number in range(4)]
        palette = PALETTE[: 3 * count]
        assert_quarters(put(path, png(3, depth, index, palette=palette)), expected, 0, "palette")
        key = (b"tRNS", b"\0")
        expected = [WHITE if colour == COLOURS[0] else colour for colour in expected]
        content = png(3, depth, index, key, palette=palette)
        assert_quarters(put(path, content), expected, 0, "palette with a clear colour")


@pytest.mark.parametrize("depth", [8, 16])
def test_png_of_colours_and_alpha(tmp_path: Path, depth: int) -> None:
    path = tmp_path / "picture.png"
    colours, alpha, greys = (in_bits(shares, depth) for shares in (RGB, ALPHA, GREY))
    key = (b"tRNS", struct.pack(">HHH", *colours[0, 0].tolist()))
    for colour_type, pixels, chunks, expected in (
        (2, colours, [], COLOURS),
        (2, colours, [key], over_white(COLOURS)),
        (4, np.dstack([greys, alpha]), [], over_white(GREYS)),
        (6, np.dstack([colours, alpha]), [], over_white(COLOURS)),
    ):
        content = png(colour_type, depth, pixels, *chunks)
        assert_quarters(put(path, content), expected, 1, f"{colour_type} {chunks}")


def test_png_whose_clear_colour_is_another_by_a_little(tmp_path: Path) -> None:
    pixels = in_bits(RGB, 16)
    pixels[:32, :48] = (65535, 0, 7)  # in eight bits the same as the colour that is clear
    key = (b"tRNS", struct.pack(">HHH", 65535, 0, 0))
    path = put(tmp_path / "picture.png", png(2, 16, pixels, key))
    assert_quarters(path, COLOURS, 1, "16 bits")


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_png_that_uses_fewer_bits_than_sixteen(tmp_path: Path, bits: int) -> None:
    path = tmp_path / "picture.png"
    greys, colours = (in_bits(shares, bits) for shares in (GREY, RGB))
    opaque = np.full(GREY.shape, 65535)
    for colour_type, pixels, expected in (
        (0, greys, GREYS), (2, colours, COLOURS),
        (4, np.dstack([greys, opaque]), GREYS), (6, np.dstack([colours, opaque]), COLOURS),
    ):  # fmt: skip
        assert_quarters(put(path, png(colour_type, 16, pixels)), expected, 2, f"{colour_type}")
    said = (b"sBIT", bytes([bits]))
    assert_quarters(put(path, png(0, 16, greys, said)), GREYS, 1, "said")
    assert_quarters(put(path, png(0, 16, in_bits(GREY, 16), said)), GREYS, 1, "said of the whole")
    dark = in_bits(GREY * 0.2, bits)
    assert_quarters(
        put(path, png(0, 16, dark, said)), [[c * 0.2 for c in g] for g in GREYS], 1, "dark"
    )


@pytest.mark.parametrize("container", ["jp2", "j2k"])
@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_jpeg_2000(tmp_path: Path, bits: int, container: str) -> None:
    path = tmp_path / f"picture.{container}"
    for name, shares, expected in (
        ("grey", GREY, GREYS),
        ("rgb", RGB, COLOURS),
        ("grey, alpha", np.dstack([GREY, ALPHA]), over_white(GREYS)),
        ("rgb, alpha", np.dstack([RGB, ALPHA]), over_white(COLOURS)),
    ):
        how = {"level": 0, "reversible": True, "codecformat": container}
        pixels = in_bits(shares, bits)
        content = imagecodecs.jpeg2k_encode(pixels, bitspersample=bits, **how)
        assert_quarters(put(path, content), expected, 1, name)
        if bits == 12:
            content = imagecodecs.jpeg2k_encode(pixels, **how)
            assert_quarters(put(path, content), expected, 1, f"{name}, 12 bits in 16")


def test_jpeg_2000_with_a_sign(tmp_path: Path) -> None:
    pixels = typed(RGB, "i2")
    content = imagecodecs.jpeg2k_encode(pixels, level=0, reversible=True, codecformat="jp2")
    assert_quarters(put(tmp_path / "picture.jp2", content), COLOURS, 1, "signed")


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_avif(tmp_path: Path, bits: int) -> None:
    for name, shares, expected in (
        ("grey", GREY, GREYS),
        ("rgb", RGB, COLOURS),
        ("rgb, alpha", np.dstack([RGB, ALPHA]), over_white(COLOURS)),
    ):
        content = imagecodecs.avif_encode(in_bits(shares, bits), level=95, bitspersample=bits)
        assert_quarters(put(tmp_path / "picture.avif", content), expected, 10, name)


def test_heic(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    path = tmp_path / "picture.heic"
    for name, shares, expected in (
        ("L", GREY, GREYS),
        ("RGB", RGB, COLOURS),
        ("RGBA", np.dstack([RGB, ALPHA]), over_white(COLOURS)),
    ):
        save(path, typed(shares, "u1").squeeze(), quality=95)
        assert_quarters(path, expected, 10, name)
        deep = heif.from_bytes(f"{name};16", (WIDTH, HEIGHT), typed(shares, "u2").tobytes())
        deep.save(path, quality=95)
        assert_quarters(path, expected, 10, f"{name} of more than eight bits")


@pytest.mark.parametrize("most", [1, 3, 255, 1023, 4095, 65535])
def test_netpbm(tmp_path: Path, most: int) -> None:
    path = tmp_path / "picture.pnm"
    kind = ">u2" if most > 255 else "u1"
    for number, shares in ((5, GREY), (6, RGB)):
        values = np.rint(shares * most)
        middles = values[[9, 9, -9, -9], [9, -9, 9, -9]] * np.ones(3) / most * 255
        head = f"P{number}\n# a note\n{WIDTH} {HEIGHT}\n{most}\n".encode()
        assert_quarters(put(path, head + values.astype(kind).tobytes()), middles, 1, "binary")
        head = f"P{number - 3} {WIDTH} {HEIGHT} {most}\n".encode()
        text = " ".join(map(str, values.astype(int).ravel())).encode()
        assert_quarters(put(path, head + text), middles, 1, "plain")
        if most == 4095:
            head = f"P{number} {WIDTH} {HEIGHT} # a note\n65535\n".encode()
            content = head + values.astype(kind).tobytes() + b"more"
            assert_quarters(put(path, content), (COLOURS, GREYS)[number == 5], 1, "12 bits in 16")


def test_float_map_and_bitmap(tmp_path: Path) -> None:
    path = tmp_path / "picture.pfm"
    content = b"Pf\n96 64\n-1.0\n" + GREY[::-1].astype("<f4").tobytes()
    assert_quarters(put(path, content), GREYS, 1, "floats")
    content = b"P4 96 64\n" + np.packbits(GREY[..., 0] < 0.5, axis=1).tobytes()
    assert_quarters(put(path, content), BLACK_AND_WHITE, 0, "bits")


def test_tga(tmp_path: Path) -> None:
    path = tmp_path / "picture.tga"
    opaque, empty = np.full_like(ALPHA8, 255), np.zeros_like(ALPHA8)
    greys = GREY8[..., None]
    for name, content, expected in (
        ("24", tga(2, 24, BGR8), COLOURS),
        ("24 from below", tga(2, 24, BGR8[::-1], 0), COLOURS),
        ("24 from the right", tga(2, 24, BGR8[:, ::-1], 0x30), COLOURS),
        ("32", tga(2, 32, np.dstack([BGR8, ALPHA8]), 0x28), over_white(COLOURS)),
        ("32 of no alpha", tga(2, 32, np.dstack([BGR8, empty]), 0x28), COLOURS),
        ("32 of no alpha that says so", tga(2, 32, np.dstack([BGR8, empty])), COLOURS),
        ("32 opaque", tga(2, 32, np.dstack([BGR8, opaque]), 0x28), COLOURS),
        ("grey", tga(3, 8, greys), GREYS),
        ("grey, alpha", tga(3, 16, np.dstack([greys, ALPHA8]), 0x28), over_white(GREYS)),
        ("grey of no alpha", tga(3, 16, np.dstack([greys, empty]), 0x28), GREYS),
        ("16 of no alpha", tga(2, 16, IN_15_BITS.astype("<u2")), COLOURS),
        ("16 of alpha", tga(2, 16, (IN_15_BITS | 0x8000).astype("<u2"), 0x21), COLOURS),
    ):
        assert_quarters(put(path, content), expected, 9, name)
    for last in (b"", b"\xff", b"\0"):
        palette = b"".join(bytes(colour[::-1]) + last for colour in COLOURS)
        assert_quarters(put(path, tga(1, 8, INDEX, palette=palette)), COLOURS, 0, f"palette {last}")
    assert_quarters(save(path, RGB8, compression="tga_rle"), COLOURS, 0, "packed")


def test_bmp(tmp_path: Path) -> None:
    path = tmp_path / "picture.bmp"
    empty = np.zeros_like(ALPHA8)
    palette = b"".join(bytes((*colour[::-1], 0)) for colour in COLOURS)
    with_alpha = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"BGRs" + bytes(48)
    green_of_six = FIVES[..., 0] << 11 | (RGB8[..., 1].astype(np.uint16) >> 2) << 5 | FIVES[..., 2]
    masks = struct.pack("<III", 0xF800, 0x7E0, 0x1F)
    for name, content, expected in (
        ("24", bmp(24, np.ascontiguousarray(BGR8)), COLOURS),
        ("32", bmp(32, np.dstack([BGR8, empty])), COLOURS),
        ("32 filled", bmp(32, np.dstack([BGR8, ~empty])), COLOURS),
        ("alpha", bmp(32, np.dstack([BGR8, ALPHA8]), with_alpha, 108, 3), over_white(COLOURS)),
        ("alpha that is not", bmp(32, np.dstack([BGR8, empty]), with_alpha, 108, 3), COLOURS),
        ("15", bmp(16, IN_15_BITS.astype("<u2")), COLOURS),
        ("16", bmp(16, green_of_six.astype("<u2"), masks, packing=3), COLOURS),
        ("8", bmp(8, INDEX, palette + bytes(4 * 252)), COLOURS),
        ("4", bmp(4, INDEX[:, ::2] << 4 | INDEX[:, 1::2], palette + bytes(4 * 12)), COLOURS),
        ("1", bmp(1, np.packbits(INDEX & 1, axis=1), palette[:8]), [*COLOURS[:2], *COLOURS[:2]]),
    ):
        assert_quarters(put(path, content), expected, 9, name)


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("depth", [8, 16, 32])
def test_photoshop(tmp_path: Path, depth: int, large: bool) -> None:
    path = tmp_path / "picture.psd"
    inks = np.dstack([RGB, np.ones_like(GREY)])  # none of black
    both = np.dstack([RGB, ALPHA])
    kept = struct.pack(">Qh" if large else ">Ih", 8, 1) + bytes(6)
    merged = struct.pack(">Qh" if large else ">Ih", 8, -1) + bytes(6)
    for packed in (False, True):
        for name, mode, shares, layers, expected in (
            ("grey", 1, GREY, b"", GREYS),
            ("duotone", 8, GREY, b"", GREYS),
            ("rgb", 3, RGB, b"", COLOURS),
            ("cmyk", 4, inks, b"", COLOURS),
            ("rgb, alpha", 3, both, b"", over_white(COLOURS)),
            ("rgb, alpha, layers", 3, both, merged, over_white(COLOURS)),
            ("rgb, a selection kept", 3, both, kept, COLOURS),
        ):
            if depth == 32:
                shares = shares.copy()  # floats are linear light
                if mode != 4:
                    count = 1 if mode in (1, 8) else 3
                    encoded = shares[..., :count]
                    curve = ((encoded + 0.055) / 1.055) ** 2.4
                    shares[..., :count] = np.where(encoded <= 0.04045, encoded / 12.92, curve)
                else:
                    continue  # there are none of these
            content = psd(mode, depth, shares, large=large, packed=packed, layers=layers)
            assert_quarters(put(path, content), expected, 2, f"{name} {packed}")
    profile = rgb_profile(exchanged=True)
    if depth < 32:
        content = psd(3, depth, RGB, large=large, profile=profile)
        exchanged = [(0, 255, 0), (160, 0, 0), *COLOURS[2:]]
        assert_quarters(put(path, content), exchanged, 10, "profile")


def test_photoshops_palette_and_bitmap(tmp_path: Path) -> None:
    path = tmp_path / "picture.psd"
    palette = np.zeros((3, 256), np.uint8)
    palette[:, :4] = np.array(COLOURS).T
    content = psd(2, 8, INDEX[..., None] / 255, palette=palette.tobytes())
    assert_quarters(put(path, content), COLOURS, 0, "palette")
    assert_quarters(put(path, psd(0, 1, GREY)), BLACK_AND_WHITE, 0, "bitmap")


def test_other_formats(tmp_path: Path) -> None:
    shown = over_white(COLOURS)
    for suffix, pixels, how, expected in (
        ("jpg", RGB8, {"quality": 95, "subsampling": 0}, COLOURS),
        ("jpg", RGB8, {"quality": 95, "subsampling": 2}, COLOURS),
        ("jpg", GREY8, {"quality": 95}, GREYS),
        ("jpg", Image.fromarray(RGB8).convert("CMYK"), {"quality": 95}, COLOURS),
        ("webp", RGB8, {"lossless": True}, COLOURS),
        ("webp", RGBA8, {"lossless": True}, shown),
        ("gif", indexed(), {}, COLOURS),
        ("gif", indexed(), {"transparency": 0}, shown),
        ("sgi", RGB8, {}, COLOURS),
        ("sgi", RGB8, {"bpc": 2}, COLOURS),
        ("sgi", RGBA8, {}, shown),
        ("sgi", GREY8, {}, GREYS),
        ("pcx", RGB8, {}, COLOURS),
        ("pcx", GREY8, {}, GREYS),
        ("pcx", indexed(), {}, COLOURS),
        ("pcx", GREY8 > 127, {}, BLACK_AND_WHITE),
        ("dds", RGB8, {}, COLOURS),
        ("dds", RGBA8, {}, shown),
        ("dds", np.dstack([RGB8, 0 * ALPHA8]), {}, COLOURS),
        ("dds", RGBA8, {"pixel_format": "DXT1"}, shown),
        ("dds", RGBA8, {"pixel_format": "DXT5"}, shown),
        ("dds", GREY8, {}, GREYS),
        ("ico", Image.fromarray(RGBA8).resize((64, 64), 0), {"sizes": [(64, 64)]}, shown),
        ("icns", Image.fromarray(RGBA8).resize((64, 64), 0), {"sizes": [(64, 64)]}, shown),
    ):
        path = save(tmp_path / f"picture.{suffix}", pixels, **how)
        assert_quarters(path, expected, 10, f"{suffix} {how}")
    content = imagecodecs.qoi_encode(RGBA8)
    assert_quarters(put(tmp_path / "picture.qoi", content), shown, 0, "qoi")


EXCHANGED = [(0, 255, 0), (160, 0, 0), *COLOURS[2:]]


@pytest.mark.parametrize("suffix", ["png", "tif", "webp", "jpg", "avif", "heic"])
def test_a_profile_counts_in_every_mode_of_colours(tmp_path: Path, suffix: str) -> None:
    if suffix == "heic":
        pytest.importorskip("pillow_heif")
    path = tmp_path / f"picture.{suffix}"
    profile = rgb_profile(exchanged=True)
    clear = indexed()
    clear.info["transparency"] = 0
    modes: dict[str, tuple[Any, list[tuple[int, ...]]]] = {
        "RGB": (RGB8, EXCHANGED),
        "RGBA": (RGBA8, over_white(EXCHANGED)),
        "P": (indexed(), EXCHANGED),
        "P, clear": (clear, over_white(EXCHANGED)),
        "L": (GREY8, list(GREYS)),
    }
    known = {"png": list(modes), "tif": ["RGB", "RGBA", "P", "L"], "jpg": ["RGB", "L"]}
    how: dict[str, Any] = {"jpg": {"quality": 95}, "webp": {"lossless": True}}.get(suffix, {})
    for mode in known.get(suffix, ["RGB", "RGBA"]):
        pixels, expected = modes[mode]
        save(path, pixels, icc_profile=profile, **how)
        assert_quarters(path, expected, 14, mode)
    if suffix == "png":
        for depth in (8, 16):
            chunk = (b"iCCP", b"x\0\0" + imagecodecs.zlib_encode(profile))
            content = png(2, depth, in_bits(RGB, depth), chunk)
            assert_quarters(put(path, content), EXCHANGED, 10, f"RGB of {depth}")


@pytest.mark.parametrize("bits", [8, 16])
def test_a_profile_counts_in_jpeg_2000(tmp_path: Path, bits: int) -> None:
    content = imagecodecs.jpeg2k_encode(
        in_bits(RGB, bits), level=0, reversible=True, codecformat="jp2"
    )
    body = b"\2\0\0" + rgb_profile(exchanged=True)
    box = struct.pack(">I", 8 + len(body)) + b"colr" + body
    start, old = content.index(b"colr") - 4, content.index(b"jp2h") - 4
    size = int.from_bytes(content[start : start + 4], "big")
    around = int.from_bytes(content[old : old + 4], "big") - size + len(box)
    content = content[:start] + box + content[start + size :]
    content = content[:old] + struct.pack(">I", around) + content[old + 4 :]
    assert_quarters(put(tmp_path / "picture.jp2", content), EXCHANGED, 10, f"{bits}")


def test_a_profile_counts_in_every_mode_of_greys(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    chunk = (b"iCCP", b"x\0\0" + imagecodecs.zlib_encode(grey_profile(1.0)))
    linear = [(0,) * 3, (156,) * 3, (213,) * 3, WHITE]
    for depth in (8, 16):
        greys, alpha = in_bits(GREY, depth), in_bits(ALPHA, depth)
        assert_quarters(put(path, png(0, depth, greys, chunk)), linear, 4, f"grey {depth}")
        content = png(4, depth, np.dstack([greys, alpha]), chunk)
        assert_quarters(put(path, content), over_white(linear), 4, f"grey and alpha {depth}")
    content = png(0, 16, in_bits(np.repeat(RAMP[..., None] * 0.02, 1, axis=2), 16), chunk)
    shades = len(np.unique(decoded(put(path, content))))
    assert shades > 30  # in eight bits there would be six


def test_a_profile_for_other_colours_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    for profile in (grey_profile(1.0), b"broken", ImageCms.ImageCmsProfile(
        ImageCms.createProfile("LAB")).tobytes()):  # fmt: skip
        save(path, RGB8, icc_profile=profile)
        assert_quarters(path, COLOURS, 0, "colours")
    chunk = (b"iCCP", b"x\0\0" + imagecodecs.zlib_encode(rgb_profile()))
    assert_quarters(put(path, png(0, 16, in_bits(GREY, 16), chunk)), GREYS, 3, "greys of 16 bits")


def test_what_is_transparent_everywhere_stays_so_where_alpha_is_meant(tmp_path: Path) -> None:
    for suffix in ("png", "webp", "tif"):
        path = save(tmp_path / f"clear.{suffix}", np.dstack([RGB8, 0 * ALPHA8]))
        assert decoded(path).min() == 255, suffix


def test_a_dark_picture_of_eight_bits_stays_dark(tmp_path: Path) -> None:
    path = save(tmp_path / "dark.png", (RGB8 // 8))
    assert_quarters(path, [[c // 8 for c in colour] for colour in COLOURS], 0, "dark")
    path = put(tmp_path / "ramp.png", png(0, 16, (RAMP * 4095)[..., None]))
    assert_ramp(path, "12 bits")
