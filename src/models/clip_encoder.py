"""Images or texts -> embeddings, with any open_clip model of 512 dimensions."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import torch
from torch.nn import functional

from src.models.device import FittingBatches, half_precision, in_precision, to_device
from src.models.starter.tokenizer import StarterTokenizer
from src.records import EMBEDDING_DIM


def letterbox(image_rgb: np.ndarray, size: int, fill_rgb: tuple[int, int, int]) -> np.ndarray:
    """Fit an image into a square, whole and in its proportions.

    CLIP's usual centre crop would cut the ends off every long segment.

    Args:
        image_rgb: (H, W, 3) uint8 RGB.
        size: side of the square in pixels.
        fill_rgb: colour of what the image leaves free.

    Returns:
        (size, size, 3) uint8 RGB.
    """
    height, width = image_rgb.shape[:2]
    scale = size / max(height, width)
    inner_wh = max(1, round(width * scale)), max(1, round(height * scale))
    shrinks = scale < 1
    inner = cv2.resize(
        image_rgb, inner_wh, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    )
    square = np.empty((size, size, 3), np.uint8)
    square[:] = fill_rgb
    left, top = (size - inner_wh[0]) // 2, (size - inner_wh[1]) // 2
    square[top : top + inner_wh[1], left : left + inner_wh[0]] = inner
    return square


@dataclass(frozen=True)
class ClipEncoder:
    """A CLIP (Radford et al. 2021) ready to embed.

    Attributes:
        name: names the model in a library; embeddings of two names are never compared.
        label: what a person reads.
        model: an open_clip model in eval mode.
        tokenize: texts -> token ids, as open_clip's tokenizers.
        vocabulary: the words that the model was taught; None where it takes any.
        image_size: side of the model's input in pixels.
        mean_rgb, std_rgb: the model's normalisation, of values 0 to 1.
        batches: how many images are embedded at once; fewer once they don't fit.
    """

    name: str
    label: str
    model: Any
    tokenize: Callable[[Sequence[str]], torch.Tensor]
    vocabulary: StarterTokenizer | None
    image_size: int
    mean_rgb: tuple[float, float, float]
    std_rgb: tuple[float, float, float]
    device: torch.device
    batches: FittingBatches = field(default_factory=lambda: FittingBatches(32))

    def known_words(self, text: str) -> tuple[str, ...]:
        """Return the words of a text that say something to the model; punctuation is none."""
        if self.vocabulary is None:
            return tuple(word for word in text.split() if _says_something(word))
        return self.vocabulary.known_words(text)

    def unknown_words(self, text: str) -> tuple[str, ...]:
        """Return the words of a text that the model was never taught, without fillers."""
        return () if self.vocabulary is None else self.vocabulary.unknown_words(text)

    @property
    def logit_scale(self) -> float:
        """What cosine similarity is multiplied by before a softmax, as trained."""
        return float(self.model.logit_scale.detach().exp())

    def square(self, image_rgb: np.ndarray) -> np.ndarray:
        """Return what the model sees of an image: (image_size, image_size, 3) uint8 RGB."""
        fill = tuple(round(255 * value) for value in self.mean_rgb)
        return letterbox(image_rgb, self.image_size, (fill[0], fill[1], fill[2]))

    def encode_image(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Embed RGB images.

        Args:
            images: N arrays, (H, W, 3) uint8 RGB; sizes may differ.

        Returns:
            (N, 512) float32, each row L2-normalised.
        """
        rows = list(self.batches.run(images, self._encode_batch))
        return np.concatenate(rows) if rows else np.empty((0, EMBEDDING_DIM), np.float32)

    def _encode_batch(self, images: Sequence[np.ndarray]) -> np.ndarray:
        squares = np.stack([self.square(image) for image in images])
        pixels = to_device(squares, self.device)
        pixels = pixels.permute(0, 3, 1, 2).to(torch.float32).div_(255)
        mean = torch.tensor(self.mean_rgb, device=self.device).view(1, 3, 1, 1)
        std = torch.tensor(self.std_rgb, device=self.device).view(1, 3, 1, 1)
        kind = half_precision(self.device) if self.device.type == "cuda" else None
        with torch.inference_mode(), in_precision(self.device, kind):
            seen = ((pixels - mean) / std).to(self.image_dtype)
            found = self.model.encode_image(seen)
        return _to_numpy(functional.normalize(found.float(), dim=-1))

    @property
    def image_dtype(self) -> torch.dtype:
        """Of the weights that look at images; see image_tower.made_ready."""
        dtype: torch.dtype = next(self.model.visual.parameters()).dtype
        return dtype

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """Embed texts.

        Returns:
            (N, 512) float32, each row L2-normalised.
        """
        if not texts:
            return np.empty((0, EMBEDDING_DIM), np.float32)
        with torch.inference_mode():
            tokens = self.tokenize(list(texts)).to(self.device)
            return _to_numpy(self.model.encode_text(tokens, normalize=True))


def _says_something(word: str) -> bool:
    """Return whether there is a letter, a digit or an emoji in a word.

    Models that were taught the captions of the web know emoji for what they show.
    """
    return any(char.isalnum() or unicodedata.category(char) == "So" for char in word)


def _to_numpy(embeddings: torch.Tensor) -> np.ndarray:
    array: np.ndarray = embeddings.float().cpu().numpy()
    return array
