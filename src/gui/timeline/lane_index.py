"""The bars of a lane, ready to be found by time and to be drawn at any size; numbers only."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from src.gui.timeline.time_scale import TimeScale
from src.track_records import Lane, LaneBar

_MOST_LEVELS = 3
_LEAST_PX = 3  # so wide at least, a bar leaves a pixel free before the next


class LaneIndex:
    """Bars that overlap lie on levels of their own, as far as there are levels."""

    def __init__(self, lane: Lane) -> None:
        bars = sorted(lane.bars, key=lambda bar: bar.begin_s)
        self.lane, self.bars = lane, tuple(bars)
        self._begins = np.array([bar.begin_s for bar in bars], np.float64)
        self._ends = np.array([bar.end_s for bar in bars], np.float64)
        # up to each bar, when the one ends that ends last: what may reach into a later time
        self._latest = np.maximum.accumulate(self._ends) if bars else self._ends
        self._levels = _levels(self._begins, self._ends)
        self.levels = int(self._levels.max(initial=0)) + 1

    @property
    def edges_s(self) -> np.ndarray:
        """All times at which a bar begins or ends, ascending: (2 N,) float64."""
        return np.sort(np.concatenate([self._begins, self._ends]))

    def level(self, place: int) -> int:
        return int(self._levels[place])

    def _between(self, begin_s: float, end_s: float) -> slice:
        """Return the bars among which all lie that are seen in a range."""
        return slice(
            int(np.searchsorted(self._latest, begin_s)),
            int(np.searchsorted(self._begins, end_s, "right")),
        )

    def at(self, time_s: float, level: int | None = None, reach_s: float = 0.0) -> int | None:
        """Return the bar at a time, the shortest of several; None where there is none.

        Args:
            level: the only one on which it may lie.
            reach_s: so far from a time a bar may be that is hard to hit.
        """
        among = self._between(time_s - reach_s, time_s + reach_s)
        places = np.arange(among.start, among.stop)
        begins, ends = self._begins[among], self._ends[among]
        hit = (begins - reach_s <= time_s) & (time_s <= ends + reach_s)
        if level is not None:
            hit &= self._levels[among] == level
        if not hit.any():
            return None
        # one that the time lies in comes before one that is only near
        away = np.maximum(np.maximum(begins - time_s, time_s - ends), 0)
        best = np.lexsort((ends[hit] - begins[hit], away[hit]))[0]
        return int(places[hit][best])

    def nearest(self, time_s: float) -> int | None:
        """Return the bar that is nearest to a time; None in a lane without any."""
        if not self.bars:
            return None
        away = np.maximum(np.maximum(self._begins - time_s, time_s - self._ends), 0)
        return int(np.argmin(away))

    def spans(self, scale: TimeScale, level: int) -> tuple[np.ndarray, np.ndarray]:
        """Return where bars of a level are seen: (N,) int lefts and rights, at least a pixel wide.

        Of many that lie on one pixel there is one.
        """
        among = self._between(scale.begin_s, scale.end_s)
        on_level = self._levels[among] == level
        begins, ends = self._begins[among][on_level], self._ends[among][on_level]
        lefts = np.rint((begins - scale.begin_s) * scale.px_per_s).astype(np.int64)
        rights = np.rint((ends - scale.begin_s) * scale.px_per_s).astype(np.int64)
        rights -= rights - lefts >= _LEAST_PX
        rights = np.maximum(rights, lefts + 1)
        if len(lefts) > 1:
            keep = np.concatenate([[True], (lefts[1:] > lefts[:-1]) | (rights[1:] > rights[:-1])])
            lefts, rights = lefts[keep], rights[keep]
        return lefts, rights

    def visible(self, scale: TimeScale) -> Iterator[LaneBar]:
        """Yield the bars that are in view."""
        for bar in self.bars[self._between(scale.begin_s, scale.end_s)]:
            if bar.end_s >= scale.begin_s:
                yield bar


def _levels(begins: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Put each bar on the first level that is free at its time, the last one if none is."""
    levels = np.zeros(len(begins), np.int64)
    free_from: list[float] = []
    for place, (begin, end) in enumerate(zip(begins.tolist(), ends.tolist(), strict=True)):
        level = next((n for n, free in enumerate(free_from) if free <= begin), len(free_from))
        level = min(level, _MOST_LEVELS - 1)
        if level == len(free_from):
            free_from.append(end)
        free_from[level] = max(free_from[level], end)
        levels[place] = level
    return levels
