"""The window from outside: the first start, and jobs that are stopped and go on."""

from __future__ import annotations

import os
import re
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from src.config import LibraryPaths
from tests.conftest import MakeVideo
from tests.e2e.desktop import FAST, Screen, Start, Window, draw_photo, statistic, wait_until

# So long a frame, and so many, that there is time to stop it on a fast machine too.
SLOW = replace(FAST, points_per_side=16)
FRAMES = 7


def stored_segments(library: Path) -> set[str]:
    db = sqlite3.connect(LibraryPaths(library).metadata_db)
    try:
        return {row[0] for row in db.execute("SELECT id FROM segments")}
    finally:
        db.close()


def start_slow_video(start: Start, library: Path, make_video: MakeVideo) -> Window:
    """A window in the middle of a video: one frame is stored, the next takes a while."""
    library.mkdir()
    SLOW.save(library / "settings.json")
    window = start(library, [make_video("video.mp4", FRAMES)])
    window.wait("a frame", lambda s: any(job["segments"] for job in s["jobs"]))
    return window


def finish_video(start: Start, library: Path, stopped: bool = False) -> Window:
    """Start the window again and let it come to the video's end; asked to where it was stopped."""
    FAST.save(library / "settings.json")
    window = start(library)
    if stopped:
        window.wait_text("Stopped, 1 file left.")
        window.click("Continue")
    card = window.card("video.mp4")
    window.wait("the end", lambda s: not s["jobs"] and not s["strip"])
    assert re.fullmatch(r"Video · \d+ segments", card["facts"])
    db = sqlite3.connect(LibraryPaths(library).metadata_db)
    assert db.execute("SELECT count(*) FROM frames").fetchone() == (FRAMES,)
    db.close()
    return window


@pytest.mark.usefixtures("cold_start")
def test_a_first_start_invites_and_takes_a_photo_through_the_dialog(
    start: Start, tmp_path: Path
) -> None:
    photo = draw_photo(tmp_path / "photo.png", 0)
    window = start(tmp_path / "library")
    window.wait_text("Drop photos or videos here", "Add files", "Try with sample media")
    window.wait("no media", lambda s: statistic(s, "Media files") == "0")
    window.click("Add files")
    window.answer_file_dialog("Add images and videos", photo)
    facts = window.card("photo.png")["facts"]
    segments = re.fullmatch(r"Photo · (\d+) segments?", facts)
    assert segments is not None, facts
    window.wait("the end", lambda s: not s["jobs"] and not s["strip"])
    window.wait_text("1 media file")
    window.wait(
        "the numbers",
        lambda s: (
            statistic(s, "Media files") == "1"
            and statistic(s, "Segments") == segments[1]
            and statistic(s, "Tags") not in ("", "0")
        ),
    )


def test_a_video_shows_its_progress_and_can_be_cancelled_and_goes_on_when_asked(
    start: Start, make_video: MakeVideo, tmp_path: Path
) -> None:
    library = tmp_path / "library"
    window = start_slow_video(start, library, make_video)
    busy = window.card("video.mp4", "busy")
    assert re.match(r"Frame \d", busy["facts"])
    fraction, strip = window.wait(
        "the next frame",
        lambda s: [(j["fraction"], s["strip"]) for j in s["jobs"] if j["fraction"] and s["strip"]],
    )[0]
    assert fraction < 1
    assert strip.startswith("File 1 of 1") and "video.mp4" in strip and "segments" in strip
    window.click("Cancel")
    window.wait("the stop", lambda s: not s["jobs"] and s["strip"].startswith("Stopped 1 left"))
    stored = stored_segments(library)
    assert stored
    window.close()

    window = finish_video(start, library, stopped=True)
    assert stored < stored_segments(library)


def test_closing_during_a_job_asks_and_what_was_left_is_finished_next_time(
    start: Start, make_video: MakeVideo, tmp_path: Path
) -> None:
    library = tmp_path / "library"
    window = start_slow_video(start, library, make_video)
    window.ask_to_close()
    window.wait_text("Stop adding files?")
    window.click("Keep it running")
    window.wait("no question", lambda s: not s["dialog"] and s["jobs"])
    window.ask_to_close()
    window.click("Stop and close")
    window.ends()
    stored = stored_segments(library)

    finish_video(start, library)
    assert stored < stored_segments(library)


@pytest.mark.usefixtures("cold_start")
def test_settings_come_while_models_load_and_say_which_device_is_not_there(
    start: Start, tmp_path: Path
) -> None:
    library = tmp_path / "library"
    library.mkdir()
    replace(FAST, device="mps").save(library / "settings.json")
    window = start(library)
    window.key("ctrl+comma")
    window.wait_text("Settings", "Not available on this machine; the CPU is used")
    window.key("Escape")
    window.wait("no dialog", lambda s: not s["dialog"])


def test_the_desktops_file_dialog_comes_once_and_goes_with_the_window(
    start: Start, screen: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zenity, came = tmp_path / "bin" / "zenity", tmp_path / "came"
    zenity.parent.mkdir()
    zenity.write_text(f'#!/bin/sh\necho $$ >> "{came}"\nexec sleep 600\n')
    zenity.chmod(0o755)
    monkeypatch.setitem(screen.environment, "PATH", f"{zenity.parent}:{screen.environment['PATH']}")
    window = start(tmp_path / "library")
    window.key("ctrl+o")
    wait_until("the dialog", came.exists)
    window.key("ctrl+o", "ctrl+comma")
    window.wait_text("Settings")
    window.close()
    (process,) = came.read_text().split()
    wait_until("its end", lambda: not Path("/proc", process).exists())


def test_a_thousand_files_with_long_names_come_in_through_the_dialog(
    start: Start, screen: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = draw_photo(tmp_path / "photo.png", 160)
    names = tmp_path / "names"
    folder = tmp_path / "photos"
    folder.mkdir()
    files = [folder / f"{'long ' * 40}{number}.png" for number in range(1000)]
    for file in files:
        os.link(photo, file)
    names.write_text("\n".join(map(str, files)) + "\n")
    zenity = tmp_path / "bin" / "zenity"
    zenity.parent.mkdir()
    zenity.write_text(f'#!/bin/sh\nexec cat "{names}"\n')
    zenity.chmod(0o755)
    monkeypatch.setitem(screen.environment, "PATH", f"{zenity.parent}:{screen.environment['PATH']}")
    window = start(tmp_path / "library")
    window.wait("the models", lambda s: s["models_ready"])
    window.key("ctrl+o")
    window.wait("all of them", lambda s: any(job["files"] == 1000 for job in s["jobs"]))
    window.wait("the end", lambda s: s["media"] == 1 and not s["jobs"])
