"""A thing as far as it has been followed without a break."""

from __future__ import annotations

import math

import numpy as np

from src.tracks.segment_looks import SegmentLook

# Of how many segments the first velocity is taken.
_FIRST = 4
# Seconds in which a velocity follows what is seen.
_FOLLOWING_S = 0.6
# What is half hidden all at once has its middle elsewhere, and has not moved there.
_HIDING = 0.25


class Tracklet:
    """Segments that are linked, and what is known of them together.

    Attributes:
        segment_ids: in the order of time, those of earlier tracklets that it continues among them.
        scene: number of the shot that it is in.
        first, last: its looks at both ends, without masks.
        mask, centre_xy: where it was last seen, moved along with the camera since.
        begin_s, end_s: when it was seen first, and until when.
        begin_xy, end_xy: its middle there, in the world: see Linker.
        velocity, begin_velocity: of its middle, grid places a second, less the camera's motion.
    """

    def __init__(
        self, look: SegmentLook, at_s: float, until_s: float, scene: int, world_xy: np.ndarray
    ) -> None:
        self.segment_ids = [look.id]
        self.scene = scene
        self.begin_s, self.end_s, self.seen_s = at_s, until_s, at_s
        self.begin_xy = self.end_xy = world_xy
        self.first = self.last = look.without_mask()
        self.mask = look.mask
        self.centre_xy = look.centre_xy
        self.velocity = self.begin_velocity = np.zeros(2)
        self.length = 1
        self.lost = 0
        self._embedding = look.embedding.copy()
        self._colours = look.colours.copy()

    def add(
        self,
        look: SegmentLook,
        at_s: float,
        until_s: float,
        moved_xy: np.ndarray,
        world_xy: np.ndarray,
    ) -> None:
        """Continue with a segment.

        Args:
            moved_xy: (2,), how far its middle has moved since it was last seen, less the camera.
        """
        passed_s = max(at_s - self.seen_s, 1e-3)
        velocity = moved_xy / passed_s
        follow = 1.0 if self.length == 1 else 1 - math.exp(-passed_s / _FOLLOWING_S)
        if self.length == 1 or abs(math.log(look.area / self.last.area)) < _HIDING * (1 + passed_s):
            self.velocity = self.velocity + follow * (velocity - self.velocity)
        if self.length < _FIRST:
            self.begin_velocity += (velocity - self.begin_velocity) / self.length
        self.length += 1
        self.segment_ids.append(look.id)
        self.last, self.mask, self.centre_xy = look.without_mask(), look.mask, look.centre_xy
        self.seen_s, self.end_s, self.end_xy = at_s, until_s, world_xy
        self.lost = 0
        self._embedding += look.embedding
        self._colours += look.colours

    @property
    def embedding(self) -> np.ndarray:
        """The mean of its embeddings, of length 1; 0 where all of them wait to be made."""
        length = max(float(np.linalg.norm(self._embedding)), 1e-6)
        return np.asarray(self._embedding / np.float32(length))

    @property
    def colours(self) -> np.ndarray:
        """The mean of its colours, of length 1."""
        return np.asarray(self._colours / np.linalg.norm(self._colours))

    def continues(self, earlier: Tracklet) -> None:
        """Become the end of an earlier tracklet."""
        self.segment_ids[:0] = earlier.segment_ids
        self.begin_s, self.begin_xy = earlier.begin_s, earlier.begin_xy
        self.begin_velocity, self.first = earlier.begin_velocity, earlier.first
        self.length += earlier.length
        self._embedding += earlier._embedding
        self._colours += earlier._colours

    def forget_mask(self) -> None:
        """Let go of what only following it needs."""
        self.mask = np.zeros((0, 0), np.float32)
