"""The half of a CLIP that looks at images, made ready: it sees the same in less time."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg
from torch import nn

from src.models import image_tower
from src.models.clip_encoder import ClipEncoder
from src.models.image_tower import made_ready


def test_a_large_tower_in_sixteen_bits_sees_nearly_the_same(
    clip: ClipEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_tower, "half_precision", lambda device: torch.bfloat16)
    torch.manual_seed(0)
    model = CLIP(
        512,
        CLIPVisionCfg(
            layers=3, width=128, head_width=32, patch_size=16, image_size=clip.image_size
        ),
        CLIPTextCfg(context_length=8, vocab_size=100, width=64, heads=2, layers=1),
    ).eval()
    exact = replace(clip, model=copy.deepcopy(model))
    made_ready(model, clip.device)
    assert replace(clip, model=model).image_dtype == torch.float32, "a small one gains nothing"
    monkeypatch.setattr(image_tower, "LARGE_TOWER", 1000)
    half = replace(clip, model=made_ready(model, clip.device))
    assert half.image_dtype == torch.bfloat16
    rng = np.random.default_rng(2)
    images = [rng.integers(0, 255, (6, 6, 3), np.uint8) for _ in range(20)]
    seen, nearly = exact.encode_image(images), half.encode_image(images)
    assert nearly.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(nearly, axis=1), 1, rtol=1e-5)
    assert np.einsum("nd,nd->n", seen, nearly).min() > 0.999
    assert next(half.model.transformer.parameters()).dtype == torch.float32, "for texts"


def test_normalisations_are_folded_into_the_convolutions_before_them(clip: ClipEncoder) -> None:
    torch.manual_seed(0)
    vision = CLIPVisionCfg(layers=(1, 2, 1, 1), width=16, head_width=32, image_size=64)
    model = CLIP(512, vision, CLIPTextCfg(context_length=8, vocab_size=100, width=64, layers=1))
    for module in model.visual.modules():
        if isinstance(module, nn.BatchNorm2d):  # as if it had been trained
            for values in (module.weight, module.bias, module.running_mean):
                nn.init.normal_(values, 0.3, 0.5)
            nn.init.uniform_(module.running_var, 0.2, 3)
    exact = replace(clip, model=copy.deepcopy(model.eval()), image_size=64)
    ready = replace(clip, model=made_ready(model, clip.device), image_size=64)
    assert not any(isinstance(each, nn.BatchNorm2d) for each in ready.model.visual.modules())
    rng = np.random.default_rng(3)
    images = [rng.integers(0, 255, (64, 64, 3), np.uint8) for _ in range(5)]
    np.testing.assert_allclose(ready.encode_image(images), exact.encode_image(images), atol=1e-6)
