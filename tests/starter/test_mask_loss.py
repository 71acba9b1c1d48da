"""The loss of the starter SAM, computed click by click, beside the same written down at once."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from src.models.mask_generator import MaskGenerator
from src.starter.click_batches import ClickBatch, make_batch
from src.starter.mask_loss import Prediction, each_mask, mask_loss, predict
from src.starter.regions import draw_labelled_picture

SIZE, CLICKS = 640, 3


@pytest.fixture(scope="module")
def batch(mask_generator: MaskGenerator) -> ClickBatch:
    pictures = [draw_labelled_picture(5, index, SIZE) for index in range(2)]
    return make_batch(np.random.default_rng(0), pictures, mask_generator.sam, CLICKS, 160)


@pytest.mark.parametrize("side", [160, 80])
def test_losses_slopes_and_ious_are_those_of_the_formula(batch: ClickBatch, side: int) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn((2, CLICKS, 4, side, side), generator=generator)
    logits.requires_grad_()
    each, reached = each_mask(logits, batch)
    weights = torch.rand(each.shape, generator=generator)
    (slopes,) = torch.autograd.grad((each * weights).sum(), logits)

    large = functional.interpolate(logits.flatten(0, 1), (160, 160), mode="bilinear")
    large = large.unflatten(0, (2, CLICKS))
    inside, target = batch.inside[:, :, None], batch.masks[:, :, None].expand_as(large)
    shares = large.sigmoid() * inside
    cross = functional.binary_cross_entropy_with_logits(large, target, reduction="none")
    focal = (cross * (shares - target) ** 2 * inside).mean((-1, -2))
    areas = shares.sum((-1, -2)) + target.sum((-1, -2))
    dice = 1 - (2 * (shares * target).sum((-1, -2)) + 1) / (areas + 1)
    along = batch.outlines[:, :, None]
    edge = (cross * along).sum((-1, -2)) / along.sum((-1, -2)).clamp(min=1)
    wanted = 20 * focal + dice + 0.5 * edge
    torch.testing.assert_close(each, wanted)
    (wanted_slopes,) = torch.autograd.grad((wanted * weights).sum(), logits)
    torch.testing.assert_close(slopes, wanted_slopes, rtol=1e-3, atol=1e-8)

    found, meant = (large > 0) & (inside > 0.5), target > 0.5
    ious = (found & meant).sum((-1, -2)) / (found | meant).sum((-1, -2))
    torch.testing.assert_close(reached, ious)


def test_the_mask_that_was_meant_costs_next_to_nothing(batch: ClickBatch) -> None:
    # cells that an edge cuts are shares, which no sharp mask reaches
    right = (40 * (batch.masks - 0.5))[:, :, None].expand(-1, -1, 4, -1, -1)
    each, reached = each_mask(right, batch)
    wrong, missed = each_mask(-right, batch)
    assert float(each.max()) < 0.4 and float(wrong.min()) > 10
    assert float(reached.min()) > 0.99 and float(missed.max()) < 0.01


def test_an_outline_is_what_lies_within_two_cells_of_an_edge(batch: ClickBatch) -> None:
    assert not (batch.outlines * (1 - batch.inside)).any()
    for mask, outline, inside in zip(
        batch.masks.flatten(0, 1),
        batch.outlines.flatten(0, 1),
        batch.inside.repeat_interleave(CLICKS, 0)[:, 0],
        strict=True,
    ):
        padded = functional.pad(mask[None, None], (2, 2, 2, 2), mode="replicate")
        around = padded.unfold(2, 5, 1).unfold(3, 5, 1)[0, 0].flatten(2)
        near = (around.amax(2) - around.amin(2) > 0.5).float() * inside
        torch.testing.assert_close(outline, near)


def test_what_is_predicted_is_good_and_teaches(
    batch: ClickBatch, mask_generator: MaskGenerator
) -> None:
    sam = mask_generator.sam
    prediction = predict(sam, batch)
    assert prediction.logits.shape == (2, CLICKS, 4, 160, 160)
    assert prediction.ious.shape == (2, CLICKS, 4)
    assert prediction.pixels.shape == (2, sam.prompt_encoder.embed_dim // 8, 160, 160)
    loss, shown = mask_loss(prediction, batch)
    assert shown["best"] > 0.6
    nothing = Prediction(
        torch.full_like(prediction.logits, -5.0),
        prediction.ious,
        prediction.embeddings,
        prediction.pixels,
    )
    assert mask_loss(nothing, batch)[0] > loss
    loss.backward()
    learnt = [sam.image_encoder.pos_embed, sam.mask_decoder.mask_tokens.weight]
    assert all(weights.grad is not None and weights.grad.any() for weights in learnt)
    sam.zero_grad(set_to_none=True)
