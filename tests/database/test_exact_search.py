"""What a scan in eight bits finds is what numpy finds in all of them, whatever the vectors are."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

import numpy as np
import pytest

from src.database import embedding_store, exact_search, filtered_rows, quantized, scan_file
from src.database.embedding_store import EmbeddingStore
from src.database.metadata_db import MetadataDatabase
from src.database.quantized import QuantizedQuery, dots_by_numpy, turned
from src.records import EMBEDDING_DIM, Tag
from src.search.filters import Filter
from src.search.leaves import MediaKindIs, Tagged, segment_filter
from tests.benchmarks.large_library import fill
from tests.conftest import MODEL, add_media_with, unit_vectors


def normalised(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def like_clip(n: int, seed: int = 0) -> np.ndarray:
    """Vectors in a narrow cone, with a few numbers that stand out by far, as CLIP's have."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, EMBEDDING_DIM)) * np.linspace(2, 0.1, EMBEDDING_DIM)
    rows += np.random.default_rng(99).normal(size=EMBEDDING_DIM)
    rows[:, [92, 133]] += [20.0, -12.0]
    return normalised(rows)


def crowded(n: int) -> np.ndarray:
    """Vectors that differ by less than a step of eight bits."""
    return normalised(unit_vectors(1)[0] + 1e-4 * unit_vectors(n, seed=1))


def doubled(n: int) -> np.ndarray:
    return np.repeat(unit_vectors(n // 30), 30, axis=0)


def spiked(n: int) -> np.ndarray:
    """All of a vector in one number, and the rest too small for any step of eight bits."""
    rows = 1e-3 * unit_vectors(n)
    rows[np.arange(n), np.arange(n) % 7] += 1
    return normalised(rows)


def sparse(n: int) -> np.ndarray:
    rows = np.zeros((n, EMBEDDING_DIM))
    rows[np.arange(n), np.random.default_rng(0).integers(0, EMBEDDING_DIM, n)] = 1
    return normalised(rows)


KINDS: dict[str, Callable[[int], np.ndarray]] = {
    "random": unit_vectors,
    "like CLIP's": like_clip,
    "crowded": crowded,
    "doubled": doubled,
    "spiked": spiked,
    "sparse": sparse,
}


def truth(vectors: np.ndarray, query: np.ndarray, n: int, names: list[str]) -> list[str]:
    """Score all of them in double precision; equal scores are in the order of the ids."""
    scores = np.einsum("ij,j->i", vectors.astype(np.float64), query.astype(np.float64))
    return [names[i] for i in sorted(range(len(names)), key=lambda i: (-scores[i], names[i]))[:n]]


def queries_for(vectors: np.ndarray) -> list[np.ndarray]:
    beside = normalised(vectors[7] + 0.02 * unit_vectors(1, seed=3)[0])
    flat = normalised(np.ones(EMBEDDING_DIM))
    return [vectors[3], beside, unit_vectors(1, seed=4)[0], flat, -vectors[5]]


@pytest.fixture
def store(metadata: MetadataDatabase) -> EmbeddingStore:
    return EmbeddingStore(metadata.connection, MODEL)


def put(metadata: MetadataDatabase, vectors: np.ndarray) -> list[str]:
    add_media_with(metadata, vectors)
    return [f"a.jpg-{i:05}" for i in range(len(vectors))]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_the_nearest_are_those_of_numpy(
    metadata: MetadataDatabase,
    store: EmbeddingStore,
    kind: Callable[[int], np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exact_search, "FIRST", 16)  # so that the proof has something to do
    monkeypatch.setattr(exact_search, "FIRST_EACH", 2)
    vectors = kind(3000)
    names = put(metadata, vectors)
    for query in queries_for(vectors):
        for n in (1, 10, 100):
            found = store.best(query, n)
            assert [name for name, _ in found] == truth(vectors, query, n, names)
            exact = vectors.astype(np.float64) @ query
            np.testing.assert_allclose([score for _, score in found], -np.sort(-exact)[:n])
    counts = store.counts
    print(f"{counts.proven_at_once} of {counts.searches} proven at once, {counts.scored} scored")


def test_more_rows_are_taken_until_the_answer_is_proven(
    metadata: MetadataDatabase, store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact_search, "FIRST", 16)
    monkeypatch.setattr(exact_search, "FIRST_EACH", 1)
    vectors = crowded(2000)  # eight bits say next to nothing of their order
    names = put(metadata, vectors)
    query = unit_vectors(1, seed=8)[0]
    assert [name for name, _ in store.best(query, 10)] == truth(vectors, query, 10, names)
    assert store.counts.searches == 1 and store.counts.proven_at_once == 0
    assert store.counts.scored > 1000


def test_few_rows_are_read_where_vectors_are_as_usual(
    metadata: MetadataDatabase, store: EmbeddingStore
) -> None:
    vectors = like_clip(20_000)
    fill(metadata.paths, vectors, MODEL, np.zeros(len(vectors), bool))
    away = normalised(np.random.default_rng(98).normal(size=EMBEDDING_DIM))
    about = normalised(vectors[5] - vectors.mean(axis=0))  # and a text's, in another cone
    for query in (vectors[5], normalised(0.3 * about + away)):
        store.best(query, 10)
    assert store.counts.proven_at_once == 2 and store.counts.scored < 200, store.counts


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_no_score_is_further_off_than_its_bound(kind: Callable[[int], np.ndarray]) -> None:
    vectors = kind(900)
    made = quantized.quantized(vectors)
    for embedding in queries_for(vectors):
        query = QuantizedQuery.of(embedding)
        exact = vectors.astype(np.float64) @ embedding.astype(np.float64)
        highest = query.highest(made.rows, made.scales, made.errors)
        missing = query.missing(made.errors.max())
        assert (exact <= highest + missing).all()
        assert (exact >= highest - 2 * made.errors * query.length - missing).all()
        closer = query.scores_of(made.rows, made.scales)
        bounds = made.errors * query.length + quantized.ROUNDING
        assert (np.abs(closer - exact) <= bounds).all()


def test_turning_keeps_lengths_and_products() -> None:
    vectors = np.concatenate([like_clip(50), spiked(50), sparse(50)])
    products = vectors.astype(np.float64) @ vectors.astype(np.float64).T
    rows = turned(vectors).astype(np.float64)
    assert np.abs(rows @ rows.T - products).max() < 1e-5
    assert 2 * np.abs(turned(like_clip(50))).max() < np.abs(like_clip(50)).max()


def test_without_numkong_the_answers_are_the_same(
    metadata: MetadataDatabase, store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = like_clip(2000)
    put(metadata, vectors)
    query = unit_vectors(1, seed=4)[0]
    with_it = store.best(query, 20)
    monkeypatch.setattr(quantized, "dots", dots_by_numpy)
    assert store.best(query, 20) == with_it


@pytest.mark.parametrize("how", ["wrong", "raises", "missing"])
def test_a_numkong_that_is_wrong_here_is_not_used(
    monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    import numkong

    def cdist(rows: np.ndarray, query: np.ndarray, *_: object, **__: object) -> np.ndarray:
        if how == "raises":
            raise RuntimeError("no such instruction")
        return np.zeros((len(rows), 1), np.float32)

    if how == "missing":
        monkeypatch.setitem(__import__("sys").modules, "numkong", None)
    else:
        monkeypatch.setattr(numkong, "cdist", cdist)
    assert quantized._fastest.__wrapped__() is dots_by_numpy
    monkeypatch.undo()
    assert quantized._fastest.__wrapped__() is not dots_by_numpy


# -- filters


def tag(metadata: MetadataDatabase, names: list[str], word: str) -> Filter:
    with metadata.connection.write():
        for name in names:
            metadata.add_tags(name, [Tag(word, 0.9, "auto")], "vocabulary")
    return segment_filter(tags=(word,))


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a filter for a wide one from 50 rows on, and for a deep one from 400."""
    monkeypatch.setattr(filtered_rows, "MOST_GATHERED", 50)
    monkeypatch.setattr(embedding_store, "MOST_GATHERED", 50)
    monkeypatch.setattr(embedding_store, "DEEPEST", 1000)


# -- how many


def between(scores: np.ndarray, above: int) -> float:
    """Give a score that so many reach."""
    order = np.sort(scores.astype(np.float64))[::-1]
    return float(order[above - 1] + order[above]) / 2


@pytest.mark.parametrize("kind", ["random", "like CLIP's", "spiked"])
def test_what_is_above_a_line_is_counted(
    metadata: MetadataDatabase, store: EmbeddingStore, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = KINDS[kind](1500)
    put(metadata, vectors)
    query = queries_for(vectors)[1]
    scores = vectors.astype(np.float64) @ query
    for wanted in (1, 7, 400, 1499):
        line = between(scores, wanted)
        found = store.find(query, 10, None, lambda best, n, line=line: line)
        assert (found.above, found.among, found.line) == (wanted, 1500, line)
        assert found.best == store.best(query, 10)
    assert store.find(query, 10, None, lambda best, n: best[2]).above == 3
    assert store.find(query, 10, None, lambda best, n: 1.5).above == 0
    monkeypatch.setattr(exact_search, "COUNTED_EXACTLY", 100)
    line = between(scores, 700)
    found = store.find(query, 10, None, lambda best, n: line)
    near = np.abs(scores - line) < 0.01  # what eight bits may have wrong
    assert found.above is not None and abs(found.above - 700) <= near.sum()


def test_what_is_gone_is_not_counted(metadata: MetadataDatabase, store: EmbeddingStore) -> None:
    vectors = like_clip(300)
    gone = add_media_with(metadata, vectors[:100], name="gone.jpg")
    add_media_with(metadata, vectors[100:])
    store.best(vectors[0], 1)
    metadata.remove_media(gone)
    found = store.find(vectors[0], 10, None, lambda best, n: -1.0)
    assert found.above == found.among == 200


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("share", ["few", "half", "opposed", "none"])
def test_what_a_filter_leaves_above_a_line_is_counted(
    metadata: MetadataDatabase, store: EmbeddingStore, share: str
) -> None:
    vectors = like_clip(3000)
    names = put(metadata, vectors)
    query = unit_vectors(1, seed=4)[0]
    scores = vectors @ query
    order = np.argsort(-scores)
    chosen = {"few": order[::75], "half": order[::2], "opposed": order[2000:], "none": order[:0]}
    where = tag(metadata, [names[i] for i in chosen[share]], "word")
    for above in (5, 900, 2500):
        line = between(scores, above)
        wanted = int((scores[chosen[share]] >= line).sum()) if share != "none" else None
        for _ in range(2):
            found = store.find(query, 10, where, lambda best, n, line=line: line)
            # of many within what eight bits say
            assert found.above == (wanted if above < 900 else pytest.approx(wanted, abs=15))
            assert found.among in (None, len(chosen[share]))


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("share", ["few", "half", "opposed", "none"])
def test_a_filter_leaves_what_numpy_finds_among_its_rows(
    metadata: MetadataDatabase, store: EmbeddingStore, share: str
) -> None:
    vectors = like_clip(3000)
    names = put(metadata, vectors)
    query = unit_vectors(1, seed=4)[0]
    order = np.argsort(-(vectors @ query))
    chosen = {"few": order[::75], "half": order[::2], "opposed": order[2000:], "none": order[:0]}
    rows = np.sort(chosen[share])
    where = tag(metadata, [names[i] for i in rows], "word")
    for n in (1, 10, 60):
        expected = truth(vectors[rows], query, n, [names[i] for i in rows])
        for _ in range(2):  # the second time from what is known by then
            assert [name for name, _ in store.best(query, n, where)] == expected
    assert store._known is not None
    assert (store._known.ids is not None) == (share in ("few", "none"))
    assert (store._known.mask is not None) == (share == "opposed")


@pytest.mark.usefixtures("narrow")
def test_what_is_known_of_a_filter_is_forgotten_with_the_next_change(
    metadata: MetadataDatabase, store: EmbeddingStore
) -> None:
    vectors = unit_vectors(1000)
    names = put(metadata, vectors)
    query = vectors[0]
    order = np.argsort(-(vectors @ query))
    where = tag(metadata, [names[i] for i in order[600:]], "far")
    for _ in range(3):
        assert store.best(query, 1, where)[0][0] == names[order[600]]
    assert store._known is not None and store._known.mask is not None
    tag(metadata, [names[order[500]]], "far")
    assert store.best(query, 1, where)[0][0] == names[order[500]]
    metadata.remove_tag(names[order[500]], "far")
    assert store.best(query, 1, where)[0][0] == names[order[600]]
    add_media_with(metadata, vectors[:1], "b.jpg")
    tag(metadata, ["b.jpg-00000"], "far")
    assert store.best(query, 1, where)[0][0] == "b.jpg-00000"


def test_a_filter_that_takes_long_is_asked_row_by_row(
    metadata: MetadataDatabase, store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = unit_vectors(2000)
    names = put(metadata, vectors)
    where = tag(metadata, names[::40], "word")
    expected = store.best(vectors[0], 10, where)
    assert store.counts.tested == 0
    monkeypatch.setattr(filtered_rows, "MOST_STEPS", 1000)
    store = EmbeddingStore(metadata.connection, MODEL)
    assert store.best(vectors[0], 10, where) == expected
    assert 0 < store.counts.tested == store._known.asked  # type: ignore[union-attr]
    monkeypatch.setattr(embedding_store, "DEEPEST", 100)
    assert store.best(vectors[0], 10, where) == expected
    assert len(store._known.ids) == 50  # type: ignore[union-attr, arg-type]
    assert len(metadata.segment_ids()) == 2000  # nothing else is interrupted


def test_asked_row_by_row_no_list_of_a_tag_is_made(metadata: MetadataDatabase) -> None:
    where = Tagged(("dog",)) & MediaKindIs(("image",)) & segment_filter(media_file_ids=(1,))
    filtered = filtered_rows.FilteredRows(metadata.connection, 1, where)
    condition = filtered.one_by_one
    plan = metadata.connection.read().execute(
        f"EXPLAIN QUERY PLAN SELECT 1 FROM segments s JOIN frames f ON f.id = s.frame_id"
        f" JOIN media_files m ON m.id = f.media_file_id WHERE s.id = ? AND {condition.sql}",
        ("x", *condition.values),
    )
    steps = [row["detail"] for row in plan]
    assert not [step for step in steps if "SCAN st" in step], steps
    assert any("SEARCH st USING PRIMARY KEY (segment_id=?" in step for step in steps), steps
    assert any("SEARCH frames USING INTEGER PRIMARY KEY" in step for step in steps), steps
    assert "/*" not in condition.sql


# -- what is gone


def test_rows_that_are_gone_are_no_hits_and_are_looked_for_once(
    metadata: MetadataDatabase, store: EmbeddingStore
) -> None:
    vectors = unit_vectors(1000)
    film = add_media_with(metadata, normalised(vectors[0] + 0.2 * unit_vectors(600, 1)), "b.jpg")
    names = put(metadata, vectors)
    assert store.best(vectors[0], 5)[1][0].startswith("b.jpg")
    metadata.remove_media(film)
    expected = truth(vectors, vectors[0], 5, names)
    assert [name for name, _ in store.best(vectors[0], 5)] == expected
    assert sum(int(part.block.gone.sum()) for part in store.scan.parts(1)) > 0  # type: ignore[union-attr]
    before = store.counts.scored
    assert [name for name, _ in store.best(vectors[0], 5)] == expected
    assert store.counts.scored - before < 300


def test_searches_go_on_while_rows_come_and_are_saved(
    metadata: MetadataDatabase, store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = unit_vectors(900)
    add_media_with(metadata, vectors[:100], "0.jpg")
    failures: list[object] = []
    over = threading.Event()

    def search() -> None:
        seen = 0
        while not over.is_set():
            try:
                found = store.best(vectors[0], 1000)
                seen, before = len(found), seen
                if found[0][0] != "0.jpg-00000" or seen < before:
                    failures.append(found[0])
            except Exception as exc:
                failures.append(exc)

    threads = [threading.Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(1, 9):
        add_media_with(metadata, vectors[number * 100 : number * 100 + 100], f"{number}.jpg")
        store.keep_scanned()
    over.set()
    for thread in threads:
        thread.join()
    assert failures == [] and len(store.best(vectors[0], 1000)) == 900
    record = json.loads(metadata.info(f"int8 rows of {MODEL}") or "")
    assert record["of"][0][0] == 900 < scan_file.BLOCK_ROWS
