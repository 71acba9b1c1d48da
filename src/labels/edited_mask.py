"""A mask under edit: its pixels, what is counted of them, and the acts that led to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from src.errors import QueryError
from src.label_records import MaskState
from src.labels import outlines
from src.labels.edit_history import (
    NO_BOX,
    EditHistory,
    MaskChange,
    NewPart,
    Situation,
    Step,
    box_around,
)
from src.records import BoxXywh


class EditedMask:
    """A mask of a frame, of which each act touches only where it changes something."""

    def __init__(self, mask: np.ndarray) -> None:
        """Begin with a mask: (H, W) bool, which is the edit's own from then on."""
        self.mask = mask
        self.now = Situation()
        self.changed_box: BoxXywh | None = None
        # another one after each act, undo and redo
        self.number = 0
        self._start = mask.copy()
        self._history = EditHistory()
        self._around = box_of(mask)  # nothing of the mask is beyond it
        self.area = int(np.count_nonzero(mask))
        self._added = self._removed = 0
        self._rings: tuple[int, list[np.ndarray]] | None = None

    def copy(self) -> EditedMask:
        """Give what a model is asked about: the mask as it is, without what was before."""
        copy = EditedMask.__new__(EditedMask)
        copy.mask, copy.now, copy.area = self.mask.copy(), self.now, self.area
        return copy

    # -- what it is

    @property
    def can_undo(self) -> bool:
        return self._history.can_undo

    @property
    def differs(self) -> bool:
        """Whether the mask has another pixel than when the edit began."""
        return bool(self._added or self._removed)

    def box(self) -> BoxXywh | None:
        """Measure the mask's box; None for an empty mask."""
        x, y, w, h = self._around
        left, top, w, h = cv2.boundingRect(self.mask[y : y + h, x : x + w].view(np.uint8))
        self._around = (x + left, y + top, w, h) if w else NO_BOX
        return self._around if w else None

    def whole(self) -> NewPart | None:
        """Give what is in the mask's box; None for an empty mask."""
        box = self.box()
        if box is None:
            return None
        x, y, w, h = box
        return NewPart(box, self.mask[y : y + h, x : x + w].copy())

    def state(self, segment_id: str | None) -> MaskState:
        """Say it in numbers."""
        now = self.now
        return MaskState(
            segment_id,
            self.box(),
            self.area,
            self._added,
            self._removed,
            sum(inside for _, _, inside in now.points),
            sum(not inside for _, _, inside in now.points),
            now.strokes,
            now.predicted_iou,
            self._history.can_undo,
            self._history.can_redo,
            now.points,
            len(now.parts),
            now.is_deleted,
        )

    def rings(self) -> list[np.ndarray]:
        """Give the outlines that a person drags, or those of the mask."""
        if self.now.rings is not None:
            return list(self.now.rings)
        if self._rings is None or self._rings[0] != self.number:
            whole = self.whole()
            height, width = self.mask.shape
            found = [] if whole is None else outlines.outlined(whole, (width, height))
            self._rings = self.number, found
        return self._rings[1]

    def by_hand(self) -> Situation:
        """Return the situation after a change that no model has a part in."""
        return replace(self.now, clicks=None, predicted_iou=None, rings=None, is_deleted=False)

    # -- changing it

    def set_part(
        self,
        part: np.ndarray,
        box_xywh: BoxXywh,
        value: bool,
        after: Situation,
        continues: bool = False,
        must_note: bool = False,
    ) -> None:
        """Set the pixels of a part to inside, or outside.

        Args:
            part: (h, w) bool, which pixels of the box.
            after: what the edit is then.
            continues: see EditHistory.add.
            must_note: it is an act even where no pixel changes.
        """
        x, y, w, h = box_xywh
        here = self.mask[y : y + h, x : x + w]
        self.turn(part & ~here if value else part & here, box_xywh, after, continues, must_note)

    def set_all(self, mask: np.ndarray, after: Situation) -> None:
        """Take another mask (H, W) bool in the place of this one."""
        x, y, w, h = box_around([self._around, box_of(mask)])
        window = np.s_[y : y + h, x : x + w]
        self.turn(self.mask[window] ^ mask[window], (x, y, w, h), after, must_note=True)

    def take_off(self, parts: Sequence[NewPart]) -> None:
        """Make segments of their own of some parts."""
        x, y, w, h = box = box_around([part.bbox_xywh for part in parts])
        turned = np.zeros((h, w), bool)
        for part in parts:
            left, top, wide, high = part.bbox_xywh
            turned[top - y : top - y + high, left - x : left - x + wide] |= part.mask
        after = replace(self.by_hand(), parts=(*self.now.parts, *parts))
        self.turn(turned, box, after)

    def turn(
        self,
        turned: np.ndarray,
        box_xywh: BoxXywh,
        after: Situation,
        continues: bool = False,
        must_note: bool = False,
    ) -> None:
        """Turn pixels of a box, as one act.

        Args:
            turned: (h, w) bool, which of them.
        """
        part = trimmed(turned, box_xywh[:2])
        if part is None and not (must_note or after.rings is not None):
            self.changed_box = None
            return
        changes: tuple[MaskChange, ...] = ()
        if part is not None:
            changes = (MaskChange.of(part.mask, part.bbox_xywh),)
        before, self.now = self.now, after
        self._history.add(Step(before, after, changes), continues)
        self._apply(changes)

    def undo(self) -> bool:
        """Undo the last act; returns whether there was one."""
        step = self._history.undo()
        if step is not None:
            self.now = step.before
            self._apply(step.changes[::-1])
        return step is not None

    def redo(self) -> bool:
        """Do again what was undone last; returns whether there was anything."""
        step = self._history.redo()
        if step is not None:
            self.now = step.after
            self._apply(step.changes)
        return step is not None

    def small_parts(self, least_px: int) -> list[NewPart]:
        """List the connected parts beside the largest; those of fewer pixels stay with it."""
        whole = self.whole()
        if whole is None:
            return []
        count, numbers, stats, _ = cv2.connectedComponentsWithStats(
            whole.mask.view(np.uint8), connectivity=8
        )
        areas = stats[:, cv2.CC_STAT_AREA]
        largest = 1 + int(areas[1:].argmax())
        left, top, _, _ = whole.bbox_xywh
        parts = []
        for number in range(1, count):
            if number != largest and areas[number] >= least_px:
                x, y, w, h = stats[number, :4].tolist()
                inside = numbers[y : y + h, x : x + w] == number
                parts.append(NewPart((left + x, top + y, w, h), inside))
        return parts

    def part_in(self, points: Sequence[tuple[float, float]]) -> NewPart:
        """Return what of the mask lies in a polygon.

        Args:
            points: its corners, in pixels of the frame.

        Raises:
            QueryError: nothing does, or all of it; or see outlines.filled.
        """
        height, width = self.mask.shape
        filled = outlines.filled([points], (width, height))
        if filled is not None:
            part, (x, y, w, h) = filled
            part = part & self.mask[y : y + h, x : x + w]
            if (off := trimmed(part, (x, y))) is not None and np.count_nonzero(part) < self.area:
                return off
        raise QueryError("draw around a part of the mask, neither beside it nor around all of it")

    def _apply(self, changes: Sequence[MaskChange]) -> None:
        for change in changes:
            x, y, w, h = change.box_xywh
            window = np.s_[y : y + h, x : x + w]
            here, start = self.mask[window], self._start[window]
            self._count(here, start, -1)
            change.apply(self.mask)
            self._count(here, start, 1)
        boxes = [change.box_xywh for change in changes]
        self._around = box_around([self._around, *boxes])
        self.changed_box = box_around(boxes) if boxes else None
        self.number += 1

    def _count(self, here: np.ndarray, start: np.ndarray, sign: int) -> None:
        self.area += sign * int(np.count_nonzero(here))
        self._added += sign * int(np.count_nonzero(here & ~start))
        self._removed += sign * int(np.count_nonzero(start & ~here))


def box_of(mask: np.ndarray) -> BoxXywh:
    """Measure the box of a mask (H, W) bool; that of an empty one has no pixel."""
    x, y, w, h = cv2.boundingRect(mask.view(np.uint8))
    return (x, y, w, h) if w else NO_BOX


def trimmed(part: np.ndarray, corner_xy: tuple[int, int]) -> NewPart | None:
    """Cut a part (h, w) bool down to its pixels; None where it has none.

    Args:
        corner_xy: where its first pixel lies.
    """
    x, y, w, h = cv2.boundingRect(np.ascontiguousarray(part).view(np.uint8))
    if not w:
        return None
    left, top = corner_xy
    inside = np.ascontiguousarray(part[y : y + h, x : x + w])
    return NewPart((left + x, top + y, w, h), inside)
