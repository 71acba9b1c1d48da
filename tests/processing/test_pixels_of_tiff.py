"""TIFF: every mode, depth and layout is read as the same picture."""

from __future__ import annotations

import struct
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from src.errors import MediaReadError
from src.processing.image_decoding import decode, pixels_of_image
from src.processing.image_loader import load_image
from src.processing.tiff_reading import MOST_PAGES
from tests.processing.pictures import (
    ALPHA,
    COLOURS,
    GREY,
    GREYS,
    HEIGHT,
    RAMP,
    RGB,
    WIDTH,
    assert_quarters,
    assert_ramp,
    decoded,
    grey_profile,
    in_bits,
    over_white,
    quarters,
    rgb_profile,
    typed,
)  # fmt: skip

KINDS = ("u1", "u2", "u4", "i1", "i2", "i4", "f2", "f4", "f8")
PICTURES = {
    "grey": (GREY, GREYS),
    "grey, alpha": (np.dstack([GREY, ALPHA]), over_white(GREYS)),
    "rgb": (RGB, COLOURS),
    "rgb, alpha": (np.dstack([RGB, ALPHA]), over_white(COLOURS)),
}
# (compression, with a predictor, strips or tiles, byte order)
LAYOUTS = [
    *product((None, "lzw"), (False,), (None, (32, 48)), "<>"),
    *product(("zlib",), (True,), (None, (32, 48)), "<>"),
    *product(("zlib", "packbits", "lzma", "zstd"), (False,), (None,), "<"),
]


def write(
    path: Path, pixels: np.ndarray, photometric: str | int = "minisblack", **how: Any
) -> None:
    tifffile.imwrite(path, pixels, photometric=photometric, **how)


def planes(pixels: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(pixels, -1, 0))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("picture", PICTURES)
def test_every_depth_and_layout_is_the_same_picture(
    tmp_path: Path, picture: str, kind: str
) -> None:
    path = tmp_path / "picture.tif"
    shares, expected = PICTURES[picture]
    pixels = typed(shares, kind)
    colour = "rgb" if "rgb" in picture else "minisblack"
    extra = ["unassalpha"] if "alpha" in picture else None
    for compression, predictor, tile, order in LAYOUTS:
        for planar in ("contig", "separate") if pixels.shape[2] > 1 else (None,):
            stored = planes(pixels) if planar == "separate" else pixels.squeeze()
            how = {
                "compression": compression, "predictor": predictor, "tile": tile,
                "byteorder": order, "rowsperstrip": None if tile else 13,
            }  # fmt: skip
            write(path, stored, colour, planarconfig=planar, extrasamples=extra, **how)
            assert_quarters(path, expected, 3, f"{picture} {kind} {planar} {how}")


@pytest.mark.parametrize(
    ("compression", "kind", "bits"),
    [
        ("jpeg", "u1", 8), ("jpeg", "u2", 12), ("webp", "u1", 8), ("jpeg2000", "u1", 8),
        ("jpeg2000", "u2", 16), ("jpegxl", "u1", 8), ("jpegxl", "u2", 16), ("lerc", "f4", 32),
    ],
)  # fmt: skip
def test_every_compression_of_photos(
    tmp_path: Path, compression: str, kind: str, bits: int
) -> None:
    path = tmp_path / "picture.tif"
    for picture in ("grey", "rgb"):
        if (compression, picture) == ("webp", "grey"):
            continue  # it knows colours only
        shares, expected = PICTURES[picture]
        pixels = in_bits(shares, bits) if bits == 12 else typed(shares, kind)
        colour = "rgb" if picture == "rgb" else "minisblack"
        how: dict[str, Any] = {"bitspersample": 12} if bits == 12 else {}
        for tile in (None, (32, 48)):
            write(path, pixels.squeeze(), colour, compression=compression, tile=tile, **how)
            assert_quarters(path, expected, 10, f"{compression} {picture} {tile}")
    if compression == "jpeg" and bits == 8:
        for subsampling in ((1, 1), (2, 1), (2, 2)):
            write(path, pixels, "rgb", compression="jpeg", subsampling=subsampling)
            assert_quarters(path, COLOURS, 10, f"jpeg {subsampling}")


@pytest.mark.parametrize("kind", KINDS)
def test_white_may_be_the_least(tmp_path: Path, kind: str) -> None:
    for compression in (None, "zlib"):
        write(
            tmp_path / "x.tif", typed(1 - GREY, kind)[..., 0], "miniswhite", compression=compression
        )
        assert_quarters(tmp_path / "x.tif", GREYS, 3, f"{kind} {compression}")


@pytest.mark.parametrize("bits", [1, 2, 4, 6, 10, 12, 14])
def test_samples_that_end_within_bytes(tmp_path: Path, bits: int) -> None:
    path = tmp_path / "picture.tif"
    pixels = in_bits(GREY, bits)[..., 0]
    write(path, pixels.astype(bool) if bits == 1 else pixels, bitspersample=bits)
    shown = in_bits(GREY, bits) / (2**bits - 1) * 255
    assert_quarters(path, [[shown[y, x, 0]] * 3 for y in (9, -9) for x in (9, -9)], 1, "grey")
    if bits > 2:
        write(path, in_bits(RGB, bits), "rgb", bitspersample=bits)
        assert_quarters(path, COLOURS, 2**8 // 2**bits + 1, "rgb")


def test_palettes(tmp_path: Path) -> None:
    path = tmp_path / "picture.tif"
    index = quarters([0, 1, 2, 3])[..., 0].astype(np.uint8)
    colours = np.zeros((3, 256), np.uint16)
    colours[:, :4] = np.array(COLOURS).T * 257
    for compression in (None, "lzw"):
        write(path, index, "palette", colormap=colours, compression=compression)
        assert_quarters(path, COLOURS, 1, f"8 bits {compression}")
    wide = np.zeros((3, 65536), np.uint16)
    wide[:, 1000:1256] = colours
    write(path, index.astype(np.uint16) + 1000, "palette", colormap=wide)
    assert_quarters(path, COLOURS, 1, "16 bits")


@pytest.mark.parametrize("kind", ["u1", "u2", "f4"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_inks_alpha_and_more_channels(tmp_path: Path, kind: str, planar: str) -> None:
    path = tmp_path / "picture.tif"
    inks = np.dstack([1 - RGB, np.zeros_like(GREY)])
    half = quarters([0, 0.5, 1, 1])
    shown = [(255, 255, 255), (128, 208, 128), *COLOURS[2:]]
    for shares, colour, extra, expected in (
        (inks, "separated", None, COLOURS),
        (np.dstack([inks, ALPHA]), "separated", ["unassalpha"], over_white(COLOURS)),
        (np.dstack([RGB, half]), "rgb", ["unassalpha"], shown),
        (np.dstack([RGB * half, half]), "rgb", ["assocalpha"], shown),
        (np.dstack([RGB, half]), "rgb", ["unspecified"], COLOURS),
        (np.dstack([RGB, half, half]), "rgb", ["unspecified", "unspecified"], COLOURS),
        (np.dstack([RGB, half, ALPHA]), "rgb", ["unspecified", "unassalpha"], over_white(COLOURS)),
        (RGB, "minisblack", None, COLOURS),
    ):
        pixels = typed(shares, kind)
        pixels = planes(pixels) if planar == "separate" else pixels
        write(path, pixels, colour, planarconfig=planar, extrasamples=extra)
        assert_quarters(path, expected, 3, f"{kind} {planar} {colour} {extra}")


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_lightness_and_two_colours(tmp_path: Path, planar: str) -> None:
    path = tmp_path / "picture.tif"
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    to_lab = ImageCms.buildTransform(srgb, lab, "RGB", "LAB")
    image = ImageCms.applyTransform(Image.fromarray(typed(RGB, "u1")), to_lab)
    assert image is not None
    signed = np.frombuffer(image.tobytes(), np.uint8).reshape(HEIGHT, WIDTH, 3)
    offset = signed ^ np.array((0, 128, 128), np.uint8)
    for name, pixels in (
        ("cielab", signed), ("icclab", offset),
        ("cielab", signed.astype(np.uint16) * 256), ("icclab", offset.astype(np.uint16) * 257),
    ):  # fmt: skip
        pixels = planes(pixels) if planar == "separate" else pixels
        write(path, pixels, name, planarconfig=planar)
        assert_quarters(path, COLOURS, 20, f"{name} {pixels.dtype}")


@pytest.mark.parametrize("sub", [(1, 1), (2, 1), (2, 2)])
def test_thinned_colours_without_jpeg(tmp_path: Path, sub: tuple[int, int]) -> None:
    """YCbCr in units of so many Y, one Cb and one Cr, as scanners' programs write it."""
    path = tmp_path / "picture.tif"
    count = sub[0] * sub[1]
    data = bytes([76] * count + [85, 255]) * (64 * 64 // count)  # red
    tags = [(256, 64), (257, 64), (258, 8, 8, 8), (259, 1), (262, 6), (273, 0), (277, 3), (278, 64),
            (279, len(data)), (530, *sub)]  # fmt: skip
    after = 8 + 2 + 12 * len(tags) + 4
    body = struct.pack("<HHH", 8, 8, 8)
    entries = b""
    for tag, *values in tags:
        if tag == 273:
            entries += struct.pack("<HHII", tag, 4, 1, after + len(body))
        elif tag == 279:
            entries += struct.pack("<HHII", tag, 4, 1, values[0])
        elif tag == 258:
            entries += struct.pack("<HHII", tag, 3, 3, after)
        else:
            packed = struct.pack(f"<{len(values)}H", *values).ljust(4, b"\0")
            entries += struct.pack("<HHI", tag, 3, len(values)) + packed
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags))
    path.write_bytes(head + entries + bytes(4) + body + data)
    assert_quarters(path, [(254, 0, 0)] * 4, 4, str(sub))


@pytest.mark.parametrize("kind", ["u1", "u2", "f4"])
def test_the_picture_is_not_always_the_first_page(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "picture.tif"
    small = np.full((8, 12, 3), 128, np.uint8)
    picture = typed(RGB, kind)
    smaller = np.zeros_like(picture)[::2, ::2]
    old_mark = [(255, 3, 1, 2, True)]
    rgb = {"photometric": "rgb"}
    marked, mask = {"subfiletype": 1}, {"subfiletype": 4, "photometric": 4}
    for name, pages in {
        "a preview first": [(small, rgb | marked), (picture, rgb)],
        "marked in the old way": [(small, rgb | {"extratags": old_mark}), (picture, rgb)],
        "a preview without a mark": [(small, rgb), (picture, rgb)],
        "inside its preview": [
            (small, rgb | marked | {"subifds": 2}),
            (smaller, rgb | marked),
            (picture, rgb | {"subfiletype": 0}),
        ],
        "smaller copies inside it": [
            (picture, rgb | {"subifds": 2}),
            (smaller, rgb | marked),
            (smaller[::2, ::2], rgb | marked),
        ],
        "a mask after it": [(picture, rgb), (np.zeros((HEIGHT, WIDTH), bool), mask)],
        "other pages of its size": [(picture, rgb), (np.zeros_like(picture), rgb)],
        "other pages, larger": [(picture, rgb), (np.zeros((HEIGHT, 2 * WIDTH, 3), np.uint8), rgb)],
        "large file": [(small, rgb | marked), (picture, rgb)],
    }.items():
        with tifffile.TiffWriter(path, bigtiff=name == "large file") as file:
            for pixels, how in pages:
                file.write(pixels, **how)
        assert decoded(path).shape == (HEIGHT, WIDTH, 3), name
        assert_quarters(path, COLOURS, 3, f"{name} {kind}")


def test_the_page_that_is_taken_has_to_be_within_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "picture.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(np.zeros((8, 12, 3), np.uint8), photometric="rgb", subfiletype=1)
        file.write(typed(RGB, "u1"), photometric="rgb")
    sizes: list[int] = []
    with pytest.raises(MediaReadError, match="6,144 pixels are more than the limit of 6,000"):
        decode(path, 6_000, None, sizes.append)
    write(path, typed(RGB, "f8"), "rgb")  # of which Pillow does not even know that it is an image
    with pytest.raises(MediaReadError, match="6,144 pixels are more than the limit of 6,000"):
        decode(path, 6_000, None, sizes.append)
    assert not sizes  # nothing has been allowed for


def test_pages_are_not_looked_for_without_end(tmp_path: Path) -> None:
    path = tmp_path / "picture.tif"
    with tifffile.TiffWriter(path) as file:
        for _ in range(MOST_PAGES + 1):
            file.write(np.zeros((8, 12), np.uint8))
        file.write(np.zeros((64, 96), np.uint8))
    assert decoded(path).shape == (8, 12, 3)


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_a_second_decoders_picture_is_turned_upright(tmp_path: Path, orientation: int) -> None:
    path = tmp_path / "picture.tif"
    turns = {1: 0, 3: 2, 6: 1}[orientation]  # quarter turns that were taken to the left
    pixels = np.rot90(typed(RGB, "u2"), turns)
    write(path, pixels, "rgb", planarconfig="contig", extratags=[(274, 3, 1, orientation, True)])
    assert decoded(path).shape == (HEIGHT, WIDTH, 3)
    assert_quarters(path, COLOURS, 1, str(orientation))


@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
def test_floats_that_lie_far_off(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "picture.tif"
    heights = (RAMP * 100 + 3).astype(kind)
    write(path, RAMP.astype(kind))
    assert_ramp(path, "shares")
    write(path, heights)
    assert_ramp(path, "heights")
    for hole in (-9999, np.nan, np.inf, -np.inf, np.finfo(kind).min, 6e4):
        holed = heights.copy()
        holed[40:50, 40:60] = hole
        write(path, holed)
        assert_ramp(path, f"a hole of {hole}")
    spotted = heights.copy()
    spotted[50, ::40] = [-7000, 9000, 31000]
    write(path, spotted)
    assert_ramp(path, "a few far off")
    holed[40:50, 40:60] = -1
    write(path, holed, extratags=[(42113, 2, 3, "-1\0", True)])
    assert_ramp(path, "a hole that is said")


def test_integers_that_use_less_than_their_type(tmp_path: Path) -> None:
    path = tmp_path / "picture.tif"
    spot = (RAMP * 4095).astype(np.uint16)
    spot[50, 50] = 65535
    least, most = (340, 3, 1, 100, True), (341, 3, 1, 20_100, True)
    for name, pixels, tags in (
        ("10 in 16", (RAMP * 1023).astype(np.uint16), []),
        ("12 in 16", (RAMP * 4095).astype(np.uint16), []),
        ("14 in 16", (RAMP * 16383).astype(np.uint16), []),
        ("12 in 16 and a hot pixel", spot, []),
        ("12 in 32", (RAMP * 4095).astype(np.uint32), []),
        ("24 in 32", (RAMP * (2**24 - 1)).astype(np.uint32), []),
        ("signed", (RAMP * 200 - 100).astype(np.int16), []),
        ("bytes with a sign", np.rint(RAMP * 255 - 128).astype(np.int8), []),
        ("said by two tags", (RAMP * 20_000 + 100).astype(np.uint16), [least, most]),
    ):
        write(path, pixels, extratags=tags)
        assert_ramp(path, name)
    for bits in (10, 12, 14):
        for planar in ("contig", "separate"):
            pixels = in_bits(RGB, bits).astype(np.uint16)
            pixels = planes(pixels) if planar == "separate" else pixels
            write(path, pixels, "rgb", planarconfig=planar)
            assert_quarters(path, COLOURS, 2, f"colours of {bits} in 16")
        both = in_bits(np.dstack([RGB, ALPHA]), bits).astype(np.uint16)
        write(path, both, "rgb", extrasamples=["unassalpha"])
        assert_quarters(path, over_white(COLOURS), 2, f"colours and alpha of {bits} in 16")


def test_dark_is_not_made_light_where_the_file_says_what_white_is(tmp_path: Path) -> None:
    path = tmp_path / "picture.tif"
    dark = (RAMP * 600).astype(np.uint16)
    write(path, dark, extratags=[(281, 3, 1, 4095, True)])
    assert decoded(path).max() == round(600 / 4095 * 255)
    write(path, dark, iccprofile=grey_profile(1.0))
    assert decoded(path).max() < 30
    write(path, (RAMP * 20).astype(np.uint8))
    assert decoded(path).max() == 20


def test_profiles_of_second_decoders(tmp_path: Path) -> None:
    path = tmp_path / "picture.tif"
    exchanged = [(0, 255, 0), (160, 0, 0), (0, 0, 200), (200, 200, 200)]
    for kind, planar in product(("u1", "u2", "f4"), ("contig", "separate")):
        pixels = typed(RGB, kind)
        pixels = planes(pixels) if planar == "separate" else pixels
        write(path, pixels, "rgb", planarconfig=planar, iccprofile=rgb_profile(exchanged=True))
        assert_quarters(path, exchanged, 10, f"{kind} {planar}")
    for kind in ("u1", "u2", "f4"):
        write(path, typed(RAMP, kind), iccprofile=grey_profile(1.0))
        shown = decoded(path)[HEIGHT // 4, [WIDTH // 4, WIDTH // 2], 0].astype(int)
        assert np.abs(shown - (137, 188)).max() <= 3, kind


def test_a_broken_page_after_the_first_does_not_cost_it(tmp_path: Path) -> None:
    path = tmp_path / "picture.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(typed(RGB, "u1"), photometric="rgb")
        file.write(typed(RGB, "u1"), photometric="rgb")
    with tifffile.TiffFile(path) as file:
        second = file.pages[1].offset
    content = bytearray(path.read_bytes())
    content[second : second + 2] = b"\xff\xff"  # so many tags
    path.write_bytes(content)
    assert_quarters(path, COLOURS, 0, "broken")


def test_a_float_picture_is_an_image_though_pillow_does_not_know_it(tmp_path: Path) -> None:
    write(tmp_path / "x.tif", RAMP.astype(np.float64))
    assert pixels_of_image(tmp_path / "x.tif") is not None
    assert load_image(tmp_path / "x.tif", 10**6).frame.size_wh == (WIDTH, HEIGHT)


def test_a_cut_tiff_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.tif"
    noise = np.random.default_rng(0).integers(0, 65535, RGB.shape, np.uint16)
    for compression in (None, "zlib", "lzw"):
        write(path, noise, "rgb", compression=compression, rowsperstrip=8)
        path.write_bytes(path.read_bytes()[:-10_000])
        with pytest.raises(MediaReadError, match="damaged or incomplete file"):
            load_image(path, 10**6)
