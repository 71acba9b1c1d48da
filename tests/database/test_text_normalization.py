"""When two words are the same, and what a query is made of."""

from __future__ import annotations

import pytest

from src.database.metadata_db import MetadataDatabase
from src.database.text_normalization import as_query, casefold_key, normalize_text
from src.records import Tag
from src.search.leaves import segment_filter
from tests.conftest import add_media_with, unit_vectors


@pytest.mark.parametrize(
    ("typed", "same"),
    [
        ("ＲＥＤ", "red"),  # as East Asian keyboards give it
        ("𝓇𝑒𝒹", "red"),
        ("ﬁsh", "FISH"),
        ("caf\u00e9", "CAFE\u0301"),
        ("Straße", "STRASSE"),
        ("ｶﾞ", "ガ"),
        ("Ⅷ", "viii"),
    ],
)
def test_words_are_the_same_in_whichever_width_case_and_style(typed: str, same: str) -> None:
    assert casefold_key(typed) == casefold_key(same)


@pytest.mark.parametrize("other", ["rad", "re d", "réd"])
def test_other_words_stay_others(other: str) -> None:
    assert casefold_key("red") != casefold_key(other)


def test_a_query_is_put_in_plain_letters_and_a_tag_stays_as_it_was_typed() -> None:
    assert as_query(" ＲＥＤ\u3000ｃircle ") == "RED circle"
    assert as_query("10 ㎡") == "10 m2"
    assert normalize_text("10 ㎡") == "10 ㎡"


def test_a_tag_in_another_width_is_the_same_tag(metadata: MetadataDatabase) -> None:
    add_media_with(metadata, unit_vectors(2))
    metadata.add_tags("a.jpg-00000", [Tag("my dog", 1.0, "human")], "human")
    metadata.add_tags("a.jpg-00001", [Tag("ＭＹ ＤＯＧ", 1.0, "human")], "human")
    assert metadata.tag_counts() == {"my dog": 2}
    assert len(metadata.segments_where(segment_filter(tags=("ＭＹ ＤＯＧ",)))) == 2
    metadata.remove_tag("a.jpg-00000", "ｍｙ dog")
    assert metadata.tag_counts() == {"my dog": 1}
