"""Pixels of any mode -> sRGB, over white where there is transparency."""

from __future__ import annotations

import io

from PIL import Image, ImageCms

from src.processing.grey_range import stretched


def to_srgb(image: Image.Image, range_of_greys: tuple[float, float]) -> Image.Image:
    """Bring any mode to RGB, over white where there is transparency."""
    if image.mode.startswith(("I", "F")):
        image = stretched(image, *range_of_greys)
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
