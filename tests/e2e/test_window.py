"""The window from outside: files come in, are worked on, fail, and go again."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from src.config import LibraryPaths
from src.models.starter.scenes import draw_scene
from tests.conftest import MakeVideo
from tests.e2e.desktop import FAST, Screen, Start, Window

# A second and more a frame, so that a person has the time to stop it.
SLOW = replace(FAST, points_per_side=24)
FRAMES = 6
AWKWARD_NAMES = (
    "two  words.png",
    "[brackets] {braces}.png",
    'it\'s "quoted".png',
    "100 % $HOME #1.png",
    "naïve 日本 🙂.png",
    "back\\slash\\.png",
)


def draw(path: Path, seed: int) -> Path:
    """A photo that no other test has."""
    scene = draw_scene(np.random.default_rng([8, seed]), (160, 120), count=3, calm=True)
    Image.fromarray(scene.image_rgb).save(path)
    return path


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


def finish_video(start: Start, library: Path) -> Window:
    FAST.save(library / "settings.json")
    window = start(library)
    card = window.card("video.mp4")
    assert re.fullmatch(r"Video · \d+ segments", card["facts"])
    db = sqlite3.connect(LibraryPaths(library).metadata_db)
    assert db.execute("SELECT count(*) FROM frames").fetchone() == (FRAMES,)
    db.close()
    return window


def test_a_first_start_invites_and_takes_a_photo_through_the_dialog(
    start: Start, tmp_path: Path
) -> None:
    photo = draw(tmp_path / "photo.png", 0)
    window = start(tmp_path / "library")
    window.wait_text("Drop photos or videos here", "Add files", "Try with sample media")
    assert window.statistic("Media files") == "0"
    window.click("Add files")
    window.answer_file_dialog("Add images and videos", photo)
    facts = window.card("photo.png")["facts"]
    segments = re.fullmatch(r"Photo · (\d+) segments?", facts)
    assert segments is not None, facts
    window.wait("the end", lambda s: not s["jobs"] and not s["strip"])
    window.wait_text("1 media file")
    window.wait("the numbers", lambda _: window.statistic("Media files") == "1")
    assert window.statistic("Segments") == segments[1] and window.statistic("Tags") != "0"


def test_files_with_awkward_names_are_dragged_in_from_another_program(
    window: Window, screen: Screen, tmp_path: Path
) -> None:
    files = [draw(tmp_path / name, seed) for seed, name in enumerate(AWKWARD_NAMES, start=10)]
    with screen.helper("drag_source.py", *files) as source:
        # a drag is a gesture: what is too fast is no drag for the programs that take part
        moves = ["mousemove_relative", 20, 10, "sleep", 0.02] * 30
        screen.do("mousemove", 60, 60, "mousedown", 1, *moves)
        window.wait_text("Drop to add to the library")
        screen.do("sleep", 0.2, "mouseup", 1)
        assert source.wait(60) == 0
    for name in AWKWARD_NAMES:
        assert window.card(name)["facts"].startswith("Photo · ")
    window.wait("no cover", lambda s: "Drop to add to the library" not in s["texts"])


def test_a_video_shows_its_progress_and_can_be_cancelled_and_goes_on_later(
    start: Start, make_video: MakeVideo, tmp_path: Path
) -> None:
    library = tmp_path / "library"
    window = start_slow_video(start, library, make_video)
    busy = window.card("video.mp4", "busy")
    assert re.match(r"Frame \d", busy["facts"])
    strip = window.wait("the next frame", lambda s: s["jobs"][0]["fraction"] and s["strip"])
    assert window.state()["jobs"][0]["fraction"] < 1
    assert strip.startswith("File 1 of 1") and "video.mp4" in strip and "segments" in strip
    window.click("Cancel")
    window.wait("that it stops", lambda s: "Cancelling…" in s["buttons"])
    window.wait("the stop", lambda s: not s["jobs"] and not s["strip"])
    stored = stored_segments(library)
    assert stored
    window.close()

    window = finish_video(start, library)
    assert stored < stored_segments(library)


def test_closing_during_a_job_asks_and_what_was_left_is_finished_next_time(
    start: Start, make_video: MakeVideo, tmp_path: Path
) -> None:
    library = tmp_path / "library"
    window = start_slow_video(start, library, make_video)
    window.key("alt+F4")
    window.wait_text("Stop what is being added?")
    window.click("Keep it running")
    window.wait("no question", lambda s: not s["dialog"] and s["jobs"])
    window.key("alt+F4")
    window.click("Stop and close")
    window.ends()
    stored = stored_segments(library)

    finish_video(start, library)
    assert stored < stored_segments(library)


def test_a_broken_file_says_why_and_comes_in_once_it_is_mended(
    window: Window, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture at all")
    whole = draw(tmp_path / "whole.png", 20)
    assert window.hand_over(broken, whole) == 0
    failed = window.card("broken.jpg", "failed")
    window.card("whole.png")
    window.click("1 failed")
    window.wait_text("1 file could not be added", "Retry all")
    window.click("Retry all")
    window.wait("the same again", lambda s: not s["dialog"] and not s["jobs"])
    window.click_at(window.card("broken.jpg", "failed")["box"][:2] + [20, 20])
    window.wait_text("This file could not be added")
    texts = window.state()["texts"]
    assert any(failed["facts"].casefold() in text.casefold() for text in texts)
    draw(broken, 21)
    window.click("Retry")
    assert window.card("broken.jpg")["facts"].startswith("Photo · ")
    window.wait("a clean strip", lambda s: not s["jobs"] and not s["strip"])


def test_a_second_start_hands_its_files_over(window: Window, tmp_path: Path) -> None:
    assert window.hand_over(draw(tmp_path / "handed over.png", 30)) == 0
    window.card("handed over.png")
    assert window.hand_over() == 0
    assert window.process.poll() is None


def test_what_is_removed_is_forgotten_and_the_files_stay(window: Window, tmp_path: Path) -> None:
    files = [draw(tmp_path / f"remove {number}.png", 40 + number) for number in range(2)]
    window.hand_over(*files)
    cards = [window.card(file.name) for file in files]
    window.wait("the end", lambda s: not s["jobs"])
    count = window.state()["count"]
    for card in cards:
        window.click_at(card["box"], holding="ctrl")
    places = sorted(card["place"] for card in cards)
    window.wait("two selected", lambda s: s["selected"] == places)
    window.wait_text("2 selected")
    window.key("Delete")
    window.wait_text("Remove 2 media files from the library?")
    window.click("Remove")
    window.wait("two fewer", lambda s: s["count"] == count - 2)
    assert not {file.name for file in files} & {card["name"] for card in window.state()["cards"]}
    assert all(file.exists() for file in files)
