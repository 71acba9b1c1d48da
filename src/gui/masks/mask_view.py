"""A frame with one of its masks under edit: tools above, facts beside, keys below."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from src.gui.core.session import Session
from src.gui.core.thumbnails import Thumbnails
from src.gui.masks import frame_segments, tools
from src.gui.masks.editor import Click, Look, Opened, Ring
from src.gui.masks.frame_stage import FrameStage
from src.gui.masks.mask_canvas import MaskCanvas, Stroke
from src.gui.masks.mask_marks import MaskMarks
from src.gui.masks.mask_session import Deed, MaskSession, SessionEvents
from src.gui.masks.mask_side import MaskSide, MaskSideActions
from src.gui.masks.mask_tools import READING, MaskTools
from src.gui.masks.pointer import MaskPointer, PointerActions
from src.gui.masks.polygon_tool import PolygonActions, PolygonTool
from src.gui.masks.segment_strip import SegmentStrip
from src.gui.masks.tool_bar import ToolBar
from src.gui.masks.view_row import ViewRow
from src.gui.theme.theme import LEFT, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import RING, rule
from src.gui.widgets.key_hints import KeyHints
from src.label_records import KeptEdit
from src.records import FrameView
from src.search.completion import Suggestion

_HINTS = (
    (("B",), "brush"),
    (("E",), "eraser"),
    (("[", "]"), "size"),
    (("Alt",), "take away"),
    (("Ctrl", "Z"), "undo"),
    (("Space",), "move the photo"),
)
_PREPARING = "Getting the photo ready for clicks…"


@dataclass(frozen=True)
class MaskViewActions:
    """What the view asks of the panel that it lies in.

    Attributes:
        suggest: what labels may be meant by what is typed.
        kept: an edit is in the library.
        left: the edit was left, and nothing of it is to be kept.
        begun: another segment is edited, by its id; None for a new one.
        open: edits a segment of a frame, after the view was left.
    """

    suggest: Callable[[str], Sequence[Suggestion]]
    kept: Callable[[KeptEdit], None]
    left: Callable[[], None]
    begun: Callable[[str | None], None]
    open: Callable[[FrameView, str | None], None]


class MaskView(ctk.CTkFrame):
    """Open while a mask is edited; asks in place before unsaved changes are left."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        session: Session,
        thumbnails: Thumbnails,
        actions: MaskViewActions,
    ) -> None:
        super().__init__(master, fg_color=theme.colours.window, corner_radius=0)
        self.theme, self._session, self._actions = theme, session, actions
        self._view: FrameView | None = None
        self.segment_id: str | None = None
        self._leaving: Callable[[], object] | None = None
        self._previewed: tuple[Click, np.ndarray] | None = None  # of the mask as it is
        self.edit = MaskSession(
            session.main_thread,
            SessionEvents(self._opened, self._say_state, self._changed, self._wrong, self._kept),
        )
        rule(self, theme).pack(fill="x")
        self.keys = KeyHints(self, theme, _HINTS)
        self.keys.pack(side="bottom", fill="x")
        self.keys.say("Saved only when you keep it")
        self.side = MaskSide(
            self,
            theme,
            session.main_thread,
            MaskSideActions(
                actions.suggest, self._set_label, self.keep, self.discard, self._go_on_editing
            ),
        )
        self.side.pack(side="right", fill="y")
        middle = ctk.CTkFrame(self, fg_color="transparent", corner_radius=0)
        middle.pack(side="left", fill="both", expand=True, padx=LEFT - RING, pady=(12, 8))
        self.bar = ToolBar(
            middle,
            theme,
            lambda tool: self.tools.use(tool),
            lambda deed: self.tools.do(deed),
            lambda size: self.tools.set_size(size),
        )
        self.bar.pack(fill="x", padx=RING)
        self.row = ViewRow(middle, theme, lambda: self.stage.restage(), self._zoom)
        self.row.pack(side="bottom", fill="x")
        self.strip = SegmentStrip(
            middle, theme, thumbnails, self._choose, (self.bar, self.row), self.row
        )
        self.canvas = MaskCanvas(middle, theme, session.main_thread, self._drawn)
        self.canvas.pack(fill="both", expand=True, padx=theme.px(RING), pady=theme.px(12))
        self.marks = MaskMarks(self.canvas, theme)
        self.stage = FrameStage(self.canvas, self.marks, self.row)
        self.polygon = PolygonTool(
            theme.scale, PolygonActions(self.marks.show_rings, self._closed, self._reshaped)
        )
        self.pointer = MaskPointer(
            self.canvas,
            self.marks,
            self.polygon,
            PointerActions(self._clicked, self._boxed, self._stroked, self._picked, self._rests),
        )
        self.tools = MaskTools(
            self.bar, self.pointer, self.polygon, self.edit, self._do, self.keys.say
        )
        self.tools.bind_keys(self, self.side.entry, self.enter)

    # -- begin and end

    def enter(self) -> None:
        """Close the polygon that is being drawn, else keep the edit."""
        if not self.polygon.is_drawing:
            self.keep()
        elif not self.polygon.close():
            self.keys.say("A polygon needs three corners.")

    def undo(self) -> None:
        self.tools.do(tools.UNDO.key)

    def redo(self) -> None:
        self.tools.do(tools.REDO.key)

    @property
    def is_open(self) -> bool:
        return self.edit.is_open

    @property
    def is_asking(self) -> bool:
        """Whether it asks what becomes of the changes."""
        return self._leaving is not None and not self.edit.is_keeping

    def open(self, view: FrameView, segment_id: str | None) -> None:
        """Edit a segment of a frame, or draw a new one where the id is None."""
        self._view, self.segment_id, self._leaving = view, segment_id, None
        self._previewed = None
        library = self._session.library
        self.marks.clear()
        self.polygon.clear()
        self.pointer.is_on = False
        self.tools.begin(view.segments[0].frame_wh, segment_id is None)
        tag, offers = frame_segments.labels_of(view, segment_id)
        whole = view.segments[0].id

        def edit() -> Opened:
            return Opened(
                library.edit_frame(segment_id or whole),
                library.mask_generator is not None,
                lambda segment, name, batch: library.labels.reject([segment], name, batch),
            )

        self.edit.open(edit, segment_id, tag)
        self.side.begin(tag, offers)
        self.stage.begin(view, segment_id)
        self._say_state()
        self._show_state()
        self.strip.show_segments(view, segment_id)
        self._actions.begun(segment_id)
        self.canvas.focus_set()

    def close(self) -> None:
        """Leave the edit; what is not kept is lost."""
        self.edit.close()
        self.canvas.clear()
        self.marks.clear()
        self.polygon.clear()
        self._leaving = None

    def lets_go(self, then: Callable[[], object]) -> bool:
        """Return whether the edit can be left now; else it asks, and calls `then` afterwards."""
        if not self.is_open:
            return True
        if self.edit.is_keeping:
            self._leaving = then
            return False
        if not self.edit.has_changes:
            self.close()
            return True
        self._leaving = then
        self.side.ask("Keep your changes to this segment?")
        return False

    def step_back(self) -> None:
        """Do what Escape means: drop what is being drawn, else leave, and twice discard."""
        if self.pointer.cancel():
            self._show_look()
        elif self._leaving is not None:
            self.discard()
        elif self.tools.tool == tools.MERGE.key:
            self.tools.put_back()
        elif self.lets_go(self._actions.left):
            self._actions.left()

    def keep(self) -> None:
        """Write the edit into the library, where there is anything to keep."""
        self.side.take_label()
        if self.pointer.is_drawing or self.edit.is_keeping or self.edit.look is None:
            return
        if not self.edit.has_changes:
            self.discard()
            return
        self.side.ask("")
        self.edit.keep()
        self._show_state()

    def discard(self) -> None:
        """Leave the segment as it was."""
        if self.edit.is_keeping:
            return
        then = self._leaving or self._actions.left
        self.close()
        then()

    def _go_on_editing(self) -> None:
        if not self.edit.is_keeping:
            self._leaving = None
        self.side.ask("")
        self.canvas.focus_set()

    def _kept(self, kept: KeptEdit) -> None:
        then = self._leaving
        self.close()
        self._actions.kept(kept)
        if then is not None:
            then()

    # -- what the editor answers

    def _opened(self, look: Look) -> None:
        assert self.edit.image is not None
        self.pointer.is_on = True
        self.tools.opened()
        self.stage.opened(self.edit.image, look)
        self._changed(look)
        self._say_state()

    def _changed(self, look: Look) -> None:
        self.side.say_wrong("")
        self.stage.changed(look)
        if self.tools.tool == tools.POLYGON.key and not self.polygon.is_drawing:
            self.polygon.show(look.rings)
        self._show_state()

    def _show_look(self) -> None:
        """Show the mask as the editor knows it."""
        if self.edit.look is not None:
            self._changed(self.edit.look)

    def _show_state(self) -> None:
        """Show facts, and which tools can be used."""
        look, view, image = self.edit.look, self._view, self.edit.image
        if view is None:
            return
        why_not = "" if look is not None else READING
        self.side.allow_keep(why_not, self.edit.is_keeping)
        self.tools.allow(None if look is None else look.state)
        if look is None or image is None or self.edit.before is None:
            return
        what = "photo" if view.media.kind == "image" else "frame"
        self.side.show(look, image.size, what, self.segment_id is None)
        first = frame_segments.caption_of(view, self.segment_id)
        unchanged = "Not changed" if self.segment_id else first
        now = "Edited by you" if look.state.can_undo else unchanged
        self.side.pictures.show(image, self.edit.before, look, (first, now))

    def _wrong(self, sentence: str) -> None:
        self._show_state()
        self.side.say_wrong(sentence)
        if self.edit.look is None:  # it could not be opened
            self.close()
            self._actions.left()

    def _say_state(self) -> None:
        self.row.say(
            READING
            if not self.edit.is_ready
            else _PREPARING
            if self.edit.can_click and not self.edit.is_prepared
            else ""
        )

    def _set_label(self, name: str) -> None:
        self.edit.label = name.strip() or self.edit.label_before
        if self.side.entry.text.strip() != self.edit.label:
            self.side.entry.set(self.edit.label)

    # -- what the pointer does

    def _do(
        self,
        deed: Deed,
        answered: Callable[[], None] | None = None,
        told: Callable[[object], None] | None = None,
    ) -> None:
        """Change the mask; who does so goes on editing, whatever was asked."""
        self._previewed = None
        if self.is_asking:
            self._go_on_editing()
        self.edit.do(deed, answered, told)

    def _clicked(self, x: float, y: float, inside: bool) -> None:
        if self._previewed is not None and self._previewed[0] == (x, y, inside):
            self.canvas.show_mask(self._previewed[1])  # what the click will bring
        self._do(lambda editor: editor.click(x, y, inside))

    def _boxed(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self._do(lambda editor: editor.box(x0, y0, x1, y1))

    def _stroked(self, stroke: Stroke) -> None:
        points = tuple(stroke.points)
        self._do(
            lambda editor: editor.stroke(points, stroke.radius, stroke.erase),
            lambda: self.canvas.forget_stroke(stroke),
        )

    def _closed(self, ring: Ring) -> None:
        self._do(lambda editor: editor.polygon(tuple(ring)))

    def _reshaped(self, rings: Sequence[Ring]) -> None:
        shapes = [np.array(ring, np.float64) for ring in rings]
        self._do(lambda editor: editor.set_polygon(shapes))

    def _picked(self, x: float, y: float) -> None:
        picked = self.stage.other_at((x, y))
        if picked is None:
            return
        if self.tools.tool == tools.MERGE.key:
            self._do(lambda editor: editor.merge(picked))
            self.tools.put_back()
        else:
            self._choose(picked)

    def _choose(self, segment_id: str) -> None:
        """Edit another segment of the frame, once this one is kept or left."""
        view = self._view
        if view is None or segment_id == self.segment_id:
            return
        if self.lets_go(partial(self._read_and_open, segment_id)):
            self.open(view, segment_id)

    def _read_and_open(self, segment_id: str) -> None:
        """Edit a segment of a frame that is another one by now."""
        browse = self._session.library.browse
        self._session.main_thread.run(
            lambda: browse.frame_view(segment_id),
            lambda view: self._actions.open(view, segment_id),
            fails="Couldn't edit the segment",
        )

    def _rests(self, at: tuple[float, float] | None, removes: bool) -> None:
        """Show what a click there would do."""
        if at is None or self.tools.tool != tools.CLICK.key:
            self.edit.forget_preview()
            self.canvas.show_tint(None)
        else:
            click = (*at, not removes)
            self.edit.preview(*click, lambda mask: self._show_preview(click, mask))
        self.stage.hover(at if self.tools.tool in tools.PICKING else None)

    def _show_preview(self, click: Click, mask: np.ndarray) -> None:
        if self.tools.tool == tools.CLICK.key:
            self._previewed = click, mask
            self.canvas.show_tint(mask)

    # -- the picture

    def _drawn(self) -> None:
        if self.canvas.drawn is not None:
            self.row.show_scale(self.canvas.drawn.scale)
        self.marks.place()
        self.pointer.refresh()

    def _zoom(self, scale: float | None) -> None:
        self.canvas.fit() if scale is None else self.canvas.zoom(scale)

    def refresh_thumbnails(self) -> None:
        self.strip.refresh()
