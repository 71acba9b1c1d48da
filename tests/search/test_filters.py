"""Filters: their text, their SQL, and a new condition registered from outside."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from src.database.metadata_db import MetadataDatabase
from src.database.segment_store import NewSegment
from src.errors import QueryError
from src.records import Segment, Tag
from src.search.copy_leaves import Is
from src.search.filter_text import parse_filter
from src.search.filters import EVERYTHING, And, Filter, Leaf, Not, Or, all_of, any_of
from src.search.leaves import (
    Duplicate,
    KindIs,
    MediaFileIs,
    MediaKindIs,
    NameHas,
    PathHas,
    SegmentIs,
    Tagged,
    TakenIn,
)
from src.search.media_leaves import InFolder, TakenAfter, TakenBefore, TakenWith
from src.search.range_leaves import AtTime, Height, Pixels, Quality, Share, Size, Width
from tests.conftest import MODEL, small_mask, unit_vectors
from tests.search.new_condition import register_left_of

ODD = [
    "dog",
    "blue sky",
    'the "big" one',
    "a:b",
    "x,y",
    "1..2",
    "none",
    "-",
    "(a)",
    "日本",
    "",
    "or",
]


def random_leaf(draw: random.Random) -> Filter:
    word = draw.choice([text for text in ODD if text])
    low = draw.choice([None, 0.25, 3, 1 / 3])
    high = draw.choice([0.5, 90, 61.1]) if low is None else draw.choice([None, 7, 90.25])
    return draw.choice(
        [
            Tagged((word, "cat"), draw.choice([0.0, 0.8])),
            KindIs(("object", "frame")),
            MediaKindIs(("video",)),
            MediaFileIs((3, 12)),
            SegmentIs(draw.choice([(word,), ()])),
            PathHas(draw.choice(ODD)),
            NameHas(word),
            TakenIn("2020", draw.choice([None, "2021-05-31T10:00"])),
            AtTime(low, high),
            Width(low, high),
            Height(low, high),
            Pixels(low, high),
            Share(low, high),
            Quality(0.5, high),
            Duplicate(),
            Is(("duplicate", "hidden")),
            Size(low, high),
            Size(low, is_strict=True) if low else Share(None, high, is_strict=True),
            TakenIn(None, "2020-05", is_strict=True),
            TakenAfter("2020-05-31T10:00"),
            TakenBefore("2020"),
            InFolder(word),
            TakenWith((word, "Canon")),
        ]
    )


def random_filter(draw: random.Random, depth: int = 4) -> Filter:
    if depth == 0 or draw.random() < 0.3:
        return random_leaf(draw)
    parts = [random_filter(draw, depth - 1) for _ in range(draw.randint(2, 3))]
    return draw.choice([all_of, any_of, lambda some: Not(some[0])])(parts)


@pytest.mark.parametrize("seed", range(300))
def test_what_is_written_is_read_as_the_same(seed: int) -> None:
    where = random_filter(random.Random(seed))
    assert parse_filter(str(where)) == where


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", EVERYTHING),
        ("tag:dog>=0.8", Tagged(("dog",), 0.8)),
        ('tag:"blue sky",dog', Tagged(("blue sky", "dog"))),
        ("-kind:frame", Not(KindIs(("frame",)))),
        ("media:video AND at:0:30..1:00", And((MediaKindIs(("video",)), AtTime(30, 60)))),
        ("at:1:02:03", AtTime(3723, 3723)),
        (r'path:"C:\my photos\(1)"', PathHas(r"C:\my photos\(1)")),
        ("path:/photos/12:30.jpg", PathHas("/photos/12:30.jpg")),
        ("share>=10%", Share(0.1)),
        ("taken<=2020-05", TakenIn(None, "2020-05")),
        ("duplicate:no", Not(Duplicate())),
        ("kind:object,video", Or((KindIs(("object",)), MediaKindIs(("video",))))),
        ("kind:photo", MediaKindIs(("image",))),
        ("kind:image", MediaKindIs(("image",))),
        ("size:>64px", Size(64, None, is_strict=True)),
        ("size:64..100px", Size(64, 100)),
        ("size:<5%", Share(None, 0.05, is_strict=True)),
        ("quality:>=0.9", Quality(0.9)),
        ("taken:<2020-05", TakenIn(None, "2020-05", is_strict=True)),
        ('taken>"2020-05-31 10:00"', TakenIn("2020-05-31T10:00", is_strict=True)),
        ("camera:canon,nikon", TakenWith(("canon", "nikon"))),
        (r'in:"C:\my photos"', InFolder(r"C:\my photos")),
    ],
)
def test_filters_as_people_type_them(text: str, where: Filter) -> None:
    assert parse_filter(text) == where


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("colour:red", 'no condition "colour:"; there are after, at, before, camera, duplicate'),
        ("after:soon", "no date"),
        ("size>64cm", "no number"),
        ("red", '"red" is no condition'),
        ("3:45", "no condition"),
        ("http://x", "no condition"),
        ("kind:thing", "frame or object"),
        ("quality>=good", "no number"),
        ("at:1h..2h", "no time in a video"),
        ("taken:2020-13", "no date"),
        ("file:x", "number of a media file"),
        ("(tag:a", "not closed"),
        ("tag:a or", "missing"),
        ("or tag:a", "missing"),
        ("()", "missing"),
        ('tag:"a', "quotation mark"),
        ("tag:a,", "nothing on one of its sides"),
        ("kind>=frame", "followed by a colon"),
        ("not " * 60 + "tag:a", "at most 50"),
        ("tag:a " * 1001, "at most 1,000"),
    ],
)
def test_what_is_no_filter_is_refused_with_a_reason(text: str, why: str) -> None:
    with pytest.raises(QueryError, match=why.replace("(", r"\(")):
        parse_filter(text)


@pytest.fixture
def some(metadata: MetadataDatabase) -> Iterator[MetadataDatabase]:
    """Segments i0, i1 of a photo of 2020, v0, v1 of a film at 10 and 70 seconds, of no date."""
    crop = np.zeros((4, 4, 3), np.uint8)

    def new(name: str, quality: float | None, w: int, content: str) -> NewSegment:
        kind = "frame" if quality is None else "object"
        segment = Segment(kind, (0, 0, w, 4), 4 * w, quality, 0.9, small_mask(0), crop)
        return NewSegment(name, segment, f"{name}.jpg", unit_vectors(1)[0], crop_hash=content)

    photo = metadata.add_media(Path("/Holiday/img_1.jpg"), "image", 1, 1)
    film = metadata.add_media(Path("/films/Holiday.mp4"), "video", 1, 1)
    metadata.update_media(
        photo,
        captured_at="2020-05-31T23:30:00+09:00",
        camera_make="Canon",
        camera_model="EOS 5D",
    )
    metadata.store_frame(
        photo, 0, None, (100, 100), [new("i0", None, 100, "a"), new("i1", 0.9, 50, "b")], MODEL
    )
    metadata.store_frame(film, 0, 10.0, (100, 100), [new("v0", 0.5, 4, "b")], MODEL)
    metadata.store_frame(film, 7, 70.0, (100, 100), [new("v1", 0.7, 4, "c")], MODEL)
    metadata.add_tags("i1", [Tag("Dog", 0.9, "auto")], "vocabulary")
    metadata.add_tags("v0", [Tag("dog", 0.4, "auto"), Tag("cat", 0.9, "auto")], "vocabulary")
    yield metadata


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("", "i0 i1 v0 v1"),
        ("tag:dog", "i1 v0"),
        ("tag:dog>=0.8", "i1"),
        ("tag:dog,cat>=0.8", "i1 v0"),
        ("tag:dog tag:cat", "v0"),
        ("kind:frame", "i0"),
        ("origin:sam", "i0 i1 v0 v1"),
        ("origin:human,tracker", ""),
        ("media:video", "v0 v1"),
        ("file:1", "i0 i1"),
        ("segment:i0,v1,x", "i0 v1"),
        ("segment:none", ""),
        ("not segment:none", "i0 i1 v0 v1"),
        ("path:holiday", "i0 i1 v0 v1"),
        ("name:holiday", "v0 v1"),
        ("taken:2020", "i0 i1"),
        ("taken:2020-05-31", "i0 i1"),
        ("taken:2020-06", ""),
        ("taken>=2020-06 or taken<=2019", ""),
        ("not taken:2020", "v0 v1"),
        ("taken>2020-05-31", ""),
        ("taken>2020-05-30", "i0 i1"),
        ("after:2020-05-31", "i0 i1"),
        ("after:2020-05-31 before:2020-06", "i0 i1"),
        ("before:2020-05-31", ""),
        ("before:2021", "i0 i1"),
        ("in:holiday", "i0 i1"),
        ("in:/films", "v0 v1"),
        ("in:/film", ""),
        ("in:film", "v0 v1"),
        (r"in:\films\ ", "v0 v1"),
        ("in:/", "i0 i1 v0 v1"),
        ("camera:eos", "i0 i1"),
        ('camera:nikon,"canon eos"', "i0 i1"),
        ("camera:none", ""),
        ("kind:video", "v0 v1"),
        ("kind:object,photo", "i0 i1 v0 v1"),
        ("size>50px", "i0"),
        ("size>=50px", "i0 i1"),
        ("size:<50", "v0 v1"),
        ("size>2%", "i0"),
        ("quality:>0.7", "i0 i1"),
        ("at:0:30..1:10", "v1"),
        ("not at:0:30..1:10", "i0 i1 v0"),
        ("not (at>=60 or width>=60)", "i1 v0"),
        ("width:40..60", "i1"),
        ("height>=5", ""),
        ("pixels<=16", "v0 v1"),
        ("share>=2%", "i0 i1"),
        ("quality>=0.7", "i0 i1 v1"),
        ("-quality>=0.7", "v0"),
        ("duplicate:yes", "v0"),
        ("duplicate:no media:video", "v1"),
        ("tag:cat or kind:frame", "i0 v0"),
    ],
)
def test_sqlite_leaves_what_the_filter_says(some: MetadataDatabase, text: str, left: str) -> None:
    found = some.segments_where(parse_filter(text))
    assert sorted(segment.id for segment in found) == left.split()


@pytest.mark.parametrize("seed", range(100))
def test_any_tree_is_what_its_leaves_are_joined(some: MetadataDatabase, seed: int) -> None:
    """SQLite gives for a tree what sets give that are made of the answers for its leaves."""

    def ids(where: Filter) -> set[str]:
        return {segment.id for segment in some.segments_where(where)}

    def by_sets(where: Filter) -> set[str]:
        if isinstance(where, Not):
            return ids(EVERYTHING) - by_sets(where.part)
        if isinstance(where, Leaf):
            return ids(where)
        parts = [by_sets(part) for part in getattr(where, "parts")]  # noqa: B009
        return set.intersection(*parts) if isinstance(where, And) else set.union(*parts)

    where = random_filter(random.Random(seed))
    assert ids(where) == by_sets(where)


def test_lists_may_be_longer_than_sqlite_takes_values(some: MetadataDatabase) -> None:
    ids = tuple(f"x{number}" for number in range(40_000))
    assert [s.id for s in some.segments_where(SegmentIs((*ids, "v1")))] == ["v1"]
    many = any_of([Tagged((word,)) for word in ("dog", *ids[:2000])])
    assert len(some.segments_where(many)) == 2


def test_a_new_condition_is_one_class_of_anybodys(
    some: MetadataDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(QueryError):
        parse_filter("left_of:20")
    left_of = register_left_of(tmp_path / "another package", monkeypatch)
    where = parse_filter("kind:object -left_of:20")
    assert where == And((KindIs(("object",)), Not(left_of(20))))
    assert str(where) == "kind:object not left_of:20"
    assert parse_filter(str(where)) == where
    assert [segment.id for segment in some.segments_where(where)] == ["i1"]
    either = parse_filter("left_of:20 or kind:frame")
    assert [segment.id for segment in some.segments_where(either)] == ["i0", "v0", "v1"]
