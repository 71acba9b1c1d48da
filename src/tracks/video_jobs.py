"""The work on one video that needs models: a range sampled more finely, a segment followed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from src.events import Event, JobDone, JobStarted, Progress, SegmentPropagated

if TYPE_CHECKING:
    from src.database.metadata_db import MetadataDatabase
    from src.processing.models_in_use import ModelsInUse
    from src.processing.segment_pipeline import SegmentPipeline
    from src.settings import Settings
    from src.tracks.following import Following, ThingToFollow


class VideoJobs:
    """Jobs on a video of a library; a part of MediaLibrary.tracks."""

    def __init__(
        self,
        metadata: MetadataDatabase,
        in_use: ModelsInUse,
        settings: Callable[[], Settings],
        tell_index: bool,
    ) -> None:
        """Load nothing yet.

        Args:
            tell_index: whether the index is told of new segments, and the video linked anew;
                else later jobs do it.
        """
        self._metadata, self._in_use = metadata, in_use
        self._settings, self._tell_index = settings, tell_index

    def sample_finely(
        self, media_file_id: int, begin_s: float, end_s: float, frames_per_second: float
    ) -> Iterator[Event]:
        """Add frames of a range of a video at a higher rate; see Tracks.sample_finely."""
        from src.processing.finer_frames import FinerFrames, range_to_sample

        wanted = range_to_sample(
            self._metadata, self._settings(), media_file_id, begin_s, end_s, frames_per_second
        )
        self._in_use.load()
        yield from self._in_use.reembed()
        job = FinerFrames(
            self._metadata,
            self._in_use.clip_bundle,
            self._in_use.mask_generator,
            self._settings(),
            self._tell_index,
        )
        yield from self._then_linked(job.run(wanted))

    def propagate(
        self, segment_id: str, begin_s: float | None, end_s: float | None
    ) -> Iterator[Event]:
        """Follow a segment through its video; see Tracks.propagate."""
        from src.models.preload import preloaded

        with preloaded():
            from src.processing.segment_pipeline import SegmentPipeline
            from src.tracks.following import Following, thing_to_follow

        thing = thing_to_follow(self._metadata, segment_id, begin_s, end_s)
        self._in_use.load()
        settings, segmenter = self._settings(), self._in_use.mask_generator
        pipeline = SegmentPipeline(self._in_use.clip_bundle, None, settings)
        following = Following(self._metadata, pipeline, segmenter, settings, thing)
        yield from self._in_use.reembed()
        yield from self._then_linked(self._followed(thing, following, pipeline))

    def _followed(
        self, thing: ThingToFollow, following: Following, pipeline: SegmentPipeline
    ) -> Iterator[Event]:
        from src.processing.segment_writer import SegmentWriter
        from src.tracks.propagated import store_found

        count = len(thing.frames) - 1
        yield JobStarted(1)
        yield Progress("propagate", 0, count)
        found = []
        for number, each in enumerate(following.run(), start=1):
            found.append(each)
            yield Progress("propagate", number, count)
        writer = SegmentWriter(self._metadata, pipeline.embed_again)
        stored = store_found(self._metadata, writer, thing, found)
        yield SegmentPropagated(stored.batch, stored.track_id, stored.added, stored.taken, count)
        index = self._in_use.clip_bundle().index
        if self._tell_index:
            yield from index.catch_up()
        else:
            index.keep_scanned()
        yield JobDone(1, stored.added + stored.taken, stored.added)

    def _then_linked(self, job: Iterator[Event]) -> Iterator[Event]:
        """Link the video anew before a job says that it is over; see MediaLibrary.add."""
        from src.tracks.link_job import link_videos

        for event in job:
            if isinstance(event, JobDone) and self._tell_index:
                yield from link_videos(self._metadata)
            yield event
