"""Pillow's image of any mode -> sRGB, over white where there is transparency."""

from __future__ import annotations

import io

from PIL import Image, ImageCms

# What an ICC profile is about -> the mode that it takes.
_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}


def to_srgb(image: Image.Image) -> Image.Image:
    """Bring an image of any mode of eight bits or fewer to RGB.

    A profile that is broken, or is about other colours than the image has, is passed over: the
    pixels as they are come nearest.
    """
    profile = image.info.get("icc_profile")
    colours, alpha = _parted(image)
    converted = _by_profile(colours, profile) if profile else None
    if converted is None:
        converted = _plain(colours)
    if alpha is None:
        return converted
    return Image.composite(converted, Image.new("RGB", image.size, "white"), alpha)


def _parted(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Split an image into its colours, of L, RGB, CMYK, YCbCr, LAB or HSV, and its alpha."""
    clear = image.has_transparency_data
    if image.mode == "1":
        image = image.convert("LA" if clear else "L")
    elif image.mode in ("P", "PA"):
        image = image.convert("RGBA" if clear else "RGB")
    elif image.mode == "RGBX":
        image = image.convert("RGB")
    elif image.mode in ("La", "RGBa"):
        image = image.convert(image.mode.upper())
    elif clear and image.mode in ("L", "RGB"):
        image = image.convert("LA" if image.mode == "L" else "RGBA")
    if image.mode in ("LA", "RGBA"):
        return image.convert(image.mode[:-1]), image.getchannel("A")
    return image, None


def _by_profile(image: Image.Image, profile: bytes) -> Image.Image | None:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _MODES.get(source.profile.xcolor_space.strip())
        if mode == "RGB" and image.mode in ("L", "YCbCr"):
            image = image.convert("RGB")  # a grey picture often has the profile of colours
        if image.mode != mode:
            return None
        return ImageCms.profileToProfile(
            image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


def _plain(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    if image.mode == "LAB":
        lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        converted = ImageCms.profileToProfile(
            image, lab, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
        assert converted is not None
        return converted
    return image.convert("RGB")
