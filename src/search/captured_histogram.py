"""How many photos and films were taken when: bars for a person to drag over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

# What a bar may stand for: so many days, or so many months.
_DAYS, _MONTHS = (1, 7), (1, 3, 12, 60, 300, 1200, 12_000)
FEWEST_BINS = 12
# Of later days there is no next year, and no camera says them.
LATEST = date(9998, 12, 31)


@dataclass(frozen=True)
class CapturedHistogram:
    """Counts of media files by the time they were taken, by the camera's clock.

    Attributes:
        edges: N + 1 days as 2020-05-31, where bars begin and the last one ends: files of bar i
            are those of `after:edges[i] before:edges[i + 1]`. Months and years are whole.
        counts: N of files.
        undated: how many files there are besides, of which no time is known.
    """

    edges: tuple[str, ...]
    counts: tuple[int, ...]
    undated: int


def captured_histogram(days: Mapping[str | None, int], bins: int) -> CapturedHistogram | None:
    """Put days into up to so many bars of days, weeks, months, quarters, years or more.

    Args:
        days: files of each day, as 2020-05-31; None for those of no known day.
        bins: FEWEST_BINS or more.

    Returns:
        None where there is no day. A day that is in no calendar counts as undated.
    """
    known, undated = dict[date, int](), 0
    for text, count in days.items():
        day = _day(text)
        if day is None:
            undated += count
        else:
            known[day] = known.get(day, 0) + count
    if not known:
        return None
    edges = _edges(min(known), max(known), bins)
    counts, bar = [0] * (len(edges) - 1), 0
    for day in sorted(known):
        while day >= edges[bar + 1]:
            bar += 1
        counts[bar] += known[day]
    return CapturedHistogram(tuple(map(str, edges)), tuple(counts), undated)


def _day(text: str | None) -> date | None:
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    return day if day <= LATEST else None


def _edges(first: date, last: date, bins: int) -> list[date]:
    steps = [(True, days) for days in _DAYS] + [(False, months) for months in _MONTHS]
    for is_days, size in steps:
        walk = _by_days(first, size) if is_days else _by_months(first, size)
        edges = [next(walk)]
        for edge in walk:
            edges.append(edge)
            if edge > last or len(edges) > bins + 1:
                break
        if edges[-1] > last and len(edges) <= bins + 1:
            return edges
    raise ValueError(f"{bins} bars are too few; ask for {FEWEST_BINS} or more")


def _by_days(first: date, size: int) -> Iterator[date]:
    day = first
    while True:
        yield day
        day = min(day + timedelta(size), date.max)


def _by_months(first: date, size: int) -> Iterator[date]:
    month = (12 * first.year + first.month - 1) // size * size
    while True:
        # there is no year 0, and none after 9999
        year = month // 12
        yield date.min if year < 1 else date.max if year > 9999 else date(year, month % 12 + 1, 1)
        month += size
