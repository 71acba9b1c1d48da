"""What SAMs have in common: prompts are decoded by a two-way transformer (Kirillov et al. 2023)."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch

from src.models.device import half_precision, in_precision
from src.models.mask_sizes import Sizes
from src.models.prompt_decoder import GUESSES, ONE_MASK, Decoded, DecodingParts, PromptDecoder
from src.models.segmenter import ImageEmbedding, MaskPredictions, Prompts


@dataclass(frozen=True)
class SamEmbedding:
    """What SAM keeps of an image.

    Attributes:
        sizes: of the image.
        features: (1, C, G, G) float32 of the image encoder; the starter's (1, 4 C, G, G).
        decoder: prepared for prompts without masks.
        details: SAM 2's finer features; see PromptDecoder.
    """

    sizes: Sizes
    features: torch.Tensor
    decoder: PromptDecoder
    details: tuple[torch.Tensor, torch.Tensor] | None = None

    @property
    def most_at_once(self) -> int:
        """How many prompts to decode at once; more are slower."""
        return self.decoder.most_at_once


class TwoWaySam(ABC):
    """Decodes prompts with a SAM; how an image is embedded is its architecture's.

    Attributes:
        module: the whole model.
        parts: those of it that decode.
    """

    def __init__(
        self,
        module: torch.nn.Module,
        parts: DecodingParts,
        half_encoder: bool,
        half_decoder: bool,
        full_precision: bool,
    ) -> None:
        """Wrap a SAM.

        Args:
            module: in eval mode.
            parts: of it, that decode.
            half_encoder, half_decoder: compute them in 16 bits where the device is faster so.
            full_precision: compute all in 32 bits, whatever these say.
        """
        self.module, self.parts = module, parts
        half = None if full_precision else half_precision(self.device)
        self._encoder_precision = half if half_encoder else None
        self._decoder_precision = half if half_decoder else None

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.module.parameters()).device

    @abstractmethod
    def sizes(self, image_wh: tuple[int, int]) -> Sizes:
        """At which an image of that size is looked at."""

    @abstractmethod
    def embed(self, image_rgb: np.ndarray) -> SamEmbedding:
        """Look at an image, once for any number of prompts.

        Args:
            image_rgb: (H, W, 3) uint8 RGB.
        """

    @torch.inference_mode()
    def decode(
        self,
        embedding: ImageEmbedding,
        prompts: Prompts,
        *,
        multimask: bool = True,
        min_iou: float | None = None,
        padding: bool = True,
    ) -> MaskPredictions:
        """Cut masks out of an image: SAM's three guesses for each prompt, or one mask.

        Args:
            embedding: of the image, from this model.
            prompts: where the masks are.
            multimask: the three guesses.
            min_iou: leave out masks whose predicted IoU is not above it; they are not drawn.
            padding: include logits beyond the edges of the image: (4 G, 4 G) of the whole square.
        """
        if not isinstance(embedding, SamEmbedding):
            raise TypeError("an embedding of another model")
        sparse = self._sparse(prompts, embedding.sizes)
        if prompts.logits is None:
            return self._decoded(
                embedding.decoder, sparse, embedding.sizes, multimask, min_iou, padding
            )
        # a mask is added to the picture, which then is another for each prompt
        each = []
        for one, own in enumerate(sparse.split(1)):
            dense = self.parts.prompt_encoder.mask_downscaling(
                self._mask_prompt(prompts.logits[one][None, None])
            )
            decoder = self._prepared(embedding.features, dense, embedding.details)
            found = self._decoded(decoder, own, embedding.sizes, multimask, min_iou, padding)
            each.append((found.logits, found.predicted_iou, found.prompts + one))
        logits, ious, places = (torch.cat(parts) for parts in zip(*each, strict=True))
        return MaskPredictions(logits, ious, places, embedding.sizes)

    def _prepared(
        self,
        features: torch.Tensor,
        dense: torch.Tensor | None = None,
        details: tuple[torch.Tensor, torch.Tensor] | None = None,
    ) -> PromptDecoder:
        """Return a decoder of prompts on a picture; see PromptDecoder."""
        with in_precision(self.device, self._decoder_precision):
            return PromptDecoder(self.parts, features, dense, details)

    def _decoded(
        self,
        decoder: PromptDecoder,
        sparse: torch.Tensor,
        sizes: Sizes,
        multimask: bool,
        min_iou: float | None,
        padding: bool,
    ) -> MaskPredictions:
        least = -math.inf if min_iou is None else min_iou
        part_w, part_h = sizes.logits_wh
        # the last rows of places reach beyond the image: they help to enlarge
        rows = None if padding else math.ceil(part_h / 4)
        with in_precision(self.device, self._decoder_precision):
            decoded = decoder.decode(sparse)
            if multimask:
                ious = decoded.ious[:, GUESSES.start : GUESSES.stop]
                good = ious > least
                logits = decoder.draw(decoded, good, rows, GUESSES)
            else:
                logits, ious = self._one_mask(decoder, decoded, least, rows)
                good = ious > least
        if not padding:
            logits = logits[..., :part_w]
        return MaskPredictions(logits.float(), ious[good], good.nonzero()[:, 0], sizes)

    def _one_mask(
        self, decoder: PromptDecoder, decoded: Decoded, least: float, rows: int | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw one mask for each prompt, of those whose predicted IoU is above the least.

        Returns:
            (K, h, w) logits, and (B, 1) the predicted IoU of each prompt's.
        """
        ious = decoded.ious[:, ONE_MASK.start : ONE_MASK.stop]
        return decoder.draw(decoded, ious > least, rows, ONE_MASK), ious

    @abstractmethod
    def _sparse(self, prompts: Prompts, sizes: Sizes) -> torch.Tensor:
        """Points and boxes as SAM's prompt encoder gives them: (B, N, C)."""

    def _points(self, prompts: Prompts, sizes: Sizes) -> tuple[torch.Tensor, torch.Tensor] | None:
        """Points in pixels of the model's input (B, K, 2) and their labels (B, K), if any."""
        if prompts.points_xy is None:
            return None
        points_xy = self._tensor(prompts.points_xy * sizes.input_scale_xy)
        if prompts.labels is None:
            labels = torch.ones(points_xy.shape[:2], dtype=torch.int, device=self.device)
        else:
            labels = torch.as_tensor(prompts.labels, dtype=torch.int, device=self.device)
        return points_xy, labels

    def _boxes(self, prompts: Prompts, sizes: Sizes) -> torch.Tensor | None:
        """Boxes in pixels of the model's input (B, 4), if any."""
        if prompts.boxes_xyxy is None:
            return None
        return self._tensor(prompts.boxes_xyxy * np.tile(sizes.input_scale_xy, 2))

    def _mask_prompt(self, logits: torch.Tensor) -> torch.Tensor:
        """Logits of one mask (1, 1, h, w) as the prompt encoder takes them."""
        return logits.to(self.device, torch.float32)

    def _no_prompts(self, count: int) -> torch.Tensor:
        """What the prompt encoder gives where there are neither points nor boxes: (B, 0, C)."""
        return torch.empty(count, 0, self.parts.prompt_encoder.embed_dim, device=self.device)

    def _tensor(self, values: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(values, dtype=torch.float32, device=self.device)
