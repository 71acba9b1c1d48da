"""What is chosen on the timeline: from the picture, and on the way to it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from src.gui.timeline.choosing import Choosing
from src.gui.timeline.timeline_model import TimelineModel
from src.records import SearchResult, Tag
from tests.gui.timeline.records import bar, lane, model, timeline, track

ONE, OTHER = track(1, [0, 1, 2, 8]), track(2, range(4), "cat")


class Card:
    """Remembers what it shows."""

    def __init__(self) -> None:
        self.name, self.lines = "", ()

    def show(self, name: str, lines: tuple[str, ...], _crop: object) -> None:
        self.name, self.lines = name, lines

    def show_nothing(self) -> None:
        self.name, self.lines = "", ()


class Chosen:
    """A timeline of two tracks, its side and its picture."""

    def __init__(self) -> None:
        lanes = [lane("dog", [bar(ONE)]), lane("cat", [bar(OTHER)])]
        self.model: TimelineModel = model(timeline([ONE, OTHER], lanes))
        self.card, self.changes, self.allowed = Card(), 0, SimpleNamespace()
        self.view: Any = SimpleNamespace(segments=(), tags={"alone": (Tag("k", 1.0, "human"),)})
        canvas: Any = SimpleNamespace(refresh=lambda: None, show_lane=lambda _: None, query="“red”")
        side: Any = SimpleNamespace(card=self.card, allow=self.allow)
        self.choosing = Choosing(
            self.model,
            canvas,
            side,
            lambda: self.view,
            self.changed,
            lambda _, then: then(SearchResult(())),
        )

    def allow(self, allowed: Any) -> None:
        self.allowed = allowed

    def changed(self) -> None:
        self.changes += 1

    @property
    def ids(self) -> list[int | str]:
        return [each.track_id or each.segment_id for each in self.model.chosen]


@pytest.fixture
def shown() -> Chosen:
    return Chosen()


def test_with_ctrl_a_thing_in_the_picture_is_chosen_beside_the_others(shown: Chosen) -> None:
    shown.choosing.choose_segment("t1s0")
    shown.choosing.choose_segment("t2s1", True)
    shown.choosing.choose_segment("alone", True)
    assert shown.ids == [1, 2, "alone"]
    assert "3 chosen" in shown.card.lines
    shown.choosing.choose_segment("t1s2", True)  # of a track that is chosen: no more
    shown.choosing.choose_segment("alone", True)
    assert shown.ids == [2]
    shown.choosing.choose_segment("t1s2")
    assert shown.ids == [1]


def test_two_bars_of_a_track_are_one_thing_and_can_not_be_joined(shown: Chosen) -> None:
    shown.choosing.choose(0, 0)
    assert not shown.allowed.join and not any("chosen" in each for each in shown.card.lines)
    shown.choosing.choose(1, 0, adds=True)
    assert shown.allowed.join and "2 chosen" in shown.card.lines


def test_one_arrives_with_what_was_asked_for_whatever_was_chosen_before(shown: Chosen) -> None:
    shown.choosing.choose(1, 0)
    shown.choosing.arrive("t1s1")
    assert shown.ids == [1]
    shown.choosing.arrive("alone")
    assert shown.ids == ["alone"] and shown.card.name == "k"
    assert shown.choosing.outlined() == ["alone"]
    shown.view = None  # in another frame it is called what it was called
    shown.choosing.show()
    assert shown.card.name == "k"
    shown.choosing.arrive("f3")  # a frame as a whole has no outline
    assert shown.ids == [] and shown.card.name == ""


def test_a_track_can_be_split_where_it_is_out_of_sight(shown: Chosen) -> None:
    shown.choosing.choose(0, 0)
    found = []
    for time_s in (0, 0.5, 2, 4, 4.5):
        shown.model.go(time_s)
        shown.choosing.show()
        found.append((shown.allowed.split, shown.allowed.take_out))
    assert found == [(False, True), (True, True), (True, False), (True, True), (False, False)]
