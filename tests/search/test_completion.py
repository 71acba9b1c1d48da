"""What is suggested while a search is typed, and how long that takes."""

from __future__ import annotations

import random
import string
import time

import pytest

from src.errors import QueryError
from src.search.completion import Completion, Names, SearchFacts, Suggestion, complete
from src.search.query_text import parse_query

FACTS = SearchFacts(
    Names([("cat", 5), ("dog", 20), ("blue sky", 7), ("car", 9), ("Écran", 1), ("a,b", 2)]),
    Names([("/photos/2020/holiday in Rome", 12), ("/films", 3)]),
    Names([("Canon EOS 5D", 4), ("Nikon D70", 8)]),
    ("2022-11-30", "2024-02-01"),
    ("red car", 'tag:dog -"blue sky"'),
)


def suggested(text: str, facts: SearchFacts = FACTS) -> list[str]:
    """Complete a text in which the cursor is a "|"."""
    cursor = text.index("|")
    return [each.text for each in complete(text.replace("|", ""), cursor, facts).suggestions]


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        # an empty entry
        ("|", ["red car", 'tag:dog -"blue sky"']),
        ("  |", ["red car", 'tag:dog -"blue sky"']),
        # fields and tags
        ("ki|", ["kind:"]),
        ("c|", ["camera:", "tag:car", "tag:cat"]),
        ("-ca|", ["camera:", "tag:car", "tag:cat"]),
        ("(ca|", ["camera:", "tag:car", "tag:cat"]),
        ("lik|", ["like:"]),
        ("sk|", ['tag:"blue sky"']),
        ("ecr|", []),
        ("écr|", ["tag:Écran"]),
        ("tag:dog ca|", ["camera:", "tag:car", "tag:cat"]),
        ('-"red" ca|', ["camera:", "tag:car", "tag:cat"]),
        ("tag:dog or ca|", ["camera:", "tag:car", "tag:cat"]),
        # sentences
        ("a red ca|", ["tag:car", "tag:cat"]),
        ("a red c|", []),
        ("a red kin|", []),
        ("a red |", []),
        ('he said "ca|', []),
        ("http://ca|", []),
        # values
        ("tag:|", ["dog", "car", '"blue sky"', "cat", '"a,b"', "Écran"]),
        ("red -TAG:c|", ["car", "cat"]),
        ("tag:dog,c|", ["car", "cat"]),
        ('tag:"a,b",c|', ["car", "cat"]),
        ('tag:"blue s|', ['"blue sky"']),
        ('tag:"|', ["dog", "car", '"blue sky"', "cat", '"a,b"', "Écran"]),
        ('tag:"a,b","c|', ["car", "cat"]),
        ("tag:dog|", []),
        ('tag:"blue sky"|', []),
        ("tag:nothing|", []),
        ("kind:|", ["frame", "object", "photo", "video"]),
        ("kind:ob|", ["object"]),
        ("kind:object|", []),
        ("origin:h|", ["human"]),
        ("in:hol|", ['"/photos/2020/holiday in Rome"']),
        ("in:/f|", ["/films"]),
        ("camera:d70|", ['"Nikon D70"']),
        ("camera:|", ['"Nikon D70"', '"Canon EOS 5D"']),
        ("after:|", ["2024", "2023", "2022"]),
        ("taken>=202|", ["2024", "2023", "2022"]),
        ("before:2024|", ["2024-01", "2024-02"]),
        ("before:2022-1|", ["2022-11", "2022-12"]),
        ("quality:|", []),
        ("like:|", []),
        ("colour:c|", []),
        # in the middle
        ("c|ar tag:dog", ["camera:", "tag:car", "tag:cat"]),
        ("tag:do| red", ["dog"]),
    ],
)
def test_what_is_suggested(text: str, texts: list[str]) -> None:
    assert suggested(text) == texts


@pytest.mark.parametrize(
    ("text", "place", "after"),
    [
        ("ki|", 0, "kind:"),
        ("-ca|", 1, "-tag:car"),
        ("a red c|at", 0, "a red c|at"),
        ("a red ca|t runs", 0, "a red tag:car runs"),
        ('red tag:"blue s| now', 0, 'red tag:"blue sky" now'),
        ('tag:"blu|e sky" red', 0, 'tag:"blue sky" red'),
        ("tag:dog,c|", 1, "tag:dog,cat"),
        ("(tag:do|)", 0, "(tag:dog)"),
        ("   |", 0, "red car"),
        ("taken>=2024|", 1, "taken>=2024-02"),
    ],
)
def test_a_suggestion_goes_in_the_place_of_what_is_typed(text: str, place: int, after: str) -> None:
    cursor, typed = text.index("|"), text.replace("|", "")
    found = complete(typed, cursor, FACTS)
    if after == text:
        assert not found.suggestions
    else:
        start, end = found.span
        assert typed[:start] + found.suggestions[place].text + typed[end:] == after


def test_kinds_and_notes_say_what_it_is() -> None:
    assert complete("ta", 2, FACTS).suggestions[0][:3] == ("tag:", "field", "tag:dog>=0.8")
    many = SearchFacts(Names([("dog", 1234)]))
    assert complete("do", 2, many).suggestions == (Suggestion("tag:dog", "tag", "1,234"),)
    assert complete("tag:", 4, many).suggestions == (Suggestion("dog", "tag", "1,234"),)
    assert complete("in:", 3, FACTS).suggestions[0][1:3] == ("folder", "12")
    assert complete("", 0, SearchFacts()) == Completion((0, 0))


def test_any_text_and_cursor_gives_what_can_be_put_there() -> None:
    draw = random.Random(0)
    signs = ['"', "-", "(", ")", " ", ",", "tag:", "kind:", "in:", "ca", "blue", ">=", "or "]
    for _ in range(3000):
        text = "".join(draw.choice([*signs, draw.choice(string.printable)]) for _ in range(8))
        cursor = draw.randint(0, len(text))
        found = complete(text, cursor, FACTS)
        start, end = found.span
        assert 0 <= start <= end <= len(text)
        assert not text.strip() or not found.suggestions or start <= cursor <= end


def test_every_suggested_value_is_read() -> None:
    for text in ("tag:|", "kind:|", "origin:|", "media:|", "in:|", "camera:|", "after:|"):
        for value in suggested(text):
            assert parse_query(text.replace("|", value)).filter
    with pytest.raises(QueryError):
        parse_query("kind:thing")


def test_ten_thousand_tags_take_under_a_millisecond() -> None:
    draw = random.Random(0)
    letters = "abcdefg"
    names = {"".join(draw.choices(letters, k=draw.randint(2, 12))) for _ in range(12_000)}
    tags = [(f"{name} thing", draw.randint(1, 9999)) for name in sorted(names)[:10_000]]
    facts = SearchFacts(Names(tags), Names(tags), Names(tags), ("1900-01-01", "2024-01-01"))
    texts = ["a", "tag:", "tag:a", "tag:th", "a red ab", 'tag:"abc', "in:a", "after:", "x " * 200]
    for text in texts:
        took = []
        for _ in range(20):
            start = time.perf_counter()
            complete(text, len(text), facts)
            took.append(time.perf_counter() - start)
        assert min(took) < 0.001, text  # every tag has a word that begins with "th"
