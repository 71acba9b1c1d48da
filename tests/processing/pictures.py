"""Small pictures of known pixels, and writers of formats whose writers elsewhere know fewer kinds.

A picture has four quarters: of colours RED, GREEN, BLUE and LIGHT, or of four greys.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from src.processing.image_decoding import decode

WIDTH, HEIGHT = 96, 64
COLOURS = ((255, 0, 0), (0, 160, 0), (0, 0, 200), (200, 200, 200))
GREYS = tuple((value,) * 3 for value in (0, 85, 170, 255))
WHITE = (255, 255, 255)


def quarters(values: Sequence[Sequence[float] | float]) -> np.ndarray:
    """Draw a value in each quarter: (HEIGHT, WIDTH, channels) float64."""
    rows = np.array(values, np.float64).reshape(2, 2, -1)
    return rows.repeat(HEIGHT // 2, axis=0).repeat(WIDTH // 2, axis=1)


RGB = quarters(COLOURS) / 255
GREY = quarters([grey[0] for grey in GREYS]) / 255
# Transparent in the first quarter.
ALPHA = quarters([0, 1, 1, 1])
RAMP = np.broadcast_to(np.linspace(0, 1, WIDTH), (HEIGHT, WIDTH))


def over_white(colours: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Give what is to be seen where the first quarter is transparent."""
    return [WHITE, *colours[1:]]


def typed(shares: np.ndarray, kind: str) -> np.ndarray:
    """Bring shares from 0 to 1 to a type's own scale: 0 to its largest number, or 1."""
    if kind.startswith("f"):
        return shares.astype(kind)
    return np.rint(shares * np.iinfo(kind).max).astype(kind)


def in_bits(shares: np.ndarray, bits: int) -> np.ndarray:
    """Bring shares from 0 to 1 to integers of so many bits."""
    return np.rint(shares * (2**bits - 1)).astype(np.uint8 if bits <= 8 else np.uint16)


def decoded(path: Path) -> np.ndarray:
    """Decode a file as the child does: (H, W, 3) uint8."""
    return np.concatenate(list(decode(path, 10**7, None, lambda _: None).strips))


def assert_quarters(path: Path, expected: Iterable[Sequence[int]], most_off: int, why: str) -> None:
    """See that the middle of each quarter is as it should be."""
    pixels = decoded(path)
    height, width = pixels.shape[:2]
    found = pixels[[height // 4, 3 * height // 4]][:, [width // 4, 3 * width // 4]].reshape(4, 3)
    wanted = np.array(list(expected))
    off = np.abs(found.astype(int) - wanted).max()
    assert off <= most_off, f"{why}: {found.tolist()} in place of {wanted.tolist()}"


def assert_ramp(path: Path, why: str, most_off: int = 10) -> None:
    """See that a quarter, half and three quarters of the way are so bright."""
    row = decoded(path)[HEIGHT // 4, [WIDTH // 4, WIDTH // 2, 3 * WIDTH // 4], 0].astype(int)
    assert np.abs(row - (64, 128, 193)).max() <= most_off, f"{why}: {row.tolist()}"


def png(
    colour_type: int,
    depth: int,
    pixels: np.ndarray,
    *chunks: tuple[bytes, bytes],
    palette: bytes | None = None,
) -> bytes:
    """Write a PNG of any kind; the chunks come ahead of the pixels, and after the palette."""
    height, width = pixels.shape[:2]
    head = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    if depth < 8:
        places = np.arange(depth - 1, -1, -1)
        bits = (pixels.astype(np.uint8).reshape(height, width, 1) >> places) & 1
        rows = np.packbits(bits.reshape(height, -1).astype(np.uint8), axis=1)
    else:
        rows = pixels.astype(">u2" if depth == 16 else "u1").reshape(height, -1).view(np.uint8)
    raw = np.hstack([np.zeros((height, 1), np.uint8), rows]).tobytes()
    parts = [(b"IHDR", head), *([(b"PLTE", palette)] if palette else []), *chunks]
    parts += [(b"IDAT", zlib.compress(raw)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )


def tga(
    kind: int, bits: int, pixels: np.ndarray, descriptor: int = 0x20, palette: bytes = b""
) -> bytes:
    """Write a TGA, from the top unless the descriptor says otherwise."""
    palette_bits = 8 * len(palette) // 4
    head = struct.pack(
        "<BBBHHBHHHHBB",
        *(0, bool(palette), kind, 0, 4 if palette else 0, palette_bits),
        *(0, 0, WIDTH, HEIGHT, bits, descriptor),
    )
    return head + palette + pixels.tobytes()


def bmp(
    bits: int, rows: np.ndarray, more: bytes = b"", header: int = 40, packing: int = 0
) -> bytes:
    """Write a BMP from the top; more is what lies between its first header and its pixels."""
    rows = rows.reshape(HEIGHT, -1).view(np.uint8)
    padded = np.hstack([rows, np.zeros((HEIGHT, -rows.shape[1] % 4), np.uint8)]).tobytes()
    info = struct.pack("<IiiHHIIiiII", header, WIDTH, -HEIGHT, 1, bits, packing, 0, 0, 0, 0, 0)
    start = 14 + len(info) + len(more)
    return b"BM" + struct.pack("<IHHI", start + len(padded), 0, 0, start) + info + more + padded


def psd(
    mode: int, depth: int, shares: np.ndarray, *, large: bool = False, packed: bool = False,
    palette: bytes = b"", profile: bytes = b"", layers: bytes = b"",
) -> bytes:  # fmt: skip
    """Write a Photoshop file of one picture; its channels are shares from 0 to 1."""
    channels = np.moveaxis(shares, -1, 0)
    if depth == 1:
        rows = np.packbits(channels[0] < 0.5, axis=1)[None]
    elif depth == 32:
        rows = channels.astype(">f4")
    else:
        rows = typed(channels, f"u{depth // 8}").astype(f">u{depth // 8}")
    resource = b"8BIM" + struct.pack(">HHI", 1039, 0, len(profile)) + profile
    resource = resource + bytes(len(profile) % 2) if profile else b""
    head = b"8BPS" + struct.pack(
        ">H6xHIIHH", 2 if large else 1, len(channels), HEIGHT, WIDTH, depth, mode
    )
    head += struct.pack(">I", len(palette)) + palette + struct.pack(">I", len(resource)) + resource
    head += struct.pack(">Q" if large else ">I", len(layers)) + layers
    if not packed:
        return head + struct.pack(">H", 0) + rows.tobytes()
    lines = [_pack_bits(row.tobytes()) for channel in rows for row in channel]
    kind = ">u4" if large else ">u2"
    table = np.array([len(line) for line in lines], kind).tobytes()
    return head + struct.pack(">H", 1) + table + b"".join(lines)


def _pack_bits(row: bytes) -> bytes:
    """Pack a row without looking for what repeats."""
    parts = (row[at : at + 128] for at in range(0, len(row), 128))
    return b"".join(bytes([len(part) - 1]) + part for part in parts)


def rgb_profile(exchanged: bool = False, gamma: float = 2.2) -> bytes:
    """Write an ICC profile of sRGB's primaries; exchanged: red is green, green red."""
    columns = [(0.4360, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7139)]
    if exchanged:
        columns[:2] = columns[1::-1]
    tags = [
        (kind, _xyz(xyz)) for kind, xyz in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)
    ]
    tags += [(kind, _curve(gamma)) for kind in (b"rTRC", b"gTRC", b"bTRC")]
    return _profile(b"RGB ", tags)


def grey_profile(gamma: float) -> bytes:
    """Write an ICC profile of grey."""
    return _profile(b"GRAY", [(b"kTRC", _curve(gamma))])


def profile_with_numbers(primaries: int, transfer: int) -> bytes:
    """Write an ICC profile that names its colours by the numbers of ITU-T H.273 as well."""
    tags = [(kind, _xyz((0.3, 0.3, 0.3))) for kind in (b"rXYZ", b"gXYZ", b"bXYZ")]
    tags += [(kind, _curve(1)) for kind in (b"rTRC", b"gTRC", b"bTRC")]
    tags.append((b"cicp", b"cicp" + bytes(4) + bytes((primaries, transfer, 0, 1))))
    return _profile(b"RGB ", tags)


def _xyz(xyz: Sequence[float]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">iii", *(round(65536 * value) for value in xyz))


def _curve(gamma: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(256 * gamma)) + bytes(2)


def _profile(space: bytes, tags: list[tuple[bytes, bytes]]) -> bytes:
    tags = [*tags, (b"wtpt", _xyz((0.9642, 1.0, 0.8249)))]
    start = 128 + 4 + 12 * len(tags)
    table, bodies = struct.pack(">I", len(tags)), b""
    for kind, body in tags:
        table += struct.pack(">4sII", kind, start + len(bodies), len(body))
        bodies += body
    head = struct.pack(
        ">I4sI4s4s4s", start + len(bodies), b"test", 0x02400000, b"mntr", space, b"XYZ "
    )
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">iii", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + bodies
