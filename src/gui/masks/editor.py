"""What the window asks of a mask under edit, and one look at it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from src.label_records import KeptEdit, MaskState

Ring = Sequence[tuple[float, float]]
Click = tuple[float, float, bool]  # x, y, and whether it is inside


class Editor(Protocol):
    """A mask under edit: src.labels' MaskEditor. All places are in pixels of the frame."""

    label: str | None

    @property
    def image_rgb(self) -> np.ndarray: ...

    @property
    def segment_ids(self) -> Sequence[str]: ...

    @property
    def state(self) -> MaskState: ...

    @property
    def mask(self) -> np.ndarray:
        """(H, W) bool, a view that later acts change."""

    def prepare(self) -> object: ...

    def begin(self, segment_id: str | None, label: str | None) -> object: ...

    def click(self, x: float, y: float, inside: bool = True) -> object: ...

    def box(self, x0: float, y0: float, x1: float, y1: float) -> object: ...

    def preview(self, x: float, y: float, inside: bool = True) -> np.ndarray: ...

    def stroke(
        self, points: Sequence[tuple[float, float]], radius: float, erase: bool = False
    ) -> object: ...

    def polygon(self, points: Ring) -> object: ...

    def set_polygon(self, rings: Sequence[np.ndarray]) -> object: ...

    def polygon_points(self) -> Sequence[np.ndarray]: ...

    def merge(self, other_segment_id: str) -> object: ...

    def split(self) -> int: ...

    def delete(self) -> object: ...

    def undo(self) -> object: ...

    def redo(self) -> object: ...

    def keep(self) -> KeptEdit: ...

    def close(self) -> object: ...


@dataclass(frozen=True)
class Opened:
    """An editor that is ready for an edit to begin.

    Attributes:
        can_click: whether there is a model to answer clicks.
        take_off: takes a label off a segment, in the batch of an edit.
    """

    editor: Editor
    can_click: bool
    take_off: Callable[[str, str, str], object] = lambda *_: None


@dataclass(frozen=True)
class Look:
    """A mask under edit as it was at one moment.

    Attributes:
        mask: (H, W) bool, in pixels of the frame.
        rings: its outline as polygons to be dragged, where the polygon tool was in hand.
        segment_ids: of the frame, as far as the edit leaves them.
    """

    mask: np.ndarray = field(repr=False, compare=False)
    state: MaskState
    rings: Sequence[Ring] = ()
    segment_ids: Sequence[str] = ()
