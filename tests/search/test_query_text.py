"""Whole searches as text: what is words, what has a meaning, and how they are written."""

from __future__ import annotations

import random
import string
from dataclasses import replace
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
dog, x, x3 = Words("dog", weight=-0.5), Words("x", weight=0.001), Like("x", weight=3)
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
        beside = tuple(replace(random_term(draw), weight=1) for _ in range(draw.randint(0, 2)))
        beside = beside if terms and draw.random() < 0.3 else ()
        query = Query(terms, where, limit=draw.randint(1, 99), beside=beside)
        text = write_query(query)
        assert parse_query(text, query.limit) == query, text
        assert write_query(parse_query(text)) == text  # and so a saved search stays as it is


def test_any_text_is_read_or_refused_and_what_is_read_can_be_written() -> None:
    draw = random.Random(0)
    signs = ['"', "-", "(", ")", "^2", " ", " ", "or ", "not ", "tag:dog", "red", ":", "like:"]
    signs += ["+", "2:", '"x" ', "with ", "taken>", "size:>"]
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
        "-5 to +30, -🐱",
        "16:9 10:30 5:30pm",
        "x^2",
        "man with hat",
        'man with "blue hat"',
        "-",
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
        (
            '"red circle" -striped 2:"golden retriever" like:photo.jpg tag:cat after:2024-01-01 '
            "before:2024-05 in:holiday kind:video size:>64px quality:>0.9",
            (
                Words('"red circle"'),
                Words("striped", weight=-1),
                Words("golden retriever", weight=2),
                ImageFile(Path("photo.jpg")),
            ),
            "tag:cat after:2024-01-01 before:2024-05 in:holiday media:video size>64px quality>0.9",
        ),
        ("-car", (Words("car", weight=-1),), ""),
        ("red -Straße^2 t-shirt", (Words("red t-shirt"), Words("Straße", weight=-2)), ""),
        ('+car +"a b"', (Words("car"), Words("a b")), ""),
        ("2:car -.5:dog 1e-3:x", (Words("car", weight=2), dog, x), ""),
        ("-2:like:a.jpg 3:like:segment:x", (ImageFile(Path("a.jpg"), weight=-2), x3), ""),
        ("-2:striped +tag:dog", (Words("striped", weight=-2),), "tag:dog"),
        ("-colour:red", (Words("colour:red", weight=-1),), ""),
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
        ("red quality=0.9", '"quality=0.9" is no condition; one is written quality>=0.9'),
        ("red 2:tag:dog", "a condition has no weight"),
        ('2:"red"^3', "two weights, 2 and 3"),
        ("0:red", "weight 0"),
        ('"a" with -"b"', 'what stands behind "with" has no minus and no weight'),
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


@pytest.mark.parametrize(
    ("text", "terms", "beside"),
    [
        ('"a" with "b c"', (Words("a"),), (Words("b c"),)),
        ('+a WITH like:b.jpg with "c"', (Words("a"),), (ImageFile(Path("b.jpg")), Words("c"))),
        (
            'night -red "a" with "b" tag:dog',
            (Words("night"), Words("red", weight=-1), Words("a")),
            (Words("b"),),
        ),
        ('"a" with "b" "c" with "d"', (Words("a"), Words("c")), (Words("b"), Words("d"))),
    ],
)
def test_with_joins_things_in_one_frame(
    text: str, terms: tuple[Term, ...], beside: tuple[Term, ...]
) -> None:
    query = parse_query(text)
    assert (query.terms, query.beside) == (terms, beside)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("-striped", Query((Words("striped", weight=-1),))),
        ('-2:"a b"', Query((Words("a b", weight=-2),))),
        ('red +"blue"', Query((Words("red"), Words("blue")))),
        ('2:like:"a.jpg"', Query((ImageFile(Path("a.jpg"), weight=2),))),
        ('+"a" with +"b" -c', Query((Words("a"), Words("c", weight=-1)), beside=(Words("b"),))),
        (
            "kind:video,photo after:2024 size>5% quality>0.9 size<=64px",
            Query((), parse_filter("media:video,image after:2024 share>5% quality:>0.9 size:<=64")),
        ),
        (f"share>={1 / 3}", Query((), parse_filter(f"share>={1 / 3}"))),
    ],
)
def test_how_it_is_written(text: str, query: Query) -> None:
    assert write_query(query) == text


@pytest.mark.parametrize(
    ("text", "where", "short"),
    [
        ("red kind:thing", "kind:thing", "kind is frame or object"),
        ("red car -at:home now", "-at:home", '"home" is no time in a video'),
        ("red quality=0.9", "quality=0.9", "a condition is written quality>=0.9"),
        ("red or tag:dog", "or", '"or" joins conditions only'),
        ('not "red"^2', "not", "a dash"),
        ("(tag:dog red", "(", "not closed"),
        ("(red tag:dog)", "red", "a condition is written"),
        ('tag:"blue sky', 'tag:"blue', "quotation mark"),
        ("a like:b.jpg#xywh=1", "like:b.jpg#xywh=1", "it is written"),
        ('a -"red"^0 b', '-"red"^0', "weight"),
        ('"a" with 2:"b"', '2:"b"', "no weight"),
        ("tag:dog (tag:cat or)", "or", "missing"),
        ("a\0b", "\0", "no"),
    ],
)
def test_a_fault_is_shown_under_the_word_it_is_in(text: str, where: str, short: str) -> None:
    with pytest.raises(QueryError) as said:
        parse_query(text)
    assert said.value.span is not None
    start, end = said.value.span
    assert text[start:end] == where
    assert short in said.value.short and len(said.value.short) <= 90


def test_many_brackets_take_no_time() -> None:
    sentence = "( " * 10_000 + ") " * 10_000
    assert parse_query(sentence).words == sentence.strip()


def test_an_image_that_is_no_file_can_not_be_written() -> None:
    with pytest.raises(QueryError, match="save it"):
        write_query(Query((Image(np.zeros((2, 2, 3), np.uint8)),)))
