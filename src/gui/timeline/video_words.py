"""What the timeline says of a video in words: its facts, and why there are no lanes."""

from __future__ import annotations

from src.counting import counted, moment
from src.gui.core.job_state import length
from src.track_records import Timeline

READING = "Reading the video…"
NO_FRAMES = "No frame of this video is in the library yet."
COMING = "The first frames are being added. They will appear here."
NO_LANES = "Nothing was found in its frames."
TRACKING = "Finding tracks in these frames…"
PARTIAL = "The rest has not been added yet."
CANT_PLAY = "This video can't be played here. Open it in the system's player instead."


def facts_of(timeline: Timeline) -> str:
    """Write how long a video is, and what of it is in the library."""
    duration_s = timeline.duration_s
    facts = [
        moment(duration_s) if duration_s < 60 else length(duration_s),
        counted(len(timeline.frames), "frame"),
        counted(sum(frame.segments for frame in timeline.frames), "segment"),
    ]
    return " · ".join(facts)


def is_coming(timeline: Timeline) -> bool:
    """Return whether its frames are still being added, or wait for that."""
    return timeline.media.status in ("pending", "processing")


def why_no_lanes(timeline: Timeline, is_tracking: bool) -> str:
    """Say why there are no lanes; "" where there are.

    Args:
        is_tracking: whether tracks are being found.
    """
    if not timeline.frames:
        return COMING if is_coming(timeline) else NO_FRAMES
    if timeline.lanes:
        return ""
    return TRACKING if is_tracking else NO_LANES
