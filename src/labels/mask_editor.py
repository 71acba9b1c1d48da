"""A person edits the masks of one frame: by clicks, a brush, outlines; all of it can be undone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import TracebackType

import numpy as np

from src.datasets.polygons import cut_mask
from src.errors import QueryError
from src.label_records import KeptEdit, MaskState
from src.labels import outlines
from src.labels.brush import stroke_mask
from src.labels.edit_history import Situation
from src.labels.edited_mask import EditedMask
from src.labels.frame_to_edit import FrameToEdit, stored_mask
from src.labels.kept_edits import EditToKeep, KeptEdits
from src.labels.model_clicks import ModelClicks
from src.models.mask_rle import decode_rle
from src.models.segmenter import Segmenter
from src.records import BoxXywh, StoredSegment

NO_EDIT = "choose a segment to edit, or begin a new one first"
EMPTY = "the mask is empty; paint or click the segment first, or delete it"


class MaskEditor:
    """Edits the masks of a frame, one segment after another; nothing is stored before `keep`.

    Coordinates are pixels of the frame: (0, 0) is the corner of the first one, and (x, y) lies in
    the pixel of the row int(y) and the column int(x). Any thread may call it: a click, which asks
    a model, holds up neither a stroke nor a look at the state.
    """

    def __init__(
        self,
        frame: FrameToEdit,
        kept: KeptEdits,
        segmenter: Callable[[], Segmenter | None],
        least_px: int,
    ) -> None:
        """Open a frame; see MediaLibrary.edit_frame.

        Args:
            kept: stores edits.
            segmenter: gives the one in use; asked at the first click.
            least_px: parts of fewer pixels are not split off by themselves.
        """
        self._frame = frame
        self._kept = kept
        self._model = ModelClicks(frame.image_rgb, segmenter)
        self._least_px = least_px
        self._edit: EditedMask | None = None
        self._segment_id: str | None = None
        self._label: str | None = None
        # held while the mask is looked at, but not while the model is asked: see ModelClicks.asking
        self._lock = threading.RLock()

    # -- the frame

    @property
    def image_rgb(self) -> np.ndarray:
        """The frame: (H, W, 3) uint8, not to be written to."""
        return self._frame.image_rgb

    @property
    def size_wh(self) -> tuple[int, int]:
        """Of the frame, in pixels."""
        return self._frame.size_wh

    @property
    def segment_ids(self) -> tuple[str, ...]:
        """The segments on the frame, larger ones first, without those that this edit takes away."""
        with self._lock:
            now = Situation() if self._edit is None else self._edit.now
            gone = {*now.merged, *([self._segment_id] if now.is_deleted else [])}
            segments = self._frame.segments.values()
            return tuple(s.id for s in segments if s.kind != "frame" and s.id not in gone)

    def mask_of(self, segment_id: str) -> np.ndarray:
        """Give a segment's mask: (H, W) bool; of the edited one as it is now.

        Raises:
            QueryError: it is not on this frame, or is the frame as a whole.
        """
        with self._lock:
            if self._edit is not None and segment_id == self._segment_id:
                return self._edit.mask.copy()
        return decode_rle(stored_mask(self._segment(segment_id)), self.size_wh)

    def prepare(self) -> None:
        """Have the model look at the frame, which takes longest; clicks are quick from then on.

        Raises:
            ModelNotLoadedError: there is none.
        """
        self._model.prepare()

    def close(self) -> None:
        """Free what the model keeps of the frame; nothing that was not kept is stored."""
        self._model.close()
        self.discard()

    def __enter__(self) -> MaskEditor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- the edit of one segment

    def begin(self, segment_id: str | None, label: str | None = None) -> None:
        """Begin to edit a segment; an edit that was not kept is dropped.

        Args:
            segment_id: None for a new one.
            label: that it is given by the person once it is kept.

        Raises:
            QueryError: it is not on this frame, or is the frame as a whole.
        """
        width, height = self.size_wh
        if segment_id is None:
            mask = np.zeros((height, width), bool)
        else:
            mask = decode_rle(stored_mask(self._segment(segment_id)), self.size_wh).copy()
        with self._lock:
            self._edit = EditedMask(mask)
            self._segment_id, self._label = segment_id, label

    @property
    def label(self) -> str | None:
        """The label that the segment gets once it is kept; it can be changed until then."""
        return self._label

    @label.setter
    def label(self, name: str | None) -> None:
        self._label = name

    @property
    def mask(self) -> np.ndarray:
        """The mask as it is now: (H, W) bool, a view that later acts change."""
        return self._now().mask

    @property
    def changed_box(self) -> BoxXywh | None:
        """Where the last act, undo or redo has changed the mask: x, y, w, h; None for nowhere."""
        return self._now().changed_box

    @property
    def points(self) -> list[tuple[float, float, bool]]:
        """The clicks since the edit began, but for those undone: x, y, and whether inside."""
        return list(self._now().now.points)

    @property
    def state(self) -> MaskState:
        """What the mask is now, in numbers."""
        with self._lock:
            return self._now().state(self._segment_id)

    def click(self, x: float, y: float, inside: bool = True) -> None:
        """Click a place inside the thing, or one outside of it.

        Raises:
            QueryError: the place is outside the frame, or nothing is edited.
            ModelNotLoadedError: there is no segmentation model.
        """
        self._ask(lambda edit: self._model.click(edit, x, y, inside))

    def box(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Point out the thing that fills a box, by two of its corners; it replaces the mask.

        Raises:
            QueryError, ModelNotLoadedError: see click.
        """
        self._ask(lambda edit: self._model.box(edit, x0, y0, x1, y1))

    def preview(self, x: float, y: float, inside: bool = True) -> np.ndarray:
        """Show what a click would bring, and keep nothing of it: (H, W) bool.

        Raises:
            QueryError, ModelNotLoadedError: see click.
        """
        with self._model.asking:
            self._model.prepare()
            with self._lock:
                edit = self._now().copy()
            return self._model.click(edit, x, y, inside, is_preview=True)[0]

    def stroke(
        self,
        points: Sequence[tuple[float, float]],
        radius: float,
        erase: bool = False,
        continues: bool = False,
    ) -> None:
        """Paint with a round brush, or erase.

        Args:
            points: the way of its middle.
            radius: of the brush, in pixels of the frame.
            continues: the way goes on from the stroke before, of which it is a part for undo.

        Raises:
            QueryError: that is no way, or no radius; or nothing is edited.
        """
        drawn = stroke_mask(points, radius, self.size_wh)
        with self._lock:
            edit = self._now()
            continues = continues and edit.now.strokes > 0 and edit.can_undo
            strokes = edit.now.strokes + (not continues)
            if drawn is not None:
                after = replace(edit.by_hand(), strokes=strokes)
                edit.set_part(*drawn, value=not erase, after=after, continues=continues)

    def polygon(self, points: Sequence[tuple[float, float]], erase: bool = False) -> None:
        """Add what lies in a polygon, or take it away.

        Raises:
            QueryError: it has fewer than three corners, or one that is no place.
        """
        filled = outlines.filled([points], self.size_wh)
        with self._lock:
            edit = self._now()
            if filled is not None:
                edit.set_part(*filled, value=not erase, after=edit.by_hand())

    def polygon_points(self) -> list[np.ndarray]:
        """Give the outlines of the mask to drag: (N, 2) float64 each, of parts and of holes."""
        with self._lock:
            return [ring.copy() for ring in self._now().rings()]

    def set_polygon(self, rings: Sequence[np.ndarray], continues: bool = False) -> None:
        """Give the mask other outlines; it changes only where they differ from those before.

        Args:
            rings: as polygon_points gives them, with corners moved, added or taken away.
            continues: a corner is still being dragged, which is one act for undo.

        Raises:
            QueryError: one has fewer than three corners, or a corner that is no place.
        """
        with self._lock:
            edit = self._now()
            new = outlines.checked(rings)
            box, turned = outlines.turned(edit.rings(), new, edit.mask)
            after = replace(edit.by_hand(), rings=tuple(new))
            edit.turn(turned, box, after, continues and edit.now.rings is not None)

    # -- with other segments

    def merge(self, other_segment_id: str) -> None:
        """Let another segment of the frame go into this one.

        Raises:
            QueryError: it is not on the frame, is the whole frame, or the edited one itself.
        """
        if other_segment_id not in self.segment_ids or other_segment_id == self._segment_id:
            raise QueryError("choose another segment of this frame to merge with")
        part, box = cut_mask(stored_mask(self._segment(other_segment_id)), self.size_wh)
        with self._lock:
            edit = self._now()
            merged = (*edit.now.merged, other_segment_id)
            edit.set_part(part, box, True, replace(edit.by_hand(), merged=merged), must_note=True)

    def split(self, points: Sequence[tuple[float, float]] | None = None) -> int:
        """Make segments of their own of the parts of the mask; the largest stays this one's.

        Args:
            points: split off what lies in this polygon instead.

        Returns:
            How many segments there are then: 1 where the mask is in one piece, and nothing changes.

        Raises:
            QueryError: none of the mask lies in the polygon, or all of it.
        """
        with self._lock:
            edit = self._now()
            parts = edit.small_parts(self._least_px) if points is None else [edit.part_in(points)]
            if not parts:
                return 1
            edit.take_off(parts)
            return 1 + len(parts)

    def delete(self) -> None:
        """Let the segment go once the edit is kept; nothing automatic finds it again.

        Raises:
            QueryError: it is a new one, which Escape drops.
        """
        with self._lock:
            edit = self._now()
            if self._segment_id is None:
                raise QueryError("this segment is not kept yet; discard it")
            after = replace(edit.by_hand(), is_deleted=True)
            edit.set_all(np.zeros_like(edit.mask), after)

    # -- the end

    def undo(self) -> bool:
        """Undo the last act; returns whether there was one."""
        with self._lock:
            return self._now().undo()

    def redo(self) -> bool:
        """Do the act again that was undone last; returns whether there was one."""
        with self._lock:
            return self._now().redo()

    def keep(self) -> KeptEdit:
        """Store the edit; see KeptEdits.keep. Then the next one can begin.

        Raises:
            QueryError: the mask is empty, or the segments were changed meanwhile.
            SameMaskError: another segment of the frame has this very mask.
            DatabaseError: it can't be written; nothing is then.
        """
        with self._model.asking, self._lock:
            edit, now = self._now(), self._now().now
            mask = edit.whole()
            if mask is None and not now.is_deleted:
                raise QueryError(EMPTY)
            is_changed = now.is_deleted or edit.differs or bool(now.parts or now.merged)
            segment_id = self._segment_id
            if not is_changed and self._label is None and segment_id is not None:
                self.discard()
                return KeptEdit(segment_id, "")
            kept = self._kept.keep(
                self._frame,
                EditToKeep(
                    self._segment_id,
                    mask if edit.differs and not now.is_deleted else None,
                    now.is_deleted,
                    now.predicted_iou,
                    now.merged,
                    now.parts,
                    self._label,
                ),
            )
            self.refresh()
            return kept

    def refresh(self) -> None:
        """Look which segments the frame has now, after an edit was kept or undone.

        What was begun and not kept is dropped.
        """
        segments = {each.id: each for each in self._kept.segments_on(self._frame.frame_id)}
        with self._lock:
            self._frame = replace(self._frame, segments=segments)
            self.discard()

    def discard(self) -> None:
        """Drop what was begun and not kept."""
        with self._lock:
            self._edit, self._segment_id, self._label = None, None, None

    # -- inside

    def _now(self) -> EditedMask:
        if self._edit is None:
            raise QueryError(NO_EDIT)
        return self._edit

    def _segment(self, segment_id: str) -> StoredSegment:
        segment = self._frame.segments.get(segment_id)
        if segment is None:
            raise QueryError("this segment is not on the frame any more; open it again")
        return segment

    def _ask(self, change: Callable[[EditedMask], tuple[np.ndarray, Situation]]) -> None:
        """Change the mask by what a model says, without holding up whoever looks at it."""
        with self._model.asking:
            self._model.prepare()
            while True:
                with self._lock:
                    edit = self._now()
                    seen, number = edit.copy(), edit.number
                mask, after = change(seen)
                with self._lock:
                    if self._edit is edit and edit.number == number:
                        edit.set_all(mask, after)
                        return
