"""The records of tracks and of the timeline, all frozen. Times are seconds in a video."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from src.records import BoxXywh, MediaFile, Tag

# What linked a track's segments: overlap and likeness; SAM 2's video memory; a person, who has
# split, joined or cut it. What a person has linked is never linked anew.
TrackOrigin = Literal["linked", "propagated", "human"]
# What a lane of the timeline is of.
LaneKind = Literal["label", "tag", "track"]
# So little before its time a frame is shown already: times are rounded on their way.
SAME_MOMENT_S = 0.001


@dataclass(frozen=True)
class TrackSegment:
    """A segment of a track, in one frame.

    Attributes:
        until_s: up to when its frame stands for those that were skipped after it.
    """

    segment_id: str
    frame_index: int
    timestamp_s: float
    until_s: float
    bbox_xywh: BoxXywh
    crop_path: Path


@dataclass(frozen=True)
class Track:
    """One thing through the frames of a video.

    Attributes:
        begin_s, end_s: when it is seen first and last; it may be out of sight in between.
        segments: in the order of time, one a frame at most.
        tags: of all its segments, each with its strongest source and then highest confidence.
    """

    id: int
    media_file_id: int
    begin_s: float
    end_s: float
    origin: TrackOrigin
    segments: tuple[TrackSegment, ...]
    tags: tuple[Tag, ...] = ()


@dataclass(frozen=True)
class TimelineFrame:
    """A sampled frame of a video, by its whole-frame segment.

    Attributes:
        until_s: up to when it stands for what was skipped after it; where nothing was, up to the
            next sampled frame or the end of the video.
    """

    segment_id: str
    frame_index: int
    timestamp_s: float
    until_s: float
    crop_path: Path
    segments: int


@dataclass(frozen=True)
class LaneBar:
    """When something is seen, without a break longer than the sampling explains.

    Attributes:
        track_id: of the track that it is of; None where its segments are in none, or in several.
        segment_id: of its best segment, to be shown.
        frames: how many sampled frames are in it.
    """

    begin_s: float
    end_s: float
    track_id: int | None
    segment_id: str
    frames: int


@dataclass(frozen=True)
class Lane:
    """A row of the timeline.

    Attributes:
        is_of_people: whether a person said so; else a model did.
        colour: "#RRGGBB".
    """

    kind: LaneKind
    name: str
    is_of_people: bool
    colour: str
    bars: tuple[LaneBar, ...]


@dataclass(frozen=True)
class Timeline:
    """A video over time.

    Attributes:
        duration_s: of the video, or the time of its last frame where that is later.
        lanes: labels first, then tags, then tracks that have neither; the most seen first.
    """

    media: MediaFile
    duration_s: float
    frames: tuple[TimelineFrame, ...]
    tracks: tuple[Track, ...]
    lanes: tuple[Lane, ...]


@dataclass(frozen=True)
class ScoreCurve:
    """How well the frames of a video answer a query.

    Attributes:
        times_s: (N,) float64, ascending, of all sampled frames.
        scores: (N,) float32, of each frame's best segment, the whole frame among them; NaN where
            the query looks at none of the frame.
        segment_ids: of those segments; "" where there is none.
        line: the score below which a match is likely chance; None where no line is drawn.
    """

    times_s: np.ndarray = field(repr=False, compare=False)
    scores: np.ndarray = field(repr=False, compare=False)
    segment_ids: tuple[str, ...]
    line: float | None

    @property
    def is_empty(self) -> bool:
        """Whether no frame was scored."""
        return not np.isfinite(self.scores).any()

    def at(self, times_s: np.ndarray) -> np.ndarray:
        """Return the score at moments, in between that of the frames before and after.

        Where a frame was not scored there is none up to the next one; a frame before such a gap
        keeps its score up to it.

        Args:
            times_s: (M,) float64.

        Returns:
            (M,) float64, NaN where nothing was scored.
        """
        if not len(self.times_s):
            return np.full(len(times_s), np.nan)
        last = len(self.times_s) - 1
        places = np.searchsorted(self.times_s, times_s + SAME_MOMENT_S, "right") - 1
        places = np.clip(places, 0, last)
        after = np.minimum(places + 1, last)
        before, then = self.scores[places], self.scores[after]
        then = np.where(np.isnan(then), before, then)
        apart = np.maximum(self.times_s[after] - self.times_s[places], SAME_MOMENT_S)
        share = np.clip((times_s - self.times_s[places]) / apart, 0, 1)
        found: np.ndarray = before + (then - before) * share
        return found


@dataclass(frozen=True)
class VideoMoment:
    """A result of a search along a video: one track, or one segment that is in none."""

    segment_id: str
    begin_s: float
    end_s: float
    score: float | None
    is_strong: bool


@dataclass(frozen=True)
class VideoMoments:
    """The results of a search that lie in one video, in the order of time."""

    media: MediaFile
    poster: Path | None
    moments: tuple[VideoMoment, ...]


@dataclass(frozen=True)
class ClipMasks:
    """What is drawn into a clip; with neither, all tracks but what fills most of the
    picture are.

    Attributes:
        track_ids: these alone.
        label: the segments that have it.
    """

    track_ids: tuple[int, ...] = ()
    label: str | None = None


@dataclass(frozen=True)
class PlayedFrame:
    """A frame of a video, decoded to be looked at.

    Attributes:
        image_rgb: (h, w, 3) uint8 RGB, upright, at the size that was asked for.
        timestamp_s: exactly when it is shown.
        frame_index: its place among the frames of the video; None where the decoder, which began
            in the middle, can't know it.
    """

    image_rgb: np.ndarray = field(repr=False, compare=False)
    timestamp_s: float
    frame_index: int | None = None
