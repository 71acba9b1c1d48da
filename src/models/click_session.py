"""One mask, cut out of an image by clicks that can be taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

import numpy as np
import torch

from src.models.mask_sizes import Sizes
from src.models.segmenter import ImageEmbedding, Promptable, Prompts

# One mask's logits (h, w) to a mask of the image: (H, W), not 0 inside.
ToMask = Callable[[np.ndarray, Sizes], np.ndarray]


def _enlarged(logits: np.ndarray, sizes: Sizes) -> np.ndarray:
    return sizes.at_image(logits)


@dataclass(frozen=True)
class _Step:
    """What a click left: where it was, and what the model saw of all so far."""

    x: float
    y: float
    positive: bool
    logits: torch.Tensor | None
    predicted_iou: float


class ClickSession:
    """Keeps an image's embedding while a person clicks; close it to free the memory.

    As SAM was trained (Kirillov et al. 2023, appendix A): of the three guesses at the first click
    the one is taken that the model rates best; each further click gives one mask, from all clicks
    so far and the logits of the mask before.
    """

    def __init__(
        self, model: Promptable, image_rgb: np.ndarray, to_mask: ToMask = _enlarged
    ) -> None:
        """Embed an image.

        Args:
            model: what cuts.
            image_rgb: (H, W, 3) uint8 RGB.
            to_mask: brings logits to the image; they are enlarged by default.

        Raises:
            ValueError: the image is too thin for the model to see anything.
        """
        self._model = model
        self._embedding: ImageEmbedding | None = model.embed(image_rgb)
        self._to_mask: ToMask | None = to_mask
        self._steps: list[_Step] = []

    def add_point(self, x: float, y: float, positive: bool = True) -> None:
        """Click.

        Args:
            x, y: in pixels of the image.
            positive: inside the mask that is wanted; else outside.

        Raises:
            ValueError: the place is outside the image, or the session is closed.
        """
        embedding = self._open_embedding()
        width, height = embedding.sizes.image_wh
        if not (0 <= x < width and 0 <= y < height):
            raise ValueError(f"({x}, {y}) is outside an image of {width} x {height}")
        clicks = [*((s.x, s.y, s.positive) for s in self._steps), (x, y, positive)]
        if not any(inside for _, _, inside in clicks):
            # what is not wanted is no mask yet
            self._steps.append(_Step(x, y, positive, None, 0.0))
            return
        before = self._steps[-1].logits if self._steps else None
        found = self._model.decode(
            embedding,
            Prompts(
                points_xy=np.array([[[x, y] for x, y, _ in clicks]], np.float64),
                labels=np.array([[inside for _, _, inside in clicks]], np.int64),
                logits=before,
            ),
            multimask=before is None,
        )
        best = int(found.predicted_iou.argmax())
        self._steps.append(
            _Step(x, y, positive, found.logits[best : best + 1], float(found.predicted_iou[best]))
        )

    def undo(self) -> bool:
        """Remove the last click; return whether there was one."""
        self._open_embedding()
        if not self._steps:
            return False
        self._steps.pop()
        return True

    @property
    def points(self) -> list[tuple[float, float, bool]]:
        """The clicks so far: x, y in pixels of the image, and whether inside."""
        return [(step.x, step.y, step.positive) for step in self._steps]

    @property
    def predicted_iou(self) -> float:
        """How well the model believes the mask to fit, about 0 to 1; 0 before there is one."""
        return self._steps[-1].predicted_iou if self._steps else 0.0

    def mask(self) -> np.ndarray:
        """Return the best mask for the clicks so far: (H, W) bool; empty before a click inside."""
        sizes = self._open_embedding().sizes
        logits = self._steps[-1].logits if self._steps else None
        if logits is None or self._to_mask is None:
            return np.zeros(sizes.image_wh[::-1], bool)
        return self._to_mask(logits[0].float().cpu().numpy(), sizes) > 0

    def close(self) -> None:
        """Free what the session keeps; closing twice is no error."""
        self._embedding = self._to_mask = None
        self._steps.clear()

    def __enter__(self) -> ClickSession:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open_embedding(self) -> ImageEmbedding:
        if self._embedding is None:
            raise ValueError("the session is closed")
        return self._embedding
