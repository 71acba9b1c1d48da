"""Masks fitted to their picture, many at once on any device: what mask_edges.py does one by one.

Each mask is looked at in a window of its own. The windows lie in the corners of planes of one size;
what a plane has beyond its window is computed and never read.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch.nn import functional

from src.models import mask_edges
from src.models.device import to_device
from src.models.device_regions import Pieces
from src.models.mask_shape import boxes_around

Tensor = torch.Tensor

# What a pixel of a window takes on the way: some sixty planes of 32 bits.
BYTES_A_PIXEL = 256


@dataclass(frozen=True)
class _Windows:
    """Where N masks are looked at.

    Attributes:
        top, left, height, width: (N,) int64, in pixels of the picture.
        rows, columns: (N, h) and (N, w) int64, which of the picture's each plane's are.
        inside: (N, h, w) bool, what of a plane is its window.
        padded_rows, padded_columns: (N, h + 2 R) and (N, w + 2 R) int64, which of the plane's are
            R pixels around: beyond its edge a window goes on as in a mirror.
    """

    top: Tensor
    left: Tensor
    height: Tensor
    width: Tensor
    rows: Tensor
    columns: Tensor
    inside: Tensor
    padded_rows: Tensor
    padded_columns: Tensor

    @staticmethod
    def of(boxes: Tensor) -> _Windows:
        """Lay them out, by (N, 4) int64: top, left, height, width."""
        top, left, height, width = boxes.unbind(1)
        most_h, most_w = int(height.max()), int(width.max())
        steps_h = torch.arange(most_h, device=top.device)
        steps_w = torch.arange(most_w, device=top.device)
        in_rows, in_columns = steps_h < height[:, None], steps_w < width[:, None]
        return _Windows(
            top,
            left,
            height,
            width,
            top[:, None] + steps_h.minimum(height[:, None] - 1),
            left[:, None] + steps_w.minimum(width[:, None] - 1),
            in_rows[:, :, None] & in_columns[:, None],
            _mirrored(height, most_h),
            _mirrored(width, most_w),
        )

    def of_picture(self, picture: Tensor) -> Tensor:
        """Cut each window out of the picture (C, H, W): (N, C, h, w)."""
        channels = torch.arange(len(picture), device=picture.device)
        rows, columns = self.rows[:, None, :, None], self.columns[:, None, None]
        return picture[channels[None, :, None, None], rows, columns]

    def of_each(self, planes: Tensor) -> Tensor:
        """Cut each window out of a picture of its own (N, H, W): (N, h, w)."""
        return planes[self._numbers(), self.rows[:, :, None], self.columns[:, None]]

    def around(self, planes: Tensor) -> Tensor:
        """Means over what is within reach of each place: (N, C, h, w), as cv2.blur."""
        channels = torch.arange(planes.shape[1], device=planes.device)[None, :, None, None]
        rows, columns = self.padded_rows[:, None, :, None], self.padded_columns[:, None, None]
        padded = planes[self._numbers()[..., None], channels, rows, columns]
        side = 2 * mask_edges.REACH + 1
        across = functional.avg_pool2d(padded, (1, side), stride=1)
        return functional.avg_pool2d(across, (side, 1), stride=1)

    def put_back(self, planes: Tensor, size_hw: tuple[int, int], beside: float) -> Tensor:
        """Lay each window into a picture that is all alike beside it: (N, H, W)."""
        rows = torch.arange(size_hw[0], device=planes.device) - self.top[:, None]
        columns = torch.arange(size_hw[1], device=planes.device) - self.left[:, None]
        inside = ((rows >= 0) & (rows < self.height[:, None]))[:, :, None] & (
            (columns >= 0) & (columns < self.width[:, None])
        )[:, None]
        rows = rows.clamp(0, planes.shape[1] - 1)[:, :, None]
        columns = columns.clamp(0, planes.shape[2] - 1)[:, None]
        return planes[self._numbers(), rows, columns].where(inside, beside)

    def _numbers(self) -> Tensor:
        return torch.arange(len(self.top), device=self.top.device)[:, None, None]


def _alike(boxes: np.ndarray, size_hw: tuple[int, int]) -> list[np.ndarray]:
    """Divide windows into some of similar size, whose planes are not much larger than they.

    Args:
        boxes: (N, 4), top, left, height, width.
        size_hw: of the picture.

    Returns:
        Their numbers, (M,) int64 each.
    """
    shares = boxes[:, 2] * boxes[:, 3] / (size_hw[0] * size_hw[1])
    # a quarter of the picture and more, a sixteenth and more, and all that is smaller
    levels = np.floor(-np.log2(shares) / 2).clip(0, 2)
    return [np.flatnonzero(levels == level) for level in np.unique(levels)]


def _mirrored(sides: Tensor, most: int) -> Tensor:
    """Return which places of a window are the REACH before, of and behind its plane's side.

    Args:
        sides: (N,) int64, of the windows.
        most: of the planes.

    Returns:
        (N, most + 2 REACH) int64; cv2.BORDER_REFLECT_101.
    """
    places = torch.arange(-mask_edges.REACH, most + mask_edges.REACH, device=sides.device)
    last = (sides[:, None] - 1).clamp(min=0)
    turned = places.remainder((2 * last).clamp(min=1))
    return torch.minimum(turned, 2 * last - turned).clamp(min=0)


class BatchedEdges:
    """Fits masks to one picture, all at once; see MaskEdges."""

    def __init__(self, image_rgb: np.ndarray, device: torch.device) -> None:
        """Look at a picture.

        Args:
            image_rgb: (H, W, 3) uint8.
            device: where the masks are.
        """
        height, width = self.size_hw = image_rgb.shape[0], image_rgb.shape[1]
        self._picture = to_device(image_rgb, device).permute(2, 0, 1).float() / 255
        whole = _Windows.of(torch.tensor([[0, 0, height, width]], device=device))
        self._mean = whole.around(self._picture[None])[0]
        self._precision = _precision(self._picture, self._mean, whole)
        lab = to_device(cv2.cvtColor(image_rgb, cv2.COLOR_RGB2LAB), device).long()
        light = lab[..., 0] // 8
        a, b = (lab[..., 1:] // 4 - 16).clamp(0, mask_edges.STEPS - 1).unbind(-1)
        along_b, along_a, along_light = mask_edges.ALONG
        self._colours = along_light * (light + 1) + along_a * (a + 1) + along_b * (b + 1)
        self._within = to_device(mask_edges.WITHIN.astype(np.float32), device)

    def fit(self, logits: Tensor) -> Tensor:
        """Fit masks.

        Args:
            logits: (N, H, W) float32; of so many that BYTES_A_PIXEL for each pixel are there.

        Returns:
            (N, H, W) float32; above 0 is inside. The logits themselves where nothing would be.
        """
        likely = logits > mask_edges.LIKELY
        boxes = self._windows(likely)
        fitted = torch.empty_like(logits)
        for alike in _alike(boxes.cpu().numpy(), self.size_hw):
            some = torch.from_numpy(alike).to(logits.device)
            fitted[some] = self._fit(logits[some], _Windows.of(boxes[some]))
        return fitted.where(likely.flatten(1).any(1)[:, None, None], logits)

    def _fit(self, logits: Tensor, windows: _Windows) -> Tensor:
        picture = windows.of_picture(self._picture)
        mean, precision = windows.of_picture(self._mean), windows.of_picture(self._precision)

        def guided(share: Tensor) -> Tensor:
            planes = torch.cat([share[:, None], picture * share[:, None]], dim=1)
            share_mean, both_mean = windows.around(planes).split((1, 3), dim=1)
            covariance = both_mean - mean * share_mean
            slopes = (precision.unflatten(1, (3, 3)) * covariance[:, None]).sum(2)
            offset = share_mean - (slopes * mean).sum(1, keepdim=True)
            slopes, offset = windows.around(torch.cat([slopes, offset], dim=1)).split((3, 1), 1)
            found = (slopes * picture).sum(1) + offset[:, 0]
            return torch.as_tensor(found.clamp(mask_edges.DOUBT, 1 - mask_edges.DOUBT))

        first = share = guided(_sigmoid(windows.of_each(logits)))
        sure = torch.logit(first)
        numbers = torch.arange(len(logits), device=logits.device)[:, None, None]
        places = windows.of_picture(self._colours[None])[:, 0] + numbers * mask_edges.CUBE**3
        weights = windows.inside.float()
        everywhere = self._counted(places, weights)
        for _ in range(mask_edges.PASSES):
            table = self._odds(self._counted(places, share * weights), everywhere)
            share = _sigmoid(mask_edges.SHARPNESS * (sure + table.flatten()[places]))
        share = guided(share)
        inside = (share > 0.5) & windows.inside
        _turn_unlikely(share, inside, first)
        fitted = windows.put_back(share - 0.5, self.size_hw, -0.5)
        return fitted.where(inside.flatten(1).any(1)[:, None, None], logits)

    def _windows(self, likely: Tensor) -> Tensor:
        """Return what is looked at of masks: their boxes and a margin, as in window_of.

        Returns:
            (N, 4) int64: top, left, height, width.
        """
        height, width = self.size_hw
        left, top, right, bottom = boxes_around(likely).long().unbind(1)
        longer = torch.maximum(right - left, bottom - top) + 1
        margin = (mask_edges.AROUND * longer).round().long().clamp(min=mask_edges.REACH)
        top, left = (top - margin).clamp(min=0), (left - margin).clamp(min=0)
        bottom = (bottom + 1 + margin).clamp(max=height)
        right = (right + 1 + margin).clamp(max=width)
        return torch.stack([top, left, bottom - top, right - left], dim=1)

    def _counted(self, places: Tensor, weights: Tensor) -> Tensor:
        """Pixels of every colour for each mask, those of its neighbours in part: (N, CUBE ** 3)."""
        colours = mask_edges.CUBE**3
        count = weights.new_zeros(len(places) * colours)
        count.scatter_add_(0, places.flatten(), weights.flatten())
        count = count.view(-1, colours)
        for step in mask_edges.ALONG:
            quarter = count / 4
            count = count / 2
            count[:, step:] += quarter[:, :-step]
            count[:, :-step] += quarter[:, step:]
        return count * self._within

    def _odds(self, inside: Tensor, everywhere: Tensor) -> Tensor:
        """Log odds of being inside by nothing but colour: (N, CUBE ** 3)."""
        outside = everywhere - inside
        areas = inside.sum(1, keepdim=True).clamp(min=1), outside.sum(1, keepdim=True).clamp(min=1)
        common = torch.minimum(inside / areas[0], outside / areas[1]).sum(1, keepdim=True)
        balance = mask_edges.BALANCE * (areas[0] / areas[1]).log()
        ratio = (inside + 1) / (outside + 1)
        return mask_edges.TRUST * (1 - common) * (ratio.log() - balance)


def _precision(picture: Tensor, mean: Tensor, whole: _Windows) -> Tensor:
    """Return the rows of the inverse covariance of the colours around each place: (9, H, W)."""
    calm = mask_edges.CALM * torch.eye(3, device=picture.device)[..., None, None]
    products = (picture[:, None] * picture[None]).flatten(0, 1)
    covariance = whole.around(products[None])[0].unflatten(0, (3, 3))
    covariance = covariance - mean[:, None] * mean[None] + calm
    following = covariance.roll(-1, 0)
    adjugate = torch.linalg.cross(following, following.roll(-1, 0), dim=1)
    determinant = (covariance[0] * adjugate[0]).sum(0)
    return torch.as_tensor((adjugate / determinant).flatten(0, 1))


def _turn_unlikely(share: Tensor, inside: Tensor, before: Tensor) -> None:
    """Turn over pieces that were not likely before, but for each mask's that was most.

    Args:
        share: (N, h, w), changed.
        inside: (N, h, w) bool, the masks.
        before: (N, h, w), the chance of each place.
    """
    pieces = Pieces(inside)
    sums = before.cumsum(2).flatten()
    of_runs = sums[pieces.ends] - sums[pieces.starts] + before.flatten()[pieces.starts]
    chances = pieces.totals(of_runs)
    areas = pieces.totals(pieces.lengths)
    unlikely = (chances < mask_edges.BELIEF * areas) & ~pieces.largest(chances)
    places = pieces.places(unlikely)
    share.view(-1)[places] = 1 - share.view(-1)[places]


def _sigmoid(logits: Tensor) -> Tensor:
    return torch.sigmoid(logits.clamp(-30, 30))
