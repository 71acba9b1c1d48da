"""Another architecture is one file and one line of the registry."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from src.config import STARTER_FOLDER
from src.errors import CheckpointError
from src.models.mask_generator import MaskGenerator
from src.models.model_manager import ModelManager
from src.starter.evaluate import iou
from tests.models.made_up_segmenters import BRIGHTNESS_SAM, added, picture


@pytest.fixture
def brightness(tmp_path: Path) -> Iterator[ModuleType]:
    """A module of somebody's, and its line of the registry."""
    with added(BRIGHTNESS_SAM, tmp_path) as module:
        yield module


def test_a_segmenter_of_somebodys_is_found_by_its_weights(
    tmp_path: Path, brightness: ModuleType
) -> None:
    weights = tmp_path / "any name.pth"
    torch.save({"reach": torch.tensor([20.0])}, weights)
    segmenter = ModelManager(tmp_path, device="cpu").load_sam(weights, points_per_side=4)
    assert segmenter.label == "brightness"
    records = segmenter.generate(picture())
    boxes = sorted(record["bbox"] for record in records)
    np.testing.assert_allclose(boxes, [[0, 0, 120, 90], [30, 20, 50, 50]], atol=2)
    with segmenter.session(picture()) as session:
        session.add_point(50, 40)
        assert iou(session.mask(), picture()[..., 0] > 100) > 0.9


def test_it_is_found_in_the_models_folder_and_is_no_clip(
    tmp_path: Path, brightness: ModuleType
) -> None:
    shutil.copytree(STARTER_FOLDER, tmp_path / "starter")
    weights = tmp_path / "brightness-1.pth"
    torch.save({"reach": torch.tensor([20.0])}, weights)
    manager = ModelManager(tmp_path, device="cpu")
    assert [file.path for file in manager.available("sam")] == [
        weights,
        tmp_path / "starter" / "starter-sam.safetensors",
    ]
    assert weights not in [file.path for file in manager.available("clip")]
    assert manager.load_sam().label == "brightness" and manager.sam_in_use == weights
    assert manager.problems == []


def test_weights_that_are_not_whole_are_passed_over(tmp_path: Path, brightness: ModuleType) -> None:
    shutil.copytree(STARTER_FOLDER, tmp_path / "starter")
    torch.save({"reach": torch.zeros(2)}, tmp_path / "brightness-1.pth")
    manager = ModelManager(tmp_path, device="cpu")
    assert manager.load_sam().label == "starter SAM"
    assert "not a whole brightness model" in str(manager.problems[0])


def test_the_starter_sam_is_told_by_its_weights(tmp_path: Path) -> None:
    path = tmp_path / "renamed.safetensors"
    shutil.copy(STARTER_FOLDER / "starter-sam.safetensors", path)
    manager = ModelManager(tmp_path, device="cpu")
    named, bundled = manager.load_sam(path), ModelManager(device="cpu").load_starter_sam()
    assert (named.label, named.name) == (bundled.label, bundled.name)
    assert isinstance(named, MaskGenerator) and isinstance(bundled, MaskGenerator)
    assert named.pred_iou_thresh == bundled.pred_iou_thresh


def test_what_no_kind_knows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "reach.pth"
    torch.save({"reach": torch.tensor([20.0])}, path)
    with pytest.raises(CheckpointError, match="not a SAM checkpoint"):
        ModelManager(tmp_path, device="cpu").load_sam(path)
