"""Candidates for the masks of one image: which are stable, and which are there once more.

Meta's generator brings every mask to the size of the image, measures it there and suppresses
by boxes what a better one covers. Here masks are measured at the size of SAM's input, and at
the image's only when their turn has come and no better one surely suppresses them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import cv2
import numpy as np
import torch
from torchvision.ops import batched_nms, box_iou

from src.models.mask_shape import box_of, boxes_around, stabilities, stability_of
from src.models.mask_sizes import Sizes

# Stability at the size of SAM's input differs by less from that at the image's size, and that
# at the size of the logits by less from that.
NEARLY, ROUGHLY = 0.02, 0.1


@dataclass
class Candidates:
    """Masks of one image that passed the scores, N of them.

    Attributes:
        logits: (N, h, w) float32, at the decoder's resolution.
        predicted_iou: (N,).
        stability: (N,).
        boxes: (N, 4) XYXY in pixels of SAM's input.
        cores: (N, 4), boxes around what is inside at any size it is measured at; an empty one
            ends before it begins.
        clicks: (N,) int64, their numbers in the grid.
    """

    logits: torch.Tensor
    predicted_iou: torch.Tensor
    stability: torch.Tensor
    boxes: torch.Tensor
    cores: torch.Tensor
    clicks: torch.Tensor

    @staticmethod
    def none(sizes: Sizes, device: torch.device) -> Candidates:
        """Not one."""
        empty = torch.empty(0, device=device)
        logits, boxes = empty.reshape(0, *sizes.logits_wh[::-1]), empty.reshape(0, 4)
        return Candidates(logits, empty, empty, boxes, boxes, empty.long())

    @staticmethod
    def joined(parts: Sequence[Candidates]) -> Candidates:
        """Return all of several, in order; at least one."""
        return Candidates(
            *(torch.cat([getattr(part, each.name) for part in parts]) for each in fields(parts[0]))
        )

    def keep(self, chosen: torch.Tensor) -> Candidates:
        """Some of them, by index."""
        return Candidates(*(getattr(self, each.name)[chosen] for each in fields(self)))

    def measures_on_cpu(self) -> Candidates:
        """The same with all but the logits on the CPU, where they are read one by one."""
        small = (getattr(self, each.name).cpu() for each in fields(self)[1:])
        return Candidates(self.logits, *small)


def filter_stable(
    logits: torch.Tensor,
    predicted_iou: torch.Tensor,
    clicks: torch.Tensor,
    sizes: Sizes,
    offset: float,
    least: float,
    exact: bool,
) -> Candidates:
    """Return masks whose stability passes or nearly does: `suppress_duplicates` decides.

    Args:
        logits: (N, h, w); rows beyond the image's part help to enlarge and are left out then.
        predicted_iou, clicks: (N,).
        offset: by which the threshold is moved.
        least: stability that passes.
        exact: measure at the size of SAM's input, where islands of less than a pixel of the
            logits decide many a box, or at the image's where masks come to it in one step; else
            the logits themselves.
    """
    shown = logits[:, : sizes.logits_wh[1]]
    stability = stabilities(shown, offset)
    hopeful = (stability >= least - ROUGHLY * exact) & (shown > 0).any(2).any(1)
    kept = hopeful.nonzero()[:, 0]
    if not exact:
        boxes = sizes.pixel * boxes_around(shown[kept] > 0)
        return Candidates(
            shown[kept], predicted_iou[kept], stability[kept], boxes, boxes, clicks[kept]
        )
    passing, measured, edges = [], [], []
    for index, mask in zip(kept.tolist(), logits[kept].cpu().numpy(), strict=True):
        if sizes.measured_from_input:
            # beyond what the moved threshold lets in there is nothing to count
            left, top, width, height = cv2.boundingRect(
                (mask[: shown.shape[1]] > -offset).view(np.uint8)
            )
            left, top = max(0, left - 2), max(0, top - 2)
            window = mask[top : top + height + 4, left : left + width + 4]
            large = sizes.at_input(window, (left, top))
        else:
            left = top = 0
            large = sizes.at_measured(mask)
        found, inside = stability_of(large, offset), large > 0
        if found >= least - NEARLY and inside.any():
            passing.append(index)
            measured.append(found)
            corner = sizes.pixel * np.array([left, top, left, top], np.float32)
            box = box_of(inside)
            core = _core(inside, sizes) if sizes.measured_from_input else box
            edges.append(np.stack([box, core]) + corner)
    if not passing:
        return Candidates.none(sizes, logits.device)
    boxes, cores = torch.as_tensor(np.stack(edges, axis=1), device=logits.device)
    return Candidates(
        shown[passing],
        predicted_iou[passing],
        stability.new_tensor(measured),
        boxes,
        cores,
        clicks[passing],
    )


def _core(inside: np.ndarray, sizes: Sizes) -> np.ndarray:
    """Return the box around what is inside at the size measured at, too: (4,) float32 XYXY.

    Squares of pixels that are all inside are so, at whatever size, from the middle of the first
    to the middle of the last; they are to hold at least one pixel of the other size.
    """
    spacing = max(
        shown / measured for shown, measured in zip(sizes.shown_wh, sizes.measured_wh, strict=True)
    )
    side = 1 + math.ceil(max(1.0, spacing))
    squares = cv2.erode(inside.view(np.uint8), np.ones((side, side)), anchor=(0, 0), borderValue=0)
    box = box_of(squares > 0)
    if box[2] >= box[0]:
        box[2:] += side - 1
    return box


def suppress_duplicates(
    found: Candidates, sizes: Sizes, offset: float, least: float, most_overlap: float, exact: bool
) -> Candidates:
    """Non-maximum suppression by boxes, best predicted IoU first, of what is stable.

    Args:
        offset, least: as for `filter_stable`.
        most_overlap: of two masks whose boxes have a larger IoU, the better stays.
        exact: measure at the size Meta's generator measures at.
    """
    if not (exact and sizes.by_input) or sizes.measured_wh == sizes.shown_wh:
        found = found.keep((found.stability >= least).nonzero()[:, 0])
        one_class = torch.zeros_like(found.predicted_iou)
        return found.keep(batched_nms(found.boxes, found.predicted_iou, one_class, most_overlap))
    scale = torch.tensor([sizes.measured_wh[i % 2] / sizes.shown_wh[i % 2] for i in range(4)])
    # a pixel of the coarser of both is how far an edge may lie from where it was
    slack = torch.tensor([1.0, 1.0, -1.0, -1.0]) * scale.clamp(min=1)
    outer, inner = found.boxes.cpu() * scale - slack, found.cores.cpu() * scale + slack
    kept: list[int] = []
    boxes, measured = torch.zeros(0, 4), list[float]()
    for i in found.predicted_iou.argsort(descending=True, stable=True).tolist():
        if bool((_least_ious(inner[i], outer[i], boxes) > most_overlap).any()):
            continue
        logits = sizes.at_measured(found.logits[i].cpu().numpy())
        stability, inside = stability_of(logits, offset), logits > 0
        if stability < least or not inside.any():
            continue
        box = torch.from_numpy(box_of(inside))[None]
        if bool((box_iou(box, boxes) > most_overlap).any()):
            continue
        kept.append(i)
        measured.append(stability)
        boxes = torch.cat([boxes, box])
    chosen = found.keep(torch.tensor(kept, dtype=torch.long, device=found.logits.device))
    chosen.stability = chosen.stability.new_tensor(measured)
    return chosen


def _least_ious(inner: torch.Tensor, outer: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """Return the least IoU with (N, 4) boxes of one that lies between two: (N,)."""
    common = (
        (torch.minimum(inner[2:], boxes[:, 2:]) - torch.maximum(inner[:2], boxes[:, :2]))
        .clamp(min=0)
        .prod(1)
    )
    areas = (outer[2:] - outer[:2]).prod() + (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return torch.as_tensor(common / (areas - common).clamp(min=1e-6))
