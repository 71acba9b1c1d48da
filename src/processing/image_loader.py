"""A file -> one RGB image, upright, in sRGB; decoded in a process apart."""

from __future__ import annotations

import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from src.errors import MediaReadError
from src.processing import file_kinds
from src.processing.decoder_process import DECODERS
from src.records import Frame, MediaKind

IMAGE_SUFFIXES = frozenset(
    ".jpg .jpeg .jpe .jfif .mpo .png .apng .webp .bmp .dib .tif .tiff .gif .jp2 .j2k .j2c .jpc"
    " .jpx .jpf .avif .avifs .heic .heif .heics .heifs .hif .jxl .ppm .pgm .pbm .pnm .pfm .tga"
    " .icb .vda .vst .ico .icns .pcx .sgi .rgb .rgba .bw .qoi .dds .psd"
    # cameras' raw files
    " .dng .nef .nrw .cr2 .cr3 .crw .arw .sr2 .srf .raf .orf .rw2 .rwl .pef .srw .x3f .mrw .3fr"
    " .fff .iiq .erf .mef .mos .kdc .dcr .gpr".split()
)
VIDEO_SUFFIXES = frozenset(
    ".mp4 .m4v .f4v .mov .qt .mqv .3gp .3gpp .3g2 .3gp2 .mj2 .ismv .psp .insv .avi .divx .amv"
    " .mkv .mk3d .webm .mpg .mpeg .mpe .m1v .m2v .mpv .vob .dvd .mod .tod .ts .mts .m2ts .m2t"
    " .tp .trp .wmv .asf .wtv .flv .ogv .ogm .rm .rmvb .mxf .gxf .dv .dav .nut .ivf .y4m .mjpeg"
    " .mjpg .h264 .264 .hevc .h265 .265 .vvc .h266 .266 .obu .vc1".split()
)


@dataclass(frozen=True)
class LoadedImage:
    """An image as a frame.

    Attributes:
        captured_at: when the camera says it was taken (ISO 8601, local time).
        note: what there is to know of the file, such as that it has more pages.
        camera: its make and model.
    """

    frame: Frame
    captured_at: str | None
    note: str | None = None
    camera: tuple[str | None, str | None] = (None, None)


def check_readable(path: Path) -> None:
    """Check that a path is a file of some length that can be opened.

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
        reason = "there is no such file"
        if path.is_symlink():
            in_cloud = file_kinds.is_in_the_cloud(path, None)
            reason = file_kinds.IN_THE_CLOUD if in_cloud else "the link leads to no file"
        raise MediaReadError(path, reason) from exc
    except PermissionError as exc:
        raise MediaReadError(path, "you don't have permission to read it") from exc
    except OSError as exc:
        raise MediaReadError(path, f"can't be read ({exc.strerror or exc})") from exc


def media_kind(path: Path) -> MediaKind:
    """Return whether a file is an image or a video by what is in it, whatever its name.

    Raises:
        MediaReadError: it is neither, or of a kind that can't be read; the reason says which.
    """
    return look_into(path)[0]


def look_into(path: Path) -> tuple[MediaKind, int]:
    """Return the same, and how many pixels an image has, as far as its header says so at once.

    Raises: as of media_kind.
    """
    check_readable(path)
    head = _head(path)
    kind = file_kinds.recognised(head)
    if kind is not None and kind.media is None:
        raise MediaReadError(path, kind.refusal)
    if kind is file_kinds.VIDEO:
        return "video", 0
    suffix = path.suffix.lower()
    is_stream = kind is None and file_kinds.looks_like_transport_stream(head)
    # images without a signature may have the marks of a stream by chance: their name says it
    if is_stream and suffix not in IMAGE_SUFFIXES:
        return "video", 0
    answer, _ = DECODERS.ask(path, {"verb": "is_image"})
    if answer.get("is_image"):
        return "image", int(answer["of_pixels"])
    if is_stream or (kind is None and suffix in VIDEO_SUFFIXES):
        return "video", 0
    raise MediaReadError(path, _why_unread(path, head, answer))


def load_image(
    path: Path,
    pixel_limit: int,
    draft_side: int | None = None,
    page: int | None = None,
    is_new: bool = False,
) -> LoadedImage:
    """Read an image: its first frame, EXIF orientation applied, colours brought to sRGB.

    Args:
        pixel_limit: images of more pixels are refused before they are decoded.
        draft_side: a JPEG may be decoded smaller, in less time, down to this longest side.
        is_new: look for damage that decoders pass over, in a JPEG that is decoded smaller, too;
            nothing but a JPEG is then, and its frame has the size of the whole image.
        page: of a TIFF one of `other_pages`; None reads the one that is the picture.

    Raises:
        MediaReadError: it can't be read, or is too large.
    """
    check_readable(path)
    limits = {"pixel_limit": pixel_limit, "draft_side": draft_side, "is_new": is_new}
    request = {"verb": "decode", "page": page, **limits}
    answer, pixels = DECODERS.ask(path, request)
    if pixels is None:
        raise MediaReadError(path, _why_unread(path, _head(path), answer))
    make, model = answer["camera"]
    full_wh = tuple(answer["full_wh"]) if is_new and answer["full_wh"] is not None else None
    return LoadedImage(
        Frame(pixels, full_wh=full_wh), answer["captured_at"], answer["note"], (make, model)
    )


def other_pages(path: Path) -> list[int]:
    """List the pages that a TIFF has beside its picture, without previews and masks.

    Returns:
        Indexes for `load_image`, in the file's order; none for other files.

    Raises:
        MediaReadError: the file is damaged.
    """
    answer, _ = DECODERS.ask(path, {"verb": "pages"})
    if "pages" not in answer:
        raise MediaReadError(path, str(answer["reason"]))
    pages: list[int] = answer["pages"]
    return pages


def load_image_content(
    content: bytes, pixel_limit: int, draft_side: int | None = None
) -> LoadedImage:
    """Read an image from a file's bytes; see load_image.

    Raises:
        MediaReadError: it can't be read, or is too large, or the disk has no space for a copy.
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


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(file_kinds.HEAD_BYTES)
    except OSError as exc:
        if file_kinds.is_in_the_cloud(path, path.stat()):
            raise MediaReadError(path, file_kinds.IN_THE_CLOUD) from exc
        raise MediaReadError(path, f"can't be read ({exc.strerror or exc})") from exc


def _why_unread(path: Path, head: bytes, answer: dict[str, Any]) -> str:
    """Return why a file is not the image that it seemed to be, by what the decoder answered."""
    if reason := answer.get("reason"):
        return str(reason)
    kind = file_kinds.recognised(head)
    if kind is None:
        return "unsupported or unreadable file"
    return kind.why_unread(path, answer.get("missing", ()))
