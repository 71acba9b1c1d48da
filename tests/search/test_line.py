"""The line of a query, by what wrong matches score."""

from __future__ import annotations

import json

import numpy as np
import pytest

from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.database.vector_db import VectorDatabase
from src.models.auto_tagger import Entry, Vocabulary
from src.models.clip_encoder import ClipEncoder
from src.records import Tag
from src.search.calibration_store import CalibrationStore
from src.search.filter_text import parse_filter
from src.search.line import MOST_COUNTED, Calibration, Level, QueryLine, calibrate
from src.search.query import Like, Query, Term, Words
from src.search.segment_search import SegmentSearch
from tests.conftest import add_media_with, unit_vectors

WORDS = Level(0.2, 0.02)
VOCABULARY = Vocabulary(
    [
        Entry(name, f"something {name}", group)
        for group, names in enumerate([("red", "green", "blue"), ("striped", "dotted")])
        for name in names
    ]
)


def calibration(mean: np.ndarray | None = None) -> Calibration:
    mean = np.zeros(512, np.float32) if mean is None else mean
    return Calibration(WORDS, Level(0.9, 0.03), mean, 100)


def test_a_line_rises_with_the_library_until_a_hit_is_beyond_chance() -> None:
    line = QueryLine(WORDS)
    # of 500 segments one in 10,000 is the best by chance in a twentieth of all searches
    assert line([0.219, 0.1], 500) == pytest.approx(0.22)
    assert line([0.221, 0.1], 500) == pytest.approx(0.2)
    assert line([0.199], 20) == line([0.3], 20) == pytest.approx(0.2)
    assert line([0.1], 10**9) == line([0.1], MOST_COUNTED)
    assert line([], 0) == pytest.approx(0.2)


def test_the_very_picture_says_nothing_of_others() -> None:
    assert QueryLine(WORDS)([1.0, 0.21], 500) == pytest.approx(0.22)
    assert QueryLine(WORDS)([1.0, 0.23], 500) == pytest.approx(0.2)


def test_strength_is_half_on_the_line_and_rises_with_the_score() -> None:
    line = QueryLine(WORDS)
    strengths = [line.strength(score, 0.2) for score in (-1, 0.18, 0.2, 0.22, 1)]
    assert strengths == sorted(strengths) and strengths[2] == 0.5
    assert 0 <= strengths[0] < 0.01 and strengths[4] > 0.99
    assert strengths[1] == pytest.approx(1 - strengths[3])


def test_terms_are_each_on_their_own_line_in_a_sum() -> None:
    first, second, third = np.eye(512, dtype=np.float32)[:3]
    both = calibration().line_of([(1, True, first), (1, False, second)])
    assert both is not None and both.level.low == pytest.approx((0.2 + 0.9) / np.sqrt(2))
    twice = calibration().line_of([(2, True, first), (2, False, second)])
    assert twice is not None and twice.level.low == pytest.approx(both.level.low)
    # what hits are to be unlike counts as it does with most of the library
    less = calibration(0.1 * third).line_of([(1, True, first), (-1, True, third)])
    assert less is not None and less.level.low == pytest.approx((0.2 - 0.1) / np.sqrt(2))
    assert calibration().line_of([(-1, True, first)]) is None


def drawn(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make n embeddings that are each nearest to one of ten words, and a little to another.

    Returns:
        (n, 512) and (10, 512) float32, and (10,) groups.
    """
    rng = np.random.default_rng(seed)
    words = np.linalg.qr(rng.normal(size=(512, 10)))[0].T
    mine, other = rng.integers(0, 10, n), rng.integers(0, 10, n)
    rows = words[mine] + rng.uniform(0, 0.5, (n, 1)) * words[other] + 0.1 * unit_vectors(n, seed=9)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32), words.astype(np.float32), np.zeros(10, int)


def test_the_level_is_what_wrong_words_score_seldom() -> None:
    sample, words, groups = drawn(2000)
    found = calibrate(sample, np.arange(2000), words, groups, 50.0, 7)
    assert found is not None and found.last_id == 7
    wrong = np.sort(sample @ words.T, axis=1)[:, :-1]
    assert 0 < (wrong > found.words.low).mean() < 3e-3
    assert (sample @ words.T).max(axis=1).min() > found.words.low
    np.testing.assert_allclose(found.mean, sample.mean(axis=0))


def test_images_are_told_apart_by_words_however_many_are_alike() -> None:
    _, words, groups = drawn(1)
    rng = np.random.default_rng(3)

    def images(of: np.ndarray) -> np.ndarray:
        rows = words[of] + 0.6 * unit_vectors(len(of), seed=4)
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)

    many_kinds = images(rng.integers(0, 10, 1000))
    nearly_one = images(np.where(rng.random(1000) < 0.9, 0, rng.integers(1, 10, 1000)))
    lows = []
    for sample in (many_kinds, nearly_one):
        found = calibrate(sample, np.arange(1000), words, groups, 50.0, 1)
        assert found is not None
        lows.append(found.images.low)
        best = (sample @ words.T).argmax(axis=1)
        alike = (sample @ sample.T)[(best[:, None] == best[None]) & ~np.eye(1000, dtype=bool)]
        assert (alike > found.images.low).mean() > 0.9
    assert lows[0] == pytest.approx(lows[1], abs=0.03)


def test_a_pair_of_one_file_or_of_one_word_is_no_wrong_pair() -> None:
    sample, words, groups = drawn(100)
    # nothing but one file, and nothing but one word: what there is is taken
    of_one_file = calibrate(sample, np.zeros(100), words, groups, 50.0, 1)
    of_one_word = calibrate(sample, np.arange(100), words[:1], groups[:1], 50.0, 1)
    assert of_one_file is not None and 0 < of_one_file.images.low < 1
    assert of_one_word is not None and 0 < of_one_word.images.low < 1


def test_a_few_segments_are_taken_with_what_is_expected() -> None:
    sample, words, groups = drawn(300)
    one = calibrate(sample[:1], np.zeros(1), words, groups, 50.0, 1)
    ten = calibrate(sample[:10], np.zeros(10), words, groups, 50.0, 10)
    many = calibrate(sample, np.arange(300), words, groups, 50.0, 300)
    assert one is not None and ten is not None and many is not None
    expected = float((sample[:1] @ words.T).mean()) + 8.4 / 50
    assert one.words.low == pytest.approx(expected, abs=0.02)
    assert min(one.words.low, many.words.low) - 0.05 < ten.words.low < many.words.low + 0.05
    for each in (one, ten, many):
        assert each.words.step > 0 and each.images.step > 0 and each.images.low < 1
    assert calibrate(sample[:0], np.zeros(0), words, groups, 50.0, 0) is None


def test_a_vocabulary_of_one_word_measures_nothing() -> None:
    sample, words, _ = drawn(50)
    found = calibrate(sample, np.arange(50), words[:1], np.zeros(1), 100.0, 50)
    assert found is not None and found.words.step == pytest.approx(0.016)


def test_it_is_read_as_it_was_written() -> None:
    sample, words, groups = drawn(200)
    written = calibrate(sample, np.arange(200), words, groups, 50.0, 200)
    assert written is not None
    read = Calibration.read(written.as_text())
    assert read is not None and (read.words, read.images) == (written.words, written.images)
    np.testing.assert_allclose(read.mean, written.mean, atol=1e-6)
    whole = json.loads(written.as_text())
    for damaged in ("", "[]", "{}", json.dumps(whole | {"mean": [1]}), '{"words": 3}'):
        assert Calibration.read(damaged) is None
    # what was measured in another way is measured again
    del whole["version"]
    assert Calibration.read(json.dumps(whole)) is None


def store() -> CalibrationStore:
    return CalibrationStore(False, lambda _: VOCABULARY)


def test_it_is_measured_once_and_again_when_the_library_has_doubled(
    metadata: MetadataDatabase, paths: LibraryPaths, clip: ClipEncoder
) -> None:
    vectors = VectorDatabase(paths, clip, metadata)
    assert store().of(vectors) is None
    add_media_with(metadata, unit_vectors(10), model=clip.name)
    first = store().of(vectors)
    add_media_with(metadata, unit_vectors(9, seed=1), name="b.jpg", model=clip.name)
    kept = store().of(vectors)
    assert first is not None and kept is not None and kept.words == first.words
    add_media_with(metadata, unit_vectors(1, seed=2), name="c.jpg", model=clip.name)
    again = store().of(vectors)
    assert again is not None and again.last_id == 20 and again.words != first.words


@pytest.fixture
def search(metadata: MetadataDatabase, paths: LibraryPaths, clip: ClipEncoder) -> SegmentSearch:
    red = clip.encode_text(["something red"])[0]
    some = unit_vectors(40)
    some[:6] += 0.6 * red
    some /= np.linalg.norm(some, axis=1, keepdims=True)
    add_media_with(metadata, some, model=clip.name)
    vectors = VectorDatabase(paths, clip, metadata)
    return SegmentSearch(vectors, lambda _: np.zeros((0, 0, 3)), calibration())


def test_hits_have_strengths_and_all_that_is_above_the_line_is_counted(
    search: SegmentSearch,
) -> None:
    few = search.search(Query((Words("red"),), limit=2))
    many = search.search(Query((Words("red"),), limit=40))
    assert few.line == many.line and few.strong == many.strong and few.total == many.total == 40
    assert many.strong == sum(hit.is_strong for hit in many) == 6
    assert [hit.strength for hit in few] == [hit.strength for hit in many][:2]
    strengths = [hit.strength or 0 for hit in many]
    assert strengths == sorted(strengths, reverse=True)


@pytest.mark.parametrize("terms", [(), (Words("red", weight=-1),), (Words("lorry"),)])
def test_some_searches_have_no_line(search: SegmentSearch, terms: tuple[Term, ...]) -> None:
    found = search.search(Query(terms, parse_filter("kind:object")))
    assert found.line is None and found.strong is None
    assert all(hit.strength is None for hit in found)


def test_what_a_person_has_tagged_is_strong_whatever_it_scores(
    search: SegmentSearch, metadata: MetadataDatabase
) -> None:
    for number in (1, 30):
        tags = [Tag("red", 1.0, "human")]
        metadata.add_tags(f"a.jpg-{number:05}", tags, added_by="human", batch="b")
    found = search.search(Query((Words("red"),), limit=40))
    assert found[0].tagged_so and found[1].tagged_so and found[1].strength is None
    assert found.strong == 7 == sum(hit.is_strong for hit in found)


def test_a_segment_is_like_itself_and_that_draws_no_line(search: SegmentSearch) -> None:
    found = search.search(Query((Like("a.jpg-00020"),), limit=1))
    assert found[0].score == pytest.approx(1) and found.strong == 1
    assert found.line is not None and found.line >= 0.9
