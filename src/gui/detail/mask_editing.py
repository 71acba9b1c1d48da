"""Editing a mask in the place of the detail view, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from src.gui.detail.frame_acts import FrameActs
from src.gui.masks.mask_view import MaskView, MaskViewActions
from src.gui.panel.panel import PanelContext
from src.label_records import KeptEdit
from src.records import FrameView
from src.search.completion import Suggestion


@dataclass(frozen=True)
class MaskEditingActions:
    """What editing asks of the detail view.

    Attributes:
        suggest: what labels may be meant by what is typed.
        title: shows in the header what is edited.
        changed: a segment of the frame is another one now; by its id.
        left: shows a segment as it was, by its id; None for the one that was shown before.
    """

    suggest: Callable[[str], Sequence[Suggestion]]
    title: Callable[[str], None]
    changed: Callable[[str], None]
    left: Callable[[str | None], None]


class MaskEditing:
    """Lies over the body of the detail view while it is open; made when first needed."""

    def __init__(
        self,
        panel: Any,
        body: Any,
        context: PanelContext,
        actions: MaskEditingActions,
        acts: FrameActs,
    ) -> None:
        self._panel, self._body, self._context, self._actions = panel, body, context, actions
        self._view: FrameView | None = None
        self.mask_view: MaskView | None = None
        self._acts = acts

    @property
    def is_open(self) -> bool:
        return self.mask_view is not None and bool(self.mask_view.winfo_manager())

    def open(self, view: FrameView, segment_id: str | None) -> None:
        """Edit a segment of a frame; a new one where the id is None."""
        self._view = view
        if self.mask_view is None:
            context = self._context
            self.mask_view = MaskView(
                self._panel,
                context.theme,
                context.session,
                context.thumbnails,
                MaskViewActions(
                    self._actions.suggest, self._kept, self._left, self._begun, self.open
                ),
            )
        if not self.is_open:
            self._body.pack_forget()
            self.mask_view.pack(fill="both", expand=True)
            # the photo is fitted into the space that it has
            self.mask_view.update_idletasks()
        self.mask_view.open(view, segment_id)

    def close(self) -> None:
        """Bring the detail view back; what is not kept is lost."""
        if self.mask_view is not None and self.is_open:
            self.mask_view.close()
            self.mask_view.pack_forget()
            self._body.pack(fill="both", expand=True)
            self._panel.winfo_toplevel().focus_set()

    def lets_go(self, then: Callable[[], object]) -> bool:
        """Return whether editing can be left now, and leave it; else ask, and call `then` later."""
        if self.mask_view is None or not self.is_open:
            return True
        if not self.mask_view.lets_go(then):
            return False
        self.close()
        return True

    def step_back(self) -> None:
        if self.mask_view is not None:
            self.mask_view.step_back()

    def undo(self) -> None:
        """Undo a step of the edit, or what was done to the frame last."""
        if self.mask_view is not None and self.is_open:
            self.mask_view.undo()
        else:
            self._acts.undo()

    def redo(self) -> None:
        if self.mask_view is not None and self.is_open:
            self.mask_view.redo()
        else:
            self._acts.redo()

    def refresh_thumbnails(self) -> None:
        if self.mask_view is not None and self.is_open:
            self.mask_view.refresh_thumbnails()

    def _kept(self, kept: KeptEdit) -> None:
        assert self._view is not None
        whole = self._view.segments[0].id
        self.close()
        if kept.batch:
            self._acts.remember_edit(kept, whole)
        self._actions.changed(kept.segment_id or whole)
        self._context.session.tell_content_changed()

    def _left(self) -> None:
        segment_id = None if self.mask_view is None else self.mask_view.segment_id
        self.close()
        self._actions.left(segment_id)

    def _begun(self, segment_id: str | None) -> None:
        assert self._view is not None
        ids = [segment.id for segment in self._view.segments]
        if segment_id is None:
            self._actions.title("New segment")
        else:
            place = ids.index(segment_id) + 1
            self._actions.title(f"Editing segment {place:,} of {len(ids):,}")
