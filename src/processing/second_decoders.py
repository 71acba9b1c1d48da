"""Images that Pillow opens and reads wrongly, or in too few bits: what reads them instead.

| what | Pillow | here |
| --- | --- | --- |
| PNG, AVIF, HEIC in PQ, HLG or a wide gamut | as if it were sRGB | tone_mapping |
| 16-bit RGB PNG with a transparent colour | never finds it in eight bits | imagecodecs |
| 16-bit RGB PNG of which 14 bits or fewer are used | nearly black | imagecodecs |
| 16-bit PNG of grey with alpha | as colours, which a grey profile is not for | imagecodecs |
| JPEG 2000 of more than eight bits | white is black | imagecodecs |
| JPEG 2000 with a profile | the profile is not passed on | colour_tags |
| greys of 16 bits and floats | the whole of the type counts | grey_range |
| greys of Photoshop's bitmaps | white is black | psd_reading |
| Photoshop's files of more than eight bits | not at all | psd_reading |
| TIFF of more than eight bits, in planes, of signed numbers | wrong or not | tiff_reading |
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from src.processing import psd_reading
from src.processing.colour_tags import (
    Cicp,
    heif_header,
    jpeg2000_header,
    png_header,
    pnm_header,
    profile_cicp,
)
from src.processing.grey_range import Declared, range_of
from src.processing.samples import Box, Samples
from src.processing.tone_mapping import HLG, PQ, needs_mapping

# An image of 16 bits that is as dark as this in eight uses 14 bits or fewer.
DARK = 63
_BLOCK_ROWS = 256
# Programs that know no alpha leave its byte at 0 in these, whatever the header says.
_OFTEN_EMPTY_ALPHA = frozenset(("TGA", "BMP", "DIB", "ICO", "DDS"))


def before_loading(image: Image.Image, path: Path) -> Samples | None:
    """Decode an image in Pillow's place, or return None where Pillow may do it.

    Args:
        image: opened, its size within the limit, and not decoded.
    """
    if image.format == "PNG":
        header = png_header(path)
        cicp = _mapped(header.cicp, image)
        if header.depth == 16 and (cicp is not None or "transparency" in image.info):
            declared = Declared(bits=header.significant_bits, full_scale=cicp is not None)
            return _whole(_png(path), image, cicp, declared)
        if header.depth == 16 and header.grey_with_alpha:
            return _whole(_png(path), image, None, Declared(bits=header.significant_bits))
    elif image.format == "JPEG2000":
        jpeg2000 = jpeg2000_header(path)
        depth = jpeg2000.depth
        if depth > 8:  # the decoder converts by the profile itself
            declared = Declared(bits=depth if depth < 16 else None)
            return _whole(_jpeg2000(path), image, None, declared)
        if jpeg2000.profile:
            image.info["icc_profile"] = jpeg2000.profile
    elif image.format in ("AVIF", "HEIF"):
        header_of_heif = heif_header(path)
        cicp = _mapped(header_of_heif.cicp, image)
        if cicp is not None and header_of_heif.depth > 8:
            depth = header_of_heif.depth if image.format == "AVIF" else 16
            read = _avif if image.format == "AVIF" else _heic
            declared = Declared(bits=depth, white=2.0**depth - 1, full_scale=True)
            return _whole(read(path), image, cicp, declared)
    return None


def after_loading(image: Image.Image, path: Path) -> Samples | None:
    """Convert an image that Pillow has decoded, where Pillow would do it wrongly; else None."""
    if image.format in _OFTEN_EMPTY_ALPHA:
        _fill_empty_alpha(image)
    if image.format == "PSD" and image.mode == "RGBA":
        psd = psd_reading.read_header(path)
        if psd is not None and not psd.alpha:
            image.putalpha(255)  # a selection that was kept
    if image.mode.startswith(("I", "F")):
        return _greys(image, path)
    cicp, depth = None, 8
    if image.format == "PNG":
        header = png_header(path)
        cicp, depth = header.cicp, header.depth
        if depth in (2, 4) and image.mode == "L" and "transparency" in image.info:
            image.info["transparency"] *= 255 // (2**depth - 1)  # as the greys have been
    elif image.format in ("AVIF", "HEIF"):
        cicp = heif_header(path).cicp
    elif image.format == "PPM" and image.mode == "RGB":
        pnm = pnm_header(path)
        depth = 16 if pnm is not None and pnm.white == 65535 and not pnm.plain else 8
    cicp = _mapped(cicp, image)
    if cicp is not None:
        mode = "RGBA" if image.has_transparency_data else "RGB"
        return Samples(
            image.size,
            lambda box: np.asarray(image.crop(box).convert(mode)),
            "RGB",
            black=0,
            white=255,
            alpha=255 if mode == "RGBA" else None,
            cicp=cicp,
        )
    if depth == 16 and image.mode in ("RGB", "RGBA") and not image.info.get("icc_profile"):
        extrema = image.getextrema()[:3]
        if 0 < max(most for _, most in extrema) <= DARK:  # type: ignore[misc]
            stored = _png(path) if image.format == "PNG" else _pnm(path, image.size)
            return _whole(stored, image, None, Declared())
    return None


def _fill_empty_alpha(image: Image.Image) -> None:
    """Make an image opaque whose alpha is 0 everywhere."""
    if image.mode in ("LA", "RGBA") and image.getchannel("A").getextrema() == (0, 0):
        image.putalpha(255)
    elif image.mode == "P" and image.has_transparency_data:
        palette = image.getpalette("RGBA")
        if palette is not None and not any(palette[3::4]):
            image.putpalette(image.getpalette("RGB") or b"")


def _mapped(cicp: Cicp | None, image: Image.Image) -> Cicp | None:
    """Return the numbers by which the pixels have to be brought to sRGB, if they have to.

    High dynamic range goes before a profile, which can only express it by the same numbers; of
    other colours the profile says more.
    """
    profile = image.info.get("icc_profile")
    cicp = cicp or profile_cicp(profile)
    if cicp is None or not needs_mapping(cicp.transfer, cicp.primaries):
        return None
    return cicp if cicp.transfer in (PQ, HLG) or not profile else None


def _whole(
    stored: np.ndarray, image: Image.Image, cicp: Cicp | None, declared: Declared
) -> Samples:
    """Show pixels (H, W) or (H, W, 1 to 4) that are in memory."""
    stored = stored.reshape(*stored.shape[:2], -1)
    profile = image.info.get("icc_profile")
    if profile:
        declared = replace(declared, full_scale=True)
    width, height = stored.shape[1], stored.shape[0]
    count = 3 if stored.shape[2] >= 3 else 1
    rows = (stored[top : top + _BLOCK_ROWS, :, :count] for top in range(0, height, _BLOCK_ROWS))
    black, white = range_of(rows, width * height * count, declared, colour=count == 3)
    most = float(np.iinfo(stored.dtype).max)
    if stored.shape[2] > count and stored[..., count].max() <= white:
        most = white
    return Samples(
        (width, height),
        lambda box: stored[box[1] : box[3], box[0] : box[2]],
        "RGB" if count == 3 else "L",
        black,
        white,
        alpha=most if stored.shape[2] > count else None,
        profile=profile,
        cicp=cicp,
    )


def _greys(image: Image.Image, path: Path) -> Samples:
    """Show greys of more than eight bits that Pillow has decoded."""
    width, height = image.size

    def read(box: Box) -> np.ndarray:
        return np.asarray(image.crop(box))[..., None]

    profile = image.info.get("icc_profile")
    bits = png_header(path).significant_bits if image.format == "PNG" else None
    pnm = pnm_header(path) if image.format == "PPM" else None
    said = pnm is not None and pnm.white != 65535  # Pillow has brought it to that
    declared = Declared(bits=bits, full_scale=profile is not None or said)
    tops = range(0, height, _BLOCK_ROWS)
    blocks = (read((0, top, width, min(height, top + _BLOCK_ROWS))) for top in tops)
    black, white = range_of(blocks, width * height, declared, colour=False)
    clear = image.info.get("transparency")
    return Samples(
        image.size,
        read,
        "L",
        black,
        white,
        clear=(clear,) if isinstance(clear, int) else None,
        profile=profile,
    )


def _png(path: Path) -> np.ndarray:
    import imagecodecs

    found: np.ndarray = imagecodecs.png_decode(path.read_bytes())
    return found


def _pnm(path: Path, size_wh: tuple[int, int]) -> np.ndarray:
    width, height = size_wh
    header = pnm_header(path)
    with path.open("rb") as stream:
        stream.seek(header.offset if header else 0)
        found = np.frombuffer(stream.read(6 * width * height), ">u2")
    return found.reshape(height, width, 3)


def _jpeg2000(path: Path) -> np.ndarray:
    import imagecodecs

    found: np.ndarray = imagecodecs.jpeg2k_decode(path.read_bytes())
    return found


def _avif(path: Path) -> np.ndarray:
    import imagecodecs

    found: np.ndarray = imagecodecs.avif_decode(path.read_bytes(), index=0)
    return found


def _heic(path: Path) -> np.ndarray:
    import pillow_heif

    file = pillow_heif.open_heif(path, convert_hdr_to_8bit=False)
    return np.asarray(file[file.primary_index])
