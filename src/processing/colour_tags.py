"""The colour metadata of files that Pillow does not pass on: code numbers and bit depths."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

# A header of this size holds the boxes of hundreds of items.
MOST_BOX_BYTES = 4 << 20
MOST_BOXES = 10_000


@dataclass(frozen=True)
class Cicp:
    """Colour primaries and transfer characteristics by their numbers in ITU-T H.273."""

    primaries: int
    transfer: int


@dataclass(frozen=True)
class PngHeader:
    """The metadata ahead of a PNG's pixels.

    Attributes:
        depth: bits of a sample as it is stored.
        grey_with_alpha: it is of greys, and has alpha.
        significant_bits: how many of them count, or None: all.
        cicp: numbers of its colours, or None.
    """

    depth: int
    grey_with_alpha: bool
    significant_bits: int | None
    cicp: Cicp | None


def png_header(path: Path) -> PngHeader:
    """Read the chunks of a PNG up to its pixels."""
    depth, kind, bits, cicp = 8, 0, None, None
    with path.open("rb") as stream:
        stream.seek(8)
        for _ in range(MOST_BOXES):
            head = stream.read(8)
            if len(head) < 8 or head[4:] == b"IDAT":
                break
            (size,) = struct.unpack(">I", head[:4])
            body = stream.read(min(size, 16))
            if head[4:] == b"IHDR" and len(body) > 9:
                depth = body[8]
                kind = body[9]
            elif head[4:] == b"sBIT" and body:
                bits = body[0]
            elif head[4:] == b"cICP" and len(body) >= 2:
                cicp = Cicp(body[0], body[1])
            stream.seek(size - len(body) + 4, 1)
    return PngHeader(depth, kind == 4, bits, cicp)


@dataclass(frozen=True)
class Jpeg2000Header:
    """The metadata ahead of a JPEG 2000 file's pixels.

    Attributes:
        depth: bits of a sample of the first component; 8 where it is not to be found.
        profile: an ICC profile, or None.
    """

    depth: int
    profile: bytes | None


def jpeg2000_header(path: Path) -> Jpeg2000Header:
    """Read the boxes of a JP2 file (ISO/IEC 15444-1), or of a codestream alone its start."""
    with path.open("rb") as stream:
        head = stream.read(MOST_BOX_BYTES)
    at = head.find(b"\xff\x4f\xff\x51")  # the codestream's start, and the marker of its size
    depth_at = at + 4 + 38
    depth = 8 if at < 0 or depth_at >= len(head) else (head[depth_at] & 0x7F) + 1
    boxes = _boxes(dict(_boxes(head)).get(b"jp2h", b""))
    profiles = [body[3:] for kind, body in boxes if kind == b"colr" and body[:1] in (b"\2", b"\3")]
    return Jpeg2000Header(depth, profiles[0] if profiles else None)


@dataclass(frozen=True)
class PnmHeader:
    """The header of a PGM or PPM.

    Attributes:
        white: the largest value.
        offset: where the pixels begin.
        plain: they are written as text.
    """

    white: int
    offset: int
    plain: bool


def pnm_header(path: Path) -> PnmHeader | None:
    """Read the header of a PGM or PPM; None: it is none of these, or longer than one is."""
    with path.open("rb") as stream:
        head = stream.read(4096)
    found = re.match(rb"P([2356])(?:(?:\s|#[^\n]*\n)+(\d+)){3}\s", head)
    return found and PnmHeader(int(found[2]), found.end(), found[1] in b"23")


@dataclass(frozen=True)
class HeifHeader:
    """The metadata of an AVIF's or HEIC's main picture.

    Attributes:
        cicp: numbers of its colours, or None.
        depth: bits of a sample.
    """

    cicp: Cicp | None
    depth: int


def heif_header(path: Path) -> HeifHeader:
    """Read the boxes that describe the main picture (ISO/IEC 14496-12 and 23008-12)."""
    with path.open("rb") as stream:
        meta = _meta(stream)[4:]
    boxes = dict(_boxes(meta))
    parts = dict(_boxes(boxes.get(b"iprp", b"")))
    properties = list(_boxes(parts.get(b"ipco", b"")))
    own = _properties_of(_main_item(boxes.get(b"pitm", b"")), parts.get(b"ipma", b""))
    cicp = None
    depth = 8
    for number, (kind, body) in enumerate(properties, 1):
        if kind == b"colr" and body[:4] == b"nclx" and len(body) >= 8 and number in own:
            cicp = Cicp(*struct.unpack(">HH", body[4:8]))
        elif kind == b"av1C" and len(body) > 2:  # the parts of a grid have it, and not the whole
            depth = max(depth, 12 if body[2] & 0x20 else 10 if body[2] & 0x40 else 8)
        elif kind == b"hvcC" and len(body) > 17:
            depth = max(depth, (body[17] & 7) + 8)
    return HeifHeader(cicp, depth)


def profile_cicp(profile: bytes | None) -> Cicp | None:
    """Return the numbers that an ICC profile carries (ICC.1:2022, tag cicp), or None."""
    if not profile or len(profile) < 132:
        return None
    (count,) = struct.unpack(">I", profile[128:132])
    for at in range(132, 132 + 12 * min(count, 200), 12):
        entry = profile[at : at + 12]
        if entry[:4] == b"cicp" and len(entry) == 12:
            (where,) = struct.unpack(">I", entry[4:8])
            body = profile[where : where + 10]
            if len(body) == 10:
                return Cicp(body[8], body[9])
    return None


def _meta(stream: IO[bytes]) -> bytes:
    for _ in range(MOST_BOXES):
        head = stream.read(8)
        if len(head) < 8:
            break
        size = struct.unpack(">I", head[:4])[0]
        before = 8
        if size == 1:
            size = int.from_bytes(stream.read(8), "big")
            before = 16
        if size < before:
            break
        if head[4:] == b"meta":
            return stream.read(min(size - before, MOST_BOX_BYTES))
        stream.seek(size - before, 1)
    return b""


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    for _ in range(MOST_BOXES):
        if at + 8 > len(content):
            return
        size = int.from_bytes(content[at : at + 4], "big")
        if size < 8:
            return
        yield content[at + 4 : at + 8], content[at + 8 : at + size]
        at += size


def _main_item(body: bytes) -> int:
    """Read the box pitm."""
    width = 2 if body[:1] == b"\0" else 4
    return int.from_bytes(body[4 : 4 + width], "big")


def _properties_of(item: int, body: bytes) -> set[int]:
    """Read the box ipma: the numbers, from 1, of the properties of an item."""
    if len(body) < 8:
        return set()
    id_bytes = 2 if body[0] == 0 else 4
    wide = bool(body[3] & 1)
    at = 8
    for _ in range(min(int.from_bytes(body[4:8], "big"), MOST_BOXES)):
        if at + id_bytes >= len(body):
            break
        found = int.from_bytes(body[at : at + id_bytes], "big")
        count = body[at + id_bytes]
        at += id_bytes + 1
        step = 2 if wide else 1
        listed = body[at : at + step * count]
        at += step * count
        if found == item:
            mask = 0x7FFF if wide else 0x7F
            return {
                int.from_bytes(listed[i : i + step], "big") & mask
                for i in range(0, len(listed), step)
            }
    return set()
