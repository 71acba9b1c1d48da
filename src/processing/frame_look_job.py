"""Frames that an earlier version stored without their looks, measured from their crops."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from src.database.metadata_db import MetadataDatabase
from src.errors import MediaReadError
from src.events import Event, Progress
from src.processing.frame_looks import look_of
from src.processing.image_loader import load_image
from src.records import FrameLook

BATCH = 64

log = logging.getLogger(__name__)


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
                log.info("a frame was not looked at: %s", exc)
                continue
            looks[frame_id] = look_of(crop.image_rgb)
        metadata.set_looks(looks)
        yield Progress("measure", min(start + BATCH, len(waiting)), len(waiting))
