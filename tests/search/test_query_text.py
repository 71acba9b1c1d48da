"""Whole searches as text: what is words, what has a meaning, and how they are written."""

from __future__ import annotations

import random
import string
from pathlib import Path

import numpy as np
import pytest

from src.errors import QueryError
from src.search.filter_text import parse_filter
from src.search.filters import EVERYTHING
from src.search.query import Image, ImageFile, Like, Query, Term, Words
from src.search.query_text import parse_query, write_query
from tests.search.test_filters import ODD, random_filter

TEXTS = [
    *ODD,
    "a red car at night",
    "red or",
    "or red",
    "not",
    "and",
    "tag:dog",
    "at:home",
    "-car",
    'a "b" c',
    "two  spaces\nand lines",
    " red ",
    "(",
    ")",
    '"x"^2',
    "like:a.jpg",
    "café 🐱 C++",
]
WEIGHTS = [1.0, -1.0, 0.5, -0.5, 2.0, 1 / 3, -1e-7, 1e22]
BOXES = [None, (10, 20, 300, 200), (-5, 0, 1, 1)]


def random_term(draw: random.Random) -> Term:
    text, weight = draw.choice(TEXTS), draw.choice(WEIGHTS)
    return draw.choice(
        [
            Words(text, weight=weight),
            ImageFile(Path(text), draw.choice(BOXES), weight=weight),
            ImageFile(Path(r"C:\my photos\#xywh=1.jpg"), draw.choice(BOXES), weight=weight),
            Like(text, weight=weight),
            Like("3f2a", weight=weight),
        ]
    )


def test_what_is_written_is_read_as_the_same() -> None:
    draw = random.Random(0)
    for _ in range(2000):
        terms = tuple(random_term(draw) for _ in range(draw.randint(0, 4)))
        where = random_filter(draw, 3) if draw.random() < 0.6 else EVERYTHING
        query = Query(terms, where, limit=draw.randint(1, 99))
        text = write_query(query)
        assert parse_query(text, query.limit) == query, text
        assert write_query(parse_query(text)) == text  # and so a saved search stays as it is


def test_any_text_is_read_or_refused_and_what_is_read_can_be_written() -> None:
    draw = random.Random(0)
    signs = ['"', "-", "(", ")", "^2", " ", " ", "or ", "not ", "tag:dog", "red", ":", "like:"]
    read = 0
    for _ in range(5000):
        text = "".join(draw.choice([*signs, draw.choice(string.printable)]) for _ in range(12))
        try:
            query = parse_query(text)
        except QueryError:
            continue
        assert parse_query(write_query(query)) == query, text
        read += 1
    assert read > 2000


@pytest.mark.parametrize(
    "sentence",
    [
        "a red car at night",
        "car: red",
        "colour:red",
        "tag: dog",
        "-",
        "- a list",
        "-car",
        "t-shirt, black - white",
        '"',
        '"blue sky"',
        'he said "hello" to me',
        '12" disc',
        '"never closed',
        "10:30",
        "🐱",
        "C++",
        "C:\\photos",
        "http://example.com/a?b=c",
        "^_^ x^2",
        "red or blue and not green",
        "(red) car :) :(",
        "(",
        ")(",
        '"tag:dog"',
        "3 > 2",
        "see like: this",
    ],
)
def test_a_sentence_is_one_term_as_it_was_typed(sentence: str) -> None:
    assert parse_query(f" {sentence}  ") == Query((Words(sentence),))
    assert write_query(Query((Words(sentence),))) == sentence


@pytest.mark.parametrize(
    ("text", "terms", "where"),
    [
        ("", (), ""),
        (
            'red car -"blue sky"^0.5 tag:dog kind:object',
            (Words("red car"), Words("blue sky", weight=-0.5)),
            "tag:dog kind:object",
        ),
        ("tag:dog", (), "tag:dog"),
        ("red tag:dog car", (Words("red car"),), "tag:dog"),
        ('"red"^1 "car"^2', (Words("red"), Words("car", weight=2)), ""),
        ('-"red"', (Words("red", weight=-1),), ""),
        ('"he said ""hi"""^2', (Words('he said "hi"', weight=2),), ""),
        ("like:photo.jpg", (ImageFile(Path("photo.jpg")),), ""),
        (
            'night -like:"my photo.jpg"#xywh=1,2,30,40^0.5',
            (Words("night"), ImageFile(Path("my photo.jpg"), (1, 2, 30, 40), weight=-0.5)),
            "",
        ),
        ("like:segment:3f2a^2", (Like("3f2a", weight=2),), ""),
        ("red segment:3f2a", (Words("red"),), "segment:3f2a"),
        ("red not tag:dog", (Words("red"),), "not tag:dog"),
        ("red and tag:dog and blue", (Words("red blue"),), "tag:dog"),
        ("red or blue tag:dog or tag:cat", (Words("red or blue"),), "tag:dog or tag:cat"),
        ("(tag:dog or tag:cat) red (big)", (Words("red (big)"),), "tag:dog or tag:cat"),
        ("not (tag:dog (tag:cat)) red", (Words("red"),), "not (tag:dog tag:cat)"),
        (":( tag:dog", (Words(":("),), "tag:dog"),
        ("Tag:dog -KIND:frame", (), "tag:dog not kind:frame"),
    ],
)
def test_what_has_a_meaning(text: str, terms: tuple[Term, ...], where: str) -> None:
    assert parse_query(text) == Query(terms, parse_filter(where))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("red kind:thing", 'in "kind:thing", kind is frame or object'),
        ("meet me at:home", 'in "at:home", "home" is no time in a video'),
        ("at:home", "as words, put it in quotation marks"),
        ("red quality>0.9", '"quality>0.9" is no condition; one is written quality>=0.9'),
        ("red or tag:dog", 'in "red or tag:dog", "or" does not stand between two conditions'),
        ("tag:dog or", '"or" does not stand'),
        ('-"red" or -"blue"', '"or" does not stand'),
        ('not "red"^2', "a dash is written"),
        ("(red tag:dog)", '"red" is no condition'),
        ("(tag:dog red", 'the bracket before "tag:dog" is not closed'),
        ('red tag:"blue sky', 'quotation mark in "tag:"blue" is not closed'),
        ('like:"never closed', 'written like:"photo.jpg"'),
        ("like:a.jpg#xywh=1,2", "#xywh=x,y,w,h"),
        ("like:segment:3f2a#xywh=1,2,3,4", "like:segment:ID"),
        ('"red"^0', "weight 0"),
        ("-like:a.jpg^0", "weight -0"),
        ('"red"^1 ' * 101, "at most 100 parts"),
        ("tag:dog " * 1001, "at most 1,000"),
        ("a\0b", "character that is none"),
    ],
)
def test_what_names_a_condition_and_is_none_is_refused_with_a_reason(text: str, why: str) -> None:
    with pytest.raises(QueryError) as said:
        parse_query(text)
    assert why in str(said.value)


def test_many_brackets_take_no_time() -> None:
    sentence = "( " * 10_000 + ") " * 10_000
    assert parse_query(sentence).words == sentence.strip()


def test_an_image_that_is_no_file_can_not_be_written() -> None:
    with pytest.raises(QueryError, match="save it"):
        write_query(Query((Image(np.zeros((2, 2, 3), np.uint8)),)))
