"""The window from outside: what hands do to it, under a window manager that takes each click first.

openbox grabs the button to bring a window forward: the pointer leaves the window before it is told
of the click, although it has not moved.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from src.config import LibraryPaths
from tests.conftest import MakeVideo
from tests.e2e.desktop import LOOK_EVERY_S, Start, State, Window, draw_photo, look_for


def middles(window: Window, frame_segment: str) -> list[tuple[int, int]]:
    """Where on the screen the middle of each segment of a frame lies, the smallest first."""
    with closing(sqlite3.connect(LibraryPaths(window.library).metadata_db)) as db:
        found = db.execute(
            "SELECT s.x, s.y, s.w, s.h, f.width, f.height FROM segments s JOIN frames f"
            " ON f.id = s.frame_id WHERE s.kind = 'object' AND f.id ="
            " (SELECT frame_id FROM segments WHERE id = ?) ORDER BY s.area",
            (frame_segment,),
        ).fetchall()
    left, top, width, height = window.wait_still("the picture", lambda s: s["picture"])
    places = []
    for x, y, w, h, frame_w, frame_h in found:
        scale = min(width / frame_w, height / frame_h)
        beside = (width - frame_w * scale) / 2
        places.append(
            (round(left + beside + (x + w / 2) * scale), round(top + (y + h / 2) * scale))
        )
    return places


def test_a_click_on_a_segment_in_its_frame_opens_it_though_the_pointer_is_still(
    window: Window,
) -> None:
    window.click_at(window.state()["cards"][0]["box"])
    frame = window.wait("the frame", lambda s: s["panel"] == "detail" and s["segment"])
    window.wait_text("Segments in this frame")
    for place in middles(window, frame):
        window.screen.do("mousemove", *place)
        if look_for(lambda: window.state()["outlined"], 20 * LOOK_EVERY_S):
            break
    else:
        raise AssertionError("no segment lights up under the pointer")
    window.screen.do("click", 1)
    window.wait("that segment", lambda s: s["segment"] not in ("", frame))


def write(window: Window, entry: str, text: str) -> None:
    """Type a text in the place of what stands in an entry."""
    window.click_at(window.wait_still(entry, lambda s: s["buttons"].get(f"entry:{entry}")))
    window.key("ctrl+a")
    window.type(text)


def wait_said(window: Window, part: str) -> None:
    window.wait(part, lambda s: any(part in text for text in s["texts"]))


def test_what_a_person_types_wrong_is_said_in_place(window: Window, tmp_path: Path) -> None:
    window.click_at(window.state()["cards"][0]["box"])
    window.wait_text("Find similar", "Segments in this frame")
    long = "a very long tag " * 5
    write(window, "Add a tag", f"{long}indeed")
    window.wait_text("A tag has at most 80 characters; this one has 86.")
    window.key("Return")
    window.key("BackSpace")
    wait_said(window, "this one has 85.")  # the text is still there, and nothing else came
    window.key(*["BackSpace"] * 6)
    window.key("Return")
    window.wait("the tag", lambda s: "you" in s["texts"] and not any("80" in t for t in s["texts"]))

    window.click("Search by Tag")
    window.wait("the panel", lambda s: s["panel"] == "text")
    for query in ("?!", "x" * 400):
        write(window, "What are you looking for?", query)
        window.key("Return")
        window.wait("an answer", lambda s, query=query: s["searched"] == query)  # type: ignore[misc]

    no_image = tmp_path / "a letter.txt"
    no_image.write_text("Dear reader")
    window.click("Search by Image")
    window.wait("the panel", lambda s: s["panel"] == "image")
    window.click("Choose image")
    window.answer_file_dialog("Search by image", no_image)
    wait_said(window, "a letter.txt can't be opened")

    window.click("Export Dataset")
    window.wait("the count", lambda s: any(t.startswith("Export ") for t in s["buttons"]))
    write(window, "Folder", "n" * 300)
    wait_said(window, "File name too long")
    window.key("Escape")
    window.wait("no dialog", lambda s: not s["dialog"])

    window.key("ctrl+comma")
    window.wait_text("Batch size")
    write(window, "", "many")  # of the fields without a hint the last is the batch size's
    window.click("Save")
    window.wait_text("The batch size must be a whole number from 1 to 4,096.")
    window.key("Escape")
    window.wait("no dialog", lambda s: not s["dialog"])
    assert "Traceback" not in LibraryPaths(window.library).log.read_text(encoding="utf-8")


def stopped_line(state: State) -> str:
    return next((t for t in state["texts"] if re.fullmatch(r"Stopped, \d+ files? left\.", t)), "")


def test_what_is_left_of_a_cancelled_add_is_offered_and_goes_on_or_goes_away(
    start: Start, tmp_path: Path, make_video: MakeVideo
) -> None:
    library, folder = tmp_path / "library", tmp_path / "photos"
    folder.mkdir()
    video = make_video("a film.mp4", 60)
    photos = [draw_photo(folder / f"photo {number:02}.png", 100 + number) for number in range(12)]
    window = start(library, [video, folder])
    window.wait("frames of the video", lambda s: s["jobs"] and s["jobs"][0]["segments"] > 3)
    window.click("Cancel")
    window.wait("no job", lambda s: not s["jobs"] and stopped_line(s) == "Stopped, 13 files left.")
    window.wait("the strip", lambda s: s["strip"].startswith("Stopped 13 left"))
    half = window.card(video.name, "waiting")
    assert half["facts"].startswith("Stopped · ") and half["facts"].endswith(" so far")
    assert window.card(photos[0].name, "waiting")["facts"] == "Stopped"
    window.click_at(half["box"])
    window.wait_text("The rest has not been added yet.", "Timeline")
    window.close()

    window = start(library)
    window.wait("the same offer", lambda s: stopped_line(s) == "Stopped, 13 files left.")
    window.wait("models", lambda s: s["models_ready"])
    assert not window.state()["jobs"]
    window.hand_over(draw_photo(tmp_path / "another.png", 120))
    window.card("another.png")
    window.wait("its end", lambda s: not s["jobs"] and stopped_line(s) == "Stopped, 13 files left.")
    window.click_at(window.card(photos[0].name, "waiting")["box"], holding="ctrl")
    window.wait_text("1 selected")
    window.key("Delete")
    window.click("Remove")
    window.wait("one fewer", lambda s: stopped_line(s) == "Stopped, 12 files left.")
    window.click("Continue")
    window.wait("the rest", lambda s: s["jobs"] and not stopped_line(s))
    window.wait("more frames", lambda s: s["jobs"] and s["jobs"][0]["segments"] > 3)
    window.click("Cancel")
    window.wait("what is left", lambda s: not s["jobs"] and stopped_line(s))
    window.click("Remove them")
    window.click("Remove")
    window.wait(
        "nothing left",
        lambda s: (
            not stopped_line(s)
            and not s["strip"]
            and not any(card["state"] == "waiting" for card in s["cards"])
        ),
    )
