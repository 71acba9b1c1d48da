"""What frames look like, in numbers: how alike two are, and how sharp one is."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import cv2
import numpy as np

from src.database.metadata_db import MetadataDatabase
from src.errors import MediaReadError
from src.events import Event, Progress
from src.processing.image_loader import load_image
from src.processing.video_processor import dhash
from src.records import FrameLook

# The longest side at which sharpness is measured, in pixels: the frame itself and its stored crop,
# whose longest side is at most 1024, give nearly the same there.
SHARPNESS_SIDE = 256
BATCH = 64

log = logging.getLogger(__name__)


def look_of(image_rgb: np.ndarray) -> FrameLook:
    """Measure a frame.

    Sharpness is the variance of the Laplacian (Pech-Pacheco et al. 2000) of the grey frame with
    its longest side brought to SHARPNESS_SIDE: about 0 for a blurred frame, hundreds for a sharp
    one.

    Args:
        image_rgb: (H, W, 3) uint8 RGB.
    """
    grey = cv2.cvtColor(image_rgb, cv2.COLOR_RGB2GRAY)
    scale = SHARPNESS_SIDE / max(grey.shape)
    size_wh = [max(1, round(side * scale)) for side in (grey.shape[1], grey.shape[0])]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(grey, size_wh, interpolation=how)
    sharpness = float(cv2.Laplacian(small, cv2.CV_64F).var())
    return FrameLook(f"{dhash(image_rgb):016x}", round(sharpness, 3))


def look_at_frames(metadata: MetadataDatabase, pixel_limit: int) -> Iterator[Event]:
    """Measure the frames that an earlier version stored without, from their crops.

    Those whose crop is gone wait until it has been made again (verify --repair). Cancelled or
    killed, the next call goes on.
    """
    waiting = list(metadata.frames_not_looked_at().items())
    for start in range(0, len(waiting), BATCH):
        looks: dict[int, FrameLook] = {}
        for frame_id, crop_path in waiting[start : start + BATCH]:
            try:
                crop = load_image(metadata.paths.crop(crop_path), pixel_limit).frame
            except MediaReadError as exc:
                log.warning("a frame was not looked at: %s", exc)
                continue
            looks[frame_id] = look_of(crop.image_rgb)
        metadata.set_looks(looks)
        yield Progress("measure", min(start + BATCH, len(waiting)), len(waiting))
