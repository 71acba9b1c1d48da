"""The job that links the segments of videos to tracks: reads, links, and stores a video whole."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from src.database.metadata_db import MetadataDatabase
from src.events import Event, Progress
from src.processing.file_errors import is_file_error
from src.tracks.linker import Linker
from src.tracks.method import METHOD
from src.tracks.stored_frames import StoredFrames

log = logging.getLogger(__name__)


def link_videos(metadata: MetadataDatabase) -> Iterator[Event]:
    """Link the segments of all videos that are not linked as they are now.

    No video is read but the crops and masks of the library. Each video's tracks are stored in one
    transaction, so a job that is cancelled or killed leaves a video linked or not; the next call
    goes on. What people have linked, split or joined stays.

    Raises:
        DatabaseError: the library is damaged, or can't be written to.
    """
    videos = [
        StoredFrames(metadata, media_file_id)
        for media_file_id in metadata.tracks.unlinked_media(METHOD)
    ]
    done, total = 0, sum(map(len, videos))
    for frames in videos:
        try:
            yield from _link_video(metadata, frames, done, total)
        except Exception as exc:
            if not is_file_error(exc):
                raise
            # it counts as unlinked, and is no reason to leave out the others
            log.warning("video %d could not be linked", frames.media_file_id, exc_info=True)
        done += len(frames)
        yield Progress("track", done, total)


def _link_video(
    metadata: MetadataDatabase, frames: StoredFrames, done: int, total: int
) -> Iterator[Event]:
    state, linker = frames.state(), Linker()
    for seen, frame in enumerate(frames, start=1):
        linker.see(frame)
        yield Progress("track", done + seen, total)
    tracks = linker.end()
    with metadata.connection.write():  # so that nothing changes between the look and the write
        if frames.state() == state:
            metadata.tracks.replace_linked(frames.media_file_id, tracks, METHOD)
            return
    log.info("video %d has changed while it was linked", frames.media_file_id)  # it is unlinked
