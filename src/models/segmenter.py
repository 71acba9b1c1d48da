"""What a segmenter is: an image is embedded once, and any number of prompts are decoded on it.

The words are those of SAM (Kirillov et al. 2023). All that is above src/models knows `Segmenter`
and no more. SAM 1 and the bundled starter SAM are a `PromptableModel` (promptable_sam.py), of which
MaskGenerator makes a segmenter; docs/models.md says how another one is added.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import torch

from src.models.mask_rle import OutputMode
from src.models.mask_sizes import Sizes
from src.stopping import GoOn

if TYPE_CHECKING:
    from src.models.click_session import ClickSession


@dataclass(frozen=True)
class Prompts:
    """What points out B masks on one image; all B are given in the same way.

    Attributes:
        points_xy: (B, K, 2) in pixels of the image, from its top left corner.
        labels: (B, K), 1 for a point inside the mask, 0 for one outside; all inside when None.
        boxes_xyxy: (B, 4) in pixels of the image.
        logits: (B, h, w) float32, masks to go on from: MaskPredictions.logits, padding included.
    """

    points_xy: np.ndarray | None = None
    labels: np.ndarray | None = None
    boxes_xyxy: np.ndarray | None = None
    logits: torch.Tensor | None = None

    def __post_init__(self) -> None:
        counts = {
            len(given)
            for given in (self.points_xy, self.boxes_xyxy, self.logits)
            if given is not None
        }
        if len(counts) != 1:
            raise ValueError("prompts need points, boxes or masks, and of each as many")
        if self.labels is not None and (
            self.points_xy is None or self.labels.shape != self.points_xy.shape[:2]
        ):
            raise ValueError("labels go with points, one with each")

    def __len__(self) -> int:
        given = (self.points_xy, self.boxes_xyxy, self.logits)
        return next(len(one) for one in given if one is not None)

    @staticmethod
    def clicks(points_xy: np.ndarray) -> Prompts:
        """One point inside each mask: (B, 2)."""
        return Prompts(points_xy=np.asarray(points_xy)[:, None])


class ImageEmbedding(Protocol):
    """What a model keeps of an image to decode prompts on it."""

    @property
    def sizes(self) -> Sizes: ...

    @property
    def most_at_once(self) -> int:
        """How many prompts to decode at once; more are slower."""


@dataclass(frozen=True)
class MaskPredictions:
    """N masks, in the order of their prompts; several of one prompt follow each other.

    Attributes:
        logits: (N, h, w) float32 at the decoder's resolution, above 0 inside.
        predicted_iou: (N,) float32, how well the model believes each mask to fit.
        prompts: (N,) int64, the place of each mask's prompt among those asked.
        sizes: of the image.
    """

    logits: torch.Tensor
    predicted_iou: torch.Tensor
    prompts: torch.Tensor
    sizes: Sizes

    def __len__(self) -> int:
        return len(self.logits)

    def masks(self) -> np.ndarray:
        """The masks at the size of the image: (N, H, W) bool."""
        found = self.logits.float().cpu().numpy()
        width, height = self.sizes.image_wh
        masks = np.empty((len(found), height, width), bool)
        for place, logits in enumerate(found):
            masks[place] = self.sizes.at_image(logits)
        return masks


class Promptable(Protocol):
    """Embeds an image and decodes prompts on it."""

    def embed(self, image_rgb: np.ndarray) -> ImageEmbedding:
        """Look at an image, once for any number of prompts.

        Args:
            image_rgb: (H, W, 3) uint8 RGB.
        """

    def decode(
        self,
        embedding: ImageEmbedding,
        prompts: Prompts,
        *,
        multimask: bool = True,
        min_iou: float | None = None,
        padding: bool = True,
    ) -> MaskPredictions:
        """Cut masks out of an image.

        Args:
            embedding: of the image, from this model.
            prompts: where the masks are.
            multimask: give the model's several guesses for each prompt, which suits one that may
                mean a thing or its part; else one mask for each.
            min_iou: leave out masks whose predicted IoU is not above it, at best undrawn.
            padding: include logits beyond the edges of the image, as a mask prompt needs them.
        """


class PromptableModel(Promptable, Protocol):
    """What an architecture brings, for MaskGenerator to make a segmenter of it.

    Attributes:
        module: the weights; who waits no longer for it is asked for before each of its layers.
        device: where the model is.
    """

    @property
    def module(self) -> torch.nn.Module: ...

    @property
    def device(self) -> torch.device: ...

    def sizes(self, image_wh: tuple[int, int]) -> Sizes:
        """At which an image of that size is looked at."""


@runtime_checkable
class Segmenter(Promptable, Protocol):
    """Segments everything in an image, decodes prompts on it, and cuts in sessions of clicks.

    While media is added it is asked by one thread at a time, unless it has `passes_at_once`, in
    how many threads its model may run: then any number may ask, and it has the others wait.

    Attributes:
        name: names the weights in a library.
        label: what a person reads.
    """

    @property
    def name(self) -> str: ...

    @property
    def label(self) -> str: ...

    def masks(self, image_rgb: np.ndarray, go_on: GoOn | None = None) -> Iterator[dict[str, Any]]:
        """Segment everything, one mask at a time: as arrays they take much memory.

        Args:
            image_rgb: (H, W, 3) uint8 RGB.
            go_on: asked on the way, at best several times a second; StoppedError is raised once
                it says no. None where nobody stops it.

        Returns:
            Records with the keys of Meta's SamAutomaticMaskGenerator, of which segmentation
            ((H, W) uint8, 0 or 1), predicted_iou and stability_score are read; with rle, if there
            is one, the same mask as compressed COCO RLE. Those that are too small, too large or
            twice there are left out by whoever asks.
        """

    def generate(
        self, image_rgb: np.ndarray, output_mode: OutputMode | None = None
    ) -> list[dict[str, Any]]:
        """Segment everything: the records of `masks` as Meta's generator gives them.

        Args:
            image_rgb: (H, W, 3) uint8 RGB.
            output_mode: form of `segmentation` in the records; the segmenter's own when None.
        """

    def session(self, image_rgb: np.ndarray) -> ClickSession:
        """Embed an image and cut one mask out of it by clicks.

        Args:
            image_rgb: (H, W, 3) uint8 RGB.
        """
