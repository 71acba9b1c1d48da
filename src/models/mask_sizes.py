"""The sizes at which the masks of an image are looked at, and the way from one to another."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from segment_anything.utils.transforms import ResizeLongestSide

from src.models.mask_shape import full_size


@dataclass(frozen=True)
class Sizes:
    """The sizes at which the masks of an image are looked at.

    Attributes:
        image_wh: of the image.
        pixel: pixels of the model's input along a pixel of the logits.
        shown_wh: of the image in the corner of the square that is the model's input.
        measured_wh: at which stability and boxes count: the image's, as in Meta's generator,
            where that is near the model's; else that of the model's input.
        by_input: whether masks come to the image's size by way of that of the model's input, as
            SAM 1's do; else in one step.
    """

    image_wh: tuple[int, int]
    pixel: int
    shown_wh: tuple[int, int]
    measured_wh: tuple[int, int]
    by_input: bool = True

    @staticmethod
    def in_square(side: int, pixel: int, image_wh: tuple[int, int]) -> Sizes:
        """For an image that keeps its proportions and whose longer side fills a model's square.

        Args:
            side: of the square, in pixels.
            pixel: of them along a pixel of the logits.
            image_wh: of the image.
        """
        shown_h, shown_w = ResizeLongestSide.get_preprocess_shape(image_wh[1], image_wh[0], side)
        near = max(image_wh) <= 2 * side
        shown_wh = shown_w, shown_h
        return Sizes(image_wh, pixel, shown_wh, image_wh if near else shown_wh)

    @staticmethod
    def stretched(side: int, pixel: int, image_wh: tuple[int, int]) -> Sizes:
        """For an image that is stretched to a model's square, as SAM 2 does; as for in_square."""
        near = max(image_wh) <= 2 * side
        shown_wh = side, side
        return Sizes(image_wh, pixel, shown_wh, image_wh if near else shown_wh, by_input=False)

    @property
    def logits_wh(self) -> tuple[int, int]:
        """The part of the logits that shows the image."""
        width, height = self.in_logits_wh
        return math.ceil(width), math.ceil(height)

    @property
    def in_logits_wh(self) -> tuple[float, float]:
        """The same to a part of a pixel."""
        return self.shown_wh[0] / self.pixel, self.shown_wh[1] / self.pixel

    @property
    def measured_from_input(self) -> bool:
        """Whether masks are brought to the size of the model's input to be measured."""
        return self.by_input or self.measured_wh == self.shown_wh

    @property
    def input_scale_xy(self) -> np.ndarray:
        """What pixels of the image are multiplied with to be those of the input: (2,) float64."""
        return np.array(self.shown_wh) / self.image_wh

    def at_input(self, logits: np.ndarray, corner_xy: tuple[int, int] = (0, 0)) -> np.ndarray:
        """One mask's logits (h, w) at the size of the model's input: (H, W).

        Args:
            corner_xy: where they begin, if they are a window, in pixels of the logits.
        """
        large = cv2.resize(logits, None, fx=self.pixel, fy=self.pixel)
        left, top = (self.pixel * corner for corner in corner_xy)
        return large[: self.shown_wh[1] - top, : self.shown_wh[0] - left]

    def at_measured(self, logits: np.ndarray) -> np.ndarray:
        """One mask's logits (h, w) at the size at which it is measured: (H, W)."""
        if self.measured_from_input:
            logits = self.at_input(logits)
        return cv2.resize(logits, self.measured_wh)

    def at_image(self, logits: np.ndarray) -> np.ndarray:
        """One mask's logits (h, w) to a mask of the image: (H, W) uint8, 0 or 1."""
        if self.measured_wh == self.image_wh:  # in Meta's steps
            return (self.at_measured(logits) > 0).view(np.uint8)
        return full_size(logits, self.image_wh, self.in_logits_wh)
