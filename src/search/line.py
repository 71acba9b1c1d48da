"""The score below which a match is likely chance: one for each query, by the CLIP's own mistakes.

What no match scores is measured once for each CLIP, on a sample of the library: of each group of
the vocabulary a segment is one word at most, so all others are wrong there, and what they score
is what wrong words score. Images are told apart by the same words: two of different media files
are a wrong pair where the best word of a group is another one. Were all pairs counted, what a
library has much of would be taken for chance.

Two levels come of it. The lower one a wrong word reaches at one segment in a thousand, and one
wrong pair in two hundred. The higher one the best of all segments reaches with one wrong word in
twenty or fewer, however many segments there are: chance has more tries in a larger library. A
query whose best hit is under that has no match here, and its line is the higher level. Where it
has one, more of the same are likely, and its line is the lower level.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from src.records import EMBEDDING_DIM

# Segments that are looked at to measure a CLIP, and those of which every pair is.
SAMPLE, PAIRED = 2000, 1000
# A sample of so many counts as much as what is expected before anything is measured.
HALF_TRUSTED = 30
# The share of wrong words that reach the lower level, and the number of wrong hits above the
# higher one.
LOW_SHARE, CHANCE = 1e-3, 0.05
# The share of wrong pairs of images that reach it: the words call some of them wrong by mistake,
# and these are near.
PAIR_SHARE = 5e-3
# Of how levels are measured. What was measured in another way is measured again.
VERSION = 2
# From here on the higher level stays: who has so many segments has several of most things.
MOST_COUNTED = 5000
# Scores that only the very picture has; they say nothing of others.
SAME = 0.9995


@dataclass(frozen=True)
class Level:
    """What wrong matches score.

    Attributes:
        low: one in a thousand scores more.
        step: so much higher one in ten thousand does.
    """

    low: float
    step: float

    def mixed(self, other: Level, trust: float) -> Level:
        """Go from this one towards another, 0 to 1."""
        return Level(
            self.low + trust * (other.low - self.low), self.step + trust * (other.step - self.step)
        )


@dataclass(frozen=True)
class QueryLine:
    """The line of one query; a score is on it by how it compares with the best ones."""

    level: Level

    def __call__(self, best: Sequence[float], n: int) -> float:
        """Draw the line.

        Args:
            best: scores of the best hits, best first.
            n: of how many segments they are the best.
        """
        tens = math.log10(max(1, min(n, MOST_COUNTED)) / CHANCE) + math.log10(LOW_SHARE)
        high = self.level.low + self.level.step * max(0.0, tens)
        others = (score for score in best if score < SAME)
        return self.level.low if next(others, -1.0) >= high else high

    def strength(self, score: float, line: float) -> float:
        """Say how far a score is from chance: 0 to 1, 0.5 on the line, 0.88 four steps above.

        So slowly that strong hits still differ: they lie up to a dozen steps above it.
        """
        return strength_of((score - line) / self.scale)

    def strengths(self, scores: np.ndarray, line: float) -> np.ndarray:
        """Say of (N,) scores what `strength` says of one: (N,) float32."""
        below = np.minimum(50.0, (line - scores) / self.scale)
        return np.asarray(1 / (1 + np.exp(below)), np.float32)

    @property
    def scale(self) -> float:
        """How much more of a score counts as one step in its strength."""
        return 2 * self.level.step


def strength_of(steps: float) -> float:
    """Say how far from chance a score is that lies so many steps above the line: 0 to 1."""
    return 1 / (1 + math.exp(min(50.0, -steps)))


@dataclass(frozen=True)
class Calibration:
    """What is measured of a CLIP with a library.

    Attributes:
        words, images: what wrong ones score.
        mean: (512,) float32, the mean of the library's embeddings.
        last_id: of the embeddings that there were.
    """

    words: Level
    images: Level
    mean: np.ndarray
    last_id: int

    def is_outgrown(self, last_id: int) -> bool:
        """Return whether the library has twice as many embeddings now."""
        return last_id >= 2 * self.last_id

    def line_of(self, terms: Sequence[tuple[float, bool, np.ndarray]]) -> QueryLine | None:
        """Find the line of a query: where each of its terms is on its own.

        Args:
            terms: of each its weight, whether it is words, and its (512,) embedding. What hits
                are to be unlike counts as much as it does with most of the library.

        Returns:
            None where hits are only to be unlike something.
        """
        if not any(weight > 0 for weight, _, _ in terms):
            return None
        length = float(np.linalg.norm(np.sum([weight * each for weight, _, each in terms], axis=0)))
        low = step = 0.0
        for weight, is_words, embedding in terms:
            level = self.words if is_words else self.images
            low += weight * (level.low if weight > 0 else float(embedding @ self.mean))
            step += abs(weight) * level.step
        return QueryLine(Level(low / length, step / length))

    def as_text(self) -> str:
        """Write it as SQLite keeps it."""
        return json.dumps(
            {
                "words": [self.words.low, self.words.step],
                "images": [self.images.low, self.images.step],
                "mean": [round(float(value), 6) for value in self.mean],
                "last_id": self.last_id,
                "version": VERSION,
            }
        )

    @classmethod
    def read(cls, text: str) -> Calibration | None:
        """Read what as_text wrote; None where it is nothing of that kind, or old."""
        try:
            stored: Any = json.loads(text)
            if stored["version"] != VERSION:
                return None
            numbers = [*stored["words"], *stored["images"], *stored["mean"]]
            if len(numbers) != 4 + EMBEDDING_DIM or not np.isfinite(numbers).all():
                return None
            words, images = Level(*numbers[:2]), Level(*numbers[2:4])
            return cls(words, images, np.array(numbers[4:], np.float32), int(stored["last_id"]))
        except (ValueError, TypeError, KeyError):
            return None


def calibrate(
    sample: np.ndarray,
    media: np.ndarray,
    prompts: np.ndarray,
    groups: np.ndarray,
    logit_scale: float,
    last_id: int,
) -> Calibration | None:
    """Measure what wrong matches score.

    Args:
        sample: (N, 512) float32, embeddings of the library.
        media: (N,) which media file each is of.
        prompts: (M, 512) float32, embeddings of a vocabulary.
        groups: (M,) of each the group; a segment is one of a group at most.

    Returns:
        None for an empty sample.
    """
    if not len(sample):
        return None
    trust = len(sample) / (len(sample) + HALF_TRUSTED)
    scores = sample @ prompts.T
    # As softmax with that scale has it: so much above the rest a match is thousands of times as
    # likely.
    expected = Level(float(scores.mean()) + 8.4 / logit_scale, 1.6 / logit_scale)
    wrong = _wrong(scores, groups)
    if wrong.size:
        less, low = np.quantile(wrong, [1 - 10 * LOW_SHARE, 1 - LOW_SHARE])
        words = expected.mixed(Level(float(low), _step(float(low - less))), trust)
    else:
        words = expected
    return Calibration(
        words,
        _of_pairs(sample, media, _best_words(scores, groups), trust),
        sample.mean(axis=0),
        last_id,
    )


def _wrong(scores: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """List the scores of all words but the best one of each group, (K,)."""
    found = []
    for group in np.unique(groups):
        found.append(np.sort(scores[:, groups == group], axis=1)[:, :-1].ravel())
    return np.concatenate(found)


def _best_words(scores: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Find the best word of each group for each segment, (N, groups)."""
    best = [scores[:, groups == group].argmax(axis=1) for group in np.unique(groups)]
    return np.stack(best, axis=1)


def _of_pairs(sample: np.ndarray, media: np.ndarray, words: np.ndarray, trust: float) -> Level:
    """Measure how near images of different media files are that differ in a word."""
    some = np.linspace(0, len(sample) - 1, min(PAIRED, len(sample))).astype(int)
    likeness = sample[some] @ sample[some].T
    upper = np.triu(np.ones(likeness.shape, bool), 1)
    apart = upper & (media[some][:, None] != media[some][None])
    differ = np.zeros(likeness.shape, bool)
    for of_group in words[some].T:
        differ |= of_group[:, None] != of_group[None]
    wrong = apart & differ
    among = likeness[next((each for each in (wrong, apart) if each.any()), upper)]
    mean = float(among.mean()) if among.size else 0.6
    expected = Level(mean + 0.75 * (1 - mean), _step(0.075 * (1 - mean)))
    if not apart.any():
        return expected
    less, low = np.quantile(among, [1 - 10 * PAIR_SHARE, 1 - PAIR_SHARE])
    # likeness ends at 1, and what is near that is far rarer than what is a little farther
    return expected.mixed(Level(float(low), _step(float(low - less) / 3)), trust)


def _step(value: float) -> float:
    return max(value, 1e-3)
