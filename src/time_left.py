"""How long a job on files will still take, judged by what it has done so far."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from src.events import (
    Event,
    FileDone,
    FileFailed,
    FileKnown,
    FilePassedOver,
    FileStarted,
    FileWork,
    FrameSkipped,
    FrameStored,
    JobStarted,
    Progress,
    WorkKind,
)

# What comes so soon after the first result was made while models and decoders got going.
_WARM_AFTER_S = 0.5
# What a rate has to be measured over: so many results and seconds, or so many seconds.
_LEAST_RESULTS, _LEAST_S, _ENOUGH_S = 3, 1.0, 5.0
# A first result that took longer says something by itself.
_LONG_S = 20.0
# What it takes to add a segment to the search index.
_INDEX_S = 0.003
_OVER = (FileDone, FileFailed, FileKnown, FilePassedOver)


class TimeLeft:
    """Estimates the time that a job still takes, from its events and when they came.

    Each kind of work has a rate of its own, in seconds for the amounts that `FileStarted` names.
    The start, in which models and decoders get going, says nothing about the rest and is left out;
    it is no faster than that.
    """

    def __init__(self, clock: Callable[[], float], tells_index: bool = True) -> None:
        """Begin with nothing known.

        Args:
            clock: gives seconds.
            tells_index: whether the job adds its segments to the search index at its end.
        """
        self._clock = clock
        self._index_s = _INDEX_S if tells_index else 0.0
        self._begun_at = self._last_at = 0.0
        self._first_at: float | None = None  # when there was a first result
        self._is_warm = False
        self._results = 0  # since it is warm
        self._cold, self._cold_s = 0.0, 0.0  # what was done before that, and in what time
        self._segments = self._indexed = 0
        # amounts, the file in work with what is left of it
        self._waiting: dict[WorkKind, float] = defaultdict(float)
        self._done: dict[WorkKind, float] = defaultdict(float)
        self._spent: dict[WorkKind, float] = defaultdict(float)
        self._file = FileWork()
        self._fraction = 1.0  # of the file in work

    def take(self, event: Event) -> None:
        """Learn from an event of the job."""
        if isinstance(event, JobStarted):
            self._begun_at = self._last_at = self._clock()
            self._waiting.update(event.work or {"image": float(event.files)})
        elif isinstance(event, FileStarted):
            self._reach(1.0)
            self._file, self._fraction = event.work, 0.0
        elif isinstance(event, FrameStored | FrameSkipped):
            self._reach(event.fraction)
            self._segments += event.segments if isinstance(event, FrameStored) else 0
        elif isinstance(event, Progress):
            self._last_at = self._clock()  # it is no work on files
            self._indexed = self._segments
        elif isinstance(event, _OVER):
            self._reach(1.0)

    def seconds(self) -> float | None:
        """Return how many seconds are left; None as long as nothing supports an estimate."""
        left = self._by_rates()
        if left is None:
            return None
        idle = self._clock() - self._last_at
        # what takes longer than expected will take as long again
        return max(left - idle, idle)

    def _by_rates(self) -> float | None:
        """Estimate how many seconds were left at the last result."""
        left = self._waiting["known"] * self._rate("known", 0.0)
        waiting = self._waiting["image"] + self._waiting["video"]
        if waiting < 1e-6:
            return left if self._spent["known"] >= _LEAST_S else None
        spent = self._spent["image"] + self._spent["video"]
        is_measured = spent >= _LEAST_S and self._results >= _LEAST_RESULTS
        if not (is_measured or spent >= _ENOUGH_S or self._cold_s >= _LONG_S):
            return None
        # one kind stands for the other until that has been met
        cold = self._cold_s / self._cold
        image = self._rate("image", min(cold, self._rate("video", cold)))
        video = self._rate("video", min(cold, self._rate("image", cold)))
        left += image * self._waiting["image"] + video * self._waiting["video"]
        done = self._cold + self._done["image"] + self._done["video"]
        segments = self._segments * (1 + waiting / done) - self._indexed
        return left + self._index_s * segments

    def _rate(self, kind: WorkKind, otherwise: float) -> float:
        return self._spent[kind] / self._done[kind] if self._done[kind] else otherwise

    def _reach(self, fraction: float) -> None:
        """Note that so much of the file in work is done."""
        done = self._file.amount * max(0.0, fraction - self._fraction)
        if not done:
            return
        now, kind = self._clock(), self._file.kind
        self._fraction = fraction
        self._waiting[kind] -= done
        if kind != "known" and self._first_at is not None:
            self._is_warm = self._is_warm or now - self._first_at >= _WARM_AFTER_S
        if kind == "known" or self._is_warm:
            self._done[kind] += done
            self._spent[kind] += now - self._last_at
            self._results += kind != "known"
        else:
            self._cold += done
            self._cold_s += now - self._last_at
            self._first_at = now if self._first_at is None else self._first_at
        self._last_at = now
