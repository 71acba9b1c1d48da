"""How exactly a device computes, and how much it holds at once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

import numpy as np
import torch

from src.child_processes import cores

Result = TypeVar("Result")

log = logging.getLogger(__name__)

# The starter SAM has 5 million, the smallest of Meta's 94.
_SMALL_WEIGHTS = 20_000_000

# What a batch may take where nobody says how much is free; and never more than that.
_BYTES_ELSEWHERE, _MOST_BYTES = 1 << 28, 1 << 32

# What torch's allocators say; the last is all that oneDNN says when it gets none for its code.
_OUT_OF_MEMORY = ("can't allocate memory", "out of memory", "could not create a primitive")


def half_precision(device: torch.device) -> torch.dtype | None:
    """Return the 16-bit type in which a device multiplies matrices faster; None when in none.

    That is NVIDIA's with tensor cores (compute capability 7 and later), and CPUs with
    AVX512-BF16 or AMX. Apple's were never measured here and stay in float32.
    """
    if device.type == "cuda" and torch.cuda.get_device_capability(device)[0] >= 7:
        return torch.float16
    if device.type == "cpu" and (
        torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    ):
        return torch.bfloat16
    return None


def in_precision(device: torch.device, kind: torch.dtype | None) -> AbstractContextManager[object]:
    """Multiply matrices in a 16-bit type inside a block, or, with None, do nothing."""
    return nullcontext() if kind is None else torch.autocast(device.type, kind)


def bytes_at_once(device: torch.device) -> int:
    """Return how much memory a batch may take for a while: a quarter of what is free there.

    Never so much that the places of a batch of bytes have no number in 32 bits, which torch's
    kernels for GPUs count in.
    """
    if device.type != "cuda":
        return _BYTES_ELSEWHERE
    free, _ = torch.cuda.mem_get_info(device)
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return max(_BYTES_ELSEWHERE, min((free + kept) // 4, _MOST_BYTES))


def to_device(array: np.ndarray, device: torch.device) -> torch.Tensor:
    """Copy an array to a device; to NVIDIA's without waiting for what is computed there."""
    # torch warns of an array that is not to be changed, as a picture from Pillow
    tensor = torch.from_numpy(array if array.flags.writeable else array.copy())
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def passes_at_once(model: torch.nn.Module) -> int:
    """Return how many threads may run a model at the same time.

    A small one on a CPU keeps no more than one core busy, so it runs once on each. A large one
    does, and takes the memory of many; a GPU is shared no better by two.
    """
    weights = list(model.parameters())
    small = sum(weight.numel() for weight in weights) <= _SMALL_WEIGHTS
    on_cpu = all(weight.device.type == "cpu" for weight in weights)
    return cores() if small and on_cpu else 1


class FittingBatches:
    """Batches of at most a size, which is halved for good when the device's memory is out."""

    def __init__(self, size: int) -> None:
        self.size = size

    def run(
        self, items: Sequence[Any] | torch.Tensor, work: Callable[[Any], Result]
    ) -> Iterator[Result]:
        """Do work batch by batch, and a batch that does not fit again in smaller ones.

        Raises:
            RuntimeError, MemoryError: a single item does not fit, or something else is wrong.
        """
        start = 0
        while start < len(items):
            batch = items[start : start + self.size]
            try:
                result = work(batch)
            except (RuntimeError, MemoryError) as exc:
                if len(batch) == 1 or not is_out_of_memory(exc):
                    raise
                self.size = len(batch) // 2
                log.warning("memory is out: batches of %d from now on", self.size)
                continue  # with the exception gone, and with it what it kept in memory
            yield result
            start += len(batch)


def is_out_of_memory(exc: BaseException) -> bool:
    """Return whether torch, on any device, or Python could not get memory."""
    return isinstance(exc, torch.OutOfMemoryError | MemoryError) or any(
        words in str(exc) for words in _OUT_OF_MEMORY
    )
