"""Tracklets that continue others: what was hidden, left and came back, or was cut away from."""

from __future__ import annotations

import numpy as np

from src.tracks.assignment import best_pairs
from src.tracks.likeness import Commonness, end_features, end_scores
from src.tracks.tracklet import Tracklet

# A tracklet's beginning is judged once it has been followed so long, or has ended.
_WAIT_S = 4.0
# So many that have ended are remembered; those of one segment for so long.
REMEMBERED = 400
_ONE_SEGMENT_S = 4.0


class Stitcher:
    """Joins tracklets by what they look like and where they were going, all that can be at once."""

    def __init__(self, common: Commonness) -> None:
        self._common = common
        self._new: list[Tracklet] = []  # whose beginning is not judged yet
        self._ended: list[Tracklet] = []  # that nothing continues yet
        self._done: list[list[str]] = []
        self.diagonal = 1.0

    def began(self, tracklet: Tracklet) -> None:
        self._new.append(tracklet)

    def ended(self, tracklet: Tracklet) -> None:
        tracklet.forget_mask()
        self._ended.append(tracklet)

    @property
    def held(self) -> int:
        """How many tracklets are remembered."""
        return len({id(each) for each in (*self._new, *self._ended)})

    def look(self, now_s: float) -> None:
        """Judge beginnings once the oldest has waited long enough, and forget what is long gone."""
        if self._new and now_s - self._new[0].begin_s >= 2 * _WAIT_S:
            ended = {id(each) for each in self._ended}
            self._judge(
                [each for each in self._new if id(each) in ended or now_s - each.begin_s >= _WAIT_S]
            )
        waiting = {id(each) for each in self._new}
        stay: list[Tracklet] = []
        go: list[Tracklet] = []
        for each in self._ended:
            stale = each.length == 1 and now_s - each.end_s > _ONE_SEGMENT_S
            (go if stale and id(each) not in waiting else stay).append(each)
        while len(stay) > REMEMBERED and id(stay[0]) not in waiting:
            go.append(stay.pop(0))
        self._ended = stay
        self._done += [each.segment_ids for each in go if each.length > 1]

    def end(self) -> list[list[str]]:
        """Judge the rest; returns all tracks, each its segments in the order of time."""
        self._judge(list(self._new))
        return self._done + [each.segment_ids for each in self._ended if each.length > 1]

    def _judge(self, later: list[Tracklet]) -> None:
        judged = {id(each) for each in later}
        self._new = [each for each in self._new if id(each) not in judged]
        earlier = self._ended
        if not earlier or not later:
            return
        scores = end_scores(end_features(earlier, later, self.diagonal, self._common))
        begins = np.array([each.begin_s for each in later])
        seen = np.array([each.seen_s for each in earlier])
        scores[seen[:, None] >= begins[None]] = -np.inf
        gone = set()
        # the earliest first: of three in a row the second has taken on the first by its turn
        for i, j in sorted(best_pairs(scores), key=lambda pair: later[pair[1]].begin_s):
            later[j].continues(earlier[i])
            gone.add(id(earlier[i]))
        self._ended = [each for each in self._ended if id(each) not in gone]
