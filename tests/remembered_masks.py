"""What SAM has seen and cut in a run of the tests: many of them take the same few pictures in.

The starter SAM takes most of a second for a picture and makes the same of it each time.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch

from src.models.mask_generator import MaskGenerator
from src.models.promptable_sam import PromptableSam
from src.models.two_way_sam import SamEmbedding
from src.stopping import GoOn, ask

# Larger pictures are in one test each, and their masks would take much memory.
MOST_PIXELS = 1_000_000
MOST_EMBEDDINGS = 32  # some MB each
# In files, of all processes together.
MOST, MOST_BYTES = 150, 4 << 20
MOST_WEIGHTS = 10_000_000  # it would take as long to tell larger ones apart
Masks = Callable[..., Iterator[dict[str, Any]]]
Embed = Callable[[PromptableSam, np.ndarray], SamEmbedding]


def remembering(cut: Masks, folder: Path) -> Masks:
    """Make a `MaskGenerator.masks` that cuts a picture once for each weights and settings.

    Args:
        folder: keeps what the bundled weights cut, for other processes of the same run.
    """
    made: dict[object, list[dict[str, Any]]] = {}

    def masks(
        generator: MaskGenerator, image_rgb: np.ndarray, go_on: GoOn | None = None
    ) -> Iterator[dict[str, Any]]:
        if image_rgb.shape[0] * image_rgb.shape[1] > MOST_PIXELS:
            yield from cut(generator, image_rgb, go_on)
            return
        # the bundled weights are loaded many times; others are what they are while they live
        bundled = generator.name.startswith("starter-sam@")
        settings = {k: v for k, v in vars(generator).items() if isinstance(v, int | float | str)}
        key = (
            generator.name if bundled else generator.module,
            tuple(sorted(settings.items())),
            image_rgb.shape,
            hashlib.sha256(image_rgb.tobytes()).digest(),
        )
        if key not in made:
            kept = folder / hashlib.sha256(repr(key).encode()).hexdigest() if bundled else None
            made[key] = _kept(kept, lambda: list(cut(generator, image_rgb, go_on)))
        for record in made[key]:
            ask(go_on)
            yield record | {"segmentation": record["segmentation"].copy()}

    return masks


def _kept(file: Path | None, make: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Read what a process has left in a file, or make it and leave it there."""
    if file is None:
        return make()
    if file.exists():
        records: list[dict[str, Any]] = pickle.loads(file.read_bytes())
        return records
    records = make()
    part = file.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    part.write_bytes(pickle.dumps(records))
    part.replace(file)
    return records


def embedding_once(embed: Embed, folder: Path) -> Embed:
    """Make a `PromptableSam.embed` that looks once at a picture that comes again.

    Args:
        folder: keeps what SAM saw, for other processes of the same run and other grids of clicks.
    """
    made: OrderedDict[object, SamEmbedding] = OrderedDict()
    weights: WeakKeyDictionary[torch.nn.Module, str] = WeakKeyDictionary()

    def embed_once(model: PromptableSam, image_rgb: np.ndarray) -> SamEmbedding:
        precision = model._encoder_precision, model._decoder_precision
        seen = image_rgb.shape, hashlib.sha256(image_rgb.tobytes()).digest()
        key = model.sam, precision, seen
        if key not in made:
            if model.sam not in weights:
                weights[model.sam] = _digest(model.sam)
            of = repr((weights[model.sam], precision, seen)).encode()
            kept = folder / f"seen {hashlib.sha256(of).hexdigest()}.npy"
            shared = weights[model.sam] and model.device.type == "cpu"
            made[key] = (
                _embedded(embed, model, image_rgb, kept) if shared else embed(model, image_rgb)
            )
            if len(made) > MOST_EMBEDDINGS:
                made.popitem(last=False)
        return made[key]

    return embed_once


def _embedded(
    embed: Embed, model: PromptableSam, image_rgb: np.ndarray, kept: Path
) -> SamEmbedding:
    """Read what a process has seen in a picture, or look and leave it there."""
    with torch.inference_mode():
        if kept.exists():
            features = torch.from_numpy(np.load(kept))
            sizes = model.sizes((image_rgb.shape[1], image_rgb.shape[0]))
            return SamEmbedding(sizes, features, model._prepared(features))
        embedding = embed(model, image_rgb)
        if embedding.features.nbytes <= MOST_BYTES and len(list(kept.parent.glob("seen *"))) < MOST:
            part = kept.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
            with part.open("wb") as file:
                np.save(file, embedding.features.numpy())
            part.replace(kept)
        return embedding


def _digest(sam: torch.nn.Module) -> str:
    """Tell weights apart by what is in them and used for; empty for those of a large model."""
    if sum(values.numel() for values in sam.parameters()) > MOST_WEIGHTS:
        return ""
    digest = hashlib.sha256(repr(sam).encode())
    for name, values in sam.state_dict().items():
        digest.update(f"{name} {values.dtype} {tuple(values.shape)}".encode())
        digest.update(values.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
