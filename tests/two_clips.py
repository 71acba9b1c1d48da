"""Two real CLIPs that are quick to load: the starter one, and one in another space."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path

import torch

from src.errors import ModelNotLoadedError
from src.models.clip_encoder import ClipEncoder
from src.models.mask_generator import MaskGenerator
from src.models.model_manager import ModelManager

OLD, NEW = "starter", "other"


class TwoClips(ModelManager):
    """The second CLIP is the starter one with its 512 dimensions in reverse order.

    Among themselves its embeddings are as near and far as the first one's, and a score across
    the two is nonsense: so the scores of an answer say whether it mixes models.
    """

    def __init__(self, clip: ClipEncoder, sam: MaskGenerator | None) -> None:
        super().__init__(device="cpu", clip_model=OLD)
        model = copy.deepcopy(clip.model)
        with torch.no_grad():
            model.text_projection.copy_(model.text_projection.flip(1))
            for weights in (model.visual.attnpool.c_proj.weight, model.visual.attnpool.c_proj.bias):
                weights.copy_(weights.flip(0))
        other = dataclasses.replace(clip, name="other-clip@1", label="other CLIP", model=model)
        self.clips = {OLD: clip, NEW: other}
        self.sam = sam
        self.gone: set[str] = set()  # names of weights that are no longer on the machine
        self.vocabularies: dict[str, Path] = {}  # by the name of a CLIP

    def load_clip(self, checkpoint_path: Path | str | None = None) -> ClipEncoder:
        return self.clips[str(self.choices["clip"])]

    def load_clip_named(self, name: str) -> ClipEncoder:
        for clip in self.clips.values():
            if clip.name == name and name not in self.gone:
                return clip
        raise ModelNotLoadedError(f"the weights of {name} are gone")

    def load_sam(self, *_: object, **__: object) -> MaskGenerator:
        if self.sam is None:
            raise ModelNotLoadedError("no SAM")
        return self.sam

    def vocabulary(self, clip: ClipEncoder) -> Path:
        return self.vocabularies.get(clip.name) or super().vocabulary(clip)
