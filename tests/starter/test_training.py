import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from src.models.starter.architecture import (
    SAM_WEIGHTS_FILE,
    ClipConfig,
    MaskThresholds,
    SamConfig,
    build_sam,
    load_mask_thresholds,
    load_starter_clip,
    load_starter_sam,
    read_starter_sam,
    save_starter_sam,
)
from src.models.starter.vocabulary import COLOURS, SHAPES, WORDS
from src.starter.crops import COLOUR, FACTS, NONE, SCENE, SHAPE, UNKNOWN, draw_crops
from src.starter.train import main
from src.starter.train_clip import (
    SINGLE_WORDS,
    alike_table,
    caption_weights,
    contrastive_loss,
    phrase,
    sample_captions,
    train_clip,
    truth_table,
)
from src.starter.train_sam import train_sam
from src.starter.training import TrainOptions

TINY_CLIP = ClipConfig(image_size=32, width=16, layers=(1, 1, 1, 1), text_width=32, text_layers=1)
TINY_SAM = SamConfig(
    image_size=64,
    width=16,
    depth=1,
    heads=2,
    decoder_width=32,
    decoder_mlp=32,
    stem=(4, 8, 8),
    positions=3,
)


def options(folder: Path, steps: int) -> TrainOptions:
    return TrainOptions(output=folder / "out", work=folder / "work", steps=steps, workers=0)


def test_clip_trains_resumes_and_loads(tmp_path: Path) -> None:
    train_clip(options(tmp_path, 2), TINY_CLIP, crops=8, kept=8, kept_found=4)
    checkpoint = tmp_path / "work" / "clip.pt"
    assert torch.load(checkpoint, weights_only=True)["step"] == 2
    train_clip(options(tmp_path, 3), TINY_CLIP, crops=8, kept=8, kept_found=4)
    assert torch.load(checkpoint, weights_only=True)["step"] == 3
    model = load_starter_clip(tmp_path / "out")
    assert model.encode_image(torch.zeros(1, 3, 32, 32)).shape == (1, 512)


def train_tiny_sam(options: TrainOptions, size: int = 64, calibration: int = 0) -> None:
    config = replace(TINY_SAM, image_size=size, positions=size // 24)
    train_sam(options, config, sizes=(48, 64), pictures=2, kept=4, rated=2, calibration=calibration)


def test_sam_trains_resumes_and_loads(tmp_path: Path) -> None:
    train_tiny_sam(options(tmp_path, 2))
    train_tiny_sam(options(tmp_path, 3), calibration=1)
    for name in ("sam-first", "sam"):
        checkpoint = tmp_path / "work" / f"{name}.pt"
        assert torch.load(checkpoint, weights_only=True)["step"] == 3
    sam = load_starter_sam(tmp_path / "out")
    assert sam.image_encoder.img_size == 64
    assert 0 < load_mask_thresholds(tmp_path / "out").pred_iou_thresh < 1


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    states = []
    for name in ("first", "second"):
        folder = tmp_path / name
        train_tiny_sam(options(folder, 2))
        states.append(torch.load(folder / "work" / "sam.pt", weights_only=True)["model"])
    assert all(torch.allclose(states[0][key], states[1][key], atol=1e-5) for key in states[0])


def test_sam_starts_from_weights_of_another_size(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    train_tiny_sam(options(first, 1))
    train_tiny_sam(replace(options(second, 1), start=first / "out"), size=144)
    before, after = (read_starter_sam(folder / "out")[1] for folder in (first, second))
    positions = "image_encoder.pos_embed"
    assert before.pop(positions).shape == (1, 2, 2, 16)
    assert after.pop(positions).shape == (1, 6, 6, 16)
    # One step and the rating move them a little.
    learned = [name for name in before if name.endswith(("weight", "bias"))]
    assert all(torch.allclose(before[name], after[name], atol=5e-3) for name in learned)
    assert not (second / "work" / "sam-first.pt").exists()


def test_what_weights_lack_is_added_without_a_change(tmp_path: Path) -> None:
    """A SAM of before stems were refined is where one with a refined stem begins."""
    plain = replace(TINY_SAM, refine=(), detail=False, sharp=False, top_down=False, positions=0)
    sam = build_sam(plain).eval()
    save_starter_sam(sam.state_dict(), plain, MaskThresholds(), tmp_path)
    config, state = read_starter_sam(tmp_path)
    assert config == plain
    grown = build_sam(replace(TINY_SAM, positions=0)).eval()
    grown.load_state_dict({**grown.state_dict(), **state})
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        before = load_starter_sam(tmp_path).image_encoder(images)
        after, *details = grown.mask_decoder.split(grown.image_encoder(images))
    assert torch.equal(after, before)
    assert not any(detail.any() for detail in details)
    train_tiny_sam(replace(options(tmp_path / "more", 2), start=tmp_path))
    config, state = read_starter_sam(tmp_path / "more" / "out")
    assert (config.refine, config.detail) == (TINY_SAM.refine, True)
    assert (config.sharp, config.top_down) == (True, True)
    assert state["image_encoder.detail.0.weight"].abs().max() > 0
    assert state["image_encoder.sharp.1.weight"].abs().max() > 0
    assert state["image_encoder.led_back.1.weight"].abs().max() > 0


def test_a_file_from_before_says_nothing_of_what_was_added(tmp_path: Path) -> None:
    plain = replace(TINY_SAM, refine=(), detail=False, sharp=False, top_down=False, positions=0)
    save_starter_sam(build_sam(plain).state_dict(), plain, MaskThresholds(), tmp_path)
    path = tmp_path / SAM_WEIGHTS_FILE
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    sizes = json.loads(metadata["config"])
    del sizes["refine"], sizes["detail"], sizes["sharp"]
    del sizes["top_down"], sizes["positions"]
    save_file(load_file(path), path, metadata={**metadata, "config": json.dumps(sizes)})
    assert read_starter_sam(tmp_path)[0] == plain
    load_starter_sam(tmp_path)


def test_missing_weights_to_start_from_are_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--only", "sam", "--start", str(tmp_path), "--output", str(tmp_path / "out")])
    assert ended.value.code == 2


def test_a_wrong_argument_is_a_usage_error() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--only", "llm"])
    assert ended.value.code == 2


def test_crops_repeat_and_carry_facts() -> None:
    for index in range(6):
        first, second = draw_crops(1, index, 48), draw_crops(1, index, 48)
        assert np.array_equal(first.images, second.images)
        assert first.images.shape[1:] == (48, 48, 3)
        assert first.facts.shape == (len(first.images), FACTS)


def test_captions_are_true_of_their_crops() -> None:
    rng = np.random.default_rng(0)
    facts = np.concatenate([draw_crops(2, index, 32).facts for index in range(12)])
    captions = sample_captions(rng, facts)
    truth = truth_table(facts, captions)
    said = truth[:, len(SINGLE_WORDS) :]
    assert (said == 1).any(axis=0).all()
    for caption in captions:
        assert set(phrase(rng, caption).split()) <= set(WORDS)
    assert (caption_weights(captions) >= 1).all()


def test_truth_has_three_answers() -> None:
    fact = np.full((1, FACTS), UNKNOWN, np.int8)
    fact[0, SCENE:] = 0
    fact[0, COLOUR], fact[0, SHAPE] = COLOURS.index("red"), NONE
    asked = np.full((3, FACTS), UNKNOWN, np.int8)
    asked[0, COLOUR] = COLOURS.index("red")
    asked[1, SHAPE] = SHAPES.index("circle")
    asked[2, 2] = 1
    assert truth_table(fact, asked).tolist() == [[1, 0, -1]]


def test_clip_starts_from_weights(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    train_clip(options(first, 1), TINY_CLIP, crops=8, kept=8, kept_found=4)
    train_clip(
        replace(options(second, 1), start=first / "out"), TINY_CLIP, crops=8, kept=8, kept_found=4
    )
    before = load_starter_clip(first / "out").state_dict()
    after = load_starter_clip(second / "out").state_dict()
    learned = [name for name in before if name.endswith("weight")]
    assert all(torch.allclose(before[name], after[name], atol=5e-3) for name in learned)


def test_alike_is_what_shares_colour_and_shape() -> None:
    facts = np.full((5, FACTS), UNKNOWN, np.int8)
    red, blue = COLOURS.index("red"), COLOURS.index("blue")
    star, ring = SHAPES.index("star"), SHAPES.index("ring")
    facts[:, COLOUR] = red, red, blue, red, UNKNOWN
    facts[:, SHAPE] = star, star, star, NONE, ring
    assert alike_table(facts).tolist() == [
        [-1, 1, 0, 0, 0],
        [1, -1, 0, 0, 0],
        [0, 0, -1, 0, 0],
        [0, 0, 0, -1, 0],
        [0, 0, 0, 0, -1],
    ]
    facts[:, SHAPE] = UNKNOWN
    assert (alike_table(facts)[:2, :2] == -1).all()


def test_the_loss_falls_when_true_pairs_agree() -> None:
    truth = torch.tensor([[1, 0, -1], [0, 1, 1]])
    weights = torch.ones(3)
    good = contrastive_loss(torch.tensor([[9.0, -9, 0], [-9, 9, 9]]), truth, weights)
    bad = contrastive_loss(torch.tensor([[-9.0, 9, 0], [9, -9, -9]]), truth, weights)
    assert float(good) < 0.01 < 5 < float(bad)
