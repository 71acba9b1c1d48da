"""The range that is marked on the timeline, and what is done with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from src.counting import counted, moment
from src.gui.core.job_state import JobState
from src.gui.core.session import Session
from src.gui.timeline import labelled
from src.gui.timeline.range_part import Part, RangePart
from src.gui.timeline.time_scale import clock_of, finer_rates, in_milliseconds
from src.gui.timeline.timeline_acts import TimelineActs
from src.gui.timeline.timeline_canvas import TimelineCanvas
from src.gui.timeline.timeline_model import TimelineModel
from src.search.filters import Filter, all_of
from src.search.leaves import MediaFileIs
from src.search.query import Query
from src.search.range_leaves import AtTime

# Of a media file, from when to when, and the tracks and the label that can be drawn into it.
SaveClip = Callable[[int, float, float, Sequence[int], str | None], None]


@dataclass(frozen=True)
class RangeViews:
    """Where the range is seen."""

    canvas: TimelineCanvas
    part: RangePart


class RangeWork:
    """Marks a range by pointer and keys; searches, tags, exports and samples it."""

    def __init__(
        self,
        session: Session,
        model: TimelineModel,
        acts: TimelineActs,
        views: Callable[[], RangeViews],
        query: Callable[[], Query | None],
        search: Callable[[Query], None],
        export: Callable[[Filter, str], None],
        save_clip: SaveClip,
        say: Callable[[str, bool], object],
    ) -> None:
        """Prepare it.

        Args:
            say: shows what is being done, and whether it is good news; "" for nothing.
            query: gives what is searched for now.
            search: searches for a query.
            export: asks what of a filter goes into a dataset; given what that is, in words.
            save_clip: asks where the range goes as a file.
        """
        self._session, self._model, self._acts, self._views = session, model, acts, views
        self._query, self._search, self._export = query, search, export
        self._save_clip, self._say = save_clip, say
        self._sampling: tuple[JobState, str] | None = None  # the last one, and what it adds to
        session.signals.job_ended.append(lambda job, _: self._ended(job))

    # -- marking

    def mark(self, begin_s: float, end_s: float, _ended: bool = True) -> None:
        self._say("", False)
        self._model.mark(begin_s, end_s)
        self._views().canvas.refresh()
        self.show()

    def begin_here(self) -> None:
        """Begin the range at the playhead."""
        now, old = self._model.playhead_s, self._model.range
        self.mark(now, self._model.duration_s if old is None or old[1] <= now else old[1])

    def end_here(self) -> None:
        """End the range at the playhead."""
        now, old = self._model.playhead_s, self._model.range
        self.mark(0.0 if old is None or old[0] >= now else old[0], now)

    def clear(self) -> bool:
        """Mark no range any more; returns whether one was."""
        was = self._model.range is not None
        self._model.range = None
        if was:
            self._say("", False)
            self._views().canvas.refresh()
            self.show()
        return was

    def show(self) -> None:
        """Show how much is in the range."""
        model, views, marked = self._model, self._views(), self._model.range
        if marked is None:
            views.part.show("")
            return
        frames = model.frames_in(*marked)
        begin, end = (clock_of(each) for each in marked)
        segments = sum(frame.segments for frame in frames)
        views.part.show(
            f"Range {begin} – {end} · {counted(len(frames), 'frame')} · "
            f"{counted(segments, 'segment')}"
        )

    # -- what is done with it

    def _filter(self) -> Filter | None:
        """Return what leaves the segments of the range."""
        marked, timeline = self._model.range, self._model.timeline
        if marked is None or timeline is None:
            return None
        return all_of([MediaFileIs((timeline.media.id,)), AtTime(*in_milliseconds(*marked))])

    def search(self) -> None:
        """Search in the range for what is searched for now."""
        if (where := self._filter()) is not None:
            query = self._query()
            terms, beside = ((), ()) if query is None else (query.terms, query.beside)
            self._search(Query(terms, where, beside=beside))

    def export(self) -> None:
        if (where := self._filter()) is not None:
            self._export(where, self._named())

    def save_clip(self) -> None:
        """Ask where the range goes as a file, and whether what is chosen is drawn into it."""
        marked, timeline, choice = self._model.range, self._model.timeline, self._model.choice
        if marked is None or timeline is None:
            return
        tracks = [each.track_id for each in self._model.chosen if each.track_id is not None]
        is_of_track = choice is None or choice.lane[0] == "track"
        name = None if choice is None or is_of_track else choice.lane[1]
        self._save_clip(timeline.media.id, *marked, tracks, name)

    def _named(self) -> str:
        """Return what is marked, in words."""
        marked, timeline = self._model.range, self._model.timeline
        assert marked is not None and timeline is not None
        begin, end = (moment(each, 1) for each in marked)
        return f"{begin}–{end} of {timeline.media.path.name}"

    def parts(self) -> list[Part]:
        """List what in the range can get a label: what is chosen, its lane, and all."""
        model, marked = self._model, self._model.range
        if marked is None:
            return []
        parts: list[Part] = []
        choice = model.choice
        if choice is not None:
            many = len(model.chosen) > 1
            name = f"{len(model.chosen)} chosen" if many else f"The chosen {model.name_of(choice)}"
            parts.append(Part(name, partial(labelled.of_choice, model, *marked)))
            lane = model.lane_of(choice)
            if lane is not None and choice.lane[0] != "track":
                of_lane = partial(labelled.of_lane, model, lane, *marked)
                parts.append(Part(f"All “{choice.lane[1]}”", of_lane))
        parts.append(Part("Everything seen", partial(labelled.of_all, model, *marked)))
        counts = [(part, len(part.find())) for part in parts]
        return [Part(f"{part.name} ({count:,})", part.find) for part, count in counts if count]

    def tag(self, part: Part, name: str) -> None:
        """Label a part of what is in the range, and so the rest of its tracks."""
        ids = part.find()
        self._acts.give_to(ids, name)

    def rates(self) -> Sequence[float]:
        """List the frames a second by which there would be more in the range than there are."""
        marked = self._model.range
        frames = () if marked is None else self._model.frames_in(*marked)
        return finer_rates([frame.timestamp_s for frame in frames])

    def sample(self, frames_per_second: float) -> None:
        """Add frames to the range, so many a second; the job strip says how far that is."""
        marked, timeline = self._model.range, self._model.timeline
        if marked is None or timeline is None:
            return
        tracks, media = self._session.library.tracks, timeline.media
        begin_s, end_s = marked
        where = self._named()
        job = self._session.start(
            "sample",
            lambda: tracks.sample_finely(media.id, begin_s, end_s, frames_per_second),
            media.path.name,
        )
        self._sampling = job, where
        self._say(f"Adding frames to {where}…", False)

    def _ended(self, job: JobState) -> None:
        """Say what was added."""
        if self._sampling is None or self._sampling[0] is not job:
            return
        where, self._sampling = self._sampling[1], None
        frames = counted(job.frames, "frame") if job.frames else "No frames"
        is_whole = job.done is not None and not job.failed
        stopped = "" if is_whole else "Stopped. "
        self._say(f"{stopped}{frames} added to {where}.", is_whole)
