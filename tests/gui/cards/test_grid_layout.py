"""Where cards lie, with a band across the grid and without."""

from __future__ import annotations

import pytest

from src.gui.cards.grid_layout import GridLayout


def test_without_a_band_rows_follow_each_other() -> None:
    grid = GridLayout(count=10, columns=4, pitch=100)
    assert (grid.rows, grid.height) == (3, 300)
    assert [grid.place(card) for card in (0, 3, 4, 9)] == [(0, 0), (0, 3), (1, 0), (2, 1)]
    assert grid.seen(150, 250) == (4, 10)
    assert grid.seen(0, 50) == (0, 4)


def test_what_lies_below_the_band_begins_a_row() -> None:
    grid = GridLayout(count=10, columns=4, pitch=100, split=5, band=60)
    assert (grid.rows, grid.height, grid.band_top) == (4, 460, 200)
    assert [grid.place(card) for card in (4, 5, 9)] == [(1, 0), (2, 0), (3, 0)]
    assert [grid.top(card) for card in (4, 5, 9)] == [100, 260, 360]
    assert grid.seen(150, 210) == (4, 9), "the band is seen, and the row below it may be"
    assert grid.seen(270, 300) == (5, 9)


def test_a_band_above_all_and_one_below_all() -> None:
    top = GridLayout(count=3, columns=4, pitch=100, split=0, band=60)
    assert (top.band_top, top.top(0), top.height) == (0, 60, 160)
    bottom = GridLayout(count=3, columns=4, pitch=100, split=3, band=60)
    assert (bottom.band_top, bottom.top(2), bottom.height) == (100, 0, 160)
    none = GridLayout(count=0, columns=4, pitch=100, split=0, band=60)
    assert (none.seen(0, 500), none.height) == ((0, 0), 60)


@pytest.mark.parametrize("split", [None, 0, 1, 5, 8, 10])
def test_every_card_is_seen_where_it_lies(split: int | None) -> None:
    grid = GridLayout(count=10, columns=4, pitch=100, split=split, band=60)
    for card in range(grid.count):
        first, last = grid.seen(grid.top(card) + 10, grid.top(card) + 20)
        assert first <= card < last
    row_starts = [grid.first_of(row) for row in range(grid.rows)]
    assert row_starts == sorted(set(row_starts))


def test_keys_go_over_the_band_and_stay_at_the_edges() -> None:
    grid = GridLayout(count=10, columns=4, pitch=100, split=6, band=60)
    assert grid.beside(3, 1) == 5, "the row is shorter"
    assert grid.beside(5, 1) == 7
    assert grid.beside(7, -1) == 5
    assert grid.beside(2, -1) == 2
    assert grid.beside(8, 1) == 9
    assert grid.beside(9, -9) == 0


@pytest.mark.parametrize("split", [None, 0, 1, 5, 8, 10])
@pytest.mark.parametrize("count", [0, 1, 10])
def test_rows_and_columns_of_a_box_hold_the_cards_that_it_touches(
    count: int, split: int | None
) -> None:
    grid = GridLayout(count, columns=4, pitch=100, split=split, band=60)
    high = 80
    for top in range(-120, 500, 20):
        for bottom in range(top, 520, 35):
            rows = grid.rows_in(top, bottom, high)
            for columns in (range(4), range(1, 3), range(3, 4), range(2, 2)):
                touched = {
                    card
                    for card in range(count)
                    if grid.place(card)[1] in columns
                    and grid.top(card) <= bottom
                    and grid.top(card) + high >= top
                }
                assert grid.within(rows, columns) == touched, (top, bottom, columns)
