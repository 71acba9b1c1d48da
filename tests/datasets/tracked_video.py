"""A library with a real video of 2 seconds, sampled five times a second, with two things in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from src.database.metadata_db import MetadataDatabase
from src.records import Tag
from tests.datasets.drawn_library import a_mask, add_file, add_frame, add_photo
from tests.drawn_tracks import METHOD
from tests.video_clips.numbered_video import RATE, WH, make_video

STEP = 5  # frames of the video from one that is sampled to the next
SAMPLED = 10


def box_of(thing: int, number: int) -> tuple[int, int, int, int]:
    """Where a thing is in a sampled frame."""
    return (4 + 6 * number, 8, 16, 12) if thing == 0 else (70 - 3 * number, 40, 10 + number, 14)


def mask_of(box: tuple[int, int, int, int]) -> np.ndarray:
    mask = np.zeros((WH[1], WH[0]), bool)
    x, y, w, h = box
    mask[y : y + h, x : x + w] = True
    return mask


def add_tracked_video(metadata: MetadataDatabase, folder: Path) -> int:
    """Add it and a photo: a dog in all frames but the fourth, a cat in the first six, a speck.

    The speck, which is labelled in each frame, is in no track. All frames have a segment of both
    things, but only those said have a tag.
    """
    folder.mkdir(exist_ok=True)
    video = make_video(folder / "film.mp4", SAMPLED * STEP)
    media_id = add_file(metadata, video, "video", WH)
    metadata.update_media(media_id, duration_s=SAMPLED * STEP / RATE)
    tracks: list[list[str]] = [[], []]
    specks = []
    for number in range(SAMPLED):
        masks = [mask_of(box_of(0, number)), mask_of(box_of(1, number)), mask_of((90, 60, 4, 3))]
        at = number * STEP
        _, dog, cat, speck = add_frame(metadata, media_id, "film", masks, at, at / RATE, WH)
        tracks[0].append(dog)
        tracks[1].append(cat)
        specks.append(speck)
    # the cat's is made first: its id is the lower one
    metadata.tracks.replace_linked(media_id, [tracks[1], tracks[0]], METHOD)
    # by a model: what a person says of one goes to all of its track
    for number, (dog, cat, speck) in enumerate(zip(*tracks, specks, strict=True)):
        if number != 3:
            metadata.add_tags(dog, [Tag("dog", 1.0, "auto")], "auto")
        if number < 6:
            metadata.add_tags(cat, [Tag("cat", 1.0, "auto")], "auto")
        if number != 3:
            metadata.add_tags(speck, [Tag("speck", 1.0, "auto")], "auto")
    _, thing = add_photo(metadata, folder / "photo.png", [a_mask((4, 4, 20, 20))])
    metadata.add_tags(thing, [Tag("dog", 1.0, "auto")], "auto")
    return media_id
