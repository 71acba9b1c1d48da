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
from dataclasses import fields
from typing import Any

import cv2
import numpy as np
import torch
from segment_anything.modeling import Sam

from src.models.click_grid import ClickGrid, Quality
from src.models.click_session import ClickSession
from src.models.device import FittingBatches, passes_at_once
from src.models.device_finishing import AllAtOnce
from src.models.mask_candidates import Candidates
from src.models.mask_finishing import (
    FinishedMask,
    MaskFinishing,
    MaskLimits,
    OneByOne,
    edges_of,
)
from src.models.mask_rle import OutputMode, in_form
from src.models.mask_shape import full_size
from src.models.mask_sizes import Sizes
from src.models.promptable_sam import PromptableSam
from src.models.segmenter import ImageEmbedding, MaskPredictions, PromptableModel, Prompts
from src.models.stopping import stopping
from src.stopping import GoOn, ask

# Clicks decoded at once: on a GPU each launch costs, on a CPU its cache is small.
_MANY, _FEW = 1024, 64


class MaskGenerator:
    """Segments everything in an image with SAM (Kirillov et al. 2023)."""

    def __init__(
        self,
        sam: Sam | PromptableModel,
        points_per_side: int = 32,
        points_per_batch: int | None = None,
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
        batched: bool | None = None,
    ) -> None:
        """Wrap a SAM.

        Args:
            sam: any model of segment_anything's class `Sam`, in eval mode, or another that
                embeds images and decodes prompts.
            points_per_side: clicks along each side of the image.
            points_per_batch: clicks decoded at once; when None as many as suit the device.
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
            batched: finish masks all at once on the model's device, and not one by one on the
                CPU; when None on NVIDIA's GPUs.
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
        on_cuda = self.model.device.type == "cuda"
        self.points_per_batch = points_per_batch or (_MANY if on_cuda else _FEW)
        # what did not fit once is not tried again at the next image
        self.batches_of_clicks = FittingBatches(self.points_per_batch)
        self.batched = on_cuda if batched is None else batched
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
        if self.batched and form == "coco_rle":  # which the masks are already: no arrays are made
            return [
                {"segmentation": finished.rle, **record}
                for record, finished in self._records(image_rgb)
            ]
        return [
            {key: value for key, value in record.items() if key != "rle"}
            | {"segmentation": in_form(record["segmentation"], form)}
            for record in self.masks(image_rgb)
        ]

    def masks(self, image_rgb: np.ndarray, go_on: GoOn | None = None) -> Iterator[dict[str, Any]]:
        """Segment everything, one mask at a time: as arrays they take much memory.

        Args:
            image_rgb: (H, W, 3) uint8 RGB.
            go_on: asked before each layer of the model, each batch of clicks and each mask;
                StoppedError is raised once it says no.

        Returns:
            The records of `generate`, with segmentation as (H, W) uint8, 0 or 1; where the mask
            was made of it anyway, with rle, its compressed COCO RLE, too.
        """
        for record, finished in self._records(image_rgb, go_on):
            rle = {} if finished.rle is None else {"rle": finished.rle}
            yield {"segmentation": finished.array(), **record, **rle}

    def _records(
        self, image_rgb: np.ndarray, go_on: GoOn | None = None
    ) -> Iterator[tuple[dict[str, Any], FinishedMask]]:
        """Segment everything: the records of `masks` without segmentation, and what it is."""
        image_wh = image_rgb.shape[1], image_rgb.shape[0]
        sizes = self.sizes(image_wh)
        if 0 in sizes.shown_wh:  # too thin for anything to be seen at the model's size
            return
        stops = nullcontext() if go_on is None else stopping(self.module, go_on)
        with self._room, torch.inference_mode(), stops:
            finishing = self._finishing(sizes, go_on)
            grid = ClickGrid(self.points_per_side, self.quality, self.stability_score_offset)
            found = self._decode_grid(image_rgb, grid, finishing, sizes, go_on)
            found = finishing.distinct(found).measures_on_cpu()
            clicks_xy = grid.xy[found.clicks.numpy()] * image_wh
        # outside of inference mode, which would hold for the next mask, too
        for finished in finishing.at_image(found.logits, image_rgb):
            if finished.area == 0:
                continue
            place = finished.place
            record = {
                "area": finished.area,
                "bbox": list(finished.bbox_xywh),
                "predicted_iou": float(found.predicted_iou[place]),
                "stability_score": float(found.stability[place]),
                "point_coords": [[float(value) for value in clicks_xy[place]]],
                "crop_box": [0, 0, *image_wh],
            }
            yield record, finished

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
        image_wh = image_rgb.shape[1], image_rgb.shape[0]
        edges = edges_of(image_rgb, self.sizes(image_wh)) if self.fit_edges else None

        def to_mask(logits: np.ndarray, sizes: Sizes) -> np.ndarray:
            if edges is None:
                return sizes.at_image(logits)
            fitted = edges.fit(cv2.resize(sizes.at_input(logits), edges.size_wh))
            return full_size(fitted, sizes.image_wh, edges.size_wh)

        return ClickSession(self, image_rgb, to_mask)

    def _decode_grid(
        self,
        image_rgb: np.ndarray,
        grid: ClickGrid,
        finishing: MaskFinishing,
        sizes: Sizes,
        go_on: GoOn | None,
    ) -> Candidates:
        embedding = self.embed(image_rgb)
        clicks_xy = grid.xy * sizes.image_wh

        def decoded(window: torch.Tensor) -> Candidates:
            ask(go_on)
            found = self.decode(
                embedding,
                Prompts.clicks(clicks_xy[window.numpy()]),
                min_iou=self.pred_iou_thresh,
                padding=False,
            )
            if len(found) == 0:
                return Candidates.none(sizes, self.device)
            return finishing.stable(found, window.to(self.device)[found.prompts])

        self.batches_of_clicks.size = min(self.batches_of_clicks.size, embedding.most_at_once)
        batches = [Candidates.none(sizes, self.device)]
        for waiting in grid.levels():
            for found in self.batches_of_clicks.run(waiting, decoded):
                batches.append(found)
                grid.found(found.logits, found.clicks)
        return Candidates.joined(batches)

    def at_image(self, logits: torch.Tensor, image_rgb: np.ndarray) -> Iterator[FinishedMask]:
        """Bring masks to the size of their image; see MaskFinishing."""
        sizes = self.sizes((image_rgb.shape[1], image_rgb.shape[0]))
        return self._finishing(sizes).at_image(logits, image_rgb)

    def _finishing(self, sizes: Sizes, go_on: GoOn | None = None) -> MaskFinishing:
        """Return how the masks of an image of such sizes are finished."""
        limits = MaskLimits(
            exact=self.quality == "exact",
            **{
                each.name: getattr(self, each.name)
                for each in fields(MaskLimits)
                if each.name != "exact"
            },
        )
        return (AllAtOnce if self.batched else OneByOne)(sizes, limits, go_on)
