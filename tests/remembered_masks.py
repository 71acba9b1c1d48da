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

import numpy as np

from src.models.mask_generator import MaskGenerator
from src.models.promptable_sam import PromptableSam
from src.models.two_way_sam import SamEmbedding
from src.stopping import GoOn, ask

# Larger pictures are in one test each, and their masks would take much memory.
MOST_PIXELS = 1_000_000
MOST_EMBEDDINGS = 32  # some MB each
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


def embedding_once(embed: Embed) -> Embed:
    """Make a `PromptableSam.embed` that looks once at a picture that comes again soon."""
    made: OrderedDict[object, SamEmbedding] = OrderedDict()

    def embed_once(model: PromptableSam, image_rgb: np.ndarray) -> SamEmbedding:
        precision = model._encoder_precision, model._decoder_precision
        seen = image_rgb.shape, hashlib.sha256(image_rgb.tobytes()).digest()
        key = model.sam, precision, seen
        if key not in made:
            made[key] = embed(model, image_rgb)
            if len(made) > MOST_EMBEDDINGS:
                made.popitem(last=False)
        return made[key]

    return embed_once
