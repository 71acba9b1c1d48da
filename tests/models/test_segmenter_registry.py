"""Another architecture is one file and one line of the registry."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from src.config import STARTER_FOLDER
from src.errors import CheckpointError
from src.models.model_manager import ModelManager
from src.models.segmenter_registry import KINDS
from src.starter.evaluate import iou

# Cuts everything that is as bright as the place clicked, within a reach that its weights tell.
BRIGHTNESS_SAM = '''
"""The smallest segmenter: what is as bright as the place that was clicked."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from src.errors import CheckpointError
from src.models.mask_generator import MaskGenerator
from src.models.mask_sizes import Sizes
from src.models.segmenter import MaskPredictions
from src.models.segmenter_kind import SegmenterKind

SIDE = 64


@dataclass(frozen=True)
class BrightnessEmbedding:
    sizes: Sizes
    grey: np.ndarray
    most_at_once: int = 16


class Reach(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.reach = torch.nn.Parameter(torch.zeros(1))


class BrightnessModel:
    def __init__(self, module):
        self.module, self.device = module, torch.device("cpu")

    def sizes(self, image_wh):
        return Sizes.in_square(4 * SIDE, 4, image_wh)

    def embed(self, image_rgb):
        sizes = self.sizes((image_rgb.shape[1], image_rgb.shape[0]))
        grey = cv2.resize(cv2.cvtColor(image_rgb, cv2.COLOR_RGB2GRAY), sizes.logits_wh)
        return BrightnessEmbedding(sizes, grey.astype(np.float32))

    def decode(self, embedding, prompts, *, multimask=True, min_iou=None, padding=True):
        sizes, grey, reach = embedding.sizes, embedding.grey, float(self.module.reach)
        logits = []
        for points in prompts.points_xy:
            x, y = (points[0] * sizes.input_scale_xy / sizes.pixel).astype(int)
            mask = reach - np.abs(grey - grey[y, x])
            logits.append(torch.from_numpy(mask))
        found = torch.stack(logits)
        ious = torch.full((len(found),), 0.99)
        return MaskPredictions(found, ious, torch.arange(len(found)), sizes)


def load(state, path, device, options):
    module = Reach()
    try:
        module.load_state_dict(state)
    except RuntimeError as exc:
        raise CheckpointError(path, "not a whole brightness model") from exc
    return MaskGenerator(BrightnessModel(module), label="brightness", name="brightness", **options)


BRIGHTNESS = SegmenterKind(
    "brightness*.pth", lambda state: "brightness" if "reach" in state else None, load
)
'''


@pytest.fixture
def brightness(tmp_path: Path) -> Iterator[ModuleType]:
    """A module of somebody's, and its line of the registry."""
    path = tmp_path / "brightness_sam.py"
    path.write_text(BRIGHTNESS_SAM)
    spec = importlib.util.spec_from_file_location("brightness_sam", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["brightness_sam"] = module
    spec.loader.exec_module(module)
    KINDS.append(module.BRIGHTNESS)
    yield module
    KINDS.remove(module.BRIGHTNESS)
    del sys.modules["brightness_sam"]


def picture() -> np.ndarray:
    image = np.full((90, 120, 3), 40, np.uint8)
    image[20:70, 30:80] = 220
    return image


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
    assert named.pred_iou_thresh == bundled.pred_iou_thresh


def test_what_no_kind_knows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "reach.pth"
    torch.save({"reach": torch.tensor([20.0])}, path)
    with pytest.raises(CheckpointError, match="not a SAM checkpoint"):
        ModelManager(tmp_path, device="cpu").load_sam(path)
