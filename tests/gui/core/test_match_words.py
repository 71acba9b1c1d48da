"""A hit says the same of how well it answers wherever it is shown."""

from __future__ import annotations

from dataclasses import replace

from src.gui.core.match_words import EXAMPLE, TAGGED, match_of
from src.gui.search.hit_cards import HitCards
from src.records import SearchHit
from tests.gui.label.test_rank_list import segment

HIT = SearchHit(segment("7"), 0.31, strength=0.73)


def test_the_match_is_what_the_card_says() -> None:
    assert match_of(HIT) == "73%" and match_of(replace(HIT, strength=None)) == "0.31"
    assert match_of(replace(HIT, score=None, strength=None)) == ""
    (view,) = HitCards([HIT]).views(0, 1)
    assert (view.strength, view.mark) == (0.73, "")


def test_an_example_and_what_a_person_tagged_have_a_word_instead() -> None:
    for hit, word in (
        (replace(HIT, is_example=True), EXAMPLE),
        (replace(HIT, tagged_so=True), TAGGED),
    ):
        (view,) = HitCards([hit]).views(0, 1)
        assert match_of(hit) == view.mark == word and view.strength is None
