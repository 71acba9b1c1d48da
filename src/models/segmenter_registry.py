"""Which segmenters there are, and which of them a file of weights is of: add yours to KINDS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from src.errors import CheckpointError
from src.models.checkpoints import StateDict, read_state_dict
from src.models.meta_sam import META_SAM
from src.models.sam2.segmenter import META_SAM_2
from src.models.segmenter import Segmenter
from src.models.segmenter_kind import SegmenterKind
from src.models.starter.segmenter import STARTER_SAM

# The first to know a file's weights loads it; files of the first are tried first.
KINDS: list[SegmenterKind] = [
    META_SAM_2,
    META_SAM,
    STARTER_SAM,
]


def load_segmenter(path: Path, device: torch.device, options: dict[str, Any]) -> Segmenter:
    """Load a segmenter of the kind that the keys and shapes in a file of weights tell.

    Args:
        path: of the weights.
        device: where the model goes.
        options: in the words of MaskGenerator's arguments, in place of the kind's own defaults.

    Raises:
        CheckpointError: the file is damaged, or no kind knows its weights.
    """
    state = read_state_dict(path)
    return _kind_of(state, path).load(state, path, device, options)


def segmenter_architecture(state: StateDict, path: Path) -> str:
    """Name the architecture that weights are of.

    Raises:
        CheckpointError: no kind knows them.
    """
    return str(_kind_of(state, path).architecture(state))


def segmenter_files(folder: Path, device: torch.device) -> list[Path]:
    """Weights in a folder that seem to be a segmenter's, the first to try first."""
    found = (path for kind in KINDS for path in kind.files(folder, device))
    return list(dict.fromkeys(found))


def is_for_a_segmenter(path: Path) -> bool:
    """Whether a file has the name of a segmenter's weights, or else holds some."""
    return any(kind.may_have(path) for kind in KINDS)


def _kind_of(state: StateDict, path: Path) -> SegmenterKind:
    for kind in KINDS:
        if kind.architecture(state) is not None:
            return kind
    raise CheckpointError(path, "not a SAM checkpoint of a kind that is known here")
