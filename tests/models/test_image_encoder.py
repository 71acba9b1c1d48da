"""Our way through SAM's image encoder against Meta's, on the same weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from segment_anything import SamPredictor
from segment_anything.modeling import ImageEncoderViT

from src.models import image_encoder
from src.models.device import in_precision
from src.models.image_encoder import encode_pixels
from src.models.mask_generator import MaskGenerator

CPU = torch.device("cpu")


def encoder_of(kind: type[ImageEncoderViT] = ImageEncoderViT, **sizes: Any) -> ImageEncoderViT:
    """A small ViT of Meta's with random weights, positions and biases too."""
    torch.manual_seed(0)
    defaults = {"img_size": 96, "embed_dim": 32, "depth": 3, "num_heads": 4, "out_chans": 16}
    defaults |= {"use_rel_pos": True, "window_size": 4, "global_attn_indexes": (1,)}
    encoder = kind(**defaults | sizes).eval()
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return encoder


@pytest.mark.parametrize("in_cache", [1 << 20, 2000, 100])
@pytest.mark.parametrize(
    "sizes",
    [
        {},  # a grid of 6 x 6, beyond which the windows reach
        {"window_size": 3},
        {"window_size": 0},
        {"use_rel_pos": False},
        {"use_abs_pos": False, "qkv_bias": False},
        {"embed_dim": 40, "num_heads": 2, "img_size": 112},
    ],
)
def test_it_gives_what_metas_encoder_gives(
    sizes: dict[str, Any], in_cache: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_encoder, "_IN_CACHE", in_cache)
    encoder = encoder_of(**sizes)
    pixels = torch.randn(1, 3, encoder.img_size, encoder.img_size)
    with torch.inference_mode():
        wanted = encoder(pixels)
        scale = float(wanted.abs().max())
        torch.testing.assert_close(
            encode_pixels(encoder, pixels), wanted, rtol=1e-4, atol=1e-5 * scale
        )


def test_it_gives_what_the_starters_encoder_gives(mask_generator: MaskGenerator) -> None:
    encoder = mask_generator.sam.image_encoder
    pixels = torch.randn(1, 3, encoder.img_size, encoder.img_size)
    with torch.inference_mode():
        torch.testing.assert_close(
            encode_pixels(encoder, pixels), encoder(pixels), rtol=1e-4, atol=1e-4
        )


def test_in_16_bits_it_is_as_near_as_metas() -> None:
    encoder = encoder_of(img_size=256, embed_dim=64)
    pixels = torch.randn(1, 3, 256, 256)
    with torch.inference_mode():
        exact = encoder(pixels)
        with in_precision(CPU, torch.bfloat16):
            metas, ours = encoder(pixels).float(), encode_pixels(encoder, pixels).float()
    assert float((ours - exact).norm()) < 1.2 * float((metas - exact).norm())


def test_an_encoder_that_is_more_than_metas_does_it_itself() -> None:
    class Doubled(ImageEncoderViT):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.as_tensor(2 * super().forward(x))

    pixels = torch.randn(1, 3, 96, 96)
    with torch.inference_mode():
        wanted = 2 * encoder_of()(pixels)
        torch.testing.assert_close(encode_pixels(encoder_of(Doubled), pixels), wanted)


def test_the_generator_embeds_what_metas_predictor_embeds(mask_generator: MaskGenerator) -> None:
    image = np.random.default_rng(0).integers(0, 255, (300, 500, 3), np.uint8)
    predictor = SamPredictor(mask_generator.sam)
    predictor.set_image(image)
    with torch.inference_mode():
        ours = mask_generator.embed(image).features
    torch.testing.assert_close(ours, predictor.get_image_embedding(), rtol=1e-4, atol=1e-4)
