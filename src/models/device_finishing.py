"""From logits to masks in batches, on the device where they are: see mask_finishing.py.

What crosses to the CPU is small: which masks are left, and the lengths of their runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import cv2
import numpy as np
import torch

from src.models import device_edges
from src.models.device import FittingBatches, bytes_at_once
from src.models.device_edges import BatchedEdges
from src.models.device_masks import (
    at_image,
    at_input,
    column_runs,
    comparable,
    in_parts,
    measured,
    resized,
    unlike_all_before,
)
from src.models.device_regions import without_small_regions, without_specks
from src.models.mask_candidates import ROUGHLY, Candidates, filter_stable, suppress_duplicates
from src.models.mask_finishing import FinishedMask, MaskFinishing
from src.models.mask_rle import compressed, mask_of_runs
from src.models.mask_shape import boxes_around, stabilities
from src.models.promptable_sam import at_most
from src.models.segmenter import MaskPredictions
from src.stopping import ask

# What a pixel of the image takes while masks are brought to it and cleaned there.
_BYTES_A_PIXEL = 32


class AllAtOnce(MaskFinishing):
    """Finishes the masks of an image in batches on their device; see MaskFinishing."""

    def stable(self, found: MaskPredictions, clicks: torch.Tensor) -> Candidates:
        """See MaskFinishing; what passes is measured once, at the size that counts."""
        sizes, limits = self._sizes, self._limits
        offset, least = limits.stability_score_offset, limits.stability_score_thresh
        if not limits.exact:
            return filter_stable(
                found.logits, found.predicted_iou, clicks, sizes, offset, least, False
            )
        shown = found.logits[:, : sizes.logits_wh[1]]
        hopeful = (stabilities(shown, offset) >= least - ROUGHLY) & (shown > 0).flatten(1).any(1)
        kept = hopeful.nonzero()[:, 0]
        stability, boxes, some = measured(found.logits[kept], sizes, offset)
        passing = ((stability >= least) & some).nonzero()[:, 0]
        kept, boxes = kept[passing], boxes[passing]
        return Candidates(
            shown[kept], found.predicted_iou[kept], stability[passing], boxes, boxes, clicks[kept]
        )

    def distinct(self, found: Candidates) -> Candidates:
        """See MaskFinishing: first by boxes, then by the masks themselves."""
        limits = self._limits
        # boxes are of the size that counts already
        found = suppress_duplicates(
            found,
            self._sizes,
            limits.stability_score_offset,
            limits.stability_score_thresh,
            limits.box_nms_thresh,
            exact=False,
        )
        none = comparable(found.logits[:0])
        pictures = [none]
        # of noise each fourth pixel may begin a run, of which several numbers are kept
        pixels = 4 * found.logits[:1].numel()
        for part in in_parts(len(found.logits), pixels, found.logits.device):
            ask(self._go_on)
            if limits.speck_share > 0:
                found.logits[part] = without_specks(found.logits[part], limits.speck_share)
            pictures.append(comparable(found.logits[part]))
        chosen = unlike_all_before(torch.cat(pictures), none, limits.mask_nms_thresh)
        return found.keep(torch.tensor(chosen, dtype=torch.long, device=found.logits.device))

    def at_image(self, logits: torch.Tensor, image_rgb: np.ndarray) -> Iterator[FinishedMask]:
        """See MaskFinishing."""
        width, height = self._sizes.image_wh
        shown_w, shown_h = self._sizes.shown_wh
        edges, needed = None, _BYTES_A_PIXEL * max(width * height, shown_w * shown_h)
        if self._limits.fit_edges:
            edges = BatchedEdges(at_most(image_rgb, self._sizes.shown_wh), logits.device)
            needed += device_edges.BYTES_A_PIXEL * edges.size_hw[0] * edges.size_hw[1]
        batches = FittingBatches(max(1, bytes_at_once(logits.device) // needed))
        kept = comparable(logits[:0])

        @torch.inference_mode()
        def finished(places: torch.Tensor) -> list[FinishedMask]:
            nonlocal kept
            ask(self._go_on)
            if edges is None:
                masks = at_image(logits[places], self._sizes)
                return self._written(masks, places.tolist())
            large = resized(at_input(logits[places], self._sizes), edges.size_hw)
            fitted = edges.fit(large)
            if self._limits.speck_share > 0:
                fitted = without_specks(fitted, self._limits.speck_share)
            pictures = comparable(fitted)
            chosen = unlike_all_before(pictures, kept, self._limits.mask_nms_thresh)
            masks = resized(fitted[chosen], (height, width)) > 0
            written = self._written(masks, places[chosen].tolist())
            kept = torch.cat([kept, pictures[chosen]])  # last: what did not fit is done again
            return written

        for some in batches.run(torch.arange(len(logits)), finished):
            yield from some

    def _written(self, masks: torch.Tensor, places: list[int]) -> list[FinishedMask]:
        """Bring masks (N, H, W) bool to the CPU as runs."""
        if not places:
            return []
        if self._limits.min_mask_region_area > 0:
            least_px = torch.full((len(masks),), self._limits.min_mask_region_area)
            masks = without_small_regions(masks, least_px.to(masks.device))
        areas = masks.sum((1, 2)).tolist()
        boxes = boxes_around(masks).long().tolist()
        runs, counts = column_runs(masks)
        width, height = size_wh = self._sizes.image_wh
        return [
            FinishedMask(
                place,
                area,
                (left, top, right + 1 - left, bottom + 1 - top),
                partial(_filled, own, size_wh),
                {"size": [height, width], "counts": rle},
            )
            for place, own, rle, area, (left, top, right, bottom) in zip(
                places,
                np.split(runs, np.cumsum(counts)[:-1]),
                compressed(runs, counts),
                areas,
                boxes,
                strict=True,
            )
        ]


def _filled(runs: np.ndarray, size_wh: tuple[int, int]) -> np.ndarray:
    """Make an array of runs: (H, W) uint8, 0 or 1, row by row as others' are."""
    columns = mask_of_runs(runs, size_wh).T.view(np.uint8)
    return np.asarray(cv2.transpose(columns))
