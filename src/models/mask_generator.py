"""Image -> masks: SAM in everything mode, on a grid of clicks.

Answers to the same arguments and gives the same records as Meta's
SamAutomaticMaskGenerator. The decoder does the same with less arithmetic (prompt_decoder.py);
filters, boxes and duplicates are settled at its resolution, and only what survives is brought
to the size of the image, so memory does not grow with megapixels times clicks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
import torch
from segment_anything import SamPredictor
from segment_anything.modeling import Sam
from segment_anything.utils.transforms import ResizeLongestSide
from torch.nn import functional
from torchvision.ops import batched_nms, masks_to_boxes

from src.models.mask_rle import encode_rle
from src.models.prompt_decoder import PromptDecoder

# Side of the pictures on which masks are compared with each other.
COMPARE_SIDE = 64

# Spacing of the coarsest clicks, in cells of the grid.
COARSE = 4
# A finer click is left out on a mask whose side is at most so many times the spacing.
COVERING = 8

OutputMode = Literal["binary_mask", "uncompressed_rle", "coco_rle"]
Quality = Literal["exact", "adaptive"]


@dataclass
class _Candidates:
    """Masks of one image that passed the scores, N of them, at the decoder's resolution."""

    logits: torch.Tensor  # (N, h, w) float32
    predicted_iou: torch.Tensor  # (N,)
    stability: torch.Tensor  # (N,)
    boxes: torch.Tensor  # (N, 4) XYXY in pixels of SAM's input
    points_xy: torch.Tensor  # (N, 2) in pixels of the image

    def keep(self, chosen: torch.Tensor) -> _Candidates:
        return _Candidates(
            self.logits[chosen],
            self.predicted_iou[chosen],
            self.stability[chosen],
            self.boxes[chosen],
            self.points_xy[chosen],
        )


def _nothing(height: int, width: int, device: torch.device) -> _Candidates:
    empty = torch.empty(0, device=device)
    logits, boxes = empty.reshape(0, height, width), empty.reshape(0, 4)
    return _Candidates(logits, empty, empty, boxes, empty.reshape(0, 2))


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
        output_mode: OutputMode = "binary_mask",
        label: str = "SAM",
        name: str = "sam",
        quality: Quality = "exact",
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
            output_mode: form of `segmentation` in the records.
            label: what a person reads.
            name: names the weights in a library.
            quality: "exact" decodes every click of the grid; "adaptive" goes from coarse to
                fine and leaves out clicks on masks that are small beside the spacing.
        """
        if output_mode not in ("binary_mask", "uncompressed_rle", "coco_rle"):
            raise ValueError(f"output_mode can't be {output_mode!r}")
        if quality not in ("exact", "adaptive"):
            raise ValueError(f"quality can't be {quality!r}")
        self.sam = sam
        self.quality = quality
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
            candidates = self._without_duplicates(self._decode_grid(image_rgb))
            records = [
                self._record(candidates, i, (width, height), output_mode or self.output_mode)
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

    def _decode_grid(self, image_rgb: np.ndarray) -> _Candidates:
        predictor = SamPredictor(self.sam)
        predictor.set_image(_shrunk(image_rgb, self.sam.image_encoder.img_size))
        height, width = image_rgb.shape[:2]
        # centres of the cells of the grid, in pixels of the image
        steps = (np.arange(self.points_per_side) + 0.5) / self.points_per_side
        grid = np.stack(np.meshgrid(steps * width, steps * height), axis=-1).reshape(-1, 2)
        points = torch.as_tensor(grid, dtype=torch.float32, device=self.sam.device)
        shown_wh = self._shown_wh((width, height))
        scale_xy = [shown_wh[0] / width, shown_wh[1] / height]
        inputs_xy = points * torch.tensor(scale_xy, device=points.device)
        # the part of the decoder's picture that shows the image
        part_w, part_h = (math.ceil(shown / self._pixel) for shown in shown_wh)

        decoder = PromptDecoder(self.sam, predictor.features)
        batch = min(self.points_per_batch, decoder.most_at_once)
        # the area of the smallest mask so far at each pixel of that part
        smallest = torch.full((part_h, part_w), torch.inf, device=points.device)
        rows = torch.as_tensor((steps * part_h).astype(int)).repeat_interleave(len(steps))
        columns = torch.as_tensor((steps * part_w).astype(int)).repeat(len(steps))
        batches = [_nothing(part_h, part_w, points.device)]
        for spacing, waiting in self._levels():
            if spacing < COARSE and self.quality == "adaptive":
                limit = (COVERING * spacing / self.points_per_side) ** 2 * smallest.numel()
                at = smallest[rows[waiting], columns[waiting]]
                waiting = waiting[(at > limit).cpu()]
            level = []
            for window in waiting.split(batch):
                clicks = inputs_xy[window, None]
                labels = torch.ones(clicks.shape[:2], dtype=torch.int, device=clicks.device)
                sparse, _ = self.sam.prompt_encoder((clicks, labels), None, None)
                decoded = decoder.decode(sparse)
                good = decoded.predicted_iou > self.pred_iou_thresh
                if good.any():
                    logits = decoder.draw(decoded, good, math.ceil(part_h / 4))[..., :part_w]
                    clicked = points[window][good.nonzero()[:, 0]]
                    found = self._stable(logits, decoded.predicted_iou[good], clicked, shown_wh)
                    found.logits = found.logits[:, :part_h]
                    level.append(found)
            batches += level
            if self.quality == "adaptive":
                for found in level:
                    masks = found.logits > 0
                    areas = masks.sum((1, 2), dtype=torch.float32)[:, None, None]
                    covered = torch.where(masks, areas, torch.inf)
                    smallest = torch.minimum(smallest, covered.amin(0)) if len(masks) else smallest
        return _Candidates(
            torch.cat([batch.logits for batch in batches]),
            torch.cat([batch.predicted_iou for batch in batches]),
            torch.cat([batch.stability for batch in batches]),
            torch.cat([batch.boxes for batch in batches]),
            torch.cat([batch.points_xy for batch in batches]),
        )

    def _levels(self) -> list[tuple[int, torch.Tensor]]:
        """Each level's spacing in cells of the grid and its clicks' places, coarse first."""
        places = torch.arange(self.points_per_side**2)
        if self.quality == "exact":
            return [(1, places)]
        row, column = places // self.points_per_side, places % self.points_per_side
        spacing = torch.where((row % 2 == 1) & (column % 2 == 1), 2, 1)
        spacing[(row % 4 == 1) & (column % 4 == 1)] = COARSE
        return [(level, places[spacing == level]) for level in (COARSE, 2, 1)]

    def _stable(
        self,
        logits: torch.Tensor,
        predicted_iou: torch.Tensor,
        points_xy: torch.Tensor,
        shown_wh: tuple[int, int],
    ) -> _Candidates:
        """Keep the masks whose stability passes.

        Stability and boxes are measured at the size of SAM's input, as Meta's generator does
        but for its last step to the image's size: islands of less than a pixel of the logits
        decide many a box. What is far from stable is left out before.

        Args:
            logits: (N, h, w).
            shown_wh: the image's size in pixels of SAM's input.
        """
        offset = self.stability_score_offset
        rough = _stability(logits, offset)
        hopeful = (
            (rough >= self.stability_score_thresh - 0.1) & (logits > 0).any(2).any(1)
        ).nonzero()
        kept, stabilities, boxes = [], [], []
        width, height = shown_wh
        for index in hopeful[:, 0].tolist():
            large = functional.interpolate(
                logits[index, None, None], scale_factor=self._pixel, mode="bilinear"
            )[0, :, :height, :width]
            stability = _stability(large, offset)
            if float(stability) >= self.stability_score_thresh and bool((large > 0).any()):
                kept.append(index)
                stabilities.append(stability)
                boxes.append(masks_to_boxes(large > 0))
        if not kept:
            return _nothing(logits.shape[1], logits.shape[2], logits.device)
        return _Candidates(
            logits[kept],
            predicted_iou[kept],
            torch.cat(stabilities),
            torch.cat(boxes),
            points_xy[kept],
        )

    def _without_duplicates(self, found: _Candidates) -> _Candidates:
        """Non-maximum suppression by boxes, then by the masks themselves."""
        if len(found.logits) == 0:
            return found
        one_class = torch.zeros_like(found.predicted_iou)
        kept = batched_nms(found.boxes, found.predicted_iou, one_class, self.box_nms_thresh)
        found = found.keep(kept)

        small = found.logits[:, None]
        if max(small.shape[2:]) > COMPARE_SIDE:
            small = functional.interpolate(
                small, size=COMPARE_SIDE, mode="bilinear", align_corners=False
            )
        flat = (small > 0).flatten(1).float()
        common = flat @ flat.T
        areas = flat.sum(1)
        iou = common / (areas[:, None] + areas[None] - common).clamp(min=1)
        chosen: list[int] = []
        for i in range(len(flat)):  # best first, as batched_nms returns them
            if not chosen or float(iou[i, chosen].max()) <= self.mask_nms_thresh:
                chosen.append(i)
        return found.keep(torch.tensor(chosen, device=found.logits.device))

    def _record(
        self, found: _Candidates, i: int, size_wh: tuple[int, int], output_mode: OutputMode
    ) -> dict[str, Any]:
        shown_wh = self._shown_wh(size_wh)
        scale_xy = (
            shown_wh[0] / size_wh[0] / self._pixel,
            shown_wh[1] / size_wh[1] / self._pixel,
        )
        mask = _full_size(found.logits[i].float().cpu().numpy(), size_wh, scale_xy)
        if self.min_mask_region_area > 0:
            mask = without_small_regions(mask, self.min_mask_region_area)
        x, y, w, h = cv2.boundingRect(mask)
        return {
            "segmentation": _in_form(mask, output_mode),
            "area": int(np.count_nonzero(mask)),
            "bbox": [x, y, w, h],
            "predicted_iou": float(found.predicted_iou[i]),
            "stability_score": float(found.stability[i]),
            "point_coords": [[float(value) for value in found.points_xy[i]]],
            "crop_box": [0, 0, size_wh[0], size_wh[1]],
        }


def _stability(logits: torch.Tensor, offset: float) -> torch.Tensor:
    """Of (N, h, w) logits: how little the mask's area changes with the threshold, (N,)."""
    inner = (logits > offset).sum((1, 2), dtype=torch.float32)
    outer = (logits > -offset).sum((1, 2), dtype=torch.float32)
    return inner / outer.clamp(min=1)


def without_small_regions(mask: np.ndarray, least_px: int) -> np.ndarray:
    """Fill holes and drop islands of fewer than least_px pixels, but never the largest island.

    Args:
        mask: (H, W) uint8, 0 or 1.

    Returns:
        (H, W) uint8, 0 or 1.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(1 - mask, connectivity=8)
    holes = [i for i in range(1, len(stats)) if stats[i, cv2.CC_STAT_AREA] < least_px]
    mask = np.where(np.isin(labels, holes), np.uint8(1), mask) if holes else mask
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if len(stats) <= 2:
        return mask
    areas = stats[1:, cv2.CC_STAT_AREA]
    kept = {1 + int(np.argmax(areas)), *(1 + np.flatnonzero(areas >= least_px))}
    return np.isin(labels, list(kept)).astype(np.uint8)


def _shrunk(image_rgb: np.ndarray, side: int) -> np.ndarray:
    """Bring a large image to twice SAM's input first: averaging pixels, so no aliasing.

    SamPredictor resizes the rest of the way itself.
    """
    scale = 2 * side / max(image_rgb.shape[:2])
    if scale >= 1:
        return image_rgb
    height, width = image_rgb.shape[:2]
    size_wh = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(image_rgb, size_wh, interpolation=cv2.INTER_AREA)


def _full_size(
    logits: np.ndarray, size_wh: tuple[int, int], scale_xy: tuple[float, float]
) -> np.ndarray:
    """Bring one mask's logits (h, w) to the image and threshold: (H, W) uint8, 0 or 1.

    Only the window that holds the mask is looked at; the rest of the image stays zero.

    Args:
        scale_xy: pixels of the logits a pixel of the image.
    """
    width, height = size_wh
    mask = np.zeros((height, width), np.uint8)
    ys, xs = np.nonzero(logits > 0)
    x_scale, y_scale = scale_xy
    left, top = max(0, int((xs.min() - 1) / x_scale)), max(0, int((ys.min() - 1) / y_scale))
    right = min(width, math.ceil((xs.max() + 2) / x_scale))
    bottom = min(height, math.ceil((ys.max() + 2) / y_scale))
    if right > left and bottom > top:
        # pixel centres lie at halves
        to_logits = np.array(
            [
                [x_scale, 0, (left + 0.5) * x_scale - 0.5],
                [0, y_scale, (top + 0.5) * y_scale - 0.5],
            ]
        )
        window = cv2.warpAffine(
            np.ascontiguousarray(logits),
            to_logits,
            (right - left, bottom - top),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        mask[top:bottom, left:right] = window > 0
    return mask


def _in_form(mask: np.ndarray, output_mode: OutputMode) -> Any:
    if output_mode == "binary_mask":
        return mask.astype(bool)
    if output_mode == "coco_rle":
        return encode_rle(mask)
    counts: list[int] = []
    flat = mask.T.ravel()  # column by column, as COCO has it
    changes = np.flatnonzero(np.diff(flat)) + 1
    edges = np.concatenate(([0], changes, [flat.size]))
    if flat[0]:
        counts.append(0)
    counts.extend(int(run) for run in np.diff(edges))
    return {"size": list(mask.shape), "counts": counts}
