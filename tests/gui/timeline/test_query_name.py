"""What the timeline calls a search: as its chips are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.gui.timeline.query_name import name_of_query
from src.search.query import ImageFile, Like, Query, Words

FILES = {"s1": "dog.jpg"}


@pytest.mark.parametrize(
    ("query", "name"),
    [
        (Query((Words("a red square"),)), "“a red square”"),
        (Query((Like("s1"),)), "like dog.jpg"),
        (Query((Like("gone"),)), "like a segment"),
        (Query((ImageFile(Path("cat.png")),)), "like cat.png"),
        (Query((Words("cat"), Like("s1", weight=-1))), "“cat” − like dog.jpg"),
        (Query((Words("cat"), Words("big", weight=2))), "“cat” + “big” × 2"),
    ],
)
def test_words_are_quoted_and_examples_are_called_as_on_their_chips(
    query: Query, name: str
) -> None:
    assert name_of_query(query, FILES) == name
