"""Videos of which workers read spans, as the library's side sees them."""

from __future__ import annotations

import math
import os
import pickle
import threading
from collections import deque
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from src.errors import ClusterError, MediaReadError
from src.processing.cluster.work import (
    KILLED,
    SampledFrame,
    SpanMade,
    SpanWork,
    span_outcome,
)
from src.processing.ffmpeg_log import VideoFacts
from src.processing.ffmpeg_process import find_ffmpeg, version_of
from src.processing.file_errors import format_error
from src.processing.frames_ahead import ReadFrame
from src.processing.image_loader import check_readable
from src.processing.segment_pipeline import FrameResult
from src.processing.video_filters import FrameReading
from src.processing.video_processor import ChosenFrames, said_of_video
from src.processing.video_spans import NotExactError, Seam, Span
from src.processing.video_streams import read_header
from src.settings import Settings
from src.stopping import waited_for

# A span begins up to a group of pictures too early, so a longer one costs less; of a shorter one
# fewer results are in memory at once, and more workers have something to do.
CUT_SPAN_S, EMBEDDED_SPAN_S = 8.0, 60.0
# So many frames are in a span, at least and at most, and in all that are under way or wait.
CUT_FRAMES, EMBEDDED_FRAMES = (8, 32), (64, 512)
CUT_AT_ONCE, EMBEDDED_AT_ONCE = 512, 4096
# Of a video that no worker finds the bytes are sent with each span, up to this.
SENT_BYTES = 4_000_000

# Asks a cluster for a span; of a file that is sent where it is not found, or of none.
AskSpan = Callable[[bytes, Path | None], "Future[tuple[str, bytes]]"]


class SpansAtOnce:
    """Bounds the spans that are under way or wait for their turn; any thread may call it."""

    def __init__(self, settings: Settings, cuts_nothing: bool, ask: AskSpan) -> None:
        """Begin with none; the settings say how long a span is."""
        self.ask = ask
        rate = settings.frames_per_second
        seconds = EMBEDDED_SPAN_S if cuts_nothing else CUT_SPAN_S
        least, most = EMBEDDED_FRAMES if cuts_nothing else CUT_FRAMES
        self.parts = min(most, max(least, math.ceil(seconds * rate)))
        frames = EMBEDDED_AT_ONCE if cuts_nothing else CUT_AT_ONCE
        self._most = max(2, frames // self.parts)
        self._lock = threading.RLock()
        self._videos: list[VideoInSpans] = []
        self._in_turn: VideoInSpans | None = None

    def add(self, video: VideoInSpans) -> None:
        """Have spans of a video asked for as soon as there is room."""
        with self._lock:
            self._videos.append(video)
        self.fill()

    def take_turn(self, video: VideoInSpans) -> None:
        """Let a video go before all others; it has half as much room again, whatever they have."""
        with self._lock:
            self._in_turn = video
        self.fill()

    def remove(self, video: VideoInSpans) -> None:
        """Ask for no more of a video."""
        with self._lock:
            self._videos = [each for each in self._videos if each is not video]
        with suppress(ClusterError):  # whoever waits for an answer is told
            self.fill()

    def fill(self) -> None:
        """Ask for more where there is room."""
        with self._lock:
            first = self._in_turn
            for video in sorted(self._videos, key=lambda each: each is not first):
                while video.has_more and self._has_room(video):
                    video.ask_next()

    def _has_room(self, video: VideoInSpans) -> bool:
        own, in_all = video.under_way, sum(each.under_way for each in self._videos)
        return in_all < self._most or (video is self._in_turn and own < self._most // 2)


@dataclass
class _Asked:
    span: Span
    answer: Future[tuple[str, bytes]]


class VideoInSpans:
    """One video, whose spans several workers read at the same time.

    Attributes:
        facts: of the file, complete once all frames were given out.
        trouble: why the rest has to be read through.
    """

    def __init__(
        self,
        path: Path,
        work: SpanWork,
        length_s: float,
        facts: VideoFacts,
        settings: Settings,
        stored: Mapping[int, float],
        at_once: SpansAtOnce,
    ) -> None:
        """Have its first spans asked for, where there is room; see video_in_spans.

        Args:
            work: on its first span.
            length_s: that it has, as it says.
            facts: what is known of it already.
        """
        self.path, self.facts, self.trouble = path, facts, ""
        self._work, self._settings, self._at_once = work, settings, at_once
        self._parts = length_s * settings.frames_per_second
        self._stored = stored
        self._asked: deque[_Asked] = deque()
        self._next = work.span
        self._is_closed = False
        at_once.add(self)

    @property
    def under_way(self) -> int:
        """Return how many spans are asked for, and not given out."""
        return len(self._asked)

    @property
    def has_more(self) -> bool:
        """Return whether there probably are more spans to ask for."""
        return not self._is_closed and (self._next.begin or 0) < self._parts

    def ask_next(self) -> None:
        """Ask for one span more."""
        span = self._next
        self._asked.append(_Asked(span, self._send(replace(self._work, span=span))))
        self._next = replace(span, begin=span.end, end=span.end + self._at_once.parts)

    def close(self) -> None:
        """Drop what is under way."""
        self._is_closed = True
        self._asked.clear()
        self._at_once.remove(self)

    def frames(self) -> Generator[ReadFrame | None, None, bool]:
        """Yield the sampled frames in their order, with their results; None while they wait.

        Returns:
            Whether that was all; else the rest has to be read through, and the facts anew.

        Raises:
            MediaReadError: no worker survives it.
            ClusterError: the cluster is gone.
        """
        try:
            return (yield from self._frames())
        finally:
            self.close()

    def _frames(self) -> Generator[ReadFrame | None, None, bool]:
        self._at_once.take_turn(self)
        settings, facts = self._settings, self.facts
        chosen = ChosenFrames(settings.duplicate_distance, settings.frames_per_video)
        shift = 0
        before: Seam | None = None
        while True:
            if not self._asked:
                self.ask_next()
            asked = self._asked[0]
            made = yield from self._answer(asked.answer)
            if made is None or made.facts is None:
                return False
            if before is not None:
                if made.first is None or made.first != before:
                    self.trouble = "its parts don't fit together exactly when read apart"
                    return False
                shift += before.count - made.first.count
            before = made.after
            last = made.facts
            facts.duration_s = last.duration_s
            listed = _listed(made, chosen, shift)
            missing = frozenset(
                frame.moment_s
                for frame, differs in listed
                if differs and frame.result is None and frame.count not in self._stored
            )
            if missing:  # it looked otherwise to who did not know the frames before
                more = yield from self._made_again(asked.span, missing)
                if more is None:
                    return False
                listed = [
                    (replace(frame, result=more.get(frame.moment_s, frame.result)), differs)
                    for frame, differs in listed
                ]
            del made
            self._asked.popleft()
            self._at_once.fill()
            for frame, differs in listed:
                yield self._as_read(frame, differs)
            if chosen.are_enough:
                facts.damage = chosen.what_is_left_out()
                return True
            if before is None:
                break
        ended = replace(last, captured_at=facts.captured_at, camera=facts.camera)
        facts.become(ended)
        facts.judge_length()
        self.trouble = "" if chosen.taken else "no frame was found in it"
        return chosen.taken > 0

    def _send(self, work: SpanWork) -> Future[tuple[str, bytes]]:
        file = self.path if work.size <= SENT_BYTES else None
        return self._at_once.ask(pickle.dumps(work), file)

    def _answer(self, answer: Future[tuple[str, bytes]]) -> Generator[None, None, SpanMade | None]:
        """Wait for a span; None where it can't be used."""
        state, content = yield from waited_for(answer)
        if state == "killed":
            raise MediaReadError(self.path, f"{KILLED} ({content.decode()})")
        if state != "done":
            self.trouble = content.decode() or "it could not be sent to a worker"
            return None
        outcome = span_outcome(content)
        made: SpanMade | None = outcome.value
        if outcome.error is not None:
            self.trouble = f"a worker could not read it: {format_error(outcome.error)}"
        elif made is None:
            self.trouble = "it has changed meanwhile"
        elif made.trouble is not None:
            self.trouble = made.trouble
        else:
            return made
        return None

    def _made_again(
        self, span: Span, moments: frozenset[float]
    ) -> Generator[None, None, dict[float, FrameResult] | None]:
        """Have more frames of a span cut; None where that can't be done."""
        made = yield from self._answer(self._send(replace(self._work, span=span, cut=moments)))
        if made is None:
            return None
        found = {frame.moment_s: frame.result for frame in made.frames if frame.result is not None}
        if moments <= found.keys():
            return found
        self.trouble = "its frames come out otherwise when they are read again"
        return None

    def _as_read(self, frame: SampledFrame, differs: bool) -> ReadFrame:
        result: Future[FrameResult] | None = None
        if differs and frame.result is not None and frame.count not in self._stored:
            result = Future()
            result.set_result(replace(frame.result, frame_index=frame.count))
        length_s, at_s = self.facts.duration_s, frame.timestamp_s
        fraction = min(1.0, at_s / length_s) if length_s and at_s is not None else 0.0
        return ReadFrame(frame.count, at_s, frame.size_wh, differs, fraction, result)


def video_in_spans(
    path: Path,
    path_there: str,
    digest: str,
    size: int,
    settings: Settings,
    stored: Mapping[int, float],
    at_once: SpansAtOnce,
) -> VideoInSpans:
    """Have a video read in spans.

    Args:
        path_there: where a worker may find it.
        digest, size: of its content.
        stored: frames that are not to be cut again, and when they are shown.

    Raises:
        MediaReadError: it can't be read.
        NotExactError: it has to be read through.
    """
    check_readable(path)
    program = find_ffmpeg()
    if program is None:
        raise NotExactError("there is no ffmpeg here")
    header = read_header(program, Path(os.path.abspath(path)))
    film = header.film()
    if film is None or header.length_s <= 0:
        raise NotExactError("it doesn't say how long it is")
    facts = VideoFacts()
    facts.captured_at, facts.camera = said_of_video(header, path)
    first = Span(settings.frames_per_second, None, at_once.parts)
    work = SpanWork(
        path_there,
        path.name,
        digest,
        size,
        version_of(program),
        FrameReading.of(film),
        first,
        frozenset(stored.values()),
    )
    return VideoInSpans(path, work, header.length_s, facts, settings, stored, at_once)


def _listed(made: SpanMade, chosen: ChosenFrames, shift: int) -> list[tuple[SampledFrame, bool]]:
    """Return the frames of a span with their places in the video, and which are to be taken."""
    listed = []
    for frame in made.frames:
        differs = chosen.differs(frame.look)
        if chosen.are_enough:
            break
        listed.append((replace(frame, count=frame.count + shift), differs))
    return listed
