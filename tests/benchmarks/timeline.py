"""The speed of the timeline: python -m tests.benchmarks.timeline [LANES]

A video of two hours at one frame a second, 60,000 segments in tracks, 200 lanes and a curve, in the
real window. Each step of the wheel is timed in Tk's thread until all of it is drawn. Beside it
stands a bare Canvas that draws the bars that are seen as items, without frames, curve or names.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
import tkinter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image

from src.gui.main_window import MainWindow
from src.records import MediaFile, Tag
from src.starter.scenes import draw_scene
from src.track_records import Lane, LaneBar, ScoreCurve, Timeline, TimelineFrame, Track
from src.track_records import TrackSegment as Segment
from tests.benchmarks.window import closed, display, opened, row, until

DURATION_S = 7_200
SEGMENTS = 60_000
LANES = 200
PICTURES = 40
STEPS = 60
LIMIT_MS = 16
_COLOURS = ("#E6B450", "#F0686C", "#5B96EE", "#5CC98B")


def drawn_timeline(folder: Path, lanes: int) -> tuple[Timeline, ScoreCurve]:
    """A video of two hours in which things come and go."""
    random = np.random.default_rng(0)
    pictures = []
    for number in range(PICTURES):
        pictures.append(folder / f"{number}.jpg")
        Image.fromarray(draw_scene(np.random.default_rng(number)).image_rgb).save(pictures[-1])
    media = MediaFile(
        1, folder / "film.mp4", None, "video", 1920, 1080, DURATION_S, None, 1, 0, "done", None, 0.0
    )  # fmt: skip
    frames = tuple(
        TimelineFrame(f"f{t}", t * 25, t, t + 1, pictures[t // 20 % PICTURES], 8)
        for t in range(DURATION_S)
    )
    tracks: list[Track] = []
    of_lane: list[list[LaneBar]] = [[] for _ in range(lanes)]
    left = SEGMENTS
    while left > 0:
        count = min(left, int(random.integers(2, 40)))
        begin, lane = int(random.integers(0, DURATION_S - count)), len(tracks) % lanes
        number = len(tracks) + 1
        segments = tuple(
            Segment(f"{number}-{t}", t * 25, t, t + 1, (1, 1, 9, 9), pictures[t % PICTURES])
            for t in range(begin, begin + count)
        )
        tag = (Tag(f"thing {lane}", 1.0, "auto"),)
        tracks.append(Track(number, 1, begin, begin + count, "linked", segments, tag))
        of_lane[lane].append(LaneBar(begin, begin + count, number, segments[0].segment_id, count))
        left -= count
    made = tuple(
        Lane("tag", f"thing {n}", False, _COLOURS[n % len(_COLOURS)], tuple(bars))
        for n, bars in enumerate(of_lane)
    )
    scores = (0.25 + 0.05 * np.sin(np.arange(DURATION_S) / 40)).astype(np.float32)
    scores += random.normal(0, 0.01, DURATION_S).astype(np.float32)
    times = np.arange(DURATION_S, dtype=np.float64)
    curve = ScoreCurve(times, scores, tuple(frame.segment_id for frame in frames), 0.26)
    return Timeline(media, DURATION_S, frames, tuple(tracks), made), curve


def timed(steps: Sequence[Callable[[], object]], drawn: Callable[[], object]) -> list[float]:
    """Return how long each step takes until it is drawn, in milliseconds."""
    found = []
    for step in steps:
        start = time.perf_counter()
        step()
        drawn()
        found.append(1000 * (time.perf_counter() - start))
    return found


def said(times: Sequence[float]) -> str:
    ordered = sorted(times)
    at_95 = ordered[int(0.95 * len(ordered))]
    return f"{statistics.median(ordered):.1f} / {at_95:.1f} / {ordered[-1]:.1f} ms"


def bare_canvas(window: MainWindow, lanes: Sequence[Any], size_wh: tuple[int, int]) -> list[float]:
    """The same wheel over a Canvas with an item for each bar that is seen."""
    canvas = tkinter.Canvas(window, width=size_wh[0], height=size_wh[1], highlightthickness=0)
    canvas.place(x=0, y=0)
    scales = [size_wh[0] / DURATION_S * 1.25**step for step in range(STEPS // 2)]
    scales += scales[::-1]

    def draw(px_per_s: float) -> None:
        canvas.delete("all")
        for number, lane in enumerate(lanes):
            for bar in lane.bars:
                left, right = bar.begin_s * px_per_s, bar.end_s * px_per_s
                if left < size_wh[0]:
                    top = number * 32 + 8
                    canvas.create_rectangle(left, top, right, top + 16, fill="#997733", outline="")

    found = timed([lambda scale=scale: draw(scale) for scale in scales], canvas.update)  # type: ignore[misc]
    canvas.destroy()
    return found


def main() -> None:
    lanes = int(sys.argv[1]) if len(sys.argv) > 1 else LANES
    with display(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        timeline, curve = drawn_timeline(folder, lanes)
        window = opened(folder / "library")
        verbs = SimpleNamespace(
            timeline=lambda _: timeline, scores=lambda *_: curve, has_unlinked=lambda: False
        )
        window.session.library.tracks = verbs  # type: ignore[assignment]
        panel, canvas = window.panels.timeline, window.panels.timeline.canvas
        start = time.perf_counter()
        window.panels.open_timeline(1, query="thing")
        until(window, lambda: panel.model.timeline is not None and panel.model.curve is not None)
        opened_s = time.perf_counter() - start
        until(window, lambda: canvas.winfo_height() > 100)
        for _ in range(20):  # thumbnails
            window.update()
            time.sleep(0.02)
        print(f"{lanes} lanes, {len(timeline.tracks):,} tracks, {SEGMENTS:,} segments, "
              f"{len(timeline.frames):,} frames; canvas {canvas.winfo_width()} x "
              f"{canvas.winfo_height()}")  # fmt: skip
        print(f"from opening to the whole of it: {opened_s:.2f} s\n")
        print("| step (median / 95 % / worst) | ours | bare Canvas | limit |\n| - | - | - | - |")
        x, y = canvas.left + 300, canvas.rows.lanes_top + 40

        def wheel(button: int, state: int) -> Callable[[], object]:
            return lambda: canvas.event_generate(f"<Button-{button}>", x=x, y=y, state=state)

        seen = [canvas.model.lanes[n].lane for n in canvas.rows.visible_lanes()]
        bare = bare_canvas(window, seen, (canvas.scale_of_time.width_px, 200))
        zooms = [wheel(4, 4)] * (STEPS // 2) + [wheel(5, 4)] * (STEPS // 2)
        row("Ctrl and wheel", said(timed(zooms, window.update)), said(bare), f"{LIMIT_MS} ms")
        canvas.set_zoom(0.5)
        moves = [wheel(5, 1)] * STEPS
        row("Shift and wheel: time", said(timed(moves, window.update)), "", f"{LIMIT_MS} ms")
        scrolls = [wheel(5, 0)] * STEPS
        row("wheel: lanes", said(timed(scrolls, window.update)), "", f"{LIMIT_MS} ms")
        drags = [lambda n=n: panel.range.mark(100, 100 + 20 * n) for n in range(STEPS)]
        row("dragging a range", said(timed(drags, window.update)), "", f"{LIMIT_MS} ms")
        goes = [lambda n=n: panel.navigation.go_to(3000 + n) for n in range(STEPS)]
        row("the playhead moves", said(timed(goes, window.update)), "", f"{LIMIT_MS} ms")
        closed(window)


if __name__ == "__main__":
    main()
