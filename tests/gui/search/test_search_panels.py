"""What the search panels ask for, and when; without their widgets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from src.errors import MediaReadError
from src.gui.search.image_search_panel import ImageSearchPanel
from src.gui.search.query_parts import QueryParts
from src.gui.search.text_search_panel import TextSearchPanel
from src.search.filters import EVERYTHING
from src.search.query import Words
from src.search.query_text import write_query


class Entry:
    """Tells the panel of each change, as the one on the screen does."""

    text = ""

    def __init__(self, changed: Callable[[str], None]) -> None:
        self._changed = changed
        self.parts = QueryParts()

    def set(self, text: str) -> None:
        if text != self.text:
            self.text = text
            self._changed(text)

    def show(self, words: str, parts: QueryParts) -> None:
        self.parts = parts
        self.set(words)

    def name(self, segment_id: str, name: str, crop: Path | None) -> None:
        pass

    def knows(self, segment_id: str) -> bool:
        return False


class Results:
    def __init__(self) -> None:
        self.said = ""
        self.asked: list[str] = []

    def say(self, sentence: str) -> None:
        self.said = sentence

    def ask(self, question: Any, show: Any, arrived: Callable[[], None] | None = None) -> None:
        question(EVERYTHING, 100)
        if arrived is not None:
            arrived()

    def visit(self) -> None:
        pass


class WordPanel(TextSearchPanel):
    def __init__(self) -> None:
        self.results: Any = Results()
        library = SimpleNamespace(
            find=lambda query, **_: self.results.asked.append(write_query(query))
        )
        self._session: Any = SimpleNamespace(
            models_ready=False,
            library=library,
            main_thread=SimpleNamespace(run=lambda *_, **__: None),
        )
        self._waiting = self._shown = None
        self._earlier = []
        self.back: Any = SimpleNamespace(pack_forget=lambda: None)
        self.suggestions: Any = SimpleNamespace(typed=lambda: None, hide=lambda: None)
        self.filters: Any = SimpleNamespace(
            owned=EVERYTHING, unowned=EVERYTHING, show=lambda where: None
        )
        self.save: Any = SimpleNamespace(winfo_manager=lambda: "pack")
        self.notice: Any = SimpleNamespace(pack_forget=lambda: None)
        self.offer: Any = SimpleNamespace(want=lambda wanted: None)
        self.entry: Any = Entry(self._typed)

    def after(self, *_: object) -> str:  # type: ignore[override]
        return "later"

    def after_cancel(self, *_: object) -> None:
        pass

    def models_come(self) -> None:
        self._session.models_ready = True
        self._models_ready()


@pytest.fixture
def words() -> WordPanel:
    return WordPanel()


def test_what_waits_for_the_models_is_searched_for_when_they_are_there(words: WordPanel) -> None:
    words.search(" a  red circle")
    assert "still loading" in words.results.said
    words.models_come()
    assert words.results.asked == ["a red circle"]


def test_what_was_typed_since_is_not_written_over(words: WordPanel) -> None:
    words.search("red")
    words.entry.set("red ")  # the same words
    assert "still loading" in words.results.said
    words.entry.set("red squ")
    assert "still loading" not in words.results.said
    words.models_come()
    assert (words.entry.text, words.results.asked) == ("red squ", [])


def test_a_search_by_a_segment_takes_the_place_of_one_that_waits(words: WordPanel) -> None:
    words.search("red")
    words.search_similar("a segment", SimpleNamespace(name="a.png"), lambda: None)  # type: ignore[arg-type]
    words.models_come()
    assert words.results.asked == ['like:segment:"a segment"']


def test_what_is_typed_is_read_when_another_part_changes(words: WordPanel) -> None:
    words._session.models_ready = True
    words.search("red")
    words.entry.set("blue kind:frame -striped")
    words.add_term(Words("dotted", weight=-1))
    assert words.results.asked == ["red", "blue -striped -dotted kind:frame"]
    words.entry.set("kind:nothing")
    said: list[str] = []
    words.entry.show_fault = lambda span, why: said.append(why)
    words._parts_changed()
    assert len(words.results.asked) == 2 and said[0].startswith("Kind is")


class ImagePanel(ImageSearchPanel):
    """Shows nothing, but knows which image it would show."""

    def __init__(self) -> None:
        self.reading: dict[str, Callable[[], None]] = {}
        self.failing: dict[str, Callable[[Exception], None]] = {}
        self.said: list[str] = []
        self.shown: list[str] = []
        self._asked = 0
        self.results: Any = SimpleNamespace(forget=lambda: None, say=self.said.append)
        self._query: Any = SimpleNamespace(pack_forget=lambda: None)
        self._zone: Any = SimpleNamespace(pack=lambda **_: None)
        self.query: Any = SimpleNamespace(show=lambda image: None)
        browse = SimpleNamespace(
            read_image=lambda source, _: source.name,
            media_kind=lambda path: "video" if path.suffix == ".mp4" else "image",
        )
        library = SimpleNamespace(browse=browse)
        self._session: Any = SimpleNamespace(
            library=library, main_thread=SimpleNamespace(run=self._read_later)
        )

    def _read_later(
        self,
        work: Callable[[], tuple[str, bool]],
        then: Callable[[tuple[str, bool]], None],
        failed: Callable[[Exception], None],
        fails: str = "",
        is_search: bool = False,
    ) -> None:
        name, _ = work()
        self.reading[name] = lambda: then(work())
        self.failing[name] = failed

    def use_image(self, image_rgb: np.ndarray, name: str, is_frame: bool = False) -> None:
        self.shown.append(f"first frame of {name}" if is_frame else name)


def test_an_older_image_that_reads_slowly_comes_after_no_newer_one() -> None:
    panel = ImagePanel()
    panel.use_file(Path("slow.jpg"))
    panel.use_file(Path("quick.jpg"))
    panel.reading["quick.jpg"]()
    panel.reading["slow.jpg"]()
    assert panel.shown == ["quick.jpg"]


def test_a_video_is_searched_for_by_its_first_frame() -> None:
    panel = ImagePanel()
    panel.use_file(Path("film.mp4"))
    panel.reading["film.mp4"]()
    assert panel.shown == ["first frame of film.mp4"]


def test_an_image_that_was_taken_away_does_not_come_back() -> None:
    panel = ImagePanel()
    panel.use_file(Path("slow.jpg"))
    panel.clear()
    panel.reading["slow.jpg"]()
    assert panel.shown == []


def test_what_is_no_image_is_said_in_place_and_a_fault_of_ours_is_not() -> None:
    panel = ImagePanel()
    panel.use_file(Path("old.txt"))
    panel.use_file(Path("letter.txt"))
    panel.failing["old.txt"](MediaReadError("old.txt", "no image"))
    panel.failing["letter.txt"](MediaReadError("letter.txt", "no image"))
    assert panel.said == ["letter.txt can't be opened.\nNo image."]
    with pytest.raises(ZeroDivisionError):
        panel.failing["letter.txt"](ZeroDivisionError())
