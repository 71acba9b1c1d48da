"""The window from outside: search by words and by image, one hit, export, the keyboard alone."""

from __future__ import annotations

import csv
import math
import re
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np

from src.config import LibraryPaths
from src.gui.theme.theme import DARK
from src.gui.widgets.controls import RING
from tests.e2e.desktop import Screen, State, Window, draw_photo, statistic, wait_until


def hits_after(window: Window, before: list[State], what: str) -> list[State]:
    """Wait for other hits than those before; the cards of those that are seen."""
    return window.wait_still(what, lambda s: s["cards"] if s["cards"] != before else [])


def search(window: Window, query: str, unfold: bool = True) -> list[State]:
    """Type a query; returns the cards of the hits that are seen.

    Args:
        unfold: whether to show those, too, that are likely chance.
    """
    window.key("ctrl+f")
    # what is typed before the entry is there goes to the panel before
    window.wait_still("the entry", lambda s: s["buttons"].get("entry:What are you looking for?"))
    window.type(query)
    window.key("Return")
    # an earlier search may still be asked again, where the library has changed since
    cards, weaker = window.wait_still(
        f"hits for {query}",
        lambda s: (
            (s["cards"], s["weaker"])
            if s["searched"] == query and (s["cards"] or s["weaker"])
            else None
        ),
    )
    if not unfold or not weaker:
        return list(cards)
    window.click_at(weaker["fold"])
    return window.wait_still(
        f"all hits for {query}",
        lambda s: s["cards"] if s["weaker"].get("is_open") or not s["weaker"] else [],
    )


def test_words_find_segments_and_a_hit_leads_to_what_is_similar(window: Window) -> None:
    cards = search(window, "something red")
    scores = [card["score"] for card in cards]
    assert scores == sorted(scores, reverse=True) and scores[0] > scores[-1]

    best = cards[0]
    window.click_at(best["box"])
    window.wait("the hit", lambda s: s["panel"] == "detail" and s["segment"] == best["key"])
    window.wait_text("Find similar", best["name"], "Segments in this frame")
    window.key("Escape")
    window.wait_still("the hits again", lambda s: s["panel"] == "text" and s["cards"] == cards)
    window.wait_pictures()

    window.click_at(cards[1]["box"])
    window.wait("the second hit", lambda s: s["segment"] == cards[1]["key"])
    window.click("Find similar")
    similar = window.wait_still("the similar ones", lambda s: s["cards"])
    assert similar[0]["key"] == cards[1]["key"] and similar[0]["score"] > 0.99
    window.wait("to what", lambda s: any("similar to a segment" in t for t in s["texts"]))


def test_escape_leads_back_to_the_card_of_the_hit(window: Window) -> None:
    cards = search(window, "something blue")
    window.click_at(cards[1]["box"])
    window.wait("the hit", lambda s: s["segment"] == cards[1]["key"])
    window.key("Escape")
    window.wait("the hits", lambda s: s["panel"] == "text")
    window.key("Right", "Return")
    window.wait("the one beside it", lambda s: s["segment"] == cards[2]["key"])
    window.key("Next")
    window.wait("the one after that", lambda s: s["segment"] == cards[3]["key"])
    window.key("Escape")
    window.wait("the hits", lambda s: s["panel"] == "text")
    window.key("Return")
    window.wait("the same", lambda s: s["segment"] == cards[3]["key"])


def write_over(window: Window, entry: str, text: str) -> None:
    """Type a text in the place of what stands in an entry."""
    window.click_at(window.wait_still(entry, lambda s: s["buttons"].get(f"entry:{entry}")))
    window.key("ctrl+a")
    window.type(text)
    window.wait(text, lambda s: text in s["texts"])


def test_hits_go_with_their_file_and_the_place_among_the_others_stays(
    window: Window, tmp_path: Path
) -> None:
    photo = draw_photo(tmp_path / "soon gone.png", 50)
    window.hand_over(photo)
    card = window.card(photo.name)
    window.wait("the end", lambda s: not s["jobs"])
    hits = search(window, "something orange")
    count = window.wait_still("their count", lambda s: s["count"])
    left, top, width, height = window.state()["window"]
    window.screen.do("mousemove", left + width // 2, top + height * 2 // 3, "click", 5, "click", 5)
    there = hits_after(window, hits, "hits further down")
    seen = there[5]  # in the second row: the first is cut at the top
    window.click_at(seen["box"])
    window.wait("the hit", lambda s: s["segment"] == seen["key"])
    assert window.hand_over(photo) == 0  # a job that changes nothing
    window.wait("its end", lambda s: not s["jobs"] and "already in the library" in s["strip"])
    window.click("Close")
    window.wait("no strip", lambda s: not s["strip"])
    window.go_home()
    window.click("Search by Tag")
    window.wait_still("the place", lambda s: s["panel"] == "text" and s["cards"] == there)

    window.go_home()
    window.click_at(window.card(photo.name)["box"], holding="ctrl")
    window.wait("one selected", lambda s: s["selected"] == [card["place"]])
    window.key("Delete")
    window.click("Remove")
    window.wait("no photo", lambda s: photo.name not in {card["name"] for card in s["cards"]})
    window.click("Search by Tag")
    window.wait(
        "fewer hits, none of the photo",
        lambda s: (
            s["panel"] == "text"
            and 0 < s["count"] < count
            and photo.name not in {card["name"] for card in s["cards"]}
        ),
    )


def test_what_is_similar_to_a_segment_that_is_gone_is_no_error(
    window: Window, tmp_path: Path
) -> None:
    photo = draw_photo(tmp_path / "soon gone, too.png", 51)
    window.hand_over(photo)
    window.click_at(window.card(photo.name)["box"])
    window.wait("the end", lambda s: not s["jobs"])
    window.wait_text("Find similar")
    window.click("Find similar")
    window.wait("the similar ones", lambda s: any("similar to a segment" in t for t in s["texts"]))
    window.go_home()
    window.click_at(window.card(photo.name)["box"], holding="ctrl")
    window.wait_text("1 selected")
    window.key("Delete")
    window.click("Remove")
    window.wait("no photo", lambda s: photo.name not in {card["name"] for card in s["cards"]})
    window.click("Search by Tag")
    window.wait("a word on it", lambda s: any("no longer in the library" in t for t in s["texts"]))


def count_of_the_best(window: Window) -> int:
    """How many segments the right end of the slider leaves, by what is in the library."""
    with closing(sqlite3.connect(LibraryPaths(window.library).metadata_db)) as db:
        ious = [iou for (iou,) in db.execute("SELECT predicted_iou FROM segments")]
    masks = [iou for iou in ious if iou is not None]
    end = math.floor(100 * max(masks)) / 100
    assert min(masks) < end
    return len(ious) - len(masks) + sum(iou >= end for iou in masks)


def test_the_quality_of_masks_is_chosen_among_hits_and_the_question_stays(window: Window) -> None:
    every = search(window, "something green")
    count = window.wait_still("their count", segments_found)
    best = count_of_the_best(window)
    assert best < count
    window.click("Mask quality")
    window.wait_text("Any mask quality")
    window.key("End")
    window.wait("a quality", lambda s: any(t.startswith("Mask quality: ≥") for t in s["texts"]))
    window.key("Escape")
    window.wait("whole pictures and the best masks", lambda s: segments_found(s) == best)
    assert "something green" in window.state()["texts"]
    window.click("Clear")
    window.wait("all hits", lambda s: segments_found(s) == count)

    window.click_at(every[0]["box"])
    window.wait_text("Find similar")
    window.click("Find similar")
    window.wait("the similar ones", lambda s: any("similar to a segment" in t for t in s["texts"]))


def segments_found(state: State) -> int:
    """How many hits there are, shown or folded away."""
    said = [*state["texts"], state["weaker"].get("words", "")]
    counts = (re.fullmatch(r"([\d,]+) (?:strong|weaker) hits?", text) for text in said)
    return sum(int(match[1].replace(",", "")) for match in counts if match)


def test_a_segment_says_what_it_lies_in_and_what_lies_in_it(window: Window) -> None:
    window.click_at(window.state()["cards"][0]["box"])
    frame = window.wait("the frame", lambda s: s["panel"] == "detail" and s["segment"])
    parts = window.wait_still(
        "its parts",
        lambda s: next((t for t in s["buttons"] if re.fullmatch(r"\d+ segments?", t)), ""),
    )
    window.point_at(parts)
    window.wait("parts lit", lambda s: len(s["outlined"]) == int(parts.split()[0]))
    window.click(parts)
    window.wait("the largest", lambda s: s["segment"] not in ("", frame))
    window.click("whole image")
    window.wait("the frame again", lambda s: s["segment"] == frame)


def test_what_a_person_tags_is_found_by_that_tag(window: Window) -> None:
    thing = search(window, "something white")[0]
    window.click_at(thing["box"])
    match = f"{thing['strength']:.0%} for “something white”"
    window.wait_text(match)  # shown after its tags, below which the entry is
    write_over(window, "Add a tag", "Granny's teapot")
    window.key("Return")
    texts = window.wait("the tag", lambda s: s["texts"] if "you" in s["texts"] else [])
    assert texts.count("Granny's teapot") == 1  # on its line, and no more in the entry
    window.key("Escape")
    window.wait("the hits", lambda s: s["panel"] == "text")
    found = search(window, "granny's TEAPOT")
    assert (found[0]["key"], found[0]["score"]) == (thing["key"], 1.0)
    assert [card["mark"] for card in found] == ["Tagged by you"]


def test_a_word_that_is_not_known_is_said(window: Window) -> None:
    search(window, "a Red Truck!")
    said = window.wait(
        "the notice", lambda s: next((t for t in s["texts"] if "don't know" in t), "")
    )
    assert "don't know “truck”" in said and "for “red” only" in said
    search(window, "blue")
    window.wait("no notice", lambda s: not any("don't know" in text for text in s["texts"]))


def test_conditions_go_with_words_or_alone_and_a_wrong_one_is_said(window: Window) -> None:
    words = search(window, "red kind:frame")
    assert len(words) == 4 and all("whole image" in card["facts"] for card in words)
    assert None not in [card["score"] for card in words]
    alone = search(window, "kind:frame")
    assert {card["key"] for card in alone} == {card["key"] for card in words}
    assert [card["score"] for card in alone] == [None] * 4
    search_field = window.state()["buttons"]["entry:What are you looking for?"]
    window.click_at(search_field)
    window.key("ctrl+a")
    window.type("kind:thing")
    window.key("Return")
    window.wait("why not", lambda s: any("Kind is frame or object" in text for text in s["texts"]))
    window.click("Clear")


def test_a_pasted_image_finds_its_own_frame_and_a_part_of_it_finds_others(
    window: Window, screen: Screen, scene_files: list[Path]
) -> None:
    search(window, "a yellow star")
    window.click("Search by Image")  # away from the entry, which would take the paste
    window.wait("the panel", lambda s: s["panel"] == "image")
    with screen.helper("clipboard_owner.py", scene_files[2]):
        window.focus()
        window.key("ctrl+v")
        cards = window.wait_still(
            "its hits", lambda s: s["cards"] if s["panel"] == "image" and s["query"] else []
        )
    assert cards[0]["name"] == "scene 2.png"
    assert cards[0]["facts"].startswith("Photo · whole image")
    assert cards[0]["score"] > 0.99
    window.wait("no part", lambda s: s["part"] is None)

    window.click("Mask quality")
    window.wait_text("Any mask quality")
    window.key("End")
    window.wait("a quality", lambda s: any(t.startswith("Mask quality: ≥") for t in s["texts"]))
    window.key("Escape")
    best = count_of_the_best(window)
    window.wait("whole pictures and the best masks", lambda s: segments_found(s) == best)
    window.click("Clear")
    window.wait_still("all of them", lambda s: s["cards"] == cards)

    x, y, width, height = window.wait_still("the picture", lambda s: s["query"])
    corners = (x + width // 4, y + height // 4), (x + width * 3 // 4, y + height * 3 // 4)
    window.drag(*corners)
    part = window.wait_still("the marked part", lambda s: s["part"])
    assert np.allclose(part, (80, 60, 160, 120), atol=8)
    window.click("Search this part")
    window.wait_still("other hits", lambda s: s["cards"] != cards and (s["cards"] or s["weaker"]))
    window.click("Use whole image")
    window.wait("the first hits", lambda s: s["part"] is None and s["cards"] == cards)

    window.click("Search by Tag")
    (chip,) = window.wait_still(
        "the same search", lambda s: s["chips"] if s["panel"] == "text" else []
    )
    assert chip["sign"] + chip["text"] == "+like a pasted image"
    window.click_at(chip["close_box"])
    window.wait("nothing to search for", lambda s: not s["chips"] and not s["cards"])
    window.click("Search by Image")
    window.wait_text("Drop an image here", "Similar images will appear here.")


def test_an_export_writes_what_it_counted(window: Window) -> None:
    window.click("Export Dataset")
    button = window.wait(
        "the count",
        lambda s: next((t for t in s["buttons"] if re.fullmatch(r"Export \d+ crops", t)), ""),
    )
    count = int(button.split()[1])
    name = window.wait(
        "the folder", lambda s: next((t for t in s["texts"] if t.startswith("datasets")), "")
    )
    where = window.library / name
    assert not where.exists()
    window.click(button)
    window.wait_text(f"{count} crops exported", name, "Open folder", "Export again")
    with (where / "labels.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == count
    assert all((where / row["file"]).is_file() for row in rows)
    window.key("Escape")
    window.wait("no dialog", lambda s: not s["dialog"])


def test_a_second_export_follows_the_first_in_the_same_dialog(window: Window) -> None:
    def button(state: State) -> str:
        return next((t for t in state["buttons"] if re.fullmatch(r"Export \d+ crops", t)), "")

    window.click("Export Dataset")
    first = window.wait("the count", button)
    window.click(first)
    window.wait_text(f"{first.split()[1]} crops exported", "Open folder", "Export again")
    window.click("Export again")
    assert window.wait("the count again", button) == first
    window.click("By tag")
    write_over(window, "Folder", "~no.such.person")
    window.wait("no such person", lambda s: any("no user with this home" in t for t in s["texts"]))
    write_over(window, "Folder", "second")
    window.click(window.wait("the count by tag", button))
    wait_until("labels", (window.library / "datasets" / "second" / "labels.csv").exists)
    window.wait_text("Open folder")
    window.key("Escape")
    window.wait("no dialog", lambda s: not s["dialog"])


def test_an_export_that_fails_says_so_in_its_dialog(window: Window) -> None:
    window.click("Export Dataset")
    window.wait("the count", lambda s: any(t.startswith("Export ") for t in s["buttons"]))
    write_over(window, "Folder", "/proc/no/data")
    button = window.wait(
        "the button",
        lambda s: next((t for t in s["buttons"] if re.fullmatch(r"Export \d+.*", t)), ""),
    )
    window.click(button)
    window.wait("why not", lambda s: any("/proc/no" in t for t in s["texts"]))
    window.wait_text("Export again", "Close")
    write_over(window, "Folder", "after a failure")
    window.click(button)
    window.wait_text(f"{button.split()[1]} crops exported")
    window.key("Escape")
    window.wait("no dialog", lambda s: not s["dialog"])


def test_worse_masks_are_left_out_of_an_export(window: Window) -> None:
    def button(state: State) -> str:
        return next((t for t in state["buttons"] if re.fullmatch(r"Export \d+ crops", t)), "")

    window.click("Export Dataset")
    every = window.wait("the count", button)
    x, y, width, height = window.wait_still(
        "the slider", lambda s: s["buttons"].get("Minimum mask quality")
    )
    window.click_at((x, y + height + 2 + RING, 2 * width, 16))
    fewer = window.wait("fewer", lambda s: button(s) if button(s) != every else "")
    assert 0 < int(fewer.split()[1]) < int(every.split()[1])
    least, name = window.wait(
        "the quality and the folder",
        lambda s: [
            (float(quality), name)
            for quality in [statistic(s, "Minimum mask quality")]
            for name in s["texts"]
            if re.fullmatch(r"[\d.]+", quality) and name.startswith("datasets")
        ],
    )[0]
    window.click(fewer)
    window.wait_text(f"{fewer.split()[1]} crops exported")
    with (window.library / name / "labels.csv").open(newline="", encoding="utf-8") as stream:
        ids = {row["segment_id"] for row in csv.DictReader(stream)}
    db = sqlite3.connect(LibraryPaths(window.library).metadata_db)
    qualities = dict(db.execute("SELECT id, predicted_iou FROM segments"))
    db.close()
    assert all(qualities[i] is None or qualities[i] >= least for i in ids)
    window.key("Escape")
    window.wait("no dialog", lambda s: not s["dialog"])


def accent(screen: Screen) -> np.ndarray:
    """Where the screen shows the colour of focus rings: (H, W) bool."""
    colour = [int(DARK.accent[i : i + 2], 16) for i in (1, 3, 5)]
    picture = np.asarray(screen.picture().convert("RGB"))
    found: np.ndarray = (picture == colour).all(axis=2)
    return found


def ring(screen: Screen, before: np.ndarray) -> tuple[int, int, int, int] | None:
    """The box (left, top, right, bottom) of a focus ring that came."""
    ys, xs = np.nonzero(accent(screen) & ~before)
    return None if len(xs) < 40 else (xs.min(), ys.min(), xs.max(), ys.max())


def test_the_keyboard_alone_is_enough(window: Window, screen: Screen) -> None:
    cards = window.state()["cards"]
    before = accent(screen)
    window.key("Home")
    wait_until("a ring around the first card", partial(ring, screen, before))
    window.key("Right", "Return")
    window.wait("the second card's frame", lambda s: s["panel"] == "detail" and s["segment"])
    window.wait_text(cards[1]["name"])
    window.key("Escape")
    window.wait("the cards again", lambda s: s["panel"] == "library" and s["cards"])

    x, y, width, height = window.state()["buttons"]["Search by Image"]
    for _ in range(20):
        before = accent(screen)
        window.key("Tab")
        left, top, right, bottom = wait_until("a ring", partial(ring, screen, before))
        if left < x and top < y and right > x + width and bottom > y + height:
            break
    window.key("Return")
    window.wait("the panel with the ring", lambda s: s["panel"] == "image")


def test_what_comes_and_goes_leaves_nothing_behind(window: Window) -> None:
    def open_and_close_everything() -> tuple[int, int]:
        window.click("Export Dataset")
        window.wait("a dialog", lambda s: s["dialog"])
        window.key("Escape")
        window.wait("no dialog", lambda s: not s["dialog"])
        window.click("Starter models")
        window.wait("the models", lambda s: s["models"])
        window.go_home()
        window.key("ctrl+comma")
        window.wait_text("Settings")
        window.key("Escape")
        window.wait("no settings", lambda s: not s["dialog"])
        window.click_at(window.wait_still("cards", lambda s: s["cards"])[0]["box"])
        window.wait_text("Find similar")
        window.go_home()
        still: tuple[int, int] = window.wait_still(
            "rest", lambda s: (s["widgets"], s["bound_to_all"])
        )
        return still

    first = open_and_close_everything()  # some are made when they are first needed
    assert open_and_close_everything() == first
    assert open_and_close_everything() == first
