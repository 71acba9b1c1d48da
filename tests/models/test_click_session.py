"""Boxes, masks to go on from, and what a model takes for the thing at a place."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from src.models.click_session import ClickSession
from src.models.mask_generator import MaskGenerator
from src.models.mask_sizes import Sizes
from src.models.segmenter import MaskPredictions, Prompts
from src.starter.evaluate import fresh_scenes, iou


class Asked:
    """A model that gives the box it is asked for, and remembers what it was asked."""

    class Embedding:
        sizes = Sizes.in_square(256, 4, (128, 96))
        most_at_once = 16

    def __init__(self) -> None:
        self.asked: list[Prompts] = []

    def embed(self, _image_rgb: np.ndarray) -> Embedding:
        return self.Embedding()

    def decode(
        self,
        embedding: Embedding,
        prompts: Prompts,
        *,
        multimask: bool = True,
        min_iou: float | None = None,
        padding: bool = True,
    ) -> MaskPredictions:
        self.asked.append(prompts)
        logits = torch.full((len(prompts), 64, 64), -1.0)
        for number in range(len(prompts)):
            if prompts.boxes_xyxy is not None:  # two pixels of the image are one of the logits
                x0, y0, x1, y1 = (prompts.boxes_xyxy[number] / 2).astype(int)
                logits[number, y0:y1, x0:x1] = 1
            elif prompts.logits is not None:
                logits[number] = prompts.logits[number]
        count = len(prompts)
        return MaskPredictions(logits, torch.ones(count), torch.arange(count), embedding.sizes)


@pytest.fixture
def model() -> Asked:
    return Asked()


@pytest.fixture
def session(model: Asked) -> ClickSession:
    return ClickSession(model, np.zeros((96, 128, 3), np.uint8))


def test_a_model_that_knows_boxes_is_asked_once(model: Asked, session: ClickSession) -> None:
    session.add_box(80, 60, 20, 20)
    (prompts,) = model.asked
    assert prompts.boxes_xyxy is not None and prompts.points_xy is None
    assert prompts.boxes_xyxy.tolist() == [[20, 20, 80, 60]]
    ys, xs = np.nonzero(session.mask())
    assert (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1) == (20, 20, 80, 60)
    session.add_point(30, 30, positive=False)  # goes on from the box's mask
    assert model.asked[-1].logits is not None and model.asked[-1].boxes_xyxy is not None
    assert session.undo() and session.undo() and not session.undo()


def test_a_box_of_nothing_is_refused(session: ClickSession) -> None:
    for box in ((5, 5, 5, 90), (200, 0, 300, 50), (-9, -9, 0.5, 50), (0, 0, float("nan"), 5)):
        with pytest.raises(ValueError, match="box"):
            session.add_box(*box)


def test_a_mask_goes_to_the_model_as_its_logits(model: Asked, session: ClickSession) -> None:
    mask = np.zeros((96, 128), bool)
    mask[20:60, 30:90] = True
    session.go_on_from(mask)
    np.testing.assert_array_equal(session.mask(), mask)
    session.add_point(32, 30, positive=False)
    logits = model.asked[-1].logits
    assert logits is not None and logits.shape == (1, 64, 64)
    assert (logits[0, 10:30, 15:45] > 0).all() and int((logits > 0).sum()) == 20 * 30
    assert session.points == [(32, 30, False)]
    state = session.state
    session.go_on_from(np.zeros((96, 128), bool))
    assert session.points == [] and not session.mask().any()
    session.restore(state)
    assert session.points == [(32, 30, False)]


def test_boxes_work_with_a_model_that_was_taught_clicks_alone(
    mask_generator: MaskGenerator,
) -> None:
    reached = []
    for scene in fresh_scenes(4, seed=11):
        with mask_generator.session(scene.image_rgb) as session:
            for shape in scene.shapes:
                ys, xs = np.nonzero(shape.mask)
                box = xs.min(), ys.min(), xs.max() + 1, ys.max() + 1
                session.add_box(*map(float, box))
                reached.append(iou(session.mask(), shape.mask))
    assert np.mean(reached) > 0.8


def test_guesses_are_of_the_place_alone(mask_generator: MaskGenerator) -> None:
    (scene,) = fresh_scenes(1, seed=11)
    ys, xs = np.nonzero(scene.shapes[0].mask)
    x, y = float(xs[len(xs) // 2]), float(ys[len(ys) // 2])
    with mask_generator.session(scene.image_rgb) as session:
        before = session.guesses(x, y)
        session.add_point(5, 5)
        after = session.guesses(x, y)
        assert len(before) == 3 and [r for _, r in before] == sorted((r for _, r in before))[::-1]
        for (one, _), (other, _) in zip(before, after, strict=True):
            np.testing.assert_array_equal(one, other)
        session.undo()
        session.add_point(x, y)
        np.testing.assert_array_equal(session.mask(), before[0][0])
