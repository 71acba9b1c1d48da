"""What the starter SAM makes of a batch of clicks, and how wrong that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from segment_anything.modeling import Sam
from torch.nn import functional

from src.models.prompt_decoder import PromptDecoder
from src.starter.click_batches import ClickBatch

_EDGE_WEIGHT = 0.5


@dataclass(frozen=True)
class Prediction:
    """What a SAM makes of a batch.

    Attributes:
        logits: (B, K, 4, 4G, 4G) float32; the first of each four is SAM's single mask, the
            others its three guesses.
        ious: (B, K, 4) float32, predicted.
        embeddings: (B, C, G, G) float32 of the image encoder, without the masks' details.
        pixels: (B, C / 8, 4G, 4G) float32, the decoder's picture at each first click.
    """

    logits: torch.Tensor
    ious: torch.Tensor
    embeddings: torch.Tensor
    pixels: torch.Tensor


def predict(sam: Sam, batch: ClickBatch) -> Prediction:
    """Masks under every click of a batch."""
    device = batch.images.device.type
    with torch.autocast(device, torch.bfloat16):
        features = sam.image_encoder(
            batch.images.contiguous(memory_format=torch.channels_last)
        ).float()
    logits, ious, pixels = [], [], []
    for own, points in zip(features.split(1), batch.points, strict=True):
        labels = torch.ones(points.shape[:2], device=points.device)
        sparse, _ = sam.prompt_encoder(points=(points, labels), boxes=None, masks=None)
        with torch.autocast(device, torch.bfloat16):
            decoder = PromptDecoder(sam, own)
            decoded = decoder.decode(sparse)
            masks, seen = decoder.draw_all(decoded)
        logits.append(masks.float())
        ious.append(decoded.ious)
        pixels.append(seen.float())
    width = sam.prompt_encoder.embed_dim
    return Prediction(
        torch.stack(logits), torch.stack(ious), features[:, :width], torch.stack(pixels)
    )


def mask_loss(prediction: Prediction, batch: ClickBatch) -> tuple[torch.Tensor, dict[str, float]]:
    """SAM's loss (Kirillov et al. 2023, appendix A), with the outline's part of _of_a_click.

    Of the best guess, and half as much of all three, since SAM does not always prefer the best;
    and the squared error of the predicted IoU.

    Returns:
        The loss, and what to show: the IoU of the best guess and of the one SAM prefers.
    """
    each, reached = each_mask(prediction.logits, batch)
    guesses = each[..., 1:]
    loss = guesses.min(-1).values.mean() + 0.5 * guesses.mean() + 0.15 * each[..., 0].mean()
    with torch.no_grad():
        preferred = prediction.ious[..., 1:].argmax(-1, keepdim=True)
        shown = {
            "best": float(reached[..., 1:].max(-1).values.mean()),
            "preferred": float(reached[..., 1:].gather(-1, preferred).mean()),
            "iou_error": float((prediction.ious - reached).abs().mean()),
        }
    return loss + functional.mse_loss(prediction.ious, reached), shown


def each_mask(logits: torch.Tensor, batch: ClickBatch) -> tuple[torch.Tensor, torch.Tensor]:
    """How wrong each mask is, and how good.

    Args:
        logits: (B, K, 4, l, l) float32; brought to the size of the batch's masks.
        batch: what was meant.

    Returns:
        (B, K, 4) float32 losses and (B, K, 4) float32 IoUs; gradients pass the losses.
    """
    each, reached = _EachMask.apply(logits, batch)
    return each, reached


class _EachMask(torch.autograd.Function):
    """A click at a time, with its slopes: the numbers of one click fit into a CPU's cache."""

    @staticmethod
    def forward(
        ctx: Any, logits: torch.Tensor, batch: ClickBatch
    ) -> tuple[torch.Tensor, torch.Tensor]:
        teaches = ctx.needs_input_grad[0]
        slopes = torch.empty_like(logits) if teaches else None
        each, reached = logits.new_empty((2, *logits.shape[:3]))
        for row, click in np.ndindex(*logits.shape[:2]):
            own = logits[row, click].detach().requires_grad_(teaches)
            meant = batch.masks[row, click], batch.outlines[row, click], batch.inside[row]
            with torch.enable_grad():
                wrong, reached[row, click] = _of_a_click(own, *meant)
                if slopes is not None:
                    (slopes[row, click],) = torch.autograd.grad(wrong.sum(), own)
            each[row, click] = wrong.detach()
        ctx.save_for_backward(slopes)
        ctx.mark_non_differentiable(reached)
        return each, reached

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        (slopes,) = ctx.saved_tensors
        return gradients[0][..., None, None] * slopes, None


def _of_a_click(
    logits: torch.Tensor, mask: torch.Tensor, outline: torch.Tensor, inside: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The loss of each of a click's masks, and the IoU that it reaches.

    Focal (Lin et al. 2017) times 20 plus dice (Milletari et al. 2016), as SAM's. To these two the
    cross entropy along the outline is added, where both say little: the focal one because a doubt
    counts by its square, dice because it asks only for areas.

    Args:
        logits: (4, l, l).
        mask, outline: (L, L), of a ClickBatch.
        inside: (1, L, L).

    Returns:
        (4,) and (4,).
    """
    if logits.shape[1:] != mask.shape:
        logits = functional.interpolate(logits[None], mask.shape, mode="bilinear")[0]
    shares = torch.sigmoid(logits) * inside
    cross = functional.softplus(logits) - logits * mask
    focal = (cross * (shares - mask).square() * inside).mean((-1, -2))
    overlap = (shares * mask).sum((-1, -2))
    dice = 1 - (2 * overlap + 1) / (shares.sum((-1, -2)) + mask.sum() + 1)
    edge = (cross * outline).sum((-1, -2)) / outline.sum().clamp(min=1)
    with torch.no_grad():
        found, wanted = (logits > 0).float() * inside, (mask > 0.5).float()
        both = (found * wanted).sum((-1, -2))
        reached = both / (found.sum((-1, -2)) + wanted.sum() - both).clamp(min=1)
    return 20 * focal + dice + _EDGE_WEIGHT * edge, reached
