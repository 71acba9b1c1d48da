"""Trains the starter SAM on drawn pictures, one click at a time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from segment_anything.modeling import Sam
from torch import nn
from torch.nn import functional

from src.models.starter.architecture import (
    MaskThresholds,
    SamConfig,
    build_sam,
    read_starter_sam,
    save_starter_sam,
    with_positions,
)
from src.starter.calibrate import choose_thresholds
from src.starter.click_batches import ClickBatch, make_batch
from src.starter.drawing import DrawnInOrder, RecentlyDrawn
from src.starter.mask_loss import Prediction, each_mask, mask_loss, predict
from src.starter.regions import draw_labelled_picture
from src.starter.training import (
    AveragedWeights,
    Run,
    TrainOptions,
    show_means,
    weight_groups,
)

PICTURES_PER_STEP = 8
CLICKS_PER_PICTURE = 12
NEW_PICTURES_PER_STEP = 4
KEPT_PICTURES = 400
CALIBRATION_SCENES = 60
PEAK_RATE = 6e-4
# What weights that were trained before are moved with: at 3e-4 they lost more than they gained in
# the first thousand steps.
START_RATE = 2e-4
# What they lacked learns so many times faster.
_ADDED_RATE = 5.0
# Small pictures cost less a step, and what is learnt on them holds for larger ones: so the
# long stages of a training are smaller than the size at which SAM then works (640). At that size
# masks come out a little too wide then, and a last stage, so much shorter, sets that right.
STAGE_SIZES = (256, 384)
_LAST_STAGE = 0.2
# Pictures on which the predicted IoU is learnt once more at that size, and clicks on each.
_RATED_PICTURES, _RATED_CLICKS = 400, 12
# The loss looks at masks of the decoder's own size, where the share of a cell that is inside
# says where the edge runs; the last part of a training compares finer masks, at four times
# the cost, for the sake of small regions and of the predicted IoU.
_FINE_FROM = 0.75
# On the plateau of the learning rate the masks hardly improve; most of the gain is in the fall.
_FALL_FROM = 0.35
_AFFINITY_WEIGHT = 0.5
_SAVE_WEIGHTS_EVERY = 200


@dataclass(frozen=True)
class _Stage:
    """A part of a training.

    Attributes:
        name: of its checkpoint.
        number: decides which drawings it sees.
        size: of its images.
        rate: the highest.
        length: of what the options say.
        fall_from: when the rate begins to fall, 0..1.
        fine_from: when finer masks are compared, 0..1.
        affinity: weight of the two questions of Trainee.
    """

    name: str
    number: int
    size: int
    rate: float
    length: float = 1.0
    fall_from: float = _FALL_FROM
    fine_from: float = _FINE_FROM
    affinity: float = 0.0

    def options(self, options: TrainOptions) -> TrainOptions:
        minutes = options.minutes
        return replace(
            options,
            seed=options.seed + self.number,
            steps=max(1, round(options.steps * self.length)),
            minutes=None if minutes is None else minutes * self.length,
        )


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
        rows = torch.arange(len(batch.spots), device=batch.spots.device)[:, None]
        cells = prediction.embeddings.flatten(2).mT[rows, batch.cells]
        spots = prediction.pixels.flatten(2).mT[rows, batch.spots]
        loss = self.cells(cells, batch.cell_regions) + self.pixels(spots, batch.spot_regions)
        return torch.as_tensor(loss)


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
            regions: (B, M) int64.
        """
        found = functional.normalize(self.project(features), dim=-1)
        logits = (found @ found.mT) * self.scale.exp() + self.offset
        same = regions[:, :, None] == regions[:, None, :]
        other = ~same
        cross = functional.softplus(logits) - logits * same
        together = (cross * same).sum() / same.sum().clamp(min=1)
        apart = (cross * other).sum() / other.sum().clamp(min=1)
        return torch.as_tensor(together + apart)


def train_sam(
    options: TrainOptions,
    config: SamConfig | None = None,
    *,
    sizes: tuple[int, int] = STAGE_SIZES,
    pictures: int = PICTURES_PER_STEP,
    kept: int = KEPT_PICTURES,
    rated: int = _RATED_PICTURES,
    calibration: int = CALIBRATION_SCENES,
) -> dict[str, float]:
    """Train a starter SAM from nothing in three stages, or go on from a checkpoint.

    Args:
        options: where, how long (each of the first two stages) and from which seed. With `start`
            those weights take the place of the first stage.
        config: sizes of the model at work; with `start` only its image size counts. What those
            weights lack (refine, detail, sharp, top_down) begins as if it weren't there.
        sizes: image sizes of the first two stages.
        pictures: a step.
        kept: recent drawings to choose from.
        rated: pictures on which the predicted IoU is learnt once more at the end.
        calibration: scenes on which the thresholds are chosen at the end.

    Returns:
        Running means of what mask_loss shows, of the last stage.

    Raises:
        CheckpointError: the weights to start from can't be used.
    """
    config = config or SamConfig()
    torch.manual_seed(options.seed)
    state: dict[str, torch.Tensor] | None = None
    stages = [
        _Stage("sam-first", 0, sizes[0], PEAK_RATE, affinity=_AFFINITY_WEIGHT),
        _Stage("sam", 1, sizes[1], PEAK_RATE, affinity=_AFFINITY_WEIGHT),
    ]
    if options.start is not None:
        started, state = read_starter_sam(options.start)
        config = replace(
            started,
            image_size=config.image_size,
            refine=started.refine or config.refine,
            detail=True,
            sharp=True,
            top_down=True,
            positions=config.positions,
        )
        # Heads that know nothing yet would push on an encoder that does.
        stages = [_Stage("sam", 1, sizes[1], START_RATE)]
    last = {"length": _LAST_STAGE, "fall_from": 0.1, "fine_from": 0.6}
    stages.append(_Stage("sam-last", 2, config.image_size, START_RATE / 2, **last))
    for stage in stages:
        at_size = replace(config, image_size=stage.size)
        sam = build_sam(at_size)
        added = sam.state_dict().keys() - (state or sam.state_dict()).keys()
        if state is None:
            look_where_clicked(sam)
        else:
            sam.load_state_dict({**sam.state_dict(), **with_positions(state, at_size)})
        state, running = _train_stage(stage, options, at_size, sam, pictures, kept, added)
    sam.load_state_dict(state)
    sam.eval()
    learn_to_rate(sam, options.seed + 3, rated)
    thresholds = choose_thresholds(sam, scenes=calibration)
    save_starter_sam(sam.state_dict(), config, thresholds, options.output)
    return running


def _train_stage(
    stage: _Stage,
    options: TrainOptions,
    config: SamConfig,
    sam: Sam,
    pictures: int,
    kept: int,
    added: Collection[str],
) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
    """Train at one image size, or go on from that stage's checkpoint.

    Args:
        added: names of weights that those to start from lack.

    Returns:
        The averaged weights and the running means of what mask_loss shows.
    """
    options = stage.options(options)
    trainee = Trainee(sam, config.decoder_width).to(options.device).train()
    groups = weight_groups(trainee, {f"sam.{name}" for name in added}, _ADDED_RATE)
    optimizer = torch.optim.AdamW(groups, lr=stage.rate, betas=(0.9, 0.98))
    average = AveragedWeights(trainee, 0.997)
    run = Run(stage.name, options, trainee, optimizer, average, stage.rate, stage.fall_from)
    running: dict[str, float] = {}
    if run.progress >= 1:
        return _of_sam(average), running
    new = max(1, pictures * NEW_PICTURES_PER_STEP // PICTURES_PER_STEP)
    first = max(0, (run.step * new) - kept // 2)
    draw = partial(draw_labelled_picture, longest=config.image_size)
    source = DrawnInOrder(draw, options.seed, first, options.workers)
    recent = RecentlyDrawn(source, kept)
    recent.draw(min(kept, 4 * pictures))
    coarse = 4 * sam.prompt_encoder.image_embedding_size[0]
    for step, bar in run.steps():
        rng = np.random.default_rng((options.seed, 2, step))
        recent.draw(new)
        side = coarse if run.progress < stage.fine_from else 2 * coarse
        batch = make_batch(rng, recent.choose(rng, pictures), sam, CLICKS_PER_PICTURE, side)
        prediction = predict(sam, batch)
        loss, shown = mask_loss(prediction, batch)
        if stage.affinity:
            affinity = trainee.affinity_loss(prediction, batch)
            shown["affinity"] = float(affinity.detach())
            loss = loss + stage.affinity * affinity
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trainee.parameters(), 1.0)
        optimizer.step()
        show_means(bar, step, running, {"loss": float(loss.detach()), **shown})
        if step % _SAVE_WEIGHTS_EVERY == _SAVE_WEIGHTS_EVERY - 1:
            save_starter_sam(_of_sam(average), config, MaskThresholds(), options.output)
    source.close()
    return _of_sam(average), running


def learn_to_rate(sam: Sam, seed: int, pictures: int) -> None:
    """Train nothing but the head that predicts IoUs, at the size at which SAM works.

    What it reads does not change meanwhile, so that is computed once.

    Args:
        sam: in eval mode.
        seed: of pictures and clicks.
        pictures: how many to draw.
    """
    head = sam.mask_decoder.iou_prediction_head
    read: list[torch.Tensor] = []
    ious: list[torch.Tensor] = []
    hook = head.register_forward_pre_hook(lambda _, seen: read.append(seen[0].float()))
    size, side = sam.image_encoder.img_size, 8 * sam.prompt_encoder.image_embedding_size[0]
    with torch.no_grad():
        for index in range(pictures):
            rng = np.random.default_rng((seed, 4, index))
            picture = draw_labelled_picture(seed, index, size)
            batch = make_batch(rng, [picture], sam, _RATED_CLICKS, side)
            ious.append(each_mask(predict(sam, batch).logits, batch)[1].flatten(0, 1))
    hook.remove()
    features, truth = torch.cat(read), torch.cat(ious)
    optimizer = torch.optim.AdamW(head.parameters(), lr=3e-4, weight_decay=0.05)
    generator = torch.Generator().manual_seed(seed)
    epochs = 6
    for epoch in range(epochs):
        for group in optimizer.param_groups:
            group["lr"] = 3e-4 * (1 - epoch / epochs)
        for rows in torch.randperm(len(truth), generator=generator).to(truth.device).split(64):
            loss = functional.mse_loss(head(features[rows]), truth[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()


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
