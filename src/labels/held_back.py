"""How sure a ranking is: answers that are held back, predicted by what the others teach.

Segments of one file, of its near-duplicates and of one stretch of a video look alike, and are held
back together: else the figures would say how well a classifier knows what it has seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from src.labels.classifier import Examples, fit_logistic, sigmoid

FOLDS = 5
# With fewer nothing is held back.
FEWEST_ANSWERS, FEWEST_ACCEPTED = 10, 2
# Frames whose dHash differs in so few of 64 bits are near-duplicates.
COPY_BITS = 6
# So much of the segments accepted together must have the label.
PRECISION = 0.95
# The lower bound holds in nine cases of ten (one-sided, 90 %): 32 right of 32 carry 95 %.
Z = 1.28
# Without some rejections nobody knows where the label ends.
FEWEST_REJECTED = 3
# At once, so that a person can still look at what was accepted.
MOST_ACCEPTED = 1000


@dataclass(frozen=True)
class Origin:
    """Where a segment is from.

    Attributes:
        dhash: of its frame, where it is known.
    """

    media_file_id: int
    frame_index: int
    dhash: int | None = None


class Sides:
    """Says which segments are held back together."""

    def __init__(self, answered: Sequence[Origin], copies: Iterable[Sequence[int]] = ()) -> None:
        """Share out what the answers are of.

        Args:
            copies: media files that are known to be near-duplicates of one another.
        """
        self._root: dict[int, int] = {}
        for group in copies:
            for other in group[1:]:
                self._join(group[0], other)
        self._join_alike(answered)
        frames = defaultdict[int, list[int]](list)
        for origin in answered:
            frames[self._of(origin.media_file_id)].append(origin.frame_index)
        # Where most answers are of one video, that is cut into stretches of time.
        self._cuts: dict[int, np.ndarray] = {}
        for media, indexes in frames.items():
            if 2 * len(indexes) > len(answered):
                ordered = np.unique(indexes)
                places = np.linspace(0, len(ordered), 2 * FOLDS + 1)[1:-1].astype(int)
                self._cuts[media] = np.unique(ordered[places]) if len(ordered) > 1 else ordered[:0]
        groups = [self.group(origin) for origin in answered]
        sizes = {group: groups.count(group) for group in dict.fromkeys(groups)}
        held = [0] * FOLDS
        self._fold: dict[tuple[int, int], int] = {}
        for group in sorted(sizes, key=lambda each: -sizes[each]):
            fold = int(np.argmin(held))
            self._fold[group] = fold
            held[fold] += sizes[group]

    def group(self, origin: Origin) -> tuple[int, int]:
        """Name what a segment is held back with."""
        media = self._of(origin.media_file_id)
        cuts = self._cuts.get(media)
        if cuts is None:
            return media, 0
        return media, int(np.searchsorted(cuts, origin.frame_index, side="right"))

    def fold(self, origin: Origin) -> int:
        """Say with which answers a segment is held back; -1 where with none."""
        return self._fold.get(self.group(origin), -1)

    def _of(self, media: int) -> int:
        while (above := self._root.get(media, media)) != media:
            media = above
        return media

    def _join(self, one: int, other: int) -> None:
        self._root[self._of(other)] = self._of(one)

    def _join_alike(self, answered: Sequence[Origin]) -> None:
        known = {(each.media_file_id, each.dhash) for each in answered if each.dhash is not None}
        pairs = sorted(known)
        hashes = np.array([dhash for _, dhash in pairs], np.uint64)
        for place, (media, dhash) in enumerate(pairs):
            differing = np.bitwise_count(hashes[place + 1 :] ^ np.uint64(dhash))
            for near in np.flatnonzero(differing <= COPY_BITS):
                self._join(media, pairs[place + 1 + int(near)][0])


@dataclass(frozen=True)
class HeldBack:
    """Answers as others predict them.

    Attributes:
        scores: (N,) float64 log odds, each by a classifier that has not seen the answer.
        answers: (N,) bool.
    """

    scores: np.ndarray
    answers: np.ndarray

    @classmethod
    def of(
        cls, examples: Examples, folds: np.ndarray, answered: int, start: np.ndarray
    ) -> HeldBack | None:
        """Hold answers back, a fifth at a time.

        Args:
            folds: (N,) int64, of each example; see Sides.fold.
            answered: how many of the examples are answers; they come first.
            start: the solution of all examples.

        Returns:
            None where there are too few, or all would be held back at once.
        """
        answers = examples.answers[:answered] > 0.5
        used = np.unique(folds[:answered])
        accepted = int(np.count_nonzero(answers))
        if answered < FEWEST_ANSWERS or accepted < FEWEST_ACCEPTED or len(used) < 2:
            return None
        scores = np.full(answered, np.nan)
        for fold in used:
            held = folds == fold
            rest = examples.only(~held)
            if not (rest.answers > 0.5).any():
                continue  # all that was accepted is here: nothing can be learnt without
            found = fit_logistic(rest, start)
            here = np.flatnonzero(held[:answered])
            scores[here] = examples.features[here] @ found[:-1] + found[-1]
        known = np.isfinite(scores)
        return cls(scores[known], answers[known]) if known.any() else None

    def calibration(self) -> Calibration:
        """Fit how likely an answer is yes at a score (Platt 1999), near to what the score says."""
        slope, bias = 1.0, 0.0
        scores, answers = self.scores, self.answers.astype(np.float64)
        for _ in range(30):
            likely = sigmoid(slope * scores + bias)
            off, curve = likely - answers, likely * (1 - likely) + 1e-9
            gradient = [(off * scores).sum() + 2 * (slope - 1), off.sum() + 0.1 * bias]
            hessian = [
                [(curve * scores * scores).sum() + 2, (curve * scores).sum()],
                [(curve * scores).sum(), curve.sum() + 0.1],
            ]
            step = np.clip(np.linalg.solve(hessian, gradient), -2, 2)
            slope, bias = slope - float(step[0]), bias - float(step[1])
            if float(np.abs(step).max()) < 1e-6:
                break
        return Calibration(max(slope, 0.05), bias)

    def right(self, calibration: Calibration) -> float:
        """Say which share of the answers is predicted right."""
        return float(np.mean((calibration.likely(self.scores) > 0.5) == self.answers))

    def acceptable(self, ranked: np.ndarray, calibration: Calibration) -> int:
        """Say how many of the best segments may be accepted at once.

        So many that those of the held-back answers with such scores carry it, by the lower bound
        of their share of yes, and that it is likely of the segments themselves.

        Args:
            ranked: (N,) log odds of segments without an answer, highest first.
        """
        if int(np.count_nonzero(~self.answers)) < FEWEST_REJECTED or not len(ranked):
            return 0
        order = np.argsort(-self.scores, kind="stable")
        scores, yes = self.scores[order], np.cumsum(self.answers[order])
        bounds = lower_bound(yes, np.arange(1, len(yes) + 1))
        carried = np.flatnonzero(bounds >= PRECISION)
        if not carried.size:
            return 0
        by_answers = int(np.count_nonzero(ranked >= scores[carried[-1]]))
        means = np.cumsum(calibration.likely(ranked)) / np.arange(1, len(ranked) + 1)
        by_likelihood = int(np.count_nonzero(means >= PRECISION))
        return min(by_answers, by_likelihood, MOST_ACCEPTED)


@dataclass(frozen=True)
class Calibration:
    """Turns scores into probabilities."""

    slope: float = 1.0
    bias: float = 0.0

    def likely(self, scores: np.ndarray) -> np.ndarray:
        return sigmoid(self.slope * np.asarray(scores, np.float64) + self.bias)


def lower_bound(right: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Give the lower end of what a share may be (Wilson 1927), (N,) float64."""
    share, square = right / of, Z * Z
    middle = share + square / (2 * of)
    width = Z * np.sqrt(share * (1 - share) / of + square / (4 * of * of))
    return np.asarray((middle - width) / (1 + square / of))


def origins_of(
    places: Mapping[str, tuple[int, int]], dhashes: Mapping[str, str], segment_ids: Iterable[str]
) -> list[Origin]:
    """Say where segments are from; those that are gone are from nowhere, -1.

    Args:
        places: media file and frame index of each.
        dhashes: 16 hex digits of each, where known.
    """
    found = []
    for segment_id in segment_ids:
        media, frame = places.get(segment_id, (-1, 0))
        dhash = dhashes.get(segment_id)
        found.append(Origin(media, frame, None if dhash is None else int(dhash, 16)))
    return found
