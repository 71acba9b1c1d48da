"""Whether one small picture is a copy of another: aligned, then compared part by part."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

# The longest side of the pictures that are compared, in pixels.
SIDE = 96
# A copy that was cropped shows at least this share of each side.
_LEAST_SHARE = 0.8
_STEP = 0.02
# Correlation of the grey pictures below which they are not aligned any better.
_LEAST_CORRELATION = 0.8
# That of pictures that show the same to their edges: no other place is tried.
_FITS = 0.995
# The side of the parts that are compared, in pixels, and what is left out at the edges.
_PART, _EDGE = 9, 3
_BLUR = 1.2
_LOW, _HIGH = slice(0, 3), slice(3, 6)
# Levels of 0 to 255 near the ends, where what was darker or brighter is lost.
_DARK, _BRIGHT = 3, 240
# Of a value, how much may come from such; of a colour, how many values have to be sound.
_MOST_LOST, _LEAST_SEEN = 0.05, 0.03
# Where so much more of one picture is white, the other is given its tones until they are aligned:
# what is lost in white correlates with nothing.
_WASHED_OUT = 0.1
# Of the copy's brightness to the other's, for each colour.
_GAINS = (0.4, 2.5)


@dataclass(frozen=True)
class Match:
    """How well two pictures fit.

    Attributes:
        correlation: of the grey pictures where they fit best, -1 to 1.
        difference: of the part that fits worst, in levels of 0 to 255, after brightness and
            contrast were made the same; 255 where they were not aligned.
    """

    correlation: float
    difference: float


def small_picture(image_rgb: np.ndarray) -> np.ndarray:
    """Shrink a picture to what is compared: (h, w, 3) uint8, the longest side SIDE."""
    height, width = image_rgb.shape[:2]
    scale = SIDE / max(height, width)
    size_wh = max(16, round(width * scale)), max(16, round(height * scale))
    return np.asarray(cv2.resize(image_rgb, size_wh, interpolation=cv2.INTER_AREA))


def match(one_rgb: np.ndarray, other_rgb: np.ndarray, is_mirrored: bool = False) -> Match:
    """Compare two small pictures, of which one may be a part of the other.

    The smaller part is looked for at several sizes (normalised cross-correlation, Lewis 1995), the
    best place is refined to parts of a pixel (ECC, Evangelidis and Psarakis 2008), and what is
    left of the difference is looked at part by part: light and compression change all parts a
    little, another scene or moment changes some of them much.

    Args:
        one_rgb, other_rgb: as small_picture gives them.
        is_mirrored: compare with the mirror image of the second.
    """
    if is_mirrored:
        other_rgb = np.ascontiguousarray(other_rgb[:, ::-1])
    one = _Look(one_rgb, _with_tones_of(one_rgb, other_rgb))
    other = _Look(other_rgb, _with_tones_of(other_rgb, one_rgb))
    best: tuple[float, tuple[int, int, int, int], _Look, _Look] | None = None
    for whole, part in ((one, other), (other, one)):
        correlation, box = _place(_grey(whole.aligned_by), _grey(part.aligned_by))
        if best is None or correlation > best[0]:
            best = correlation, box, whole, part
        if correlation > _FITS:
            break
    assert best is not None
    correlation, box, whole, part = best
    if correlation < _LEAST_CORRELATION:
        return Match(correlation, 255.0)
    return _compared(whole, part, box)


@dataclass(frozen=True)
class _Look:
    """A picture (h, w, 3) uint8, and by what it is aligned: itself, or it with other tones."""

    image_rgb: np.ndarray
    aligned_by: np.ndarray


def _with_tones_of(image_rgb: np.ndarray, other_rgb: np.ndarray) -> np.ndarray:
    """Give a picture the tones of another one that is far more white; else it stays as it is."""
    grey, other = _grey(image_rgb), _grey(other_rgb)
    if (other > _BRIGHT).mean() - (grey > _BRIGHT).mean() < _WASHED_OUT:
        return image_rgb
    shares = np.linspace(0, 1, 65)
    tones = np.interp(np.arange(256), np.quantile(grey, shares), np.quantile(other, shares))
    with_tones: np.ndarray = tones.astype(np.uint8)[image_rgb]
    return with_tones


def _grey(image_rgb: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image_rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)


def _place(whole: np.ndarray, part: np.ndarray) -> tuple[float, tuple[int, int, int, int]]:
    """Find where a part fits best: correlation, and x, y, w, h in the whole."""
    height, width = whole.shape
    # what was cut off each side is known but for one number: the proportions say the rest
    ratio = (part.shape[0] / part.shape[1]) / (height / width)
    best = -1.0, (0, 0, width, height)
    for share in np.arange(1.0, _LEAST_SHARE, -_STEP):
        share_x, share_y = (share, share * ratio) if ratio <= 1 else (share / ratio, share)
        if min(share_x, share_y) < _LEAST_SHARE:
            break
        w, h = min(width, round(width * share_x)), min(height, round(height * share_y))
        shrunk = cv2.resize(part, (w, h), interpolation=cv2.INTER_AREA)
        found = cv2.matchTemplate(whole, shrunk, cv2.TM_CCOEFF_NORMED)
        # a flat picture correlates with nothing
        _, correlation, _, at = cv2.minMaxLoc(np.nan_to_num(found, posinf=0.0, neginf=0.0))
        if best[0] < correlation <= 1.001:
            best = correlation, (at[0], at[1], w, h)
        if correlation > _FITS:
            break
    return best


def _compared(whole: _Look, part_look: _Look, box: tuple[int, int, int, int]) -> Match:
    x, y, w, h = box
    inside = slice(y, y + h), slice(x, x + w)
    scale_x, scale_y = part_look.image_rgb.shape[1] / w, part_look.image_rgb.shape[0] / h
    one, one_lost = _smooth(whole.image_rgb[inside], _BLUR)
    part, part_lost = _smooth(part_look.image_rgb, _BLUR * scale_x)
    aligned_by = (
        one if whole.aligned_by is whole.image_rgb else _smooth(whole.aligned_by[inside], _BLUR)[0],
        part
        if part_look.aligned_by is part_look.image_rgb
        else _smooth(part_look.aligned_by, _BLUR * scale_x)[0],
    )
    # from pixels of `one` to those of `part`, whose corners are the same
    there = np.array([[scale_x, 0, scale_x / 2 - 0.5], [0, scale_y, scale_y / 2 - 0.5]], np.float32)
    grey_one, grey_part = (cv2.cvtColor(image / 255, cv2.COLOR_RGB2GRAY) for image in aligned_by)
    criteria = cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-4
    everywhere = np.full(part.shape[:2], 255, np.uint8)
    try:
        correlation, found = cv2.findTransformECC(
            grey_one, grey_part, there, cv2.MOTION_AFFINE, criteria, everywhere, 1
        )
    except cv2.error:  # it went astray: then they do not fit
        return Match(0.0, 255.0)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(
        np.concatenate((part, part_lost), axis=2),
        np.asarray(found),
        (w, h),
        flags=flags,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return Match(float(correlation), _worst_part(one, one_lost, warped[..., :3], warped[..., 3:]))


def _smooth(image_rgb: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Blur a picture (h, w, 3): float32, and the shares of darkest and brightest values.

    Returns:
        The picture, and (h, w, 6): for each colour how much of a value comes from the darkest
        ones, then how much from the brightest.
    """
    lost = np.concatenate((image_rgb < _DARK, image_rgb > _BRIGHT), axis=2).astype(np.float32)
    blurred = cv2.GaussianBlur(image_rgb.astype(np.float32), (0, 0), sigma)
    halves = [cv2.GaussianBlur(lost[..., half], (0, 0), sigma) for half in (_LOW, _HIGH)]
    return blurred, np.concatenate(halves, axis=2)


def _worst_part(
    one: np.ndarray, one_lost: np.ndarray, other: np.ndarray, other_lost: np.ndarray
) -> float:
    """Return the mean difference of the part of two aligned pictures that differs most.

    What was darker than black or brighter than white is lost in a copy, so such a value of one
    picture stands for any that is at least as extreme in the other.

    Args:
        one, other: (h, w, 3) float32.
        one_lost, other_lost: (h, w, 6) float32; see _smooth.
    """
    lost_one, lost_other = one_lost > _MOST_LOST, other_lost > _MOST_LOST
    difference, compared = np.zeros(one.shape[:2], np.float32), 0
    for channel in range(3):
        low, high = channel, channel + 3
        whole = ~(lost_one[..., [low, high]] | lost_other[..., [low, high]]).any(axis=2)
        if whole.mean() < _LEAST_SEEN:
            continue
        compared += 1
        a, b = other[..., channel], one[..., channel]
        spread, of_one = float(a[whole].std()), float(b[whole].std())
        gain = float(np.clip(of_one / spread, *_GAINS)) if spread > 1 else 1.0
        over = gain * (a - float(a[whole].mean())) + float(b[whole].mean()) - b
        may_be_more = lost_one[..., high] | lost_other[..., low]
        may_be_less = lost_one[..., low] | lost_other[..., high]
        over[may_be_more] = np.minimum(over[may_be_more], 0)
        over[may_be_less] = np.maximum(over[may_be_less], 0)
        # in levels of the darker of the two
        difference = np.maximum(difference, np.abs(over) / max(1.0, gain))
    if not compared:
        return 255.0
    inside = difference[_EDGE:-_EDGE, _EDGE:-_EDGE]
    return float(cv2.blur(inside, (_PART, _PART)).max())
