"""A file -> one RGB image, upright, in sRGB."""

from __future__ import annotations

import io
import stat
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError

from src.errors import MediaReadError
from src.records import Frame, MediaKind

try:
    from pillow_heif import register_heif_opener

    register_heif_opener()
except ImportError:
    pass  # HEIC then is a format like any other that Pillow can't read

# Pillow's own limit only warns at first; pixel_limit is checked before anything is decoded.
Image.MAX_IMAGE_PIXELS = None

# Photographs and pictures. Not on the list: what starts another program (EPS, PDF, WMF) and
# what is data more than picture (FITS, HDF5, GRIB).
FORMATS = (
    "JPEG MPO PNG WEBP BMP DIB TIFF GIF JPEG2000 AVIF HEIF PPM TGA ICO ICNS PCX SGI QOI DDS PSD"
).split()
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

PILLOW_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
    RuntimeError,
    Image.DecompressionBombError,
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
        reason = "the link leads nowhere" if path.is_symlink() else "there is no such file"
        raise MediaReadError(path, reason) from exc
    except PermissionError as exc:
        raise MediaReadError(path, "you are not allowed to read it; change its rights") from exc
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
    try:
        with _opened(path):
            return "image"
    except UnidentifiedImageError as exc:
        if path.suffix.lower() in VIDEO_SUFFIXES:
            return "video"
        raise MediaReadError(path, _not_an_image(path, head)) from exc
    except PILLOW_ERRORS:
        return "image"  # it is one, and loading it will say what is wrong


def load_image(path: Path, pixel_limit: int, draft_side: int | None = None) -> LoadedImage:
    """Read an image: its first frame, EXIF orientation applied, colours brought to sRGB.

    Args:
        pixel_limit: images of more pixels are refused before they are decoded.
        draft_side: a JPEG may be decoded smaller, in less time, down to this longest side.

    Raises:
        MediaReadError: it can't be read, or is too large.
    """
    check_readable(path)
    try:
        with _opened(path) as image:
            width, height = image.size
            if width * height > pixel_limit:
                raise MediaReadError(
                    path,
                    f"{width}x{height} pixels are more than the limit of {pixel_limit:,}; "
                    "raise pixel_limit in the settings if the file is to be trusted",
                )
            captured_at = _captured_at(image)
            if draft_side is not None:
                image.draft(None, (draft_side, draft_side))
            image.load()
            upright = ImageOps.exif_transpose(image)
            pixels = np.asarray(_to_srgb(upright))
            return LoadedImage(Frame(pixels), captured_at)
    except UnidentifiedImageError as exc:
        raise MediaReadError(path, _not_an_image(path, b"")) from exc
    except PILLOW_ERRORS as exc:
        raise MediaReadError(path, f"damaged or cut short ({_short(exc)})") from exc


def save_jpeg(image_rgb: np.ndarray, quality: int = 92) -> bytes:
    """Encode (H, W, 3) uint8 RGB as a JPEG file's bytes."""
    bgr = cv2.cvtColor(image_rgb, cv2.COLOR_RGB2BGR)
    done, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"an image of shape {image_rgb.shape} can't be a JPEG")
    content: bytes = encoded.tobytes()
    return content


def _opened(path: Path) -> Image.Image:
    return Image.open(path, formats=[name for name in FORMATS if _has(name)])


def _has(name: str) -> bool:
    Image.init()
    return name in Image.OPEN


def _to_srgb(image: Image.Image) -> Image.Image:
    """Bring any mode to RGB, over white where there is transparency."""
    if image.mode.startswith(("I", "F")):
        image = _stretched(image)
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "CMYK", "L", "RGBA"):
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(
                image, source, ImageCms.createProfile("sRGB"), outputMode=mode
            )
            image = converted or image
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a broken profile; the pixels as they are come nearest
    if image.mode == "RGB":
        return image
    if image.has_transparency_data:
        over = image.convert("RGBA")
        white = Image.new("RGBA", over.size, "white")
        return Image.alpha_composite(white, over).convert("RGB")
    return image.convert("RGB")


def _stretched(image: Image.Image) -> Image.Image:
    """Bring 16-bit and floating point greys to 8 bits by their kind's own range."""
    pixels = np.asarray(image).astype(np.float64)
    if image.mode.startswith("F") or pixels.max(initial=0) > 65535 or pixels.min(initial=0) < 0:
        finite = pixels[np.isfinite(pixels)]
        low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    else:
        low, high = 0.0, 65535.0 if pixels.max(initial=0) > 255 else 255.0
    scaled = np.nan_to_num((pixels - low) / max(high - low, 1e-9) * 255)
    return Image.fromarray(scaled.clip(0, 255).astype(np.uint8))


def _captured_at(image: Image.Image) -> str | None:
    try:
        exif = image.getexif()
        text = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal)
        text = text or exif.get(ExifTags.Base.DateTime)
        date, time = str(text).split(" ")[:2] if text else ("", "")
        return f"{date.replace(':', '-')}T{time}" if date and time else None
    except PILLOW_ERRORS:
        return None  # the picture matters, a broken note about it does not


def _not_an_image(path: Path, head: bytes) -> str:
    if path.suffix.lower() in (".heic", ".heif") or head[8:12] in (b"heic", b"heix"):
        return "HEIC needs one more package: pip install pillow-heif"
    return "not a photo or a video that can be read here"


def _short(exc: BaseException) -> str:
    return " ".join(str(exc).split())[:120] or type(exc).__name__
