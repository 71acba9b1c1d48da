"""A file's kind by its first bytes, and the message for a kind that is not read.

Names are not asked: cameras, downloads and people give wrong ones. Where the first bytes leave
a doubt, the caller asks a decoder.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from src.config import APPLICATION_FOLDER
from src.processing.jpeg_structure import jpeg_frame
from src.records import MediaKind

# How much of a file is read: SVG and the streams of an Ogg file show late what they are.
HEAD_BYTES = 4096
# Before a JPEG's frame header lie thumbnails and profiles.
_JPEG_HEAD_BYTES = 16 << 20


@dataclass(frozen=True)
class FileKind:
    """A kind of file.

    Attributes:
        media: what it is for the application; None for a kind that it does not read.
        refusal: why it can't be read, where that is so, in words for a person.
        package: what reads it; it comes with the application, unless it was left out.
    """

    media: MediaKind | None
    refusal: str = ""
    package: str | None = None

    def why_unread(self, path: Path, missing: Collection[str]) -> str:
        """Return why a file of this kind could not be read as an image, in words for a person.

        Args:
            missing: packages that are not installed.
        """
        if self.media != "image":
            return self.refusal
        if self.package in missing:
            command = install_command(str(self.package))
            return f"{self.refusal}: the package {self.package} is missing; run: {command}"
        if self is JPEG:
            return _why_no_jpeg(path)
        return f"{self.refusal}: it is damaged, or of a rare kind"


def install_command(package: str) -> str:
    """Return how a package gets into the environment that the application runs in."""
    python = Path(sys.executable)
    if python.is_relative_to(APPLICATION_FOLDER):
        python = python.relative_to(APPLICATION_FOLDER)
    name = f'"{python}"' if " " in str(python) else str(python)
    return f"{name} -m pip install {package}"


def _unread(name: str, instead: str) -> FileKind:
    return FileKind(None, f"this is {name}, which can't be read yet; {instead}")


def _not_media(name: str, instead: str = "only photos and videos can be added") -> FileKind:
    return FileKind(None, f"this is {name}; {instead}")


_PNG, _TIFF = "save it as PNG", "save it as TIFF or PNG"
IMAGE = FileKind("image", "this image can't be read")
JPEG = FileKind("image", "this JPEG can't be read")
JXL = FileKind("image", "this JPEG XL image can't be read", "pillow-jxl-plugin")
HEIF = FileKind("image", "this HEIC or HEIF image can't be read", "pillow-heif")
AVIF = FileKind("image", "this AVIF image can't be read")
VIDEO = FileKind("video", "this is a video, not an image")
SOUND = _not_media("a sound file")
TEXT = _not_media("a text file")
SVG = _unread("an SVG drawing", "export it as PNG")
HDR = _unread("a Radiance HDR image", _TIFF)
FITS = _unread("a FITS image", _TIFF)
PDF = _unread("a PDF document", "export its pages as PNG")
POSTSCRIPT = _unread("a PostScript or EPS drawing", "export it as PNG")
WEB_PAGE = _not_media("a web page, not a picture", "download the picture itself")
PLAYLIST = _not_media("a playlist", "add the videos that it lists")
ICLOUD = _not_media(
    "a placeholder for a file in iCloud", "download the file in Finder first, then add it"
)
ZEROS = FileKind(
    None, "it begins with nothing but zeros: it was never completely copied or downloaded"
)
IN_THE_CLOUD = (
    "its content is still in the cloud; make it available on this machine first, then add it"
)

_ARCHIVE = "unpack it and add what is in it"
# Kinds, each with its signatures: bytes at the start, or several (offset, bytes) that must all
# be there. An image before a video, since a video's marks can lie anywhere in an image.
_SIGNATURES: tuple[tuple[FileKind, tuple[bytes | tuple[tuple[int, bytes], ...], ...]], ...] = (
    (JPEG, (b"\xff\xd8\xff",)),
    (
        IMAGE,
        (
            b"\x89PNG\r\n\x1a\n",
            b"GIF87a",
            b"GIF89a",
            ((0, b"RIFF"), (8, b"WEBP")),
            b"II*\0",
            b"MM\0*",
            b"II+\0",
            b"MM\0+",
            b"\xff\x4f\xff\x51",
            b"8BPS\0\x01",
            b"8BPS\0\x02",
            b"icns\0",
            b"qoif",
            b"DDS ",
            *(((0, b"BM"), (14, bytes((size, 0, 0, 0)))) for size in (12, 16, 40, 52, 56, 64)),
            *(((0, b"BM"), (14, bytes((size, 0, 0, 0)))) for size in (108, 124)),
        ),
    ),
    (JXL, (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")),
    (VIDEO, (((4, b"jP  \r\n\x87\n"), (20, b"mjp2")), ((4, b"jP  \r\n\x87\n"), (20, b"mj2s")))),
    (IMAGE, (((4, b"jP  \r\n\x87\n"),),)),
    # images of kinds that nothing here reads
    (_unread("a GIMP drawing (XCF)", "export it as PNG in GIMP"), (b"gimp xcf",)),
    (_unread("an OpenEXR image", _TIFF), (b"\x76\x2f\x31\x01",)),
    (HDR, (b"#?RADIANCE", b"#?RGBE")),
    (_unread("a JPEG XR image", _PNG), (b"II\xbc\x01", b"II\xbc\x00", b"WMPHOTO\0")),
    (_unread("a FLIF image", _PNG), (b"FLIF",)),
    (_unread("a BPG image", _PNG), (b"BPG\xfb",)),
    (_unread("an MNG or JNG image", _PNG), (b"\x8aMNG\r\n\x1a\n", b"\x8bJNG\r\n\x1a\n")),
    (_unread("a DjVu document", "export its pages as PNG"), (b"AT&TFORM",)),
    (_unread("a DICOM image", _PNG), (((128, b"DICM"),),)),
    (FITS, (b"SIMPLE  =",)),
    (
        _unread("a Windows metafile drawing", "export it as PNG"),
        (b"\xd7\xcd\xc6\x9a", ((0, b"\1\0\0\0"), (40, b" EMF"))),
    ),
    (
        _unread("a CorelDRAW drawing", "export it as PNG"),
        (((0, b"RIFF"), (8, b"CDR")), ((0, b"RIFF"), (8, b"cdr"))),
    ),
    (_unread("a Clip Studio drawing", "export it as PNG"), (b"CSFCHUNK",)),
    (_unread("a Paint.NET drawing", "save it as PNG"), (b"PDN3",)),
    (_unread("an Affinity document", "export it as PNG"), (b"\0\xffKA",)),
    (_unread("an animated cursor", "export its pictures as PNG"), (((0, b"RIFF"), (8, b"ACON")),)),
    (PDF, (b"%PDF-",)),
    (POSTSCRIPT, (b"%!PS", b"\xc5\xd0\xd3\xc6")),
    # videos
    (
        VIDEO,
        (
            ((0, b"RIFF"), (8, b"AVI ")),
            b"\x1a\x45\xdf\xa3",  # Matroska, WebM
            b"\x00\x00\x01\xba",  # MPEG program stream
            b"\x00\x00\x01\xb3",
            b"FLV\x01",
            b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF, WMV
            b"\x06\x0e\x2b\x34\x02\x05\x01\x01",  # MXF
            b".RMF",  # RealMedia
            b"\xb7\xd8\x00\x20\x37\x49\xda\x11",  # WTV
            b"\x1f\x07\x00",  # DV
            b"nut/multimedia container\0",
            b"DKIF\0\0",  # IVF
            b"YUV4MPEG2 ",
            b"DHAV",
        ),
    ),
    (_unread("a Flash animation", "convert it to MP4"), (b"FWS", b"CWS", b"ZWS")),
    # neither
    (
        SOUND,
        (
            b"ID3",
            b"fLaC",
            ((0, b"RIFF"), (8, b"WAVE")),
            ((0, b"RF64"), (8, b"WAVE")),
            ((0, b"FORM"), (8, b"AIFF")),
            ((0, b"FORM"), (8, b"AIFC")),
            b"MThd\0\0\0\x06",
            b"#!AMR",
            b".snd\0",
            b"wvpk",
            b"MAC \x00",
            b"MAC \x96",
            b"DSD ",
            b"caff\0\x01",
        ),
    ),
    (_not_media("a ZIP archive", _ARCHIVE), (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")),
    (_not_media("a 7-Zip archive", _ARCHIVE), (b"7z\xbc\xaf\x27\x1c",)),
    (_not_media("a RAR archive", _ARCHIVE), (b"Rar!\x1a\x07",)),
    (
        _not_media("a compressed file", _ARCHIVE),
        (b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18"),
    ),
    (_not_media("a tar archive", _ARCHIVE), (((257, b"ustar"),),)),
    (
        _not_media("a file that macOS keeps about another one", "add that one"),
        (b"\x00\x05\x16\x07\x00",),
    ),
    (
        _not_media("a shortcut", "add the file that it leads to"),
        (b"\x4c\x00\x00\x00\x01\x14\x02\x00",),
    ),
    (_not_media("an Office document"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",)),
)
_HEIF_BRANDS = frozenset(b"heic heix heim heis hevc hevx hevm hevs mif1 mif2 msf1 miaf".split())
_AVIF_BRANDS = frozenset(b"avif avis avio".split())
# Movies of QuickTime before there was `ftyp`, and those cut out of a stream.
_MOVIE_BOXES = frozenset(b"moov mdat wide free skip pnot styp".split())
# What an Ogg file's streams begin with when they are of pictures.
_OGG_PICTURES = (b"\x80theora", b"BBCD", b"\x01video", b"OVP80", b"\x01AV1")
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_PPM = re.compile(rb"P[1-7]\s")
# Kinds that may be nothing but text as far as is read. Any other signature in a text is chance.
_OF_TEXT = (
    (b"%PDF-", PDF),
    (b"%!PS", POSTSCRIPT),
    (b"#?RADIANCE", HDR),
    (b"#?RGBE", HDR),
    (b"SIMPLE  =", FITS),
    (b"#EXTM3U", PLAYLIST),
)
_WEB = re.compile(rb"<!doctype html|<html[\s>]", re.IGNORECASE)
_SVG_TAG = re.compile(rb"<(?:\w+:)?svg[\s>]", re.IGNORECASE)


def recognised(head: bytes) -> FileKind | None:
    """Return a file's kind by its first bytes; None where they do not show it.

    Args:
        head: HEAD_BYTES of it, less where the file is shorter.
    """
    text = _text(head)
    if text is not None:
        return _text_kind(text)
    for kind, signatures in _SIGNATURES:
        if any(_begins(head, signature) for signature in signatures):
            return kind
    if head[4:8] == b"ftyp":
        return _by_brands(head)
    if head[:4] == b"OggS":
        return VIDEO if any(mark in head for mark in _OGG_PICTURES) else SOUND
    if b"NSURLNameKey" in head and head.startswith(b"bplist00"):
        return ICLOUD
    if len(head) >= 16 and not any(head):
        return ZEROS
    return VIDEO if head[4:8] in _MOVIE_BOXES else None


def looks_like_transport_stream(head: bytes) -> bool:
    """Return whether each packet of an MPEG transport stream would begin as it must.

    Packets are of 188 bytes, or have a time before them (192) or a checksum after (204).
    """
    for first, length in ((0, 188), (4, 192), (0, 204)):
        begins = head[first::length]
        if len(begins) >= 3 and begins == b"\x47" * len(begins):
            return True
    return False


def is_in_the_cloud(path: Path, status: os.stat_result | None) -> bool:
    """Return whether a file's content has not been fetched from OneDrive, iCloud or the like.

    Args:
        status: of the file; None for a link that leads nowhere.
    """
    if status is None:
        # what other systems make of OneDrive's files on a Windows disk
        return os.readlink(path).startswith("unsupported reparse tag 0x9000")
    offline = 0x1000 | 0x40000 | 0x400000  # FILE_ATTRIBUTE_OFFLINE, _RECALL_ON_OPEN, _DATA_ACCESS
    dataless = 0x40000000  # SF_DATALESS
    return bool(
        getattr(status, "st_file_attributes", 0) & offline
        or getattr(status, "st_flags", 0) & dataless
    )


def _why_no_jpeg(path: Path) -> str:
    """Return which process a JPEG uses, where that is why it can't be read."""
    with path.open("rb") as stream:
        frame = jpeg_frame(stream.read(_JPEG_HEAD_BYTES))
    if frame is None or frame.is_common:
        return f"{JPEG.refusal}: it is damaged"
    return _unread(frame.name, "save it as a common JPEG or as PNG").refusal


def _begins(head: bytes, signature: bytes | Iterable[tuple[int, bytes]]) -> bool:
    if isinstance(signature, bytes):
        return head.startswith(signature)
    return all(head.startswith(mark, offset) for offset, mark in signature)


def _by_brands(head: bytes) -> FileKind:
    """Return what an ISO base media file holds by the brands it names, the first of them first."""
    size = min(int.from_bytes(head[:4], "big"), 256)
    brands = {head[at : at + 4] for at in (8, *range(16, size - 3, 4))}
    if head[8:12] == b"jxl ":
        return JXL
    if brands & _AVIF_BRANDS:
        return AVIF
    if brands & _HEIF_BRANDS:
        return HEIF
    return IMAGE if head[8:12] == b"crx " else VIDEO  # crx is Canon's raw format


def _text(head: bytes) -> bytes | None:
    """Return what a text begins with, in one byte a letter; None for what is no text.

    A text is nothing but letters, signs and white space. Bitmaps written as such are none.
    """
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            head = head[: len(head) & ~1].decode("utf-16").encode()
        except UnicodeDecodeError:
            return None
    return head if head and not _NO_TEXT.search(head) and not _PPM.match(head) else None


def _text_kind(text: bytes) -> FileKind:
    for mark, kind in _OF_TEXT:
        if text.startswith(mark):
            return kind
    if _WEB.search(text):
        return WEB_PAGE
    if _SVG_TAG.search(text):
        return SVG
    return TEXT
