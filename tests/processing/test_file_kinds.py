from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.errors import MediaReadError
from src.processing import image_loader
from src.processing.decoder_process import DecoderPool
from src.processing.file_kinds import install_command, recognised
from src.processing.image_loader import load_image, media_kind
from src.processing.video_processor import VideoFacts, VideoProcessor, find_ffmpeg
from tests.processing.raw_media import jpeg

LIMIT = 250_000_000


def refusal(path: Path) -> str:
    """Why a file can't be read, by what ingest asks of it."""
    with pytest.raises(MediaReadError) as caught:
        media_kind(path)
        load_image(path, LIMIT)
    return caught.value.reason


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("photo.jpg", jpeg((8, 8)))
    return stream.getvalue()


def of_process(marker: int, bits: int = 8) -> bytes:
    """A JPEG whose frame header says that it is of another process."""
    content = bytearray(jpeg((16, 16)))
    at = content.index(b"\xff\xc0")
    content[at + 1], content[at + 4] = marker, bits
    return bytes(content)


SVG = b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="http://www.w3.org/2000/svg"/>'
CANT = "which can't be read yet; "
REFUSED = {
    "drawing.svg": (SVG, f"this is an SVG drawing, {CANT}export it as PNG"),
    "utf16.svg": (SVG.decode().encode("utf-16"), "this is an SVG drawing"),
    "paper.pdf": (b"%PDF-1.7\n%\xe2\xe3", f"this is a PDF document, {CANT}export its pages as PNG"),
    "logo.eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "this is a PostScript or EPS drawing"),
    "dos.eps": (b"\xc5\xd0\xd3\xc6 \0\0\0", "this is a PostScript or EPS drawing"),
    "arithmetic.jpg": (of_process(0xC9, 12), f"this is a JPEG with arithmetic coding, {CANT}save"),
    "photo.jxr": (b"II\xbc\x01\x20\0\0\0" + bytes(8), "this is a JPEG XR image"),
    "light.exr": (b"\x76\x2f\x31\x01\2\0\0\0", "this is an OpenEXR image"),
    "light.hdr": (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n", "this is a Radiance HDR image"),
    "a.flif": (b"FLIF\x34\x31\0\0", "this is a FLIF image"),
    "a.bpg": (b"BPG\xfb\x40\0", "this is a BPG image"),
    "a.xcf": (b"gimp xcf v011\0", f"this is a GIMP drawing (XCF), {CANT}export it as PNG in GIMP"),
    "a.fits": (b"SIMPLE  =                    T", "this is a FITS image"),
    "a.wmf": (b"\xd7\xcd\xc6\x9a\0\0", "this is a Windows metafile drawing"),
    "scan.dcm": (bytes(128) + b"DICM" + bytes(8), "this is a DICOM image"),
    "film.swf": (b"FWS\x08\0\0\0\x12", f"this is a Flash animation, {CANT}convert it to MP4"),
    "fws.txt": (b"FWS is the Fish and Wildlife Service", "this is a text file"),
    "song.mp4": (b"ID3\x04\0\0\0\0\0\0", "this is a sound file; only photos and videos can be"),
    "song.jpg": (b"fLaC\0\0\0\x22", "this is a sound file"),
    "song.mov": (b"RIFF\x24\0\0\0WAVEfmt ", "this is a sound file"),
    "song.ogg": (b"OggS\0\x02" + bytes(22) + b"\x01\x1e\x01vorbis", "this is a sound file"),
    "notes.jpg": (b"my notes\r\n", "this is a text file; only photos and videos can be added"),
    "notes.mp4": ("Zürich, die Brücke\n".encode("latin-1"), "this is a text file"),
    "wide.mov": (b"The wide road, and what is behind it", "this is a text file"),
    "flv.flv": (b"FLV files are old.", "this is a text file"),
    "bitmap.bmp": (b"BM means bitmap.", "this is a text file"),
    "list.mp4": (b"#EXTM3U\nhttp://x/a.ts\n", "this is a playlist; add the videos that it lists"),
    "page.jpg": (b"<!DOCTYPE html><html>404</html>", "this is a web page, not a picture; download"),
    "more.jpg": (zipped(), "this is a ZIP archive; unpack it and add what is in it"),
    "more.mp4": (b"7z\xbc\xaf\x27\x1c\0\x04", "this is a 7-Zip archive"),
    "more.rar": (b"Rar!\x1a\x07\x01\0", "this is a RAR archive"),
    "drawing.svgz": (gzip.compress(SVG), "this is a compressed file; unpack it"),
    "IMG_1.HEIC": (
        b"bplist00\xd2\x01\x02_\x10\x10NSURLNameKey",
        "this is a placeholder for a file in iCloud; download the file in Finder first",
    ),
    "zeros.jpg": (bytes(5000), "it begins with nothing but zeros: it was never completely copied"),
    "._IMG_1.jpg": (b"\0\x05\x16\x07\0\x02\0\0Mac OS X", "this is a file that macOS keeps about"),
    "IMG_1.jpg.lnk": (b"\x4c\0\0\0\x01\x14\x02\0", "this is a shortcut"),
    "Thumbs.db": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "this is an Office document"),
    "empty.svg": (b"", "the file is empty"),
    "unknown.jpg": (bytes(range(64)), "unsupported or unreadable file"),
    "cut.png": (b"\x89PNG\r\n\x1a\n\0\0", "this image can't be read: it is damaged"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_not_be_read_says_which_kind_it_is(tmp_path: Path, name: str) -> None:
    content, said = REFUSED[name]
    path = tmp_path / name
    path.write_bytes(content)
    assert said in refusal(path)


def in_image(width: int = 256, height: int = 64) -> Image.Image:
    """A picture of nothing but the byte that begins a transport stream's packets."""
    return Image.new("L", (width, height), 0x47)


def ftyp(*brands: bytes) -> bytes:
    body = brands[0] + bytes(4) + b"".join(brands[1:])
    return (8 + len(body)).to_bytes(4, "big") + b"ftyp" + body + bytes(64)


def test_an_image_with_the_marks_of_a_stream_is_an_image(tmp_path: Path) -> None:
    for suffix in ("gif", "bmp", "tif", "tga", "pcx", "sgi", "pgm", "ppm", "png", "jpg", "ico"):
        path = tmp_path / f"marks.{suffix}"
        in_image().convert("P" if suffix == "gif" else "RGB").save(path)
        content = bytearray(path.read_bytes())
        if suffix in ("gif", "png", "jpg"):  # behind the picture nobody reads
            content += b"\x47" * 4096
            path.write_bytes(content)
        assert media_kind(path) == "image", suffix
        load_image(path, LIMIT)
    gif = bytearray((tmp_path / "marks.gif").read_bytes())
    gif[188] = gif[376] = 0x47
    (tmp_path / "sync.gif").write_bytes(gif)
    assert media_kind(tmp_path / "sync.gif") == "image"


def test_a_jpeg_whose_first_segment_spells_a_movie_is_an_image(tmp_path: Path) -> None:
    whole = jpeg((16, 16))
    segment = b"yp" + bytes(0x6674 - 4)
    path = tmp_path / "movie.mp4"
    path.write_bytes(whole[:2] + b"\xff\xe5ft" + segment + whole[2:])
    assert path.read_bytes()[4:8] == b"ftyp"
    assert media_kind(path) == "image"
    assert load_image(path, LIMIT).frame.size_wh == (16, 16)


def test_a_tga_that_begins_like_a_stream_is_read_by_its_name(tmp_path: Path) -> None:
    in_image().convert("RGB").save(tmp_path / "flat.tga")
    content = (tmp_path / "flat.tga").read_bytes()
    flat = tmp_path / "identified.tga"
    flat.write_bytes(b"\x47" + content[1:18] + b"\x47" * 71 + content[18:])
    assert media_kind(flat) == "image"


@pytest.mark.parametrize(
    ("head", "media"),
    [
        (ftyp(b"heic", b"mif1", b"heic"), "image"),
        (ftyp(b"mif1", b"miaf", b"heic"), "image"),
        (ftyp(b"msf1", b"iso8", b"hevc"), "image"),
        (ftyp(b"hevx"), "image"),
        (ftyp(b"avis", b"avif", b"msf1"), "image"),
        (ftyp(b"isom", b"iso2", b"avc1", b"mp41"), "video"),
        (ftyp(b"qt  "), "video"),
        (ftyp(b"M4A ", b"mp42"), "video"),  # ffmpeg says whether there is sound only
        (b"\0\0\0\x08wide\0\0\x10\0mdat" + bytes(64), "video"),
        (b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypmjp2" + bytes(64), "video"),
        (b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 " + bytes(64), "image"),
        (b"RIFF\x24\0\0\0AVI LIST" + bytes(64), "video"),
        (b"RIFF\x24\0\0\0WEBPVP8 " + bytes(64), "image"),
        (b"OggS\0\x02" + bytes(22) + b"\x01\x2a\x80theora" + bytes(30), "video"),
        (b"\x06\x0e\x2b\x34\x02\x05\x01\x01" + bytes(64), "video"),
        (b"\0\0\x01\xba" + bytes(64), "video"),
        (b".RMF\0\0\0\x12" + bytes(64), "video"),
        (b"YUV4MPEG2 W8 H8 F25:1\nFRAME\n" + bytes(64), "video"),
    ],
)
def test_containers_are_told_apart(head: bytes, media: str) -> None:
    kind = recognised(head)
    assert kind is not None and kind.media == media


def test_a_transport_stream_is_a_video_whatever_its_name(tmp_path: Path) -> None:
    packet = b"\x47\x40\x00\x10" + bytes(184)
    for name, before in (("a.ts", b""), ("a.bin", b""), ("a.m2ts", b"\0\0\0\0"), ("a.jpg", b"")):
        path = tmp_path / name
        path.write_bytes((before + packet) * 30)
        assert media_kind(path) == "video", name


def test_a_sound_file_in_a_films_container_says_so(tmp_path: Path) -> None:
    program = find_ffmpeg()
    assert program is not None
    sine = ["-v", "error", "-f", "lavfi", "-i", "sine=duration=0.2"]
    for name in ("song.m4a", "song.mp4", "song.mka"):
        path = tmp_path / name
        subprocess.run([program, *sine, f"file:{path}"], check=True, timeout=60)
        with pytest.raises(MediaReadError, match="no video in it; sound files can't be added"):
            list(VideoProcessor().sampled(path, VideoFacts()))


def test_ascii_bitmaps_are_no_texts(tmp_path: Path) -> None:
    path = tmp_path / "a.pgm"
    path.write_bytes(b"P2\n# a comment\n2 2\n255\n0 255\n255 0\n")
    assert media_kind(path) == "image"
    np.testing.assert_array_equal(
        load_image(path, LIMIT).frame.image_rgb[..., 0], [[0, 255], [255, 0]]
    )


def test_a_file_left_in_the_cloud_says_so(tmp_path: Path) -> None:
    path = tmp_path / "IMG_1.jpg"
    path.symlink_to("unsupported reparse tag 0x9000701a")
    assert "still in the cloud" in refusal(path)


@pytest.mark.parametrize(
    ("package", "module", "content"),
    [
        ("pillow-heif", "pillow_heif", ftyp(b"heic", b"mif1", b"heic")),
        ("pillow-jxl-plugin", "pillow_jxl", b"\xff\x0a\x09\x41\x24\x08" + bytes(26)),
    ],
)
def test_a_missing_package_is_named_with_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, module: str, content: bytes
) -> None:
    path = tmp_path / "photo.bin"
    path.write_bytes(content)
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / f"{module}.py").write_text("raise ImportError('hidden')\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(hidden), *sys.path)))
    decoders = DecoderPool()
    monkeypatch.setattr(image_loader, "DECODERS", decoders)
    try:
        said = refusal(path)
    finally:
        decoders.close()
    assert f"the package {package} is missing; run: " in said
    assert said.endswith(install_command(package))
    assert install_command(package).endswith(f" -m pip install {package}")


def test_a_broken_image_of_a_kind_that_is_read_asks_for_no_package(tmp_path: Path) -> None:
    path = tmp_path / "photo.heic"
    path.write_bytes(ftyp(b"heic", b"mif1", b"heic"))
    said = refusal(path)
    assert "HEIC" in said and "package" not in said


def test_a_video_asked_for_as_an_image_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "clip.jpg"
    path.write_bytes(ftyp(b"isom", b"mp41"))
    with pytest.raises(MediaReadError, match="this is a video, not an image"):
        load_image(path, LIMIT)
