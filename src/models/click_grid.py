"""Where to click: on a whole grid, or from coarse to fine and only where it may find more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import torch
from torch.nn import functional

from src.models.mask_shape import mutual_ious

Quality = Literal["exact", "adaptive"]

# Spacing of the coarsest clicks, in cells of the grid.
COARSE = 4
# Two clicks that bring masks which overlap as much have found the same thing. At 0.8 a few clicks
# less are asked (32 % of the grid for 35) and twice as many masks are missed.
SAME_IOU = 0.9
# Side of the pictures on which masks are compared.
_SIDE = 64


class ClickGrid:
    """The centres of N x N cells of an image, in the order in which they are asked.

    An adaptive grid leaves a finer click out when the smallest mask at its place was found by
    two clicks before, and surely holds that place: one more would bring it again.
    """

    def __init__(self, points_per_side: int, quality: Quality, margin: float) -> None:
        """Lay the clicks out.

        Args:
            points_per_side: N.
            quality: of MaskGenerator.
            margin: logits above it are surely inside. What a large mask covers by mistake is
                often a small thing that waits for its own click.
        """
        self.points_per_side = points_per_side
        self.quality = quality
        self._margin = margin
        # rows and columns of the clicks, as shares of the image
        steps = (np.arange(points_per_side) + 0.5) / points_per_side
        self.xy = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
        places = (self.xy * _SIDE).astype(int)
        self._cells = torch.as_tensor(places[:, 1] * _SIDE + places[:, 0])
        self._masks = torch.zeros(0, _SIDE**2, dtype=torch.bool)
        self._surely = self._masks
        self._clicks = torch.zeros(0, dtype=torch.int64)

    def levels(self) -> Iterator[torch.Tensor]:
        """Yield the numbers of the clicks to ask, level by level; report each result to `found`."""
        places = torch.arange(self.points_per_side**2)
        if self.quality == "exact":
            yield places
            return
        row, column = places // self.points_per_side, places % self.points_per_side
        spacing = torch.where((row % 2 == 1) & (column % 2 == 1), 2, 1)
        spacing[(row % COARSE == 1) & (column % COARSE == 1)] = COARSE
        for level in (COARSE, 2, 1):
            waiting = places[spacing == level]
            if level < COARSE:
                waiting = waiting[~self._settled()[self._cells[waiting]]]
            yield waiting

    def found(self, logits: torch.Tensor, clicks: torch.Tensor) -> None:
        """Receive masks.

        Args:
            logits: (N, h, w), of the whole image at any size.
            clicks: (N,) int64, the numbers of the clicks that brought them.
        """
        if self.quality == "exact" or len(logits) == 0:
            return
        self._masks = torch.cat([self._masks.to(logits.device), _small(logits > 0)])
        self._surely = torch.cat([self._surely.to(logits.device), _small(logits > self._margin)])
        self._clicks = torch.cat([self._clicks.to(logits.device), clicks])

    def _settled(self) -> torch.Tensor:
        """Return whether each cell's smallest mask was found twice and holds it: (S * S,)."""
        if len(self._masks) == 0:
            return torch.zeros(_SIDE**2, dtype=torch.bool)
        flat = self._masks.float()
        areas = flat.sum(1)
        others = self._clicks[:, None] != self._clicks[None]
        twice = ((mutual_ious(flat) > SAME_IOU) & others).any(dim=1)
        smallest = torch.where(self._masks, areas[:, None], torch.inf).min(dim=0)
        surely = self._surely.gather(0, smallest.indices[None])[0]
        return (twice[smallest.indices] & surely & smallest.values.isfinite()).cpu()


def _small(masks: torch.Tensor) -> torch.Tensor:
    """Bring (N, h, w) bool masks to the cells: (N, S * S) bool."""
    small = functional.interpolate(masks.float()[:, None], size=(_SIDE, _SIDE), mode="area")
    return (small > 0.5).flatten(1)
