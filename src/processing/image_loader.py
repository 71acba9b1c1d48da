"""A file -> one RGB image, upright, in sRGB; decoded in a process apart."""

from __future__ import annotations

import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from src.errors import MediaReadError
from src.processing.decoder_process import DECODERS
from src.records import Frame, MediaKind

IMAGE_SUFFIXES = frozenset(
    ".jpg .jpeg .jpe .jfif .mpo .png .apng .webp .bmp .dib .tif .tiff .gif .jp2 .j2k .jpx .jpf"
    " .avif .heic .heif .ppm .pgm .pbm .pnm .tga .ico .icns .pcx .sgi .qoi .dds .psd".split()
)
VIDEO_SUFFIXES = frozenset(
    ".mp4 .m4v .avi .mov .qt .mkv .webm .mpg .mpeg .ts .mts .m2ts .wmv .flv .3gp .ogv".split()
)
# (offset, bytes) at the start of containers that hold video.
VIDEO_SIGNATURES = (
    (4, b"ftyp"),  # MP4, MOV, 3GP
    (4, b"moov"),
    (4, b"mdat"),
    (4, b"wide"),
    (8, b"AVI "),
    (0, b"\x1a\x45\xdf\xa3"),  # Matroska, WebM
    (0, b"\x00\x00\x01\xba"),  # MPEG program stream
    (0, b"\x00\x00\x01\xb3"),
    (0, b"FLV"),
    (0, b"\x30\x26\xb2\x75"),  # ASF, WMV
    (0, b"OggS"),
)


@dataclass(frozen=True)
class LoadedImage:
    """An image as a frame, and when the camera says it was taken (ISO 8601, local time)."""

    frame: Frame
    captured_at: str | None


def check_readable(path: Path) -> None:
    """See that a path is a file of some length that can be opened.

    Raises:
        MediaReadError: it is not.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise MediaReadError(path, "not a file")
        if status.st_size == 0:
            raise MediaReadError(path, "the file is empty")
        with path.open("rb"):
            pass
    except FileNotFoundError as exc:
        reason = "the link leads to no file" if path.is_symlink() else "there is no such file"
        raise MediaReadError(path, reason) from exc
    except PermissionError as exc:
        raise MediaReadError(path, "you don't have permission to read it") from exc
    except OSError as exc:
        raise MediaReadError(path, f"can't be read ({exc.strerror or exc})") from exc


def media_kind(path: Path) -> MediaKind:
    """Tell an image from a video by what is in the file, whatever its name.

    Raises:
        MediaReadError: it is neither.
    """
    check_readable(path)
    try:
        with path.open("rb") as stream:
            head = stream.read(512)
    except OSError as exc:
        raise MediaReadError(path, f"can't be read ({exc.strerror or exc})") from exc
    still = head[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis", b"hevc")
    if not still and any(head[at : at + len(word)] == word for at, word in VIDEO_SIGNATURES):
        return "video"
    # MPEG transport streams have a sync byte at the start of every packet, of either length.
    if len(head) > 400 and (
        head[0] == head[188] == head[376] == 0x47 or head[4] == head[196] == head[388] == 0x47
    ):
        return "video"
    answer, _ = DECODERS.ask(path, {"verb": "is_image"})
    if answer.get("is_image"):
        return "image"
    if path.suffix.lower() in VIDEO_SUFFIXES:
        return "video"
    raise MediaReadError(path, answer.get("reason") or _not_an_image(path, head))


def load_image(path: Path, pixel_limit: int, draft_side: int | None = None) -> LoadedImage:
    """Read an image: its first frame, EXIF orientation applied, colours brought to sRGB.

    Args:
        pixel_limit: images of more pixels are refused before they are decoded.
        draft_side: a JPEG may be decoded smaller, in less time, down to this longest side.

    Raises:
        MediaReadError: it can't be read, or is too large.
    """
    check_readable(path)
    request = {"verb": "decode", "pixel_limit": pixel_limit, "draft_side": draft_side}
    answer, pixels = DECODERS.ask(path, request)
    if pixels is None:
        raise MediaReadError(path, answer.get("reason") or _not_an_image(path, b""))
    return LoadedImage(Frame(pixels), answer["captured_at"])


def load_image_content(
    content: bytes, pixel_limit: int, draft_side: int | None = None
) -> LoadedImage:
    """Read an image from a file's bytes; see load_image.

    Raises:
        MediaReadError: it can't be read, or is too large, or there is no room to put it down.
    """
    name = "pasted image"
    try:
        with tempfile.TemporaryDirectory(prefix="pasted-") as folder:
            path = Path(folder) / name
            path.write_bytes(content)
            return load_image(path, pixel_limit, draft_side)
    except MediaReadError as exc:
        raise MediaReadError(name, exc.reason) from exc
    except OSError as exc:
        raise MediaReadError(name, f"can't be written to the disk ({exc.strerror or exc})") from exc


def save_jpeg(image_rgb: np.ndarray, quality: int = 92) -> bytes:
    """Encode (H, W, 3) uint8 RGB as a JPEG file's bytes."""
    bgr = cv2.cvtColor(image_rgb, cv2.COLOR_RGB2BGR)
    done, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"an image of shape {image_rgb.shape} can't be a JPEG")
    content: bytes = encoded.tobytes()
    return content


def _not_an_image(path: Path, head: bytes) -> str:
    if path.suffix.lower() in (".heic", ".heif") or head[8:12] in (b"heic", b"heix"):
        return "HEIC needs one more package: pip install pillow-heif"
    return "unsupported or unreadable file"
