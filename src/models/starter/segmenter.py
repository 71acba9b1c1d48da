"""The starter SAM as a segmenter."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from src.models.checkpoints import StateDict, fingerprint
from src.models.mask_generator import MaskGenerator
from src.models.segmenter_kind import SegmenterKind
from src.models.starter.architecture import (
    SAM_WEIGHTS_FILE,
    load_mask_thresholds,
    load_starter_sam,
)
from src.models.weight_checks import check_finite


def architecture(state: StateDict) -> str | None:
    """Tell the starter SAM by the convolutions before its transformer."""
    return "starter-sam" if "image_encoder.patch_embed.layers.0.weight" in state else None


def load(
    _state: StateDict, path: Path, device: torch.device, options: dict[str, Any]
) -> MaskGenerator:
    """Make the segmenter; its sizes and thresholds are read from its file as well."""
    sam = load_starter_sam(path, device)
    check_finite(sam, path)
    defaults = asdict(load_mask_thresholds(path))
    if device.type == "cuda":
        del defaults["points_per_batch"]  # chosen for the cache of a CPU
    name = f"starter-sam@{fingerprint(path)}"
    return MaskGenerator(sam, label="starter SAM", name=name, **(defaults | options))


STARTER_SAM = SegmenterKind(SAM_WEIGHTS_FILE, architecture, load)
