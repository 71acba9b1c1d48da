"""Embedding and decoding apart from the generator: against Meta's predictor, and by clicks."""

from __future__ import annotations

import gc
import weakref

import cv2
import numpy as np
import pytest
import torch
from segment_anything import SamPredictor

from src.models.click_grid import ClickGrid
from src.models.mask_generator import MaskGenerator
from src.models.segmenter import ImageEmbedding, Prompts, Segmenter
from src.starter.evaluate import fresh_scenes, iou
from src.starter.scenes import Scene, draw_scene


@pytest.fixture(scope="module")
def scene() -> Scene:
    return draw_scene(np.random.default_rng([8, 1]), (400, 300), count=5, calm=True)


def middle(mask: np.ndarray) -> tuple[int, int]:
    """The place farthest from a mask's edge: x, y."""
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(depth.argmax(), depth.shape)
    return int(x), int(y)


def test_the_generator_is_a_segmenter(mask_generator: MaskGenerator) -> None:
    segmenter: Segmenter = mask_generator
    assert segmenter.label == "starter SAM" and segmenter.name.startswith("starter-sam@")


@pytest.fixture(scope="module")
def predictor(mask_generator: MaskGenerator, scene: Scene) -> SamPredictor:
    """Meta's, which has looked at the scene."""
    predictor = SamPredictor(mask_generator.sam)
    predictor.set_image(scene.image_rgb)
    return predictor


@pytest.fixture(scope="module")
def generator(mask_generator: MaskGenerator) -> MaskGenerator:
    return MaskGenerator(mask_generator.sam, full_precision=True)


@pytest.fixture(scope="module")
def embedding(generator: MaskGenerator, scene: Scene) -> ImageEmbedding:
    """What ours has seen in it."""
    return generator.embed(scene.image_rgb)


@pytest.mark.parametrize("multimask", [True, False])
@pytest.mark.parametrize("given", ["points", "box", "point and box", "point and mask", "mask"])
def test_it_decodes_what_metas_predictor_decodes(
    mask_generator: MaskGenerator,
    predictor: SamPredictor,
    generator: MaskGenerator,
    embedding: ImageEmbedding,
    given: str,
    multimask: bool,
) -> None:
    # two clicks, which SAM takes as one prompt
    points, labels = np.array([[120.0, 90.0], [300.0, 200.0]]), np.array([1, 0])
    box = np.array([60.0, 40.0, 220.0, 180.0])
    _, _, before = predictor.predict(points, labels, multimask_output=False)
    with_points, with_box = "point" in given, "box" in given
    if given == "mask":  # Meta's predictor asks for a point or a box, its decoder does not
        with torch.inference_mode():
            sparse, dense = mask_generator.sam.prompt_encoder(
                None, None, torch.from_numpy(before)[None]
            )
            logits, ious = mask_generator.sam.mask_decoder(
                image_embeddings=predictor.features,
                image_pe=mask_generator.sam.prompt_encoder.get_dense_pe(),
                sparse_prompt_embeddings=sparse,
                dense_prompt_embeddings=dense,
                multimask_output=multimask,
            )
        wanted, wanted_ious = logits[0].numpy(), ious[0].numpy()
        masks = None
    else:
        masks, wanted_ious, wanted = predictor.predict(
            points if with_points else None,
            labels if with_points else None,
            box if with_box else None,
            before if "mask" in given else None,
            multimask_output=multimask,
        )
    prompts = Prompts(
        points_xy=points[None] if with_points else None,
        labels=labels[None] if with_points else None,
        boxes_xyxy=box[None] if with_box else None,
        logits=torch.from_numpy(before) if "mask" in given else None,
    )
    found = generator.decode(embedding, prompts, multimask=multimask)
    assert found.prompts.tolist() == ([0, 0, 0] if multimask else [0])
    scale = np.abs(wanted).max()
    np.testing.assert_allclose(found.logits.numpy(), wanted, rtol=1e-3, atol=1e-3 * scale)
    np.testing.assert_allclose(found.predicted_iou.numpy(), wanted_ious, atol=1e-3)
    if masks is not None:
        at_image = found.masks()
        assert at_image.dtype == bool and at_image.shape == masks.shape
        assert (at_image == masks).mean() > 0.999


def test_only_masks_that_are_good_enough_are_drawn(
    generator: MaskGenerator, embedding: ImageEmbedding, scene: Scene
) -> None:
    points = np.array([middle(shape.mask) for shape in scene.shapes], float)
    everything = generator.decode(embedding, Prompts.clicks(points))
    assert len(everything) == 3 * len(points)
    bar = float(everything.predicted_iou.median())
    some = generator.decode(embedding, Prompts.clicks(points), min_iou=bar, padding=False)
    chosen = everything.predicted_iou > bar
    assert some.prompts.tolist() == everything.prompts[chosen].tolist()
    width, height = some.sizes.logits_wh
    torch.testing.assert_close(
        some.logits[:, :height], everything.logits[chosen][:, :height, :width], rtol=1e-4, atol=1e-3
    )


def test_decoding_the_grid_gives_the_generators_masks(
    mask_generator: MaskGenerator, scene: Scene
) -> None:
    generator = MaskGenerator(
        mask_generator.sam,
        points_per_side=6,
        pred_iou_thresh=0.3,
        stability_score_thresh=0.38,
        output_mode="binary_mask",
    )
    records = generator.generate(scene.image_rgb)
    assert len(records) >= 2
    grid = ClickGrid(6, "exact", 1.0).xy * (400, 300)
    embedding = generator.embed(scene.image_rgb)
    found = generator.decode(embedding, Prompts.clicks(grid), padding=False)
    masks = found.masks()
    clicks = grid[found.prompts.numpy()]
    for record in records:
        (click,) = record["point_coords"]
        own = np.flatnonzero((clicks == click).all(axis=1))
        rated = found.predicted_iou.numpy()[own]
        (same,) = own[np.isclose(rated, record["predicted_iou"], atol=1e-4)]
        assert iou(masks[same], record["segmentation"]) > 0.99


def test_a_click_on_each_shape_cuts_it_out(mask_generator: MaskGenerator) -> None:
    reached = []
    for scene in fresh_scenes(12, seed=5):
        with mask_generator.session(scene.image_rgb) as session:
            for shape in scene.shapes:
                session.add_point(*middle(shape.mask))
                reached.append(iou(session.mask(), shape.mask))
                assert session.undo()  # the next click is a first one again
    print(
        f"one click: mean IoU {np.mean(reached):.3f}, median {np.median(reached):.3f}, "
        f"over 0.8 {np.mean(np.array(reached) > 0.8):.3f} of {len(reached)}"
    )
    assert np.mean(reached) > 0.8 and np.mean(np.array(reached) > 0.8) > 0.8


def test_a_shape_of_a_calm_scene_is_cut_out_by_a_click(
    mask_generator: MaskGenerator, scene: Scene
) -> None:
    with mask_generator.session(scene.image_rgb) as session:
        for shape in scene.shapes:
            session.add_point(*middle(shape.mask))
            assert iou(session.mask(), shape.mask) > 0.8, shape
            assert session.undo()


def test_clicks_are_taken_back(mask_generator: MaskGenerator, scene: Scene) -> None:
    first, other = scene.shapes[0], scene.shapes[1]
    with mask_generator.session(scene.image_rgb) as session:
        assert not session.mask().any() and not session.undo()
        session.add_point(*middle(first.mask))
        alone, rated = session.mask(), session.predicted_iou
        session.add_point(*middle(other.mask))
        both = session.mask()
        assert both[middle(other.mask)[::-1]] and both[middle(first.mask)[::-1]]
        assert len(session.points) == 2
        assert session.undo()
        np.testing.assert_array_equal(session.mask(), alone)
        assert session.predicted_iou == rated
        session.add_point(*middle(other.mask), positive=False)
        assert [inside for _, _, inside in session.points] == [True, False]
        assert session.undo() and session.undo() and not session.mask().any()


def test_what_is_not_wanted_alone_is_no_mask(mask_generator: MaskGenerator, scene: Scene) -> None:
    with mask_generator.session(scene.image_rgb) as session:
        session.add_point(*middle(scene.shapes[1].mask), positive=False)
        assert not session.mask().any()
        session.add_point(*middle(scene.shapes[0].mask))
        assert session.mask()[middle(scene.shapes[0].mask)[::-1]]


def test_later_clicks_ask_for_one_mask_and_go_on_from_the_one_before(
    mask_generator: MaskGenerator, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    decode = MaskGenerator.decode

    def noted(self: MaskGenerator, embedding: object, prompts: Prompts, **how: object) -> object:
        asked.append((prompts, how["multimask"]))
        return decode(self, embedding, prompts, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(MaskGenerator, "decode", noted)
    with mask_generator.session(scene.image_rgb) as session:
        session.add_point(50, 60)
        session.add_point(70, 60)
    (first, several), (second, more) = asked
    assert several and not more
    assert first.logits is None and second.logits.shape == (1, 160, 160)
    assert second.points_xy.tolist() == [[[50, 60], [70, 60]]]


@pytest.mark.usefixtures("embeds_anew")
def test_closing_frees_the_embedding(mask_generator: MaskGenerator, scene: Scene) -> None:
    session = mask_generator.session(scene.image_rgb)
    session.add_point(50, 60)
    kept = weakref.ref(session._embedding)
    session.close()
    session.close()
    gc.collect()
    assert kept() is None
    for call in (session.mask, session.undo, lambda: session.add_point(1, 1)):
        with pytest.raises(ValueError, match="closed"):
            call()


def test_a_click_beside_the_image_is_refused(mask_generator: MaskGenerator, scene: Scene) -> None:
    with mask_generator.session(scene.image_rgb) as session:
        for x, y in ((-1, 5), (400, 5), (5, 300), (float("nan"), 5)):
            with pytest.raises(ValueError, match="outside"):
                session.add_point(x, y)


def test_prompts_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(ValueError, match="as many"):
        Prompts()
    with pytest.raises(ValueError, match="as many"):
        Prompts(points_xy=np.zeros((2, 1, 2)), boxes_xyxy=np.zeros((1, 4)))
    with pytest.raises(ValueError, match="labels"):
        Prompts(points_xy=np.zeros((2, 1, 2)), labels=np.ones((2, 2)))
