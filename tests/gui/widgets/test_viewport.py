"""Zooming and moving a frame in its window."""

from __future__ import annotations

import pytest

from src.gui.widgets.viewport import LARGEST, Viewport

FRAME, WINDOW = (4000, 3000), (800, 900)


def test_a_frame_that_fits_is_whole_in_the_middle_at_the_top() -> None:
    view = Viewport.fitting((1000, 2000), (800, 600))
    assert view.is_fitting and view.scale == pytest.approx(0.3)
    assert view.box == (250, 0, 300, 600)
    assert view.part == pytest.approx((0, 0, 1000, 2000))


def test_zooming_keeps_what_lies_under_the_pointer() -> None:
    view = Viewport.fitting(FRAME, WINDOW)
    at = (600, 300)
    before = view.to_frame(*at)
    near = view.zoomed(1.0, at)
    assert near.to_frame(*at) == pytest.approx(before)
    assert near.box == (0, 0, *WINDOW) and not near.is_fitting
    left, top, right, bottom = near.part
    assert (right - left, bottom - top) == pytest.approx(WINDOW)
    assert near.to_window(*before) == pytest.approx(at)


def test_it_is_zoomed_no_further_than_makes_sense() -> None:
    view = Viewport.fitting(FRAME, WINDOW)
    assert view.zoomed(100).scale == LARGEST
    assert view.zoomed(3).zoomed(0.001) == view
    small = Viewport.fitting((20, 20), (800, 800))
    assert small.scale == 40 and small.zoomed(100).scale == 40
    assert small.zoomed(0.1).box == (390, 0, 20, 20)


def test_no_edge_comes_further_in_than_it_must() -> None:
    view = Viewport.fitting(FRAME, WINDOW).zoomed(1.0)
    assert view.moved(1e6, 1e6).part == pytest.approx((0, 0, 800, 900))
    assert view.moved(-1e6, -1e6).part == pytest.approx((3200, 2100, 4000, 3000))
    assert view.moved(-100, 0).left == pytest.approx(view.left + 100)
    fitting = Viewport.fitting(FRAME, WINDOW)
    assert fitting.moved(50, 50) == fitting


def test_another_size_of_the_window_keeps_the_middle_or_the_fit() -> None:
    fitting = Viewport.fitting(FRAME, WINDOW)
    assert fitting.resized((400, 300)).is_fitting
    near = fitting.zoomed(2.0)
    middle = near.to_frame(400, 450)
    assert near.resized((600, 500)).to_frame(300, 250) == pytest.approx(middle)
