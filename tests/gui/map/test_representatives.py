"""Which points get a thumbnail, and which one the pointer is at."""

from __future__ import annotations

import numpy as np

from src.gui.map.representatives import MOST, nearest_point, representatives
from src.search.map_picture import MapView

RNG = np.random.default_rng(5)
CLUSTERS = np.concatenate(
    [RNG.normal(middle, 0.01, (count, 2)) for middle, count in ((0.25, 40), (0.75, 90))]
).astype(np.float32)
ALL = np.ones(len(CLUSTERS), bool)


def test_the_fullest_cell_comes_first_and_is_shown_by_what_is_near_its_middle() -> None:
    chosen = representatives(CLUSTERS, ALL, MapView((800, 800)), 400, 40)
    assert len(chosen) == 2 and chosen[0] >= 40 > chosen[1]
    assert np.abs(CLUSTERS[chosen[0]] - 0.75).max() < 0.01
    only = np.arange(len(CLUSTERS)) < 40
    assert all(place < 40 for place in representatives(CLUSTERS, only, MapView((800, 800)), 96, 40))
    assert representatives(CLUSTERS, ~ALL, MapView((800, 800)), 96, 40) == []


def test_a_map_that_is_moved_keeps_its_thumbnails_and_shows_more_when_zoomed() -> None:
    points = RNG.random((4000, 2)).astype(np.float32)
    shown, whole = np.ones(4000, bool), MapView((800, 800))
    few = representatives(points, shown, whole, 96, 52)
    moved = representatives(points, shown, whole.moved((30, 0)), 96, 52)
    assert len(set(few) & set(moved)) >= len(few) - 4
    near = whole.zoomed(3, (400, 400))
    many = representatives(points, shown, near, 96, 52)
    assert len(few) < len(many) <= MOST
    at = near.to_pixels(points[many])
    apart = np.abs(at[:, None] - at[None]).max(axis=2) + 1000 * np.eye(len(many))
    assert apart.min() >= 52


def test_no_thumbnail_is_cut_off_by_the_edge() -> None:
    points = RNG.random((4000, 2)).astype(np.float32)
    for view in (MapView((800, 500)), MapView((800, 500)).zoomed(3, (10, 490))):
        at = view.to_pixels(points[representatives(points, np.ones(4000, bool), view, 96, 52)])
        assert len(at) and at.min() >= 26 and (at <= (800 - 26, 500 - 26)).all()


def test_the_pointer_is_at_the_nearest_point_in_reach() -> None:
    pixels = np.array([[10, 10], [14, 10], [60, 60]], np.float32)
    shown = np.array([True, True, True])
    assert nearest_point(pixels, shown, 13, 10, 9) == 1
    assert nearest_point(pixels, np.array([True, False, True]), 13, 10, 9) == 0
    assert nearest_point(pixels, shown, 40, 40, 9) is None
