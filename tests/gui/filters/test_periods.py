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


def test_bars_are_days_months_or_years() -> None:
    days = bars(date(2024, 2, 27), date(2024, 3, 3))
    assert len(days) == 6 and days[2] == Days(date(2024, 2, 29), date(2024, 2, 29))
    assert ticks(days) == [(0, "Feb 2024"), (3, "Mar 2024")]
    months = bars(date(2022, 3, 5), date(2025, 11, 2))
    assert len(months) == 45 and months[-1].last == date(2025, 11, 30)
    assert ticks(months) == [(0, "2022"), (10, "2023"), (22, "2024"), (34, "2025")]
    assert len(bars(date(1990, 3, 5), date(2025, 11, 2))) == 36
    assert bars(date.max, date.max) == [Days(date.max, date.max)]
    assert ticks(bars(date(2024, 2, 27), date(2024, 2, 27))) == [(0, "27 Feb")]
