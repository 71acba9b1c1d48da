"""What a person does on the timeline, and the sentences about it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from src.events import FrameStored, JobDone
from src.gui.core.job_state import JobState
from src.gui.timeline.range_work import RangeWork
from src.gui.timeline.timeline_acts import TimelineActs
from tests.direct_thread import DirectThread
from tests.gui.timeline.records import bar, lane, model, timeline, track

ONE, OTHER = track(1, [2, 3, 8, 9]), track(2, range(4), "cat")


class Verbs:
    """Saves nothing, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Callable[..., str]:
        def asked(*values: Any) -> str:
            self.asked.append((name, *values))
            return "batch"

        return asked


class Acting:
    """A timeline of two tracks whose acts are saved at once."""

    def __init__(self) -> None:
        alone = lane("horse", [bar(None, 1, 2, "alone")])
        lanes = [lane("dog", [bar(ONE)]), lane("cat", [bar(OTHER)]), alone]
        self.model = model(timeline([ONE, OTHER], lanes))
        self.verbs, self.said = Verbs(), ""
        self.ended: list[Callable[[JobState, object], None]] = []
        self.job = JobState()
        self.session: Any = SimpleNamespace(
            read_only=False,
            library=SimpleNamespace(tracks=self.verbs, labels=self.verbs),
            main_thread=DirectThread(),
            tell_content_changed=lambda: None,
            signals=SimpleNamespace(job_ended=self.ended),
            start=lambda *_: self.job,
        )
        labels: Any = SimpleNamespace()
        self.acts = TimelineActs(self.session, labels, self.model, self.say)
        views: Any = SimpleNamespace(
            canvas=SimpleNamespace(refresh=lambda: None), part=SimpleNamespace(show=self.show)
        )
        nothing: Any = None
        self.range = RangeWork(
            self.session, self.model, self.acts, lambda: views, nothing, nothing, nothing, nothing,
            self.say,
        )  # fmt: skip
        self.shown = ""

    def say(self, text: str, _is_good: bool = False) -> None:
        self.said = text

    def show(self, text: str) -> None:
        self.shown = text


@pytest.fixture
def acting() -> Acting:
    return Acting()


@pytest.mark.parametrize(
    ("time_s", "asked", "said"),
    [
        (1.5, ("split", 1, "t1s3"), "“dog” split in two."),
        (3, ("split", 1, "t1s8"), "“dog” split in two."),
        (1, None, "The track begins here. Go to a later frame to split it."),
        (0, None, "The track begins here. Go to a later frame to split it."),
        (5, None, "The track isn't seen from here on. Go to an earlier frame to split it."),
    ],
)
def test_a_track_is_split_before_the_next_frame_that_it_is_seen_in(
    acting: Acting, time_s: float, asked: tuple[Any, ...] | None, said: str
) -> None:
    acting.model.choose(acting.model.choice_of(0, 0))
    acting.model.go(time_s)
    acting.acts.split()
    assert acting.verbs.asked == ([] if asked is None else [asked])
    assert acting.said == said


def test_it_is_said_how_much_got_a_label(acting: Acting) -> None:
    acting.model.choose(acting.model.choice_of(0, 0))
    acting.acts.give("letter k")
    assert acting.said == "1 track (4 segments) labelled “letter k”."
    acting.model.choose(acting.model.choice_of(2, 0))
    acting.acts.give("letter k")
    assert acting.said == "1 segment labelled “letter k”."
    acting.range.mark(1, 1.4)
    everything = acting.range.parts()[-1]
    acting.range.tag(everything, "seen")
    assert acting.said == "2 tracks and 1 segment (9 segments in all) labelled “seen”."


def test_where_nothing_is_left_to_undo_that_is_said(acting: Acting) -> None:
    acting.model.choose(acting.model.choice_of(0, 0))
    acting.acts.give("k")
    acting.acts.undo()
    assert acting.said.startswith("Undone: 1 track")
    acting.acts.undo()
    assert acting.said == "There is nothing to undo here."
    acting.acts.redo()
    acting.acts.redo()
    assert acting.said == "There is nothing to do again here."


def test_a_range_is_said_as_exactly_as_the_clock(acting: Acting) -> None:
    acting.said = "“dog” split in two."
    acting.range.mark(2.98, 4.005)
    assert acting.shown.startswith("Range 0:02.98 – 0:04.00 · 3 frames")
    assert acting.said == ""  # it was about something else


@pytest.mark.parametrize(
    ("frames", "is_whole", "said"),
    [
        (3, True, "3 frames added to 0:01.0–0:02.0 of video.mp4."),
        (0, True, "No frames added to 0:01.0–0:02.0 of video.mp4."),
        (1, False, "Stopped. 1 frame added to 0:01.0–0:02.0 of video.mp4."),
    ],
)
def test_adding_frames_says_at_once_what_it_does_and_then_what_it_added(
    acting: Acting, frames: int, is_whole: bool, said: str
) -> None:
    acting.range.mark(1, 2)
    acting.range.sample(5)
    assert acting.said == "Adding frames to 0:01.0–0:02.0 of video.mp4…"
    for number in range(frames):
        acting.job.take(FrameStored(Path("video.mp4"), number, number / 5, 4, 0.5))
    if is_whole:
        acting.job.take(JobDone(1, 0))
    acting.ended[0](JobState(), None)  # another job
    assert acting.said.startswith("Adding")
    acting.ended[0](acting.job, None)
    assert acting.said == said
