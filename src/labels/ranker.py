"""Label one, get the rest: segments ranked by how likely they have a label."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from src.database.embedding_store import EmbeddingStore
from src.database.filtered_rows import FilteredRows
from src.database.label_answers import (
    EmbeddedSegment,
    LabelAnswers,
    answers_of,
    embedded_segments,
    embedding_ids,
    hidden_embedding_ids,
    segment_places,
)
from src.database.metadata_db import MetadataDatabase
from src.database.quantized import turned
from src.database.vector_db import VectorDatabase, check_count
from src.label_records import LabelRanking, RankingOrder
from src.labels.classifier import Examples, fit_logistic
from src.labels.embedding_space import (
    WEAK,
    EmbeddingSpace,
    WordsDirection,
    all_scores,
)
from src.labels.held_back import FEWEST_REJECTED, Calibration, HeldBack, Origin, Sides, origins_of
from src.records import SearchHit
from src.search.copy_leaves import asks_for_copies, without_hidden
from src.search.filters import EVERYTHING, Filter
from src.search.leaves import segment_filter
from src.search.query import Query, Words
from src.search.segment_search import SegmentSearch

# It is worth ranking again after so many answers.
AGAIN_AFTER = 10
# More answers of a kind teach nothing more, and take longer; these are spread over all of them.
MOST_LEARNT = 1000
# What all segments that stand for "has not got the label" count together, in answers.
WEAK_WEIGHT = 8.0
# Examples count beside the answers until there are so many that were accepted.
EXAMPLES_UNTIL = 10
# The words of a label count where what has it lies so far above the library's mean along them.
WORDS_AGREE = 0.5
# So many of the best are told apart from frames as a whole; of the others only their share.
LOOKED_AT, LOOKED_AT_EACH = 4000, 4


class Rankers:
    """Makes the ranker of each label, and keeps what all of them need of the library."""

    def __init__(
        self,
        metadata: MetadataDatabase,
        vectors: Callable[[], VectorDatabase],
        search: Callable[[], SegmentSearch],
    ) -> None:
        """Read nothing yet.

        Args:
            vectors: gives what searches with the CLIP in use, and loads it.
            search: gives what answers queries with it.
        """
        self.metadata = metadata
        self.vectors = vectors
        self.search = search
        self._lock = threading.Lock()
        self._store: EmbeddingStore | None = None
        self._space: EmbeddingSpace | None = None
        self._known: dict[int, EmbeddedSegment] = {}
        self._words: dict[str, np.ndarray | None] = {}

    def of(self, name: str) -> Ranker:
        """Make the ranker of a label; nothing is read before it ranks."""
        return Ranker(self, name)

    def space(self, vectors: VectorDatabase) -> EmbeddingSpace:
        """Measure the library, or give what was measured where that fits still."""
        store = vectors.embeddings
        with self._lock:
            self._be_of(store)
            rows = sum(part.count for part in store.scan.parts(store.model_id))
            if self._space is None or not self._space.fits(rows):
                self._space = EmbeddingSpace.of(store)
            return self._space

    def segments(self, store: EmbeddingStore, ids: Sequence[int]) -> dict[int, EmbeddedSegment]:
        """Look up whose some embeddings are; those that were looked up before are known."""
        with self._lock:
            self._be_of(store)
            new = [each for each in ids if each not in self._known]
            self._known.update(embedded_segments(store.connection, new))
            return {each: self._known[each] for each in ids if each in self._known}

    def words(self, vectors: VectorDatabase, text: str) -> np.ndarray | None:
        """Embed the words of a label: (512,) float32; None where the CLIP knows none of them."""
        with self._lock:
            self._be_of(vectors.embeddings)
            if text not in self._words:
                known = vectors.clip.known_words(text)
                self._words[text] = vectors.clip.encode_text([text])[0] if known else None
            return self._words[text]

    def _be_of(self, store: EmbeddingStore) -> None:
        """Forget what is of another CLIP than the one in use."""
        if self._store is not store:
            self._store, self._space, self._known, self._words = store, None, {}, {}


@dataclass(frozen=True)
class _Learnt:
    """What answers have taught, as scores of vectors.

    Attributes:
        vector, bias: see EmbeddingSpace.direction.
    """

    vector: np.ndarray
    bias: float
    calibration: Calibration
    held_back: HeldBack | None = None


@dataclass(frozen=True)
class _Ranked:
    """Segments without an answer, by their scores.

    Attributes:
        segment_ids: of the best that were looked at, best first.
        scores: (N,) float64 of those.
        likely_beside: how many of all others are likely to have the label.
    """

    segment_ids: tuple[str, ...]
    scores: np.ndarray
    likely_beside: float


class Ranker:
    """Ranks what has no answer for one label yet, by the answers that there are."""

    def __init__(self, library: Rankers, name: str) -> None:
        self._library = library
        self.name = name

    def rank(
        self,
        seeds: Sequence[str] = (),
        query: Query | None = None,
        order: RankingOrder = "best",
        limit: int = 200,
    ) -> LabelRanking:
        """Rank segments by how likely they have the label.

        A linear classifier learns from what people have accepted and rejected, from a sample of
        the library as weak rejections, and from the words of the label where the CLIP knows them.
        Then all segments are scored, in the eight bits that searches scan. While nothing is
        accepted and there are no seeds, the order is that of a search for the query, or for the
        label's name. Frames as a whole are left out unless one of them was accepted, and hidden
        copies as in searches.

        Args:
            seeds: segments to learn from while few are accepted.
            query: what to search for while there is nothing to learn from; its filter always
                leaves segments out, and its words stand for the label's name.
            order: "doubtful" begins with what an answer would teach most.
            limit: the most candidates that are wanted.

        Raises:
            QueryError: see SegmentSearch.search, or the limit is under 1.
            DatabaseError: an embedding is damaged.
        """
        check_count(limit)
        vectors = self._library.vectors()
        store = vectors.embeddings
        answers = answers_of(store.connection, self.name)
        examples = list(answers.accepted)
        if len(examples) < EXAMPLES_UNTIL:
            examples += [each for each in seeds if each not in {*examples, *answers.rejected}]
        found = store.get(_spread_over(examples))
        ranking = LabelRanking(
            self.name,
            (),
            len(answers.accepted),
            len(answers.rejected),
            rejections_wanted=max(0, FEWEST_REJECTED - len(answers.rejected)),
            ranks_again_in=AGAIN_AFTER
            - (len(answers.accepted) + len(answers.rejected)) % AGAIN_AFTER,
        )
        if not found:
            return replace(ranking, candidates=self._searched(query, answers, limit))
        learnt = self._learn(vectors, found, answers, query)
        where = EVERYTHING if query is None else query.filter
        ranked = self._ranked(vectors, learnt, answers, list(found), where, order, limit)
        likely = learnt.calibration.likely(ranked.scores)
        chosen = ranked.segment_ids[:limit]
        if order == "doubtful":
            doubtful = np.argsort(np.abs(likely - 0.5), kind="stable")[:limit]
            chosen = tuple(ranked.segment_ids[int(place)] for place in doubtful)
        sure = dict(zip(ranked.segment_ids, likely.tolist(), strict=True))
        ranking = replace(ranking, candidates=self._hits({each: sure[each] for each in chosen}))
        if learnt.held_back is None:
            return ranking
        return replace(
            ranking,
            held_back_right=learnt.held_back.right(learnt.calibration),
            # while hardly anything was rejected, nothing says where the label ends
            likely_left=None
            if ranking.rejections_wanted
            else round(float(likely.sum()) + ranked.likely_beside),
            acceptable=learnt.held_back.acceptable(ranked.scores, learnt.calibration),
        )

    # -- without answers

    def _searched(
        self, query: Query | None, answers: LabelAnswers, limit: int
    ) -> tuple[SearchHit, ...]:
        vectors = self._library.vectors()
        if query is None or not query.terms:
            if self._library.words(vectors, self.name) is None:
                return ()
            where = EVERYTHING if query is None else query.filter
            query = Query((Words(self.name),), where)
        where = query.filter & segment_filter(kinds=("object",))
        answered = {*answers.accepted, *answers.rejected, *answers.accepted_together}
        wanted = replace(
            query,
            filter=without_hidden(where, self._library.metadata),
            limit=limit + len(answered),
        )
        hits = [
            replace(hit, score=hit.strength if hit.strength is not None else 0.5)
            for hit in self._library.search().search(wanted, count=False)
            if hit.segment.id not in answered
        ]
        return tuple(hits[:limit])

    # -- learning

    def _learn(
        self,
        vectors: VectorDatabase,
        accepted: dict[str, np.ndarray],
        answers: LabelAnswers,
        query: Query | None,
    ) -> _Learnt:
        store = vectors.embeddings
        space = self._library.space(vectors)
        rejected = store.get(_spread_over(answers.rejected))
        known = turned(np.array([*accepted.values(), *rejected.values()], np.float64))
        words = self._words(vectors, space, query, known[: len(accepted)])
        answered = {*accepted, *rejected, *answers.accepted, *answers.accepted_together}
        others = [n for n, each in enumerate(space.sampled) if each.segment_id not in answered]
        others = others[:: max(1, len(others) // WEAK)][:WEAK]
        weak = space.features(space.sample[others], words)
        examples = Examples(
            np.concatenate([space.features(known, words), weak]),
            np.repeat([1.0, 0.0], [len(accepted), len(rejected) + len(others)]),
            np.repeat([1.0, WEAK_WEIGHT / max(1, len(others))], [len(known), len(others)]),
        )
        weights = fit_logistic(examples)
        direction = space.direction(weights, words)
        if not set(accepted) <= set(answers.accepted):
            return _Learnt(*direction, Calibration())  # seeds are no answers
        folds = self._folds([*accepted, *rejected], [space.sampled[n] for n in others])
        held_back = HeldBack.of(examples, folds, len(known), weights)
        if held_back is None:
            return _Learnt(*direction, Calibration())
        return _Learnt(*direction, held_back.calibration(), held_back)

    def _words(
        self,
        vectors: VectorDatabase,
        space: EmbeddingSpace,
        query: Query | None,
        accepted: np.ndarray,
    ) -> WordsDirection | None:
        """Give the axis of the label's words, where those that were accepted agree with them."""
        text = self.name if query is None or not query.words else query.words
        embedding = self._library.words(vectors, text)
        if embedding is None:
            return None
        words = space.words(embedding)
        return words if float(words.of(accepted).mean()) >= WORDS_AGREE else None

    def _folds(self, answered: Sequence[str], others: Sequence[EmbeddedSegment]) -> np.ndarray:
        """Say of answers, and of what stands beside them, what is held back together."""
        metadata = self._library.metadata
        places = segment_places(metadata.connection, answered)
        origins = origins_of(
            {each: place[:2] for each, place in places.items()},
            metadata.dhashes_of(answered),
            answered,
        )
        copies = metadata.duplicates.copies_among(each.media_file_id for each in origins)
        sides = Sides(origins, copies.together.values())
        beside = [Origin(each.media_file_id, each.frame_index) for each in others]
        return np.array([sides.fold(each) for each in [*origins, *beside]], np.int64)

    # -- all segments

    def _ranked(
        self,
        vectors: VectorDatabase,
        learnt: _Learnt,
        answers: LabelAnswers,
        learnt_from: Sequence[str],
        where: Filter,
        order: RankingOrder,
        limit: int,
    ) -> _Ranked:
        store, metadata = vectors.embeddings, self._library.metadata
        connection, model_id = store.connection, store.model_id
        ids, scores = all_scores(store, learnt.vector, learnt.bias)
        answered = [*answers.accepted, *answers.rejected, *answers.accepted_together]
        left_out = embedding_ids(connection, model_id, answered)
        if not asks_for_copies(where) and metadata.duplicates.hides_any():
            left_out = np.append(left_out, hidden_embedding_ids(connection, model_id))
        if where:
            kept = np.isin(ids, FilteredRows(connection, model_id, where).all())
            kept &= ~np.isin(ids, left_out)
        else:
            kept = ~np.isin(ids, left_out)
        ids, scores = ids[kept], scores[kept]
        with_frames = any(
            place[2] for place in segment_places(connection, list(learnt_from)).values()
        )
        most = max(LOOKED_AT, LOOKED_AT_EACH * limit)
        best = _highest(scores, most)
        likely = learnt.calibration.likely(scores)
        if order == "doubtful":
            best = np.union1d(best, _highest(-np.abs(likely - 0.5), most))
        looked_at = np.zeros(len(ids), bool)
        looked_at[best] = True
        share = 1.0 if with_frames else self._library.space(vectors).objects
        beside = float(likely[~looked_at].sum()) * share
        best = best[np.lexsort((ids[best], -scores[best]))]
        segments = self._library.segments(store, ids[best].tolist())
        kept_best = [
            (place, segments[row])
            for place, row in zip(best.tolist(), ids[best].tolist(), strict=True)
            if row in segments and (with_frames or not segments[row].is_frame)
        ]
        return _Ranked(
            tuple(segment.segment_id for _, segment in kept_best),
            scores[[place for place, _ in kept_best]].astype(np.float64),
            beside,
        )

    def _hits(self, sure: dict[str, float]) -> tuple[SearchHit, ...]:
        """Look up segments with their tags: those that are gone meanwhile are left out."""
        metadata = self._library.metadata
        segments = metadata.segments(list(sure), with_masks=False)
        tags = metadata.tags_of(list(segments))
        return tuple(
            SearchHit(segments[each], score, tags.get(each, ()))
            for each, score in sure.items()
            if each in segments
        )


def _highest(scores: np.ndarray, n: int) -> np.ndarray:
    if n >= len(scores):
        return np.arange(len(scores))
    return np.argpartition(scores, len(scores) - n)[len(scores) - n :]


def _spread_over(segment_ids: Sequence[str]) -> list[str]:
    """Take as many as are learnt from, out of the whole range of them."""
    step = -(-len(segment_ids) // MOST_LEARNT) or 1
    return list(segment_ids[::step])
