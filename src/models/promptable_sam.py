"""SAM 1, Meta's and the starter: embeds an image, decodes prompts on it."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from segment_anything.modeling import Sam
from segment_anything.utils.transforms import ResizeLongestSide

from src.models.device import in_precision, to_device
from src.models.image_encoder import encode_pixels
from src.models.mask_sizes import Sizes
from src.models.segmenter import Prompts
from src.models.two_way_sam import SamEmbedding, TwoWaySam

# Parameters of an encoder that gains by 16 bits. Meta's ViT-B (90 million) takes half the
# time of a CPU with AVX512-BF16; the starter's (2 million) gains nothing, and its masks, which
# are less sure of themselves, change: mean best IoU with those of 32 bits 0.983.
LARGE_ENCODER = 50_000_000


class PromptableSam(TwoWaySam):
    """Embeds images and decodes prompts with SAM (Kirillov et al. 2023)."""

    def __init__(self, sam: Sam, half_decoder: bool = False, full_precision: bool = False) -> None:
        """Wrap a SAM.

        Args:
            sam: any model of segment_anything's class `Sam`, in eval mode.
            half_decoder: decode in 16 bits where the device is faster so, too.
            full_precision: compute all in 32 bits, a large encoder as well.
        """
        large = sum(p.numel() for p in sam.image_encoder.parameters()) >= LARGE_ENCODER
        super().__init__(sam, sam, large, half_decoder, full_precision)
        self.sam = sam

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
        return SamEmbedding(sizes, features, self._prepared(features))

    def _sparse(self, prompts: Prompts, sizes: Sizes) -> torch.Tensor:
        """Points and boxes as SAM's prompt encoder gives them: (B, N, C)."""
        points, boxes = self._points(prompts, sizes), self._boxes(prompts, sizes)
        if points is None and boxes is None:
            return self._no_prompts(len(prompts))
        sparse, _ = self.sam.prompt_encoder(points, boxes, None)
        return torch.as_tensor(sparse)


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
