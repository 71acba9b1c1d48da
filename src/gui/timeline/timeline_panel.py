"""A video over time: its frames, what answers the query, when things are seen, and ranges."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from src.counting import counted, moment
from src.events import Event, FrameStored
from src.gui.core.job_state import JobState, length
from src.gui.core.wording import explained
from src.gui.panel.panel import Panel, PanelContext
from src.gui.theme.theme import HEADER, LEFT, RIGHT
from src.gui.theme.toolkit import ctk
from src.gui.timeline.canvas_pointer import CanvasPointer, PointerActions
from src.gui.timeline.hover_preview import HoverPreview
from src.gui.timeline.range_part import Part, RangeActions
from src.gui.timeline.stored_picture import StoredPicture
from src.gui.timeline.timeline_acts import TimelineActs
from src.gui.timeline.timeline_canvas import CanvasActions, TimelineCanvas
from src.gui.timeline.timeline_header import HeaderActions, TimelineHeader
from src.gui.timeline.timeline_keys import TimelineKeys
from src.gui.timeline.timeline_model import TimelineModel
from src.gui.timeline.timeline_reader import TimelineReader
from src.gui.timeline.timeline_side import Allowed, SideActions, TimelineSide
from src.gui.timeline.top_layout import heights
from src.gui.timeline.zoom_row import ZoomRow
from src.gui.widgets.controls import RING, label, rule
from src.gui.widgets.key_hints import KeyHints
from src.records import FrameView
from src.search.filters import Filter, all_of
from src.search.leaves import MediaFileIs
from src.search.query import Query
from src.search.range_leaves import AtTime

KEYS_OF_PANEL = (
    (("Click",), "go there"),
    (("Drag",), "mark a range"),
    (("←", "→"), "step"),
    (("Ctrl", "Wheel"), "zoom"),
    (("Space",), "play"),
    (("1–9",), "label"),
    (("Enter",), "open frame"),
    (("Ctrl Z",), "undo"),
)
READING = "Reading the video…"
NO_FRAMES = "No frame of this video is in the library yet."
COMING = "The first frames are being added. They will appear here."
NO_LANES = "Nothing was found in its frames."
TRACKING = "Finding what belongs together in these frames…"
_AGAIN_MS = 1000  # while frames come in, what is there is read so often


@dataclass(frozen=True)
class TimelineActions:
    """What the panel asks of the window.

    Attributes:
        open_frame: shows a segment in its frame.
        open_file: opens the file at a time in the system's player.
        search: searches for a query.
        export: asks what of a filter goes into a dataset.
    """

    back: Callable[[], None]
    open_frame: Callable[[str], None]
    open_file: Callable[[Path, float], None]
    search: Callable[[Query], None]
    export: Callable[[Filter], None]


class TimelinePanel(Panel):
    """The picture at the playhead, facts beside it, the timeline below."""

    def __init__(self, context: PanelContext, actions: TimelineActions) -> None:
        super().__init__(context)
        theme, session = context.theme, context.session
        self._actions = actions
        self.model = TimelineModel()
        self._wanted: tuple[float | None, str | None] = None, None
        self._stale = self._again_waits = False
        self.reader = TimelineReader(
            session, self.model, self._show, self._scored, self._show_view, self._could_not_read
        )
        self.header = TimelineHeader(
            self, theme, HeaderActions(actions.back, self.open_frame, self._open_file)
        )
        self.header.pack(fill="x", padx=(LEFT - 8, RIGHT - 4))
        self._body = ctk.CTkFrame(self, fg_color="transparent", corner_radius=0)
        self._body.pack(fill="both", expand=True)
        rule(self._body, theme).pack(fill="x")
        self.hints = KeyHints(self._body, theme, KEYS_OF_PANEL)
        self.acts = TimelineActs(session, context.labels, self.model, self.hints.say)
        self._build_top(context)
        self._build_timeline(context)
        self._keys = TimelineKeys(self.canvas, self)
        tkinter.Misc.bind(self, "<Configure>", lambda _: self._fit(), "+")
        signals = session.signals
        signals.content_changed.append(self._changed)
        signals.missing_changed.append(self._show_header)
        signals.models_ready.append(self._models_ready)
        signals.job_event.append(self._heard)
        signals.job_ended.append(lambda *_: self._changed())

    def _build_top(self, context: PanelContext) -> None:
        theme = self.theme
        top = ctk.CTkFrame(self._body, fg_color="transparent", corner_radius=0)
        top.pack(fill="x", padx=(LEFT, RIGHT - RING), pady=(24 - RING, 0))
        top.pack_propagate(False)
        self._top = top
        self._frame = tkinter.Frame(top, bg=theme.colours.window)
        self._frame.pack(side="left", pady=(theme.px(RING), 0))
        self._frame.pack_propagate(False)
        self.picture = StoredPicture(
            self._frame, theme, self._session.main_thread, self.choose_segment
        )
        self.picture.place(relwidth=1, relheight=1)
        self._why = label(self._frame, theme, "", colour=theme.colours.text_2, wraplength=320)
        self.side = TimelineSide(
            top,
            theme,
            context.thumbnails,
            context.labels,
            SideActions(
                self.step,
                self._label,
                self._take_keys,
                self.acts.split,
                self.acts.join,
                self.acts.take_out,
                self.toggle_play,
            ),
            RangeActions(
                self._search_range,
                self._parts,
                self._tag_range,
                self._export_range,
                self._sample_range,
                self.clear_range,
                self._take_keys,
            ),
        )
        self.side.pack(side="left", fill="both", expand=True, padx=(24 - RING, 0))

    def _build_timeline(self, context: PanelContext) -> None:
        theme = self.theme
        self.zoom_row = ZoomRow(
            self._body,
            theme,
            lambda zoom: self.canvas.set_zoom(zoom),
            lambda: self.canvas.fit(),
        )
        self.zoom_row.pack(fill="x", padx=(LEFT, RIGHT - RING), pady=(8, 0))
        self.canvas = TimelineCanvas(
            self._body, theme, context.thumbnails, self.model, CanvasActions(self._scaled)
        )
        self.preview = HoverPreview(self._body, theme, context.thumbnails)
        self.pointer = CanvasPointer(
            self.canvas,
            PointerActions(
                self.go_to,
                self.choose,
                lambda: self._choose(None),
                self.begin_of,
                self._mark,
                self._hover,
            ),
        )
        self.hints.pack(side="bottom", fill="x")
        self.canvas.pack(fill="both", expand=True, padx=(theme.px(LEFT), 0))

    # -- the panel

    def open(
        self,
        media_file_id: int,
        origin: str,
        at_s: float | None = None,
        segment_id: str | None = None,
        query: Query | None = None,
    ) -> None:
        """Show a video; of the one that was shown last, zoom and playhead stay where they were.

        Args:
            origin: what the way back is called.
            at_s: the moment to go to.
            segment_id: the segment whose track is chosen, and gone to where no moment is given.
            query: what the curve is of; None for no curve.
        """
        self.header.back.set_text(origin)
        self._wanted = at_s, segment_id
        if media_file_id != self.reader.media_file_id:
            self.model.clear()
            self.picture.show(None, ())
            self._why.place_forget()
            self.hints.say("")
            self.canvas.say(READING)
            self.canvas.show(anew=True)
            self.header.show("", "", False)
            self._show_place()
            self._show_range()
            self._show_chosen()
        self._name_query(query)
        self.reader.open(media_file_id, query)

    def shown(self) -> None:
        if self._stale:
            self._stale = False
            self.reader.read()
        self._take_keys()

    def left(self) -> None:
        self.preview.hide()
        self.side.range.stop_asking()

    def step_back(self) -> bool:
        if self.side.range.is_asking:
            self.side.range.stop_asking()
        elif not self.clear_range():
            self._actions.back()
        return True

    def undo(self) -> None:
        self.acts.undo()

    def redo(self) -> None:
        self.acts.redo()

    def go(self, step: int) -> None:
        self.step(step)

    def ask_for_label(self) -> None:
        if self.model.chosen:
            self.side.entry.focus_field()
        elif self.model.range is not None:
            self.side.range.ask_for_label()

    def refresh_thumbnails(self) -> None:
        self.canvas.refresh()
        self.preview.refresh()
        self.side.card.refresh()

    def _take_keys(self) -> None:
        self.canvas.focus_set()

    def _fit(self) -> None:
        """Share the height between the picture and the timeline."""
        theme, width, height = self.theme, self.winfo_width(), self.winfo_height()
        if width <= 1 or height <= 1:
            return
        media = None if self.model.timeline is None else self.model.timeline.media
        ratio = 16 / 9
        if media is not None and media.width and media.height:
            ratio = media.width / media.height
        # the job strip appears and disappears, and the picture must not move with it
        window = self.winfo_toplevel().winfo_height()
        found = heights(width / theme.scale, (window / theme.scale) - HEADER, ratio)
        self._top.configure(height=found.top)
        self._frame.configure(width=theme.px(found.picture_w), height=theme.px(found.top - RING))
        self._why.configure(wraplength=max(80, found.picture_w - 32))
        self.side.fit(found.top)
        if found.has_hints != bool(self.hints.winfo_manager()):
            if found.has_hints:
                self.hints.pack(side="bottom", fill="x", before=self.canvas)
            else:
                self.hints.pack_forget()

    # -- what has been read

    def _show(self, is_new: bool) -> None:
        """Show the video that was read."""
        timeline = self.model.timeline
        assert timeline is not None
        at_s, segment_id = self._wanted
        self._wanted = None, None
        choice = None if segment_id is None else self.model.choice_of_segment(segment_id)
        if choice is not None:
            self.model.choose(choice)
            if at_s is None:
                at_s = self.model.bars_of(choice)[0].begin_s
        if at_s is not None:
            self.model.go(at_s)
        self._show_header()
        self.canvas.say(self._why_no_lanes())
        self.canvas.show(anew=is_new)
        if choice is not None and (lane := self.model.lane_of(choice)) is not None:
            self.canvas.show_lane(lane)
        self.zoom_row.show_lanes(len(self.model.lanes))
        self._fit()
        self._moved()
        self._show_range()
        self._show_chosen()

    def _why_no_lanes(self) -> str:
        timeline = self.model.timeline
        assert timeline is not None
        if not timeline.frames:
            return COMING if timeline.media.status in ("pending", "processing") else NO_FRAMES
        if timeline.lanes:
            return ""
        return TRACKING if self._session.jobs_of("track") else NO_LANES

    def _could_not_read(self, exc: Exception) -> None:
        """Say in place why nothing is shown, and what to do."""
        sentence = explained(exc)[0]
        if self.model.timeline is None:
            self.canvas.say(sentence)
        else:
            self.hints.say(sentence)

    def _show_header(self) -> None:
        timeline = self.model.timeline
        if timeline is None:
            return
        segments = sum(frame.segments for frame in timeline.frames)
        facts = [
            moment(timeline.duration_s)
            if timeline.duration_s < 60
            else length(timeline.duration_s),
            counted(len(timeline.frames), "frame"),
            counted(segments, "segment"),
        ]
        path = timeline.media.path
        self.header.show(path.name, " · ".join(facts), self._session.missing.has(path))
        self.header.offer_frame(bool(timeline.frames))

    def _show_view(self, view: FrameView | None, why: str) -> None:
        self._show_outlines()
        self._why.configure(text=why)
        if why:
            self._why.place(relx=0.5, rely=0.5, anchor="center")
        else:
            self._why.place_forget()
        self._show_chosen()

    def _show_outlines(self) -> None:
        ids = [choice.segment_id for choice in self.model.chosen if choice.track_id is None]
        now = (self.model.segment_now(choice) for choice in self.model.chosen)
        ids += [segment.segment_id for segment in now if segment is not None]
        self.picture.show(self.reader.view, ids)

    def _scored(self) -> None:
        self.canvas.show()
        self._show_chosen()

    def _name_query(self, query: Query | None) -> None:
        name = "" if query is None else query.words or "your search"
        self.canvas.query = name

    def _models_ready(self) -> None:
        if self.reader.media_file_id is not None:
            self.reader.score_again()

    # -- what changes meanwhile

    def _changed(self) -> None:
        """Read the video again where it is seen; else it is when the panel is gone to."""
        if self.winfo_viewable():
            self.reader.read()
        else:
            self._stale = True

    def _heard(self, _job: JobState, event: Event) -> None:
        """Show frames of this video that come in, now and then."""
        timeline = self.model.timeline
        is_of_it = isinstance(event, FrameStored) and timeline is not None
        if is_of_it and event.path == timeline.media.path and not self._again_waits:  # type: ignore
            self._again_waits = True
            self.after(_AGAIN_MS, self._read_again)

    def _read_again(self) -> None:
        self._again_waits = False
        self._changed()

    # -- the playhead

    def go_to(self, time_s: float) -> None:
        """Go to a moment."""
        self.model.go(time_s)
        self._moved()

    def step(self, frames: int) -> None:
        """Go to the next frames, or with a number below 0 to those before."""
        self.go_to(self.model.stepped(frames))

    def _moved(self) -> None:
        self.canvas.follow_playhead()
        self._show_place()
        self.reader.look()
        self._show_outlines()
        self._show_chosen()

    def _show_place(self) -> None:
        model = self.model
        place, count = model.place_at(model.playhead_s), len(model.frames)
        if place is None:
            self.side.show_moment("", "", True, True)
            return
        said = moment(model.playhead_s, self.canvas.decimals)
        last = model.stepped(1) <= model.playhead_s
        self.side.show_moment(
            said, f"frame {place + 1:,} of {count:,}", model.playhead_s <= 0, last
        )

    def toggle_play(self) -> None:
        """Play in place, or pause."""

    def open_frame(self) -> None:
        """Show the frame at the playhead, by the chosen track's segment where it has one there."""
        frame, segment = self.model.frame, self.model.segment_now()
        if frame is not None:
            self._actions.open_frame(frame.segment_id if segment is None else segment.segment_id)

    def _open_file(self) -> None:
        if self.model.timeline is not None:
            self._actions.open_file(self.model.timeline.media.path, self.model.playhead_s)

    def _scaled(self) -> None:
        self.zoom_row.show_zoom(self.canvas.scale_of_time.zoom)

    def _hover(self, time_s: float | None, x: int) -> None:
        place = None if time_s is None else self.model.place_at(time_s)
        if time_s is None or place is None:
            self.preview.hide()
            return
        wide, high = self.canvas.tile_wh()
        said = moment(time_s, self.canvas.decimals)
        if self.model.curve is not None:
            said += f" · {self.model.score_at(time_s):.2f}"
        self.preview.show(
            self.model.frames[place].crop_path,
            wide / high,
            said,
            self.canvas.winfo_x() + x,
            self.canvas.winfo_y() - self.theme.px(4),
        )

    # -- what is chosen

    def choose(self, lane: int, place: int, adds: bool = False) -> None:
        """Choose a bar, alone or with those that are."""
        self._choose((lane, place), adds)

    def _choose(self, bar: tuple[int, int] | None, adds: bool = False) -> None:
        self.model.choose(None if bar is None else self.model.choice_of(*bar), adds)
        self._chosen()

    def begin_of(self, lane: int, place: int) -> None:
        """Choose a bar, and go to where it begins."""
        self.choose(lane, place)
        self.go_to(self.model.lanes[lane].bars[place].begin_s)

    def choose_segment(self, segment_id: str) -> None:
        """Choose the track of a segment in the picture."""
        choice = self.model.choice_of_segment(segment_id)
        if choice is not None:
            self.model.choose(choice)
            if (lane := self.model.lane_of(choice)) is not None:
                self.canvas.show_lane(lane)
            self._chosen()

    def choose_lane(self, step: int) -> None:
        """Choose the bar that is nearest to the playhead in the lane below (1) or above (-1)."""
        model, lanes = self.model, self.model.lanes
        here = None if model.choice is None else model.lane_of(model.choice)
        lane = (0 if step > 0 else len(lanes) - 1) if here is None else here + step
        if 0 <= lane < len(lanes) and (place := lanes[lane].nearest(model.playhead_s)) is not None:
            self.canvas.show_lane(lane)
            self.choose(lane, place)

    def _chosen(self) -> None:
        self.canvas.refresh()
        self._show_outlines()
        self._show_chosen()

    def _show_chosen(self) -> None:
        """Show what is known of what is chosen."""
        model, choice = self.model, self.model.choice
        if choice is None:
            self.side.card.show_nothing()
            self.side.allow(Allowed())
            return
        name, track, segment = model.name_of(choice), model.track, model.segment_now()
        bars = model.bars_of(choice)
        crop: Path | None = None
        if track is not None:
            seen, frames = (track.begin_s, track.end_s), len(track.segments)
            crop = (segment or model.nearest_segment(track)).crop_path
        else:
            seen, frames = (bars[0].begin_s, bars[0].end_s), bars[0].frames
            view = self.reader.view
            own = () if view is None else (s for s in view.segments if s.id == choice.segment_id)
            crop = next((each.crop_path for each in own), None)
        lines = [f"Seen {moment(seen[0])} – {moment(seen[1])} · {counted(frames, 'frame')}"]
        score = model.best_score(choice)
        if score is not None:
            lines.append(f"{score:.2f} for “{self.canvas.query}”")
        if len(model.chosen) > 1:
            lines.append(f"{len(model.chosen)} chosen")
        self.side.show_chosen(name, tuple(lines), crop)
        is_first = track is not None and segment == track.segments[0]
        tracks = {each.track_id for each in model.chosen if each.track_id is not None}
        self.side.allow(
            Allowed(
                True, segment is not None and not is_first, len(tracks) > 1, segment is not None
            )
        )

    def _label(self, name: str) -> None:
        self.side.entry.set("")
        self._take_keys()
        self.acts.give(name)

    # -- the range

    def _mark(self, begin_s: float, end_s: float, ended: bool) -> None:
        self.model.mark(begin_s, end_s)
        self.canvas.refresh()
        self._show_range()

    def mark_from(self, is_begin: bool) -> None:
        """Let the range begin or end at the playhead."""
        now, old = self.model.playhead_s, self.model.range
        if is_begin:
            end = self.model.duration_s if old is None or old[1] <= now else old[1]
            self._mark(now, end, True)
        else:
            self._mark(0.0 if old is None or old[0] >= now else old[0], now, True)

    def clear_range(self) -> bool:
        """Mark no range any more; returns whether one was."""
        was = self.model.range is not None
        self.model.range = None
        if was:
            self.canvas.refresh()
            self._show_range()
        return was

    def _show_range(self) -> None:
        marked = self.model.range
        if marked is None:
            self.side.range.show("")
            return
        frames = self.model.frames_in(*marked)
        begin, end = (moment(each, self.canvas.decimals) for each in marked)
        segments = sum(frame.segments for frame in frames)
        self.side.range.show(
            f"Range {begin} – {end} · {counted(len(frames), 'frame')} · "
            f"{counted(segments, 'segment')}"
        )

    def _filter(self) -> Filter | None:
        """Return what leaves the segments of the range."""
        marked, media_file_id = self.model.range, self.reader.media_file_id
        if marked is None or media_file_id is None:
            return None
        low, high = (round(each, 3) for each in marked)
        return all_of([MediaFileIs((media_file_id,)), AtTime(low, high)])

    def _search_range(self) -> None:
        if (where := self._filter()) is not None:
            query = self.reader.query
            terms, beside = ((), ()) if query is None else (query.terms, query.beside)
            self._actions.search(Query(terms, where, beside=beside))

    def _export_range(self) -> None:
        if (where := self._filter()) is not None:
            self._actions.export(where)

    def _parts(self) -> list[Part]:
        """List what in the range can get a label: what is chosen, its lane, and all."""
        model, marked = self.model, self.model.range
        if marked is None:
            return []
        parts = []
        choice = model.choice
        if choice is not None:
            many = len(model.chosen) > 1
            name = (
                f"The {len(model.chosen)} chosen" if many else f"The chosen {model.name_of(choice)}"
            )
            parts.append((name, partial(model.segments_of_choice, *marked)))
            lane = model.lane_of(choice)
            if lane is not None and choice.lane[0] != "track":
                parts.append(
                    (f"All “{choice.lane[1]}”", partial(model.segments_of_lane, lane, *marked))
                )
        parts.append(("Everything seen", partial(model.segments_of_all, *marked)))
        counts = [(name, find, len(find())) for name, find in parts]
        return [Part(f"{name} ({count:,})", find) for name, find, count in counts if count]

    def _tag_range(self, part: Part, name: str) -> None:
        ids = part.find()
        self.acts.give_to(ids, name, counted(len(ids), "segment"))

    def _sample_range(self, frames_per_second: float) -> None:
        marked, media_file_id = self.model.range, self.reader.media_file_id
        timeline = self.model.timeline
        if marked is None or media_file_id is None or timeline is None:
            return
        tracks = self._session.library.tracks
        self._session.start(
            "sample",
            lambda: tracks.sample_finely(media_file_id, *marked, frames_per_second),
            timeline.media.path.name,
        )
