"""An example that is in the library is marked among the hits, and not counted as found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from src.records import SearchHit, SearchResult
from src.search.examples import mark_examples
from src.search.query import ImageFile, Like, Query, Words
from tests.gui.label.test_rank_list import segment

DOG = Path("/photos/dog.jpg")


def whole(name: str, path: Path) -> SearchHit:
    found = replace(segment(name), kind="frame", frame_index=0, media_path=path)
    return SearchHit(found, 1.0, strength=0.73)


def found(*hits: SearchHit, strong: int = 1) -> SearchResult:
    return SearchResult(hits, line=0.8, strong=strong, total=20)


def test_a_segment_is_not_found_by_itself() -> None:
    example, other = whole("7", DOG), SearchHit(segment("8"), 0.5, strength=0.2)
    result = mark_examples(Query((Like("7"),)), found(example, other))
    assert [hit.is_example for hit in result] == [True, False]
    assert (result.strong, result.total) == (0, 19)


def test_an_image_file_is_not_found_by_its_own_whole_frame() -> None:
    hits = whole("7", DOG), whole("8", Path("/other/dog.jpg")), SearchHit(segment("9"), 0.9)
    result = mark_examples(Query((ImageFile(DOG),)), found(*hits, strong=2))
    assert [hit.is_example for hit in result] == [True, False, False]
    assert (result.strong, result.total) == (1, 19)


def test_one_that_stands_for_the_example_says_so_of_it_alone() -> None:
    hit = replace(whole("8", DOG), alike=(whole("7", DOG),))
    result = mark_examples(Query((Like("7"), Words("red"))), found(hit, strong=2))
    assert not result[0].is_example and result[0].alike[0].is_example
    assert (result.strong, result.total) == (1, 19)


def test_words_parts_of_images_and_what_hits_are_unlike_are_no_examples() -> None:
    hits = found(whole("7", DOG))
    for term in (Words("7"), ImageFile(DOG, (0, 0, 5, 5)), Like("7", weight=-1.0), Like("1")):
        assert mark_examples(Query((term,)), hits) == hits
    assert mark_examples(Query((Like("7"),), beside=(Words("red"),)), hits) == hits
