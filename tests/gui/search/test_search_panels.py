"""What the search panel asks for, and when; without its widgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from src.errors import MediaReadError
from src.gui.core.query_parts import QueryParts, can_be_written
from src.gui.search.answer_view import AnswerView
from src.gui.search.image_column import ImageColumn, ImageColumnActions
from src.gui.search.search_panel import BY_IMAGE, BY_WORDS, SearchPanel
from src.records import SearchResult
from src.search.filters import EVERYTHING
from src.search.query import Image, ImageFile, Query, Words
from src.search.query_text import parse_query, write_query


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
        self.queries: list[Query] = []

    @property
    def asked(self) -> list[str]:
        return [write_query(query) for query in self.queries]

    def say(self, sentence: str) -> None:
        self.said = sentence

    def ask(self, question: Any, show: Any, arrived: Callable[[], None] | None = None) -> None:
        question(100)
        if arrived is not None:
            arrived()

    def visit(self) -> None:
        pass

    def forget(self) -> None:
        pass

    def step_back(self) -> bool:
        return False


class Followed:
    """The image beside the hits."""

    def __init__(self) -> None:
        self.followed: list[Any] = []
        self.used: list[Path] = []

    def follow(self, term: Any) -> None:
        self.followed.append(term)

    def use_file(self, path: Path) -> None:
        self.used.append(path)


class WordPanel(SearchPanel):
    def __init__(self) -> None:
        self.results: Any = Results()
        library = SimpleNamespace(
            find=lambda query, **_: (
                self.results.queries.append(replace(query, limit=10)) or SearchResult(())
            )
        )
        self._session: Any = SimpleNamespace(
            models_ready=False,
            library=library,
            main_thread=SimpleNamespace(run=lambda *_, **__: None),
        )
        self.way = BY_WORDS
        self.image: Any = Followed()
        self._waiting = self._shown = None
        self.way_back: Any = SimpleNamespace(place=lambda: None, pop=lambda: None)
        self.suggestions: Any = SimpleNamespace(typed=lambda: None, hide=lambda: None)
        self.filters: Any = SimpleNamespace(
            owned=EVERYTHING, unowned=EVERYTHING, show=lambda where: None
        )
        self.notices: Any = SimpleNamespace(show=lambda unknown: None)
        self.entry: Any = Entry(self._typed)
        self._answer = AnswerView(
            self._session, self.entry, self.suggestions, self.notices, self.results
        )

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


def test_a_search_that_was_begun_elsewhere_leads_back_there(words: WordPanel) -> None:
    words._session.models_ready = True
    earlier: list[Any] = []
    words.way_back = SimpleNamespace(remember=earlier.append, pop=earlier.pop)
    went: list[str] = []
    words.run_query(parse_query("red at:1..2"), lambda: went.append("there"))
    assert words.step_back() and went == ["there"] and earlier == []


@pytest.fixture
def searched(words: WordPanel) -> WordPanel:
    """The panel, with the models there, opened by an image."""
    words._session.models_ready = True
    words.way = BY_IMAGE
    return words


def test_an_image_begins_a_search_and_another_takes_its_place(searched: WordPanel) -> None:
    searched.search("a yellow star")
    searched.use_image(ImageFile(Path("/a.png")))
    assert searched.results.asked[1:] == ['like:"/a.png"']
    searched.search("red -blue")
    searched.use_image(ImageFile(Path("/b.png"), (1, 2, 3, 4)))
    searched.use_image(None)
    assert searched.results.asked[2:] == [
        'red like:"/a.png" -blue',
        'red like:"/b.png"#xywh=1,2,3,4 -blue',
        "red -blue",
    ]
    assert searched.image.followed[-1] is None and searched.step_back() is False


def test_an_image_weighs_what_the_one_before_did(searched: WordPanel) -> None:
    searched.run("red -2:like:/a.png")
    searched.take_file(Path("/b.png"))
    assert searched.image.used == [Path("/b.png")]
    searched.use_image(ImageFile(Path("/b.png")))
    assert searched.results.asked[-1] == 'red -2:like:"/b.png"'
    searched.way = BY_WORDS
    searched.take_file(Path("/c.png"))
    assert searched.results.asked[-1] == 'red -2:like:"/b.png" like:"/c.png"'


def test_a_pasted_image_is_searched_for_and_not_kept_as_text(searched: WordPanel) -> None:
    image = Image(np.zeros((2, 2, 3), np.uint8))
    found = searched.results.queries
    searched.use_image(image)
    searched.use_image(replace(image, box_xywh=(0, 0, 1, 1)))
    assert [query.terms for query in found] == [(image,), (replace(image, box_xywh=(0, 0, 1, 1)),)]
    assert Image(image.image_rgb.copy()) != image == Image(image.image_rgb)
    assert not can_be_written(found[0])


class Column(ImageColumn):
    """Shows nothing, but knows which image it would show."""

    def __init__(self) -> None:
        self.reading: dict[str, Callable[[], None]] = {}
        self.failing: dict[str, Callable[[Exception], None]] = {}
        self.said: list[str] = []
        self.shown: list[str] = []
        self._asked = 0
        self._shown = None
        self._actions = ImageColumnActions(*[lambda *_: None] * 3, self.said.append)  # type: ignore[list-item]
        browse = SimpleNamespace(
            read_image=lambda source, *_: Picture(source.name),
            media_kind=lambda path: "video" if path.suffix == ".mp4" else "image",
        )
        library = SimpleNamespace(browse=browse)
        self._session: Any = SimpleNamespace(
            library=library, main_thread=SimpleNamespace(run=self._read_later)
        )

    def _read_later(
        self, work: Callable[[], Any], then: Callable[[Any], None], failed: Any
    ) -> None:
        name = work().image_rgb.name
        self.reading[name] = lambda: then(work())
        self.failing[name] = failed

    def _show(self, shown: Any) -> None:
        self._asked += 1
        if shown is not None:
            name = shown.image_rgb.name
            self.shown.append(f"first frame of {name}" if shown.is_frame else name)


class Picture(SimpleNamespace):
    shape = 4, 4, 3

    def __init__(self, name: str) -> None:
        super().__init__(name=name)


def test_an_older_image_that_reads_slowly_comes_after_no_newer_one() -> None:
    column = Column()
    column.use_file(Path("slow.jpg"))
    column.use_file(Path("quick.jpg"))
    column.reading["quick.jpg"]()
    column.reading["slow.jpg"]()
    assert column.shown == ["quick.jpg"]


def test_a_video_is_searched_for_by_its_first_frame() -> None:
    column = Column()
    column.use_file(Path("film.mp4"))
    column.reading["film.mp4"]()
    assert column.shown == ["first frame of film.mp4"]


def test_an_image_that_was_taken_away_does_not_come_back() -> None:
    column = Column()
    column.use_file(Path("slow.jpg"))
    column.follow(None)
    column.reading["slow.jpg"]()
    assert column.shown == []


def test_what_is_no_image_is_said_in_place_and_a_fault_of_ours_is_not() -> None:
    column = Column()
    column.use_file(Path("old.txt"))
    column.use_file(Path("letter.txt"))
    column.failing["old.txt"](MediaReadError("old.txt", "no image"))
    column.failing["letter.txt"](MediaReadError("letter.txt", "no image"))
    assert column.said == ["letter.txt can't be opened.\nNo image."]
    with pytest.raises(ZeroDivisionError):
        column.failing["letter.txt"](ZeroDivisionError())
