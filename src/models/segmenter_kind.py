"""What the registry knows of an architecture: how its weights are found, told and loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from src.models.checkpoints import SUFFIXES, StateDict, shapes_in
from src.models.segmenter import Segmenter

# Of the models folder: what is bundled, and read by its name alone.
BUNDLED_FOLDER = "starter"


def _all_alike(_path: Path, _device: torch.device) -> int | None:
    return 0


@dataclass(frozen=True)
class SegmenterKind:
    """An architecture of segmenters.

    Attributes:
        file_pattern: what files of its weights are called in the models folder, as in glob; None
            where they have any name, there or one folder below: then each file is looked into.
        architecture: names the architecture by the keys and shapes of weights, as in "vit_b";
            None when they are of another kind.
        load: makes the segmenter of weights, their file, a device, and wishes in the words of
            MaskGenerator's arguments, of which a segmenter takes those that it knows. Raises
            CheckpointError when the weights don't fit.
        rank: tells which of several files is tried first on a device, the lowest; None passes
            over a file whose name only looks like one of these.
    """

    file_pattern: str | None
    architecture: Callable[[StateDict], str | None]
    load: Callable[[StateDict, Path, torch.device, dict[str, Any]], Segmenter]
    rank: Callable[[Path, torch.device], int | None] = _all_alike

    def files(self, folder: Path, device: torch.device) -> list[Path]:
        """Weights in a folder that seem to be this kind's, the first to try first."""
        patterns = ("*", "*/*") if self.file_pattern is None else (self.file_pattern,)
        paths = [path for pattern in patterns for path in folder.glob(pattern)]
        ranked = [(self.rank(path, device), path) for path in paths if self.may_have(path)]
        return [
            path
            for _, _, path in sorted(
                (rank, path.name, path) for rank, path in ranked if rank is not None
            )
        ]

    def may_have(self, path: Path) -> bool:
        """Return whether a file seems to be this kind's, by its name or by what is in it."""
        if self.file_pattern is not None:
            return path.match(self.file_pattern)
        if path.suffix not in SUFFIXES or path.parent.name == BUNDLED_FOLDER:
            return False
        return self.architecture(shapes_in(path)) is not None
