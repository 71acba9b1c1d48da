"""Image -> masks: SAM in everything mode, on a grid of clicks.

Answers to the same arguments and gives the same records as Meta's
SamAutomaticMaskGenerator. The decoder does the same with less arithmetic (prompt_decoder.py);
filters, boxes and duplicates are settled at its resolution, and only what survives is brought
to the size of the image, so memory does not grow with megapixels times clicks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from segment_anything.modeling import Sam
from segment_anything.utils.transforms import ResizeLongestSide
from torch.nn import functional
from torchvision.ops import batched_nms, box_iou

from src.models.click_grid import ClickGrid, Quality
from src.models.device import FittingBatches, half_precision, in_precision
from src.models.image_encoder import encode_pixels
from src.models.mask_rle import OutputMode, in_form
from src.models.mask_shape import (
    boxes_around,
    full_size,
    measure,
    mutual_ious,
    stabilities,
    without_small_regions,
    without_specks,
)
from src.models.prompt_decoder import PromptDecoder

# Stability at the size of SAM's input differs by less from that at the image's size.
NEARLY = 0.02
# Side of the pictures on which masks are compared with each other.
COMPARE_SIDE = 64
# Parameters of an encoder that gains by 16 bits. Meta's ViT-B (90 million) takes half the
# time of a CPU with AVX512-BF16; the starter's (2 million) gains nothing, and its masks, which
# are less sure of themselves, change: mean best IoU with those of 32 bits 0.983.
LARGE_ENCODER = 50_000_000


@dataclass
class _Candidates:
    """Masks of one image that passed the scores, N of them, at the decoder's resolution."""

    logits: torch.Tensor  # (N, h, w) float32
    predicted_iou: torch.Tensor  # (N,)
    stability: torch.Tensor  # (N,)
    boxes: torch.Tensor  # (N, 4) XYXY in pixels of SAM's input
    clicks: torch.Tensor  # (N,) int64, their numbers in the grid

    def keep(self, chosen: torch.Tensor) -> _Candidates:
        return _Candidates(
            self.logits[chosen],
            self.predicted_iou[chosen],
            self.stability[chosen],
            self.boxes[chosen],
            self.clicks[chosen],
        )


def _nothing(height: int, width: int, device: torch.device) -> _Candidates:
    empty = torch.empty(0, device=device)
    logits, boxes = empty.reshape(0, height, width), empty.reshape(0, 4)
    return _Candidates(logits, empty, empty, boxes, empty.long())


class MaskGenerator:
    """Segments everything in an image with SAM (Kirillov et al. 2023)."""

    def __init__(
        self,
        sam: Sam,
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
        full_precision: bool = False,
    ) -> None:
        """Wrap a SAM.

        Args:
            sam: any model of segment_anything's class `Sam`, in eval mode.
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
            full_precision: compute in 32 bits what the device would do faster in 16: the
                encoder of a large SAM, and with "adaptive" also the decoder.
        """
        if output_mode not in ("binary_mask", "uncompressed_rle", "coco_rle"):
            raise ValueError(f"output_mode can't be {output_mode!r}")
        if quality not in ("exact", "adaptive"):
            raise ValueError(f"quality can't be {quality!r}")
        self.sam = sam
        self.quality = quality
        half = None if full_precision else half_precision(sam.device)
        large = sum(p.numel() for p in sam.image_encoder.parameters()) >= LARGE_ENCODER
        self._encoder_precision = half if large else None
        self._decoder_precision = half if quality == "adaptive" else None
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
        height, width = image_rgb.shape[:2]
        with torch.inference_mode():
            grid = ClickGrid(self.points_per_side, self.quality)
            candidates = self._decode_grid(image_rgb, grid)
            candidates = self._without_duplicates(candidates, (width, height))
            clicks_xy = grid.xy[candidates.clicks.cpu().numpy()] * (width, height)
            records = [
                self._record(
                    candidates, i, clicks_xy[i], (width, height), output_mode or self.output_mode
                )
                for i in range(len(candidates.logits))
            ]
        return [record for record in records if record["area"] > 0]

    def _shown_wh(self, size_wh: tuple[int, int]) -> tuple[int, int]:
        """The size at which SAM sees an image, in the corner of the square that is its input."""
        width, height = size_wh
        side = self.sam.image_encoder.img_size
        shown_h, shown_w = ResizeLongestSide.get_preprocess_shape(height, width, side)
        return shown_w, shown_h

    @property
    def _pixel(self) -> int:
        """Pixels of SAM's input along a pixel of the logits."""
        places: int = self.sam.prompt_encoder.image_embedding_size[0]
        return int(self.sam.image_encoder.img_size) // (4 * places)

    def _embedding(self, image_rgb: np.ndarray) -> torch.Tensor:
        """What SAM's encoder makes of an image: (1, C, G, G) float32."""
        encoder = self.sam.image_encoder
        shown = _shrunk(image_rgb, encoder.img_size)
        shown = ResizeLongestSide(encoder.img_size).apply_image(shown)
        pixels = torch.as_tensor(shown, device=self.sam.device).permute(2, 0, 1)[None]
        with in_precision(self.sam.device, self._encoder_precision):
            return encode_pixels(encoder, self.sam.preprocess(pixels)).float()

    def _decode_grid(self, image_rgb: np.ndarray, grid: ClickGrid) -> _Candidates:
        height, width = image_rgb.shape[:2]
        shown_wh = self._shown_wh((width, height))
        inputs_xy = torch.as_tensor(grid.xy * shown_wh, dtype=torch.float32, device=self.sam.device)
        # the part of the decoder's picture that shows the image
        part_w, part_h = (math.ceil(shown / self._pixel) for shown in shown_wh)
        decoder = PromptDecoder(self.sam, self._embedding(image_rgb))

        def decoded(window: torch.Tensor) -> _Candidates:
            clicks = inputs_xy[window, None]
            labels = torch.ones(clicks.shape[:2], dtype=torch.int, device=clicks.device)
            sparse, _ = self.sam.prompt_encoder((clicks, labels), None, None)
            with in_precision(self.sam.device, self._decoder_precision):
                guesses = decoder.decode(sparse)
            good = guesses.predicted_iou > self.pred_iou_thresh
            if not good.any():
                return _nothing(part_h, part_w, clicks.device)
            with in_precision(self.sam.device, self._decoder_precision):
                logits = decoder.draw(guesses, good, math.ceil(part_h / 4))[..., :part_w].float()
            numbers = window.to(good.device)[good.nonzero()[:, 0]]
            rated = guesses.predicted_iou[good].float()
            found = self._stable(logits, rated, numbers, shown_wh)
            found.logits = found.logits[:, :part_h]
            return found

        batches_of_clicks = FittingBatches(min(self.points_per_batch, decoder.most_at_once))
        batches = [_nothing(part_h, part_w, self.sam.device)]
        for waiting in grid.levels():
            for found in batches_of_clicks.run(waiting, decoded):
                batches.append(found)
                grid.found(found.logits, found.clicks)
        return _Candidates(
            torch.cat([batch.logits for batch in batches]),
            torch.cat([batch.predicted_iou for batch in batches]),
            torch.cat([batch.stability for batch in batches]),
            torch.cat([batch.boxes for batch in batches]),
            torch.cat([batch.clicks for batch in batches]),
        )

    def _stable(
        self,
        logits: torch.Tensor,
        predicted_iou: torch.Tensor,
        clicks: torch.Tensor,
        shown_wh: tuple[int, int],
    ) -> _Candidates:
        """Keep the masks whose stability passes.

        Stability and boxes are measured at the size of SAM's input: islands of less than a pixel
        of the logits decide many a box. What is far from stable is left out before, what is
        nearly so is decided on later. An adaptive grid is not held to Meta's boxes, and
        the logits themselves are measured.

        Args:
            logits: (N, h, w).
            shown_wh: the image's size in pixels of SAM's input.
        """
        offset, least = self.stability_score_offset, self.stability_score_thresh
        shown = logits[:, : math.ceil(shown_wh[1] / self._pixel)]
        stability = stabilities(shown, offset)
        exact = self.quality == "exact"
        hopeful = (stability >= least - 0.1 * exact) & (shown > 0).any(2).any(1)
        kept = hopeful.nonzero()[:, 0]
        if not exact:
            boxes = self._pixel * boxes_around(shown[kept] > 0)
            return _Candidates(
                logits[kept], predicted_iou[kept], stability[kept], boxes, clicks[kept]
            )
        stable, finely, boxes_there = [], [], []
        for index, mask in zip(kept.tolist(), logits[kept].cpu().numpy(), strict=True):
            # beyond what the moved threshold lets in there is nothing to count
            left, top, width, height = cv2.boundingRect(
                (mask[: shown.shape[1]] > -offset).view(np.uint8)
            )
            left, top = max(0, left - 2), max(0, top - 2)
            window = mask[top : top + height + 4, left : left + width + 4]
            measured, box = measure(self._at_input(window, shown_wh, (left, top)), offset)
            if measured >= least - NEARLY and box is not None:
                stable.append(index)
                finely.append(measured)
                boxes_there.append(box + self._pixel * np.array([left, top, left, top], np.float32))
        if not stable:
            return _nothing(logits.shape[1], logits.shape[2], logits.device)
        return _Candidates(
            logits[stable],
            predicted_iou[stable],
            stability.new_tensor(finely),
            torch.as_tensor(np.stack(boxes_there), device=logits.device),
            clicks[stable],
        )

    def _at_input(
        self, logits: np.ndarray, shown_wh: tuple[int, int], corner_xy: tuple[int, int] = (0, 0)
    ) -> np.ndarray:
        """One mask's logits (h, w) at the size of SAM's input: (H, W).

        Args:
            corner_xy: where they begin, if they are a window, in pixels of the logits.
        """
        large = cv2.resize(logits, None, fx=self._pixel, fy=self._pixel)
        left, top = (self._pixel * corner for corner in corner_xy)
        return large[: shown_wh[1] - top, : shown_wh[0] - left]

    def _measured_wh(self, size_wh: tuple[int, int]) -> tuple[int, int]:
        """The size at which Meta's generator measures: the image's, where that is near SAM's."""
        near = max(size_wh) <= 2 * int(self.sam.image_encoder.img_size)
        return size_wh if near else self._shown_wh(size_wh)

    def _best(
        self, found: _Candidates, shown_wh: tuple[int, int], measured_wh: tuple[int, int]
    ) -> _Candidates:
        """Non-maximum suppression by boxes at another size than SAM's input.

        Meta's generator measures every mask at the image's size first. Here that is done when a
        mask's turn has come, so for those only that no better one clearly suppresses.
        """
        scale = torch.tensor([measured_wh[i % 2] / shown_wh[i % 2] for i in range(4)])
        # a pixel of the coarser of both is what the boxes so far may be wrong by
        slack = torch.tensor([1.0, 1.0, -1.0, -1.0]) * scale.clamp(min=1)
        rough = found.boxes.cpu() * scale
        kept: list[int] = []
        boxes, measured = torch.zeros(0, 4), list[float]()
        for i in found.predicted_iou.argsort(descending=True, stable=True).tolist():
            inner, outer = rough[i] + slack, rough[i] - slack
            if bool((_least_ious(inner, outer, boxes) > self.box_nms_thresh).any()):
                continue
            logits = self._at_input(found.logits[i].cpu().numpy(), shown_wh)
            stability, there = measure(cv2.resize(logits, measured_wh), self.stability_score_offset)
            if stability < self.stability_score_thresh or there is None:
                continue
            box = torch.from_numpy(there)[None]
            if bool((box_iou(box, boxes) > self.box_nms_thresh).any()):
                continue
            kept.append(i)
            measured.append(stability)
            boxes = torch.cat([boxes, box])
        chosen = found.keep(torch.tensor(kept, dtype=torch.long, device=found.logits.device))
        chosen.stability = chosen.stability.new_tensor(measured)
        return chosen

    def _without_duplicates(self, found: _Candidates, size_wh: tuple[int, int]) -> _Candidates:
        """Non-maximum suppression by boxes, then by the masks themselves."""
        shown_wh, measured_wh = self._shown_wh(size_wh), self._measured_wh(size_wh)
        if self.quality == "exact" and measured_wh != shown_wh:
            found = self._best(found, shown_wh, measured_wh)
        else:
            found = found.keep((found.stability >= self.stability_score_thresh).nonzero()[:, 0])
            one_class = torch.zeros_like(found.predicted_iou)
            kept = batched_nms(found.boxes, found.predicted_iou, one_class, self.box_nms_thresh)
            found = found.keep(kept)
        if len(found.logits) == 0:
            return found
        if self.speck_share > 0:
            found.logits = without_specks(found.logits, self.speck_share)
        small = found.logits[:, None]
        if max(small.shape[2:]) > COMPARE_SIDE:
            small = functional.interpolate(
                small, size=COMPARE_SIDE, mode="bilinear", align_corners=False
            )
        flat = (small > 0).flatten(1).float()
        iou = mutual_ious(flat)
        chosen: list[int] = []
        for i in range(len(flat)):  # best first, as batched_nms returns them
            if not chosen or float(iou[i, chosen].max()) <= self.mask_nms_thresh:
                chosen.append(i)
        return found.keep(torch.tensor(chosen, device=found.logits.device))

    def _record(
        self,
        found: _Candidates,
        i: int,
        click_xy: np.ndarray,
        size_wh: tuple[int, int],
        output_mode: OutputMode,
    ) -> dict[str, Any]:
        shown_wh = self._shown_wh(size_wh)
        scale_xy = (
            shown_wh[0] / size_wh[0] / self._pixel,
            shown_wh[1] / size_wh[1] / self._pixel,
        )
        mask = full_size(found.logits[i].float().cpu().numpy(), size_wh, scale_xy)
        if self.min_mask_region_area > 0:
            mask = without_small_regions(mask, self.min_mask_region_area)
        x, y, w, h = cv2.boundingRect(mask)
        return {
            "segmentation": in_form(mask, output_mode),
            "area": int(np.count_nonzero(mask)),
            "bbox": [x, y, w, h],
            "predicted_iou": float(found.predicted_iou[i]),
            "stability_score": float(found.stability[i]),
            "point_coords": [[float(value) for value in click_xy]],
            "crop_box": [0, 0, size_wh[0], size_wh[1]],
        }


def _least_ious(inner: torch.Tensor, outer: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """The least IoU with (N, 4) boxes of one that lies between two: (N,)."""
    common = (
        (torch.minimum(inner[2:], boxes[:, 2:]) - torch.maximum(inner[:2], boxes[:, :2]))
        .clamp(min=0)
        .prod(1)
    )
    areas = (outer[2:] - outer[:2]).prod() + (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return torch.as_tensor(common / (areas - common).clamp(min=1e-6))


def _shrunk(image_rgb: np.ndarray, side: int) -> np.ndarray:
    """Bring a large image to twice SAM's input first: averaging pixels, so no aliasing.

    Meta's own resizing goes the rest of the way.
    """
    scale = 2 * side / max(image_rgb.shape[:2])
    if scale >= 1:
        return image_rgb
    height, width = image_rgb.shape[:2]
    size_wh = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(image_rgb, size_wh, interpolation=cv2.INTER_AREA)
