"""A stand-in for src.labels' MaskEditor that knows no model and no library."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw

from src.label_records import KeptEdit, MaskState


@dataclass(frozen=True)
class Step:
    mask: np.ndarray
    points: tuple[tuple[float, float, bool], ...] = ()
    strokes: int = 0


class FakeEditor:
    """A click is a disk of CLICK pixels; all else is as the contract says."""

    CLICK = 40

    def __init__(
        self,
        image_rgb: np.ndarray,
        masks: dict[str, np.ndarray],
        wait_s: float = 0.0,
    ) -> None:
        self.image_rgb, self.masks = image_rgb, dict(masks)
        self.label: str | None = None
        self.calls: list[str] = []
        self.segment_id: str | None = None
        self._wait_s = wait_s
        self._steps: list[Step] = []
        self._undone: list[Step] = []
        self.on_keep: Callable[[], None] = lambda: None

    @property
    def segment_ids(self) -> Sequence[str]:
        return list(self.masks)

    @property
    def mask(self) -> np.ndarray:
        return self._steps[-1].mask

    @property
    def state(self) -> MaskState:
        mask, first, step = self.mask, self._steps[0].mask, self._steps[-1]
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        box = None
        if len(rows):
            x, y = int(columns[0]), int(rows[0])
            box = x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y
        inside = sum(1 for _, _, is_inside in step.points if is_inside)
        return MaskState(
            self.segment_id,
            box,
            int(mask.sum()),
            int((mask & ~first).sum()),
            int((first & ~mask).sum()),
            inside,
            len(step.points) - inside,
            step.strokes,
            can_undo=len(self._steps) > 1,
            can_redo=bool(self._undone),
            points=step.points,
        )

    def prepare(self) -> None:
        time.sleep(self._wait_s)
        self.calls.append("prepare")

    def begin(self, segment_id: str | None, label: str | None) -> None:
        self.segment_id, self.label = segment_id, label
        empty = np.zeros(self.image_rgb.shape[:2], bool)
        self._steps = [Step(empty if segment_id is None else self.masks[segment_id])]

    def click(self, x: float, y: float, inside: bool = True) -> None:
        disk = self.preview(x, y)
        self._add(disk, not inside, "click", points=(*self._steps[-1].points, (x, y, inside)))

    def box(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self._add(self._drawn(lambda draw: draw.rectangle((x0, y0, x1, y1), 1)), False, "box")

    def preview(self, x: float, y: float, inside: bool = True) -> np.ndarray:
        time.sleep(self._wait_s / 10)
        r = self.CLICK
        return self._drawn(lambda draw: draw.ellipse((x - r, y - r, x + r, y + r), 1))

    def stroke(
        self, points: Sequence[tuple[float, float]], radius: float, erase: bool = False
    ) -> None:
        def draw(pen: ImageDraw.ImageDraw) -> None:
            pen.line(list(points), 1, round(2 * radius))
            for x, y in points:
                pen.ellipse((x - radius, y - radius, x + radius, y + radius), 1)

        name = "erase" if erase else "stroke"
        self._add(self._drawn(draw), erase, name, strokes=self._steps[-1].strokes + 1)

    def polygon(self, points: Sequence[tuple[float, float]]) -> None:
        self._add(self._drawn(lambda draw: draw.polygon(list(points), 1)), False, "polygon")

    def set_polygon(self, rings: Sequence[Sequence[tuple[float, float]]]) -> None:
        mask = np.zeros_like(self.mask)
        for ring in rings:
            mask |= self._drawn(lambda draw, ring=ring: draw.polygon(list(ring), 1))  # type: ignore[misc]
        self._push(replace(self._steps[-1], mask=mask), "set_polygon")

    def polygon_points(self) -> Sequence[np.ndarray]:
        box = self.state.bbox_xywh
        if box is None:
            return []
        x, y, w, h = box
        return [np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], float)]

    def merge(self, other_segment_id: str) -> None:
        self._add(self.masks.pop(other_segment_id), False, "merge")

    def split(self) -> int:
        self.calls.append("split")
        return 1

    def delete(self) -> None:
        self._push(Step(np.zeros_like(self.mask)), "delete")

    def undo(self) -> None:
        self.calls.append("undo")
        self._undone.append(self._steps.pop())

    def redo(self) -> None:
        self.calls.append("redo")
        self._steps.append(self._undone.pop())

    def keep(self) -> KeptEdit:
        time.sleep(self._wait_s)
        self.on_keep()
        self.calls.append("keep")
        return KeptEdit(self.segment_id or "new", "batch")

    def close(self) -> None:
        self.calls.append("close")

    def _drawn(self, draw: Callable[[ImageDraw.ImageDraw], object]) -> np.ndarray:
        image = Image.new("1", (self.image_rgb.shape[1], self.image_rgb.shape[0]))
        draw(ImageDraw.Draw(image))
        return np.array(image)

    def _add(self, mask: np.ndarray, erase: bool, name: str, **others: object) -> None:
        new = self.mask & ~mask if erase else self.mask | mask
        self._push(replace(self._steps[-1], mask=new, **others), name)  # type: ignore[arg-type]

    def _push(self, step: Step, name: str) -> None:
        self.calls.append(name)
        self._steps.append(step)
        self._undone.clear()
