"""Masks edited in memory: every act, its undo, and what each touches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from src.errors import ModelNotLoadedError, QueryError
from src.labels.mask_editor import MaskEditor
from src.models.segmenter import Segmenter
from tests.labels.editing import disc
from tests.labels.in_memory import open_in_memory
from tests.models.made_up_segmenters import PARTS, added

WH = (120, 90)


def open_editor(segments: dict[str, np.ndarray], sam: Segmenter | None = None) -> MaskEditor:
    """An editor of a dark frame with two bright squares; it can't keep anything."""
    image = np.full((WH[1], WH[0], 3), 40, np.uint8)
    image[20:70, 20:50] = image[20:70, 70:100] = 220
    return open_in_memory(image, sam, segments)


@pytest.fixture
def bright_parts(tmp_path: Path) -> Iterator[Segmenter]:
    """A segmenter that somebody added: what is bright, each part by itself."""
    with added(PARTS, tmp_path) as module:
        yield module.BrightParts(100)


LEFT, RIGHT = np.zeros((2, WH[1], WH[0]), bool)
LEFT[20:70, 20:50] = RIGHT[20:70, 70:100] = True


def test_a_frame_shows_what_is_on_it() -> None:
    editor = open_editor({"left": LEFT, "right": RIGHT})
    assert editor.size_wh == WH and editor.segment_ids == ("left", "right")
    np.testing.assert_array_equal(editor.mask_of("right"), RIGHT)
    with pytest.raises(QueryError, match="whole frame"):
        editor.begin("whole")
    with pytest.raises(QueryError, match="not on the frame"):
        editor.mask_of("nobody")
    with pytest.raises(QueryError, match="begin"):
        editor.stroke([(5, 5)], 3)


def test_a_brush_paints_and_erases_only_where_it_goes() -> None:
    editor = open_editor({"left": LEFT})
    editor.begin("left")
    editor.stroke([(60.5, 40.5), (70.5, 40.5)], 4)
    x, y, w, h = editor.changed_box or (0, 0, 0, 0)
    assert (x, w) == (56, 19) and 8 <= h <= 10
    assert editor.mask[40, 56:75].all() and not editor.mask[40, 75]
    outside = np.ones_like(LEFT)
    outside[y : y + h, x : x + w] = False
    np.testing.assert_array_equal(editor.mask[outside], LEFT[outside])
    state = editor.state
    assert (state.strokes, state.removed) == (1, 0)
    assert state.added == state.area - LEFT.sum() == (editor.mask & ~LEFT).sum()
    editor.stroke([(30, 40)], 5, erase=True)
    assert editor.state.removed == (LEFT & ~editor.mask).sum() > 60
    assert editor.undo() and editor.undo() and not editor.undo()
    np.testing.assert_array_equal(editor.mask, LEFT)
    assert editor.state.area == LEFT.sum() and not editor.state.can_undo


@pytest.mark.parametrize("radius", [0.4, 1.0, 2.5, 7.0])
def test_a_dab_is_a_disc(radius: float) -> None:
    editor = open_editor({})
    editor.begin(None)
    editor.stroke([(60.5, 45.5)], radius)
    wanted = disc(WH, 60.5, 45.5, max(radius, 0.5))
    assert (editor.mask ^ wanted).sum() <= 0.15 * wanted.sum() + 4
    assert editor.mask[45, 60]


def test_the_moves_of_one_stroke_are_one_act() -> None:
    editor = open_editor({})
    editor.begin(None)
    editor.stroke([(10, 10)], 3)
    editor.stroke([(10, 10), (30, 10)], 3, continues=True)
    editor.stroke([(30, 10), (30, 30)], 3, continues=True)
    assert editor.state.strokes == 1
    whole = editor.mask.copy()
    assert editor.undo() and not editor.mask.any() and not editor.undo()
    assert editor.redo()
    np.testing.assert_array_equal(editor.mask, whole)


def test_what_a_stroke_can_not_be_is_said() -> None:
    editor = open_editor({})
    editor.begin(None)
    for points, radius in (([], 3), ([(1, 2)], 0), ([(1, float("nan"))], 3), ([(1, 2)], 1e9)):
        with pytest.raises(QueryError):
            editor.stroke(points, radius)
    editor.stroke([(-500, -500), (-400, -500)], 20)  # beside the frame
    assert not editor.mask.any() and editor.state.strokes == 0
    editor.stroke([(-1e7, 45), (1e7, 45)], 2)
    assert editor.mask[45].all()


def test_a_polygon_adds_and_takes_away() -> None:
    editor = open_editor({})
    editor.begin(None)
    editor.polygon([(10, 10), (50, 10), (50, 40), (10, 40)])
    assert editor.state.bbox_xywh == (10, 10, 40, 30) and editor.state.area == 1200
    editor.polygon([(20, 20), (30, 20), (30, 30), (20, 30)], erase=True)
    assert editor.state.area == 1100
    assert len(editor.polygon_points()) == 2  # with its hole
    for few in ([], [(1, 1), (2, 2)], [(0, 0), (1, 0), (float("inf"), 1)]):
        with pytest.raises(QueryError, match="outline"):
            editor.polygon(few)


def test_a_corner_is_dragged_and_all_else_stays() -> None:
    mask = disc(WH, 45, 45, 30) & ~disc(WH, 40, 45, 8)
    mask[3:5, 100:118] = True  # a second part
    editor = open_editor({"one": mask})
    editor.begin("one")
    rings = editor.polygon_points()
    assert len(rings) == 3
    ring = max(range(3), key=lambda number: np.ptp(rings[number], axis=0).prod())
    corner = int(rings[ring][:, 0].argmax())
    rings[ring][corner] += (12, 0)
    editor.set_polygon(rings)
    x, _, w, _ = editor.changed_box or (0, 0, 0, 0)
    assert x >= 60 and w < 30 and editor.state.added > 20 and editor.state.removed == 0
    rings[ring][corner] += (6, 0)
    editor.set_polygon(rings, continues=True)
    rings[ring][corner] -= (18, 0)
    editor.set_polygon(rings, continues=True)
    np.testing.assert_array_equal(editor.mask, mask)  # where it was: not a pixel differs
    assert editor.undo() and not editor.undo()


def test_a_ring_taken_away_takes_its_part() -> None:
    mask = disc(WH, 30, 45, 20) | disc(WH, 90, 45, 20)
    editor = open_editor({"one": mask})
    editor.begin("one")
    rings = editor.polygon_points()
    editor.set_polygon([ring for ring in rings if ring[:, 0].max() < 60])
    assert not editor.mask[:, 65:].any()
    np.testing.assert_array_equal(editor.mask[:, :55], mask[:, :55])


def test_merging_takes_another_segment_in() -> None:
    editor = open_editor({"left": LEFT, "right": RIGHT})
    editor.begin("left")
    editor.merge("right")
    np.testing.assert_array_equal(editor.mask, LEFT | RIGHT)
    assert editor.segment_ids == ("left",)
    for other in ("right", "left", "whole", "nobody"):
        with pytest.raises(QueryError, match="another segment"):
            editor.merge(other)
    assert editor.undo() and editor.segment_ids == ("left", "right")
    np.testing.assert_array_equal(editor.mask, LEFT)


def test_merging_what_lies_inside_can_be_undone() -> None:
    inner = np.zeros_like(LEFT)
    inner[30:40, 30:40] = True
    editor = open_editor({"left": LEFT, "inner": inner})
    editor.begin("left")
    editor.merge("inner")
    assert editor.segment_ids == ("left",) and editor.state.can_undo
    assert editor.undo() and editor.segment_ids == ("left", "inner")


def test_parts_are_split_off_and_specks_stay() -> None:
    mask = LEFT | RIGHT
    mask[5, 5:8] = True  # three pixels; five make a segment here
    mask[20:70, 20:22] = False
    editor = open_editor({"both": mask})
    editor.begin("both")
    assert editor.split() == 2
    assert editor.state.parts == 1 and editor.mask[5, 5:8].all()
    np.testing.assert_array_equal(editor.mask[:, 60:], RIGHT[:, 60:])
    assert editor.split() == 1  # it is in one piece now
    assert editor.undo() and editor.state.parts == 0
    np.testing.assert_array_equal(editor.mask, mask)


def test_what_lies_in_an_outline_is_split_off() -> None:
    editor = open_editor({"left": LEFT})
    editor.begin("left")
    assert editor.split([(0, 0), (120, 0), (120, 45), (0, 45)]) == 2
    assert editor.state.bbox_xywh == (20, 45, 30, 25)
    for around in ([(0, 0), (5, 0), (5, 5)], [(0, 0), (120, 0), (120, 90), (0, 90)]):
        with pytest.raises(QueryError, match="part of the mask"):
            editor.split(around)


def test_deleting_is_an_act_as_others() -> None:
    editor = open_editor({"left": LEFT, "right": RIGHT})
    editor.begin("left")
    editor.delete()
    assert editor.state.is_deleted and editor.segment_ids == ("right",)
    assert editor.undo() and not editor.state.is_deleted
    editor.redo()
    editor.stroke([(60, 45)], 5)
    assert not editor.state.is_deleted and editor.state.area == editor.mask.sum()
    editor.begin(None)
    with pytest.raises(QueryError, match="discard"):
        editor.delete()


def test_an_empty_mask_can_not_be_kept() -> None:
    editor = open_editor({"left": LEFT})
    for name in (None, "left"):
        editor.begin(name)
        editor.stroke([(0, 45), (119, 45)], 60, erase=True)
        with pytest.raises(QueryError, match="empty"):
            editor.keep()


def test_one_pixel_and_the_whole_frame_are_masks() -> None:
    editor = open_editor({})
    editor.begin(None)
    editor.stroke([(119.5, 89.5)], 0.3)
    assert editor.state.bbox_xywh == (119, 89, 1, 1) and editor.state.area == 1
    editor.polygon([(-10, -10), (500, -10), (500, 500), (-10, 500)])
    assert editor.mask.all() and editor.state.bbox_xywh == (0, 0, *WH)
    assert len(editor.polygon_points()) == 1


# -- clicks on a model that somebody added, which knows neither boxes, signs nor masks


def test_clicks_add_and_take_away_whole_things(bright_parts: Segmenter) -> None:
    editor = open_editor({}, bright_parts)
    editor.prepare()
    editor.begin(None)
    np.testing.assert_array_equal(editor.preview(30, 40), editor.preview(35, 50))
    assert not editor.mask.any() and not editor.state.can_undo
    editor.click(30, 40)
    assert (editor.mask & LEFT).sum() > 0.95 * LEFT.sum() and not editor.mask[:, 65:].any()
    editor.click(80, 40)
    assert editor.mask[40, 80] and editor.mask[40, 30]
    editor.stroke([(108, 40)], 5)
    editor.stroke([(101, 40)], 5)
    editor.click(110, 40, inside=False)  # dark, as all that is around
    assert not editor.mask[40, 110] and editor.mask[40, 80] and editor.mask[40, 30]
    state = editor.state
    assert (state.points_inside, state.points_outside, state.strokes) == (2, 1, 2)
    while editor.undo():
        pass
    assert not editor.mask.any() and editor.state.points == ()
    for place in ((-1, 4), (120, 4), (4, 90), (float("nan"), 1)):
        with pytest.raises(QueryError, match="outside"):
            editor.click(*place)


def test_a_click_on_what_a_person_painted_leaves_the_paint(bright_parts: Segmenter) -> None:
    editor = open_editor({}, bright_parts)
    editor.begin(None)
    editor.stroke([(60, 10)], 6)
    painted = editor.mask.copy()
    editor.click(80, 40)
    assert editor.mask[painted].all() and editor.mask[40, 80]
    editor.click(30, 40, inside=False)  # nothing of it is in the mask
    assert editor.mask[painted].all() and editor.mask[40, 80]


def test_without_a_model_a_click_says_what_to_do() -> None:
    editor = open_editor({})
    editor.begin(None)
    with pytest.raises(ModelNotLoadedError, match="download"):
        editor.click(3, 3)
    editor.stroke([(3, 3)], 2)
    assert editor.mask.any()


# -- any acts, undone


@pytest.mark.parametrize("seed", range(12))
def test_any_acts_undone_give_the_masks_of_before(seed: int, bright_parts: Segmenter) -> None:
    random = np.random.default_rng([28, seed])
    editor = open_editor({"left": LEFT, "right": RIGHT}, bright_parts)
    editor.begin(None if seed % 3 == 0 else "left")
    seen = [(editor.mask.copy(), editor.state, editor.segment_ids)]
    for _ in range(14):
        one_act(editor, random)
        mask, state = editor.mask, editor.state
        assert state.area == np.count_nonzero(mask)
        ys, xs = np.nonzero(mask)
        box = (xs.min(), ys.min(), np.ptp(xs) + 1, np.ptp(ys) + 1) if len(xs) else None
        assert state.bbox_xywh == box
        if state.can_undo and not same(seen[-1], (mask, state, editor.segment_ids)):
            x, y, w, h = editor.changed_box or (0, 0, 0, 0)
            elsewhere = seen[-1][0] ^ mask
            elsewhere[y : y + h, x : x + w] = False
            assert not elsewhere.any()
            seen.append((mask.copy(), state, editor.segment_ids))
    acts = 0
    while editor.undo():
        acts += 1
    assert same((editor.mask, editor.state, editor.segment_ids), seen[0], undone=True)
    for _ in range(acts):
        assert editor.redo()
    assert same((editor.mask, editor.state, editor.segment_ids), seen[-1], undone=True)
    assert not editor.redo()


Seen = tuple[np.ndarray, object, tuple[str, ...]]


def same(one: Seen, other: Seen, undone: bool = False) -> bool:
    np_same = np.array_equal(one[0], other[0]) and one[2] == other[2]
    return np_same and (undone or one[1] == other[1])


def one_act(editor: MaskEditor, random: np.random.Generator) -> None:
    places = random.uniform((-20, -20), (140, 110), (random.integers(1, 6), 2))
    act = random.integers(0, 9)
    if act <= 2:
        editor.stroke(places.tolist(), random.uniform(0.2, 15), bool(act % 2), act == 2)
    elif act == 3 and len(places) >= 3:
        editor.polygon(places.tolist(), bool(random.integers(0, 2)))
    elif act == 4 and (rings := editor.polygon_points()):
        ring = rings[random.integers(len(rings))]
        ring[random.integers(len(ring))] += random.normal(0, 20, 2)
        editor.set_polygon(rings)
    elif act == 5:
        editor.split()
    elif act == 6 and "right" in editor.segment_ids:
        editor.merge("right")
    elif act == 7 and editor.state.segment_id is not None:
        editor.delete()
    elif act == 8:
        x, y = random.uniform((0, 0), WH)
        editor.click(x, y, bool(random.integers(0, 2)))
