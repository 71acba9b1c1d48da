"""What a person does with tracks, and sees of a video over time; MediaLibrary.tracks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from src.database.acts import redo, undo
from src.database.metadata_db import MetadataDatabase
from src.database.text_normalization import normalize_text
from src.events import Event
from src.records import SearchHit
from src.track_records import ScoreCurve, Timeline, Track, VideoMoments
from src.tracks.method import METHOD
from src.tracks.moments import moments_along_videos
from src.tracks.timeline import TimelineReader
from src.tracks.track_edits import TrackEdits
from src.tracks.video_jobs import VideoJobs

if TYPE_CHECKING:
    from src.labels.kept_edits import KeptEdits
    from src.search.query import Query
    from src.search.segment_search import SegmentSearch


class Tracks:
    """The verbs on tracks. All of them may be called in any thread."""

    def __init__(
        self,
        metadata: MetadataDatabase,
        jobs: VideoJobs,
        search: Callable[[], SegmentSearch],
        edits: Callable[[], KeptEdits],
    ) -> None:
        """Work on a library.

        Args:
            jobs: what needs its models.
            search: gives what answers queries with the CLIP in use.
            edits: gives what undoes acts that change masks, too.
        """
        self._metadata, self._jobs, self._search = metadata, jobs, search
        self._reader, self._edits = TimelineReader(metadata), edits
        self._acts = TrackEdits(metadata)

    def has_unlinked(self) -> bool:
        """Return whether there is a video whose segments are not linked as they are now."""
        return self._metadata.tracks.has_unlinked(METHOD)

    def link(self) -> Iterator[Event]:
        """Link the segments of videos to tracks, where they are not as they are now.

        Adding does so at its end, and the window by itself. Cancelled or killed, the next call
        goes on; see link_videos.

        Raises:
            DatabaseError: the library is damaged, or can't be written to.
        """
        from src.tracks.link_job import link_videos

        yield from link_videos(self._metadata)

    # -- what there is

    def timeline(self, media_file_id: int, tracks_without_tags: bool = True) -> Timeline:
        """Read a video over time; see TimelineReader.timeline."""
        return self._reader.timeline(media_file_id, tracks_without_tags)

    def track(self, track_id: int) -> Track:
        """Read a track; a QueryError says that it is gone."""
        return self._reader.track(track_id)

    def track_of(self, segment_id: str) -> Track | None:
        """Read the track that a segment is in; None where it is in none."""
        return self._reader.track_of(segment_id)

    def spans(self, segment_ids: Sequence[str]) -> dict[str, tuple[float, float]]:
        """Look up from when until when the tracks of segments are seen; of those in one."""
        return self._metadata.tracks.spans(segment_ids)

    def moments(self, hits: Sequence[SearchHit]) -> list[VideoMoments]:
        """Gather the results of a search by video; see moments_along_videos."""
        return moments_along_videos(self._metadata, hits)

    def scores(self, media_file_id: int, query: Query) -> ScoreCurve:
        """Score the frames of a video for a query; see score_curve."""
        from src.tracks.scores import score_curve

        return score_curve(self._metadata, self._search(), media_file_id, query)

    # -- what a person changes

    def split(self, track_id: int, before_segment_id: str, batch: str | None = None) -> str:
        """Make two tracks of one: up to a segment, which begins the second.

        Tracks that people have split, joined or cut are theirs: linking leaves them as they are.
        Labels follow: what people said of a segment of one part no longer goes for the other part.

        Returns:
            The batch, for undo. Acts may be undone and done again in any order; see track_acts.

        Raises:
            QueryError: the track is gone, the segment is not in it, or it is its first.
        """
        return self._acts.split(track_id, before_segment_id, batch)

    def join(self, track_ids: Sequence[int], batch: str | None = None) -> str:
        """Make one track of several of a video; it is the first of them. See split.

        Labels follow: what people said of a segment of any of them goes for all of the track; of
        several words on one label that is the last.

        Raises:
            QueryError: one is gone, they are of several videos, or two of them are seen in one
                frame.
        """
        return self._acts.join(track_ids, batch)

    def take_out(self, segment_ids: Sequence[str], batch: str | None = None) -> str:
        """Take segments out of their tracks, into none. See split.

        Raises:
            QueryError: one of them is gone, or none of them is in a track.
        """
        return self._acts.take_out(segment_ids, batch)

    def undo(self, batch: str) -> int:
        """Take an act back, whole, of whichever kind: on tracks, labels or masks.

        Returns:
            How much that changed, 0 for nothing.

        Raises:
            QueryError: see Labels.undo and KeptEdits.undo.
        """
        normalize_text(batch)
        if self._metadata.edits.edits(batch):
            return self._edits().undo(batch)
        with self._metadata.connection.write() as db:
            return undo(db, batch)

    def redo(self, batch: str) -> int:
        """Do an act again that was undone; see undo."""
        normalize_text(batch)
        if self._metadata.edits.edits(batch):
            return self._edits().redo(batch)
        with self._metadata.connection.write() as db:
            return redo(db, batch)

    # -- more of a video

    def sample_finely(
        self, media_file_id: int, begin_s: float, end_s: float, frames_per_second: float
    ) -> Iterator[Event]:
        """Add the frames of a range that sampling a video at a higher rate takes.

        They are the frames that adding the video at this rate takes there, with the same numbers;
        those that are stored, and what people did on them, stay as they are. What looks like the
        frame before it comes in, too; a picture that is exactly the one before it does not, unless
        `duplicate_distance` keeps every frame. Cancelled or killed, the next call goes on. The
        video counts as unlinked then.

        Args:
            begin_s, end_s: seconds in the video; the frame of either moment is in the range.

        Raises:
            QueryError: it is no video, or there is no such range in it.
            MediaReadError: the file is not here, not wholly in the library, or another one now.
                Nothing is changed then.
            DatabaseError: the library was opened for reading only, or can't be written to.
        """
        yield from self._jobs.sample_finely(media_file_id, begin_s, end_s, frames_per_second)

    def propagate(
        self, segment_id: str, begin_s: float | None = None, end_s: float | None = None
    ) -> Iterator[Event]:
        """Follow a segment through the sampled frames of its video with SAM 2's memory.

        It goes forwards from the segment, then backwards. On each frame the segment that is there
        already is taken where the two masks overlap by at least 0.8; else a new one is stored,
        embedded and tagged, with the origin "tracker". All of them are linked into one track. What
        people drew is never covered by another mask, and the tracks that people made keep their
        segments. For a finer look sample the range first.

        It is one act, stored at the end: cancelled or killed before, nothing has changed. `undo`
        with the batch of `SegmentPropagated` takes it back.

        Args:
            begin_s, end_s: seconds in the video; None goes as far as it does.

        Raises:
            ModelNotLoadedError: the segmenter in use is no SAM 2.1.
            QueryError: the segment is gone, or is a whole frame or of a photo; the range does not
                hold it, or no other frame.
            MediaReadError: the file is not here, not wholly in the library, or another one now.
            DatabaseError: the library was opened for reading only, or can't be written to.
        """
        yield from self._jobs.propagate(segment_id, begin_s, end_s)
