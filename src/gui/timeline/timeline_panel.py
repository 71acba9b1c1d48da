"""A video over time: its frames, what answers the query, when things are seen, and ranges."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from src.gui.core.wording import explained
from src.gui.panel.panel import Panel, PanelContext
from src.gui.theme.theme import HEADER, LEFT, RIGHT
from src.gui.theme.toolkit import ctk
from src.gui.timeline.canvas_pointer import CanvasPointer, PointerActions
from src.gui.timeline.choosing import Choosing
from src.gui.timeline.hover_preview import HoverPreview
from src.gui.timeline.moment_picture import MomentPicture
from src.gui.timeline.navigation import Navigation
from src.gui.timeline.query_name import QueryName
from src.gui.timeline.range_part import RangeActions
from src.gui.timeline.range_work import RangeViews, RangeWork, SaveClip
from src.gui.timeline.reading_again import ReadingAgain
from src.gui.timeline.timeline_acts import TimelineActs
from src.gui.timeline.timeline_canvas import CanvasActions, TimelineCanvas
from src.gui.timeline.timeline_header import HeaderActions, TimelineHeader
from src.gui.timeline.timeline_keys import TimelineKeys
from src.gui.timeline.timeline_model import TimelineModel
from src.gui.timeline.timeline_reader import TimelineReader
from src.gui.timeline.timeline_side import SideActions, TimelineSide
from src.gui.timeline.top_layout import heights
from src.gui.timeline.video_words import (
    CANT_PLAY,
    PARTIAL,
    READING,
    facts_of,
    is_coming,
    why_no_lanes,
)
from src.gui.timeline.zoom_row import ZoomRow
from src.gui.widgets.controls import RING, rule
from src.gui.widgets.key_hints import KeyHints
from src.records import FrameView
from src.search.filters import Filter
from src.search.query import Query

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


@dataclass(frozen=True)
class TimelineActions:
    """What the panel asks of the window.

    Attributes:
        open_frame: shows a segment in its frame.
        open_file: opens the file at a time in the system's player.
        search: searches for a query.
        export: asks what of a filter goes into a dataset; given what that is, in words.
        save_clip: asks where a range of a video goes as a file.
    """

    back: Callable[[], None]
    open_frame: Callable[[str], None]
    open_file: Callable[[Path, float], None]
    search: Callable[[Query], None]
    export: Callable[[Filter, str], None]
    save_clip: SaveClip


class TimelinePanel(Panel):
    """The picture at the playhead, facts beside it, the timeline below."""

    def __init__(self, context: PanelContext, actions: TimelineActions) -> None:
        super().__init__(context)
        theme, session = context.theme, context.session
        self._actions = actions
        self.model = TimelineModel()
        self._wanted: tuple[float | None, str | None] = None, None
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
        self.acts = TimelineActs(session, context.labels, self.model, self._say)
        self.range = RangeWork(
            session,
            self.model,
            self.acts,
            lambda: RangeViews(self.canvas, self.side.range),
            lambda: self.reader.query,
            actions.search,
            actions.export,
            actions.save_clip,
            self._say,
        )
        self._build_top(context)
        self._build_timeline(context)
        self.choosing = Choosing(
            self.model,
            self.canvas,
            self.side,
            lambda: self.reader.view,
            self._chose,
            lambda segment_id, then: session.main_thread.run(
                lambda: session.library.segments([segment_id]), then
            ),
        )
        self.navigation = Navigation(
            self.model,
            self.reader,
            self.canvas,
            self.side,
            self.picture,
            self.preview,
            self.choosing,
            self._say,
        )
        self._query_name = QueryName(session, self._show_query)
        self._keys = TimelineKeys(self.canvas, self)
        tkinter.Misc.bind(self, "<Configure>", lambda _: self._fit(), "+")
        signals = session.signals
        signals.missing_changed.append(self._show_header)
        signals.models_ready.append(self._models_ready)
        self._again = ReadingAgain(self, session, self.model, self.reader)

    def _build_top(self, context: PanelContext) -> None:
        theme = self.theme
        top = ctk.CTkFrame(self._body, fg_color="transparent", corner_radius=0)
        top.pack(fill="x", padx=(LEFT, RIGHT - RING), pady=(24 - RING, 0))
        top.pack_propagate(False)
        self._top = top
        self.picture = MomentPicture(
            top,
            theme,
            self._session,
            self.model,
            lambda *clicked: self.choosing.choose_segment(*clicked),
            lambda time_s: self.navigation.played(time_s),
            lambda is_playing: self.side.show_playing(is_playing),
            lambda: self._say(CANT_PLAY),
        )
        self.picture.pack(side="left", pady=(theme.px(RING), 0))
        self.side = TimelineSide(
            top,
            theme,
            context.thumbnails,
            context.labels,
            SideActions(
                lambda frames: self.navigation.step(frames),
                self._label,
                self._take_keys,
                self.acts.split,
                self.acts.join,
                self.acts.take_out,
                lambda: self.navigation.toggle_play(),
            ),
            RangeActions(
                self.range.search,
                self.range.parts,
                self.range.tag,
                self.range.export,
                self.range.rates,
                self.range.sample,
                self.range.save_clip,
                self.range.clear,
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
                lambda time_s: self.navigation.go_to(time_s),
                lambda *bar: self.choosing.choose(*bar),
                lambda: self.choosing.nothing(),
                lambda *bar: self.navigation.begin_of(*bar),
                self.range.mark,
                lambda time_s, x: self.navigation.hover(time_s, x),
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
            self.picture.close()
            self.picture.show_view(None, ())
            self.canvas.say(READING)
            self.canvas.show(anew=True)
            self.header.show("", "", False)
            self.navigation.show_place()
            self.range.show()
            self.choosing.show()
        self._say("")
        self._query_name.show(query)
        self.reader.open(media_file_id, query)

    def shown(self) -> None:
        self._again.catch_up()
        self._take_keys()
        if self.model.timeline is not None:
            self.picture.go()

    def left(self) -> None:
        self.preview.hide()
        self.side.range.stop_asking()
        self.picture.close()

    def step_back(self) -> bool:
        if self.side.range.is_asking:
            self.side.range.stop_asking()
        elif not self.range.clear():
            self._actions.back()
        return True

    def undo(self) -> None:
        self.acts.undo()

    def redo(self) -> None:
        self.acts.redo()

    def go(self, step: int) -> None:
        self.navigation.step(step)

    def ask_for_label(self) -> None:
        if self._session.read_only:
            return
        if self.model.chosen:
            self.side.entry.focus_field()
        elif self.model.range is not None:
            self.side.range.ask_for_label()

    def refresh_thumbnails(self) -> None:
        self.canvas.refresh()
        self.preview.refresh()
        self.side.card.refresh()

    def _say(self, text: str, is_good: bool = False) -> None:
        """Show a sentence at the foot; in a low window, which has none, above the timeline."""
        self.hints.say(text, is_good)
        self.zoom_row.say("" if self.hints.winfo_manager() else text)

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
        size = theme.px(found.picture_w), theme.px(found.top - RING)
        self.picture.fit(*size, wrap=max(80, found.picture_w - 32))
        self.side.fit(found.top)
        if found.has_hints != bool(self.hints.winfo_manager()):
            if found.has_hints:
                self.hints.pack(side="bottom", fill="x", before=self.canvas)
            else:
                self.hints.pack_forget()
            self.zoom_row.say("" if found.has_hints else self.hints.said)

    # -- what has been read

    def _show(self, is_new: bool) -> None:
        """Show the video that was read."""
        timeline = self.model.timeline
        assert timeline is not None
        at_s, segment_id = self._wanted
        self._wanted = None, None
        if at_s is None and segment_id is not None:
            at_s = self.model.begin_of_segment(segment_id)
        if at_s is not None:
            self.model.go(at_s)
        self.picture.outline_again()
        self._show_header()
        is_tracking = bool(self._session.jobs_of("track"))
        self.canvas.say(why_no_lanes(timeline, is_tracking))
        self.canvas.show(anew=is_new)
        if segment_id is not None:
            self.choosing.arrive(segment_id)
        is_begun = bool(timeline.frames) and is_coming(timeline)
        self.zoom_row.show(len(self.model.lanes), PARTIAL if is_begun else "")
        self._fit()
        self.navigation.show()
        self.range.show()
        self.choosing.show()

    def _could_not_read(self, exc: Exception) -> None:
        """Show why the video can't be read, and what to do."""
        sentence = explained(exc)[0]
        if self.model.timeline is None:
            self.canvas.say(sentence)
        else:
            self._say(sentence)

    def _show_header(self) -> None:
        timeline = self.model.timeline
        if timeline is None:
            return
        path = timeline.media.path
        self.header.show(path.name, facts_of(timeline), self._session.missing.has(path))
        self.header.offer_frame(bool(timeline.frames))
        self.side.offer_playing(not self._session.missing.has(path))

    def _show_view(self, view: FrameView | None, why: str) -> None:
        self.picture.show_view(view, self.choosing.outlined(), why)
        self.choosing.show()

    def _scored(self) -> None:
        self.canvas.show()
        self.choosing.show()

    def _show_query(self, name: str) -> None:
        self.canvas.query = name
        self._scored()

    def _chose(self) -> None:
        """Show what is chosen now; what was said is of something else."""
        self._say("")
        self.navigation.show_outlines()

    def _models_ready(self) -> None:
        if self.reader.media_file_id is not None:
            self.reader.score_again()

    # -- where else it leads

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

    def _label(self, name: str) -> None:
        self.side.entry.set("")
        self._take_keys()
        self.acts.give(name)
