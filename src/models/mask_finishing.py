"""From a decoder's logits to the masks of an image: what is kept, and how large it becomes.

There are two ways to the same masks. One goes mask by mask with OpenCV, which suits a CPU: each
is looked at only where it is, and only if no better one suppresses it. The other does all of them
at once on the device where they are (device_finishing.py), which suits a GPU.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from src.models.mask_candidates import Candidates, filter_stable, suppress_duplicates
from src.models.mask_edges import MaskEdges
from src.models.mask_shape import (
    DuplicateFilter,
    full_size,
    without_small_regions,
    without_specks,
)
from src.models.mask_sizes import Sizes
from src.models.promptable_sam import at_most
from src.models.segmenter import MaskPredictions
from src.stopping import GoOn, ask


@dataclass(frozen=True)
class MaskLimits:
    """What is kept of the decoder's masks, in the words of MaskGenerator's arguments.

    Attributes:
        exact: measure at the size at which Meta's generator measures.
    """

    exact: bool
    stability_score_thresh: float
    stability_score_offset: float
    box_nms_thresh: float
    mask_nms_thresh: float
    min_mask_region_area: int
    speck_share: float
    fit_edges: bool


@dataclass(frozen=True)
class FinishedMask:
    """A mask at the size of its image.

    Attributes:
        place: among the logits it was made of.
        area: its pixels.
        bbox_xywh: the box around it, in pixels.
        array: gives it as (H, W) uint8, 0 or 1.
        rle: compressed COCO RLE, where that was made on the way.
    """

    place: int
    area: int
    bbox_xywh: tuple[int, int, int, int]
    array: Callable[[], np.ndarray]
    rle: dict[str, object] | None = None

    @staticmethod
    def of(place: int, mask: np.ndarray) -> FinishedMask:
        """Measure a mask."""
        x, y, w, h = cv2.boundingRect(mask)
        return FinishedMask(place, int(np.count_nonzero(mask)), (x, y, w, h), lambda: mask)


class MaskFinishing(ABC):
    """Makes masks of one image out of logits."""

    def __init__(self, sizes: Sizes, limits: MaskLimits, go_on: GoOn | None = None) -> None:
        """Begin with an image.

        Args:
            sizes: of the image.
            limits: what is kept.
            go_on: asked before each mask or batch; StoppedError is raised once it says no.
        """
        self._sizes, self._limits, self._go_on = sizes, limits, go_on

    @abstractmethod
    def stable(self, found: MaskPredictions, clicks: torch.Tensor) -> Candidates:
        """Return the masks that are stable enough, or may be.

        Args:
            found: what was decoded; rows beyond the image's part help to enlarge.
            clicks: (N,) int64, the numbers of the clicks that brought them.
        """

    @abstractmethod
    def distinct(self, found: Candidates) -> Candidates:
        """Return what is left when the best suppress what is like them, best first."""

    @abstractmethod
    def at_image(self, logits: torch.Tensor, image_rgb: np.ndarray) -> Iterator[FinishedMask]:
        """Bring masks to the size of their image, fitted to it where that is wished.

        Args:
            logits: (N, h, w) float32 of the decoder, best first.
            image_rgb: (H, W, 3) uint8.

        Returns:
            Their masks, without those that by fitting become like a better one.
        """


class OneByOne(MaskFinishing):
    """Finishes one mask after another on the CPU; see MaskFinishing."""

    def stable(self, found: MaskPredictions, clicks: torch.Tensor) -> Candidates:
        """See MaskFinishing."""
        return filter_stable(
            found.logits,
            found.predicted_iou,
            clicks,
            self._sizes,
            self._limits.stability_score_offset,
            self._limits.stability_score_thresh,
            self._limits.exact,
        )

    def distinct(self, found: Candidates) -> Candidates:
        """See MaskFinishing: first by boxes, then by the masks themselves."""
        found = suppress_duplicates(
            found,
            self._sizes,
            self._limits.stability_score_offset,
            self._limits.stability_score_thresh,
            self._limits.box_nms_thresh,
            self._limits.exact,
        )
        kept = DuplicateFilter(self._limits.mask_nms_thresh)
        chosen = []
        for i, logits in enumerate(found.logits.cpu().numpy()):  # best first
            ask(self._go_on)
            if self._limits.speck_share > 0:
                logits = without_specks(logits, self._limits.speck_share)
            if kept.add_if_distinct(logits):
                found.logits[i] = torch.from_numpy(logits)
                chosen.append(i)
        return found.keep(torch.tensor(chosen, dtype=torch.long, device=found.logits.device))

    def at_image(self, logits: torch.Tensor, image_rgb: np.ndarray) -> Iterator[FinishedMask]:
        """See MaskFinishing."""
        sizes, limits = self._sizes, self._limits
        edges = edges_of(image_rgb, sizes) if limits.fit_edges else None
        kept = DuplicateFilter(limits.mask_nms_thresh)
        for i, found in enumerate(logits.cpu().numpy()):
            ask(self._go_on)
            if edges is not None:
                fitted = edges.fit(cv2.resize(sizes.at_input(found), edges.size_wh))
                if limits.speck_share > 0:
                    fitted = without_specks(fitted, limits.speck_share)
                if not kept.add_if_distinct(fitted):
                    continue
                mask = full_size(fitted, sizes.image_wh, edges.size_wh)
            else:
                mask = sizes.at_image(found)
            if limits.min_mask_region_area > 0:
                mask = without_small_regions(mask, limits.min_mask_region_area)
            yield FinishedMask.of(i, mask)


def edges_of(image_rgb: np.ndarray, sizes: Sizes) -> MaskEdges:
    """Return what masks of an image are fitted to."""
    return MaskEdges(at_most(image_rgb, sizes.shown_wh))
