"""How likely two segments, or the ends of two tracklets, are the same thing."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from src.tracks.motion import Motion
from src.tracks.segment_looks import SegmentLook
from src.tracks.tracklet import Tracklet

# Weights of a logistic regression, in the order of PAIR_FEATURES.
PAIR_FEATURES = ("overlap", "embedding", "colours", "shape", "size", "grown", "away", "far", "gap")
PAIR_WEIGHTS = np.array([4.1, 4.4, 6.0, 0.4, -1.5, -0.8, -0.7, -6.3, -0.2])
PAIR_BIAS = -8.5
END_FEATURES = ("embedding", "colours", "shape", "size", "far", "gap", "cut", "short")
END_WEIGHTS = np.array([5.2, 3.9, 2.6, -1.0, -2.5, -0.5, -0.5, -0.6])
END_BIAS = -8.0

# Where all segments look the same to CLIP, as in a blank video, its noise says nothing.
_LEAST_APART = 1e-3
# Of so many segments a velocity can be trusted, for so long.
_KNOWN = 3
_COASTING_S = 2.0


class Commonness:
    """How alike different segments of a video are anyway, which differs from CLIP to CLIP."""

    def __init__(self) -> None:
        self._mean, self._weight = 0.5, 5.0

    def see(self, looks: Sequence[SegmentLook]) -> None:
        """Learn from segments of one frame, which are different things."""
        if len(looks) < 2:
            return
        embeddings = np.stack([look.embedding for look in looks])
        cosines = embeddings @ embeddings.T
        count = len(looks)
        mean = float((cosines.sum() - np.trace(cosines)) / (count * (count - 1)))
        weight = min(count, 10)
        self._mean = (self._mean * self._weight + mean * weight) / (self._weight + weight)
        self._weight = min(self._weight + weight, 200)

    def likeness(self, cosines: np.ndarray) -> np.ndarray:
        """Turn cosines into likeness: 1 for the same, 0 for two that have no more in common."""
        apart = max(1 - self._mean, _LEAST_APART)
        return np.asarray(np.clip((cosines - self._mean) / apart, -1, 1))


def pair_features(
    tracklets: Sequence[Tracklet],
    looks: Sequence[SegmentLook],
    motion: Motion,
    at_s: float,
    common: Commonness,
) -> np.ndarray:
    """Compare tracklets with the segments of the next frame: (N, M, len(PAIR_FEATURES))."""
    size_wh = looks[0].mask.shape[::-1]
    diagonal = float(np.hypot(*size_wh))
    masks = np.stack([look.mask.ravel() for look in looks])
    areas = masks.sum(axis=1)
    centres = np.stack([look.centre_xy for look in looks])
    origins = np.stack([motion.origins(look.mask > 0) for look in looks])
    features = np.empty((len(tracklets), len(looks), len(PAIR_FEATURES)))
    own_areas = np.array([t.last.area for t in tracklets])
    passed = np.array([at_s - t.seen_s for t in tracklets])
    ahead = np.stack([t.velocity for t in tracklets]) * passed[:, None]
    before = np.stack([t.centre_xy for t in tracklets])
    rest = motion.carry_points(before)
    expected = rest + ahead
    carried = np.empty((2, len(tracklets), masks.shape[1]), np.float32)
    for i, tracklet in enumerate(tracklets):
        still = motion.camera.copy()
        still[:, 2] += ahead[i]
        steady = cv2.warpAffine(tracklet.mask, still, size_wh)
        carried[0, i] = steady.ravel()
        carried[1, i] = (steady if tracklet.lost else motion.carry(tracklet.mask)).ravel()
    overlap = np.zeros((len(tracklets), len(looks)))
    for some in carried:
        both = some @ masks.T
        overlap = np.maximum(overlap, both / (some.sum(axis=1)[:, None] + areas - both + 1e-6))
    features[..., 0] = overlap
    embeddings = np.stack([look.embedding for look in looks])
    last = np.stack([t.last.embedding for t in tracklets]) @ embeddings.T
    mean = np.stack([t.embedding for t in tracklets]) @ embeddings.T
    features[..., 1] = common.likeness(np.maximum(last, mean))
    colours = np.stack([look.colours for look in looks])
    last = np.stack([t.last.colours for t in tracklets]) @ colours.T
    mean = np.stack([t.colours for t in tracklets]) @ colours.T
    features[..., 2] = np.maximum(last, mean)
    shapes = np.stack([look.shape for look in looks])
    features[..., 3] = np.stack([t.last.shape for t in tracklets]) @ shapes.T
    look_areas = np.array([look.area for look in looks])
    growth = np.log(look_areas[None] / own_areas[:, None])
    features[..., 4] = np.abs(growth)
    features[..., 5] = np.maximum(growth, 0)
    gone = np.linalg.norm(expected[:, None] - centres[None], axis=2)
    seen = np.array([t.lost == 0 for t in tracklets])
    still = np.linalg.norm(rest[:, None] - centres[None], axis=2) * 1.3
    unknown = seen | np.array([t.length < _KNOWN for t in tracklets])
    gone = np.where(unknown[:, None], np.minimum(gone, still), gone)
    flown = np.linalg.norm(before[:, None] - origins[None], axis=2)
    gone = np.where(seen[:, None], np.minimum(gone, flown), gone)
    sizes = np.sqrt(np.minimum(own_areas[:, None], look_areas[None])) + 2
    features[..., 6] = np.log1p(gone / sizes)
    features[..., 7] = gone / diagonal
    features[..., 8] = np.array([t.lost for t in tracklets])[:, None]
    return features


def pair_scores(features: np.ndarray) -> np.ndarray:
    """Weigh features up: above 0 two are more likely the same than not."""
    return np.asarray(features @ PAIR_WEIGHTS + PAIR_BIAS)


def end_features(
    earlier: Sequence[Tracklet], later: Sequence[Tracklet], diagonal: float, common: Commonness
) -> np.ndarray:
    """Compare ends of tracklets with beginnings of others: (N, M, len(END_FEATURES))."""
    features = np.empty((len(earlier), len(later), len(END_FEATURES)))
    mean = np.stack([a.embedding for a in earlier]) @ np.stack([b.embedding for b in later]).T
    near = (
        np.stack([a.last.embedding for a in earlier])
        @ np.stack([b.first.embedding for b in later]).T
    )
    features[..., 0] = common.likeness(np.maximum(mean, near))
    features[..., 1] = np.stack([a.colours for a in earlier]) @ (
        np.stack([b.colours for b in later]).T
    )
    features[..., 2] = (
        np.stack([a.last.shape for a in earlier]) @ np.stack([b.first.shape for b in later]).T
    )
    last_areas = np.array([a.last.area for a in earlier])
    first_areas = np.array([b.first.area for b in later])
    features[..., 3] = np.abs(np.log(last_areas[:, None] / first_areas[None]))
    gaps = (
        np.array([b.begin_s for b in later])[None] - np.array([a.end_s for a in earlier])[:, None]
    )
    gaps = np.maximum(gaps, 0)
    ends = np.stack([a.end_xy for a in earlier])[:, None]
    begins = np.stack([b.begin_xy for b in later])[None]
    coasting = np.minimum(gaps, _COASTING_S)[..., None]
    onwards = np.stack([a.velocity for a in earlier])[:, None] * coasting
    back = np.stack([b.begin_velocity for b in later])[None] * coasting
    still = np.linalg.norm(ends - begins, axis=2)
    ahead = np.linalg.norm(ends + onwards - begins, axis=2)
    behind = np.linalg.norm(ends + back - begins, axis=2)
    far = np.minimum(still, np.minimum(ahead, behind))
    # two alike that cross are told apart by where they were going, as long as that is known
    known = (np.array([a.length for a in earlier]) >= _KNOWN)[:, None] & (
        np.array([b.length for b in later]) >= _KNOWN
    )[None]
    known &= gaps <= _COASTING_S
    far = np.where(known, (ahead + behind) / 2, far)
    cut = np.array([a.scene for a in earlier])[:, None] != np.array([b.scene for b in later])[None]
    features[..., 4] = np.minimum(far / diagonal, 0.6)
    features[..., 5] = np.log1p(gaps)
    features[..., 6] = cut
    lengths = np.minimum(
        np.array([a.length for a in earlier])[:, None], np.array([b.length for b in later])[None]
    )
    features[..., 7] = lengths == 1
    return features


def end_scores(features: np.ndarray) -> np.ndarray:
    """Weigh features up: above 0 two are more likely the same than not."""
    return np.asarray(features @ END_WEIGHTS + END_BIAS)
