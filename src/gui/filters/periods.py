"""Ranges of time in days: as the condition `taken:` has them, as bars of a chart, in words."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Literal

from src.search.leaves import TakenIn
from src.search.media_leaves import TakenAfter, TakenBefore

Unit = Literal["day", "month", "year"]
_SHORTEST_MONTH = 28


@dataclass(frozen=True)
class Days:
    """From a day to a day, both in it; None is no end."""

    first: date | None
    last: date | None

    def __and__(self, other: Days) -> Days:
        """Return the days that are in both; where there are none, the last is before the first."""
        firsts = [day for day in (self.first, other.first) if day is not None]
        lasts = [day for day in (self.last, other.last) if day is not None]
        return Days(max(firsts, default=None), min(lasts, default=None))

    @property
    def unit(self) -> Unit:
        """The largest unit that its ends are whole ones of."""
        firsts = [] if self.first is None else [self.first]
        nexts = [] if self.last is None or self.last == date.max else [self.last + timedelta(1)]
        starts = firsts + nexts
        if any(day.day > 1 for day in starts):
            return "day"
        return "month" if any(day.month > 1 for day in starts) else "year"


def days_of(taken: TakenIn | TakenAfter | TakenBefore) -> Days:
    """Return the days that a condition is about; a time of day in it makes it a whole day."""
    if isinstance(taken, TakenAfter):
        return Days(_days_named(taken.date)[0], None)
    if isinstance(taken, TakenBefore):
        return _up_to(taken.date)
    if taken.is_strict:  # one end is given, and does not belong to it
        if taken.last is not None:
            return _up_to(taken.last)
        assert taken.first is not None
        last = _days_named(taken.first)[1]
        return Days(last if _has_time(taken.first) else _moved(last, 1), None)
    first = None if taken.first is None else _days_named(taken.first)[0]
    last_day = None if taken.last is None else _days_named(taken.last)[1]
    return Days(first, last_day)


def _up_to(text: str) -> Days:
    """Return the days before what a text names has begun."""
    first = _days_named(text)[0]
    return Days(None, first if _has_time(text) else _moved(first, -1))


def _moved(day: date, days: int) -> date:
    """Return a day some days later or earlier, as far as there are dates."""
    return date.fromordinal(min(max(1, day.toordinal() + days), date.max.toordinal()))


def _has_time(text: str) -> bool:
    return "T" in text


def taken_in(days: Days) -> TakenIn:
    """Write days as a person would: by years or by months where these are whole."""
    length = {"year": 4, "month": 7, "day": 10}[days.unit]

    def written(day: date | None) -> str | None:
        return None if day is None else day.isoformat()[:length]

    return TakenIn(written(days.first), written(days.last))


def bars(edges: Sequence[str]) -> list[Days]:
    """Return the days of each bar of a chart.

    Args:
        edges: where bars begin and the last one ends; see CapturedHistogram.
    """
    days = [date.fromisoformat(edge) for edge in edges]
    return [Days(first, _moved(end, -1)) for first, end in pairwise(days)]


def short_words(days: Days) -> str:
    """Say it for a button: "Mar–Sep 2024", "2022–2024", "from 5 Mar 2024"."""
    return _words(days, days.unit)


def long_words(days: Days) -> str:
    """Say it to the day: "1 Mar – 30 Sep 2024"."""
    return _words(days, "day")


def ticks(periods: Sequence[Days]) -> list[tuple[int, str]]:
    """Return what stands under bars: the number of a bar and its words, a month or a year.

    Args:
        periods: as `bars` gives them.
    """
    firsts = [each.first for each in periods if each.first is not None]
    last = periods[0].last if periods else None
    if last is None:
        return []
    is_short = (last - firsts[0]).days < _SHORTEST_MONTH - 1
    words = [_month(day) if is_short else str(day.year) for day in firsts]
    return [(n, text) for n, text in enumerate(words) if n == 0 or text != words[n - 1]]


def _words(days: Days, unit: Unit) -> str:
    first, last = days.first, days.last
    if first is None and last is None:
        return "any time"
    if last is None or first is None:
        day = first or last
        assert day is not None
        return f"{'until' if first is None else 'from'} {_said(day, unit)}"
    if unit == "year":
        return _said(first, unit) if first.year == last.year else f"{first.year}–{last.year}"
    same_year = first.year == last.year
    same_month = same_year and first.month == last.month
    if first == last or (unit == "month" and same_month):
        return _said(last, unit)
    if unit == "month" and same_year:
        return f"{_MONTHS[first.month]}–{_said(last, unit)}"
    if same_month:
        return f"{first.day}–{_said(last, unit)}"
    return f"{_day(first) if same_year else _said(first, unit)} – {_said(last, unit)}"


# in English whatever the system's language is, as all other words of the window
_MONTHS = "- Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def _day(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month]}"


def _month(day: date) -> str:
    return f"{_MONTHS[day.month]} {day.year}"


def _said(day: date, unit: Unit) -> str:
    if unit == "year":
        return str(day.year)
    return _month(day) if unit == "month" else f"{_day(day)} {day.year}"


def _days_named(text: str) -> tuple[date, date]:
    """Return the first and the last day of what is named by 2024, 2024-03 or 2024-03-05T10:00."""
    year, month, day = (int(part) if part else 0 for part in (text[:4], text[5:7], text[8:10]))
    last_month = month or 12
    last_day = day or calendar.monthrange(year, last_month)[1]
    return date(year, month or 1, day or 1), date(year, last_month, last_day)
