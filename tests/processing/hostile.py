"""Hostile media, made by seed: real encodings mutated, bombs, and files that point elsewhere."""

from __future__ import annotations

import io
import struct
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from PIL import Image

from src.processing.ffmpeg_process import find_ffmpeg
from tests.processing import pictures

IMAGES = {
    "jpg": {},
    "png": {},
    "gif": {},
    "tif": {"compression": "tiff_lzw"},
    "webp": {},
    "bmp": {},
    "jp2": {},
    "ico": {},
    "tga": {"compression": "tga_rle"},
    "avif": {},
}
VIDEOS = {
    "mp4": ("-c:v", "libx264", "-pix_fmt", "yuv420p"),
    "mov": ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p"),
    "avi": ("-c:v", "mpeg4"),
    "mkv": ("-c:v", "libx264", "-pix_fmt", "yuv420p"),
}
# What parsers stumble over where they expect a length, a count or an offset.
NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def real_images() -> dict[str, bytes]:
    """One small image of each kind: suffix -> content."""
    rng = np.random.default_rng(5)
    small = rng.integers(0, 255, (6, 8, 3), np.uint8)
    picture = Image.fromarray(small).resize((64, 48), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x0112] = 6
    made = {}
    for suffix, options in IMAGES.items():
        stream = io.BytesIO()
        more = {"exif": exif} if suffix in ("jpg", "webp", "png") else {}
        name = {"jpg": "JPEG", "tif": "TIFF", "jp2": "JPEG2000"}.get(suffix, suffix.upper())
        picture.save(stream, format=name, **options, **more)
        made[suffix] = stream.getvalue()
    for suffix in ("gif", "png", "webp", "tif"):  # of several frames
        stream = io.BytesIO()
        frames = [picture.rotate(angle) for angle in (90, 180)]
        name = "TIFF" if suffix == "tif" else suffix.upper()
        picture.save(stream, format=name, save_all=True, append_images=frames)
        made[f"frames.{suffix}"] = stream.getvalue()
    return made | _for_second_decoders(np.asarray(picture))


def _for_second_decoders(picture: np.ndarray) -> dict[str, bytes]:
    """Images that are left to others than Pillow."""
    sixteen = picture.astype(np.uint16) * 257
    clear = b"tRNS", struct.pack(">HHH", *sixteen[0, 0].tolist())
    numbers = b"cICP", bytes((9, 16, 0, 1))
    made = {
        "deep.png": pictures.png(2, 16, sixteen, clear),
        "range.png": pictures.png(2, 8, picture, numbers),
        "deep.jp2": imagecodecs.jpeg2k_encode(sixteen, level=0, codecformat="jp2"),
        "range.avif": imagecodecs.avif_encode(
            sixteen >> 6, bitspersample=10, primaries=9, transfer=16
        ),
        "deep.psd": pictures.psd(3, 16, pictures.RGB),
        "packed.psb": pictures.psd(3, 16, pictures.RGB, large=True, packed=True),
    }
    for name, how in {
        "deep": {},
        "strips": {"compression": "zlib", "predictor": True, "rowsperstrip": 8},
        "tiles": {"compression": "lzw", "tile": (16, 16)},
        "photo": {"compression": "jpeg2000"},
    }.items():
        stream = io.BytesIO()
        with tifffile.TiffWriter(stream) as file:
            file.write(picture[::4, ::4], photometric="rgb", subfiletype=1, subifds=1)
            file.write(sixteen, photometric="rgb", **how)
            file.write(sixteen, photometric="rgb")
        made[f"{name}.tif"] = stream.getvalue()
    return made


def real_videos(folder: Path) -> dict[str, bytes]:
    """One video of two seconds of each kind: suffix -> content."""
    program = find_ffmpeg()
    assert program is not None
    made = {}
    for suffix, options in VIDEOS.items():
        path = folder / f"real.{suffix}"
        source = "testsrc2=size=64x48:rate=5:duration=2"
        command = [program, "-v", "error", "-f", "lavfi", "-i", source]
        command += ["-threads", "1", *options, f"file:{path}"]  # the same file on any machine
        subprocess.run(command, check=True, timeout=60)
        made[suffix] = path.read_bytes()
        path.unlink()
    return made


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """Damage a file in one to four ways, mostly near its start, where its structure is."""
    data = bytearray(content)
    for _ in range(int(rng.integers(1, 5))):
        size = len(data)
        if size < 16:
            break
        reach = size if rng.random() < 0.4 else min(size, 512)
        at = int(rng.integers(0, reach - 8))
        way = int(rng.integers(0, 7))
        if way == 0:
            data[at] ^= 1 << int(rng.integers(0, 8))
        elif way == 1:
            number = NUMBERS[int(rng.integers(0, len(NUMBERS)))]
            form = ("<I", ">I", "<H", ">H")[int(rng.integers(0, 4))]
            width = struct.calcsize(form)
            data[at : at + width] = struct.pack(form, number & (2 ** (8 * width) - 1))
        elif way == 2:
            data = data[: max(8, int(rng.integers(0, size)))]
        elif way == 3:
            length = int(rng.integers(1, 64))
            data[at : at + length] = rng.bytes(length)
        elif way == 4:
            length = int(rng.integers(1, 256))
            data[at:at] = data[at : at + length]
        elif way == 5:
            del data[at : at + int(rng.integers(1, 64))]
        else:
            for spot in rng.integers(0, size, 1 + size // 200):
                data[int(spot)] = int(rng.integers(0, 256))
    return bytes(data)


def png(width: int, height: int, body: bytes = b"", *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG whose header says what it likes."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", head), *chunks, (b"IDAT", zlib.compress(body)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(part)) + kind + part + struct.pack(">I", zlib.crc32(kind + part))
        for kind, part in parts
    )


def frames_png(count: int) -> bytes:
    """An APNG of so many frames."""
    drawn = zlib.compress(bytes(8 * 25))
    parts = [(b"acTL", struct.pack(">II", count, 0))]
    for number in range(count):
        control = struct.pack(">IIIIIHHBB", 2 * number, 8, 8, 0, 0, 1, 10, 0, 0)
        parts += [(b"fcTL", control), (b"fdAT", struct.pack(">I", 2 * number + 1) + drawn)]
    return png(8, 8, bytes(8 * 25), *parts)


def pages_tiff(count: int, round_and_round: bool = False) -> bytes:
    """A TIFF of so many pages of 8 x 8 pixels, of which the last may lead to the first."""
    tags = (256, 8), (257, 8), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 8), (279, 64)
    page = struct.pack("<H", len(tags))
    page += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    first, size = 8 + 64, len(page) + 4
    nexts = [first + size * (number + 1) for number in range(count)]
    nexts[-1] = first if round_and_round else 0
    pages = b"".join(page + struct.pack("<I", at) for at in nexts)
    return struct.pack("<2sHI", b"II", 42, first) + bytes(64) + pages


def bombs() -> dict[str, bytes]:
    """Small files that claim or hold far more than they look."""
    flat = Image.new("RGB", (16, 16))
    photo = real_images()["jpg"]
    frames = io.BytesIO()
    red = Image.new("RGB", (16, 16), "red")
    flat.save(frames, format="GIF", save_all=True, append_images=[red, flat] * 2500)
    inside = png(17_000, 17_000, bytes(9_999))
    icon = struct.pack("<HHHBBBBHHII", 0, 1, 1, 16, 16, 0, 0, 1, 24, len(inside), 22) + inside
    ifd = struct.pack("<2sHI", b"II", 42, 8) + struct.pack(
        "<H" + "HHII" * 9 + "I", 9,
        256, 4, 1, 60_000, 257, 4, 1, 60_000, 258, 3, 1, 8, 259, 3, 1, 1, 262, 3, 1, 1,
        273, 4, 1, 8, 277, 3, 1, 1, 278, 4, 1, 60_000, 279, 4, 1, 100, 8,
    )  # fmt: skip
    notes = zlib.compress(bytes(70 << 20))
    bmp = b"BM" + struct.pack("<IIIIii", 99, 0, 54, 40, 90_000, -90_000)
    jpeg = b"\xff\xd8\xff\xc0\0\x11\x08\xff\xff\xff\xff\x03" + bytes(9) + b"\xff\xd9"
    webp = b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xff" * 6 + bytes(8)
    gif = b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0x80, 0, 0) + bytes(6)
    return {
        "pixels.png": png(60_000, 60_000, bytes(9_999)),
        "largest.png": png(2**31 - 1, 2**31 - 1),
        "nothing.png": png(0, 0),
        "profile.png": png(8, 8, bytes(8 * 25), (b"iCCP", b"x\0\0" + notes)),
        "notes.png": png(8, 8, bytes(8 * 25), (b"zTXt", b"x\0\0" + notes)),
        "pixels.gif": gif + struct.pack("<cHHHHB", b",", 0, 0, 65535, 65535, 0) + b"\2\2L\1\0;",
        "frames.gif": frames.getvalue(),
        "frames.png": frames_png(20_000),
        "pages.tif": pages_tiff(100_000),
        "round.tif": pages_tiff(50, round_and_round=True),
        "markers.jpg": photo[:2] + b"\xff\xfe\0\2" * 100_000 + photo[2:],
        "pixels.bmp": bmp + struct.pack("<HHIIIIII", 1, 24, *[0] * 6),
        "pixels.tif": ifd,
        "pixels.webp": webp,
        "inside.ico": icon,
        "pixels.jpg": jpeg,
    }


def durations(videos: dict[str, bytes]) -> dict[str, bytes]:
    """Videos whose headers lie about how long they are, and how many frames they hold."""
    made = {}
    for suffix in ("mp4", "mov"):
        content = videos[suffix]
        for name, box, offset in (
            ("film", b"mvhd", 16),
            ("track", b"mdhd", 16),
            ("scale", b"mvhd", 12),
            ("delta", b"stts", 12),
            ("count", b"stts", 8),
            ("samples", b"stsz", 8),
        ):
            data = bytearray(content)
            at = data.find(box) + 4 + offset
            data[at : at + 4] = struct.pack(">I", 0x7FFFFFF0)
            made[f"{name}.{suffix}"] = bytes(data)
    return made


def pointers(target: Path, address: str, videos: dict[str, bytes]) -> dict[str, bytes]:
    """Playlists and containers that would send a reader to another file or to an address."""
    places = {"file": str(target), "uri": target.as_uri(), "net": f"http://{address}/x.mp4"}
    made = {}
    for place, where in places.items():
        texts = {
            "hls": f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{where}\n#EXT-X-ENDLIST\n",
            "key": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n"
            f'#EXT-X-KEY:METHOD=AES-128,URI="{where}"\n#EXTINF:2,\n{where}\n#EXT-X-ENDLIST\n',
            "concat": f"ffconcat version 1.0\nfile '{where}'\n",
            "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" '
            'type="static" mediaPresentationDuration="PT2S"><Period><AdaptationSet '
            f'mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>{where}'
            "</BaseURL></Representation></AdaptationSet></Period></MPD>",
            "sdp": f"v=0\no=- 0 0 IN IP4 {address}\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
            "m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
            "rtsp": f"RTSPtextRTSP://{address}/x",
            "asx": f'<ASX version="3"><Entry><Ref href="{where}"/></Entry></ASX>',
            "smil": f'<smil><body><video src="{where}"/></body></smil>',
            "svg": f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{where}"/></svg>',
            "eps": f"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n({where}) run\n",
            "pdf": f"%PDF-1.4\n1 0 obj<</Type/BrowseQueries/URI({where})>>endobj\n",
            "fits": f"SIMPLE  =                    T{' ' * 50}\n{where}",
        }
        for kind, text in texts.items():
            for suffix in ("mp4", "avi", "png", "ts"):
                made[f"{kind} {place}.{suffix}"] = text.encode()
        made[f"reference {place}.mp4"] = elsewhere(videos["mp4"], where)
    return made


def elsewhere(content: bytes, where: str) -> bytes:
    """An MP4 that says its frames lie in another file, and holds none itself."""
    data = bytearray(content)
    start = data.index(b"mdat") + 4
    (size,) = struct.unpack_from(">I", data, start - 8)
    data[start : start + size - 8] = bytes(size - 8)
    at = data.index(b"url ", data.index(b"dref"))
    location = where.encode() + b"\0"
    for box in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        start = data.rindex(box, 0, at) - 4
        data[start : start + 4] = struct.pack(
            ">I", struct.unpack_from(">I", data, start)[0] + len(location)
        )
    data[at - 4 : at + 8] = struct.pack(">I", 12 + len(location)) + b"url " + bytes(4) + location
    return bytes(data)


def mutations(
    originals: dict[str, bytes], seed: int, count: int | None = None
) -> Iterator[tuple[str, bytes]]:
    """Mutated files, kind after kind: (name, content); without a count, no end."""
    number = 0
    while count is None or number < count:
        for suffix, content in originals.items():
            rng = np.random.default_rng([seed, number])
            yield f"{number:06}.{suffix}", mutated(content, rng)
            number += 1
            if number == count:
                return


ODD_NAMES = (
    "-i.png", "--help.png", "-", "a%03d.png", "%s%n.png", "new\nline.png", "tab\t.png", "'\".png",
    "a:b.png", "http:/x.png", "concat:a|b.png", "file:x.png", "$(x) `x` ;x.png", "鳥.png",
    " .png", "\u202egnp.exe.png", "\x1b[31m.png", "a" * 240 + ".png", "*.png", "\\.png",
)  # fmt: skip
