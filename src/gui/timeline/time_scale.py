"""Which part of a video the timeline shows, and how large; numbers only."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from src.counting import moment
from src.track_records import SAME_MOMENT_S

RATES = (2.0, 5.0, 10.0, 25.0)  # frames a second that a range can be sampled by
CLOSEST = 600.0  # pixels of a second: a frame of sixty a second is ten pixels wide
_SHORTEST_S = 0.04  # of what is shown: a video of one frame has no length
# Seconds between two labels of the ruler.
_STEPS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
_IN_VIEW = 0.08  # of the width: so far from the edge what has to be seen is brought


@dataclass(frozen=True)
class Tick:
    """A mark of the ruler; those between two labels are not labelled."""

    time_s: float
    is_labelled: bool


@dataclass(frozen=True)
class TimeScale:
    """A window onto the time of a video.

    Attributes:
        duration_s: of the video.
        width_px: of the window, in device pixels.
        px_per_s: device pixels of a second.
        begin_s: the time at the window's left edge.
    """

    duration_s: float
    width_px: int
    px_per_s: float
    begin_s: float = 0.0

    @classmethod
    def fitting(cls, duration_s: float, width_px: int) -> TimeScale:
        """Show the whole video."""
        duration_s = max(duration_s, _SHORTEST_S)
        return cls(duration_s, max(1, width_px), max(1, width_px) / duration_s)

    @property
    def fit_px_per_s(self) -> float:
        """The scale at which the whole video is seen."""
        return self.width_px / self.duration_s

    @property
    def is_fitting(self) -> bool:
        return self.px_per_s <= self.fit_px_per_s * (1 + 1e-9)

    @property
    def end_s(self) -> float:
        """The time at the window's right edge."""
        return self.begin_s + self.width_px / self.px_per_s

    def x_of(self, time_s: float) -> float:
        """Return where a time lies, in device pixels from the left edge."""
        return (time_s - self.begin_s) * self.px_per_s

    def time_at(self, x: float) -> float:
        """Return the time that lies at a place; of one outside the video its nearer end."""
        return min(max(0.0, self.begin_s + x / self.px_per_s), self.duration_s)

    # -- another part, or another size

    def zoomed(self, factor: float, x: float) -> TimeScale:
        """Show it larger or smaller; what lies at `x` stays there as far as it can."""
        least = self.fit_px_per_s
        px_per_s = min(max(self.px_per_s * factor, least), max(CLOSEST, least))
        time_s = self.begin_s + x / self.px_per_s
        return replace(self, px_per_s=px_per_s, begin_s=time_s - x / px_per_s)._inside()

    @property
    def zoom(self) -> float:
        """How far it is zoomed in: 0 for the whole video, 1 for the largest."""
        steps = math.log(max(CLOSEST, self.fit_px_per_s) / self.fit_px_per_s)
        return 0.0 if steps <= 0 else math.log(self.px_per_s / self.fit_px_per_s) / steps

    def with_zoom(self, zoom: float, x: float) -> TimeScale:
        """Show it zoomed in so far, from 0 to 1; what lies at `x` stays there."""
        largest = max(CLOSEST, self.fit_px_per_s) / self.fit_px_per_s
        return self.zoomed(self.fit_px_per_s * largest**zoom / self.px_per_s, x)

    def moved(self, by_px: float) -> TimeScale:
        """Show a later part, or with a number below 0 an earlier one."""
        return replace(self, begin_s=self.begin_s + by_px / self.px_per_s)._inside()

    def showing(self, time_s: float) -> TimeScale:
        """Show a part that a time lies in; the same where it does."""
        margin = _IN_VIEW * self.width_px
        x = self.x_of(time_s)
        if x < 0:
            return self.moved(x - margin)
        return self.moved(x - self.width_px + margin) if x > self.width_px else self

    def resized(self, width_px: int) -> TimeScale:
        """Show it in a window of another width: the whole of it, or as large as before."""
        width_px = max(1, width_px)
        if self.is_fitting:
            return TimeScale.fitting(self.duration_s, width_px)
        return self._at_least_fitting(replace(self, width_px=width_px))

    def lasting(self, duration_s: float) -> TimeScale:
        """Show a video that has become longer or shorter."""
        if self.is_fitting:
            return TimeScale.fitting(duration_s, self.width_px)
        return self._at_least_fitting(replace(self, duration_s=max(duration_s, _SHORTEST_S)))

    @staticmethod
    def _at_least_fitting(scale: TimeScale) -> TimeScale:
        return replace(scale, px_per_s=max(scale.px_per_s, scale.fit_px_per_s))._inside()

    def _inside(self) -> TimeScale:
        last = max(0.0, self.duration_s - self.width_px / self.px_per_s)
        return replace(self, begin_s=min(max(0.0, self.begin_s), last))

    # -- the ruler

    def step_s(self, least_px: float) -> float:
        """Return the seconds between two labels that are to be so far apart at least."""
        return next((s for s in _STEPS if s * self.px_per_s >= least_px), _STEPS[-1])

    def ticks(self, least_px: float) -> list[Tick]:
        """Return the marks that are seen, from the left: each label, and one between two.

        Args:
            least_px: how far two labels are apart at least.
        """
        half = self.step_s(least_px) / 2
        first = math.ceil(self.begin_s / half - 1e-9)
        last = math.floor(min(self.end_s, self.duration_s) / half + 1e-9)
        return [Tick(count * half, count % 2 == 0) for count in range(first, last + 1)]


def snapped(time_s: float, places_s: Iterable[float], reach_s: float) -> float:
    """Return the place that is nearest to a time, or the time where none is in reach."""
    nearest = min(places_s, key=lambda place: abs(place - time_s), default=time_s)
    return nearest if abs(nearest - time_s) <= reach_s else time_s


def near(sorted_s: np.ndarray, time_s: float) -> list[float]:
    """Return the one or two of ascending times, (N,) float64, that a time lies between."""
    place = int(np.searchsorted(sorted_s, time_s))
    return [float(each) for each in sorted_s[max(0, place - 1) : place + 1]]


def clock_of(time_s: float) -> str:
    """Write a moment of the timeline to the hundredth that has begun: 0:02.98.

    So fine that each frame of a video has another one, and never rounded up: it would name a frame
    that is not shown yet.
    """
    return moment(math.floor((time_s + SAME_MOMENT_S) * 100) / 100, 2)


def in_milliseconds(begin_s: float, end_s: float) -> tuple[float, float]:
    """Return a range that ends at milliseconds, and holds all that it held."""
    return math.floor(begin_s * 1000) / 1000, math.ceil(end_s * 1000) / 1000


def finer_rates(times_s: Sequence[float]) -> Sequence[float]:
    """Return the frames a second, of some round ones, that are more than there are somewhere.

    Args:
        times_s: of the frames, ascending.
    """
    widest_s = max((after - before for before, after in pairwise(times_s)), default=1.0)
    return [rate for rate in RATES if rate * widest_s > 1.1] or RATES[-1:]
