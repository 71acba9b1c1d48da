"""Segmenters in modules of their own, as somebody writes them who adds one."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import numpy as np

from src.models.segmenter_registry import KINDS

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


ADDED = SegmenterKind(
    "brightness*.pth", lambda state: "brightness" if "reach" in state else None, load
)
'''

# Answers to the whole protocol by itself: no torch, no grid of clicks. It cuts what is brighter
# than its weights tell, each part by itself.
PARTS = '''
"""The smallest segmenter that uses nothing of ours."""

import time
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from src.models.click_session import ClickSession
from src.models.mask_rle import in_form
from src.models.mask_sizes import Sizes
from src.models.segmenter import MaskPredictions
from src.models.segmenter_kind import SegmenterKind
from src.models.stopping import ask


@dataclass(frozen=True)
class Parts:
    sizes: Sizes
    numbers: np.ndarray
    count: int
    most_at_once: int = 16


class BrightParts:
    name, label = "parts@1", "bright parts"

    def __init__(self, threshold):
        self.threshold = threshold

    def embed(self, image_rgb):
        sizes = Sizes.in_square(256, 1, (image_rgb.shape[1], image_rgb.shape[0]))
        grey = cv2.resize(cv2.cvtColor(image_rgb, cv2.COLOR_RGB2GRAY), sizes.logits_wh)
        bright = (grey > self.threshold).view(np.uint8)
        count, numbers = cv2.connectedComponents(bright)
        return Parts(sizes, numbers, count)

    def decode(self, embedding, prompts, *, multimask=True, min_iou=None, padding=True):
        chosen = []
        for points in prompts.points_xy:
            x, y = (points[-1] * embedding.sizes.input_scale_xy).astype(int)
            chosen.append(self._logits(embedding, embedding.numbers[y, x]))
        ious = torch.ones(len(chosen))
        return MaskPredictions(
            torch.stack(chosen), ious, torch.arange(len(chosen)), embedding.sizes
        )

    def _logits(self, embedding, number):
        return torch.from_numpy(np.where(embedding.numbers == number, 1, -1).astype(np.float32))

    def masks(self, image_rgb, go_on=None):
        embedding = self.embed(image_rgb)
        for number in range(1, embedding.count):
            if go_on is not None:
                ask(go_on)
            mask = embedding.sizes.at_image(self._logits(embedding, number).numpy())
            yield {"segmentation": mask, "predicted_iou": 0.9, "stability_score": 0.8}

    def generate(self, image_rgb, output_mode=None):
        return [
            {**record, "segmentation": in_form(record["segmentation"], output_mode or "coco_rle")}
            for record in self.masks(image_rgb)
        ]

    def session(self, image_rgb):
        return ClickSession(self, image_rgb)


ADDED = SegmenterKind(
    "parts*.pth",
    lambda state: "parts" if "threshold" in state else None,
    lambda state, path, device, options: BrightParts(float(state["threshold"])),
)
'''


@contextmanager
def added(source: str, folder: Path) -> Iterator[ModuleType]:
    """Write a module of somebody's, and add its line to the registry for a while."""
    path = folder / "somebodys_segmenter.py"
    path.write_text(source)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    KINDS.append(module.ADDED)
    try:
        yield module
    finally:
        KINDS.remove(module.ADDED)
        del sys.modules[path.stem]


def picture() -> np.ndarray:
    """A bright square of 50 x 50 pixels at (30, 20) on dark ground: (90, 120, 3) uint8."""
    image = np.full((90, 120, 3), 40, np.uint8)
    image[20:70, 30:80] = 220
    return image
