"""The tools that a mask is changed with, each declared once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tool:
    """Something that the pointer can be, or do at once.

    Attributes:
        key: what the code calls it.
        name: what a person reads.
        letter: the key that chooses it.
        hint: what it does, for its tooltip.
        asks_sam: whether it needs a segmentation model.
    """

    key: str
    name: str
    letter: str
    icon: str
    hint: str
    asks_sam: bool = False

    @property
    def tip(self) -> str:
        return f"{self.hint} ({self.letter})"


SELECT = Tool("select", "Select", "V", "pointer", "Click another segment to edit it")
CLICK = Tool(
    "click",
    "Click",
    "C",
    "click",
    "Click what belongs to the segment. Right-click what does not. Drag a box around it",
    asks_sam=True,
)
BOX = Tool("box", "Box", "X", "box", "Drag a box around the segment", asks_sam=True)
BRUSH = Tool("brush", "Brush", "B", "brush", "Paint what belongs to the segment")
ERASER = Tool("eraser", "Eraser", "E", "eraser", "Paint over what does not belong to it")
POLYGON = Tool(
    "polygon",
    "Polygon",
    "P",
    "polygon",
    "Click corner by corner, or drag the points of the outline",
)
TOOLS = (SELECT, CLICK, BOX, BRUSH, ERASER, POLYGON)

UNDO = Tool("undo", "Undo", "Ctrl Z", "undo", "Undo the last step")
REDO = Tool("redo", "Redo", "Ctrl Shift Z", "redo", "Redo the step")
MERGE = Tool("merge", "Merge", "M", "merge", "Click another segment to make it part of this one")
SPLIT = Tool("split", "Split", "S", "split", "Make separate pieces into segments of their own")
DELETE = Tool("delete", "Delete", "Delete", "trash", "Delete the segment")
DEEDS = (UNDO, REDO, MERGE, SPLIT, DELETE)

# What the pointer chooses a segment with.
PICKING = (SELECT.key, MERGE.key)
PAINTING = (BRUSH.key, ERASER.key)

LEAST_SIZE, STEPS = 1, 100


def largest_size(frame_wh: tuple[int, int]) -> int:
    """Return the widest brush for a frame, in its pixels."""
    return max(64, max(frame_wh) // 4)


def first_size(frame_wh: tuple[int, int]) -> int:
    """Return how wide the brush is at first, in pixels of the frame."""
    return max(4, round(max(frame_wh) / 40))


def size_at(step: float, largest: int) -> int:
    """Return the size at a step of the slider, 0 to STEPS: each step is by the same factor."""
    factor: float = (largest / LEAST_SIZE) ** (step / STEPS)
    return round(LEAST_SIZE * factor)


def step_of(size: int, largest: int) -> float:
    """Return the nearest step of the slider to a size."""
    step = 0
    while step < STEPS and size_at(step, largest) < size:
        step += 1
    return step


def resized(size: int, by: int, largest: int) -> int:
    """Return the next larger (1) or smaller (-1) size."""
    wished = max(size + 1, round(size * 1.25)) if by > 0 else min(size - 1, round(size / 1.25))
    return min(max(wished, LEAST_SIZE), largest)


def said_of(key: str) -> str:
    """Return what the foot of the window says of a tool in hand."""
    return {
        MERGE.key: "Click the segment to merge into this one. Esc cancels.",
        SELECT.key: "Click the segment to edit.",
        CLICK.key: "Left click adds, right click takes away, a drag is a box.",
        POLYGON.key: "Enter closes it. Right-click a point to remove it.",
    }.get(key, "Saved only when you keep it")
