"""Image -> masks: SAM in everything mode, on a grid of clicks.

Answers to the same arguments and gives the same records as Meta's
SamAutomaticMaskGenerator. The decoder does the same with less arithmetic (prompt_decoder.py);
filters, boxes and duplicates are settled at its resolution, and only what survives is brought
to the size of the image, so memory does not grow with megapixels times clicks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
import torch
from segment_anything import SamPredictor
from segment_anything.modeling import Sam
from torchvision.ops import batched_nms, masks_to_boxes

from src.models.mask_rle import encode_rle
from src.models.prompt_decoder import PromptDecoder

# Side of the pictures on which masks are compared with each other.
COMPARE_SIDE = 64

OutputMode = Literal["binary_mask", "uncompressed_rle", "coco_rle"]


@dataclass
class _Candidates:
    """Masks of one image that passed the scores, N of them, at the decoder's resolution."""

    logits: torch.Tensor  # (N, h, w) float32
    predicted_iou: torch.Tensor  # (N,)
    stability: torch.Tensor  # (N,)
    points_xy: torch.Tensor  # (N, 2) in pixels of the image

    def keep(self, chosen: torch.Tensor) -> _Candidates:
        return _Candidates(
            self.logits[chosen],
            self.predicted_iou[chosen],
            self.stability[chosen],
            self.points_xy[chosen],
        )


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
        """
        if output_mode not in ("binary_mask", "uncompressed_rle", "coco_rle"):
            raise ValueError(f"output_mode can't be {output_mode!r}")
        self.sam = sam
        self.label = label
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

    def _decode_grid(self, image_rgb: np.ndarray) -> _Candidates:
        predictor = SamPredictor(self.sam)
        predictor.set_image(_shrunk(image_rgb, self.sam.image_encoder.img_size))
        height, width = image_rgb.shape[:2]
        # centres of the cells of the grid, in pixels of the image
        steps = (np.arange(self.points_per_side) + 0.5) / self.points_per_side
        grid = np.stack(np.meshgrid(steps * width, steps * height), axis=-1).reshape(-1, 2)
        points = torch.as_tensor(grid, dtype=torch.float32, device=self.sam.device)
        side = self.sam.image_encoder.img_size
        inputs_xy = points * (side / max(height, width))

        # the decoder's picture of the padded square, cut to the part that shows the image
        full = self.sam.prompt_encoder.image_embedding_size[0] * 4
        part_h = max(1, round(full * height / max(height, width)))
        part_w = max(1, round(full * width / max(height, width)))

        decoder = PromptDecoder(self.sam, predictor.features)
        batches = []
        for start in range(0, len(points), self.points_per_batch):
            window = slice(start, start + self.points_per_batch)
            clicks = inputs_xy[window, None]
            labels = torch.ones(clicks.shape[:2], dtype=torch.int, device=clicks.device)
            sparse, _ = self.sam.prompt_encoder((clicks, labels), None, None)
            decoded = decoder.decode(sparse)
            good = decoded.predicted_iou > self.pred_iou_thresh
            found = _Candidates(
                decoder.draw(decoded, good)[:, :part_h, :part_w],
                decoded.predicted_iou[good],
                torch.empty(0),
                points[window][good.nonzero()[:, 0]],
            )
            batches.append(self._stable(found))
        return _Candidates(
            torch.cat([batch.logits for batch in batches]),
            torch.cat([batch.predicted_iou for batch in batches]),
            torch.cat([batch.stability for batch in batches]),
            torch.cat([batch.points_xy for batch in batches]),
        )

    def _stable(self, found: _Candidates) -> _Candidates:
        """Keep the masks whose stability passes."""
        logits = found.logits
        offset = self.stability_score_offset
        inner = (logits > offset).sum((1, 2), dtype=torch.float32)
        outer = (logits > -offset).sum((1, 2), dtype=torch.float32)
        stability = inner / outer.clamp(min=1)
        stable = (stability >= self.stability_score_thresh) & (logits > 0).any(2).any(1)
        return _Candidates(
            logits[stable],
            found.predicted_iou[stable],
            stability[stable],
            found.points_xy[stable],
        )

    def _without_duplicates(self, found: _Candidates) -> _Candidates:
        """Non-maximum suppression by boxes, then by the masks themselves."""
        if len(found.logits) == 0:
            return found
        boxes = masks_to_boxes(found.logits > 0)
        kept = batched_nms(boxes, found.predicted_iou, torch.zeros(len(boxes)), self.box_nms_thresh)
        found = found.keep(kept)

        small = found.logits[:, None]
        if max(small.shape[2:]) > COMPARE_SIDE:
            small = torch.nn.functional.interpolate(
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
        mask = _full_size(found.logits[i].float().cpu().numpy(), size_wh)
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


def _full_size(logits: np.ndarray, size_wh: tuple[int, int]) -> np.ndarray:
    """Bring one mask's logits (h, w) to the image and threshold: (H, W) uint8, 0 or 1.

    Only the window that holds the mask is resized; the rest of the image stays zero.
    """
    width, height = size_wh
    rows, cols = logits.shape
    ys, xs = np.nonzero(logits > 0)
    y0, y1 = max(0, ys.min() - 2), min(rows, ys.max() + 3)
    x0, x1 = max(0, xs.min() - 2), min(cols, xs.max() + 3)
    left, right = round(x0 * width / cols), round(x1 * width / cols)
    top, bottom = round(y0 * height / rows), round(y1 * height / rows)
    mask = np.zeros((height, width), np.uint8)
    if right > left and bottom > top:
        window = cv2.resize(
            np.ascontiguousarray(logits[y0:y1, x0:x1]),
            (right - left, bottom - top),
            interpolation=cv2.INTER_LINEAR,
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
