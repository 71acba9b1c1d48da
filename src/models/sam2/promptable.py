"""SAM 2.1 on one picture: embeds it, decodes prompts on it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import torch
from torch.nn import functional

from src.models.device import in_precision, to_device
from src.models.mask_sizes import Sizes
from src.models.prompt_decoder import GUESSES, ONE_MASK, Decoded, PromptDecoder
from src.models.segmenter import Prompts
from src.models.two_way_sam import SamEmbedding, TwoWaySam

# Meta's, of values 0 to 1.
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# A box is asked as two points with labels of their own.
_CORNERS = (2, 3)
# Meta's predictor gives mask prompts no logit beyond this.
_MOST_LOGIT = 32.0


class PromptableSam2(TwoWaySam):
    """Embeds images and decodes prompts with SAM 2.1 (Ravi et al. 2024).

    Its numbers are those of sam2's SAM2ImagePredictor.
    """

    def __init__(
        self, module: Any, half_decoder: bool = False, full_precision: bool = False
    ) -> None:
        """Wrap a SAM 2.1.

        Args:
            module: sam2's SAM2Base or one made of it, in eval mode.
            half_decoder: decode in 16 bits where the device is faster so, too.
            full_precision: compute all in 32 bits, the encoder as well.
        """
        parts: Any = SimpleNamespace(
            mask_decoder=module.sam_mask_decoder, prompt_encoder=module.sam_prompt_encoder
        )
        # in which Meta's own examples compute all of it
        super().__init__(module, parts, True, half_decoder, full_precision)
        self._sam: Any = module
        self._side = int(module.image_size)

    def sizes(self, image_wh: tuple[int, int]) -> Sizes:
        """At which an image of that size is looked at: all of the square, whatever its shape."""
        grid = int(self.parts.prompt_encoder.image_embedding_size[0])
        return Sizes.stretched(self._side, self._side // (4 * grid), image_wh)

    @torch.inference_mode()
    def embed(self, image_rgb: np.ndarray) -> SamEmbedding:
        """Look at an image, once for any number of prompts.

        Args:
            image_rgb: (H, W, 3) uint8 RGB.
        """
        sizes = self.sizes((image_rgb.shape[1], image_rgb.shape[0]))
        pixels = self._pixels(image_rgb)
        with in_precision(self.device, self._encoder_precision):
            finest, fine, features = self._sam.forward_image(pixels)["backbone_fpn"]
        features, details = features.float(), (fine.float(), finest.float())
        if self._sam.directly_add_no_mem_embed:
            features = features + self._sam.no_mem_embed.view(1, -1, 1, 1)
        return SamEmbedding(sizes, features, self._prepared(features, details=details), details)

    def _pixels(self, image_rgb: np.ndarray) -> torch.Tensor:
        """Stretch an image to the square that SAM 2 looks at: (1, 3, S, S), normalised."""
        height, width = image_rgb.shape[:2]
        # averaging pixels first, as for SAM 1, so that an image of any size takes little memory
        most = min(width, 2 * self._side), min(height, 2 * self._side)
        if most != (width, height):
            image_rgb = cv2.resize(image_rgb, most, interpolation=cv2.INTER_AREA)
        shown = to_device(image_rgb, self.device).permute(2, 0, 1)[None].float() / 255
        square = functional.interpolate(
            shown, (self._side, self._side), mode="bilinear", align_corners=False, antialias=True
        )
        mean, std = (shown.new_tensor(values).view(1, 3, 1, 1) for values in (_MEAN, _STD))
        return (square - mean) / std

    def _sparse(self, prompts: Prompts, sizes: Sizes) -> torch.Tensor:
        """Points and boxes as SAM 2's prompt encoder gives them, boxes as two points: (B, N, C)."""
        points, boxes = self._points(prompts, sizes), self._boxes(prompts, sizes)
        if boxes is not None:
            corners = boxes.unflatten(1, (2, 2))
            labels = torch.tensor(_CORNERS, dtype=torch.int, device=self.device)
            labels = labels.expand(len(boxes), -1)
            if points is not None:
                corners = torch.cat([corners, points[0]], dim=1)
                labels = torch.cat([labels, points[1]], dim=1)
            points = corners, labels
        if points is None:
            return self._no_prompts(len(prompts))
        sparse, _ = self.parts.prompt_encoder(points, None, None)
        return torch.as_tensor(sparse)

    def _mask_prompt(self, logits: torch.Tensor) -> torch.Tensor:
        return super()._mask_prompt(logits).clamp(-_MOST_LOGIT, _MOST_LOGIT)

    def _one_mask(
        self, decoder: PromptDecoder, decoded: Decoded, least: float, rows: int | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """See TwoWaySam: where the one mask is not stable, it is the best of the three."""
        own = self.parts.mask_decoder
        if not own.dynamic_multimask_via_stability:
            return super()._one_mask(decoder, decoded, least, rows)
        ious = decoded.ious[:, ONE_MASK.start : ONE_MASK.stop]
        logits = decoder.draw(decoded, torch.ones_like(ious, dtype=torch.bool), rows, ONE_MASK)
        moved = own.dynamic_multimask_stability_delta
        inner = (logits > moved).sum((1, 2), dtype=torch.float32)
        outer = (logits > -moved).sum((1, 2), dtype=torch.float32)
        stability = torch.where(outer > 0, inner / outer, 1.0)
        unstable = stability < own.dynamic_multimask_stability_thresh
        rated, best = decoded.ious[:, GUESSES.start : GUESSES.stop].max(dim=1)
        chosen = functional.one_hot(best, len(GUESSES)).bool() & unstable[:, None]
        logits[unstable] = decoder.draw(decoded, chosen, rows, GUESSES)
        ious = torch.where(unstable, rated, ious[:, 0])[:, None]
        return logits[ious[:, 0] > least], ious
