"""Bars of time: whole months and years, and every file in one of them."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from src.search.captured_histogram import captured_histogram


@pytest.mark.parametrize(
    ("days", "bins", "edges"),
    [
        (["2024-05-31"], 60, ("2024-05-31", "2024-06-01")),
        (["2024-02-28", "2024-03-01"], 12, ("2024-02-28", "2024-02-29", "2024-03-01")),
        (["2024-01-01", "2024-02-01"], 12, ("2024-01-01", "2024-01-08")),
        (["2022-01-15", "2025-12-31"], 60, ("2022-01-01", "2022-02-01")),
        (["1999-05-01", "2025-12-31"], 60, ("1999-01-01", "2000-01-01")),
        (["0001-01-01", "9998-12-31"], 12, ("0001-01-01", "1000-01-01")),
    ],
)
def test_bars_are_of_days_weeks_months_or_years(
    days: list[str], bins: int, edges: tuple[str, ...]
) -> None:
    found = captured_histogram(dict.fromkeys(days, 1), bins)
    assert found is not None and found.edges[: len(edges)] == edges
    assert len(found.edges) - 1 == len(found.counts) <= bins
    assert sum(found.counts) == len(days)


def test_every_file_is_in_the_bar_of_its_day() -> None:
    draw = random.Random(0)
    for _ in range(200):
        first = date(draw.randint(1900, 2030), draw.randint(1, 12), draw.randint(1, 28))
        longest = draw.choice([3, 40, 400, 4000, 40_000])
        days: dict[str | None, int] = {
            str(first + timedelta(draw.randint(0, longest))): draw.randint(1, 5) for _ in range(30)
        }
        days |= {None: 3, "2020-02-30": 2, "9999-12-31": 1}
        found = captured_histogram(days, draw.choice([12, 60]))
        assert found is not None and found.undated == 6
        for i, count in enumerate(found.counts):
            low, high = found.edges[i : i + 2]
            inside = (n for day, n in days.items() if day and low <= day < high)
            assert count == sum(inside) - 2 * (low <= "2020-02-30" < high)
        assert found.counts[0] and found.counts[-1]


def test_without_a_day_there_is_none() -> None:
    assert captured_histogram({None: 3}, 60) is None
