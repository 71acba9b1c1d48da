"""What of a library can be chosen in a filter: its tags, folders and cameras, and its times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from src.gui.filters.list_chooser import Listed
from src.gui.filters.periods import Days, bars
from src.search.filters import Filter


@dataclass(frozen=True)
class TimeChart:
    """How many were taken when.

    Attributes:
        bars: days, months or years, in order; none where no date is known.
        counts: of what was taken in each of them.
    """

    bars: Sequence[Days] = ()
    counts: Sequence[int] = ()


def time_chart(library: Any, where: Filter) -> TimeChart:
    """Count what a filter leaves by the time at which it was taken."""
    facts = library.search_facts()
    if facts.first_captured is None or facts.last_captured is None:
        return TimeChart()
    periods = bars(facts.first_captured, facts.last_captured)
    return TimeChart(periods, library.browse.captured_histogram(where, periods))


def listed(library: Any, key: str) -> list[Listed]:
    """List what the button of a key offers, most first."""
    facts = library.search_facts()
    counts = {"tag": facts.tags, "folder": facts.folders, "camera": facts.cameras}[key]
    return [Listed(value, value, count) for value, count in counts.items()]
