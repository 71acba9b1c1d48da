"""Reads a video over time, the curve of a query, and frames to look at, behind the window."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from src.errors import MediaLibraryError
from src.gui.core.latest_work import Job, LatestWork
from src.gui.core.session import Session
from src.gui.core.wording import explained
from src.gui.timeline.lane_index import LaneIndex
from src.gui.timeline.timeline_model import TimelineModel
from src.records import FrameView
from src.search.query import Query
from src.track_records import ScoreCurve, Timeline


class TimelineReader:
    """What was asked for one video is not shown once another is open."""

    def __init__(
        self,
        session: Session,
        model: TimelineModel,
        shown: Callable[[bool], object],
        scored: Callable[[], object],
        viewed: Callable[[FrameView | None, str], object],
        failed: Callable[[Exception], object],
    ) -> None:
        """Prepare it.

        Args:
            shown: hears that the model holds what was read, and whether that is another video.
            scored: hears that it holds a curve.
            viewed: gets the frame at the playhead; or why it can't be shown, as a sentence.
            failed: gets why a video can't be shown.
        """
        self._session, self._model = session, model
        self._shown, self._scored, self._viewed, self._failed = shown, scored, viewed, failed
        self.media_file_id: int | None = None
        self.query: Query | None = None
        self._asked = 0
        self._curve_of: tuple[int, Query, int] | None = None
        self._reading = LatestWork(session.main_thread, self._reading_job)
        self._viewing = LatestWork(session.main_thread, self._viewing_job)
        self.view: FrameView | None = None
        self._view_of = ""
        self._is_new = False

    def open(self, media_file_id: int, query: Query | None) -> None:
        """Read a video; of the one that is read already, what has changed."""
        self._is_new = self._is_new or media_file_id != self.media_file_id
        if self._is_new:
            self._view_of, self.view, self._curve_of = "", None, None
        self.media_file_id, self.query = media_file_id, query
        self.read()

    def read(self) -> None:
        """Read the video once more; of many calls at once two are answered."""
        if self.media_file_id is not None and self._session.is_open:
            self._reading.ask()

    def read_view_again(self) -> None:
        """Read the frame at the playhead again: its segments may have changed."""
        self._view_of = ""
        self.look()

    def look(self) -> None:
        """Read the frame at the playhead, unless it is the one that is shown."""
        self._viewing.ask()

    def _reading_job(self) -> Job | None:
        media_file_id, library = self.media_file_id, self._session.library
        if media_file_id is None:
            return None
        self._asked += 1

        def work() -> tuple[Timeline, Sequence[LaneIndex]] | MediaLibraryError:
            try:
                timeline = library.tracks.timeline(media_file_id)
            except MediaLibraryError as exc:
                return exc
            return timeline, [LaneIndex(lane) for lane in timeline.lanes]

        def done(found: tuple[Timeline, Sequence[LaneIndex]] | MediaLibraryError) -> None:
            if media_file_id != self.media_file_id:
                self.read()
            elif isinstance(found, MediaLibraryError):
                self._failed(found)
            else:
                is_new, self._is_new = self._is_new, False
                self._model.show(*found)
                if is_new:
                    self._model.curve = None
                self._shown(is_new)
                self.read_view_again()
                self._score()

        return work, done

    def _score(self) -> None:
        """Read the curve, where there is a query; of frames that are known it stays."""
        query, media_file_id = self.query, self.media_file_id
        if query is None or media_file_id is None or not self._model.frames:
            if self._model.curve is not None:
                self._model.curve = None
                self._scored()
            return
        if not self._session.models_ready:
            return  # it is asked for again once they are there
        wanted = media_file_id, query, len(self._model.frames)
        if wanted == self._curve_of:
            return
        self._curve_of, library = wanted, self._session.library

        def scored(curve: ScoreCurve) -> None:
            if wanted == self._curve_of:
                self._model.curve = None if curve.is_empty else curve
                self._scored()

        def failed(exc: Exception) -> None:
            self._curve_of = None
            if not isinstance(exc, MediaLibraryError):
                raise exc
            # without a curve the timeline is of use still; what is wrong with the query is said
            # where it is searched for

        self._session.main_thread.run(
            lambda: library.tracks.scores(media_file_id, query), scored, failed, is_search=True
        )

    def score_again(self) -> None:
        """Read the curve, now that models are there."""
        self._score()

    def _viewing_job(self) -> Job | None:
        frame, library = self._model.frame, self._session.library
        wanted = "" if frame is None else frame.segment_id
        if wanted == self._view_of:
            return None
        self._view_of = wanted

        def work() -> FrameView | MediaLibraryError | None:
            if not wanted:
                return None
            try:
                return library.browse.frame_view(wanted)
            except MediaLibraryError as exc:
                return exc

        def done(found: FrameView | MediaLibraryError | None) -> None:
            if wanted == self._view_of:
                self.view = found if not isinstance(found, MediaLibraryError) else None
                why = explained(found)[0] if isinstance(found, MediaLibraryError) else ""
                self._viewed(self.view, why)

        return work, done
