"""What a person has looked at stays in its place when the rest is ranked again."""

from __future__ import annotations

from pathlib import Path

from src.gui.label.rank_list import RankList
from src.records import SearchHit, StoredSegment


def hits(*names: str) -> list[SearchHit]:
    return [SearchHit(segment(name), 0.5) for name in names]


def segment(name: str) -> StoredSegment:
    return StoredSegment(
        name,
        1,
        Path("photo.jpg"),
        0,
        None,
        (64, 64),
        "object",
        (0, 0, 8, 8),
        64,
        0.9,
        0.9,
        None,
        Path("crop.jpg"),
    )


def shown(ranked: RankList) -> list[str]:
    return [candidate.segment_id for candidate in ranked.candidates]


def test_what_was_looked_at_stays_and_the_rest_is_exchanged() -> None:
    ranked = RankList()
    ranked.begin(hits(*"abcdef"))
    ranked.answer(["a"], "accepted")
    ranked.exchange(hits(*"fedcb"), keep=2)
    assert shown(ranked) == ["a", "b", "f", "e", "d", "c"]


def test_an_answered_card_further_down_keeps_its_place() -> None:
    ranked = RankList()
    ranked.begin(hits(*"abcdef"))
    ranked.answer(["e"], "accepted")
    ranked.exchange(hits(*"fgdcba"), keep=1)
    assert shown(ranked) == ["a", "f", "g", "d", "e", "c", "b"]
    ranked.exchange(hits("x"), keep=1)
    assert shown(ranked) == ["a", "x", "e"]


def test_nothing_is_lost_where_the_ranking_is_short() -> None:
    ranked = RankList()
    ranked.begin(hits(*"abcdef"))
    ranked.answer(["b", "d", "f"], "rejected")
    ranked.exchange([], keep=1)
    assert shown(ranked) == ["a", "b", "d", "f"]


def test_the_focus_goes_to_the_next_card_without_an_answer() -> None:
    ranked = RankList()
    ranked.begin(hits(*"abcd"))
    ranked.answer(["b"], "accepted")
    assert ranked.next_open(0) == 2
    ranked.answer(["c", "d"], "accepted")
    assert ranked.next_open(3) == 0
    ranked.answer(["a"], "rejected")
    assert ranked.next_open(0) is None


def test_an_answer_that_is_taken_back_gives_way_to_the_one_before() -> None:
    ranked = RankList()
    ranked.begin(hits(*"ab"))
    ranked.answer(["a"], "rejected", "red block")
    before = ranked.answers_of(["a", "b", "gone"])
    ranked.answer(["a", "b"], "accepted")
    assert ranked.count("accepted") == 2
    ranked.restore(before)
    assert [(c.answer, c.given) for c in ranked.candidates] == [("rejected", "red block"), ("", "")]


def test_a_card_says_what_was_answered() -> None:
    ranked = RankList(lambda path: path.name == "photo.jpg")
    ranked.begin(hits("a"))
    ranked.answer(["a"], "rejected", "red block")
    (view,) = ranked.views(0, 1)
    assert (view.answer, view.word, view.facts) == ("rejected", "red block", "Missing · Photo")
