"""What the registry knows of an architecture: how its weights are found, told and loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from src.models.checkpoints import StateDict
from src.models.segmenter import Segmenter


def _all_alike(_path: Path, _device: torch.device) -> int | None:
    return 0


@dataclass(frozen=True)
class SegmenterKind:
    """An architecture of segmenters.

    Attributes:
        file_pattern: what files of its weights are called in the models folder, as in glob.
        architecture: names the architecture by the keys and shapes of weights, as in "vit_b";
            None when they are of another kind.
        load: makes the segmenter of weights, their file, a device, and wishes in the words of
            MaskGenerator's arguments, of which a segmenter takes those that it knows. Raises
            CheckpointError when the weights don't fit.
        rank: tells which of several files is tried first on a device, the lowest; None passes
            over a file whose name only looks like one of these.
    """

    file_pattern: str
    architecture: Callable[[StateDict], str | None]
    load: Callable[[StateDict, Path, torch.device, dict[str, Any]], Segmenter]
    rank: Callable[[Path, torch.device], int | None] = _all_alike

    def files(self, folder: Path, device: torch.device) -> list[Path]:
        """Weights in a folder that are called like this kind's, the first to try first."""
        ranked = [(self.rank(path, device), path) for path in folder.glob(self.file_pattern)]
        return [
            path
            for _, _, path in sorted(
                (rank, path.name, path) for rank, path in ranked if rank is not None
            )
        ]
