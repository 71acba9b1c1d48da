"""Meta's SAM 1: ViT-B, ViT-L and ViT-H."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from segment_anything import sam_model_registry

from src.errors import CheckpointError
from src.models.checkpoints import StateDict, fingerprint
from src.models.mask_generator import MaskGenerator
from src.models.mask_shape import SPECK_SHARE
from src.models.segmenter_kind import SegmenterKind
from src.models.weight_checks import check_finite
from src.models.weights_from_file import WeightsFromFile

# Width of the image encoder -> name in segment_anything's registry.
_NAME_BY_WIDTH = {768: "vit_b", 1024: "vit_l", 1280: "vit_h"}


def architecture(state: StateDict) -> str | None:
    """Name the SAM in segment_anything's registry whose weights these are."""
    position = state.get("image_encoder.pos_embed")
    width = position.shape[-1] if position is not None and position.dim() else None
    return None if width is None else _NAME_BY_WIDTH.get(width)


def load(
    state: StateDict, path: Path, device: torch.device, options: dict[str, Any]
) -> MaskGenerator:
    """Make the segmenter of a whole checkpoint; see SegmenterKind."""
    name = architecture(state)
    with WeightsFromFile():
        sam = sam_model_registry[name](checkpoint=None)
    try:
        sam.load_state_dict(state)
    except RuntimeError as exc:
        raise CheckpointError(path, f"not a whole SAM {name} checkpoint") from exc
    check_finite(sam, path)
    return MaskGenerator(
        sam.to(device).eval(),
        label=f"SAM {name}",
        name=f"{name}@{fingerprint(path)}",
        **({"speck_share": SPECK_SHARE} | options),
    )


def rank(path: Path, device: torch.device) -> int | None:
    """Prefer the small one on a CPU and the large one elsewhere, by Meta's names."""
    order = "blh" if device.type == "cpu" else "hlb"
    letter = path.stem[8:9]
    return order.index(letter) if letter and letter in order else None


META_SAM = SegmenterKind("sam_vit_*.pth", architecture, load, rank)
