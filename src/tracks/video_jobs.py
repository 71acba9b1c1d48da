"""The work on one video that needs models: its range sampled more finely."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from src.events import Event

if TYPE_CHECKING:
    from src.database.metadata_db import MetadataDatabase
    from src.processing.models_in_use import ModelsInUse
    from src.settings import Settings


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
            tell_index: whether the index is told of new segments; else a later job does it.
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
        yield from job.run(wanted)
