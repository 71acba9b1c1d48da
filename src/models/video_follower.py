"""What follows a thing through the frames of a video, where the segmenter in use can."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from src.models.sam2.video_memory import VideoMemory, video_module
from src.models.segmenter import Segmenter


class VideoFollower(Protocol):
    """Follows one thing, from the frame that it is on to one end, then to the other."""

    def begin(self, number: int, image_rgb: np.ndarray, mask: np.ndarray) -> None:
        """Take the thing from its mask, (H, W) bool, on a frame, (H, W, 3) uint8 RGB."""
        ...

    def follow(self, number: int, image_rgb: np.ndarray) -> np.ndarray:
        """Find it in the next frame: (H, W) bool, nothing where it is not in sight."""
        ...


def follower_of(
    segmenter: Segmenter | None, size_wh: tuple[int, int], frames: int
) -> VideoFollower | None:
    """Make what follows a thing; None where the segmenter knows of pictures alone.

    Args:
        size_wh: of the frames.
        frames: how many there are in all; they are numbered from 0.
    """
    module = video_module(segmenter)
    return None if module is None else VideoMemory(module, size_wh, frames)
