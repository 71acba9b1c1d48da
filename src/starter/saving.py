"""The weights of a training, written as src/models/starter reads them."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import save_file

from src.models.starter.architecture import (
    CLIP_CONFIG_FILE,
    CLIP_WEIGHTS_FILE,
    SAM_WEIGHTS_FILE,
    ClipConfig,
    MaskThresholds,
    SamConfig,
)


def save_starter_clip(state: dict[str, torch.Tensor], config: ClipConfig, folder: Path) -> None:
    """Write the CLIP's config and float16 weights, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(config.as_open_clip(), indent=2) + "\n"
    temporary = folder / (CLIP_CONFIG_FILE + ".part")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, folder / CLIP_CONFIG_FILE)
    _save_weights(state, folder / CLIP_WEIGHTS_FILE, {"format": "pt"})


def save_starter_sam(
    state: dict[str, torch.Tensor],
    config: SamConfig,
    thresholds: MaskThresholds,
    folder: Path,
) -> None:
    """Write the SAM's float16 weights with its sizes and thresholds, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    metadata = {
        "format": "pt",
        "config": json.dumps(asdict(config)),
        "thresholds": json.dumps(asdict(thresholds)),
    }
    _save_weights(state, folder / SAM_WEIGHTS_FILE, metadata)


def _save_weights(state: dict[str, torch.Tensor], path: Path, metadata: dict[str, str]) -> None:
    halves = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).detach().cpu().contiguous()
        for name, tensor in state.items()
    }
    temporary = path.with_name(path.name + ".part")
    save_file(halves, temporary, metadata=metadata)
    temporary.chmod(0o644)
    os.replace(temporary, path)
