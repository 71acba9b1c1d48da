"""Which of open_clip's architectures a file of weights is of, by the shapes inside."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import open_clip
import torch

from src.errors import CheckpointError
from src.models.checkpoints import StateDict
from src.models.weights_from_file import WeightsFromFile
from src.records import EMBEDDING_DIM

Shapes = dict[str, tuple[int, ...]]
Triple = tuple[float, float, float]

EXAMPLES = "ViT-B-32, ViT-B-16 or convnext_base"
# Where open_clip's models keep the layer that leads into the common space, and which of its
# dimensions is that space's.
_TEXT_OUTPUTS = {
    "text_projection": 1,
    "text.text_projection": 1,
    "text.text_projection.weight": 0,
    "text.proj.weight": 0,
    "text.proj.2.weight": 0,
}
_IMAGE_OUTPUTS = {
    "visual.proj": 1,
    "visual.attnpool.c_proj.weight": 0,
    "visual.head.proj.weight": 0,
}


def clip_architecture(state: StateDict, path: Path) -> str:
    """Find the open_clip model of 512 dimensions that a state dict is of.

    Several models share their shapes; a name inside the file's name then decides, and
    OpenAI's own weights take their activation (quickgelu).

    Raises:
        CheckpointError: it is none of them; the reason says what it is instead.
    """
    shapes = {key: tuple(value.shape) for key, value in state.items()}
    _check_kind(shapes, path)
    file_name = _plain(str(Path(path.parent.name) / path.name))
    quick = any(word in file_name for word in ("openai", "quickgelu", "metaclip", "dfn"))
    names: list[str] = [name for name in open_clip.list_models() if _may_be(name, shapes)]

    def order(name: str) -> tuple[bool, bool, int]:
        base = _plain(name.removesuffix("-quickgelu"))
        return base not in file_name, name.endswith("-quickgelu") != quick, -len(base)

    for name in sorted(names, key=order):
        if _shapes_of(name) == shapes:
            return name
    raise CheckpointError(
        path, f"open_clip knows no CLIP of {EMBEDDING_DIM} dimensions with these weights"
    )


def normalisation(name: str) -> tuple[Triple, Triple]:
    """Return the mean and the standard deviation that images are normalised with, values 0 to 1.

    What open_clip has published of one architecture agrees in it; without any it is OpenAI's.
    """
    tags = open_clip.list_pretrained_tags_by_model(name)
    config: dict[str, Any] = open_clip.get_pretrained_cfg(name, tags[0]) if tags else {}
    mean = config.get("mean") or open_clip.OPENAI_DATASET_MEAN
    std = config.get("std") or open_clip.OPENAI_DATASET_STD
    return cast(Triple, tuple(mean)), cast(Triple, tuple(std))


def _check_kind(shapes: Shapes, path: Path) -> None:
    """Refuse what can't be used, with its true reason, before anything is built to compare.

    Raises:
        CheckpointError: a model of another kind or format, or a CLIP of another size.
    """
    if "image_encoder.pos_embed" in shapes:
        raise CheckpointError(
            path,
            "a SAM, and no CLIP; it is used under Meta's own name, such as sam_vit_b_01ec64.pth",
        )
    if any(
        key.startswith(("text_model.", "vision_model.", "image_encoder.model.")) for key in shapes
    ):
        raise CheckpointError(
            path,
            "a CLIP in another program's format; get the file for open_clip (open_clip_model"
            ".safetensors or open_clip_pytorch_model.bin)",
        )
    image = {
        shapes[key][axis] for key, axis in _IMAGE_OUTPUTS.items() if len(shapes.get(key, ())) == 2
    }
    text = {
        shapes[key][axis] for key, axis in _TEXT_OUTPUTS.items() if len(shapes.get(key, ())) == 2
    }
    dimensions = text | image
    if not dimensions or not any(key.startswith("visual.") for key in shapes):
        raise CheckpointError(path, "not the weights of a CLIP")
    if len(dimensions) == 1 and EMBEDDING_DIM not in dimensions:
        raise CheckpointError(
            path,
            f"a CLIP of {dimensions.pop():,} dimensions, and a library keeps {EMBEDDING_DIM}; get "
            f"one of {EMBEDDING_DIM}, such as {EXAMPLES}",
        )
    if any(_is_of_hugging_face(key) for key in shapes):
        raise CheckpointError(
            path,
            "its text model is one of Hugging Face's, which this program can't build: it lacks "
            f"the package transformers and a tokenizer; get another, such as {EXAMPLES}",
        )


def _is_of_hugging_face(key: str) -> bool:
    own = "text.transformer."
    return key.startswith(own) and not key.startswith(own + "resblocks.")


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _may_be(name: str, shapes: Shapes) -> bool:
    """Return whether a model may fit, from the config alone, and is worth building to compare."""
    config = cast(dict[str, Any], open_clip.get_model_config(name))
    text, vision = config["text_cfg"], config["vision_cfg"]
    if config["embed_dim"] != EMBEDDING_DIM or {"hf_model_name", "hf_tokenizer_name"} & text.keys():
        return False
    prefix = "text." if config.get("custom_text") else ""
    words = text.get("vocab_size", 49408), text.get("width", 512)
    if shapes.get(f"{prefix}token_embedding.weight") != words:
        return False
    if "timm_model_name" in vision:
        return any(key.startswith("visual.trunk.") for key in shapes)
    stem = shapes.get("visual.conv1.weight")
    layers = vision.get("layers")
    width = vision.get("width", 64 if isinstance(layers, list) else 768)
    expected = width // 2 if isinstance(layers, list) else width
    return stem is not None and stem[:1] == (expected,)


def _shapes_of(name: str) -> Shapes:
    """Build a model without memory for its weights, and list their shapes."""
    with torch.device("meta"), WeightsFromFile():
        model = open_clip.create_model(name, load_weights=False, device="meta")
    return {key: tuple(value.shape) for key, value in model.state_dict().items()}
