from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pycocotools import mask as coco_mask
from segment_anything import SamAutomaticMaskGenerator

from src.models.mask_generator import MaskGenerator
from src.models.mask_rle import decode_rle, encode_rle
from src.models.mask_shape import without_small_regions, without_specks
from src.models.prompt_decoder import Decoded, PromptDecoder
from src.starter.evaluate import fresh_scenes, iou
from src.starter.scenes import draw_scene


def read(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def test_records_have_metas_keys_and_fit_together(
    mask_generator: MaskGenerator, scene_files: list[Path]
) -> None:
    image = read(scene_files[0])
    records = mask_generator.generate(image)
    assert records
    for record in records:
        mask = record["segmentation"]
        assert mask.shape == image.shape[:2] and mask.dtype == bool
        assert record["area"] == mask.sum()
        rows, columns = np.nonzero(mask)
        x, y, w, h = record["bbox"]
        assert (columns.min(), rows.min()) == (x, y)
        assert (columns.max() - columns.min() + 1, rows.max() - rows.min() + 1) == (w, h)
        assert record["predicted_iou"] > mask_generator.pred_iou_thresh
        assert record["stability_score"] >= mask_generator.stability_score_thresh
        assert record["crop_box"] == [0, 0, image.shape[1], image.shape[0]]
        assert len(record["point_coords"]) == 1
    ious = [record["predicted_iou"] for record in records]
    assert ious == sorted(ious, reverse=True)


def test_the_forms_of_a_mask_say_the_same(
    mask_generator: MaskGenerator, scene_files: list[Path]
) -> None:
    image = read(scene_files[1])
    binary = mask_generator.generate(image)
    compressed = mask_generator.generate(image, output_mode="coco_rle")
    plain = mask_generator.generate(image, output_mode="uncompressed_rle")
    for one, two, three in zip(binary, compressed, plain, strict=True):
        np.testing.assert_array_equal(coco_mask.decode(two["segmentation"]), one["segmentation"])
        size = three["segmentation"]["size"]
        rle = coco_mask.frPyObjects(three["segmentation"], *size)
        np.testing.assert_array_equal(coco_mask.decode(rle), one["segmentation"])


@pytest.mark.parametrize("count", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_it_finds_what_metas_generator_finds(
    mask_generator: MaskGenerator, scene_files: list[Path], count: int
) -> None:
    options = {
        "points_per_side": 5,  # Meta's takes a tenth of a second for each click
        "pred_iou_thresh": mask_generator.pred_iou_thresh,
        "stability_score_thresh": mask_generator.stability_score_thresh,
        "stability_score_offset": mask_generator.stability_score_offset,
        "box_nms_thresh": mask_generator.box_nms_thresh,
        "output_mode": "coco_rle",
    }
    metas = SamAutomaticMaskGenerator(mask_generator.sam, **options)
    # Meta's keeps masks that are each other's duplicates
    exact = MaskGenerator(mask_generator.sam, mask_nms_thresh=1.0, **options)
    best: list[float] = []
    # one larger than SAM's input, at whose size boxes and stability are a little different
    large = draw_scene(np.random.default_rng([9, 1]), (768, 576), count=12).image_rgb
    for image in (*map(read, scene_files[:count]), large):
        ours = [record["segmentation"] for record in exact.generate(image)]
        theirs = [record["segmentation"] for record in metas.generate(image)]
        assert abs(len(ours) - len(theirs)) <= 1
        best += list(coco_mask.iou(theirs, ours, [0] * len(ours)).max(axis=1))
    assert np.mean(best) > 0.99 and np.mean(np.array(best) > 0.9) > 0.98


def test_adaptive_asks_less_and_finds_most(
    mask_generator: MaskGenerator, scene_files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    decode = PromptDecoder.decode

    def counted(decoder: PromptDecoder, sparse: torch.Tensor) -> Decoded:
        nonlocal asked
        asked += len(sparse)
        return decode(decoder, sparse)

    monkeypatch.setattr(PromptDecoder, "decode", counted)
    found, clicks = {}, {}
    for quality in ("exact", "adaptive"):
        monkeypatch.setattr(mask_generator, "quality", quality)
        asked = 0
        found[quality] = [
            [r["segmentation"] for r in mask_generator.generate(read(path), "coco_rle")]
            for path in scene_files[:3]
        ]
        clicks[quality] = asked
    assert clicks["exact"] == 3 * mask_generator.points_per_side**2
    assert clicks["adaptive"] < 0.6 * clicks["exact"]
    best = np.concatenate(
        [
            coco_mask.iou(whole, part, [0] * len(part)).max(axis=1)
            for whole, part in zip(found["exact"], found["adaptive"], strict=True)
        ]
    )
    assert np.mean(best > 0.5) > 0.75


@pytest.mark.parametrize("number", [3, pytest.param(6, marks=pytest.mark.slow)])
def test_masks_fitted_to_the_picture_fit_what_was_drawn_and_are_fewer(
    mask_generator: MaskGenerator, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    scenes = fresh_scenes(number, seed=5)
    count, reached = {}, {}
    for fit in (False, True):
        monkeypatch.setattr(mask_generator, "fit_edges", fit)
        masks = [
            [record["segmentation"] for record in mask_generator.generate(scene.image_rgb)]
            for scene in scenes
        ]
        count[fit] = sum(map(len, masks))
        best = [
            max(iou(mask, shape.mask) for mask in found)
            for scene, found in zip(scenes, masks, strict=True)
            for shape in scene.shapes
        ]
        reached[fit] = np.mean(best)
    assert count[True] < count[False]
    assert reached[True] > reached[False] + 0.02


def test_size_and_shape_of_the_image_do_not_matter(mask_generator: MaskGenerator) -> None:
    for height, width in ((300, 40), (37, 500), (900, 700)):
        image = np.full((height, width, 3), 40, np.uint8)
        image[height // 4 : height // 2, width // 4 : width // 2] = (250, 20, 20)
        for record in mask_generator.generate(image):
            assert record["segmentation"].shape == (height, width)


def test_what_is_too_thin_to_be_seen_has_no_masks(mask_generator: MaskGenerator) -> None:
    for height, width in ((1, 1400), (30_000, 3)):
        assert mask_generator.generate(np.zeros((height, width, 3), np.uint8)) == []


def test_rle_survives_the_way_there_and_back() -> None:
    mask = np.random.default_rng(0).random((31, 17)) > 0.5
    np.testing.assert_array_equal(decode_rle(encode_rle(mask)["counts"], (17, 31)), mask)


def test_small_regions_go_and_the_largest_stays() -> None:
    mask = np.zeros((30, 30), np.uint8)
    mask[2:20, 2:20] = 1
    mask[5:7, 5:7] = 0  # a hole of 4
    mask[25:27, 25:27] = 1  # an island of 4
    cleaned = without_small_regions(mask, 10)
    assert cleaned[5:7, 5:7].all() and not cleaned[24:, 24:].any()
    assert without_small_regions(mask, 10_000)[3, 3] == 1


def test_specks_and_pinholes_of_a_mask_are_mended_and_its_own_holes_stay() -> None:
    logits = np.full((40, 60), -2, np.float32)
    dot = logits.copy()
    dot[1, 1] = 1  # all that there is of a mask is no speck
    np.testing.assert_array_equal(without_specks(dot, 0.03), dot)
    logits[5:25, 5:25] = 3  # a ring of 300 pixels
    logits[10:20, 10:20] = -1
    whole = logits > 0
    logits[6, 6] = -0.5
    logits[35:37, 55:58] = 0.5
    np.testing.assert_array_equal(without_specks(logits, 0.03) > 0, whole)


def test_a_quality_that_is_none_is_refused(mask_generator: MaskGenerator) -> None:
    with pytest.raises(ValueError, match="quality"):
        MaskGenerator(mask_generator.sam, quality="best")  # type: ignore[arg-type]


def test_a_form_that_is_none_is_refused(mask_generator: MaskGenerator) -> None:
    with pytest.raises(ValueError, match="output_mode"):
        MaskGenerator(mask_generator.sam, output_mode="polygon")  # type: ignore[arg-type]
