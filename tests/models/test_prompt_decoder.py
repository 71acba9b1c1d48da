"""Our decoder against Meta's, on the same weights."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from segment_anything.modeling import MaskDecoder, PromptEncoder, TwoWayTransformer

from src.models.mask_generator import MaskGenerator
from src.models.prompt_decoder import PromptDecoder
from src.models.starter.mask_decoder import DetailedMaskDecoder


def decoder_of(
    width: int, grid: int, heads: int, depth: int = 2, kind: type[MaskDecoder] = MaskDecoder
) -> Any:
    """SAM's decoder with random weights, biases too: the parts of a Sam that decode."""
    torch.manual_seed(0)
    sam = SimpleNamespace(
        prompt_encoder=PromptEncoder(width, (grid, grid), (16 * grid, 16 * grid), 16).eval(),
        mask_decoder=kind(
            num_multimask_outputs=3,
            transformer=TwoWayTransformer(depth, width, heads, 2 * width),
            transformer_dim=width,
            iou_head_depth=3,
            iou_head_hidden_dim=width,
        ).eval(),
        img_size=16 * grid,
    )
    for part in (sam.prompt_encoder, sam.mask_decoder):
        for parameter in part.parameters():
            torch.nn.init.normal_(parameter, std=0.3 if parameter.ndim == 1 else 0.1)
    return sam


def compare(sam: Any, features: torch.Tensor, size: int, count: int = 9) -> None:
    points = torch.rand(count, 1, 2) * size
    labels = torch.ones(count, 1, dtype=torch.int)
    with torch.inference_mode():
        sparse, dense = sam.prompt_encoder((points, labels), None, None)
        logits, ious = sam.mask_decoder(
            image_embeddings=features,
            image_pe=sam.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=True,
        )
        decoder = PromptDecoder(sam, features)
        decoded = decoder.decode(sparse)
        scale = float(logits.abs().max())
        torch.testing.assert_close(decoded.predicted_iou, ious, rtol=1e-4, atol=1e-5)
        everything = torch.ones(count, 3, dtype=torch.bool)
        drawn = decoder.draw(decoded, everything).reshape(logits.shape)
        torch.testing.assert_close(drawn, logits, rtol=1e-4, atol=1e-5 * scale)
        some = torch.zeros(count, 3, dtype=torch.bool)
        some[2, 1] = some[5, 0] = some[5, 2] = True
        torch.testing.assert_close(
            decoder.draw(decoded, some), logits[some], rtol=1e-4, atol=1e-5 * scale
        )
        assert len(decoder.draw(decoded, torch.zeros_like(some))) == 0
        all_logits, all_ious = sam.mask_decoder.predict_masks(
            features, sam.prompt_encoder.get_dense_pe(), sparse, dense
        )
        torch.testing.assert_close(decoded.ious, all_ious, rtol=1e-4, atol=1e-5)
        masks, seen = decoder.draw_all(decoded)
        torch.testing.assert_close(masks, all_logits, rtol=1e-4, atol=1e-5 * scale)
        layers = sam.mask_decoder.output_hypernetworks_mlps
        for mask, layer in enumerate(layers):
            read = layer(decoded.tokens[0, 1 + mask]) @ seen.flatten(1)
            torch.testing.assert_close(read, masks[0, mask].flatten(), rtol=1e-4, atol=1e-5 * scale)


@pytest.mark.parametrize(
    ("width", "grid", "heads", "depth"), [(32, 4, 4, 1), (64, 8, 8, 2), (64, 6, 2, 3)]
)
def test_it_gives_what_metas_decoder_gives(width: int, grid: int, heads: int, depth: int) -> None:
    sam = decoder_of(width, grid, heads, depth)
    compare(sam, torch.randn(1, width, grid, grid), sam.img_size)


def test_details_of_the_picture_reach_the_masks() -> None:
    sam = decoder_of(64, 8, 4, kind=DetailedMaskDecoder)
    features = torch.randn(1, 4 * 64, 8, 8)
    compare(sam, features, sam.img_size)
    embedding, fine, finest = sam.mask_decoder.split(features)
    assert embedding.shape == (1, 64, 8, 8)
    enlarge, norm, act, more, _ = sam.mask_decoder.output_upscaling
    with torch.inference_mode():
        wanted = act(more(act(norm(enlarge(embedding) + fine))) + finest)
        torch.testing.assert_close(sam.mask_decoder.enlarge(embedding, fine, finest), wanted)


def test_at_the_size_of_metas_models_too() -> None:
    sam = decoder_of(256, 64, 8)
    compare(sam, torch.randn(1, 256, 64, 64), sam.img_size, count=6)


def test_with_the_starter_sam(mask_generator: MaskGenerator) -> None:
    sam = mask_generator.sam
    size = sam.image_encoder.img_size
    with torch.inference_mode():
        features = sam.image_encoder(torch.randn(1, 3, size, size))
    compare(sam, features, size)


def test_in_16_bits_too_no_two_masks_are_rated_alike() -> None:
    sam, features = decoder_of(64, 8, 4), torch.randn(1, 64, 8, 8)
    points = torch.rand(400, 1, 2) * sam.img_size
    with torch.inference_mode():
        sparse, _ = sam.prompt_encoder((points, torch.ones(400, 1, dtype=torch.int)), None, None)
        decoder = PromptDecoder(sam, features)
        exact = decoder.decode(sparse).predicted_iou
        with torch.autocast("cpu", torch.bfloat16):
            rated = decoder.decode(sparse).predicted_iou
    assert rated.dtype == torch.float32
    assert len(rated.unique()) > 0.99 * rated.numel()
    torch.testing.assert_close(rated, exact, rtol=0.05, atol=0.05 * float(exact.abs().max()))
