"""The window from outside: a library that another program writes is opened to read only."""

from __future__ import annotations

import os
from pathlib import Path

from src.config import LibraryPaths
from src.library import MediaLibrary
from tests.conftest import add_media_with, unit_vectors
from tests.e2e.desktop import Start, State

READS = "Read only · as of "


def reads(state: State, line: str) -> bool:
    """Whether the card of a reader says a line."""
    texts = state["texts"]
    return line in texts and any(text.startswith(READS) for text in texts)


def test_a_library_that_is_written_elsewhere_is_read_beside_it_and_never_changed(
    start: Start, tmp_path: Path
) -> None:
    paths = LibraryPaths(tmp_path / "library")
    with MediaLibrary(paths) as writer:
        add_media_with(writer.metadata, unit_vectors(2), "first.jpg")
        window = start(paths.root, opens=False)
        window.click("Open to read only")
        window.wait("a reader", lambda s: reads(s, "Another program has it open to write."))
        window.wait("the file", lambda s: [card["name"] for card in s["cards"]] == ["first.jpg"])
        assert "Add Images/Videos" not in window.state()["texts"]
        add_media_with(writer.metadata, unit_vectors(2, 1), "second.jpg")
        window.wait("what came", lambda s: "second.jpg" in {card["name"] for card in s["cards"]})
        window.key("ctrl+l", "ctrl+comma", "ctrl+a", "Delete")
        window.click("Label")
        window.click("Map")
        shown = window.wait_still("the map", lambda s: (s["panel"], s["dialog"]))
        assert shown == ("map", False)
    window.wait("the writer left", lambda s: reads(s, "Nobody is writing to it."))
    away = tmp_path / "away"
    os.rename(paths.metadata_db, away)
    window.wait_text("This library can't be followed any more", "Open again")
    os.rename(away, paths.metadata_db)
    window.click("Not now")
    window.wait("it is back", lambda s: reads(s, "Nobody is writing to it."))
