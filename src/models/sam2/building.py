"""SAM 2.1's modules, built by the package sam2, which is imported when the first one is needed."""

from __future__ import annotations

import importlib.util
import sys
import threading
from pathlib import Path
from typing import Any

import torch

from src.errors import CheckpointError
from src.models.checkpoints import StateDict
from src.models.sam2.weights import Sam2Size
from src.models.weight_checks import check_finite
from src.models.weights_from_file import WeightsFromFile

PACKAGE = "sam2>=1.1,<2"
# Built of its own parts by this class, a SAM 2 takes photos and videos alike.
_CLASS = "sam2.sam2_video_predictor.SAM2VideoPredictor"
# What Meta's own builders set beside the file of the size: a mask that is not stable gives way to
# the best of three, and what is remembered of a click is the mask that was seen.
_STABLE = {
    "dynamic_multimask_via_stability": True,
    "dynamic_multimask_stability_delta": 0.05,
    "dynamic_multimask_stability_thresh": 0.98,
}
_lock = threading.Lock()


def is_installed() -> bool:
    """Return whether the package is here; it is not imported."""
    found = importlib.util.find_spec("sam2")
    return found is not None and found.origin is not None  # no folder that is called so


def how_to_install() -> str:
    """Return the command that installs the package."""
    return f'{sys.executable} -m pip install --no-build-isolation "{PACKAGE}"'


def load_module(size: Sam2Size, state: StateDict, path: Path) -> torch.nn.Module:
    """Build a SAM 2.1 and give it its weights.

    Args:
        size: which one.
        state: all of its weights.
        path: where they are from.

    Returns:
        sam2's SAM2VideoPredictor in float32, in eval mode, on the CPU.

    Raises:
        CheckpointError: the package is missing, or the weights are not the whole model's.
    """
    try:
        with WeightsFromFile():
            module = build(size)
    except ImportError as exc:
        raise CheckpointError(path, str(exc)) from exc
    try:
        module.load_state_dict(state)
    except RuntimeError as exc:
        raise CheckpointError(path, f"not a whole {size.name} checkpoint") from exc
    check_finite(module, path)
    return module.eval()


def build(size: Sam2Size) -> torch.nn.Module:
    """Build a SAM 2.1 as the package's own builders do, with random weights.

    Raises:
        ModuleNotFoundError: the package, or one that it needs, is not installed; it says what to
            do.
    """
    place, open_config, instantiate = _package()
    config = open_config(place / "configs" / "sam2.1" / size.config)["model"]
    config["_target_"] = _CLASS
    config["sam_mask_decoder_extra_args"] = dict(_STABLE)
    config["binarize_mask_from_pts_for_mem_enc"] = True
    module: torch.nn.Module = instantiate(config)
    return module


def _package() -> tuple[Path, Any, Any]:
    """Import the package, leaving hydra as it was found: it is one for the whole process."""
    with _lock:
        try:
            from hydra.core.global_hydra import GlobalHydra
            from hydra.utils import instantiate
            from omegaconf import OmegaConf

            was_there = GlobalHydra.instance().is_initialized()
            import sam2.sam2_video_predictor as sam2_video_predictor

            if not was_there:
                GlobalHydra.instance().clear()
        except ImportError as exc:
            raise ModuleNotFoundError(
                "SAM 2.1 needs the package sam2, which is not installed; install it with "
                f"{how_to_install()} and start this program again"
            ) from exc
    return Path(sam2_video_predictor.__file__).parent, OmegaConf.load, instantiate
