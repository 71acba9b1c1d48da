"""SAM 2.1 at full size with random weights, in files as Meta's are."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pytest
import torch

from src.models.sam2.building import build, is_installed
from src.models.sam2.weights import SIZES, Sam2Size

needs_sam2 = pytest.mark.skipif(not is_installed(), reason="the package sam2 is not installed")
TINY, SMALL, BASE_PLUS, LARGE = SIZES
# Tiny is tested always, the others take minutes.
ALL_SIZES = [
    pytest.param(size, id=size.name, marks=() if size is TINY else pytest.mark.slow)
    for size in SIZES
]


@lru_cache(maxsize=1)
def loaded(size: Sam2Size) -> torch.nn.Module:
    """A module in eval mode, one for the tests of a size: they don't change it.

    Its weights are such that the masks of neighbouring prompts differ, and none is all or nothing.
    """
    torch.manual_seed(0)
    module: Any = build(size)
    # as it is built every mask covers nothing, or everything, and no prompt differs from another
    for name, parameter in module.sam_mask_decoder.named_parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.1)
        else:
            is_scale = name.endswith("weight")
            torch.nn.init.normal_(parameter, mean=float(is_scale), std=0.2)
    for name, parameter in module.sam_prompt_encoder.named_parameters():
        torch.nn.init.normal_(parameter, std=0.3 if "mask_downscaling" in name else 1)
    for part in (module.no_mem_embed, module.image_encoder.trunk.pos_embed):
        torch.nn.init.normal_(part, std=0.3)
    made: torch.nn.Module = module.eval()
    return made


def random_state(size: Sam2Size) -> dict[str, torch.Tensor]:
    """Its weights: another dict each time, whose tensors are the module's."""
    return dict(loaded(size).state_dict())


def sketch(size: Sam2Size) -> dict[str, torch.Tensor]:
    """The few weights by which a size is told."""
    state = {
        "image_encoder.trunk.patch_embed.proj.weight": torch.zeros(size.width, 3, 7, 7),
        "no_obj_embed_spatial": torch.zeros(1, 64),
    }
    for block in range(size.depth):
        state[f"image_encoder.trunk.blocks.{block}.norm1.weight"] = torch.zeros(1)
    return state
