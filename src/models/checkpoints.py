"""Files of weights: read with care, and identified by what is in them."""

from __future__ import annotations

import hashlib
import pickle
import threading
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file

from src.errors import CheckpointError
from src.models.weight_checks import check_tensors, examine

StateDict = dict[str, torch.Tensor]

# What a model is called while it is on its way; such a file is never taken for a model.
PART = ".part"
SUFFIXES = (".safetensors", ".pth", ".pt", ".bin", ".ckpt")
# What files were found to hold: they are asked for at every look at the models.
_seen: dict[tuple[Path, int, int], StateDict] = {}
_looking = threading.Lock()


def read_state_dict(path: Path) -> StateDict:
    """Read weights without running anything that the file may carry.

    Raises:
        CheckpointError: the file is missing, damaged, or holds more than tensors.
    """
    try:
        content: Any
        is_safetensors = path.name.removesuffix(PART).endswith(".safetensors")
        examine(path, is_safetensors)
        if is_safetensors:
            content = load_file(path)
        else:
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as exc:
        raise CheckpointError(
            path,
            "not a file of plain weights: it is damaged, or holds code, which is never run. "
            "Get it again, or convert it to .safetensors",
        ) from exc
    except CheckpointError:
        raise
    except FileNotFoundError as exc:
        raise CheckpointError(path, "there is no such file") from exc
    except Exception as exc:  # bytes that are no pickle make its reader stumble in any way
        raise CheckpointError(path, "damaged or incomplete; delete it and get it again") from exc
    content = _unwrapped(content)
    if not isinstance(content, dict) or not all(
        isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in content.items()
    ):
        raise CheckpointError(path, "holds something else than the weights of a model")
    check_tensors(content.values(), path)
    return {key.removeprefix("module."): value for key, value in content.items()}


def shapes_in(path: Path) -> StateDict:
    """Look which tensors a file holds, without reading their numbers.

    Returns:
        Tensors of their shapes that hold nothing; none at all where the file can't be looked
        into in this way: it is damaged, or holds more than tensors, or is of an old format.
    """
    try:
        about = path.stat()
    except OSError:
        return {}
    key = path, about.st_size, about.st_mtime_ns
    with _looking:
        if key not in _seen:
            _seen[key] = _look_into(path)
        return _seen[key]


def _look_into(path: Path) -> StateDict:
    try:
        if path.suffix == ".safetensors":
            examine(path, True)
            with safe_open(path, "pt") as parts:
                names = parts.offset_keys()
                shapes = {name: parts.get_slice(name).get_shape() for name in names}
        else:
            examine(path, False)
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
            shapes = {
                str(name).removeprefix("module."): value.shape
                for name, value in _unwrapped(content).items()
            }
        return {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
    except Exception:  # as in read_state_dict, which says what is wrong
        return {}


def _unwrapped(content: Any) -> Any:
    """Return a state dict that lies in another dict, as those who train put it."""
    for key in ("state_dict", "model"):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            return content[key]
    return content


def bytes_here(part: Path) -> int:
    """Return how much has come of a file that is being fetched; 0 before anything has."""
    try:
        return part.stat().st_size
    except FileNotFoundError:
        return 0


def fingerprint(path: Path) -> str:
    """Identify a file of weights by its size and samples of its bytes: 12 hex digits."""
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    block = 1 << 16
    with path.open("rb") as stream:
        for i in range(128):
            stream.seek(i * max(0, size - block) // 127)
            digest.update(stream.read(block))
    return digest.hexdigest()[:12]
