"""Ranges of time: in words, as a condition, and as bars."""

from __future__ import annotations

from datetime import date

import pytest

from src.gui.filters.periods import Days, bars, days_of, long_words, short_words, taken_in, ticks
from src.search.leaves import TakenIn


@pytest.mark.parametrize(
    ("first", "last", "short", "long"),
    [
        ("2024-03", "2024-09", "Mar–Sep 2024", "1 Mar – 30 Sep 2024"),
        ("2024", "2024", "2024", "1 Jan – 31 Dec 2024"),
        ("2022", "2024", "2022–2024", "1 Jan 2022 – 31 Dec 2024"),
        ("2024-02", "2024-02", "Feb 2024", "1–29 Feb 2024"),
        ("2023-11", "2024-02", "Nov 2023 – Feb 2024", "1 Nov 2023 – 29 Feb 2024"),
        ("2024-03-05", "2024-03-09", "5–9 Mar 2024", "5–9 Mar 2024"),
        ("2024-03-05", "2024-04-09", "5 Mar – 9 Apr 2024", "5 Mar – 9 Apr 2024"),
        ("2024-03-05", "2024-03-05", "5 Mar 2024", "5 Mar 2024"),
        ("2024-03", None, "from Mar 2024", "from 1 Mar 2024"),
        (None, "2024-03-05", "until 5 Mar 2024", "until 5 Mar 2024"),
    ],
)
def test_a_range_in_words(first: str | None, last: str | None, short: str, long: str) -> None:
    taken = TakenIn(first, last)
    days = days_of(taken)
    assert (short_words(days), long_words(days)) == (short, long)
    assert taken_in(days) == taken


def test_whole_months_and_years_are_written_as_such() -> None:
    assert str(taken_in(Days(date(2024, 3, 1), date(2024, 9, 30)))) == "taken:2024-03..2024-09"
    assert str(taken_in(Days(date(2024, 1, 1), date(2024, 12, 31)))) == "taken:2024"
    assert str(taken_in(Days(None, date.max))) == "taken<=9999"
    assert days_of(TakenIn("2024-03-05T10:00")) == Days(date(2024, 3, 5), None)


def test_several_ranges_hold_together() -> None:
    since, until = days_of(TakenIn("2024-03")), days_of(TakenIn(None, "2024-09"))
    assert since & until == days_of(TakenIn("2024-03", "2024-09"))


def test_bars_and_what_stands_under_them() -> None:
    days = bars(["2024-02-28", "2024-02-29", "2024-03-01", "2024-03-02"])
    assert days[1] == Days(date(2024, 2, 29), date(2024, 2, 29))
    assert ticks(days) == [(0, "Feb 2024"), (2, "Mar 2024")]
    months = bars(["2023-11-01", "2023-12-01", "2024-01-01", "2024-02-01"])
    assert months[-1] == Days(date(2024, 1, 1), date(2024, 1, 31))
    assert ticks(months) == [(0, "2023"), (2, "2024")]
    assert ticks(bars(["2023-01-01", "2024-01-01", "2025-01-01"])) == [(0, "2023"), (1, "2024")]
    assert ticks(bars([])) == []
