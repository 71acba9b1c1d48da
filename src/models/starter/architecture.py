"""The starter CLIP and SAM: how they are built and loaded."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import open_clip
import torch
from open_clip.model import CLIP
from safetensors import SafetensorError
from safetensors.torch import load_file
from segment_anything.modeling import (
    ImageEncoderViT,
    MaskDecoder,
    PromptEncoder,
    Sam,
    TwoWayTransformer,
)
from torch import nn

from src.errors import CheckpointError
from src.models.click_grid import Quality
from src.models.mask_shape import SPECK_SHARE
from src.models.starter.image_encoder import ConvStem, DetailedEncoder
from src.models.starter.mask_decoder import DetailedMaskDecoder
from src.models.starter.tokenizer import CONTEXT_LENGTH, VOCABULARY_SIZE
from src.models.weights_from_file import WeightsFromFile

CLIP_NAME = "starter-clip"
CLIP_CONFIG_FILE = "starter-clip.json"
CLIP_WEIGHTS_FILE = "starter-clip.safetensors"
SAM_WEIGHTS_FILE = "starter-sam.safetensors"
EMBEDDING_SIZE = 512

_PIXEL_MEAN = [123.675, 116.28, 103.53]
_PIXEL_STD = [58.395, 57.12, 57.375]


@dataclass(frozen=True)
class ClipConfig:
    """Sizes of the starter CLIP, in open_clip's words: a small ResNet and a small text model."""

    image_size: int = 96
    width: int = 24
    layers: tuple[int, ...] = (2, 2, 2, 1)
    text_width: int = 128
    text_layers: int = 2

    def as_open_clip(self) -> dict[str, Any]:
        """Return the model config that open_clip reads."""
        return {
            "embed_dim": EMBEDDING_SIZE,
            "vision_cfg": {
                "image_size": self.image_size,
                "layers": list(self.layers),
                "width": self.width,
            },
            "text_cfg": {
                "context_length": CONTEXT_LENGTH,
                "vocab_size": VOCABULARY_SIZE,
                "width": self.text_width,
                "heads": 4,
                "layers": self.text_layers,
            },
        }


@dataclass(frozen=True)
class SamConfig:
    """Sizes of a starter SAM; they travel in the weights file.

    Attributes:
        stem: channels after each strided convolution but the last; empty for Meta's patches.
        refine: residual blocks after each of these.
        detail: whether what the stem saw at strides of 4 and 8 is added to the embedding.
        sharp: whether it is led past the transformer into the masks, too; needs detail.
        top_down: whether what the transformer found is led back to it first; needs sharp.
        positions: side of the grid of learned positions; that of the picture where it is 0, or
            without detail.
    """

    image_size: int = 640
    patch_size: int = 16
    width: int = 160
    depth: int = 6
    heads: int = 5
    decoder_width: int = 128
    decoder_depth: int = 2
    decoder_heads: int = 4
    decoder_mlp: int = 512
    stem: tuple[int, ...] = (24, 48, 96)
    refine: tuple[int, ...] = (0, 1, 2)
    detail: bool = True
    sharp: bool = True
    top_down: bool = True
    positions: int = 24

    @property
    def position_side(self) -> int:
        """Of the grid of learned positions."""
        detailed = bool(self.stem) and self.detail
        return (self.positions if detailed else 0) or self.image_size // self.patch_size


@dataclass(frozen=True)
class MaskThresholds:
    """What MaskGenerator should keep of a starter SAM's masks.

    Meta's own (0.88, 0.95, 1.0) are for a SAM with sharp logits, which this one lacks. Decoding
    few clicks at once keeps the decoder's pictures small enough for malloc to use again, which
    makes it 1.8 times as fast on a CPU. On drawn scenes the adaptive grid of 24 finds as many
    shapes as all clicks of one of 18, in two thirds of the time. Its
    outlines are coarse, and fitted to the edges of the picture.
    """

    points_per_side: int = 24
    quality: Quality = "adaptive"
    fit_edges: bool = True
    points_per_batch: int = 16
    pred_iou_thresh: float = 0.48
    stability_score_thresh: float = 0.3
    stability_score_offset: float = 1.0
    box_nms_thresh: float = 0.7
    speck_share: float = SPECK_SHARE


def build_clip(config: ClipConfig | None = None) -> CLIP:
    """Return a starter CLIP with random weights, from open_clip's own classes."""
    sizes = (config or ClipConfig()).as_open_clip()
    return CLIP(sizes["embed_dim"], sizes["vision_cfg"], sizes["text_cfg"])


def build_sam(config: SamConfig) -> Sam:
    """Return a SAM with random weights, from segment_anything's own classes (Kirillov et al. 2023).

    All attention is global and without relative positions: so small a grid needs no windows.
    """
    grid = config.image_size // config.patch_size
    sizes: dict[str, Any] = {
        "img_size": config.image_size,
        "patch_size": config.patch_size,
        "embed_dim": config.width,
        "depth": config.depth,
        "num_heads": config.heads,
        "out_chans": config.decoder_width,
        "qkv_bias": True,
        "norm_layer": partial(nn.LayerNorm, eps=1e-6),
        "use_rel_pos": False,
        "global_attn_indexes": tuple(range(config.depth)),
        "window_size": 0,
    }
    if config.stem:
        stem = ConvStem(config.stem, config.width, config.refine)
    detailed = bool(config.stem) and config.detail
    if detailed:
        encoder = DetailedEncoder(
            stem,
            config.stem,
            sharp=config.sharp,
            top_down=config.top_down,
            positions=config.position_side,
            **sizes,
        )
    else:
        encoder = ImageEncoderViT(**sizes)
        if config.stem:
            encoder.patch_embed = stem
    # Meta starts this at zero; nearly so is what lets a short training tell places apart.
    nn.init.trunc_normal_(encoder.pos_embed, std=0.02)
    decoder = DetailedMaskDecoder if detailed and config.sharp else MaskDecoder
    return Sam(
        image_encoder=encoder,
        prompt_encoder=PromptEncoder(
            embed_dim=config.decoder_width,
            image_embedding_size=(grid, grid),
            input_image_size=(config.image_size, config.image_size),
            mask_in_chans=16,
        ),
        mask_decoder=decoder(
            num_multimask_outputs=3,
            transformer=TwoWayTransformer(
                depth=config.decoder_depth,
                embedding_dim=config.decoder_width,
                mlp_dim=config.decoder_mlp,
                num_heads=config.decoder_heads,
            ),
            transformer_dim=config.decoder_width,
            iou_head_depth=3,
            iou_head_hidden_dim=config.decoder_width,
        ),
        pixel_mean=_PIXEL_MEAN,
        pixel_std=_PIXEL_STD,
    )


def load_starter_clip(folder: Path, device: str | torch.device = "cpu") -> CLIP:
    """Load the starter CLIP through open_clip.

    Args:
        folder: holds starter-clip.json and starter-clip.safetensors.
        device: where the model goes.

    Returns:
        The model in float32, in eval mode.

    Raises:
        CheckpointError: a file is missing, damaged or does not fit.
    """
    config, weights = folder / CLIP_CONFIG_FILE, folder / CLIP_WEIGHTS_FILE
    for path in (config, weights):
        if not path.is_file():
            raise CheckpointError(path, "the file is missing")
    try:
        open_clip.add_model_config(config)
        with WeightsFromFile():
            model = open_clip.create_model(
                CLIP_NAME, pretrained=str(weights), precision="fp32", device=device
            )
    except (SafetensorError, RuntimeError, ValueError, KeyError, OSError) as exc:
        raise CheckpointError(weights, f"it is no starter CLIP ({exc})") from exc
    if not isinstance(model, CLIP):
        raise CheckpointError(config, "it does not describe a CLIP")
    return model.eval()


def load_starter_sam(place: Path, device: str | torch.device = "cpu") -> Sam:
    """Load the starter SAM, whatever its size.

    Args:
        place: the .safetensors file, or a folder that holds starter-sam.safetensors.
        device: where the model goes.

    Returns:
        The model in float32, in eval mode.

    Raises:
        CheckpointError: the file is missing, damaged or does not fit.
    """
    config, state = read_starter_sam(place)
    try:
        with WeightsFromFile():
            sam = build_sam(config)
        sam.load_state_dict(state, strict=True)
    except (RuntimeError, ValueError, TypeError) as exc:
        raise CheckpointError(_sam_file(place), f"it is no starter SAM ({exc})") from exc
    return cast(Sam, sam.to(device).eval())


def read_starter_sam(place: Path) -> tuple[SamConfig, dict[str, torch.Tensor]]:
    """Return a starter SAM's sizes and its weights in float32; place as for load_starter_sam.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    path = _sam_file(place)
    metadata = _read_metadata(path)
    try:
        # Files from before these were there do without.
        without = {"refine": (), "detail": False, "sharp": False, "top_down": False, "positions": 0}
        sizes = without | json.loads(metadata["config"])
        sizes["stem"], sizes["refine"] = tuple(sizes["stem"]), tuple(sizes["refine"])
        return SamConfig(**sizes), {name: t.float() for name, t in load_file(path).items()}
    except (SafetensorError, ValueError, KeyError, TypeError, OSError) as exc:
        raise CheckpointError(path, f"it is no starter SAM ({exc})") from exc


def load_mask_thresholds(place: Path) -> MaskThresholds:
    """Return the thresholds that suit a starter SAM; place as for load_starter_sam.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    path = _sam_file(place)
    try:
        return MaskThresholds(**json.loads(_read_metadata(path)["thresholds"]))
    except (KeyError, TypeError, ValueError) as exc:
        raise CheckpointError(path, f"it has no thresholds ({exc})") from exc


def _sam_file(place: Path) -> Path:
    return place if place.suffix == ".safetensors" else place / SAM_WEIGHTS_FILE


def _read_metadata(path: Path) -> dict[str, str]:
    """Return the metadata in a safetensors file's header, without reading its tensors."""
    if not path.is_file():
        raise CheckpointError(path, "the file is missing")
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > path.stat().st_size:
                raise ValueError("its header is cut")
            header = json.loads(file.read(length))
        return dict(header.get("__metadata__", {}))
    except (OSError, ValueError, struct.error) as exc:
        raise CheckpointError(path, f"it is damaged ({exc})") from exc
