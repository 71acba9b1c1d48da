"""How many answers a label takes: python -m tests.benchmarks.labelling [--write]

A library of drawn scenes goes through the real pipeline. A person who knows what was drawn picks
one segment of a class as an example and answers ten at a time: what the application ranks first,
then what it is in doubt about, by turns. Beside it, with the same person, plain nearest neighbours
(the mean of what was accepted) and labelling one by one.

    --scenes N --seeds S…         drawn scenes of each library (700: 5,000 segments), and which
    --keep DIR                    keeps the libraries there, and uses those that are there
    --write                       puts the table into docs/benchmarks.md

What was chosen (src/labels) was chosen on scenes of the seed 601, none of these.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from src.config import LibraryPaths
from src.label_records import LabelRanking
from src.labels.ranker import Ranker, Rankers
from src.library import MediaLibrary
from src.models.starter.vocabulary import SHAPES
from src.records import SearchHit, StoredSegment
from src.settings import Settings
from tests.benchmarks.labelling_table import (
    ANSWERS,
    AT_ONCE,
    BULK,
    KINDS,
    NEARLY_ALL,
    Class,
    Figures,
    Progress,
    by_class,
    kind_of,
    table,
)
from tests.benchmarks.page import put_table
from tests.benchmarks.search_quality import Words, cut, drawn

SEEDS = (501, 92_001)
# Fewer of a class say nothing about 95 %.
FEWEST = 20
# Classes of two words, of each kind: more take longer.
MOST_OF_A_KIND = 8
MOST_ANSWERS = 600
# A name that says nothing to the bundled CLIP.
NAMELESS = "qqx"
MARKS = "<!-- labelling -->", "<!-- end of labelling -->"


@dataclass(frozen=True)
class Known:
    """A library, and what is true of its segments.

    Attributes:
        segments: all N objects, by id.
        ids: theirs.
        words: of each; none where it shows nothing that was drawn as a thing.
        embeddings: (N, 512) float32.
    """

    library: MediaLibrary
    rankers: Rankers
    segments: dict[str, StoredSegment]
    ids: tuple[str, ...]
    words: tuple[Words, ...]
    embeddings: np.ndarray

    @classmethod
    def of(cls, library: MediaLibrary, folder: Path, scenes: int, seed: int) -> Known:
        truth = drawn(folder, scenes, seed)
        cuts = cut(library, truth)
        words = tuple(
            truth.things[each.segment.media_path][each.thing].words
            if each.thing >= 0
            else frozenset()
            for each in cuts
        )
        ids = tuple(each.segment.id for each in cuts)
        found = library.vectors.embeddings.get(ids)
        rankers = Rankers(
            library.metadata, lambda: library.vectors, lambda: library._search_now(True)
        )
        segments = {each.segment.id: each.segment for each in cuts}
        return cls(library, rankers, segments, ids, words, np.array([found[each] for each in ids]))


def classes_of(known: Known, seed: int, most: int = MOST_OF_A_KIND) -> list[Class]:
    """List classes of one and of two words, with 20 segments or more."""
    counts = Counter[Words]()
    for words in known.words:
        some = sorted(words - {"plain"})
        counts.update(frozenset((each,)) for each in some)
        counts.update(
            frozenset(pair) for n, one in enumerate(some) for pair in [(one, b) for b in some[:n]]
        )
    is_thing = np.array([bool(words) for words in known.words])
    found = []
    for kind in KINDS:
        mine = sorted(
            (words for words, n in counts.items() if n >= FEWEST and kind_of(words) == kind),
            key=sorted,
        )
        if "and" in kind:
            mine = [mine[i] for i in np.random.default_rng(seed).permutation(len(mine))[:most]]
        for words in mine:
            has = np.array([words <= each for each in known.words])
            judged = np.ones_like(has) if words & set(SHAPES) else is_thing
            found.append(Class(words, has, judged))
    return found


# -- a person at work


def after(what: Class, order: np.ndarray, answered: dict[int, bool]) -> Progress:
    """Say how far a class is.

    Args:
        order: of segments without an answer that are judged, best first.
    """
    size, accepted = int(what.has.sum()), sum(answered.values())
    left = size - accepted
    best = what.has[order[: min(BULK, left)]]
    recall = (accepted + int(what.has[order[:left]].sum())) / size
    return Progress(len(answered), accepted, float(best.mean()) if left else 1.0, recall, left=left)


class QuickRanker(Ranker):
    """Ranks as the application does, with segments that are known already."""

    def __init__(self, known: Known, name: str) -> None:
        super().__init__(known.rankers, name)
        self._segments = known.segments

    def _hits(self, sure: dict[str, float]) -> tuple[SearchHit, ...]:
        return tuple(SearchHit(self._segments[each], score) for each, score in sure.items())


class Application:
    """Answers go into the library; the ranking is what a person would see."""

    def __init__(self, known: Known, what: Class, name: str) -> None:
        self._known, self._what, self._name = known, what, name
        self._place = {each: n for n, each in enumerate(known.ids)}

    def say(self, answers: dict[int, bool]) -> None:
        labels = self._known.library.labels
        for verb, wanted in ((labels.give, True), (labels.reject, False)):
            ids = [self._known.ids[place] for place, has in answers.items() if has == wanted]
            if ids:
                verb(ids, self._name)

    def rank(self, order: str, limit: int = 1000) -> tuple[LabelRanking, np.ndarray]:
        ranker = QuickRanker(self._known, self._name)
        ranking = ranker.rank(order="doubtful" if order == "doubtful" else "best", limit=limit)
        places = np.array([self._place[hit.segment.id] for hit in ranking.candidates], np.int64)
        return ranking, places

    def forget(self) -> None:
        with self._known.library.metadata.connection.write() as db:
            for table in ("segment_tags", "removed_tags", "decisions"):
                db.execute(
                    f"DELETE FROM {table} WHERE tag_id IN (SELECT id FROM tags WHERE name = ?)",
                    (self._name,),
                )


def with_application(
    known: Known, what: Class, example: int, name: str, most: int
) -> list[Progress]:
    """Label a class with 60 answers, and on to the most until nearly all of it is accepted."""
    app = Application(known, what, name)
    answered = {example: True}
    app.say(answered)
    found = []
    while True:
        ranking, places = app.rank("best", 200 + MOST_ANSWERS + int(what.has.sum()))
        order = places[what.judged[places]]
        if len(answered) % AT_ONCE == 0:
            progress = after(what, order, answered)
            offered = places[: ranking.acceptable]
            offered = offered[what.judged[offered]]
            progress.offered, progress.right = len(offered), int(what.has[offered].sum())
            progress.covered = (progress.accepted + progress.right) / int(what.has.sum())
            progress.likely_left = ranking.likely_left
            progress.held_back_right = ranking.held_back_right
            found.append(progress)
            done = max(each.covered for each in found) >= NEARLY_ALL
            if len(answered) >= ANSWERS and (done or len(answered) >= most):
                break
        count = AT_ONCE - len(answered) % AT_ONCE
        if len(answered) >= ANSWERS:
            count = ANSWERS
        if len(answered) // AT_ONCE % 2 == 1:
            _, places = app.rank("doubtful", 400)
            order = places[what.judged[places]]
        new = {int(place): bool(what.has[place]) for place in order[:count]}
        if not new:
            break
        app.say(new)
        answered |= new
    app.forget()
    return found


def by_neighbours(known: Known, what: Class, example: int) -> tuple[list[Progress], int]:
    """Label a class by what is nearest to the mean of what was accepted.

    Returns:
        How far it is after each ten answers up to 60, and how many it takes for nearly all.
    """
    answered, found, needed = {example: True}, [], 0
    size = int(what.has.sum())
    while not needed:
        middle = known.embeddings[[n for n, has in answered.items() if has]].mean(axis=0)
        order = np.argsort(-(known.embeddings @ middle), kind="stable")
        order = order[what.judged[order] & ~np.isin(order, list(answered))]
        if len(answered) % AT_ONCE == 0 and len(answered) <= ANSWERS:
            found.append(after(what, order, answered))
        for place in order[: AT_ONCE - len(answered) % AT_ONCE].tolist():
            answered[place] = bool(what.has[place])
            if not needed and sum(answered.values()) >= NEARLY_ALL * size:
                needed = len(answered)
    return found, needed


def measure(known: Known, classes: Sequence[Class], seed: int) -> dict[str, Figures]:
    """Label all of some classes, in three ways."""
    figures = defaultdict[str, Figures](Figures)
    rng = np.random.default_rng(seed)
    for what in classes:
        mine, example = figures[what.kind], int(rng.choice(np.flatnonzero(what.has)))
        named = with_application(known, what, example, what.name, MOST_ANSWERS)
        neighbours, by_mean = by_neighbours(known, what, example)
        mine.runs["named"].append(named)
        mine.runs["nameless"].append(with_application(known, what, example, NAMELESS, ANSWERS))
        mine.runs["neighbours"].append(neighbours)
        enough = [each.answers for each in named if each.covered >= NEARLY_ALL]
        # in the order of the library, all that is before the last one that is needed
        last = np.flatnonzero(what.has)[int(np.ceil(NEARLY_ALL * what.has.sum())) - 1]
        one_by_one = int(np.count_nonzero(what.judged[: last + 1]))
        mine.needed.append((enough[0] if enough else None, by_mean, one_by_one))
    return figures


# -- as a program


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=700)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--most", type=int, default=MOST_OF_A_KIND)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args(arguments)
    figures = defaultdict[str, Figures](Figures)
    every: list[tuple[int, Class]] = []
    segments = 0
    with tempfile.TemporaryDirectory() as temporary:
        for seed in chosen.seeds:
            folder = ((chosen.keep or Path(temporary)) / str(seed)).resolve()
            (folder / "pictures").mkdir(parents=True, exist_ok=True)
            settings = Settings(points_per_side=12)
            with MediaLibrary(LibraryPaths(folder / "library"), settings=settings) as library:
                known = Known.of(library, folder / "pictures", chosen.scenes, seed)
                segments += len(known.ids)
                classes = classes_of(known, seed, chosen.most)
                every += [(seed, what) for what in classes]
                for kind, mine in measure(known, classes, seed).items():
                    for way, runs in mine.runs.items():
                        figures[kind].runs[way] += runs
                    figures[kind].needed += mine.needed
                label = library.clip.label
    about = (
        f"{len(chosen.seeds)} libraries of {chosen.scenes} drawn scenes, {segments:,} segments in"
        f" all, {label}."
    )
    text = table(figures, about)
    print(text)
    print("\n".join(by_class(figures, every)))
    if chosen.write:
        put_table(MARKS, text)


if __name__ == "__main__":
    main()
