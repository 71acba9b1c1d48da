"""What of a library can be chosen in a filter: its tags, folders and cameras, and its times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from src.gui.filters.list_chooser import Listed
from src.gui.filters.periods import Days, bars
from src.search.filters import Filter

if TYPE_CHECKING:
    from src.library import MediaLibrary

_MOST_BARS = 60  # wide enough to be pointed at in the smallest window


@dataclass(frozen=True)
class TimeChart:
    """How many media files were taken when.

    Attributes:
        bars: times, in order; none where no date is known.
        counts: files of each of them.
        undated: files of which no time is known.
    """

    bars: Sequence[Days] = ()
    counts: Sequence[int] = ()
    undated: int = 0


def time_chart(library: MediaLibrary, where: Filter) -> TimeChart:
    """Count the files that a filter leaves something of, by the time at which they were taken."""
    found = library.browse.captured_histogram(where, _MOST_BARS)
    if found is None:
        return TimeChart()
    return TimeChart(bars(found.edges), found.counts, found.undated)


def listed(library: MediaLibrary, key: str) -> list[Listed]:
    """List what the button of a key offers: tags and cameras most first, folders from A to Z."""
    if key == "folder":
        counts = library.browse.folders()
    else:
        found = library.tag_counts() if key == "tag" else library.browse.cameras()
        counts = dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
    return [Listed(value, value, count) for value, count in counts.items()]
