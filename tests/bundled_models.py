"""The bundled models are loaded once in this process: hundreds of tests open a library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch

from src.config import STARTER_FOLDER

Model = TypeVar("Model", bound=torch.nn.Module)
Load = Callable[..., Model]


def loading_once(load: Load[Model]) -> Load[Model]:
    """Make a `load_starter_clip` or `load_starter_sam` that gives the bundled weights again.

    Nothing that uses a model changes it; other weights are loaded each time.
    """
    made: dict[torch.device, Model] = {}

    def load_once(place: Path, device: str | torch.device = "cpu") -> Model:
        device = torch.device(device)
        where = place.resolve()
        if where != STARTER_FOLDER.resolve() and where.parent != STARTER_FOLDER.resolve():
            return load(place, device)
        if device not in made:
            made[device] = load(place, device)
        return made[device]

    return load_once
