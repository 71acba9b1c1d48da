"""SAM 2.1 on one picture against Meta's own predictor and generator, at full size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from src.models.sam2.promptable import PromptableSam2
from src.models.sam2.weights import Sam2Size
from src.models.segmenter import Prompts
from src.models.two_way_sam import SamEmbedding
from src.starter.scenes import draw_scene
from tests.models.sam2.random_weights import ALL_SIZES, loaded, needs_sam2

pytestmark = needs_sam2
IMAGE = draw_scene(np.random.default_rng([8, 1]), (400, 300), count=5, calm=True).image_rgb
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
