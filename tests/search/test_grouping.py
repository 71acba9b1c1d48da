"""Hits of the same thing are one."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from src.config import LibraryPaths
from src.database.duplicate_groups import KnownCopies
from src.database.metadata_db import MetadataDatabase
from src.database.vector_db import VectorDatabase
from src.models.clip_encoder import ClipEncoder
from src.models.mask_rle import encode_rle
from src.records import BoxXywh, SearchHit, StoredSegment
from src.search import segment_search
from src.search.grouping import NOTHING_KNOWN, one_of_each
from src.search.line import Calibration, Level
from src.search.query import Like, Query
from src.search.segment_search import SegmentSearch
from tests.conftest import new_segments, unit_vectors

FRAME_WH = 200, 100
LIKE = 0.9
AXES = np.eye(512, dtype=np.float32)
NEARLY = np.asarray(0.93 * AXES[0] + np.sqrt(1 - 0.93**2) * AXES[1])


def hit(
    name: str,
    box: BoxXywh = (10, 10, 40, 40),
    media: int = 1,
    frame: int = 0,
    at_s: float | None = None,
    track: int | None = None,
) -> SearchHit:
    """Make a hit whose mask is its box; a whole frame where the box is."""
    x, y, w, h = box
    mask = np.zeros(FRAME_WH[::-1], bool)
    mask[y : y + h, x : x + w] = True
    whole = box == (0, 0, *FRAME_WH)
    segment = StoredSegment(
        name,
        media,
        Path(f"/{media}.jpg"),
        frame,
        at_s,
        FRAME_WH,
        "frame" if whole else "object",
        box,
        w * h,
        None,
        None,
        None if whole else encode_rle(mask)["counts"],
        Path("/crop.jpg"),
        track_id=track,
    )
    return SearchHit(segment, 0.5)


def grouped(
    hits: Sequence[SearchHit],
    directions: Mapping[str, np.ndarray] | None = None,
    dhashes: Mapping[str, str] | None = None,
    limit: int = 9999,
    copies: KnownCopies = NOTHING_KNOWN,
) -> list[list[str]]:
    """Group hits that are alike but for those of other directions; gives the ids of each card."""
    of = directions or {}

    def embeddings(ids: Sequence[str]) -> dict[str, np.ndarray]:
        return {name: of.get(name, AXES[0]) for name in ids}

    cards = one_of_each(hits, limit, LIKE, dhashes or {}, embeddings, copies)
    return [[each.segment.id for each in (card, *card.alike)] for card in cards]


def test_overlapping_masks_of_a_frame_are_one_and_others_are_not() -> None:
    a = hit("a", (10, 10, 40, 40))
    beside, shifted = hit("b", (60, 10, 40, 40)), hit("c", (14, 12, 40, 40))
    inside = hit("d", (20, 20, 10, 10))
    assert grouped([a, beside, shifted, inside]) == [["a", "c", "d"], ["b"]]
    # a wheel in a car looks like something else
    assert grouped([a, inside], {"d": AXES[1]}) == [["a"], ["d"]]
    # the same place in another photo is something else, too
    assert grouped([a, hit("e", media=2)]) == [["a"], ["e"]]


def test_boxes_that_overlap_do_not_make_masks_one() -> None:
    ring = np.ones((40, 40), bool)
    ring[4:36, 4:36] = False
    mask = np.zeros(FRAME_WH[::-1], bool)
    mask[10:50, 10:50] = ring
    frame = hit("a")
    counts = encode_rle(mask)["counts"]
    segment = replace(frame.segment, mask_rle=counts, area=int(ring.sum()))
    assert grouped([SearchHit(segment, 0.5), hit("b", (18, 18, 20, 20))]) == [["a"], ["b"]]


def test_a_frame_and_what_takes_most_of_it_are_one() -> None:
    frame = hit("frame", (0, 0, *FRAME_WH))
    assert grouped([frame, hit("most", (10, 5, 150, 90))]) == [["frame", "most"]]
    assert grouped([frame, hit("some", (10, 5, 60, 60))]) == [["frame"], ["some"]]


def test_what_stays_in_its_place_in_a_video_is_one() -> None:
    at = [hit(f"{second}", frame=second * 30, at_s=second) for second in (3, 4, 8, 20)]
    assert grouped(at) == [["3", "4", "8", "20"]]
    assert grouped(at[:2], {"4": AXES[1]}) == [["3"], ["4"]]
    # later it has to be more alike, unless it was there between
    assert grouped(at, {"20": NEARLY}) == [["3", "4", "8"], ["20"]]
    assert grouped(at, {"8": NEARLY, "20": NEARLY}) == [["3", "4", "8", "20"]]


def test_what_moves_in_a_video_has_to_be_more_alike() -> None:
    first, second = hit("a", at_s=1), hit("b", (120, 20, 40, 40), frame=9, at_s=2)
    assert grouped([first, second]) == [["a", "b"]]
    assert grouped([first, hit("b", (120, 20, 40, 40), frame=99, at_s=9)]) == [["a"], ["b"]]
    assert grouped([first, second], {"b": NEARLY}) == [["a"], ["b"]]
    assert grouped([first, hit("b", frame=9, at_s=2)], {"b": NEARLY}) == [["a", "b"]]


def test_two_things_of_one_frame_stay_two_through_a_video() -> None:
    left, right = (10, 10, 40, 40), (120, 10, 40, 40)
    hits = [hit("a", left, at_s=1), hit("b", right, at_s=1)]
    hits += [hit("c", right, frame=9, at_s=2), hit("d", left, frame=9, at_s=2)]
    cards = grouped(hits)
    assert len(cards) == 2 and all(len(card) == 2 for card in cards)


def test_copies_of_a_file_are_one() -> None:
    hits = [hit("a"), hit("b", media=2), hit("c", media=3), hit("d", (120, 10, 40, 40), media=2)]
    hashes = {"a": "00ff00ff00ff00ff", "b": "00ff00ff00ff00fe", "c": "ff00000000000000"}
    hashes["d"] = hashes["b"]
    assert grouped(hits, None, hashes) == [["a", "b"], ["c"], ["d"]]
    assert grouped(hits, {"b": AXES[1]}, hashes) == [["a"], ["b"], ["c"], ["d"]]


def test_files_that_are_known_to_be_copies_are_one() -> None:
    left, right, other = (10, 10, 40, 40), (150, 10, 40, 40), (80, 40, 40, 40)
    hits = [hit("a", left), hit("cropped", (4, 8, 44, 44), media=2), hit("b", other, media=3)]
    hits += [hit("mirrored", right, media=4), hit("frame", (0, 0, *FRAME_WH), media=4)]
    assert len(grouped(hits)) == 5
    known = KnownCopies({1: (1, 2, 4), 2: (1, 5), 3: (3, 7)})
    assert grouped(hits, None, None, copies=known) == [
        ["a", "cropped", "mirrored"],
        ["b"],
        ["frame"],
    ]
    assert len(grouped(hits, {"cropped": AXES[1]}, copies=known)) == 4, "something else there"
    whole = [hit("c", (0, 0, *FRAME_WH)), hit("d", (0, 0, *FRAME_WH), media=2)]
    assert grouped(whole, {"d": AXES[1]}, copies=known) == [["c", "d"]]


def test_videos_that_are_copies_are_one_where_both_are_at_one_time() -> None:
    hits = [hit("a", at_s=1), hit("b", media=2, at_s=2), hit("c", media=2, frame=9, at_s=20)]
    directions = {"c": NEARLY}
    known = KnownCopies({1: (1, 2)})
    assert grouped(hits, directions, copies=known) == [["a", "b"], ["c"]]


def test_files_that_a_person_has_called_no_copies_stay_apart() -> None:
    hits, hashes = [hit("a"), hit("b", media=2)], {"a": "00ff00ff00ff00ff"}
    hashes["b"] = hashes["a"]
    assert grouped(hits, None, hashes) == [["a", "b"]]
    apart = KnownCopies(apart={1: (1, 2)})
    assert grouped(hits, None, hashes, copies=apart) == [["a"], ["b"]]


def many(n: int, media: int) -> tuple[list[SearchHit], dict[str, np.ndarray], dict[str, str]]:
    rng = np.random.default_rng(0)
    hits, vectors, hashes = [], {}, {}
    for i in range(n):
        box = (int(rng.integers(0, 150)), int(rng.integers(0, 60)), 40, 30)
        number = int(rng.integers(0, media))
        hits.append(hit(f"{i}", box, number, 0 if number % 2 else i % 20, i % 20))
        vectors[f"{i}"] = AXES[0] + 0.3 * rng.normal() * AXES[1 + i % 5]
        vectors[f"{i}"] /= np.linalg.norm(vectors[f"{i}"])
        hashes[f"{i}"] = f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}"
    return hits, vectors, hashes


def test_more_hits_leave_the_first_cards_as_they_are() -> None:
    hits, vectors, hashes = many(400, 12)
    whole = [card[0] for card in grouped(hits, vectors, hashes)]
    assert 20 < len(whole) < 300
    assert [card[0] for card in grouped(hits, vectors, hashes, limit=9)] == whole[:9]
    for n in (1, 7, 50, 200):
        some = [card[0] for card in grouped(hits[:n], vectors, hashes)]
        assert some == whole[: len(some)]
    assert grouped([]) == []


def test_it_takes_no_time() -> None:
    hits, vectors, hashes = many(2000, 250)
    begun = time.process_time()
    grouped(hits, vectors, hashes)
    assert time.process_time() - begun < 1.0  # some 50 ms


@pytest.fixture
def search(
    metadata: MetadataDatabase,
    paths: LibraryPaths,
    clip: ClipEncoder,
    monkeypatch: pytest.MonkeyPatch,
) -> SegmentSearch:
    """Search a video that shows six things, each in eight frames in a row."""
    monkeypatch.setattr(segment_search, "FEWEST_HITS", 4)
    monkeypatch.setattr(segment_search, "HITS_A_CARD", 1)
    some = np.repeat(unit_vectors(6), 8, axis=0) + 0.005 * unit_vectors(48, seed=3)
    some /= np.linalg.norm(some, axis=1, keepdims=True)
    film = metadata.add_media(Path("/film.mp4"), "video", 10, 10)
    for number, vector in enumerate(some):
        (segment,) = new_segments(vector[None], prefix=f"{number:03}-")
        metadata.store_frame(film, number, float(number), (100, 100), [segment], clip.name)
    calibration = Calibration(Level(0.2, 0.02), Level(LIKE, 0.02), some.mean(axis=0), 48)
    vectors = VectorDatabase(paths, clip, metadata)
    return SegmentSearch(vectors, lambda _: np.zeros((0, 0, 3)), calibration)


def test_a_search_gives_as_many_cards_as_it_is_asked_for(search: SegmentSearch) -> None:
    query = Query((Like("000-00000"),), limit=3, one_of_each=True)
    few = search.search(query)
    assert len(few) == 3 and few[0].segment.id == "000-00000" and few.total == 48
    assert len(few[0].alike) == 7
    every = search.search(replace(query, limit=50))
    assert len(every) == 6 and sum(1 + len(card.alike) for card in every) == 48
    assert [card.segment.id for card in every][:3] == [card.segment.id for card in few]
    assert (every.line, every.strong) == (few.line, few.strong)
    assert len(search.search(replace(query, limit=40, one_of_each=False))) == 40


def test_a_track_is_one_however_it_has_changed_and_has_its_range() -> None:
    first = hit("a", (10, 10, 40, 40), frame=0, at_s=0.0, track=7)
    later = hit("b", (150, 10, 20, 20), frame=9, at_s=90.0, track=7)
    spans = {"a": (0.0, 95.0), "b": (0.0, 95.0)}
    vectors = {"a": AXES[0], "b": AXES[1]}
    (card,) = one_of_each([first, later], 9, LIKE, {}, lambda ids: vectors, spans=spans)
    assert card.moment == (0.0, 95.0)
    assert [each.segment.id for each in card.alike] == ["b"]
    apart = one_of_each([first, later], 9, LIKE, {}, lambda ids: vectors)
    assert len(apart) == 1, "the range need not be known"


def test_tracks_that_are_there_at_one_time_are_two_things() -> None:
    first = hit("a", (10, 10, 40, 40), frame=0, at_s=0.0, track=7)
    other = hit("b", (12, 10, 40, 40), frame=1, at_s=1.0, track=8)
    vectors = {"a": AXES[0], "b": AXES[0]}

    def cards(spans: Mapping[str, tuple[float, float]]) -> int:
        return len(one_of_each([first, other], 9, LIKE, {}, lambda ids: vectors, spans=spans))

    assert cards({"a": (0.0, 5.0), "b": (1.0, 6.0)}) == 2
    assert cards({"a": (0.0, 1.0), "b": (1.0, 6.0)}) == 1, "one that broke in two"
