"""The speed of looking into a video: python -m tests.benchmarks.playing [--video FILE] [--write]

Of a film of 60 s in 1080p at 30 frames a second with a keyframe every 2 s (H.264 with B-frames,
a wide drawn scene that moves, under noise): the time from asking for a random moment to its exact
frame at the size of the window, by each way there is, and playing in a real window, under a
display of its own where there is none (Xvfb). `--minutes N` plays on and prints memory each minute.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
import tkinter
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from src.gui.core.main_thread import MainThread
from src.gui.theme.theme import DARK, Theme
from src.gui.timeline.play_view import PlayView
from src.processing.ffmpeg_process import find_ffmpeg
from src.processing.video_player import VideoPlayer
from src.starter.scenes import draw_scene
from tests.benchmarks.page import put_table
from tests.benchmarks.window import display

MARKS = ("<!-- playing -->", "<!-- end of playing -->")
SECONDS, RATE, GROUP = 60, 30, 60
WINDOW_WH = (960, 540)
CLICKS = 30
HOVER_S = 0.3  # how long a pointer is over a place before it is clicked
PLAY_S = 15
TICK_MS = 5


def make_film(path: Path) -> None:
    """Draw the film."""
    program = find_ffmpeg()
    assert program is not None
    scene = draw_scene(np.random.default_rng(3), (2400, 1350), count=40).image_rgb
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "scene.png"
        Image.fromarray(scene).save(picture)
        moves = "crop=1920:1080:x='240+230*sin(t*0.9)':y='135+130*sin(t*0.7)',noise=alls=5:allf=t"
        subprocess.run(
            [
                program, "-v", "error", "-y", "-loop", "1", "-framerate", str(RATE), "-i", picture,
                "-t", str(SECONDS), "-vf", moves, "-c:v", "libx264", "-preset", "veryfast",
                "-pix_fmt", "yuv420p", "-b:v", "6M", "-bf", "3",
                "-x264-params", f"keyint={GROUP}:min-keyint={GROUP}:scenecut=0:ref=3", path,
            ],
            check=True,
        )  # fmt: skip


def moments(seed: int) -> list[float]:
    frames = np.random.default_rng(seed).integers(0, SECONDS * RATE, CLICKS)
    return [float(frame) / RATE for frame in frames]


def times(
    look: Callable[[float], object], before: Callable[[float], None], seed: int
) -> list[float]:
    """Return how many milliseconds each of the random moments took, in order of length."""
    found = []
    for time_s in moments(seed):
        before(time_s)
        start = time.perf_counter()
        look(time_s)
        found.append(1000 * (time.perf_counter() - start))
    return sorted(found)


def row(what: str, found: Sequence[float]) -> str:
    median, ninth = statistics.median(found), found[int(0.9 * len(found))]
    under = sum(each < 100 for each in found) / len(found)
    return f"| {what} | {median:.0f} | {ninth:.0f} | {found[-1]:.0f} | {under:.0%} |"


def by_ffmpeg(path: Path) -> Callable[[float], object]:
    program = find_ffmpeg()
    width, height = WINDOW_WH

    def look(time_s: float) -> bytes:
        command = [program, "-v", "error", "-ss", str(time_s), "-i", path, "-frames:v", "1"]
        command += ["-vf", f"scale={width}:{height}", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
        return subprocess.run(command, capture_output=True, check=True).stdout  # type: ignore[arg-type]

    return look


def by_opencv(path: Path) -> Callable[[float], object]:
    film = cv2.VideoCapture(str(path))

    def look(time_s: float) -> object:
        film.set(cv2.CAP_PROP_POS_MSEC, 1000 * time_s)
        return cv2.resize(film.read()[1], WINDOW_WH, interpolation=cv2.INTER_AREA)

    return look


def clicks(path: Path) -> list[str]:
    """Return the rows of the table of clicks."""
    rows = [
        row("ffmpeg started anew (`-ss`)", times(by_ffmpeg(path), lambda _: None, 1)),
        row("OpenCV, held open", times(by_opencv(path), lambda _: None, 1)),
    ]
    player = VideoPlayer(path)

    def look(time_s: float) -> None:
        frame = player.frame_at(time_s, WINDOW_WH)
        assert abs(frame.timestamp_s - time_s) < 1e-3, (frame.timestamp_s, time_s)

    def rest(_: float) -> None:
        time.sleep(1.0)  # what it decodes after a click is decoded by then

    def hover(time_s: float) -> None:
        time.sleep(0.5)
        player.prepare(time_s, WINDOW_WH)
        time.sleep(HOVER_S)

    def beside(time_s: float) -> None:
        player.frame_at(time_s, WINDOW_WH)
        time.sleep(1.0)

    rows.append(row("ours, a place the pointer has not been over", times(look, rest, 2)))
    rows.append(row(f"ours, clicked {HOVER_S} s after the pointer came", times(look, hover, 3)))
    back = times(lambda time_s: player.step(time_s, -1, WINDOW_WH), beside, 4)
    rows.append(row("ours, one frame back, 1 s after a click", back))
    rows.append(row("ours, one frame on", times(lambda t: player.step(t, 1, WINDOW_WH), beside, 5)))
    player.close()
    return rows


def decoder_rate(path: Path) -> float:
    """Return how many frames a second ffmpeg decodes and drops."""
    program = find_ffmpeg()
    start = time.perf_counter()
    subprocess.run([program, "-v", "error", "-i", path, "-f", "null", "-"], check=True)  # type: ignore[list-item]
    return SECONDS * RATE / (time.perf_counter() - start)


def memory_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


class Played:
    """A window that plays a film, and what was seen of it."""

    def __init__(self, path: Path) -> None:
        self.root = tkinter.Tk()
        self.root.geometry(f"{WINDOW_WH[0]}x{WINDOW_WH[1]}+0+0")
        self.shown: list[float] = []
        self.gaps: list[float] = []
        self.player: VideoPlayer | None = None
        self.main_thread = MainThread(self.root, print)

        def opened(_: int) -> VideoPlayer:
            self.player = VideoPlayer(path)
            return self.player

        self.view = PlayView(
            self.root, Theme(DARK, 1.0), self.main_thread, opened, on_shown=self._seen
        )
        self.view.pack(fill="both", expand=True)
        self.root.update()
        self.view.open(1)
        self.until(lambda: self.shown)

    def _seen(self, _: float) -> None:
        self.shown.append(time.perf_counter())

    def until(self, there: Callable[[], object]) -> None:
        end = time.monotonic() + 60
        while not there() and time.monotonic() < end:
            self.root.update()
            time.sleep(0.001)

    def play(self, seconds: float) -> None:
        """Play, with a clock in the loop of the window."""
        last = time.perf_counter()
        self.shown, self.gaps = [], []

        def tick() -> None:
            nonlocal last
            now = time.perf_counter()
            self.gaps.append(1000 * (now - last) - TICK_MS)
            last = now
            if now < end:
                self.root.after(TICK_MS, tick)
            else:
                self.root.quit()

        self.view.play()
        self.until(lambda: self.shown)
        self.shown = []
        last = time.perf_counter()
        end = last + seconds
        self.root.after(TICK_MS, tick)
        self.root.mainloop()

    def close(self) -> None:
        self.view.close()
        self.main_thread.close()
        self.root.destroy()


def playing(path: Path, minutes: float) -> list[str]:
    """Return the rows of the table of playing."""
    film = Played(path)
    film.play(PLAY_S)
    rate = (len(film.shown) - 1) / (film.shown[-1] - film.shown[0])
    gaps = sorted(film.gaps)
    rows = [
        f"| frames a second on the screen, of {RATE} | {rate:.1f} |",
        f"| frames dropped, of {PLAY_S * RATE} | {film.view.dropped} |",
        "| gap in the window's loop, ms: median, 99th percentile, longest | "
        f"{statistics.median(gaps):.1f}, {gaps[int(0.99 * len(gaps))]:.1f}, {gaps[-1]:.1f} |",
    ]
    waited = film.view.waiting()
    before = memory_mb(os.getpid())
    for minute in range(round(minutes)):
        for _ in range(2):
            film.view.show(0.0)
            film.play(30)
        waited = max(waited, film.view.waiting())
        assert film.player is not None and film.player.child_pid is not None
        now, child = memory_mb(os.getpid()), memory_mb(film.player.child_pid)
        print(
            f"minute {minute + 1}: window {now:.0f} MB ({now - before:+.0f}), child {child:.0f} MB"
        )
    film.close()
    return rows


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--video", type=Path)
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, display():
        path = chosen.video or Path(folder) / "film.mp4"
        if chosen.video is None:
            make_film(path)
        rows = [
            "| a click, ms | median | 90 % | slowest | under 100 |",
            "| --- | --- | --- | --- | --- |",
        ]
        rows += clicks(path)
        rate = decoder_rate(path)
        frames = GROUP / 2
        played = playing(path, chosen.minutes)
        rows += ["", "| playing | |", "| --- | --- |", *played]
        rows.append(f"| ffmpeg decodes, frames a second, all cores | {rate:.0f} |")
        rows.append(
            f"| so {frames:.0f} frames from the keyframe, the mean, take at the least, ms | "
            f"{1000 * frames / rate:.0f} |"
        )
    print("\n".join(rows))
    if chosen.write:
        put_table(MARKS, "\n".join(rows))


if __name__ == "__main__":
    main()
