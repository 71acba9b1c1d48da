"""What the starter SAM makes of a batch of clicks, and how wrong that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from segment_anything.modeling import Sam
from torch.nn import functional

from src.models.starter.click_batches import ClickBatch
from src.models.starter.mask_decoder import DetailedMaskDecoder

_EDGE_WEIGHT = 0.5
_EDGE_REACH = 2


@dataclass(frozen=True)
class Prediction:
    """What a SAM makes of a batch.

    Attributes:
        logits: (B, K, 4, L, L) float32; the first of each four is SAM's single mask, the
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
    clicks = batch.points.shape[1]
    labels = torch.ones(batch.points.flatten(0, 1).shape[:2], device=batch.points.device)
    sparse, dense = sam.prompt_encoder(
        points=(batch.points.flatten(0, 1), labels), boxes=None, masks=None
    )
    position = sam.prompt_encoder.get_dense_pe()
    with torch.autocast(device, torch.bfloat16):
        decoder = cast(DetailedMaskDecoder, sam.mask_decoder)
        logits, guessed, seen = decoder.decode(features, position, sparse, dense)
    embeddings = features[:, : sparse.shape[-1]]
    low = logits.float().unflatten(0, (-1, clicks))
    ious = guessed.float().unflatten(0, (-1, clicks))
    pixels = seen[::clicks].float()
    side = batch.masks.shape[-1]
    if side == low.shape[-1]:
        return Prediction(low, ious, embeddings, pixels)
    high = functional.interpolate(
        low.flatten(0, 1), (side, side), mode="bilinear", align_corners=False
    )
    return Prediction(high.unflatten(0, low.shape[:2]), ious, embeddings, pixels)


def mask_loss(prediction: Prediction, batch: ClickBatch) -> tuple[torch.Tensor, dict[str, float]]:
    """SAM's loss (Kirillov et al. 2023, appendix A).

    Focal (Lin et al. 2017) times 20 plus dice (Milletari et al. 2016), of the best guess and
    half as much of all three, since SAM does not always prefer the best, and the squared error
    of the predicted IoU. To these two the cross entropy along the outline is added, where both
    say little: the focal one because a doubt counts by its square, dice because it asks only for
    areas.

    Returns:
        The loss, and what to show: the IoU of the best guess and of the one SAM prefers.
    """
    logits, ious = prediction.logits, prediction.ious
    target = batch.masks[:, :, None].expand_as(logits)
    inside = batch.inside[:, :, None]
    shares = torch.sigmoid(logits) * inside
    cross = functional.softplus(logits) - logits * target
    focal = (cross * (shares - target).square() * inside).mean((-1, -2))
    overlap = (shares * target).sum((-1, -2))
    dice = 1 - (2 * overlap + 1) / (shares.sum((-1, -2)) + target.sum((-1, -2)) + 1)
    along = _outline(batch.masks)[:, :, None] * inside
    edge = (cross * along).sum((-1, -2)) / along.sum((-1, -2)).clamp(min=1)
    each = 20 * focal + dice + _EDGE_WEIGHT * edge
    guesses = each[..., 1:]
    loss = guesses.min(-1).values.mean() + 0.5 * guesses.mean() + 0.15 * each[..., 0].mean()
    true_ious = reached_ious(prediction, batch)
    with torch.no_grad():
        preferred = ious[..., 1:].argmax(-1, keepdim=True)
        shown = {
            "best": float(true_ious[..., 1:].max(-1).values.mean()),
            "preferred": float(true_ious[..., 1:].gather(-1, preferred).mean()),
            "iou_error": float((ious - true_ious).abs().mean()),
        }
    return loss + functional.mse_loss(ious, true_ious), shown


def _outline(masks: torch.Tensor) -> torch.Tensor:
    """1 within _EDGE_REACH cells of an edge, else 0; (B, K, L, L) float32."""
    side = 2 * _EDGE_REACH + 1
    most = functional.max_pool2d(masks, side, 1, _EDGE_REACH)
    least = -functional.max_pool2d(-masks, side, 1, _EDGE_REACH)
    return (most - least > 0.5).float()


@torch.no_grad()
def reached_ious(prediction: Prediction, batch: ClickBatch) -> torch.Tensor:
    """(B, K, 4) float32, of the masks found and those that were meant."""
    found = (prediction.logits > 0) & (batch.inside[:, :, None] > 0.5)
    wanted = batch.masks[:, :, None] > 0.5
    union = (found | wanted).sum((-1, -2)).clamp(min=1)
    return (found & wanted).sum((-1, -2)) / union
