"""Masks finished all at once on their device are those that are finished one by one."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from pycocotools import mask as coco_mask

from src.models import device, device_finishing, device_masks
from src.models.click_grid import Quality
from src.models.mask_generator import MaskGenerator
from src.models.segmenter import ImageEmbedding, MaskPredictions, PromptableModel, Prompts
from src.starter.scenes import draw_scene

Records = list[list[dict[str, Any]]]


class Recalling:
    """A SAM that looks at a picture once, and decodes the same clicks on it once."""

    def __init__(self, model: PromptableModel) -> None:
        self.module, self.device, self.sizes = model.module, model.device, model.sizes
        self._model = model
        self._embeddings: dict[bytes, ImageEmbedding] = {}
        self._decoded: dict[object, MaskPredictions] = {}

    def embed(self, image_rgb: np.ndarray) -> ImageEmbedding:
        key = image_rgb.tobytes()
        if key not in self._embeddings:
            self._embeddings[key] = self._model.embed(image_rgb)
        return self._embeddings[key]

    def decode(self, embedding: Any, prompts: Prompts, **how: Any) -> MaskPredictions:
        assert prompts.points_xy is not None
        key = id(embedding), prompts.points_xy.tobytes(), *sorted(how.items())
        if key not in self._decoded:
            self._decoded[key] = self._model.decode(embedding, prompts, **how)
        return self._decoded[key]


@pytest.fixture(scope="module")
def sam(mask_generator: MaskGenerator) -> Recalling:
    return Recalling(mask_generator.model)


@pytest.fixture
def starter(mask_generator: MaskGenerator, sam: Recalling) -> MaskGenerator:
    """The starter's, as it is used."""
    assert mask_generator.fit_edges and mask_generator.speck_share > 0
    generator = copy.copy(mask_generator)
    generator.model, generator.points_per_side = sam, 8
    return generator


@pytest.fixture(scope="module")
def pictures(scene_files: list[Path]) -> list[np.ndarray]:
    """One smaller than SAM's input, and one larger, at whose size masks are measured then."""
    large = draw_scene(np.random.default_rng([9, 1]), (688, 400), count=9).image_rgb
    return [np.asarray(Image.open(scene_files[0]).convert("RGB")), large]


def both(
    generator: MaskGenerator, pictures: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> tuple[Records, Records]:
    """Masks finished one by one, and all at once."""
    found = []
    for batched in (False, True):
        monkeypatch.setattr(generator, "batched", batched)
        found.append([generator.generate(picture, "coco_rle") for picture in pictures])
    return found[0], found[1]


def assert_alike(ones: Records, others: Records) -> None:
    counts = sum(map(len, ones)), sum(map(len, others))
    assert min(counts) > 0 and abs(counts[0] - counts[1]) <= max(1, 0.01 * counts[0])
    likeness, stability = [], []
    for one, other in zip(ones, others, strict=True):
        rles = [[record["segmentation"] for record in records] for records in (one, other)]
        ious = coco_mask.iou(*rles, [0] * len(other))
        likeness += ious.max(axis=1).tolist()
        for record, best in zip(one, ious.argmax(axis=1), strict=True):
            stability.append(abs(record["stability_score"] - other[best]["stability_score"]))
    assert np.mean(likeness) >= 0.999 and np.mean(np.array(likeness) >= 0.98) >= 0.99
    assert np.median(stability) < 1e-3 and np.mean(np.array(stability) < 1e-3) >= 0.99


def test_the_starters_masks_are_the_same(
    starter: MaskGenerator, pictures: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_alike(*both(starter, pictures, monkeypatch))


@pytest.mark.parametrize("fit_edges", [False, True])
def test_exact_masks_are_the_same(
    starter: MaskGenerator,
    sam: Recalling,
    pictures: list[np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
    fit_edges: bool,
) -> None:
    generator = MaskGenerator(
        sam,
        points_per_side=6,
        pred_iou_thresh=starter.pred_iou_thresh,
        stability_score_thresh=starter.stability_score_thresh,
        mask_nms_thresh=0.8 if fit_edges else 1.0,
        min_mask_region_area=0 if fit_edges else 30,
        fit_edges=fit_edges,
    )
    assert_alike(*both(generator, pictures, monkeypatch))


def test_little_memory_makes_parts_and_no_difference(
    starter: MaskGenerator, pictures: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    starter.batched = True
    whole = starter.generate(pictures[0], "coco_rle")
    for module in (device_finishing, device_masks):
        monkeypatch.setattr(module, "bytes_at_once", lambda _device: 1)
    assert starter.generate(pictures[0], "coco_rle") == whole


def test_memory_that_runs_out_at_the_end_leaves_no_mask_out(
    starter: MaskGenerator, pictures: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    starter.batched = True
    whole = starter.generate(pictures[0], "coco_rle")
    runs = device_finishing.column_runs

    def small_memory(inside: torch.Tensor) -> Any:
        if len(inside) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return runs(inside)

    monkeypatch.setattr(device_finishing, "column_runs", small_memory)
    assert starter.generate(pictures[0], "coco_rle") == whole


def test_the_forms_say_the_same_and_records_fit_together(
    starter: MaskGenerator, pictures: list[np.ndarray]
) -> None:
    starter.batched = True
    records = list(starter.masks(pictures[0]))
    assert records
    for record in records:
        mask, rle = record["segmentation"], record["rle"]
        assert mask.dtype == np.uint8 and mask.shape == pictures[0].shape[:2]
        assert mask.flags["C_CONTIGUOUS"]
        np.testing.assert_array_equal(coco_mask.decode(rle), mask)
        assert record["area"] == mask.sum() == coco_mask.area(rle)
        assert record["bbox"] == coco_mask.toBbox(rle).tolist()
    compressed = starter.generate(pictures[0], "coco_rle")
    assert [one["segmentation"] for one in compressed] == [one["rle"] for one in records]
    assert all("rle" not in one for one in compressed)


@pytest.mark.parametrize("quality", ["exact", "adaptive"])
@pytest.mark.parametrize("limit", ["pred_iou_thresh", "stability_score_thresh"])
def test_a_picture_without_masks_has_none(
    sam: Recalling, pictures: list[np.ndarray], limit: str, quality: Quality
) -> None:
    options: dict[str, Any] = {"points_per_side": 3, "pred_iou_thresh": 0.3, limit: 2.0}
    generator = MaskGenerator(sam, **options, quality=quality, batched=True, fit_edges=True)
    assert generator.generate(pictures[0]) == []


def test_on_a_gpu_clicks_go_by_the_thousand_where_nobody_chose(sam: Recalling) -> None:
    generator = MaskGenerator(sam)
    assert generator.points_per_batch == 64 and not generator.batched
    assert MaskGenerator(sam, points_per_batch=7).points_per_batch == 7
    on_cuda = copy.copy(sam)
    on_cuda.device = torch.device("cuda")
    generator = MaskGenerator(on_cuda)
    assert generator.points_per_batch == 1024 and generator.batched


def test_a_batch_takes_a_quarter_of_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device: (2_000_000_000, 8_000_000_000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _device: 3_000_000_000)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _device: 1_000_000_000)
    assert device.bytes_at_once(torch.device("cuda")) == 1_000_000_000
    assert device.bytes_at_once(torch.device("cpu")) == 1 << 28
