"""A card's number counts other things than the line over the cards: its tooltip says which."""

from __future__ import annotations

from src.gui.cards.card_tip import counted_in


def test_the_number_on_a_card_is_explained_where_there_is_one() -> None:
    assert counted_in(15).startswith("16 hits of one thing, weaker ones too.")
    assert counted_in(0) == ""
