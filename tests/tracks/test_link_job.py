"""The job that links videos: whole or not at all, and again when something has changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.database.metadata_db import MetadataDatabase
from src.database.segment_store import NewSegment
from src.events import Progress
from src.records import Segment
from src.tracks.link_job import link_videos
from src.tracks.linker import Linker
from src.tracks.segment_looks import FrameToLink
from src.tracks.stored_frames import StoredFrames
from tests.conftest import MODEL
from tests.tracks.painted_frames import SIZE_WH, Thing, paint, straight

THINGS = (Thing("one", straight((30, 40), (5, 0))), Thing("two", straight((120, 80), (-4, 0)), 10))
FRAMES = 6


def add_video(metadata: MetadataDatabase, name: str = "a.mp4", frames: int = FRAMES) -> int:
    media_id = metadata.add_media(Path("/videos") / name, "video", 10, 10)
    for number in range(frames):
        add_frame(metadata, media_id, name, number)
    metadata.update_media(media_id, status="done")
    return media_id


def add_frame(metadata: MetadataDatabase, media_id: int, name: str, number: int) -> None:
    frame = paint(THINGS, number, per_second=1.0)
    crop_path = f"extracted_segments/{name}-{number}.jpg"
    Image.fromarray(frame.picture_rgb).save(metadata.paths.crop(crop_path))
    whole = Segment("frame", (0, 0, *SIZE_WH), SIZE_WH[0] * SIZE_WH[1], None, None, None, EMPTY)
    vector = np.full(512, 512**-0.5, np.float32)
    segments = [NewSegment(f"{name} whole@{number}", whole, crop_path, vector)]
    for each in frame.segments:
        found = Segment("object", each.bbox_xywh, each.area, 0.9, 0.9, each.mask_rle, EMPTY)
        segments.append(NewSegment(f"{name} {each.id}", found, crop_path, each.embedding))
    metadata.store_frame(media_id, number, float(number), SIZE_WH, segments, MODEL)


EMPTY = np.zeros((1, 1, 3), np.uint8)


def tracks_of(metadata: MetadataDatabase) -> list[set[str]]:
    found: dict[int, set[str]] = {}
    for row in metadata.connection.read().execute(
        "SELECT id, track_id FROM segments WHERE track_id IS NOT NULL"
    ):
        found.setdefault(row["track_id"], set()).add(row["id"])
    return sorted(found.values(), key=sorted)


def expected(name: str = "a.mp4", frames: int = FRAMES) -> list[set[str]]:
    return [{f"{name} {thing.name}@{n}" for n in range(frames)} for thing in THINGS]


def test_videos_are_linked_and_then_there_is_nothing_to_do(metadata: MetadataDatabase) -> None:
    add_video(metadata)
    add_video(metadata, "b.mp4")
    events = [*link_videos(metadata)]
    assert tracks_of(metadata) == expected() + expected("b.mp4")
    assert events[-1] == Progress("track", 2 * FRAMES, 2 * FRAMES)
    assert [*link_videos(metadata)] == []


def test_a_job_that_is_stopped_leaves_a_video_linked_or_not(metadata: MetadataDatabase) -> None:
    add_video(metadata)
    add_video(metadata, "b.mp4")
    job: Iterator[object] = iter(link_videos(metadata))
    for _ in range(FRAMES + 3):  # in the middle of the second one
        next(job)
    job.close()  # type: ignore[attr-defined]
    assert tracks_of(metadata) == expected()
    done = [event for event in link_videos(metadata) if isinstance(event, Progress)]
    assert done[-1].total == FRAMES
    assert tracks_of(metadata) == expected() + expected("b.mp4")


def test_a_video_whose_segments_change_meanwhile_is_linked_again(
    metadata: MetadataDatabase,
) -> None:
    media_id = add_video(metadata)
    job = iter(link_videos(metadata))
    next(job)
    add_frame(metadata, media_id, "a.mp4", FRAMES)
    assert [*job] and tracks_of(metadata) == []
    assert [*link_videos(metadata)]
    assert tracks_of(metadata) == expected(frames=FRAMES + 1)


def test_nothing_can_change_between_the_last_look_and_the_write(
    metadata: MetadataDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    media_id, looked = add_video(metadata), list[bool]()
    state = StoredFrames.state

    def look_and_note(frames: StoredFrames) -> str:
        found = state(frames)
        writer = metadata.connection._writer
        looked.append(writer is not None and writer.in_transaction)
        return found

    monkeypatch.setattr(StoredFrames, "state", look_and_note)
    list(link_videos(metadata))
    assert looked == [False, True] and media_id not in metadata.tracks.unlinked_media()


def test_a_video_that_can_not_be_linked_is_no_reason_to_leave_out_others(
    metadata: MetadataDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = add_video(metadata, "odd.mp4")
    add_video(metadata, "b.mp4")
    see = Linker.see

    def fail_at_odd(linker: Linker, frame: FrameToLink) -> None:
        if any(each.id.startswith("odd") for each in frame.segments):
            raise ValueError("nobody has thought of this")
        see(linker, frame)

    monkeypatch.setattr(Linker, "see", fail_at_odd)
    done = [event for event in link_videos(metadata) if isinstance(event, Progress)]
    assert (done[-1].done, done[-1].total) == (2 * FRAMES, 2 * FRAMES)
    assert tracks_of(metadata) == expected("b.mp4")
    assert metadata.tracks.unlinked_media() == [odd]


def test_a_frame_whose_picture_is_gone_is_linked_all_the_same(metadata: MetadataDatabase) -> None:
    add_video(metadata)
    metadata.paths.crop("extracted_segments/a.mp4-2.jpg").unlink()
    [*link_videos(metadata)]
    assert tracks_of(metadata) == expected()


def test_photos_are_in_no_track(metadata: MetadataDatabase) -> None:
    media_id = metadata.add_media(Path("/photos/a.jpg"), "image", 10, 10)
    add_frame(metadata, media_id, "a.jpg", 0)
    metadata.update_media(media_id, status="done")
    assert [*link_videos(metadata)] == []
    assert tracks_of(metadata) == []
