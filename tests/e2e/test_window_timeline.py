"""The window from outside: a video over time, by pointer and keys."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from src.config import APPLICATION_FOLDER
from tests.e2e.desktop import DEADLINE_S, FAST, Start, State, Window
from tests.remembered_videos import draw_video
from tests.warm_start import CUT_ALREADY, WarmStart

VIDEO, FRAMES = "video.mp4", 4
LABELLED = r"Undone: 1 track \(\d+ segments?\) labelled “thing”\."


@pytest.fixture(scope="module")
def with_video(
    warm_program: WarmStart, cut_already: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A library of one short video whose segments are linked, to be copied."""
    folder = tmp_path_factory.mktemp("with video")
    library = folder / "library"
    library.mkdir()
    FAST.save(library / "settings.json")
    video = draw_video(folder / VIDEO, FRAMES)
    environment = os.environ | {CUT_ALREADY: str(cut_already)}
    for command in (["ingest", video], ["tracks"]):
        process = warm_program.popen(
            [sys.executable, "main.py", "--library", library, *command],
            cwd=APPLICATION_FOLDER,
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        assert process.wait(DEADLINE_S) == 0
    return library


def opened(start: Start, library: Path, tmp_path: Path) -> Window:
    """Start the window and open the video by a double click."""
    window = start(shutil.copytree(library, tmp_path / "library"))
    window.wait("the models", lambda s: s["models_ready"])
    x, y, width, height = window.card(VIDEO)["box"]
    at = ["mousemove", x + width // 2, y + height // 3]
    window.screen.do(*at, "click", "--repeat", 2, "--delay", 60, 1)
    window.wait_still("the video over time", lambda s: s["timeline"] if is_read(s) else {})
    return window


def is_read(state: State) -> bool:
    return state["panel"] == "timeline" and bool(state["timeline"]["lanes"])


def x_of(state: State, time_s: float) -> int:
    """Return where a moment is on the screen."""
    shown = state["timeline"]
    left, _, width, _ = shown["box"]
    begin, end = shown["seen"]
    return left + round((time_s - begin) / (end - begin) * width)


def frames_y(state: State) -> int:
    """Return a height at which the frames are."""
    return int(state["timeline"]["box"][1]) + 50


def first_bar(state: State) -> tuple[int, int]:
    """Return the middle of the first lane's first bar, as far as that is seen."""
    lane = next(iter(state["timeline"]["lanes"].values()))
    x, y, width, height = next(iter(lane.values()))
    return x + min(width // 2, 40), y + height // 2


def test_the_time_of_a_video_is_gone_through_by_pointer_and_keys(
    start: Start, with_video: Path, tmp_path: Path
) -> None:
    window = opened(start, with_video, tmp_path)
    state = window.state()
    assert len(state["timeline"]["frames"]) == FRAMES
    y = frames_y(state)
    window.screen.do("mousemove", x_of(state, 2.5), y)
    window.wait("a picture of the moment", lambda s: s["timeline"]["preview"].startswith("0:02."))
    window.screen.do("click", 1)
    window.wait("that moment", lambda s: abs(s["timeline"]["playhead"] - 2.5) < 0.05)
    window.key("Left")
    window.wait("the frame before", lambda s: s["timeline"]["playhead"] == 2)
    window.key("shift+Right")
    window.wait("a second later", lambda s: s["timeline"]["playhead"] == 3)
    window.key("Home")
    window.wait("the beginning", lambda s: s["timeline"]["playhead"] == 0)

    window.drag((x_of(state, 1), y), (x_of(state, 3), y))
    marked = window.wait_still("a range", lambda s: s["timeline"]["range"])
    assert marked == pytest.approx([1, 3], abs=0.05)
    window.wait_text("Search in range", "Label range", "Export range")
    window.key("Escape")
    window.wait("no range", lambda s: not s["timeline"]["range"])

    x = x_of(state, 2.5)
    window.screen.do("mousemove", x, y, "keydown", "ctrl", "click", 4, "click", 4, "keyup", "ctrl")
    window.wait_still(
        "it larger, about the pointer",
        lambda s: s["timeline"]["seen"][0] > 0.3 and abs(x_of(s, 2.5) - x) <= 2,
    )
    window.click("Fit")
    window.wait("all of it", lambda s: s["timeline"]["seen"][0] == 0)
    window.key("Escape")
    window.wait("the library", lambda s: s["panel"] == "library")


def test_from_the_timeline_one_comes_to_a_frame_and_to_results_and_back(
    start: Start, with_video: Path, tmp_path: Path
) -> None:
    window = opened(start, with_video, tmp_path)
    x, y = first_bar(window.state())
    window.screen.do("mousemove", x, y, "click", 1)
    before = window.wait_still(
        "the bar chosen", lambda s: s["timeline"] if s["timeline"]["chosen"] else {}
    )
    window.key("Return")
    window.wait("the frame", lambda s: s["panel"] == "detail" and s["segment"])
    window.key("Escape")
    window.wait_still(
        "what was left",
        lambda s: (
            s["panel"] == "timeline"
            and [s["timeline"][key] for key in ("playhead", "seen", "chosen")]
            == [before[key] for key in ("playhead", "seen", "chosen")]
        ),
    )
    state = window.state()
    y = frames_y(state)
    window.drag((x_of(state, 1), y), (x_of(state, 2.4), y))
    window.click("Search in range")
    window.wait("results", lambda s: s["panel"] == "text" and s["count"] > 0)
    window.wait("its name", lambda s: s["chips"] and s["chips"][0]["text"].endswith(".mp4"))
    assert window.state()["chips"][1]["text"].startswith("0:0")
    window.key("Escape")
    window.wait("the way back", lambda s: s["panel"] == "timeline")
    window.wait_text("Search in range")


def test_tracks_are_labelled_and_split_and_that_is_undone(
    start: Start, with_video: Path, tmp_path: Path
) -> None:
    window = opened(start, with_video, tmp_path)
    x, y = first_bar(window.state())
    window.screen.do("mousemove", x, y, "click", 1)
    window.wait("a track", lambda s: s["timeline"]["chosen"] and s["timeline"]["chosen"][0])
    window.key("l")
    window.type("thing")
    window.key("Return")
    window.wait("the label's lane", lambda s: "thing" in s["timeline"]["lanes"])
    window.key("ctrl+z")
    window.wait("it is gone", lambda s: "thing" not in s["timeline"]["lanes"])
    window.key("ctrl+shift+z")
    window.wait("the lane again", lambda s: "thing" in s["timeline"]["lanes"])

    # what a person presses to save, and what would label: with Ctrl neither is the timeline's
    window.key("ctrl+s")
    window.key("ctrl+1")
    window.key("ctrl+j")
    window.key("alt+i")
    window.key("ctrl+z")
    window.wait("the label undone", lambda s: re.fullmatch(LABELLED, s["timeline"]["said"]))
    window.wait("it is gone", lambda s: "thing" not in s["timeline"]["lanes"])
    assert not window.state()["timeline"]["range"]
    window.key("ctrl+z")
    window.wait("nothing", lambda s: s["timeline"]["said"] == "There is nothing to undo here.")
    window.key("ctrl+shift+z")
    window.wait("the lane again", lambda s: "thing" in s["timeline"]["lanes"])

    x, y, width, height = list(window.state()["timeline"]["lanes"]["thing"].values())[-1]
    before = window.state()["timeline"]["playhead"]
    window.screen.do("mousemove", x + width - 12, y + height // 2, "click", 1)
    window.wait("its last frame", lambda s: s["timeline"]["playhead"] > before)
    window.key("s")
    window.wait("two tracks", lambda s: s["timeline"]["said"] == "“thing” split in two.")
    window.key("ctrl+z")
    window.wait("one track", lambda s: s["timeline"]["said"].startswith("Undone: “thing” split"))
