"""Image -> masks: SAM in everything mode, on a grid of clicks.

Answers to the same arguments and gives the same records as Meta's
SamAutomaticMaskGenerator. The decoder does the same with less arithmetic (prompt_decoder.py);
filters, boxes and duplicates are settled at its resolution, and only what survives is brought
to the size of the image, so memory does not grow with megapixels times clicks.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import cv2
import numpy as np
import torch
from segment_anything.modeling import Sam

from src.models.click_grid import ClickGrid, Quality
from src.models.click_session import ClickSession
from src.models.device import FittingBatches, passes_at_once
from src.models.mask_candidates import Candidates, filter_stable, suppress_duplicates
from src.models.mask_edges import MaskEdges
from src.models.mask_rle import OutputMode, in_form
from src.models.mask_shape import (
    DuplicateFilter,
    full_size,
    without_small_regions,
    without_specks,
)
from src.models.mask_sizes import Sizes
from src.models.promptable_sam import PromptableSam, at_most
from src.models.segmenter import ImageEmbedding, MaskPredictions, PromptableModel, Prompts
from src.models.stopping import stopping
from src.stopping import GoOn, ask


class MaskGenerator:
    """Segments everything in an image with SAM (Kirillov et al. 2023)."""

    def __init__(
        self,
        sam: Sam | PromptableModel,
        points_per_side: int = 32,
        points_per_batch: int = 64,
        pred_iou_thresh: float = 0.88,
        stability_score_thresh: float = 0.95,
        stability_score_offset: float = 1.0,
        box_nms_thresh: float = 0.7,
        mask_nms_thresh: float = 0.8,
        min_mask_region_area: int = 0,
        speck_share: float = 0.0,
        output_mode: OutputMode = "binary_mask",
        label: str = "SAM",
        name: str = "sam",
        quality: Quality = "exact",
        fit_edges: bool = False,
        full_precision: bool = False,
    ) -> None:
        """Wrap a SAM.

        Args:
            sam: any model of segment_anything's class `Sam`, in eval mode, or another that
                embeds images and decodes prompts.
            points_per_side: clicks along each side of the image.
            points_per_batch: clicks decoded at once.
            pred_iou_thresh: masks SAM itself rates lower are dropped, 0 to 1.
            stability_score_thresh: masks less stable than this are dropped, 0 to 1.
            stability_score_offset: logits by which the threshold is moved for that.
            box_nms_thresh: of two masks whose boxes overlap more, the better stays.
            mask_nms_thresh: of two masks that overlap more, the better stays.
            min_mask_region_area: islands and holes of fewer pixels are removed.
            speck_share: so are those smaller than this share of their mask, which Meta's
                generator does not know. A speck far away makes a box, and a crop, of nothing.
            output_mode: form of `segmentation` in the records.
            label: what a person reads.
            name: names the weights in a library.
            quality: "exact" decodes every click of the grid; "adaptive" goes from coarse to
                fine and leaves out clicks on masks that two clicks have found.
            fit_edges: fit each mask that is left to the edges and colours of the image.
            full_precision: compute in 32 bits what the device would do faster in 16: the
                encoder of a large SAM, and with "adaptive" also the decoder.
        """
        if output_mode not in ("binary_mask", "uncompressed_rle", "coco_rle"):
            raise ValueError(f"output_mode can't be {output_mode!r}")
        if quality not in ("exact", "adaptive"):
            raise ValueError(f"quality can't be {quality!r}")
        self.model: PromptableModel = (
            PromptableSam(sam, quality == "adaptive", full_precision)
            if isinstance(sam, Sam)
            else sam
        )
        self.quality = quality
        self.fit_edges = fit_edges
        self.label = label
        self.name = name
        self.points_per_side = points_per_side
        self.points_per_batch = points_per_batch
        self.pred_iou_thresh = pred_iou_thresh
        self.stability_score_thresh = stability_score_thresh
        self.stability_score_offset = stability_score_offset
        self.box_nms_thresh = box_nms_thresh
        self.mask_nms_thresh = mask_nms_thresh
        self.min_mask_region_area = min_mask_region_area
        self.speck_share = speck_share
        self.output_mode = output_mode
        # any number of threads may ask at once; so many of them are let through to the model
        self.passes_at_once = passes_at_once(self.model.module)
        self._room = threading.BoundedSemaphore(self.passes_at_once)

    def generate(
        self, image_rgb: np.ndarray, output_mode: OutputMode | None = None
    ) -> list[dict[str, Any]]:
        """Segment everything.

        Args:
            image_rgb: (H, W, 3) uint8 RGB.
            output_mode: overrides the generator's own for this call.

        Returns:
            One record a mask, best predicted_iou first, with Meta's keys: segmentation
            ((H, W) bool or an RLE dict), area, bbox (XYWH), predicted_iou, stability_score,
            point_coords ([[x, y]]), crop_box (XYWH, the whole image).
        """
        form = output_mode or self.output_mode
        return [
            {**record, "segmentation": in_form(record["segmentation"], form)}
            for record in self.masks(image_rgb)
        ]

    def masks(self, image_rgb: np.ndarray, go_on: GoOn | None = None) -> Iterator[dict[str, Any]]:
        """Segment everything, one mask at a time: as arrays they take much memory.

        Args:
            image_rgb: (H, W, 3) uint8 RGB.
            go_on: asked before each layer of the model, each batch of clicks and each mask;
                StoppedError is raised once it says no.

        Returns:
            The records of `generate`, with segmentation as (H, W) uint8, 0 or 1.
        """
        image_wh = image_rgb.shape[1], image_rgb.shape[0]
        sizes = self.sizes(image_wh)
        if 0 in sizes.shown_wh:  # too thin for anything to be seen at the model's size
            return
        stops = nullcontext() if go_on is None else stopping(self.module, go_on)
        with self._room, torch.inference_mode(), stops:
            grid = ClickGrid(self.points_per_side, self.quality, self.stability_score_offset)
            candidates = self._decode_grid(image_rgb, grid, sizes, go_on)
            candidates = self._without_duplicates(candidates, sizes, go_on)
            clicks_xy = grid.xy[candidates.clicks.cpu().numpy()] * image_wh
        # outside of inference mode, which would hold for the next mask, too
        for i, mask in self.at_image(candidates.logits, image_rgb, go_on):
            if (record := self._record(candidates, i, mask, clicks_xy[i]))["area"] > 0:
                yield record

    @property
    def module(self) -> torch.nn.Module:
        """The weights; see PromptableModel."""
        return self.model.module

    @property
    def sam(self) -> Any:
        """The same, under the name that it has for a SAM."""
        return self.model.module

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.model.device

    def sizes(self, image_wh: tuple[int, int]) -> Sizes:
        """At which an image of that size is looked at."""
        return self.model.sizes(image_wh)

    def embed(self, image_rgb: np.ndarray) -> ImageEmbedding:
        """Look at an image, once for any number of prompts; see PromptableModel."""
        return self.model.embed(image_rgb)

    def decode(
        self,
        embedding: ImageEmbedding,
        prompts: Prompts,
        *,
        multimask: bool = True,
        min_iou: float | None = None,
        padding: bool = True,
    ) -> MaskPredictions:
        """Cut masks out of an image where prompts say; see PromptableModel."""
        return self.model.decode(
            embedding, prompts, multimask=multimask, min_iou=min_iou, padding=padding
        )

    def session(self, image_rgb: np.ndarray) -> ClickSession:
        """Embed an image and cut one mask out of it by clicks; close it to free the memory.

        Args:
            image_rgb: (H, W, 3) uint8 RGB.
        """
        edges = self._edges(image_rgb)

        def to_mask(logits: np.ndarray, sizes: Sizes) -> np.ndarray:
            if edges is None:
                return sizes.at_image(logits)
            fitted = edges.fit(cv2.resize(sizes.at_input(logits), edges.size_wh))
            return full_size(fitted, sizes.image_wh, edges.size_wh)

        return ClickSession(self, image_rgb, to_mask)

    def _decode_grid(
        self, image_rgb: np.ndarray, grid: ClickGrid, sizes: Sizes, go_on: GoOn | None
    ) -> Candidates:
        embedding = self.embed(image_rgb)
        clicks_xy = grid.xy * sizes.image_wh

        def decoded(window: torch.Tensor) -> Candidates:
            if go_on is not None:
                ask(go_on)
            found = self.decode(
                embedding,
                Prompts.clicks(clicks_xy[window.numpy()]),
                min_iou=self.pred_iou_thresh,
                padding=False,
            )
            if len(found) == 0:
                return Candidates.none(sizes, self.device)
            return filter_stable(
                found.logits,
                found.predicted_iou,
                window.to(self.device)[found.prompts],
                sizes,
                self.stability_score_offset,
                self.stability_score_thresh,
                self.quality == "exact",
            )

        batches_of_clicks = FittingBatches(min(self.points_per_batch, embedding.most_at_once))
        batches = [Candidates.none(sizes, self.device)]
        for waiting in grid.levels():
            for found in batches_of_clicks.run(waiting, decoded):
                batches.append(found)
                grid.found(found.logits, found.clicks)
        return Candidates.joined(batches)

    def _without_duplicates(
        self, found: Candidates, sizes: Sizes, go_on: GoOn | None
    ) -> Candidates:
        """Non-maximum suppression by boxes, then by the masks themselves."""
        found = suppress_duplicates(
            found,
            sizes,
            self.stability_score_offset,
            self.stability_score_thresh,
            self.box_nms_thresh,
            self.quality == "exact",
        )
        kept = DuplicateFilter(self.mask_nms_thresh)
        chosen = []
        for i, logits in enumerate(found.logits.cpu().numpy()):  # best first
            if go_on is not None:
                ask(go_on)
            if self.speck_share > 0:
                logits = without_specks(logits, self.speck_share)
            if kept.add_if_distinct(logits):
                found.logits[i] = torch.from_numpy(logits)
                chosen.append(i)
        return found.keep(torch.tensor(chosen, dtype=torch.long, device=found.logits.device))

    def at_image(
        self, logits: torch.Tensor, image_rgb: np.ndarray, go_on: GoOn | None = None
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Bring masks to the size of their image, fitted to it where that is wished.

        Args:
            logits: (N, h, w) float32 of the decoder, best first.
            image_rgb: (H, W, 3) uint8.
            go_on: see masks.

        Returns:
            Places in logits, and their masks (H, W) uint8, 0 or 1; without those that by fitting
            become like a better one.
        """
        sizes = self.sizes((image_rgb.shape[1], image_rgb.shape[0]))
        edges = self._edges(image_rgb)
        kept = DuplicateFilter(self.mask_nms_thresh)
        for i, found in enumerate(logits.cpu().numpy()):
            if go_on is not None:
                ask(go_on)
            if edges is not None:
                fitted = edges.fit(cv2.resize(sizes.at_input(found), edges.size_wh))
                if self.speck_share > 0:
                    fitted = without_specks(fitted, self.speck_share)
                if not kept.add_if_distinct(fitted):
                    continue
                mask = full_size(fitted, sizes.image_wh, edges.size_wh)
            else:
                mask = sizes.at_image(found)
            if self.min_mask_region_area > 0:
                mask = without_small_regions(mask, self.min_mask_region_area)
            yield i, mask

    def _edges(self, image_rgb: np.ndarray) -> MaskEdges | None:
        """Return what masks of an image are fitted to; None where that is not wished."""
        if not self.fit_edges:
            return None
        sizes = self.sizes((image_rgb.shape[1], image_rgb.shape[0]))
        return MaskEdges(at_most(image_rgb, sizes.shown_wh))

    def _record(
        self, found: Candidates, i: int, mask: np.ndarray, click_xy: np.ndarray
    ) -> dict[str, Any]:
        x, y, w, h = cv2.boundingRect(mask)
        return {
            "segmentation": mask,
            "area": int(np.count_nonzero(mask)),
            "bbox": [x, y, w, h],
            "predicted_iou": float(found.predicted_iou[i]),
            "stability_score": float(found.stability[i]),
            "point_coords": [[float(value) for value in click_xy]],
            "crop_box": [0, 0, mask.shape[1], mask.shape[0]],
        }
