"""Image -> masks: SAM in everything mode, on a grid of clicks.

Answers to the same arguments and gives the same records as Meta's
SamAutomaticMaskGenerator. The decoder does the same with less arithmetic (prompt_decoder.py);
filters, boxes and duplicates are settled at its resolution, and only what survives is brought
to the size of the image, so memory does not grow with megapixels times clicks.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import torch
from segment_anything.modeling import Sam
from segment_anything.utils.transforms import ResizeLongestSide
from torch.nn import functional

from src.models.click_grid import ClickGrid, Quality
from src.models.device import FittingBatches, half_precision, in_precision
from src.models.image_encoder import encode_pixels
from src.models.mask_candidates import Candidates, Sizes, distinct, stable
from src.models.mask_rle import OutputMode, in_form
from src.models.mask_shape import (
    full_size,
    mutual_ious,
    paired_ious,
    without_small_regions,
    without_specks,
)
from src.models.prompt_decoder import Decoded, PromptDecoder

# Side of the pictures on which masks are compared with each other.
COMPARE_SIDE = 64
# A mask that was given back and overlaps less with what comes is of another thing.
SAME_THING = 0.7
# Parameters of an encoder that gains by 16 bits. Meta's ViT-B (90 million) takes half the
# time of a CPU with AVX512-BF16; the starter's (2 million) gains nothing, and its masks, which
# are less sure of themselves, change: mean best IoU with those of 32 bits 0.983.
LARGE_ENCODER = 50_000_000


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
        refine: bool = False,
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
            refine: give each mask that is left back to the decoder with its click, as SAM
                learns to take it (Kirillov et al. 2023, appendix A), and keep what comes back
                where SAM rates it higher and it is stable and of the same thing.
            full_precision: compute in 32 bits what the device would do faster in 16: the
                encoder of a large SAM, and with "adaptive" also the decoder.
        """
        if output_mode not in ("binary_mask", "uncompressed_rle", "coco_rle"):
            raise ValueError(f"output_mode can't be {output_mode!r}")
        if quality not in ("exact", "adaptive"):
            raise ValueError(f"quality can't be {quality!r}")
        self.sam = sam
        self.quality = quality
        self.refine = refine
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
        image_wh = image_rgb.shape[1], image_rgb.shape[0]
        with torch.inference_mode():
            grid = ClickGrid(self.points_per_side, self.quality, self.stability_score_offset)
            sizes = Sizes.of(self.sam, image_wh)
            decoder = PromptDecoder(self.sam, self._embedding(image_rgb))
            batches = FittingBatches(min(self.points_per_batch, decoder.most_at_once))
            candidates = self._decode_grid(decoder, batches, grid, sizes)
            candidates = self._without_duplicates(candidates, sizes)
            if self.refine:
                candidates = self._refined(decoder, batches, candidates, grid, sizes)
                candidates = self._without_duplicates(candidates, sizes)
            clicks_xy = grid.xy[candidates.clicks.cpu().numpy()] * image_wh
            records = [
                self._record(candidates, i, clicks_xy[i], sizes, output_mode or self.output_mode)
                for i in range(len(candidates.logits))
            ]
        return [record for record in records if record["area"] > 0]

    def _embedding(self, image_rgb: np.ndarray) -> torch.Tensor:
        """What SAM's encoder makes of an image: (1, C, G, G) float32."""
        encoder = self.sam.image_encoder
        shown = _shrunk(image_rgb, encoder.img_size)
        shown = ResizeLongestSide(encoder.img_size).apply_image(shown)
        pixels = torch.as_tensor(shown, device=self.sam.device).permute(2, 0, 1)[None]
        with in_precision(self.sam.device, self._encoder_precision):
            return encode_pixels(encoder, self.sam.preprocess(pixels)).float()

    def _decode_grid(
        self, decoder: PromptDecoder, batches: FittingBatches, grid: ClickGrid, sizes: Sizes
    ) -> Candidates:
        def decoded(window: torch.Tensor) -> Candidates:
            sparse, _ = self.sam.prompt_encoder(self._prompts(grid, window, sizes), None, None)
            with in_precision(self.sam.device, self._decoder_precision):
                guesses = decoder.decode(sparse)
            good = guesses.predicted_iou > self.pred_iou_thresh
            good[:, 0] = False  # a click alone leaves doubts
            if not good.any():
                return Candidates.none(sizes, self.sam.device)
            ious, clicks = guesses.predicted_iou[good].float(), window[good.nonzero()[:, 0].cpu()]
            logits = self._drawn(decoder, guesses, good, sizes)
            return self._stable(logits, ious, clicks.to(logits.device), sizes)

        parts = [Candidates.none(sizes, self.sam.device)]
        for waiting in grid.levels():
            for found in batches.run(waiting, decoded):
                parts.append(found)
                grid.found(found.logits, found.clicks)
        return Candidates.joined(parts)

    def _refined(
        self,
        decoder: PromptDecoder,
        batches: FittingBatches,
        found: Candidates,
        grid: ClickGrid,
        sizes: Sizes,
    ) -> Candidates:
        """Give masks back to the decoder; take what it rates higher, if it is of the same thing."""
        side_h, side_w = (4 * side for side in self.sam.prompt_encoder.image_embedding_size)

        def decoded(window: torch.Tensor) -> Candidates:
            given = found.keep(window)
            clicks, (height, width) = given.clicks.cpu(), given.logits.shape[1:]
            # beyond the picture nobody knows
            masks = functional.pad(given.logits, (0, side_w - width, 0, side_h - height))[:, None]
            prompts = self._prompts(grid, clicks, sizes)
            sparse, dense = self.sam.prompt_encoder(prompts, None, masks)
            with in_precision(self.sam.device, self._decoder_precision):
                again = decoder.decode(sparse, dense)
            better = (again.predicted_iou[:, 0] > given.predicted_iou).nonzero()[:, 0]
            if len(better) == 0:
                return given
            chosen = torch.zeros_like(again.predicted_iou, dtype=torch.bool)
            chosen[better, 0] = True  # a mask and a click leave no doubt
            logits = self._drawn(decoder, again, chosen, sizes)
            # numbered by what was given, until it is known what takes whose place
            refined = self._stable(logits, again.predicted_iou[chosen].float(), better, sizes)
            overlap = paired_ious(refined.logits > 0, given.logits[refined.clicks] > 0)
            refined = refined.keep((overlap >= SAME_THING).nonzero()[:, 0])
            rest = torch.ones(len(window), dtype=torch.bool, device=better.device)
            rest[refined.clicks] = False
            refined.clicks = given.clicks[refined.clicks]
            return Candidates.joined([given.keep(rest.nonzero()[:, 0]), refined])

        every = torch.arange(len(found.logits), device=found.logits.device)
        none = Candidates.none(sizes, self.sam.device)
        return Candidates.joined([none, *batches.run(every, decoded)])

    def _prompts(
        self, grid: ClickGrid, clicks: torch.Tensor, sizes: Sizes
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Clicks (B,) of a grid as the prompt encoder takes them: (B, 1, 2) and (B, 1)."""
        inputs_xy = grid.xy[clicks.numpy()] * sizes.shown_wh
        points = torch.as_tensor(inputs_xy, dtype=torch.float32, device=self.sam.device)[:, None]
        return points, torch.ones(points.shape[:2], dtype=torch.int, device=points.device)

    def _drawn(
        self, decoder: PromptDecoder, decoded: Decoded, chosen: torch.Tensor, sizes: Sizes
    ) -> torch.Tensor:
        """Logits of masks, (N, h, w) float32: what shows the image, and rows to enlarge by.

        Args:
            chosen: (B, 4) bool, which masks of each prompt.
        """
        part_w, part_h = sizes.logits_wh
        with in_precision(self.sam.device, self._decoder_precision):
            return decoder.draw(decoded, chosen, math.ceil(part_h / 4))[..., :part_w].float()

    def _stable(
        self, logits: torch.Tensor, ious: torch.Tensor, clicks: torch.Tensor, sizes: Sizes
    ) -> Candidates:
        return stable(
            logits,
            ious,
            clicks,
            sizes,
            self.stability_score_offset,
            self.stability_score_thresh,
            self.quality == "exact",
        )

    def _without_duplicates(self, found: Candidates, sizes: Sizes) -> Candidates:
        """Non-maximum suppression by boxes, then by the masks themselves."""
        found = distinct(
            found,
            sizes,
            self.stability_score_offset,
            self.stability_score_thresh,
            self.box_nms_thresh,
            self.quality == "exact",
        )
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
        found: Candidates,
        i: int,
        click_xy: np.ndarray,
        sizes: Sizes,
        output_mode: OutputMode,
    ) -> dict[str, Any]:
        logits = found.logits[i].cpu().numpy()
        width, height = sizes.image_wh
        if sizes.measured_wh == sizes.image_wh:  # in Meta's two steps
            mask = (cv2.resize(sizes.at_input(logits), sizes.image_wh) > 0).view(np.uint8)
        else:
            scale_xy = (
                sizes.shown_wh[0] / width / sizes.pixel,
                sizes.shown_wh[1] / height / sizes.pixel,
            )
            mask = full_size(logits, sizes.image_wh, scale_xy)
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
            "crop_box": [0, 0, width, height],
        }


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
