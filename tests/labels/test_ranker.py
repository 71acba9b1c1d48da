"""The ranking of a label, on made-up embeddings: clusters of segments that are alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from src.database.metadata_db import MetadataDatabase
from src.database.quantized import turned
from src.database.vector_db import VectorDatabase
from src.errors import QueryError
from src.labels.embedding_space import EmbeddingSpace, all_scores
from src.labels.ranker import Ranker, Rankers
from src.records import EMBEDDING_DIM, Tag
from src.search.filter_text import parse_filter
from src.search.leaves import SegmentIs
from src.search.query import Query, Words
from src.search.segment_search import SegmentSearch
from tests.conftest import MODEL, new_segments, unit_vectors

CLUSTERS, EACH = 6, 40
MIDDLES = unit_vectors(CLUSTERS, seed=8)


class MadeUpClip:
    """Knows six words, "w0" to "w5", each of which is the middle of a cluster."""

    def __init__(self, name: str = MODEL) -> None:
        self.name = name

    def known_words(self, text: str) -> tuple[str, ...]:
        return tuple(word for word in text.split() if word in {f"w{n}" for n in range(CLUSTERS)})

    def unknown_words(self, text: str) -> tuple[str, ...]:
        return tuple(word for word in text.split() if word not in self.known_words(word))

    def encode_text(self, texts: list[str]) -> np.ndarray:
        return np.stack([MIDDLES[int(self.known_words(text)[0][1:])] for text in texts])


def ids_of(cluster: int) -> list[str]:
    """Give the segments of a cluster: one in each of its media files."""
    return [f"{cluster}.{number}-00000" for number in range(EACH)]


def fill(metadata: MetadataDatabase, model: str = MODEL, spread: float = 0.2) -> None:
    """Add a media file for each segment, with a whole frame and an object."""
    noise = unit_vectors(CLUSTERS * EACH, seed=9)
    with metadata.connection.write():
        for cluster, number in product(range(CLUSTERS), range(EACH)):
            vector = MIDDLES[cluster] + spread * noise[cluster * EACH + number]
            vector /= np.linalg.norm(vector)
            name = f"{cluster}.{number}"
            media = metadata.add_media(Path(f"/photos/{name}.jpg"), "image", 100, 100)
            thing, whole = new_segments(np.stack([vector, vector]), prefix=f"{name}-")
            whole = replace(whole, segment=replace(whole.segment, kind="frame"))
            metadata.store_frame(media, 0, None, (100, 100), [thing, whole], model)
            metadata.update_media(media, status="done", content_hash=name)


@pytest.fixture
def rankers(metadata: MetadataDatabase) -> Iterator[Rankers]:
    fill(metadata)
    clip: Any = MadeUpClip()
    vectors = VectorDatabase(metadata.paths, clip, metadata)
    yield Rankers(
        metadata, lambda: vectors, lambda: SegmentSearch(vectors, lambda _: np.zeros((4, 4, 3)))
    )
    vectors.close()


Answer = Callable[[list[str], bool], None]


@pytest.fixture
def answer(metadata: MetadataDatabase) -> Answer:
    def say(segment_ids: list[str], has: bool) -> None:
        for each in segment_ids:
            metadata.add_tags(each, [Tag("w0", 1.0, "human")], added_by="human")
            if not has:
                metadata.remove_tag(each, "w0")

    return say


def found_by(ranker: Ranker, **options: Any) -> list[str]:
    return [hit.segment.id for hit in ranker.rank(**options).candidates]


def test_an_example_brings_what_is_like_it(rankers: Rankers) -> None:
    ranker = rankers.of("nothing the CLIP knows")
    assert ranker.rank().candidates == ()
    ranking = ranker.rank(seeds=ids_of(2)[:2])
    best = [hit.segment.id for hit in ranking.candidates[:EACH]]
    # the examples are no answers yet: they are asked about as well
    assert {*best} == {*ids_of(2)}
    scores = [hit.score for hit in ranking.candidates]
    assert all(score is not None and 0 <= score <= 1 for score in scores)
    assert scores == sorted(scores, key=lambda score: -(score or 0))
    assert (ranking.accepted, ranking.rejected, ranking.ranks_again_in) == (0, 0, 10)
    assert ranking.rejections_wanted == 3
    assert ranking.held_back_right is None and ranking.likely_left is None
    assert ranking.acceptable == 0


def test_without_anything_to_learn_from_a_label_is_searched_for(
    rankers: Rankers, answer: Answer
) -> None:
    assert {*found_by(rankers.of("w3"), limit=EACH)} == {*ids_of(3)}
    query = Query((Words("w4"),), SegmentIs((*ids_of(4)[:5], ids_of(2)[0])))
    assert found_by(rankers.of("unknown"), query=query, limit=6)[-1] == ids_of(2)[0]
    # rejections alone: what was rejected is not asked about again
    answer(ids_of(0)[:5], False)
    ranking = rankers.of("w0").rank(limit=EACH - 5)
    assert {hit.segment.id for hit in ranking.candidates} == {*ids_of(0)[5:]}
    assert (ranking.accepted, ranking.rejected, ranking.ranks_again_in) == (0, 5, 5)
    assert ranking.rejections_wanted == 0


def test_answers_rank_the_rest_and_say_how_sure_that_is(rankers: Rankers, answer: Answer) -> None:
    answer(ids_of(0)[:36], True)
    answer([each for cluster in range(1, CLUSTERS) for each in ids_of(cluster)[:2]], False)
    ranking = rankers.of("w0").rank()
    assert {hit.segment.id for hit in ranking.candidates[:4]} == {*ids_of(0)[36:]}
    assert (ranking.accepted, ranking.rejected, ranking.ranks_again_in) == (36, 10, 4)
    assert ranking.held_back_right == 1 and ranking.likely_left in (4, 5)
    assert ranking.acceptable == 4
    # none that was answered comes back, whatever its case
    assert len(rankers.of("W0").rank(limit=999).candidates) == CLUSTERS * EACH - 46


def test_a_word_that_says_something_else_than_the_answers_is_left_aside(
    rankers: Rankers, answer: Answer, metadata: MetadataDatabase
) -> None:
    for each in ids_of(5)[:3]:
        metadata.add_tags(each, [Tag("w1", 1.0, "human")], added_by="human")
    assert {*found_by(rankers.of("w1"), limit=EACH - 3)} == {*ids_of(5)[3:]}


def test_the_doubtful_come_first_where_one_wants_that(rankers: Rankers, answer: Answer) -> None:
    answer(ids_of(0)[:12], True)
    answer(ids_of(1)[:12], False)
    ranker = rankers.of("w0")
    best = {hit.segment.id: hit.score or 0 for hit in ranker.rank(limit=999).candidates}
    doubtful = [hit.score or 0 for hit in ranker.rank(order="doubtful", limit=10).candidates]
    off = sorted(abs(score - 0.5) for score in best.values())
    assert sorted(abs(score - 0.5) for score in doubtful) == pytest.approx(off[:10])
    assert abs(doubtful[0] - 0.5) == pytest.approx(off[0])


def test_what_was_accepted_together_is_neither_asked_about_nor_learnt_from(
    rankers: Rankers, answer: Answer, metadata: MetadataDatabase
) -> None:
    answer(ids_of(0)[:5], True)
    answer(ids_of(1)[:5], False)
    before = rankers.of("w0").rank(limit=999)
    # wrong ones: had they been learnt from, their cluster would be next
    for each in ids_of(3)[:10]:
        metadata.add_tags(each, [Tag("w0", 0.9, "propagated")], added_by="human")
    after = rankers.of("w0").rank(limit=999)
    gone = {*ids_of(3)[:10]}
    assert after.accepted == before.accepted == 5
    assert len(after.candidates) == len(before.candidates) - 10
    assert gone.isdisjoint(hit.segment.id for hit in after.candidates)
    best = {hit.segment.id for hit in after.candidates[: EACH - 5]}
    assert best == {*ids_of(0)[5:]}


def test_all_answered_leaves_nothing(rankers: Rankers, answer: Answer) -> None:
    answer(ids_of(0), True)
    answer([each for cluster in range(1, CLUSTERS) for each in ids_of(cluster)], False)
    ranking = rankers.of("w0").rank()
    assert ranking.candidates == () and ranking.acceptable == 0 and ranking.likely_left == 0
    assert ranking.accepted == EACH and ranking.rejected == (CLUSTERS - 1) * EACH


def test_frames_come_only_where_one_was_accepted(rankers: Rankers, answer: Answer) -> None:
    answer(ids_of(0)[:3], True)
    assert all(hit.segment.kind == "object" for hit in rankers.of("w0").rank(limit=999).candidates)
    answer(["0.9-00001"], True)
    kinds = {hit.segment.kind for hit in rankers.of("w0").rank(limit=999).candidates}
    assert kinds == {"object", "frame"}


def test_a_filter_and_hidden_copies_leave_segments_out(
    rankers: Rankers, answer: Answer, metadata: MetadataDatabase
) -> None:
    answer(ids_of(0)[:3], True)
    ranker = rankers.of("w0")
    wanted = [*ids_of(0)[:9], *ids_of(2)[:4], "2.7-00001"]
    some = found_by(ranker, query=Query((), SegmentIs(tuple(wanted))), limit=999)
    assert {*some[:6]} == {*ids_of(0)[3:9]} and {*some[6:]} == {*ids_of(2)[:4]}
    segments = metadata.segments(["0.10-00000", "0.11-00000"])
    media = [each.media_file_id for each in segments.values()]
    metadata.duplicates.replace_open([media], "now")
    ((_, group),) = metadata.duplicates.groups()
    assert sorted(group) == sorted(media)
    row = metadata.connection.read().execute("SELECT id FROM duplicate_groups").fetchone()
    metadata.duplicates.decide(row["id"], "hidden", segments["0.10-00000"].media_file_id)
    shown = found_by(ranker, limit=999)
    assert "0.10-00000" in shown and "0.11-00000" not in shown
    copies = found_by(ranker, query=Query((), parse_filter("is:hidden")), limit=999)
    assert copies == ["0.11-00000"]


def test_only_embeddings_of_the_clip_in_use_count(
    rankers: Rankers, answer: Answer, metadata: MetadataDatabase
) -> None:
    answer(ids_of(0)[:3], True)
    before = found_by(rankers.of("w0"), limit=EACH - 3)
    assert {*before} == {*ids_of(0)[3:]}
    # another one takes over, to which other segments are alike; it has seen half of them
    clip: Any = MadeUpClip("other-clip@1")
    other = VectorDatabase(metadata.paths, clip, metadata)
    seen = [*ids_of(0)[:10], *ids_of(1)]
    other.embeddings.add(seen, np.repeat(MIDDLES[[3]], len(seen), axis=0))
    rankers.vectors = lambda: other
    after = found_by(rankers.of("w0"), limit=999)
    assert {*after} == {*seen} - {*ids_of(0)[:3]}
    other.close()


def test_what_is_removed_meanwhile_is_no_candidate(
    rankers: Rankers, answer: Answer, metadata: MetadataDatabase
) -> None:
    answer(ids_of(0)[:3], True)
    ranker = rankers.of("w0")
    assert "0.7-00000" in found_by(ranker, limit=999)
    media = metadata.segments(["0.7-00000"])["0.7-00000"].media_file_id
    metadata.remove_media(media)
    assert "0.7-00000" not in found_by(ranker, limit=999)
    assert len(found_by(ranker, limit=999)) == CLUSTERS * EACH - 3 - 1


def test_none_is_no_number_of_candidates(rankers: Rankers) -> None:
    with pytest.raises(QueryError, match="ask for 1 or more"):
        rankers.of("w0").rank(limit=0)


def test_an_empty_library_has_no_candidates(metadata: MetadataDatabase) -> None:
    clip: Any = MadeUpClip()
    vectors = VectorDatabase(metadata.paths, clip, metadata)
    search = SegmentSearch(vectors, lambda _: np.zeros((4, 4, 3)))
    rankers = Rankers(metadata, lambda: vectors, lambda: search)
    assert rankers.of("w0").rank().candidates == ()
    assert rankers.of("w0").rank(seeds=["gone"]).candidates == ()
    vectors.close()


def test_scores_of_all_are_those_of_the_vectors(
    rankers: Rankers, metadata: MetadataDatabase
) -> None:
    store = rankers.vectors().embeddings
    (vector,) = turned(unit_vectors(1, seed=4).astype(np.float64))
    ids, scores = all_scores(store, 3 * vector, bias=-1.0)
    assert len(ids) == 2 * CLUSTERS * EACH and (np.diff(ids) > 0).all()
    exact = turned(np.array([*store.get(ids_of(0)).values()], np.float64)) @ (3 * vector) - 1
    by_id = dict(zip(ids.tolist(), scores.tolist(), strict=True))
    rows = metadata.connection.read().execute("SELECT id, segment_id FROM embeddings")
    ours = {row["segment_id"]: by_id[row["id"]] for row in rows}
    assert [ours[each] for each in store.get(ids_of(0))] == pytest.approx(exact, abs=0.01)


def test_a_direction_of_features_is_one_of_vectors(rankers: Rankers) -> None:
    space = EmbeddingSpace.of(rankers.vectors().embeddings)
    vectors = turned(unit_vectors(5, seed=3).astype(np.float64))
    for words in (None, space.words(MIDDLES[1])):
        features = space.features(vectors, words)
        weights = np.random.default_rng(2).normal(size=features.shape[1] + 1)
        vector, bias = space.direction(weights, words)
        expected = features @ weights[:-1] + weights[-1]
        assert vectors @ vector + bias == pytest.approx(expected)
    assert vector.shape == (EMBEDDING_DIM,)
    # objects alone stand for the library, not frames
    assert not any(each.is_frame for each in space.sampled)
    assert space.objects == pytest.approx(0.5)
