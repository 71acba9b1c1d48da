"""The window from outside: what comes into a library, what fails, and what goes again."""

from __future__ import annotations

import itertools
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from PIL import Image

from src.config import LibraryPaths
from src.database.lock import LibraryLock
from src.gui.core.missing_media import AGAIN_S
from tests.database.test_migration_7 import unpack
from tests.e2e.desktop import FAST, Screen, Start, Window, draw_photo

AWKWARD_NAMES = (
    "two  words.png",
    "[brackets] {braces}.png",
    'it\'s "quoted".png',
    "100 % $HOME #1.png",
    "naïve 日本 🙂.png",
    "back\\slash\\.png",
)


def test_files_with_awkward_names_are_dragged_in_from_another_program(
    window: Window, screen: Screen, tmp_path: Path
) -> None:
    files = [draw_photo(tmp_path / name, seed) for seed, name in enumerate(AWKWARD_NAMES, start=10)]
    with screen.helper("drag_source.py", *files) as source:
        # a drag is a gesture: what is too fast is no drag for the programs that take part
        moves = ["mousemove_relative", 20, 10, "sleep", 0.02] * 30
        screen.do("mousemove", 60, 60, "mousedown", 1, *moves)
        # the other program may take up the drag only now: a hand moves on until it is taken up
        steps = itertools.cycle((3, -3))
        window.wait(
            "the cover",
            lambda s: (
                "Drop to add to the library" in s["texts"]
                or screen.do("mousemove_relative", "--", next(steps), 0)
            ),
        )
        screen.do("sleep", 0.2, "mouseup", 1)
        assert source.wait(60) == 0
    for name in AWKWARD_NAMES:
        assert window.card(name)["facts"].startswith("Photo · ")
    window.wait("no cover", lambda s: "Drop to add to the library" not in s["texts"])


def test_a_broken_file_says_why_and_comes_in_once_it_is_mended(
    window: Window, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture at all")
    whole = draw_photo(tmp_path / "whole.png", 20)
    assert window.hand_over(broken, whole) == 0
    failed = window.card("broken.jpg", "failed")
    window.card("whole.png")
    window.click("1 failed")
    window.wait_text("1 file couldn't be added", "Retry all")
    window.click("Retry all")
    window.wait("the same again", lambda s: not s["dialog"] and not s["jobs"])
    left, top, width, _ = window.card("broken.jpg", "failed")["box"]
    window.click_at((left + width // 2, top, width // 2, 40))  # beside its tick and its Retry
    window.wait_text("Couldn't add this file")
    reason = failed["facts"].casefold()
    window.wait("why not", lambda s: any(reason in text.casefold() for text in s["texts"]))
    draw_photo(broken, 21)
    window.click("Retry")
    assert window.card("broken.jpg")["facts"].startswith("Photo · ")
    window.wait("a clean strip", lambda s: not s["jobs"] and not s["strip"])


def test_a_second_start_hands_its_files_over(window: Window, tmp_path: Path) -> None:
    assert window.hand_over(draw_photo(tmp_path / "handed over.png", 30)) == 0
    window.card("handed over.png")
    assert window.hand_over() == 0
    assert window.process.poll() is None


def test_what_is_removed_is_forgotten_and_the_files_stay(window: Window, tmp_path: Path) -> None:
    files = [draw_photo(tmp_path / f"remove {number}.png", 40 + number) for number in range(2)]
    window.hand_over(*files)
    cards = [window.card(file.name) for file in files]
    window.wait("the end", lambda s: not s["jobs"])
    count = window.wait_still("the count", lambda s: s["count"])
    for card in cards:
        window.click_at(card["box"], holding="ctrl")
    places = sorted(card["place"] for card in cards)
    window.wait("two selected", lambda s: s["selected"] == places)
    window.wait_text("2 selected")
    window.key("Delete")
    window.wait_text("Remove 2 media files from the library?")
    window.click("Remove")
    names = {file.name for file in files}
    window.wait(
        "two fewer",
        lambda s: s["count"] == count - 2 and not names & {card["name"] for card in s["cards"]},
    )
    assert all(file.exists() for file in files)


def test_a_library_that_another_program_holds_is_said_until_it_is_free(
    start: Start, tmp_path: Path
) -> None:
    library, photo = tmp_path / "library", draw_photo(tmp_path / "waits.png", 60)
    library.mkdir()
    lock = LibraryLock(LibraryPaths(library).lock)
    window = start(library, [photo], opens=False)
    title, ways = "This library is already open", ("Retry", "Open another library")
    window.wait_text(title, *ways, "No library open")
    for place in ("Search by Tag", "Search by Image", "Export Dataset"):
        window.click(place)
    window.key("ctrl+f", "ctrl+o", "ctrl+v", "ctrl+comma")
    window.click("Retry")
    window.wait_text(title, *ways)
    panel = window.wait_still("the panel and no dialog", lambda s: (s["panel"], s["dialog"]))
    assert panel == ("library", False)
    lock.release()
    window.click("Retry")
    window.card(photo.name)
    window.wait("no word of it", lambda s: title not in s["texts"] and not s["jobs"])


def test_pages_of_a_tiff_are_shown_and_a_file_that_goes_is_called_missing(
    start: Start, tmp_path: Path
) -> None:
    pages = [Image.open(draw_photo(tmp_path / f"{n}.png", 70 + n)) for n in range(2)]
    scans = tmp_path / "scans.tif"
    pages[0].save(scans, save_all=True, append_images=pages[1:])
    library = tmp_path / "library"
    library.mkdir()
    replace(FAST, all_pages=True).save(library / "settings.json")
    window = start(library, [scans])
    window.card("scans.tif")
    window.wait("the end", lambda s: not s["jobs"])
    window.click_at(window.card("scans.tif")["box"])
    window.wait_text("Page 1", "Pages", "1 of 2", "Segments in this frame")
    left, top, _, height = window.wait_still("the pages", lambda s: s["buttons"].get("Pages"))
    first, second = ((left + x, top + height, 60, 60) for x in (10, 120))  # of the strip below
    window.click_at(second)
    window.wait_text("Page 2", "2 of 2")
    scans.rename(tmp_path / "elsewhere.tif")
    time.sleep(AGAIN_S)  # what was seen so lately is not looked for again
    window.click_at(first)
    window.wait_text("Page 1", "Missing")


def test_frames_of_an_older_library_are_measured_behind_the_window(
    start: Start, tmp_path: Path
) -> None:
    paths = LibraryPaths(tmp_path / "library")
    unpack(paths)
    FAST.save(paths.settings)
    window = start(paths.root)

    def unmeasured() -> int:
        with closing(sqlite3.connect(f"{paths.metadata_db.as_uri()}?mode=ro", uri=True)) as db:
            found = db.execute("SELECT count(*) FROM frames WHERE dhash IS NULL")
            return int(found.fetchone()[0])

    until = time.monotonic() + 60
    while unmeasured():
        assert time.monotonic() < until
        time.sleep(0.1)
    assert not window.state()["dialog"]
