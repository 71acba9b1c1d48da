"""CLIPs of every kind, told apart, used or refused with the true reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch

from src.errors import CheckpointError
from src.models.clip_architecture import clip_architecture, normalisation
from src.models.model_manager import ModelManager
from src.models.weights_from_file import WeightsFromFile

# Random weights of 512 dimensions in architectures whose image towers are timm's.
TIMM = ("convnext_base", "EVA02-B-16", "MobileCLIP-S1")


def shapes_of(name: str) -> dict[str, torch.Tensor]:
    with torch.device("meta"), WeightsFromFile():
        model = open_clip.create_model(name, load_weights=False, device="meta")
    state: dict[str, torch.Tensor] = model.state_dict()
    return state


def is_open_clips_own(name: str) -> bool:
    text = open_clip.get_model_config(name)["text_cfg"]
    return not {"hf_model_name", "hf_tokenizer_name"} & text.keys()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name == "MobileCLIP-S1" else pytest.mark.slow)
        for name in TIMM
    ],
)
def test_a_clip_with_a_tower_of_timms_is_used(name: str, tmp_path: Path) -> None:
    model = open_clip.create_model(name, load_weights=False).eval()
    path = tmp_path / f"{name}.pt"
    torch.save(model.state_dict(), path)
    clip = ModelManager(tmp_path, device="cpu").load_clip(path)
    path.unlink()
    assert clip.label == f"CLIP {name}"
    noise = np.random.default_rng(0).integers(0, 255, (clip.image_size,) * 2 + (3,), np.uint8)
    mean, std = normalisation(name)
    pixels = torch.from_numpy((noise / 255 - mean) / std).to(torch.float32)
    tokens = open_clip.get_tokenizer(name)(["a red truck"])
    with torch.inference_mode():
        image = model.encode_image(pixels.permute(2, 0, 1)[None], normalize=True).numpy()
        text = model.encode_text(tokens, normalize=True).numpy()
    np.testing.assert_allclose(clip.encode_image([noise]), image, atol=1e-4)
    np.testing.assert_allclose(clip.encode_text(["a red truck"]), text, atol=1e-4)


def test_mobile_clips_see_their_images_as_they_were_trained() -> None:
    assert normalisation("MobileCLIP-S1") == ((0, 0, 0), (1, 1, 1))
    assert normalisation("PE-Core-T-16-384") == ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    assert normalisation("ViT-B-32")[0] == pytest.approx((0.481, 0.458, 0.408), abs=1e-3)
    assert normalisation("ViT-M-16") == normalisation("ViT-B-32")  # of which nothing is published


def test_every_published_clip_of_512_dimensions_has_one_normalisation() -> None:
    for name in open_clip.list_models():
        if open_clip.get_model_config(name)["embed_dim"] != 512:
            continue
        tags = open_clip.list_pretrained_tags_by_model(name)
        configs = [open_clip.get_pretrained_cfg(name, tag) for tag in tags]
        found = {(tuple(config["mean"]), tuple(config["std"])) for config in configs}
        assert found <= {normalisation(name)}, name


@pytest.mark.parametrize("name", ["convnext_base", "EVA02-B-16", "RN101", "coca_ViT-B-32"])
def test_an_architecture_is_told_by_the_shapes_alone(name: str) -> None:
    assert clip_architecture(shapes_of(name), Path("weights.safetensors")) == name


@pytest.mark.slow
def test_each_architecture_of_512_dimensions_is_told_by_its_file_name() -> None:
    told = 0
    for name in open_clip.list_models():
        if open_clip.get_model_config(name)["embed_dim"] == 512 and is_open_clips_own(name):
            assert clip_architecture(shapes_of(name), Path(f"{name}.safetensors")) == name
            told += 1
    assert told > 20


@pytest.mark.parametrize(
    ("name", "dimensions"),
    [("ViT-L-14", "768"), ("RN50", "1,024"), ("ViT-B-16-SigLIP", "768"), ("ViT-S-16", "384")],
)
def test_a_clip_of_another_size_is_refused_with_its_number(name: str, dimensions: str) -> None:
    said = f"a CLIP of {dimensions} dimensions, and a library keeps 512"
    with pytest.raises(CheckpointError, match=said):
        clip_architecture(shapes_of(name), Path("weights.safetensors"))


HUGGING_FACE = {
    "text.transformer.embeddings.word_embeddings.weight": (50265, 768),
    "text.proj.0.weight": (640, 768),
    "text.proj.2.weight": (512, 640),
    "visual.proj": (768, 512),
    "visual.conv1.weight": (768, 3, 32, 32),
}
IN_ITS_OWN_FORMAT = {
    "text_model.embeddings.token_embedding.weight": (49408, 512),
    "vision_model.embeddings.patch_embedding.weight": (768, 3, 32, 32),
    "text_projection.weight": (512, 512),
}


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        (HUGGING_FACE, "its text model is one of Hugging Face's"),
        (IN_ITS_OWN_FORMAT, "another program's format; get the file for open_clip"),
        ({"image_encoder.model.stem.weight": (3, 3)}, "another program's format"),
        ({"image_encoder.pos_embed": (1, 64, 64, 768)}, "a SAM, and no CLIP"),
        ({"layer.weight": (3, 3)}, "not the weights of a CLIP"),
        ({"text_projection": (512, 512)}, "not the weights of a CLIP"),
        ({"visual.proj": (512, 512)}, "knows no CLIP of 512 dimensions"),
        ({"visual.proj": (768, 768), "text_projection": (512, 512)}, "knows no CLIP of 512"),
        ({"visual.proj": ()}, "not the weights of a CLIP"),
    ],
)
def test_what_is_no_clip_of_ours_is_refused_with_the_true_reason(
    shapes: dict[str, tuple[int, ...]], said: str
) -> None:
    state = {key: torch.empty(shape, device="meta") for key, shape in shapes.items()}
    with pytest.raises(CheckpointError, match=said):
        clip_architecture(state, Path("weights.safetensors"))


def test_an_archive_of_torchscript_is_no_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "ViT-B-32.pt"  # what OpenAI has published
    torch.jit.script(torch.nn.Linear(2, 2)).save(path)
    with pytest.raises(CheckpointError, match="a TorchScript archive"):
        ModelManager(tmp_path, device="cpu").load_clip(path)
