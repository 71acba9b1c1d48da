from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from src.config import STARTER_FOLDER
from src.models.starter.architecture import MaskThresholds, read_starter_sam, save_starter_sam
from src.models.starter.vocabulary import COLOURS
from src.starter.crops import (
    BACKGROUND,
    COLOUR,
    NONE,
    SCENE,
    SHAPE,
    TEXTURE,
    UNKNOWN,
    shape_facts,
)
from src.starter.found_crops import draw_found_crops, facts_of_mask
from src.starter.scenes import Scene, draw_scene


@pytest.fixture(scope="module")
def scene() -> Scene:
    return draw_scene(np.random.default_rng(7), (320, 240), count=4, calm=True)


def test_a_mask_that_fits_a_shape_shows_it(scene: Scene) -> None:
    for drawn in scene.shapes:
        assert facts_of_mask(scene, drawn.mask) == shape_facts(drawn)


def test_a_piece_of_a_shape_has_its_colour_and_no_shape(scene: Scene) -> None:
    drawn = max(scene.shapes, key=lambda shape: int(shape.mask.sum()))
    piece = drawn.mask.copy()
    rows = np.flatnonzero(piece.any(axis=1))
    piece[rows[len(rows) // 3] :] = False
    facts = facts_of_mask(scene, piece)
    assert facts[COLOUR] == COLOURS.index(drawn.colour)
    assert facts[SHAPE] == NONE and facts[TEXTURE] == UNKNOWN and facts[BACKGROUND] == 0


def test_a_mask_behind_all_shapes_is_background(scene: Scene) -> None:
    behind = scene.labels < scene.background_regions
    behind[:, behind.shape[1] // 2 :] = False
    facts = facts_of_mask(scene, behind)
    assert facts[SHAPE] == NONE and facts[BACKGROUND] == 1


def test_crops_of_what_sam_finds_depend_on_the_seed_alone() -> None:
    first, again = (draw_found_crops(5, 2, STARTER_FOLDER, size=48) for _ in range(2))
    np.testing.assert_array_equal(first.images, again.images)
    np.testing.assert_array_equal(first.facts, again.facts)
    assert len(first.images) == len(first.facts) > 2
    shapes = first.facts[:, SHAPE]
    assert (shapes >= 0).any()


def test_a_scene_in_which_sam_finds_nothing_is_seen_as_a_whole(tmp_path: Path) -> None:
    config, state = read_starter_sam(STARTER_FOLDER)
    save_starter_sam(state, config, MaskThresholds(pred_iou_thresh=2.0), tmp_path)
    crops = draw_found_crops(5, 2, tmp_path, size=48)
    assert crops.facts[:, SCENE].tolist() == [1]
