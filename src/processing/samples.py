"""Pixels as a second decoder gives them, and how they are shown.

Pillow holds eight bits a channel, and sixteen of grey only. What has more is kept here as it is
in the file, and brought to sRGB a part at a time, as Pillow's images are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms

from src.processing.colour_management import to_srgb
from src.processing.colour_tags import Cicp
from src.processing.grey_range import scaled
from src.processing.tone_mapping import to_sdr

Box = tuple[int, int, int, int]
# For a profile sixteen bits of an image are kept, unless it is larger.
SIXTEEN_BIT_PIXELS = 64_000_000
CHANNELS = {"L": 1, "RGB": 3, "YCbCr": 3, "LAB": 3, "CMYK": 4}


@dataclass(frozen=True)
class Samples:
    """An image as it is stored.

    Attributes:
        size: width and height.
        read: a box (left, top, right, bottom) -> (h, w, channels), any dtype that is a number.
        mode: Pillow's name for what the channels are, of CHANNELS; one more is alpha.
        black: the value of black.
        white: the value of white.
        alpha: what alpha is at its most, or None: there is none.
        premultiplied: the colours have been multiplied by alpha.
        clear: the value that is transparent, or None.
        profile: an ICC profile, or None.
        cicp: numbers of the colours, which need mapping to sRGB; they go before the profile.
    """

    size: tuple[int, int]
    read: Callable[[Box], np.ndarray]
    mode: str
    black: float
    white: float
    alpha: float | None = None
    premultiplied: bool = False
    clear: tuple[int, ...] | None = None
    profile: bytes | None = None
    cicp: Cicp | None = None

    def crop(self, box: Box) -> Image.Image:
        """Return a part in sRGB, over white where it is transparent."""
        stored = self.read(box)
        if self._is_shown_as_it_is(stored):
            return Image.fromarray(np.ascontiguousarray(stored))
        count = CHANNELS[self.mode]
        colours = scaled(stored[..., :count], self.black, self.white)
        alpha = None
        if self.alpha is not None:
            alpha = scaled(stored[..., count : count + 1], 0, self.alpha)
            if self.premultiplied:
                colours = np.minimum(colours / np.maximum(alpha, 1e-6), 1)
        elif self.clear is not None:
            same = (stored[..., :count] == np.array(self.clear)).all(axis=-1, keepdims=True)
            alpha = 1 - same.astype(np.float32)
        rgb = self._srgb(colours)
        if alpha is not None and alpha.min() < 1:
            rgb = np.rint(rgb * alpha + 255 * (1 - alpha)).astype(np.uint8)
        return Image.fromarray(rgb)

    def _is_shown_as_it_is(self, stored: np.ndarray) -> bool:
        plain = self.mode == "RGB" and stored.dtype == np.uint8 and stored.shape[2] == 3
        whole = (self.black, self.white) == (0, 255)
        return plain and whole and not (self.clear or self.profile or self.cicp)

    def _srgb(self, colours: np.ndarray) -> np.ndarray:
        """Bring (h, w, channels) float32 to (h, w, 3) uint8."""
        if self.cicp is not None:
            if self.mode == "L":
                colours = np.repeat(colours, 3, axis=-1)
            return to_sdr(colours, self.cicp.transfer, self.cicp.primaries)
        if self.profile is not None and self.mode in ("L", "RGB"):
            converted = _by_profile(colours, self.profile, self.mode)
            if converted is not None:
                return converted
        eight: np.ndarray = np.rint(colours * 255).astype(np.uint8)
        if self.mode == "RGB":
            return eight
        if self.mode == "LAB":
            eight[..., 1:] ^= 128  # as bytes Pillow has a and b signed
        image = Image.frombytes(self.mode, eight.shape[1::-1], eight.tobytes())
        if self.profile is not None:
            image.info["icc_profile"] = self.profile
        return np.asarray(to_srgb(image))


def _by_profile(colours: np.ndarray, profile: bytes, mode: str) -> np.ndarray | None:
    """Convert in 16 bits, where the profile is one for these channels; otherwise None."""
    import imagecodecs

    sixteen = np.rint(colours * 65535).astype(np.uint16)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    try:
        converted: np.ndarray = imagecodecs.cms_transform(
            sixteen[..., 0] if mode == "L" else sixteen,
            profile,
            srgb,
            colorspace="gray" if mode == "L" else "rgb",
            outcolorspace="rgb",
            outdtype="u1",
        )
    except (imagecodecs.CmsError, ValueError):
        return None
    return converted
