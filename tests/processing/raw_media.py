"""Raw files as cameras write them, made in code: small, with a picture that can be told."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

import numpy as np
from PIL import Image

RED, BLUE = (220, 30, 30), (30, 30, 220)
_FORMS = {1: "B", 2: "s", 3: "H", 4: "I", 5: "II", 7: "B", 10: "ii"}


def halves(size_wh: tuple[int, int]) -> np.ndarray:
    """Red on the left and blue on the right: (H, W, 3) uint8."""
    width, height = size_wh
    picture = np.empty((height, width, 3), np.uint8)
    picture[:, : width // 2], picture[:, width // 2 :] = RED, BLUE
    return picture


def jpeg(size_wh: tuple[int, int], **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(halves(size_wh)).save(stream, "JPEG", quality=92, **options)
    return stream.getvalue()


def directory(entries: dict[int, tuple[int, Sequence[int] | bytes]], at: int) -> bytes:
    """Write a TIFF directory that lies at an offset, with its values behind it."""
    start = at + 2 + 12 * len(entries) + 4
    rows, values = b"", b""
    for tag, (kind, value) in sorted(entries.items()):
        if isinstance(value, bytes):
            packed, count = value, len(value)
        else:
            packed = struct.pack("<" + _FORMS[kind][0] * len(value), *value)
            count = len(value) // len(_FORMS[kind])
        if len(packed) > 4:
            rows += struct.pack("<HHII", tag, kind, count, start + len(values))
            values += packed + b"\0" * (len(packed) % 2)
        else:
            rows += struct.pack("<HHI4s", tag, kind, count, packed)
    return struct.pack("<H", len(entries)) + rows + bytes(4) + values


def dng(
    size_wh: tuple[int, int] = (128, 96), orientation: int = 1, preview: bytes | None = None
) -> bytes:
    """A DNG of a sensor with an RGGB filter, and a preview in it where one is given."""
    picture = halves(size_wh)
    linear = np.round((picture / 255.0) ** 2.2 * 60000).astype("<u2")
    rows, columns = np.indices(picture.shape[:2])
    sensor = np.take_along_axis(linear, ((rows % 2) + (columns % 2))[..., None], axis=2)[..., 0]
    data = np.ascontiguousarray(sensor).tobytes() + (preview or b"")
    width, height = size_wh
    at = 8 + len(data) + len(data) % 2
    entries: dict[int, tuple[int, Sequence[int] | bytes]] = {
        254: (4, (0,)),
        256: (4, (width,)),
        257: (4, (height,)),
        258: (3, (16,)),
        259: (3, (1,)),
        262: (3, (32803,)),
        271: (2, b"Maker\0"),
        272: (2, b"Camera\0"),
        273: (4, (8,)),
        274: (3, (orientation,)),
        277: (3, (1,)),
        278: (4, (height,)),
        279: (4, (sensor.nbytes,)),
        306: (2, b"2021:02:03 04:05:06\0"),
        33421: (3, (2, 2)),
        33422: (1, (0, 1, 1, 2)),
        50706: (1, (1, 4, 0, 0)),
        50707: (1, (1, 1, 0, 0)),
        50708: (2, b"Maker Camera\0"),
        50717: (3, (60000,)),
        # sRGB's primaries, so that the colours are those put in
        50721: (
            10,
            [
                part
                for value in (32406, -15372, -4986, -9689, 18758, 415, 557, -2040, 10570)
                for part in (value, 10000)
            ],
        ),
        50728: (5, (1, 1, 1, 1, 1, 1)),
        50778: (3, (21,)),
    }
    return (
        b"II*\0" + struct.pack("<I", at) + data + b"\0" * (len(data) % 2) + directory(entries, at)
    )


def nef(preview: bytes, orientation: int = 1) -> bytes:
    """What NEF, ARW and PEF are: a TIFF whose second picture is what the sensor saw, packed."""
    data = bytes(range(256)) * 8 + preview  # no decoder knows this packing
    sub_at = 8 + len(data) + len(data) % 2
    sensor = directory(
        {
            256: (4, (64,)),
            257: (4, (48,)),
            258: (3, (12,)),
            259: (3, (34713,)),
            262: (3, (32803,)),
            273: (4, (8,)),
            277: (3, (1,)),
            279: (4, (2048,)),
        },
        sub_at,
    )
    first = directory(
        {
            254: (4, (1,)),
            256: (4, (16,)),
            257: (4, (12,)),
            262: (3, (2,)),
            271: (2, b"NIKON CORPORATION\0"),
            274: (3, (orientation,)),
            306: (2, b"2019:05:06 07:08:09\0"),
            330: (4, (sub_at,)),
        },
        sub_at + len(sensor),
    )
    head = b"II*\0" + struct.pack("<I", sub_at + len(sensor))
    return head + data + b"\0" * (len(data) % 2) + sensor + first


def with_head(head: bytes, *previews: bytes) -> bytes:
    """A raw file of a format that only its maker describes: a beginning, and JPEGs among data."""
    noise = np.random.default_rng(5).integers(0, 255, 4000, np.uint8).tobytes()
    return head + bytes(64) + b"".join(noise + each for each in previews) + noise


HEADS = {
    "raf": b"FUJIFILMCCD-RAW 0201FF129502X-T2",
    "orf": b"IIRO\x08\0\0\0",
    "rw2": b"IIU\0\x18\0\0\0",
    "cr2": b"II*\0\x10\0\0\0CR\x02\0\0\0\0\0",
    "cr3": b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom",
    "crw": b"II\x1a\0\0\0HEAPCCDR",
    "x3f": b"FOVb\0\0\x02\0",
    "mrw": b"\0MRM\0\0\0\x10",
}
