"""What the starter SAM makes of a batch of clicks, and how wrong that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from segment_anything.modeling import Sam
from torch.nn import functional

from src.models.mask_shape import paired_ious
from src.models.starter.click_batches import ClickBatch
from src.models.starter.mask_decoder import DetailedMaskDecoder

_EDGE_WEIGHT = 0.5
_EDGE_REACH = 2
# A guess with such an IoU is of the thing that was meant.
_SAME_THING = 0.5


@dataclass(frozen=True)
class Prediction:
    """What a SAM makes of a batch.

    Attributes:
        logits: (B, K, 4, L, L) float32; the first of each four is SAM's single mask, the
            others its three guesses.
        ious: (B, K, 4) float32, predicted.
        refined: (B, K, 1, L, L) float32, SAM's single mask once a guess is given back with
            its click: the one it prefers of those that are of what was meant.
        refined_ious: (B, K, 1) float32, predicted.
        embeddings: (B, C, G, G) float32 of the image encoder, without the masks' details.
        pixels: (B, C / 8, 4G, 4G) float32, the decoder's picture at each first click.
    """

    logits: torch.Tensor
    ious: torch.Tensor
    refined: torch.Tensor
    refined_ious: torch.Tensor
    embeddings: torch.Tensor
    pixels: torch.Tensor


def predict(sam: Sam, batch: ClickBatch) -> Prediction:
    """Masks under every click of a batch."""
    with torch.autocast(batch.images.device.type, torch.bfloat16):
        features = sam.image_encoder(
            batch.images.contiguous(memory_format=torch.channels_last)
        ).float()
    clicks, side = batch.points.shape[1], batch.masks.shape[-1]
    low, ious, seen = _decode(sam, features, batch, None)
    logits = _at_side(low, side)
    reached = reached_ious(logits, batch)[..., 1:]
    preferred = ious.detach()[..., 1:] + 2 * (reached >= _SAME_THING)
    guess = low.detach()[:, :, 1:].take_along_dim(
        preferred.argmax(-1, keepdim=True)[..., None, None], 2
    )
    # What lies on the padding nobody asks for, and nothing teaches.
    guess = guess * functional.interpolate(batch.inside, low.shape[-1])[:, :, None]
    again, rated, _ = _decode(sam, features, batch, guess.flatten(0, 1))
    return Prediction(
        logits,
        ious,
        _at_side(again[:, :, :1], side),
        rated[..., :1],
        features[:, : sam.prompt_encoder.embed_dim],
        seen[::clicks].float(),
    )


def _decode(
    sam: Sam, features: torch.Tensor, batch: ClickBatch, masks: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """One pass of the decoder over all clicks, with masks given back (B * K, 1, 4G, 4G) or not.

    Returns:
        (B, K, 4, 4G, 4G) float32 logits, (B, K, 4) float32 predicted IoUs, and the decoder's
        pictures (B * K, C / 8, 4G, 4G).
    """
    points = batch.points.flatten(0, 1)
    labels = torch.ones(points.shape[:2], device=points.device)
    prompts = sam.prompt_encoder
    sparse, dense = prompts(points=(points, labels), boxes=None, masks=masks)
    with torch.autocast(points.device.type, torch.bfloat16):
        decoder = cast(DetailedMaskDecoder, sam.mask_decoder)
        logits, ious, seen = decoder.decode(features, prompts.get_dense_pe(), sparse, dense)
    shape = batch.points.shape[:2]
    return logits.float().unflatten(0, shape), ious.float().unflatten(0, shape), seen


def _at_side(logits: torch.Tensor, side: int) -> torch.Tensor:
    """(B, K, N, l, l) logits enlarged to (B, K, N, side, side)."""
    if side == logits.shape[-1]:
        return logits
    large = functional.interpolate(
        logits.flatten(0, 1), (side, side), mode="bilinear", align_corners=False
    )
    return torch.as_tensor(large.unflatten(0, logits.shape[:2]))


def mask_loss(prediction: Prediction, batch: ClickBatch) -> tuple[torch.Tensor, dict[str, float]]:
    """SAM's loss (Kirillov et al. 2023, appendix A).

    Of the best guess and half as much of all three, since SAM does not always prefer the best;
    of the guess that was given back; and the squared errors of the predicted IoUs.

    Returns:
        The loss, and what to show: the IoU of the best guess, of the one SAM prefers, and of the
        one given back.
    """
    each = _losses(prediction.logits, batch)
    guesses = each[..., 1:]
    loss = guesses.min(-1).values.mean() + 0.5 * guesses.mean() + 0.15 * each[..., 0].mean()
    loss = loss + _losses(prediction.refined, batch).mean()
    ious, refined_ious = prediction.ious, prediction.refined_ious
    true_ious = reached_ious(prediction.logits, batch)
    refined = reached_ious(prediction.refined, batch)
    with torch.no_grad():
        preferred = ious[..., 1:].argmax(-1, keepdim=True)
        shown = {
            "best": float(true_ious[..., 1:].max(-1).values.mean()),
            "preferred": float(true_ious[..., 1:].gather(-1, preferred).mean()),
            "refined": float(refined.mean()),
            "iou_error": float((ious - true_ious).abs().mean()),
        }
    rating = functional.mse_loss(ious, true_ious) + functional.mse_loss(refined_ious, refined)
    return loss + rating, shown


def _losses(logits: torch.Tensor, batch: ClickBatch) -> torch.Tensor:
    """How wrong each of N masks under each click is: (B, K, N, L, L) -> (B, K, N).

    Focal (Lin et al. 2017) times 20 plus dice (Milletari et al. 2016). To these two the cross
    entropy along the outline is added, where both say little: the focal one because a doubt
    counts by its square, dice because it asks only for areas.
    """
    target = batch.masks[:, :, None].expand_as(logits)
    inside = batch.inside[:, :, None]
    shares = torch.sigmoid(logits) * inside
    cross = functional.softplus(logits) - logits * target
    focal = (cross * (shares - target).square() * inside).mean((-1, -2))
    overlap = (shares * target).sum((-1, -2))
    dice = 1 - (2 * overlap + 1) / (shares.sum((-1, -2)) + target.sum((-1, -2)) + 1)
    along = _outline(batch.masks)[:, :, None] * inside
    edge = (cross * along).sum((-1, -2)) / along.sum((-1, -2)).clamp(min=1)
    return 20 * focal + dice + _EDGE_WEIGHT * edge


def _outline(masks: torch.Tensor) -> torch.Tensor:
    """1 within _EDGE_REACH cells of an edge, else 0; (B, K, L, L) float32."""
    side = 2 * _EDGE_REACH + 1
    most = functional.max_pool2d(masks, side, 1, _EDGE_REACH)
    least = -functional.max_pool2d(-masks, side, 1, _EDGE_REACH)
    return (most - least > 0.5).float()


@torch.no_grad()
def reached_ious(logits: torch.Tensor, batch: ClickBatch) -> torch.Tensor:
    """(B, K, N) float32, of the masks found (B, K, N, L, L) and those that were meant."""
    found = (logits > 0) & (batch.inside[:, :, None] > 0.5)
    return paired_ious(found, batch.masks[:, :, None] > 0.5)
