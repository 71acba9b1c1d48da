"""One segment in its frame, with its facts and what can be done with it."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from src.counting import place_in_file
from src.errors import QueryError, is_of_a_person
from src.gui.core.match_words import mark_of, match_of
from src.gui.core.wording import as_sentence
from src.gui.detail.detail_header import DetailHeader
from src.gui.detail.detail_side import NO_MASK, DetailSide, SideActions
from src.gui.detail.detail_strips import DetailStrips, StripActions, has_frames
from src.gui.detail.frame_acts import FrameActs
from src.gui.detail.frame_picture import FramePicture, Lit
from src.gui.detail.mask_editing import MaskEditing, MaskEditingActions
from src.gui.detail.picture_alone import PictureAlone
from src.gui.detail.track_block import TrackActions
from src.gui.panel.panel import Panel, PanelContext
from src.gui.theme.theme import LEFT, RIGHT, STRIP
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import RING, rule
from src.records import FrameView, SampledFrame, SearchHit, StoredSegment

_BELOW = 16  # the strips


@dataclass(frozen=True)
class DetailActions:
    """What the panel asks of the window.

    Attributes:
        open_timeline: shows a video at a moment in seconds, with a segment that is marked there.
    """

    back: Callable[[], None]
    similar: Callable[[str, Path], None]
    open_file: Callable[[Path], None]
    show_in_folder: Callable[[Path], None]
    failed: Callable[[Exception], None]
    open_timeline: Callable[[int, float, str], object]


@dataclass(frozen=True)
class Origin:
    """Where the detail view was opened from.

    Attributes:
        name: what the way back is called.
        query: the words searched for.
        hits: those of the search, to go through.
        photos: of the library, to go through where one came from there: rows of media files.
        place: of the hit or the photo shown.
    """

    name: str
    query: str = ""
    hits: Sequence[SearchHit] = ()
    photos: Sequence[int] = ()
    place: int = 0


class DetailPanel(Panel):
    """The frame in the middle, its segments and frames below, facts and tags at the side."""

    def __init__(self, context: PanelContext, actions: DetailActions) -> None:
        super().__init__(context)
        theme, session = context.theme, context.session
        self._actions = actions
        self._origin = Origin("Library")
        self._view: FrameView | None = None
        self._asked = 0
        self.segment_id = ""
        self.alone: PictureAlone | None = None  # made when first needed
        self.header = DetailHeader(self, theme, actions.back, self.go, context.hint)
        self.header.pack(fill="x", padx=(LEFT - 8, RIGHT - 4))
        session.signals.missing_changed.append(self._show_missing)
        body = ctk.CTkFrame(self, fg_color="transparent", corner_radius=0)
        body.pack(fill="both", expand=True)
        rule(body, theme).pack(fill="x")
        self.acts = FrameActs(session, self._read, self._read_again, self.header.say)
        self.side = DetailSide(
            body,
            theme,
            session,
            SideActions(
                context.labels.suggest,
                self._why_no_tag,
                self._add_tag,
                self._remove_tag,
                self._similar,
                self._open,
                self._folder,
                self.show_segment,
                lambda numbers: self.picture.outline(numbers),
                self.edit_mask,
                self.new_segment,
                TrackActions(self._open_timeline, self.acts.split_track, self.acts.take_out),
            ),
        )
        self.side.pack(side="right", fill="y")
        middle = ctk.CTkFrame(body, fg_color="transparent", corner_radius=0)
        # wider than what is seen, since focus rings need space
        middle.pack(side="left", fill="both", expand=True, padx=LEFT - RING, pady=(24, _BELOW))
        self.picture = FramePicture(
            middle,
            theme,
            session.main_thread,
            self.show_segment,
            lambda view: session.library.browse.full_frame(view),
            lambda scale: self.strips.show_scale(scale),
        )
        self.picture.pack(fill="x", padx=theme.px(RING))
        self.strips = DetailStrips(
            middle,
            theme,
            context.thumbnails,
            StripActions(self.show_segment, self._show_picture, self._zoom),
        )
        self.strips.pack(fill="x")
        self._body, self._middle = body, middle
        self.masks = MaskEditing(
            self,
            body,
            context,
            MaskEditingActions(
                context.labels.suggest, self.header.show_moment, self._read, self._mask_left
            ),
            self.acts,
        )
        tkinter.Misc.bind(middle, "<Configure>", lambda _: self._fit_picture(), "+")

    def step_back(self) -> bool:
        if self.masks.is_open:
            self.masks.step_back()
        elif not self.leave_alone():
            self._actions.back()
        return True

    def left(self) -> None:
        self.leave_alone()
        self.masks.close()

    def lets_go(self, then: Callable[[], object]) -> bool:
        return self.masks.lets_go(then)

    def undo(self) -> None:
        self.masks.undo()

    def redo(self) -> None:
        self.masks.redo()

    def show_alone(self) -> None:
        """Show the picture alone, on the whole screen, or leave that; Page Up and Down go on."""
        if self._view is None or self.leave_alone():
            return
        if self.alone is None:
            browse = self._session.library.browse
            self.alone = PictureAlone(
                self.winfo_toplevel(),
                self.theme,
                self._session.main_thread,
                self.show_segment,
                lambda view: browse.full_frame(view),
                self.go,
            )
        self.alone.open()
        self._show_picture()

    def leave_alone(self) -> bool:
        """Show all else again; returns whether the picture was alone."""
        return self.alone is not None and self.alone.close()

    def refresh_thumbnails(self) -> None:
        self.strips.refresh()
        self.masks.refresh_thumbnails()

    # -- showing

    def open(self, segment_id: str, origin: Origin) -> None:
        """Show a segment that was found, or the first frame of a media file."""
        self.acts.forget()
        self.header.say("")
        self._origin = origin
        self.header.back.set_text(origin.name)
        self.picture.clear()
        self._read(segment_id)

    @property
    def origin(self) -> Origin:
        """Where it was opened from, with what is shown of it now."""
        return self._origin

    @property
    def place(self) -> int | None:
        """The place of the hit that is shown; None where the panel was not opened from a hit."""
        return self._origin.place if self._origin.hits else None

    def show_segment(self, segment_id: str) -> None:
        """Show another segment, of the same frame or another one."""
        self.header.say("")
        view = self._view
        if view is not None and any(segment.id == segment_id for segment in view.segments):
            self.segment_id = segment_id
            self._show()
        else:
            self._read(segment_id)

    def _read(self, segment_id: str) -> None:
        """Read a segment's frame and show it; until then there is no view."""
        self.segment_id, self._view = segment_id, None
        self._asked += 1
        asked, library = self._asked, self._session.library

        def answered(view: FrameView) -> None:
            if asked == self._asked:
                self._view = view
                self._show()

        self._session.main_thread.run(
            lambda: library.browse.frame_view(segment_id),
            answered,
            self._actions.failed,
            "Couldn't open the segment",
        )

    def go(self, step: int) -> None:
        """Go to the next or previous hit, or photo of the library, or frame of a video."""
        if not self.masks.lets_go(lambda: self.go(step)):
            return
        hits, photos, place = self._origin.hits, self._origin.photos, self._origin.place + step
        if not hits and not photos:
            self.strips.frames.choose_next(step)
        elif 0 <= place < len(hits or photos):
            self._origin = replace(self._origin, place=place)
            if hits:
                self.show_segment(hits[place].segment.id)
            else:
                self._show_photo(photos[place])

    def _show_photo(self, media_file_id: int) -> None:
        browse = self._session.library.browse
        self._asked += 1
        asked = self._asked

        def found(frames: list[SampledFrame]) -> None:
            if asked == self._asked and frames:  # none: it was removed meanwhile
                self.show_segment(frames[0].segment_id)

        self._session.main_thread.run(lambda: browse.sampled_frames(media_file_id), found)

    def _show(self) -> None:
        view = self._view
        assert view is not None
        chosen = self._chosen()
        segment = view.segments[chosen]
        self.header.show_moment(self._place_of(segment))
        self._show_missing()
        self._show_picture()
        self.strips.show(view, segment.id)
        self._fit_picture()
        self.side.show(view, chosen, self._score(segment.id))
        self._show_place()

    def _show_picture(self) -> None:
        view = self._view
        if view is None:
            return
        chosen = self._chosen()
        tags = view.tags.get(self.segment_id, ())
        word = f"{tags[0].name} {tags[0].confidence:.2f}" if tags else ""
        whole = view.segments[chosen].kind == "frame"
        lit = Lit(chosen, self.strips.dim, self.strips.others)
        pictures = [self.picture]
        if self.alone is not None and self.alone.is_open:
            pictures.append(self.alone.picture)
        for picture in pictures:
            picture.show(view, lit, "" if whole else word)

    def _show_missing(self) -> None:
        """Show whether the file is not where it was; the picture shown is the library's own."""
        if self._view is not None:
            path = self._view.media.path
            self.header.show_file(path.name, self._session.missing.has(path))

    def _place_of(self, frame: StoredSegment | SampledFrame) -> str:
        return place_in_file(frame.frame_index, frame.timestamp_s, self._has_frames)

    @property
    def _has_frames(self) -> bool:
        return self._view is not None and has_frames(self._view)

    def _fit_picture(self) -> None:
        """Make the picture as high as the frame is at this width, or as the strips below allow."""
        view = self._view
        if view is None:
            return
        strips = self.strips.needed_height(view)
        rows, columns = view.image_rgb.shape[:2]
        wide = self._middle.winfo_width() - 2 * self.theme.px(RING)
        high = round(wide * rows / columns)
        # the job strip appears and disappears, and the picture must not move with it
        panel = self.winfo_toplevel().winfo_height() - self.theme.px(STRIP)
        above = self._middle.winfo_rooty() - self.winfo_rooty()
        free = panel - above - self.theme.px(_BELOW) - strips
        self.picture.configure(height=max(self.theme.px(120), min(high, free)))

    def _show_place(self) -> None:
        hits, photos = self._origin.hits, self._origin.photos
        if hits or photos:
            word = "Result" if hits else "Photo"
            self.header.show_place(word, self._origin.place, len(hits or photos))
        else:
            count = 0 if self._view is None else len(self._view.frames)
            self.header.show_place("Frame" if count > 1 else "", self.strips.frames.chosen, count)

    def _chosen(self) -> int:
        assert self._view is not None
        return next(i for i, s in enumerate(self._view.segments) if s.id == self.segment_id)

    def _score(self, segment_id: str) -> str:
        for hit in self._origin.hits:
            if hit.segment.id == segment_id and (said := match_of(hit)):
                is_for = self._origin.query and not mark_of(hit)
                return f"{said} for “{self._origin.query}”" if is_for else said
        return ""

    # -- doing

    def _read_again(self, segment_id: str) -> None:
        """Read the frame once more, after the tags of a segment changed, where that is shown."""
        if segment_id == self.segment_id:
            self._read(segment_id)

    def _why_no_tag(self, text: str) -> str:
        """Return why a text can't be a tag; "" where it can."""
        try:
            self._session.library.tag_name(text)
        except QueryError as exc:
            return as_sentence(str(exc))
        return ""

    def _add_tag(self, name: str) -> None:
        def refused(exc: Exception) -> None:
            if not is_of_a_person(exc):
                raise exc
            self.side.say_why_not(as_sentence(str(exc)))

        self.acts.add_tag(self.segment_id, name, lambda: self.side.added(name), refused)

    def _remove_tag(self, name: str) -> None:
        self.acts.remove_tag(self.segment_id, name)

    def _similar(self) -> None:
        if self._view is not None:
            self._actions.similar(self.segment_id, self._view.media.path)

    def _open(self) -> None:
        if self._view is not None:
            self._actions.open_file(self._view.media.path)

    def _folder(self) -> None:
        if self._view is not None:
            self._actions.show_in_folder(self._view.media.path)

    def _open_timeline(self, segment: StoredSegment) -> None:
        at_s = segment.timestamp_s or 0.0
        self._actions.open_timeline(segment.media_file_id, at_s, segment.id)

    def _zoom(self, scale: float | None) -> None:
        self.picture.fit() if scale is None else self.picture.zoom(scale)

    # -- masks

    @property
    def can_edit(self) -> bool:
        """Whether masks of the frame that is shown can be changed now."""
        alone = self.alone is not None and self.alone.is_open
        return self._view is not None and not self.masks.is_open and not alone

    def edit_mask(self) -> None:
        """Change the mask of the segment; of a frame as a whole there is none to change."""
        if self.can_edit and self._view is not None:
            self.header.say("")
            if self._view.segments[self._chosen()].kind == "object":
                self.masks.open(self._view, self.segment_id)
            else:
                self.header.say(NO_MASK)

    def new_segment(self) -> None:
        if self.can_edit and self._view is not None:
            self.header.say("")
            self.masks.open(self._view, None)

    def _mask_left(self, segment_id: str | None) -> None:
        self.show_segment(segment_id or self.segment_id)
