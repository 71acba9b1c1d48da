"""SAM 1, Meta's and the starter: embeds an image, decodes prompts on it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from segment_anything.modeling import Sam
from segment_anything.utils.transforms import ResizeLongestSide

from src.models.device import half_precision, in_precision, to_device
from src.models.image_encoder import encode_pixels
from src.models.mask_sizes import Sizes
from src.models.prompt_decoder import GUESSES, ONE_MASK, PromptDecoder
from src.models.segmenter import ImageEmbedding, MaskPredictions, Prompts

# Parameters of an encoder that gains by 16 bits. Meta's ViT-B (90 million) takes half the
# time of a CPU with AVX512-BF16; the starter's (2 million) gains nothing, and its masks, which
# are less sure of themselves, change: mean best IoU with those of 32 bits 0.983.
LARGE_ENCODER = 50_000_000


@dataclass(frozen=True)
class SamEmbedding:
    """What SAM keeps of an image.

    Attributes:
        sizes: of the image.
        features: (1, C, G, G) float32 of the image encoder; the starter's (1, 4 C, G, G).
        decoder: prepared for prompts without masks.
    """

    sizes: Sizes
    features: torch.Tensor
    decoder: PromptDecoder

    @property
    def most_at_once(self) -> int:
        """How many prompts to decode at once; more are slower."""
        return self.decoder.most_at_once


class PromptableSam:
    """Embeds images and decodes prompts with SAM (Kirillov et al. 2023)."""

    def __init__(self, sam: Sam, half_decoder: bool = False, full_precision: bool = False) -> None:
        """Wrap a SAM.

        Args:
            sam: any model of segment_anything's class `Sam`, in eval mode.
            half_decoder: decode in 16 bits where the device is faster so, too.
            full_precision: compute all in 32 bits, a large encoder as well.
        """
        self.module = self.sam = sam
        half = None if full_precision else half_precision(sam.device)
        large = sum(p.numel() for p in sam.image_encoder.parameters()) >= LARGE_ENCODER
        self._encoder_precision = half if large else None
        self._decoder_precision = half if half_decoder else None

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        device: torch.device = self.sam.device
        return device

    def sizes(self, image_wh: tuple[int, int]) -> Sizes:
        """At which an image of that size is looked at."""
        side = int(self.sam.image_encoder.img_size)
        pixel = side // (4 * int(self.sam.prompt_encoder.image_embedding_size[0]))
        return Sizes.in_square(side, pixel, image_wh)

    @torch.inference_mode()
    def embed(self, image_rgb: np.ndarray) -> SamEmbedding:
        """Look at an image, once for any number of prompts.

        Args:
            image_rgb: (H, W, 3) uint8 RGB.

        Raises:
            ValueError: the image is too thin for anything to be seen at SAM's size.
        """
        sizes = self.sizes((image_rgb.shape[1], image_rgb.shape[0]))
        if 0 in sizes.shown_wh:
            raise ValueError(f"an image of {sizes.image_wh} is too thin to be seen at SAM's size")
        encoder = self.sam.image_encoder
        shown = _shrunk(image_rgb, encoder.img_size)
        shown = ResizeLongestSide(encoder.img_size).apply_image(shown)
        pixels = to_device(shown, self.device).permute(2, 0, 1)[None]
        with in_precision(self.device, self._encoder_precision):
            features = encode_pixels(encoder, self.sam.preprocess(pixels)).float()
        with in_precision(self.device, self._decoder_precision):
            return SamEmbedding(sizes, features, PromptDecoder(self.sam, features))

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
            mask = prompts.logits[one][None, None].to(self.device, torch.float32)
            dense = self.sam.prompt_encoder.mask_downscaling(mask)
            with in_precision(self.device, self._decoder_precision):
                decoder = PromptDecoder(self.sam, embedding.features, dense)
            found = self._decoded(decoder, own, embedding.sizes, multimask, min_iou, padding)
            each.append((found.logits, found.predicted_iou, found.prompts + one))
        logits, ious, places = (torch.cat(parts) for parts in zip(*each, strict=True))
        return MaskPredictions(logits, ious, places, embedding.sizes)

    def _decoded(
        self,
        decoder: PromptDecoder,
        sparse: torch.Tensor,
        sizes: Sizes,
        multimask: bool,
        min_iou: float | None,
        padding: bool,
    ) -> MaskPredictions:
        which = GUESSES if multimask else ONE_MASK
        with in_precision(self.device, self._decoder_precision):
            decoded = decoder.decode(sparse)
        ious = decoded.ious[:, which.start : which.stop]
        good = ious > (-math.inf if min_iou is None else min_iou)
        part_w, part_h = sizes.logits_wh
        # the last rows of places reach beyond the image: they help to enlarge
        rows = None if padding else math.ceil(part_h / 4)
        with in_precision(self.device, self._decoder_precision):
            logits = decoder.draw(decoded, good, rows, which)
        if not padding:
            logits = logits[..., :part_w]
        return MaskPredictions(logits.float(), ious[good], good.nonzero()[:, 0], sizes)

    def _sparse(self, prompts: Prompts, sizes: Sizes) -> torch.Tensor:
        """Points and boxes as SAM's prompt encoder gives them: (B, N, C)."""
        scale_xy = sizes.input_scale_xy
        points = boxes = None
        if prompts.points_xy is not None:
            points_xy = self._tensor(prompts.points_xy * scale_xy)
            if prompts.labels is None:
                labels = torch.ones(points_xy.shape[:2], dtype=torch.int, device=self.device)
            else:
                labels = torch.as_tensor(prompts.labels, dtype=torch.int, device=self.device)
            points = points_xy, labels
        if prompts.boxes_xyxy is not None:
            boxes = self._tensor(prompts.boxes_xyxy * np.tile(scale_xy, 2))
        if points is None and boxes is None:
            return torch.empty(len(prompts), 0, self.sam.prompt_encoder.embed_dim).to(self.device)
        sparse, _ = self.sam.prompt_encoder(points, boxes, None)
        return torch.as_tensor(sparse)

    def _tensor(self, values: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(values, dtype=torch.float32, device=self.device)


def _shrunk(image_rgb: np.ndarray, side: int) -> np.ndarray:
    """Bring a large image to twice SAM's input first: averaging pixels, so no aliasing.

    Meta's own resizing goes the rest of the way.
    """
    height, width = image_rgb.shape[:2]
    scale = 2 * side / max(height, width)
    return at_most(image_rgb, (max(1, round(width * scale)), max(1, round(height * scale))))


def at_most(image_rgb: np.ndarray, size_wh: tuple[int, int]) -> np.ndarray:
    """An image at that size, or as it is where it is smaller."""
    if max(image_rgb.shape[:2]) <= max(size_wh):
        return image_rgb
    return cv2.resize(image_rgb, size_wh, interpolation=cv2.INTER_AREA)
