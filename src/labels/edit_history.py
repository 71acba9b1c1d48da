"""What undo and redo need of an edit: which pixels of the mask turned, and what else was so."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from src.models.click_session import ClickState
from src.records import BoxXywh

NO_BOX: BoxXywh = (0, 0, 0, 0)


@dataclass(frozen=True)
class MaskChange:
    """The pixels of a mask that turned: applied once more they turn back.

    Attributes:
        box_xywh: where they are.
        bits: of that box, compressed.
    """

    box_xywh: BoxXywh
    bits: bytes = field(repr=False)

    @staticmethod
    def of(turned: np.ndarray, box_xywh: BoxXywh) -> MaskChange:
        """Take what turned in a box: (h, w) bool."""
        return MaskChange(box_xywh, zlib.compress(np.packbits(turned).tobytes(), 1))

    def apply(self, mask: np.ndarray) -> np.ndarray:
        """Turn the pixels of a mask (H, W) bool; returns what turned in the box: (h, w) bool."""
        x, y, w, h = self.box_xywh
        packed = np.frombuffer(zlib.decompress(self.bits), np.uint8)
        turned = np.unpackbits(packed, count=w * h).reshape(h, w).view(bool)
        mask[y : y + h, x : x + w] ^= turned
        return turned


@dataclass(frozen=True)
class NewPart:
    """A part that was split off, and becomes a segment of its own.

    Attributes:
        bbox_xywh: of its pixels.
        mask: (h, w) bool, what is in the box.
    """

    bbox_xywh: BoxXywh
    mask: np.ndarray = field(repr=False, compare=False)


@dataclass(frozen=True)
class Situation:
    """All that an edit is beside the pixels of its mask.

    Attributes:
        clicks: what the model was asked, from the mask as it was at the first of these clicks.
        points: the clicks since the edit began: x, y, and whether inside.
        strokes: how many strokes of brush and eraser.
        predicted_iou: the model's estimate; None of a mask that a hand has changed.
        rings: outlines that a person draws or drags; None where the mask says them.
        merged: ids of segments that go into this one.
        parts: what was split off it.
        is_deleted: the segment is to go.
    """

    clicks: ClickState | None = None
    points: tuple[tuple[float, float, bool], ...] = ()
    strokes: int = 0
    predicted_iou: float | None = None
    rings: tuple[np.ndarray, ...] | None = None
    merged: tuple[str, ...] = ()
    parts: tuple[NewPart, ...] = ()
    is_deleted: bool = False


@dataclass(frozen=True)
class Step:
    """One act of a person: what was, what is, and what turned in between."""

    before: Situation
    after: Situation
    changes: tuple[MaskChange, ...] = ()


class EditHistory:
    """The acts of one edit, in order, and those that were undone."""

    def __init__(self) -> None:
        self._done: list[Step] = []
        self._undone: list[Step] = []

    def add(self, step: Step, continues: bool = False) -> None:
        """Remember an act; what was undone before can't be redone any more.

        Args:
            continues: it is a part of the last act, as each move of a brush is of its stroke.
        """
        self._undone.clear()
        if continues and self._done:
            last = self._done.pop()
            step = Step(last.before, step.after, last.changes + step.changes)
        self._done.append(step)

    def undo(self) -> Step | None:
        """Give the last act, which counts as undone from then on; None where there is none."""
        return self._move(self._done, self._undone)

    def redo(self) -> Step | None:
        """Give the act that was undone last, which counts as done; None where there is none."""
        return self._move(self._undone, self._done)

    @property
    def can_undo(self) -> bool:
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    @staticmethod
    def _move(source: list[Step], target: list[Step]) -> Step | None:
        if not source:
            return None
        target.append(source.pop())
        return target[-1]


def box_around(boxes: Sequence[BoxXywh]) -> BoxXywh:
    """Return the smallest box around others; those of no pixel don't count."""
    some = [box for box in boxes if box[2] and box[3]]
    if not some:
        return NO_BOX
    left, top = min(box[0] for box in some), min(box[1] for box in some)
    right = max(box[0] + box[2] for box in some)
    bottom = max(box[1] + box[3] for box in some)
    return left, top, right - left, bottom - top
