"""A model that stops on the way once nobody waits for what it does."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import torch

from src.stopping import GoOn, ask


@contextlib.contextmanager
def stopping(model: torch.nn.Module, go_on: GoOn) -> Iterator[None]:
    """Let a model run as long as `go_on` says so: one pass of a large one takes a minute.

    It is asked before each layer, in the thread that calls this; what other threads do with the
    model meanwhile goes on.
    """
    thread = threading.get_ident()

    def before_layer(_module: torch.nn.Module, _inputs: object) -> None:
        if threading.get_ident() == thread:
            ask(go_on)

    asking = [module.register_forward_pre_hook(before_layer) for module in model.modules()]
    try:
        yield
    finally:
        for hook in asking:
            hook.remove()
