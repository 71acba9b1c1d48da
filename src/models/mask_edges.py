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
_REACH, _CALM = 4, 3e-4
# Lab colours are counted in so many steps along each axis.
_STEPS = 32
# A mask is looked at where it has such a chance, and around that by this share of its side.
_CHANCE, _AROUND = 0.2, 0.25
# How much colour counts; and how far the counts of a small inside are held against those of a
# large outside as if both were of one size, 0 to 1. Not at all says "outside" of every colour that
# both have, wholly says "inside" of too many.
_TRUST, _BALANCE = 2.0, 0.4
# Colours are counted so often, and of the odds so much is made: what is likely shall be sure.
_PASSES, _SHARPNESS = 2, 4.0
# A piece apart from the largest stays where this was its chance before colours were asked.
_BELIEF = 0.8
# Nothing is surer than that, or colours could change nothing.
_DOUBT = 0.003


class MaskEdges:
    """Fits masks to one picture."""

    def __init__(self, image_rgb: np.ndarray) -> None:
        """Look at a picture.

        Args:
            image_rgb: (H, W, 3) uint8.
        """
        self.size_wh = image_rgb.shape[1], image_rgb.shape[0]
        self._picture = np.ascontiguousarray(image_rgb.transpose(2, 0, 1), np.float32) / 255
        self._mean = _around(self._picture)
        self._precision = _precision(self._picture, self._mean)
        lab = cv2.cvtColor(image_rgb, cv2.COLOR_RGB2LAB).astype(np.int32)
        light, chroma = lab[..., 0] // 8, (lab[..., 1:] // 4 - 16).clip(0, _STEPS - 1)
        self._colours = (light * _STEPS + chroma[..., 0]) * _STEPS + chroma[..., 1]

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
        for _ in range(_PASSES):
            odds = sure + _odds(self._colours[window], share)
            share = _sigmoid(_SHARPNESS * odds)
        share = self._guided(share, window)
        inside = share > 0.5
        if not inside.any():
            return logits
        gone = _unlikely(inside, first)
        share[gone] = 1 - share[gone]
        fitted = np.full(logits.shape, -0.5, np.float32)
        fitted[window] = share - 0.5
        return fitted

    def _guided(self, share: np.ndarray, window: tuple[slice, slice]) -> np.ndarray:
        """Every place's share (h, w) by linear models of the colours around it."""
        picture, mean = self._picture[:, *window], self._mean[:, *window]
        (share_mean,) = _around(share[None])
        covariance = _around(picture * share) - mean * share_mean
        slopes = np.einsum("ijhw,jhw->ihw", self._precision[:, :, *window], covariance)
        offset = share_mean - np.einsum("ihw,ihw->hw", slopes, mean)
        (offset,) = _around(offset[None])
        found = np.einsum("ihw,ihw->hw", _around(slopes), picture) + offset
        return np.asarray(found.clip(_DOUBT, 1 - _DOUBT))


def window_of(logits: np.ndarray) -> tuple[slice, slice] | None:
    """Return what is looked at of a mask: its box and a margin; None where there is no mask."""
    likely = logits > np.log(_CHANCE / (1 - _CHANCE))
    x, y, width, height = cv2.boundingRect(likely.view(np.uint8))
    if width == 0:
        return None
    margin = max(_REACH, round(_AROUND * max(width, height)))
    rows = slice(max(0, y - margin), y + height + margin)
    return rows, slice(max(0, x - margin), x + width + margin)


def _around(planes: np.ndarray) -> np.ndarray:
    """Means over what is within _REACH of each place: (N, h, w) float32, and so is what comes."""
    side = 2 * _REACH + 1
    return np.stack([cv2.blur(plane, (side, side)) for plane in planes])


def _precision(picture: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Return the inverse covariance of the colours around each place: (3, 3, H, W) float32."""
    products = picture[:, None] * picture[None]
    rows = np.stack([_around(row) for row in products]) - mean[:, None] * mean[None]
    rows += _CALM * np.eye(3, dtype=np.float32)[..., None, None]
    first, second, third = rows
    adjugate = np.stack(
        [np.cross(a, b, axis=0) for a, b in ((second, third), (third, first), (first, second))]
    )
    return np.asarray(adjugate / np.einsum("ihw,ihw->hw", first, adjugate[0]))


def _odds(colours: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Log odds of being inside by nothing but colour: (h, w) float32.

    They count as far as the colours inside and outside are apart.
    """
    inside, outside = _counted(colours, share), _counted(colours, 1 - share)
    areas = max(1.0, inside.sum()), max(1.0, outside.sum())
    apart = 1 - np.minimum(inside / areas[0], outside / areas[1]).sum()
    balance = _BALANCE * np.log(areas[0] / areas[1])
    odds = _TRUST * apart * (np.log((inside + 1) / (outside + 1)) - balance)
    return np.asarray(odds.astype(np.float32)[colours])


def _unlikely(inside: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return the pieces of a mask that were not likely before, but for the one that was most."""
    count, pieces = cv2.connectedComponents(inside.view(np.uint8))
    areas = np.bincount(pieces.ravel(), minlength=count)
    chances: np.ndarray = np.bincount(pieces.ravel(), before.ravel(), count)
    unlikely = chances < _BELIEF * areas
    unlikely[0] = False  # what is outside
    unlikely[1 + chances[1:].argmax()] = False
    return np.asarray(unlikely[pieces])


def _counted(colours: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Pixels of every colour, those of its neighbours in part: (_STEPS ** 3,) float64."""
    count: np.ndarray = np.bincount(colours.ravel(), weights.ravel(), _STEPS**3)
    count = count.reshape(3 * [_STEPS])
    for axis in range(3):
        along = np.moveaxis(count, axis, 0)
        spread = along / 2
        spread[1:] += along[:-1] / 4
        spread[:-1] += along[1:] / 4
        count = np.moveaxis(spread, 0, axis)
    return count.ravel()


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-logits.clip(-30, 30))), np.float32)
