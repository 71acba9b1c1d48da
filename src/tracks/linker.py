"""Segments of a video's frames -> tracks: which of them are one thing, frame after frame.

First each frame's segments are paired with what is being followed, by overlap once motion is
undone, place, colours, shape, size and embedding: only what is more likely than not is linked.
Then the pieces are stitched (stitching.py). Frames come one by one; what is kept does not grow.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from src.tracks.assignment import best_pairs
from src.tracks.likeness import Commonness, pair_features, pair_scores
from src.tracks.motion import Motion, MotionMeter, grid_size
from src.tracks.segment_looks import FrameToLink, SegmentLook, look_at, same_things
from src.tracks.stitching import Stitcher
from src.tracks.tracklet import Tracklet

# What is out of sight is looked for where it was going, for so many frames, or for so long.
_LOST_FRAMES = 2
_LOST_S = 1.0


def link(frames: Iterable[FrameToLink]) -> list[list[str]]:
    """Link the segments of a video's frames.

    Args:
        frames: in the order of time.

    Returns:
        Of each thing that was found more than once the ids of its segments, in the order of time,
        at most one a frame. No segment is in two.

    Raises:
        DamagedMaskError: a mask is none of a picture of its frame's size.
    """
    linker = Linker()
    for frame in frames:
        linker.see(frame)
    return linker.end()


class Linker:
    """Links segments while frames come.

    The world is the plane of the first picture of a shot: a place in it stays where it is while
    the camera moves.
    """

    def __init__(self) -> None:
        self._meter = MotionMeter()
        self._common = Commonness()
        self._stitcher = Stitcher(self._common)
        self._followed: list[Tracklet] = []
        self._scene = 0
        self._to_world = np.eye(3)

    @property
    def held(self) -> int:
        """How many tracklets are kept in memory."""
        return len(self._followed) + self._stitcher.held

    def see(self, frame: FrameToLink) -> None:
        """Link a frame's segments with those before."""
        grid_wh = grid_size(frame.size_wh)
        self._stitcher.diagonal = float(np.hypot(*grid_wh))
        looks = look_at(frame)
        groups = same_things(looks)
        self._common.see([looks[group[0]] for group in groups])
        motion = self._meter.see(frame.picture_rgb, grid_wh)
        if motion is not None:
            self._move(motion)
        pairs = []
        if motion is not None and self._followed and looks:
            features = pair_features(self._followed, looks, motion, frame.timestamp_s, self._common)
            pairs = self._longest(best_pairs(pair_scores(features)), groups)
        linked = {j for _, j in pairs}
        # what is one more segment of a thing that is followed, or begins, begins nothing
        new = [group[0] for group in groups if linked.isdisjoint(group)]
        self._add(pairs, new, looks, frame, motion)
        self._stitcher.look(frame.timestamp_s)

    def _longest(
        self, pairs: list[tuple[int, int]], groups: list[list[int]]
    ) -> list[tuple[int, int]]:
        """Leave of what would go on with segments of one thing what has been followed longest."""
        group_of = {j: number for number, group in enumerate(groups) for j in group}
        longest: dict[int, tuple[int, int]] = {}
        for i, j in sorted(pairs, key=lambda pair: -self._followed[pair[0]].length):
            longest.setdefault(group_of[j], (i, j))
        return sorted(longest.values())

    def end(self) -> list[list[str]]:
        """Return the tracks, ordered by their first segments; see `link`."""
        for tracklet in self._followed:
            self._stitcher.ended(tracklet)
        self._followed = []
        return sorted(self._stitcher.end())

    def _move(self, motion: Motion) -> None:
        """Follow the camera, or begin a shot."""
        if motion.is_cut:
            for tracklet in self._followed:
                self._stitcher.ended(tracklet)
            self._followed = []
            self._scene += 1
            self._to_world = np.eye(3)
        else:
            self._to_world = self._to_world @ np.linalg.inv(np.vstack([motion.camera, [0, 0, 1]]))

    def _add(
        self,
        pairs: list[tuple[int, int]],
        new: list[int],
        looks: list[SegmentLook],
        frame: FrameToLink,
        motion: Motion | None,
    ) -> None:
        worlds = [self._world(look.centre_xy) for look in looks]
        linked = dict(pairs)
        followed = []
        for i, tracklet in enumerate(self._followed):
            assert motion is not None
            rest = motion.carry_points(tracklet.centre_xy[None])[0]
            if i in linked:
                look = looks[linked[i]]
                moved = look.centre_xy - rest
                tracklet.add(look, frame.timestamp_s, frame.until_s, moved, worlds[linked[i]])
                followed.append(tracklet)
                continue
            tracklet.lost += 1
            if tracklet.lost > _LOST_FRAMES and frame.timestamp_s - tracklet.seen_s > _LOST_S:
                self._stitcher.ended(tracklet)
                continue
            tracklet.mask = cv2.warpAffine(tracklet.mask, motion.camera, tracklet.mask.shape[::-1])
            tracklet.centre_xy = rest
            followed.append(tracklet)
        for j in new:
            begun = Tracklet(looks[j], frame.timestamp_s, frame.until_s, self._scene, worlds[j])
            self._stitcher.began(begun)
            followed.append(begun)
        self._followed = followed

    def _world(self, point_xy: np.ndarray) -> np.ndarray:
        placed = self._to_world @ np.array([*point_xy, 1.0])
        return np.asarray(placed[:2])
