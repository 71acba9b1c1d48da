"""What the tests of the models share: SAM cuts every picture anew."""

from __future__ import annotations

import pytest
import torch

from src.models.mask_generator import MaskGenerator
from tests.remembered_masks import Masks


@pytest.fixture(autouse=True)
def cuts_anew(cut_anew: Masks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MaskGenerator, "masks", cut_anew)


@pytest.fixture(params=["cpu", "cuda"])
def device(request: pytest.FixtureRequest) -> torch.device:
    """Where many masks are worked on at once."""
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU here")
    return torch.device(request.param)
