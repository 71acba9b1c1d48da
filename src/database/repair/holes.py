"""The parts of a table about which a damaged file says nothing."""

from __future__ import annotations

import bisect

from src.database.repair.row_format import Key


class Holes:
    """Ranges of keys about which a tree says nothing."""

    def __init__(self) -> None:
        self._ranges: list[tuple[Key, Key]] = []
        self._lows: list[Key] | None = None

    def __bool__(self) -> bool:
        return bool(self._ranges)

    def add(self, low: Key, high: Key) -> None:
        self._ranges.append((low, high) if low <= high else (high, low))
        self._lows = None

    def cover(self, key: Key) -> bool:
        """Return whether a key lies in one of them, both ends included."""
        if self._lows is None:
            self._merge()
        assert self._lows is not None
        place = bisect.bisect_right(self._lows, key) - 1
        return place >= 0 and key <= self._ranges[place][1]

    def ranges(self) -> list[tuple[Key, Key]]:
        self._merge()
        return list(self._ranges)

    def _merge(self) -> None:
        merged: list[tuple[Key, Key]] = []
        for low, high in sorted(self._ranges):
            if merged and low <= merged[-1][1]:
                merged[-1] = merged[-1][0], max(merged[-1][1], high)
            else:
                merged.append((low, high))
        self._ranges = merged
        self._lows = [low for low, _ in merged]
