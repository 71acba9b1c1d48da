"""What the map's colours mean, and what stands out."""

from __future__ import annotations

import numpy as np

from src.gui.map.colouring import by_strength, by_tags
from src.gui.map.colours import OTHER, colours_for, rgb, with_emphasis
from src.gui.theme.theme import DARK
from src.search.map_tags import MapTags

HAS = np.array([[True, True], [True, False], [False, False], [False, True]])
TAGS = MapTags(("red", "dog"), HAS, np.array([1, 0, -1, 1]))


def test_points_have_the_colour_of_their_surest_tag_and_rows_count_all_that_have_one() -> None:
    colouring = by_tags(TAGS)
    red, dog = (rgb(each) for each in colours_for(("red", "dog")))
    colours = [dog, red, rgb(OTHER), dog]
    assert [tuple(each) for each in colouring.colours] == colours
    assert [(row.name, row.points) for row in colouring.rows] == [
        ("red", 2),
        ("dog", 2),
        ("other", 1),
    ]
    assert colouring.shown(None).all()
    assert colouring.shown(0).tolist() == [True, True, False, False]
    alone = colouring.with_row_alone(0)
    assert tuple(alone[0]) == tuple(alone[1]) == red
    assert [row.name for row in by_tags(MapTags((), HAS[:, :0], np.full(4, -1))).rows] == [
        "no tags"
    ]


def test_strong_hits_are_counted_apart() -> None:
    colouring = by_strength(np.array([0.1, 0.5, 0.9], np.float32), DARK)
    assert [row.points for row in colouring.rows] == [2, 1]
    assert colouring.shown(0).tolist() == [False, True, True]


def test_what_is_selected_is_painted_last_and_the_rest_goes_towards_the_ground() -> None:
    colours = np.full((3, 3), 200, np.uint8)
    shown, selection = np.array([True, True, False]), np.array([True, False, False])
    mixed, order = with_emphasis(colours, shown, selection, (0, 0, 0))
    assert mixed[:, 0].tolist()[0] == 200 > mixed[1, 0] > mixed[2, 0]
    assert order.tolist() == [2, 1, 0]
    plain, _ = with_emphasis(colours, shown | True, selection & False, (0, 0, 0))
    assert (plain == 200).all()


def test_a_tag_that_names_a_colour_has_it_and_no_two_have_the_same() -> None:
    names = ("gray", "red", "Blue block", "dog", "blue", "green", "car")
    chosen = colours_for(names)
    assert len(set(chosen)) == 7
    assert chosen[1:3] == [colours_for(["red"])[0], colours_for(["blue"])[0]]
