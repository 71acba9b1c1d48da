"""Trains the starter SAM on drawn pictures, one click at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
import torch
from segment_anything.modeling import MaskDecoder, Sam
from torch import nn
from torch.nn import functional

from src.models.starter.architecture import (
    MaskThresholds,
    SamConfig,
    build_sam,
    save_starter_sam,
)
from src.models.starter.calibrate import choose_thresholds
from src.models.starter.drawing import DrawnInOrder, RecentlyDrawn
from src.models.starter.regions import LabelledPicture, draw_labelled_picture, sample_clicks
from src.models.starter.training import (
    AveragedWeights,
    Run,
    TrainOptions,
    show_means,
    weight_groups,
)

PICTURES_PER_STEP = 8
CLICKS_PER_PICTURE = 8
NEW_PICTURES_PER_STEP = 4
KEPT_PICTURES = 400
CALIBRATION_SCENES = 24
PEAK_RATE = 6e-4
# The loss looks at masks of the decoder's own size, where the share of a cell that is inside
# says where the edge runs; the last part of a training compares finer masks, at four times
# the cost, for the sake of small regions and of the predicted IoU.
_COARSE, _FINE = 64, 128
_FINE_FROM = 0.9
_AFFINITY_WEIGHT = 0.5
_SPOTS = 192
_SAVE_WEIGHTS_EVERY = 200


@dataclass(frozen=True)
class ClickBatch:
    """One step's material.

    Attributes:
        images: (B, 3, S, S) float32, normalised and padded.
        points: (B, K, 1, 2) float32, in pixels of the padded square.
        masks: (B, K, L, L) float32 in 0..1, the share of each cell that is inside.
        inside: (B, 1, L, L) float32, 0 on the padding.
        cells: (B, G * G) int64, the region at each cell of SAM's grid, -1 on the padding.
        spots: (B, M) int64, random places on the decoder's grid of 4G * 4G.
        spot_regions: (B, M) int64, the regions there.
    """

    images: torch.Tensor
    points: torch.Tensor
    masks: torch.Tensor
    inside: torch.Tensor
    cells: torch.Tensor
    spots: torch.Tensor
    spot_regions: torch.Tensor


@dataclass(frozen=True)
class Prediction:
    """What a SAM makes of a batch.

    Attributes:
        logits: (B, K, 4, L, L) float32; the first of each four is SAM's single mask, the
            others its three guesses.
        ious: (B, K, 4) float32, predicted.
        embeddings: (B, C, G, G) float32 of the image encoder.
        pixels: (B, C / 8, 4G, 4G) float32, the decoder's picture at each first click.
    """

    logits: torch.Tensor
    ious: torch.Tensor
    embeddings: torch.Tensor
    pixels: torch.Tensor


class Trainee(nn.Module):
    """A SAM and what helps it learn but is not kept.

    Clicks alone say so little at first that a short training would spend a third of its
    time before the first mask appears, and long after that tells things from the background
    but not from each other. So two more questions are asked: which cells of the image
    encoder's grid, and which pixels of the decoder's picture, belong together.
    """

    def __init__(self, sam: Sam, width: int) -> None:
        super().__init__()
        self.sam = sam
        self.cells = _Affinity(width)
        self.pixels = _Affinity(width // 8)

    def affinity_loss(self, prediction: Prediction, batch: ClickBatch) -> torch.Tensor:
        """The answers to both questions, as one loss."""
        cells = self.cells(prediction.embeddings.flatten(2).mT, batch.cells)
        rows = torch.arange(len(batch.spots), device=batch.spots.device)[:, None]
        picked = prediction.pixels.flatten(2).mT[rows, batch.spots]
        return torch.as_tensor(cells + self.pixels(picked, batch.spot_regions))


class _Affinity(nn.Module):
    """'Do these two belong to the same region?', answered by similarity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.project = nn.Linear(width, 64)
        self.scale = nn.Parameter(torch.tensor(2.0))
        self.offset = nn.Parameter(torch.tensor(-2.0))

    def forward(self, features: torch.Tensor, regions: torch.Tensor) -> torch.Tensor:
        """Cross entropy over all pairs of an image, 'yes' and 'no' weighted alike.

        Args:
            features: (B, M, C) float32.
            regions: (B, M) int64, -1 where nothing is asked.
        """
        found = functional.normalize(self.project(features), dim=-1)
        logits = (found @ found.mT) * self.scale.exp() + self.offset
        counted = (regions >= 0)[:, :, None] & (regions >= 0)[:, None, :]
        same = (regions[:, :, None] == regions[:, None, :]) & counted
        other = ~same & counted
        cross = functional.softplus(logits) - logits * same
        together = (cross * same).sum() / same.sum().clamp(min=1)
        apart = (cross * other).sum() / other.sum().clamp(min=1)
        return torch.as_tensor(together + apart)


def make_batch(
    rng: np.random.Generator, pictures: list[LabelledPicture], sam: Sam, clicks: int, side: int
) -> ClickBatch:
    """Turn and mirror pictures at random, click on them, pad them as SAM does.

    Args:
        rng: chooses turns and clicks.
        pictures: B of them.
        sam: says size and normalisation.
        clicks: K, on each picture.
        side: L, of the masks to compare.
    """
    size = int(sam.image_encoder.img_size)
    count = len(pictures)
    images = np.zeros((count, size, size, 3), np.float32)
    points = np.zeros((count, clicks, 1, 2), np.float32)
    masks = np.zeros((count, clicks, side, side), np.float32)
    inside = np.zeros((count, 1, side, side), np.float32)
    cells = np.full((count, *sam.prompt_encoder.image_embedding_size), -1, np.int64)
    spots = np.zeros((count, _SPOTS), np.int64)
    spot_regions = np.zeros((count, _SPOTS), np.int64)
    mean, std = (
        sam.pixel_mean.flatten().numpy(force=True),
        sam.pixel_std.flatten().numpy(force=True),
    )
    for row, picture in enumerate(pictures):
        picture = _turned(rng, picture)
        height, width = picture.labels.shape
        images[row, :height, :width] = (picture.image_rgb - mean) / std
        points[row, :, 0], found = sample_clicks(rng, picture, clicks)
        padded = np.zeros((size, size), np.float32)
        for column, mask in enumerate(found):
            padded[:height, :width] = mask
            masks[row, column] = cv2.resize(padded, (side, side), interpolation=cv2.INTER_AREA)
        padded[:height, :width] = 1
        inside[row, 0] = cv2.resize(padded, (side, side), interpolation=cv2.INTER_NEAREST)
        patch = size // sam.prompt_encoder.image_embedding_size[0]
        sampled = picture.labels[patch // 2 :: patch, patch // 2 :: patch]
        cells[row, : sampled.shape[0], : sampled.shape[1]] = sampled
        finer = patch // 4
        rows = rng.integers(height // finer, size=_SPOTS)
        columns = rng.integers(width // finer, size=_SPOTS)
        spots[row] = rows * (size // finer) + columns
        spot_regions[row] = picture.labels[rows * finer + finer // 2, columns * finer + finer // 2]
    device = sam.device
    return ClickBatch(
        torch.from_numpy(images).permute(0, 3, 1, 2).to(device),
        torch.from_numpy(points).to(device),
        torch.from_numpy(masks).to(device),
        torch.from_numpy(inside).to(device),
        torch.from_numpy(cells).flatten(1).to(device),
        torch.from_numpy(spots).to(device),
        torch.from_numpy(spot_regions).to(device),
    )


def _turned(rng: np.random.Generator, picture: LabelledPicture) -> LabelledPicture:
    image, labels = picture.image_rgb, picture.labels
    if rng.random() < 0.5:
        image, labels = image[:, ::-1], labels[:, ::-1]
    if rng.random() < 0.5:
        image, labels = image[::-1], labels[::-1]
    if rng.random() < 0.5:
        image, labels = image.transpose(1, 0, 2), labels.T
    if rng.random() < 0.3:
        image = image[..., rng.permutation(3)]
    return LabelledPicture(
        np.ascontiguousarray(image), np.ascontiguousarray(labels), picture.parents,
        picture.whole_from,
    )  # fmt: skip


def predict(sam: Sam, batch: ClickBatch) -> Prediction:
    """Masks under every click of a batch."""
    device = batch.images.device.type
    with torch.autocast(device, torch.bfloat16):
        embeddings = sam.image_encoder(
            batch.images.contiguous(memory_format=torch.channels_last)
        ).float()
    clicks = batch.points.shape[1]
    labels = torch.ones(batch.points.flatten(0, 1).shape[:2], device=batch.points.device)
    sparse, dense = sam.prompt_encoder(
        points=(batch.points.flatten(0, 1), labels), boxes=None, masks=None
    )
    position = sam.prompt_encoder.get_dense_pe()
    with torch.autocast(device, torch.bfloat16):
        logits, guessed, seen = _decode(
            sam.mask_decoder, embeddings, clicks, position, sparse, dense
        )
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


def _decode(
    decoder: MaskDecoder,
    embeddings: torch.Tensor,
    clicks: int,
    position: torch.Tensor,
    sparse: torch.Tensor,
    dense: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What MaskDecoder.predict_masks does, for several pictures at once.

    Meta's takes one picture a call; eight calls a step cost a third more time.

    Args:
        embeddings: (B, C, G, G) of the pictures.
        clicks: K, on each picture.
        position: (1, C, G, G).
        sparse: (B * K, T, C) prompt tokens.
        dense: (B * K, C, G, G).

    Returns:
        (B * K, 4, 4G, 4G) logits, (B * K, 4) predicted IoUs, and (B * K, C / 8, 4G, 4G)
        the picture that the logits are read from.
    """
    count = len(sparse)
    own = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight])
    tokens = torch.cat([own.expand(count, -1, -1), sparse], dim=1)
    picture = embeddings.repeat_interleave(clicks, dim=0) + dense
    read, seen = decoder.transformer(picture, position.expand(count, -1, -1, -1), tokens)
    channels, grid = picture.shape[1], picture.shape[2:]
    upscaled = decoder.output_upscaling(seen.mT.reshape(count, channels, *grid))
    weights = torch.stack(
        [
            layer(read[:, 1 + index])
            for index, layer in enumerate(decoder.output_hypernetworks_mlps)
        ],
        dim=1,
    )
    logits = (weights @ upscaled.flatten(2)).unflatten(2, upscaled.shape[2:])
    return logits, decoder.iou_prediction_head(read[:, 0]), upscaled


def mask_loss(prediction: Prediction, batch: ClickBatch) -> tuple[torch.Tensor, dict[str, float]]:
    """SAM's loss (Kirillov et al. 2023, appendix A).

    Focal (Lin et al. 2017) times 20 plus dice (Milletari et al. 2016), of the best guess and
    a little of all three, and the squared error of the predicted IoU.

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
    each = 20 * focal + dice
    guesses = each[..., 1:]
    loss = guesses.min(-1).values.mean() + 0.2 * guesses.mean() + 0.15 * each[..., 0].mean()
    with torch.no_grad():
        found, wanted = (logits > 0) & (inside > 0.5), target > 0.5
        union = (found | wanted).sum((-1, -2)).clamp(min=1)
        true_ious = (found & wanted).sum((-1, -2)) / union
        preferred = ious[..., 1:].argmax(-1, keepdim=True)
        shown = {
            "best": float(true_ious[..., 1:].max(-1).values.mean()),
            "preferred": float(true_ious[..., 1:].gather(-1, preferred).mean()),
            "iou_error": float((ious - true_ious).abs().mean()),
        }
    return loss + functional.mse_loss(ious, true_ious), shown


def train_sam(
    options: TrainOptions,
    config: SamConfig | None = None,
    *,
    pictures: int = PICTURES_PER_STEP,
    kept: int = KEPT_PICTURES,
    calibration: int = CALIBRATION_SCENES,
) -> dict[str, float]:
    """Train a starter SAM from nothing, or go on from its checkpoint.

    Args:
        options: where, how long and from which seed.
        config: sizes of the model.
        pictures: a step.
        kept: recent drawings to choose from.
        calibration: scenes on which the thresholds are chosen at the end.

    Returns:
        Running means of what mask_loss shows.
    """
    config = config or SamConfig()
    torch.manual_seed(options.seed)
    sam = build_sam(config)
    look_where_clicked(sam)
    trainee = Trainee(sam, config.decoder_width).to(options.device).train()
    optimizer = torch.optim.AdamW(weight_groups(trainee), lr=PEAK_RATE, betas=(0.9, 0.98))
    average = AveragedWeights(trainee, 0.997)
    run = Run("sam", options, trainee, optimizer, average, PEAK_RATE)
    new = max(1, pictures * NEW_PICTURES_PER_STEP // PICTURES_PER_STEP)
    first = max(0, (run.step * new) - kept // 2)
    draw = partial(draw_labelled_picture, longest=config.image_size)
    source = DrawnInOrder(draw, options.seed, first, options.workers)
    recent = RecentlyDrawn(source, kept)
    recent.draw(min(kept, 4 * pictures))
    running: dict[str, float] = {}
    for step, bar in run.steps():
        rng = np.random.default_rng((options.seed, 2, step))
        recent.draw(new)
        side = _COARSE if run.progress < _FINE_FROM else _FINE
        batch = make_batch(rng, recent.choose(rng, pictures), sam, CLICKS_PER_PICTURE, side)
        prediction = predict(sam, batch)
        loss, shown = mask_loss(prediction, batch)
        affinity = trainee.affinity_loss(prediction, batch)
        shown["affinity"] = float(affinity.detach())
        optimizer.zero_grad(set_to_none=True)
        (loss + _AFFINITY_WEIGHT * affinity).backward()
        torch.nn.utils.clip_grad_norm_(trainee.parameters(), 1.0)
        optimizer.step()
        show_means(bar, step, running, {"loss": float(loss.detach()), **shown})
        if step % _SAVE_WEIGHTS_EVERY == _SAVE_WEIGHTS_EVERY - 1:
            save_starter_sam(_of_sam(average), config, MaskThresholds(), options.output)
    source.close()
    sam.load_state_dict(_of_sam(average))
    thresholds = choose_thresholds(sam.eval(), scenes=calibration)
    save_starter_sam(_of_sam(average), config, thresholds, options.output)
    return running


@torch.no_grad()
def look_where_clicked(sam: Sam) -> None:
    """Start the decoder's attention between clicks and picture at the place clicked.

    Queries and keys both carry the position; projected by the same matrix their product is
    largest where the positions agree. From independent matrices this has to be found by
    chance first, which took a third of a short training.
    """
    transformer = sam.mask_decoder.transformer
    attentions = [transformer.final_attn_token_to_image]
    for layer in transformer.layers:
        attentions += [layer.cross_attn_token_to_image, layer.cross_attn_image_to_token]
    for attention in attentions:
        attention.q_proj.weight.mul_(1.5)
        attention.k_proj.weight.copy_(attention.q_proj.weight)
        attention.q_proj.bias.zero_()
        attention.k_proj.bias.zero_()


def _of_sam(average: AveragedWeights) -> dict[str, torch.Tensor]:
    state = average.state.items()
    return {name[4:]: value for name, value in state if name.startswith("sam.")}
