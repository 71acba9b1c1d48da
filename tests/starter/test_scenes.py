from dataclasses import replace

import cv2
import numpy as np
import pytest

from src.models.starter.vocabulary import COLOURS, SHAPES, TEXTURES
from src.starter.colours import name_colour, sample_colour
from src.starter.dead_leaves import draw_dead_leaves
from src.starter.outlines import draw_outline
from src.starter.patterns import draw_pattern
from src.starter.regions import MIN_REGION, draw_labelled_picture, sample_clicks
from src.starter.scenes import Scene, draw_scene


def scene(seed: int, size_wh: tuple[int, int] = (256, 192), calm: bool = False) -> Scene:
    return draw_scene(np.random.default_rng(seed), size_wh, calm=calm)


@pytest.mark.parametrize("calm", [False, True])
def test_a_scene_is_a_function_of_its_seed(calm: bool) -> None:
    for seed in range(4):
        first, second = scene(seed, calm=calm), scene(seed, calm=calm)
        assert np.array_equal(first.image_rgb, second.image_rgb)
        assert np.array_equal(first.labels, second.labels)
    assert not np.array_equal(scene(1).image_rgb, scene(2).image_rgb)


@pytest.mark.parametrize("size_wh", [(96, 96), (192, 320), (800, 600)])
def test_sizes_types_and_boxes(size_wh: tuple[int, int]) -> None:
    for seed in range(3):
        drawn = scene(seed, size_wh)
        assert drawn.image_rgb.shape == (size_wh[1], size_wh[0], 3)
        assert drawn.image_rgb.dtype == np.uint8
        for shape in drawn.shapes:
            assert shape.mask.dtype == bool
            assert shape.mask.shape == (size_wh[1], size_wh[0])
            assert shape.bbox_xywh == cv2.boundingRect(shape.mask.astype(np.uint8))
            assert shape.colour in COLOURS
            assert shape.shape in SHAPES
            assert shape.texture in TEXTURES


def test_masks_do_not_overlap() -> None:
    for seed in range(20):
        masks = [shape.mask for shape in scene(seed).shapes]
        if masks:
            assert np.sum(masks, axis=0).max() == 1


def test_masks_lie_on_their_colour() -> None:
    right = total = 0
    for seed in range(60):
        drawn = scene(seed, calm=True)
        for shape in drawn.shapes:
            if shape.texture != "plain":
                continue
            inside = cv2.erode(shape.mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
            if inside.sum() < 30:
                continue
            colour, _ = name_colour(np.median(drawn.image_rgb[inside], axis=0))
            total += 1
            right += colour in (shape.colour, None)
    assert total > 50
    assert right / total > 0.95


def test_all_words_occur() -> None:
    shapes = [shape for seed in range(120) for shape in scene(seed).shapes]
    assert {shape.colour for shape in shapes} == set(COLOURS)
    assert {shape.shape for shape in shapes} == set(SHAPES)
    assert {shape.texture for shape in shapes} == set(TEXTURES)
    assert {shape.tone for shape in shapes} == {"light", "dark", None}
    assert {shape.size for shape in shapes} == {"small", "large", None}


@pytest.mark.parametrize("name", COLOURS)
def test_a_colour_is_called_by_its_name(name: str) -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        rgb, _ = sample_colour(rng, name)
        assert name_colour(rgb)[0] in (name, None)


def test_a_colour_between_words_takes_the_nearest_or_none() -> None:
    for rgb, named in (
        ((169, 64, 67), ("red", None)),  # between red and its dark tone
        ((105, 65, 62), ("brown", None)),  # a dull red
        ((191, 151, 147), (None, None)),  # a beige, as far from brown as from pink
        ((230, 68, 23), (None, None)),  # between red and orange
        ((200, 30, 30), ("red", None)),
        ((139, 69, 19), ("brown", None)),  # screens call it saddle brown: as vivid as an orange
        ((150, 75, 0), ("brown", None)),
        ((60, 200, 200), ("cyan", None)),
        ((128, 128, 128), ("gray", None)),
    ):
        assert name_colour(np.array(rgb)) == named


@pytest.mark.parametrize("name", SHAPES)
def test_outlines_stay_near_the_unit_square(name: str) -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        outline = draw_outline(rng, name)
        assert np.abs(outline.edge).max() < 1.8
        assert (outline.hole is not None) == (name == "ring")


@pytest.mark.parametrize("kind", [texture for texture in TEXTURES if texture != "plain"])
def test_the_first_colour_keeps_at_least_half(kind: str) -> None:
    rng = np.random.default_rng(0)
    ys, xs = np.mgrid[0:200, 0:200].astype(np.float32)
    for _ in range(10):
        weight = draw_pattern(rng, kind, 40.0).weight(xs, ys)
        assert 0.15 < weight.mean() < 0.54
        assert weight.min() >= 0 and weight.max() <= 1


def test_dots_stand_in_squares_and_in_a_honeycomb() -> None:
    rng = np.random.default_rng(0)
    assert {draw_pattern(rng, "dotted", 40.0).stagger for _ in range(20)} == {0.0, 0.5}
    ys, xs = np.mgrid[0:200, 0:200].astype(np.float32)
    square = replace(draw_pattern(rng, "dotted", 40.0), angle=0.0, period=20.0, stagger=0.0)
    weight = square.weight(xs, ys)
    assert np.allclose(weight[:180], weight[20:], atol=1e-3)
    staggered = replace(square, stagger=0.5).weight(xs, ys)
    assert np.allclose(staggered[:160], staggered[40:], atol=1e-3)
    assert not np.allclose(staggered[:180], staggered[20:], atol=1e-3)


def test_dead_leaves_repeat_and_cover_everything() -> None:
    first = draw_dead_leaves(np.random.default_rng(3), (256, 192))
    second = draw_dead_leaves(np.random.default_rng(3), (256, 192))
    assert np.array_equal(first.image_rgb, second.image_rgb)
    assert first.image_rgb.shape == (192, 256, 3)
    assert first.labels.max() < len(first.parents) == len(first.textures)
    masks = first.masks(min_area=1)
    assert np.sum(masks, axis=0).min() == np.sum(masks, axis=0).max() == 1


def test_clicks_lie_in_their_masks() -> None:
    for index in range(12):
        picture = draw_labelled_picture(7, index, 256)
        assert max(picture.labels.shape) == 256
        points, masks = sample_clicks(np.random.default_rng(index), picture, 8)
        for (x, y), mask in zip(points.astype(int), masks, strict=True):
            assert mask[y, x]
            assert mask.sum() >= MIN_REGION
