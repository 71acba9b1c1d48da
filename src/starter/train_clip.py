"""Trains the starter CLIP on crops of drawn pictures and phrases that are true of them."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import torch
from open_clip.constants import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD
from open_clip.model import CLIP
from torch import nn
from torch.nn import functional

from src.config import STARTER_FOLDER
from src.models.starter.architecture import (
    SAM_WEIGHTS_FILE,
    ClipConfig,
    build_clip,
    load_starter_clip,
    save_starter_clip,
)
from src.models.starter.tokenizer import StarterTokenizer
from src.models.starter.vocabulary import TEXTURES
from src.starter.crops import (
    COLOUR,
    FACT_WORDS,
    FACTS,
    SCENE,
    SHAPE,
    SIZE,
    TEXTURE,
    TONE,
    UNKNOWN,
    Crops,
    draw_crops,
)
from src.starter.drawing import DrawnInOrder, RecentlyDrawn
from src.starter.found_crops import draw_found_crops
from src.starter.training import (
    AveragedWeights,
    Run,
    TrainOptions,
    show_means,
    weight_groups,
)

CROPS_PER_STEP = 160
NEW_PICTURES_PER_STEP = 9
KEPT_PICTURES = 2500
# Crops of masks that a SAM found. Finding them takes longer than drawing, so one new scene a step
# has to do, and more of what was drawn of late is kept.
_FOUND_SHARE = 0.4
_KEPT_FOUND = 600
PEAK_RATE = 2e-3
_SAVE_WEIGHTS_EVERY = 100
_MOST_ALIKE = 0.4
_SAMENESS_WEIGHT = 4.0
_ALIKE_WEIGHT = 0.5
# A caption of one word for every word: each is asked of every batch.
SINGLE_WORDS = np.full((sum(len(words) for words in FACT_WORDS), FACTS), UNKNOWN, np.int8)
_row = 0
for _fact, _words in enumerate(FACT_WORDS):
    for _index in range(len(_words)):
        SINGLE_WORDS[_row, _fact] = 1 if _fact >= SCENE else _index
        _row += 1


class Trainee(nn.Module):
    """A CLIP and what helps it learn but is not kept.

    Stripes, dots and checks are matters of the middle layers, where the contrast of whole
    phrases hardly reaches; a plain question to those layers gets them going.
    """

    def __init__(self, clip: CLIP) -> None:
        super().__init__()
        self.clip = clip
        self._seen: list[torch.Tensor] = []
        self.heads = nn.ModuleList()
        for stage in (clip.visual.layer2, clip.visual.layer3):
            width = stage[-1].conv3.out_channels
            self.heads.append(nn.Linear(width, len(TEXTURES)))
            stage.register_forward_hook(self._keep)

    def _keep(self, stage: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        self._seen.append(output)

    def texture_loss(self, textures: torch.Tensor) -> torch.Tensor:
        """Cross entropy of the texture, from the means of the middle layers of the last images.

        Args:
            textures: (N,) int64, negative where unknown.
        """
        known = textures >= 0
        seen, self._seen = self._seen, []
        total = textures.new_zeros((), dtype=torch.float32)
        if known.any():
            for head, features in zip(self.heads, seen, strict=True):
                guess = head(features[known].float().mean((-1, -2)))
                total = total + functional.cross_entropy(guess, textures[known])
        return total


def sample_captions(rng: np.random.Generator, facts: np.ndarray) -> np.ndarray:
    """A true caption for each crop, from 'red' to 'a large dark red dotted circle'.

    Args:
        facts: (N, FACTS) int8 of N crops.

    Returns:
        (M, FACTS) int8 without duplicates; UNKNOWN where a caption is silent. Crops about
        which nothing is known have no caption.
    """
    told = np.full(facts.shape, UNKNOWN, np.int8)
    count = len(facts)
    often = np.zeros((count, FACTS))
    often[:, COLOUR], often[:, SHAPE], often[:, TEXTURE] = 0.75, 0.75, 0.4
    often[:, TONE], often[:, SIZE], often[:, SCENE:] = 0.2, 0.2, 0.6
    # The phrase people type most.
    plain = rng.random(count) < 0.45
    often[plain] = 0.0
    often[plain, COLOUR], often[plain, SHAPE] = 1.0, 1.0
    said = rng.random((count, FACTS)) < often
    said[:, SCENE:] &= facts[:, SCENE:] == 1
    said[:, :SCENE] &= facts[:, :SCENE] >= 0
    told[said] = facts[said]
    told = np.unique(told[(told != UNKNOWN).any(axis=1)], axis=0)
    return np.concatenate([SINGLE_WORDS, told])


def phrase(rng: np.random.Generator, caption: np.ndarray) -> str:
    """The words of a caption in an order people use: 'large dark red dotted circle'."""
    words = [
        (fact, FACT_WORDS[fact][int(value) if fact < SCENE else 0])
        for fact, value in enumerate(caption)
        if value != UNKNOWN
    ]
    usual = {SIZE: 0, TONE: 1, COLOUR: 2, TEXTURE: 3, SHAPE: 4}
    if rng.random() < 0.35:
        usual[TEXTURE] = 0.5 if rng.random() < 0.5 else 5  # type: ignore[assignment]
    if rng.random() < 0.1:
        usual[SHAPE] = -1
    words.sort(key=lambda word: usual.get(word[0], word[0] + 10))
    return " ".join(word for _, word in words)


def truth_table(facts: np.ndarray, captions: np.ndarray) -> np.ndarray:
    """Which captions are true of which crops.

    Args:
        facts: (N, FACTS) of crops.
        captions: (M, FACTS), UNKNOWN where silent.

    Returns:
        (N, M) int8: 1 true, 0 false, -1 nobody can say.
    """
    asked = captions[None] != UNKNOWN
    known = facts[:, None] != UNKNOWN
    wrong = (asked & known & (facts[:, None] != captions[None])).any(axis=2)
    unsure = (asked & ~known).any(axis=2)
    return np.where(wrong, 0, np.where(unsure, -1, 1)).astype(np.int8)


def caption_weights(captions: np.ndarray) -> np.ndarray:
    """How much each caption counts, (M,) float32: more where it says what is learnt slowly.

    Colour is learnt in minutes; stripes against dots against checks comes last of all.
    """
    says = captions[:, :SCENE] != UNKNOWN
    weights = 1 + 1.0 * says[:, SHAPE] + 3.0 * says[:, TEXTURE]
    return np.asarray(weights, np.float32)


def contrastive_loss(
    scores: torch.Tensor, truth: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """CLIP's loss with every true pair as a positive (after Khosla et al. 2020).

    Each true pair competes with the false ones of its row and of its column, never with
    other true ones: captions repeat in a batch, and several are true of one crop.

    Args:
        scores: (N, M) scaled similarities.
        truth: (N, M), see truth_table.
        weights: (M,) of the captions, see caption_weights.
    """
    positive, negative = truth == 1, truth == 0
    total = scores.new_zeros(())
    for axis in (0, 1):
        against = torch.logsumexp(scores.masked_fill(~negative, -1e4), dim=axis, keepdim=True)
        each = functional.softplus(against - scores) * positive
        if axis == 1:
            # A crop counts the same however many captions are true of it.
            counted = positive * weights
            share = (each * weights).sum(axis) / counted.sum(axis).clamp(min=1e-6)
            total = total + share.sum() / positive.any(axis).sum().clamp(min=1)
        else:
            share = each.sum(axis) / positive.sum(axis).clamp(min=1)
            counted = weights * positive.any(axis)
            total = total + (share * counted).sum() / counted.sum().clamp(min=1e-6)
    return total / 2


def alike_table(facts: np.ndarray) -> np.ndarray:
    """Which crops show the same thing: of one colour and one shape.

    Phrases alone leave it open what makes two pictures alike, and a search by example then
    finds what has the same background, size or texture.

    Args:
        facts: (N, FACTS) of crops.

    Returns:
        (N, N) int8 as truth_table gives: 1 alike, 0 not, -1 nobody can say; a crop and itself
        are no question.
    """
    both = facts[:, [COLOUR, SHAPE]].astype(int)
    first, second = both[:, None], both[None]
    known = (first != UNKNOWN) & (second != UNKNOWN)
    # two things of no name may or may not be alike
    named = (first >= 0) & (second >= 0)
    differ = (known & (first != second)).any(axis=2)
    same = (named & (first == second)).all(axis=2)
    table = np.where(differ, 0, np.where(same, 1, -1)).astype(np.int8)
    np.fill_diagonal(table, -1)
    return table


def sameness_loss(read: torch.Tensor) -> torch.Tensor:
    """Keeps rivals apart: 'striped' and 'dotted' must not be embedded alike.

    Without it a batch first teaches 'patterned', the three words for patterns fall together,
    and no image can pull them apart again, since none is closer to one of them.

    Args:
        read: (M, D) normalised embeddings of captions, the SINGLE_WORDS first.
    """
    total, first = read.new_zeros(()), 0
    for words in FACT_WORDS[:SCENE]:
        rivals = read[first : first + len(words)]
        alike = (rivals @ rivals.T).triu(diagonal=1)
        pairs = len(words) * (len(words) - 1) / 2
        total = total + functional.relu(alike - _MOST_ALIKE).square().sum() / pairs
        first += len(words)
    return total


def normalise(images: torch.Tensor) -> torch.Tensor:
    """(N, S, S, 3) uint8 -> (N, 3, S, S) float32 as CLIP takes it, channels last."""
    mean = torch.tensor(OPENAI_DATASET_MEAN, device=images.device) * 255
    std = torch.tensor(OPENAI_DATASET_STD, device=images.device) * 255
    return ((images.float() - mean) / std).permute(0, 3, 1, 2)


def _choose(
    rng: np.random.Generator, wanted: dict[RecentlyDrawn[Crops], int]
) -> tuple[np.ndarray, np.ndarray]:
    """A batch of so many crops of each kind, each from another picture as far as chance goes."""
    images: list[np.ndarray] = []
    facts: list[np.ndarray] = []
    for recent, count in wanted.items():
        missing = count
        while missing:
            filled = [crops for crops in recent.choose(rng, missing) if len(crops.images)]
            for crops in filled:
                pick = int(rng.integers(len(crops.images)))
                images.append(crops.images[pick])
                facts.append(crops.facts[pick])
            missing -= len(filled)
    batch = np.stack(images)
    if rng.random() < 0.5:
        batch = batch[:, :, ::-1]
    # Colour constancy: the same thing under slightly other light.
    gain = rng.normal(1.0, 0.03, (len(batch), 1, 1, 3)).clip(0.92, 1.08).astype(np.float32)
    gain *= rng.normal(1.0, 0.03, (len(batch), 1, 1, 1)).clip(0.92, 1.08).astype(np.float32)
    lit = np.clip(batch * gain, 0, 255).astype(np.uint8)
    return lit, np.stack(facts)


def train_clip(
    options: TrainOptions,
    config: ClipConfig | None = None,
    *,
    crops: int = CROPS_PER_STEP,
    kept: int = KEPT_PICTURES,
    kept_found: int = _KEPT_FOUND,
) -> dict[str, float]:
    """Train a starter CLIP from nothing, or go on from its checkpoint.

    Part of what it sees is what the starter SAM finds: that in the output folder, where there is
    one, or the bundled one.

    Args:
        options: where, how long and from which seed. With `start` from those weights, at half
            the rate, which keeps what they know.
        config: sizes of the model, and of the weights to start from.
        crops: a step.
        kept: recent pictures to choose from.
        kept_found: recent scenes in which SAM has found masks.

    Returns:
        Running means of the loss and of the share of single words guessed right.
    """
    config = config or ClipConfig()
    torch.manual_seed(options.seed)
    model: CLIP = build_clip(config)
    rate = PEAK_RATE
    if options.start is not None:
        model.load_state_dict(load_starter_clip(options.start).state_dict())
        rate = PEAK_RATE / 2
    trainee = Trainee(model).to(options.device).train()
    model.visual.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(weight_groups(trainee), lr=rate, betas=(0.9, 0.98))
    average = AveragedWeights(trainee, 0.997)
    run = Run("clip", options, trainee, optimizer, average, rate)
    new = max(1, crops * NEW_PICTURES_PER_STEP // CROPS_PER_STEP)
    first = max(0, (run.step * new) - kept // 4)
    draw = partial(draw_crops, size=config.image_size)
    source = DrawnInOrder(draw, options.seed, first, options.workers)
    recent: RecentlyDrawn[Crops] = RecentlyDrawn(source, kept)
    recent.draw(min(kept, crops))
    trained = (options.output / SAM_WEIGHTS_FILE).is_file()
    finds = options.output if trained else STARTER_FOLDER
    find = partial(draw_found_crops, sam_folder=finds, size=config.image_size)
    found_source = DrawnInOrder(
        find, options.seed, max(0, run.step - kept_found // 4), options.workers
    )
    found: RecentlyDrawn[Crops] = RecentlyDrawn(found_source, kept_found)
    of_found = round(_FOUND_SHARE * crops)
    found.draw(min(kept_found, of_found))
    tokenizer = StarterTokenizer()
    running: dict[str, float] = {}
    for step, bar in run.steps():
        rng = np.random.default_rng((options.seed, 4, step))
        recent.draw(new)
        found.draw(1)
        images, facts = _choose(rng, {recent: crops - of_found, found: of_found})
        captions = sample_captions(rng, facts)
        tokens = tokenizer([phrase(rng, caption) for caption in captions]).to(options.device)
        truth = torch.from_numpy(truth_table(facts, captions)).to(options.device)
        pixels = normalise(torch.from_numpy(images).to(options.device))
        with torch.autocast(torch.device(options.device).type, torch.bfloat16):
            seen = model.encode_image(pixels.contiguous(memory_format=torch.channels_last))
            read = model.encode_text(tokens)
        seen = functional.normalize(seen.float(), dim=-1)
        read = functional.normalize(read.float(), dim=-1)
        scores = model.logit_scale.exp() * seen @ read.T
        weights = torch.from_numpy(caption_weights(captions)).to(options.device)
        loss = contrastive_loss(scores, truth, weights)
        optimizer.zero_grad(set_to_none=True)
        textures = torch.from_numpy(facts[:, TEXTURE].astype(np.int64)).to(options.device)
        helping = _SAMENESS_WEIGHT * sameness_loss(read) + trainee.texture_loss(textures)
        alike = torch.from_numpy(alike_table(facts)).to(options.device)
        likeness = model.logit_scale.exp() * seen @ seen.T
        between = contrastive_loss(likeness, alike, torch.ones_like(likeness[0]))
        helping = helping + _ALIKE_WEIGHT * between
        (loss + helping).backward()
        torch.nn.utils.clip_grad_norm_(trainee.parameters(), 2.0)
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(100))
        shown = {
            "loss": float(loss.detach()),
            "help": float(helping.detach()),
            "alike": float(between.detach()),
            **_right(scores.detach(), facts),
        }
        show_means(bar, step, running, shown)
        if step % _SAVE_WEIGHTS_EVERY == _SAVE_WEIGHTS_EVERY - 1:
            save_starter_clip(_of_clip(average), config, options.output)
    source.close()
    found_source.close()
    save_starter_clip(_of_clip(average), config, options.output)
    return running


def _right(scores: torch.Tensor, facts: np.ndarray) -> dict[str, float]:
    """Share of crops whose best single word is the true one, for colour, shape and texture."""
    right, first = {}, 0
    for fact, name in enumerate(("colour", "shape", "texture")):
        last = first + len(FACT_WORDS[fact])
        guessed = scores[:, first:last].argmax(dim=1).cpu().numpy()
        known = facts[:, fact] >= 0
        right[name] = float((guessed == facts[:, fact])[known].mean()) if known.any() else 0.0
        first = last
    return right


def _of_clip(average: AveragedWeights) -> dict[str, torch.Tensor]:
    state = average.state.items()
    return {name[5:]: value for name, value in state if name.startswith("clip.")}
