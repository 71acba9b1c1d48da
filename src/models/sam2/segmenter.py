"""Meta's SAM 2.1 as a segmenter: tiny, small, base+ and large."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from src.errors import CheckpointError
from src.models.checkpoints import StateDict, fingerprint, shapes_in
from src.models.mask_generator import MaskGenerator
from src.models.mask_shape import SPECK_SHARE
from src.models.sam2.building import load_module
from src.models.sam2.promptable import PromptableSam2
from src.models.sam2.weights import SIZES, is_2_1, size_of
from src.models.segmenter_kind import SegmenterKind

# Meta's generator for SAM 2 keeps masks that rate themselves lower than SAM 1's does.
DEFAULTS = {"pred_iou_thresh": 0.8, "speck_share": SPECK_SHARE}


def architecture(state: StateDict) -> str | None:
    """Name the SAM 2 whose weights these are, as Meta calls their file."""
    size = size_of(state)
    if size is None:
        return None
    return size.name if is_2_1(state) else size.name.replace("sam2.1", "sam2")


def load(
    state: StateDict, path: Path, device: torch.device, options: dict[str, Any]
) -> MaskGenerator:
    """Make the segmenter of a whole checkpoint; see SegmenterKind.

    Its `model` is a PromptableSam2, and the `module` of that is what tracks things in videos.
    """
    size = size_of(state)
    assert size is not None
    if not is_2_1(state):
        raise CheckpointError(
            path, f"the weights of SAM 2.0; get those of SAM 2.1 ({size.name}.pt) in their place"
        )
    module = load_module(size, state, path).to(device)
    wished = DEFAULTS | options
    model = PromptableSam2(
        module,
        half_decoder=wished.get("quality") == "adaptive",
        full_precision=bool(wished.get("full_precision")),
    )
    name = f"{size.name}@{fingerprint(path)}"
    return MaskGenerator(model, label=size.label, name=name, **wished)


def rank(path: Path, device: torch.device) -> int | None:
    """Prefer the small ones on a CPU and the large ones elsewhere, whatever they are called."""
    size = size_of(shapes_in(path))
    if size is None:
        return None
    return SIZES.index(size) if device.type == "cpu" else -SIZES.index(size)


META_SAM_2 = SegmenterKind(None, architecture, load, rank)
