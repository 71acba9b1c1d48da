"""A model that stops on the way once nobody waits for what it does."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from weakref import WeakSet

import torch

from src.stopping import GoOn, StoppedError, ask, ask_wanted, stopped_by

# What a segmenter that somebody adds asks with, beside `stopping`.
__all__ = ["GoOn", "StoppedError", "ask", "stopping"]

# Models whose layers ask. They do for good: other threads may be in them at any time.
_asking: WeakSet[torch.nn.Module] = WeakSet()
_lock = threading.Lock()


@contextlib.contextmanager
def stopping(model: torch.nn.Module, go_on: GoOn) -> Iterator[None]:
    """Let a model run as long as `go_on` says so: one pass of a large one takes a minute.

    It is asked before each layer, in the thread that calls this; what other threads do with the
    model meanwhile goes on.
    """
    ask_before_layers(model)
    with stopped_by(go_on):
        yield


def ask_before_layers(model: torch.nn.Module) -> None:
    """Have a model ask before each layer, from now on, whether its thread's work is waited for."""
    with _lock:
        if model not in _asking:
            for module in model.modules():
                module.register_forward_pre_hook(_before_layer)
            _asking.add(model)


def _before_layer(_module: torch.nn.Module, _inputs: object) -> None:
    ask_wanted()
