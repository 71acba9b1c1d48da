"""Further clicks in a session: python -m tests.benchmarks.clicks

Each click is in the middle of the largest part that is still wrong, inside or outside, as in SAM's
own evaluation (Kirillov et al. 2023, appendix A). The table has the mean IoU after each click, how
often it is better and worse than after the first, and how often the click is on its side of the
mask that it brought.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from src.models.click_session import ClickSession
from src.models.model_manager import ModelManager
from src.starter.evaluate import fresh_scenes, iou

# By how much an IoU has to differ to count as better or worse.
MARGIN = 0.01


@dataclass(frozen=True)
class Click:
    """What a click brought.

    Attributes:
        obeyed: it is inside the mask where it was meant to be, or outside of it.
    """

    inside: bool
    obeyed: bool
    iou: float


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=20)
    parser.add_argument("--clicks", type=int, default=4)
    parser.add_argument("--weights", type=Path, help="a file of weights; else the starter SAM")
    chosen = parser.parse_args(arguments)
    manager = ModelManager(device="cpu")
    sam = manager.load_sam(chosen.weights) if chosen.weights else manager.load_starter_sam()
    runs = []
    for scene in fresh_scenes(chosen.scenes, seed=5):
        with sam.session(scene.image_rgb) as session:
            for shape in scene.shapes:
                runs.append(clicks_on(session, shape.mask, chosen.clicks))
                while session.undo():
                    pass
    print(f"{sam.label}: {len(runs)} shapes of {chosen.scenes} scenes")
    first = np.array([run[0].iou for run in runs])
    for number in range(chosen.clicks):
        ious = np.array([run[number].iou for run in runs])
        line = f"click {number + 1}: mean IoU {ious.mean():.3f}"
        if number:
            better, worse = (ious > first + MARGIN).mean(), (ious < first - MARGIN).mean()
            line += f", better than the first {better:.0%}, worse {worse:.0%}"
        for inside, name in ((True, "inside"), (False, "outside")):
            obeyed = [run[number].obeyed for run in runs if run[number].inside == inside]
            if obeyed:
                line += f", {name} {len(obeyed)}, obeyed {np.mean(obeyed):.0%}"
        print(line)


def clicks_on(session: ClickSession, wanted: np.ndarray, count: int) -> list[Click]:
    """Click where the mask is wrong, again and again.

    Args:
        session: without a click.
        wanted: (H, W) bool.
    """
    clicks = []
    for _ in range(count):
        x, y = middle(wanted ^ session.mask())
        inside = bool(wanted[y, x])
        session.add_point(x, y, inside)
        mask = session.mask()
        clicks.append(Click(inside, bool(mask[y, x]) == inside, iou(mask, wanted)))
    return clicks


def middle(mask: np.ndarray) -> tuple[int, int]:
    """The place farthest from a mask's edge: x, y; the corner where it is empty."""
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(depth.argmax(), depth.shape)
    return int(x), int(y)


if __name__ == "__main__":
    main()
