"""What the tests of the models share: all is cut and embedded anew; SAM looks once at a picture."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from src.models.clip_encoder import ClipEncoder
from src.models.mask_generator import MaskGenerator
from src.models.promptable_sam import PromptableSam
from tests.conftest import Anew
from tests.remembered_masks import Embed, embedding_once


@pytest.fixture(autouse=True)
def makes_anew(made_anew: Anew, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MaskGenerator, "masks", made_anew.masks)
    monkeypatch.setattr(ClipEncoder, "encode_image", made_anew.encode_image)
    monkeypatch.setattr(ClipEncoder, "encode_text", made_anew.encode_text)


EMBED = PromptableSam.embed


@pytest.fixture(scope="session")
def embed_once(cut_already: Path) -> Embed:
    return embedding_once(EMBED, cut_already)


@pytest.fixture(autouse=True)
def embeds_once(embed_once: Embed, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked of a picture in several ways differs in what follows the embedding."""
    monkeypatch.setattr(PromptableSam, "embed", embed_once)


@pytest.fixture
def embeds_anew(embeds_once: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PromptableSam, "embed", EMBED)


@pytest.fixture(params=["cpu", "cuda"])
def device(request: pytest.FixtureRequest) -> torch.device:
    """Where many masks are worked on at once."""
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU here")
    return torch.device(request.param)
