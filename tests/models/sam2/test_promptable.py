"""SAM 2.1 on one picture against Meta's own predictor and generator, at full size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from pycocotools import mask as coco_mask

from src.models.mask_generator import MaskGenerator
from src.models.sam2.promptable import PromptableSam2
from src.models.sam2.weights import Sam2Size
from src.models.segmenter import Prompts
from src.models.two_way_sam import SamEmbedding
from src.starter.scenes import draw_scene
from tests.models.sam2.random_weights import ALL_SIZES, loaded, needs_sam2

pytestmark = needs_sam2
IMAGE = draw_scene(np.random.default_rng([9, 1]), (400, 300), count=8).image_rgb
POINTS = np.array([[[120.0, 90.0], [300.0, 200.0]], [[30.0, 250.0], [200.0, 20.0]]])
LABELS = np.array([[1, 0], [1, 1]])
BOXES = np.array([[60.0, 40.0, 220.0, 180.0], [10.0, 100.0, 390.0, 280.0]])


@pytest.fixture(scope="module", params=ALL_SIZES)
def size(request: pytest.FixtureRequest) -> Sam2Size:
    wanted: Sam2Size = request.param
    return wanted


@pytest.fixture(scope="module")
def ours(size: Sam2Size) -> PromptableSam2:
    return PromptableSam2(loaded(size), full_precision=True)


@pytest.fixture(scope="module")
def embedding(ours: PromptableSam2) -> SamEmbedding:
    return ours.embed(IMAGE)


@pytest.fixture(scope="module")
def metas(size: Sam2Size) -> Iterator[Any]:
    """Meta's predictor with the same weights, which has looked at the picture."""
    from sam2.sam2_image_predictor import SAM2ImagePredictor

    predictor = SAM2ImagePredictor(loaded(size))
    predictor.set_image(IMAGE)
    yield predictor


def close(found: torch.Tensor, wanted: torch.Tensor, of_scale: float = 1e-5) -> None:
    """Within a share of the largest number."""
    scale = float(wanted.abs().max())
    torch.testing.assert_close(found, wanted, rtol=0, atol=of_scale * scale)


def test_it_sees_what_metas_predictor_sees(embedding: SamEmbedding, metas: Any) -> None:
    assert embedding.details is not None
    finest, fine = metas._features["high_res_feats"]
    close(embedding.features, metas._features["image_embed"])
    close(embedding.details[0], fine)
    close(embedding.details[1], finest)


def logits_of(metas: Any, **asked: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ask Meta's: (B, M, 256, 256) logits before they are cut off, (B, M) IoUs, (B, 1) presence."""
    kept: list[Any] = []
    decoder = metas.model.sam_mask_decoder
    hook = decoder.register_forward_hook(lambda _module, _inputs, output: kept.append(output))
    multimask = asked.pop("multimask_output")
    prepared = metas._prep_prompts(
        asked.get("points"), asked.get("labels"), asked.get("boxes"), asked.get("mask"), True
    )
    mask, points, labels, boxes = prepared
    try:
        metas._predict(points, labels, boxes, mask, multimask, return_logits=True)
    finally:
        hook.remove()
    logits, ious, _, presence = kept[0]
    return logits, ious, presence


@pytest.mark.parametrize("multimask", [True, False])
@pytest.mark.parametrize("given", ["points", "box", "point and box", "point and mask", "mask"])
def test_it_decodes_what_metas_predictor_decodes(
    metas: Any, ours: PromptableSam2, embedding: SamEmbedding, given: str, multimask: bool
) -> None:
    asked: dict[str, Any] = {}
    masks = None
    if "mask" in given:
        _, _, low = metas.predict(POINTS[0], LABELS[0], multimask_output=False)
        masks = torch.from_numpy(low)
    for one in range(1 if "mask" in given else len(POINTS)):
        asked = {
            "points": POINTS[one] if "point" in given else None,
            "labels": LABELS[one] if "point" in given else None,
            "boxes": BOXES[one] if "box" in given else None,
            "mask": None if masks is None else masks.numpy(),
            "multimask_output": multimask,
        }
        wanted, wanted_ious, _ = logits_of(metas, **asked)
        found = ours.decode(
            embedding,
            Prompts(
                points_xy=POINTS[one : one + 1] if "point" in given else None,
                labels=LABELS[one : one + 1] if "point" in given else None,
                boxes_xyxy=BOXES[one : one + 1] if "box" in given else None,
                logits=masks,
            ),
            multimask=multimask,
        )
        assert found.prompts.tolist() == ([0, 0, 0] if multimask else [0])
        close(found.logits, wanted[0])
        torch.testing.assert_close(found.predicted_iou, wanted_ious[0], rtol=0, atol=1e-5)
        both = (found.logits > 0) == (wanted[0] > 0)
        assert both.float().mean() > 0.9999


def test_clicks_decoded_at_once_are_metas_and_give_way_where_the_one_mask_is_not_stable(
    metas: Any, ours: PromptableSam2, embedding: SamEmbedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    clicks = np.random.default_rng(0).random((6, 1, 2)) * [400, 300]
    decoder = metas.model.sam_mask_decoder
    stability: list[float] = []
    scores = decoder._get_stability_scores

    def kept(logits: torch.Tensor) -> torch.Tensor:
        found = scores(logits)
        stability.extend(found.flatten().tolist())
        return found

    monkeypatch.setattr(decoder, "_get_stability_scores", kept)
    asked = {"points": clicks, "labels": np.ones((6, 1), int), "multimask_output": False}
    logits_of(metas, **asked)
    monkeypatch.setattr(decoder, "dynamic_multimask_stability_thresh", float(np.median(stability)))
    wanted, wanted_ious, _ = logits_of(metas, **asked)
    found = ours.decode(embedding, Prompts(points_xy=clicks), multimask=False)
    close(found.logits, wanted[:, 0])
    torch.testing.assert_close(found.predicted_iou, wanted_ious[:, 0], rtol=0, atol=1e-5)
    # some are the one mask, and some the best of three
    three = ours.decode(embedding, Prompts(points_xy=clicks))
    best = three.predicted_iou.view(6, 3).max(1).values
    fell_back = (found.predicted_iou - best).abs() < 1e-6
    assert 0 < int(fell_back.sum()) < 6
    bar = float(found.predicted_iou.median())
    some = ours.decode(embedding, Prompts(points_xy=clicks), multimask=False, min_iou=bar)
    assert some.prompts.tolist() == (found.predicted_iou > bar).nonzero()[:, 0].tolist()
    close(some.logits, found.logits[found.predicted_iou > bar])


def test_the_tokens_that_video_memory_needs_are_metas(
    metas: Any, ours: PromptableSam2, embedding: SamEmbedding
) -> None:
    prompts = Prompts(points_xy=POINTS[:1], labels=LABELS[:1])
    decoder = metas.model.sam_mask_decoder
    with torch.inference_mode():
        sparse = ours._sparse(prompts, embedding.sizes)
        decoded = embedding.decoder.decode(sparse)
        _, _, tokens, presence = decoder.predict_masks(
            image_embeddings=metas._features["image_embed"],
            image_pe=ours.parts.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=ours.parts.prompt_encoder(None, None, None)[1],
            repeat_image=False,
            high_res_features=metas._features["high_res_feats"],
        )
    assert decoded.presence is not None
    close(decoded.presence, presence)
    close(decoded.tokens[:, 1:5], tokens)


@pytest.mark.parametrize(
    "image_wh", [IMAGE.shape[1::-1], pytest.param((300, 1300), marks=pytest.mark.slow)], ids=str
)
def test_it_finds_what_metas_generator_finds(
    metas: Any,
    ours: PromptableSam2,
    embedding: SamEmbedding,
    image_wh: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from sam2.automatic_mask_generator import SAM2AutomaticMaskGenerator

    image, seen = IMAGE, embedding
    if image_wh != IMAGE.shape[1::-1]:
        image = draw_scene(np.random.default_rng([9, 1]), image_wh, count=8).image_rgb
        seen = ours.embed(image)
    monkeypatch.setattr(ours, "embed", lambda _image: seen)
    clicks = Prompts.clicks(np.random.default_rng(1).random((4, 2)) * image_wh)
    rated = ours.decode(seen, clicks).predicted_iou
    options = {
        "points_per_side": 3,
        "points_per_batch": 9,
        "pred_iou_thresh": float(rated.quantile(0.4)),
        "stability_score_thresh": 0.5,
        # masks of random weights cover most of the image, so all but one would be duplicates
        "box_nms_thresh": 1.0,
        "output_mode": "coco_rle",
    }
    metas_generator = SAM2AutomaticMaskGenerator(metas.model, **options)
    if image is IMAGE:  # each looked at it already

        def look(_image: np.ndarray) -> None:
            for name in ("_features", "_orig_hw", "_is_image_set"):
                setattr(metas_generator.predictor, name, getattr(metas, name))

        monkeypatch.setattr(metas_generator.predictor, "set_image", look)
    theirs = metas_generator.generate(image)
    # Meta's keeps masks that are each other's duplicates
    generators = [
        MaskGenerator(ours, mask_nms_thresh=1.0, batched=batched, **options)
        for batched in (False, True)
    ]
    assert len(theirs) > 3
    for generator in generators:
        found = generator.generate(image)
        assert abs(len(found) - len(theirs)) <= 1
        overlaps = coco_mask.iou(
            [record["segmentation"] for record in theirs],
            [record["segmentation"] for record in found],
            [0] * len(found),
        )
        assert overlaps.max(axis=1).min() > 0.995
        for record, best in zip(theirs, overlaps.argmax(axis=1), strict=True):
            np.testing.assert_allclose(found[best]["bbox"], record["bbox"], atol=2)
            assert abs(found[best]["predicted_iou"] - record["predicted_iou"]) < 1e-4
            assert abs(found[best]["stability_score"] - record["stability_score"]) < 0.002
