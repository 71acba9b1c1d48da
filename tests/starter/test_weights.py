"""The bundled weights themselves."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import ImageColor

from src.config import STARTER_FOLDER
from src.errors import CheckpointError
from src.models.starter.architecture import (
    CLIP_CONFIG_FILE,
    CLIP_WEIGHTS_FILE,
    EMBEDDING_SIZE,
    SAM_WEIGHTS_FILE,
    MaskThresholds,
    SamConfig,
    load_mask_thresholds,
    load_starter_clip,
    load_starter_sam,
)
from src.models.starter.vocabulary import COLOURS
from src.processing.crop import blur, cut_crop
from src.starter.evaluate import (
    StarterModels,
    fresh_scenes,
    measure_alike,
    measure_clicks,
    measure_everything,
    measure_unknown_words,
    measure_words,
)
from src.starter.saving import save_starter_sam
from src.starter.scenes import Scene


@pytest.fixture(scope="module")
def models() -> StarterModels:
    return StarterModels.load(STARTER_FOLDER)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return fresh_scenes(40, seed=5)


def test_both_files_fit_into_16_megabytes() -> None:
    files = (CLIP_CONFIG_FILE, CLIP_WEIGHTS_FILE, SAM_WEIGHTS_FILE)
    assert sum((STARTER_FOLDER / name).stat().st_size for name in files) < 16_000_000


def test_embeddings_are_512_unit_vectors(models: StarterModels) -> None:
    seen = models.clip.encode_image([np.zeros((40, 70, 3), np.uint8)])
    read = models.clip.encode_text(["a red circle", "something green"])
    assert seen.shape == (1, EMBEDDING_SIZE)
    assert np.allclose(np.linalg.norm(np.concatenate([seen, read]), axis=1), 1, atol=1e-4)
    assert {p.dtype for p in models.clip.model.parameters()} == {torch.float32}


def test_words_are_seen(models: StarterModels, scenes: list[Scene]) -> None:
    colour, shape, texture, precision = measure_words(models.clip, scenes[:14])
    assert colour.value >= 0.93
    assert shape.value >= 0.92
    assert texture.value >= 0.94
    assert precision.value >= 0.92


def test_well_known_colours_of_screens_have_their_names(models: StarterModels) -> None:
    known = {
        "red": "#ff0000 #dc143c #b22222 #8b0000",
        "orange": "#ffa500 #ff8c00 #ff7f0e",
        "yellow": "#ffff00 #ffd700",
        "green": "#008000 #00ff00 #228b22 #2e8b57",
        "cyan": "#00ffff #40e0d0 #17becf",
        "blue": "#0000ff #000080 #4169e1 #1e90ff",
        "purple": "#800080 #9400d3 #8a2be2",
        "pink": "#ffc0cb #ff69b4 #ff1493",
        "brown": "#8b4513 #964b00 #a0522d #654321 #9a6324",
        "black": "#000000 #141414",
        "white": "#ffffff #f5f5f5",
        "gray": "#808080 #696969 #a9a9a9",
    }
    cases = [
        (name, code, ground)
        for name, codes in known.items()
        for code in codes.split()
        for ground in (70, 150, 215)
    ]
    ys, xs = np.mgrid[:120, :160]
    disc = np.hypot(xs - 80, ys - 60) < 40
    crops = []
    for _, code, ground in cases:
        picture = np.full((120, 160, 3), ground, np.uint8)
        picture[disc] = ImageColor.getrgb(code)
        crops.append(cut_crop(picture, blur(picture), disc, (41, 21, 79, 79)))
    asked = models.clip.encode_text([f"something {name}" for name in COLOURS])
    named = (models.clip.encode_image(crops) @ asked.T).argmax(axis=1)
    told = [(*case, COLOURS[index]) for case, index in zip(cases, named, strict=True)]
    assert [case for case in told if case[0] != case[-1]] == []


def test_what_looks_alike_lies_near(models: StarterModels, scenes: list[Scene]) -> None:
    assert measure_alike(models.clip, scenes).value >= 0.88


@pytest.mark.parametrize("count", [4, pytest.param(10, marks=pytest.mark.slow)])
def test_a_click_finds_a_shape(models: StarterModels, scenes: list[Scene], count: int) -> None:
    cut, preferred, best = measure_clicks(models.mask_generator(), scenes[:count])
    assert preferred.value >= 0.75
    assert best.value >= preferred.value
    assert cut.value >= max(0.82, preferred.value + 0.02)


@pytest.mark.parametrize("count", [2, pytest.param(5, marks=pytest.mark.slow)])
def test_everything_mode_finds_most_shapes(
    models: StarterModels, scenes: list[Scene], count: int
) -> None:
    recall, spurious, _ = measure_everything(models.mask_generator(), scenes[:count])
    assert recall.value >= 0.9
    assert spurious.value <= 0.2


def test_unknown_words_are_recognised() -> None:
    assert measure_unknown_words().value == 1.0


def test_sizes_that_contradict_each_other_are_a_checkpoint_error(tmp_path: Path) -> None:
    save_starter_sam({}, SamConfig(sharp=False, top_down=True), MaskThresholds(), tmp_path)
    with pytest.raises(CheckpointError, match="top_down needs sharp"):
        load_starter_sam(tmp_path)


def test_missing_and_damaged_files_are_checkpoint_errors(tmp_path: Path) -> None:
    for load in (load_starter_clip, load_starter_sam, load_mask_thresholds):
        with pytest.raises(CheckpointError):
            load(tmp_path)
    (tmp_path / CLIP_CONFIG_FILE).write_text((STARTER_FOLDER / CLIP_CONFIG_FILE).read_text())
    for name in (CLIP_WEIGHTS_FILE, SAM_WEIGHTS_FILE):
        (tmp_path / name).write_bytes((STARTER_FOLDER / name).read_bytes()[:50_000])
    for load in (load_starter_clip, load_starter_sam):
        with pytest.raises(CheckpointError):
            load(tmp_path)
