"""Masks fitted to their picture: outlines on its edges, insides of its colours.

What a small SAM gives is coarse. Most of what is wrong lies within a pixel of the outline or is
a piece of the same colour that was missed; both are there to be seen in the picture.
"""

from __future__ import annotations

import cv2
import numpy as np

# What follows was chosen by one click on each shape of 60 drawn scenes, none of them of training
# or evaluation; twice or half of most of it changes the mean IoU by less than 0.003.
#
# The guided filter learns from so many pixels to each side how inside and colour go together;
# colours (0 to 1) of a smaller variance have no edge.
REACH, CALM = 4, 3e-4
# Lab colours are counted in so many steps along each axis.
STEPS = 32
# A mask is looked at where it has such a chance, and around that by this share of its side.
CHANCE, AROUND = 0.2, 0.25
LIKELY = np.log(CHANCE / (1 - CHANCE))
# How much colour counts; and how far the counts of a small inside are held against those of a
# large outside as if both were of one size, 0 to 1. Not at all says "outside" of every colour that
# both have, wholly says "inside" of too many.
TRUST, BALANCE = 2.0, 0.4
# Colours are counted so often, and of the odds so much is made: what is likely shall be sure.
PASSES, SHARPNESS = 2, 4.0
# A piece apart from the largest stays where this was its chance before colours were asked.
BELIEF = 0.8
# Nothing is surer than that, or colours could change nothing.
DOUBT = 0.003
# OpenCV adds up channels by a product with this.
_ONES = np.ones((1, 3), np.float32)
# Their counts lie in a cube with a border around, along each axis so far apart.
CUBE = STEPS + 2
ALONG = 1, CUBE, CUBE**2
WITHIN = np.pad(np.ones(3 * [STEPS], bool), 1).ravel()


class MaskEdges:
    """Fits masks to one picture."""

    def __init__(self, image_rgb: np.ndarray) -> None:
        """Look at a picture.

        Args:
            image_rgb: (H, W, 3) uint8.
        """
        self.size_wh = image_rgb.shape[1], image_rgb.shape[0]
        self._picture = image_rgb.astype(np.float32) / 255
        self._mean = _around(self._picture)
        self._precision = _precision(self._picture, self._mean)
        lab = cv2.cvtColor(image_rgb, cv2.COLOR_RGB2LAB).astype(np.intp)
        light, chroma = lab[..., 0] // 8, (lab[..., 1:] // 4 - 16).clip(0, STEPS - 1)
        # the kind of number that numpy counts and looks up by, or each use would make it
        self._colours = np.dot(np.dstack([light, chroma]) + 1, ALONG[::-1])

    def fit(self, logits: np.ndarray) -> np.ndarray:
        """Fit one mask.

        A guided filter (He et al. 2013) leads it to the edges near it. Then colours are counted
        inside and around, and what has a colour that is rather inside becomes so (as in GrabCut,
        Rother et al. 2004, without cuts). Pieces that SAM hardly believed in are another thing of
        the same colour, and go.

        Args:
            logits: (H, W) float32.

        Returns:
            (H, W) float32; above 0 is inside. The logits themselves where nothing would be.
        """
        window = window_of(logits)
        if window is None:
            return logits
        first = share = self._guided(_sigmoid(logits[window]), window)
        sure = np.log(first / (1 - first))
        colours = self._colours[window].ravel()
        everywhere = _counted(colours)
        for _ in range(PASSES):
            odds = sure + _odds(colours, share, everywhere)
            share = _sigmoid(SHARPNESS * odds)
        share = self._guided(share, window)
        inside = share > 0.5
        if not inside.any():
            return logits
        if (gone := _unlikely(inside, first)) is not None:
            share[gone] = 1 - share[gone]
        fitted = np.full(logits.shape, -0.5, np.float32)
        fitted[window] = share - 0.5
        return fitted

    def _guided(self, share: np.ndarray, window: tuple[slice, slice]) -> np.ndarray:
        """Every place's share (h, w) by linear models of the colours around it."""
        picture, mean, precision = self._picture[window], self._mean[window], self._precision
        share_mean = _around(share)
        covariance = cv2.subtract(
            _around(cv2.multiply(picture, _thrice(share))), cv2.multiply(mean, _thrice(share_mean))
        )
        slopes = cv2.merge([_dot(row[window], covariance) for row in precision])
        offset = _around(share_mean - _dot(slopes, mean))
        found = _dot(_around(slopes), picture) + offset
        return np.asarray(found.clip(DOUBT, 1 - DOUBT))


def window_of(logits: np.ndarray) -> tuple[slice, slice] | None:
    """Return what is looked at of a mask: its box and a margin; None where there is no mask."""
    likely = logits > LIKELY
    x, y, width, height = cv2.boundingRect(likely.view(np.uint8))
    if width == 0:
        return None
    margin = max(REACH, round(AROUND * max(width, height)))
    rows = slice(max(0, y - margin), y + height + margin)
    return rows, slice(max(0, x - margin), x + width + margin)


def _around(picture: np.ndarray) -> np.ndarray:
    """Means over what is within REACH of each place: (h, w[, N]) float32, and so is what comes."""
    side = 2 * REACH + 1
    return np.asarray(cv2.blur(picture, (side, side)))


def _dot(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Products of (h, w, 3), summed over the last axis: (h, w). OpenCV is faster than einsum."""
    product = cv2.multiply(left, right)
    return np.asarray(cv2.transform(product, _ONES))


def _thrice(plane: np.ndarray) -> np.ndarray:
    """The same plane (h, w) three times: (h, w, 3). Numpy's broadcasting is slower over so few."""
    return np.asarray(cv2.merge([plane, plane, plane]))


def _precision(picture: np.ndarray, mean: np.ndarray) -> list[np.ndarray]:
    """Return the rows of the inverse covariance of the colours around each place.

    They are three, each (H, W, 3) float32.
    """
    rows = []
    for i in range(3):
        row = _around(picture * picture[..., i : i + 1]) - mean * mean[..., i : i + 1]
        row[..., i] += CALM
        rows.append(row)
    first, second, third = rows
    adjugate = [_cross(a, b) for a, b in ((second, third), (third, first), (first, second))]
    determinant = _dot(first, adjugate[0])[..., None]
    return [row / determinant for row in adjugate]


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The cross products of (H, W, 3) vectors."""
    product = np.empty_like(a)
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        product[..., i] = a[..., j] * b[..., k] - a[..., k] * b[..., j]
    return product


def _odds(colours: np.ndarray, share: np.ndarray, everywhere: np.ndarray) -> np.ndarray:
    """Log odds of being inside by nothing but colour: (h, w) float32.

    They count as far as the colours inside and outside are apart.

    Args:
        colours: of share's places, (h * w,) intp.
        everywhere: what _counted says of them without weights.
    """
    inside = _counted(colours, share.ravel())
    outside = everywhere - inside
    areas = max(1.0, inside.sum()), max(1.0, outside.sum())
    apart = 1 - np.minimum(inside / areas[0], outside / areas[1]).sum()
    balance = BALANCE * np.log(areas[0] / areas[1])
    ratio = ((inside + 1) / (outside + 1)).astype(np.float32)
    odds = np.float32(TRUST * apart) * (np.log(ratio) - np.float32(balance))
    return np.asarray(odds.take(colours).reshape(share.shape))


def _unlikely(inside: np.ndarray, before: np.ndarray) -> np.ndarray | None:
    """Return the pieces of a mask that were not likely before, but for the one that was most.

    None where that is none.
    """
    count, pieces = cv2.connectedComponents(inside.view(np.uint8))
    if count <= 2:  # what is outside, and one piece
        return None
    numbers = pieces.ravel().astype(np.intp)
    areas = np.bincount(numbers, minlength=count)
    chances: np.ndarray = np.bincount(numbers, before.ravel(), count)
    unlikely = chances < BELIEF * areas
    unlikely[0] = False  # what is outside
    unlikely[1 + chances[1:].argmax()] = False
    return np.asarray(unlikely[pieces]) if unlikely.any() else None


def _counted(colours: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Pixels of every colour, those of its neighbours in part: (CUBE ** 3,) float64.

    Args:
        colours: (N,) intp.
        weights: (N,), how much each counts; None for 1.
    """
    count = np.bincount(colours, weights, CUBE**3).astype(float, copy=False)
    for step in ALONG:  # what goes over the border stays there
        quarter = count / 4
        count /= 2
        count[step:] += quarter[:-step]
        count[:-step] += quarter[step:]
    count *= WITHIN
    return np.asarray(count)


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    share = logits.clip(-30, 30)
    np.exp(np.negative(share, out=share), out=share)
    share += 1
    return np.asarray(np.reciprocal(share, out=share), np.float32)
