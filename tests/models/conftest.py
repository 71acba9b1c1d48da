"""What the tests of the models share: SAM cuts every picture anew."""

from __future__ import annotations

import pytest

from src.models.mask_generator import MaskGenerator
from tests.remembered_masks import Masks


@pytest.fixture(autouse=True)
def cuts_anew(cut_anew: Masks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MaskGenerator, "masks", cut_anew)
