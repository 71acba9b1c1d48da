"""The figures of tests.benchmarks.labelling, and how a page shows them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from src.models.starter.vocabulary import COLOURS, SHAPES, TEXTURES
from tests.benchmarks.search_quality import Words

AT_ONCE, ANSWERS, BULK = 10, 60, 200
# Of a class: all but one in twenty.
NEARLY_ALL = 0.95
KINDS = (
    "colour",
    "shape",
    "texture",
    "colour and shape",
    "texture and shape",
    "texture and colour",
)


@dataclass(frozen=True)
class Class:
    """What a person labels.

    Attributes:
        words: that a thing must have.
        has: (N,) bool, which segments have it.
        judged: (N,) bool, of which that is known: a background has a colour and a texture, too,
            which nobody wrote down; a person passes such a segment over.
    """

    words: Words
    has: np.ndarray
    judged: np.ndarray

    @property
    def kind(self) -> str:
        return kind_of(self.words)

    @property
    def name(self) -> str:
        return " ".join(sorted(self.words, key=lambda each: (each in SHAPES, each in COLOURS)))


def kind_of(words: Words) -> str:
    kinds = [
        name
        for name, known in (("texture", TEXTURES), ("colour", COLOURS), ("shape", SHAPES))
        if words & set(known)
    ]
    return " and ".join(kinds)


@dataclass
class Progress:
    """How far a class is after some answers.

    Attributes:
        bulk: which share of the next 200 is right, or of as many as the class has left.
        recall: which share of the class is accepted, or among as many of the best as are left.
        offered: how many the application offers to accept at once, and how many are right.
        covered: which share of the class is accepted, or right among those.
        left, likely_left: of the class, and what the application says.
    """

    answers: int
    accepted: int
    bulk: float
    recall: float
    offered: int = 0
    right: int = 0
    covered: float = 0.0
    left: int = 0
    likely_left: int | None = None
    held_back_right: float | None = None


@dataclass
class Figures:
    """All runs of one kind of class.

    Attributes:
        runs: of the application; of labels whose name it can't read; of nearest neighbours.
        needed: answers for nearly all of a class: with the application, None where it takes more
            than 600; by neighbours; one by one.
    """

    runs: dict[str, list[list[Progress]]] = field(default_factory=lambda: defaultdict(list))
    needed: list[tuple[int | None, int, int]] = field(default_factory=list)


def at(run: Sequence[Progress], answers: int) -> Progress | None:
    """Give how far a run was after so many answers; the last where it was done before."""
    before = [each for each in run if each.answers <= answers]
    return before[-1] if before else None


def summary(mine: Figures, way: str, answers: int) -> list[Progress]:
    return [each for run in mine.runs[way] if (each := at(run, answers)) is not None]


def table(figures: dict[str, Figures], about: str) -> str:
    """Write all as a page shows it."""
    lines = [
        about,
        "",
        "| classes | how many | right of the next 200 after 20 answers: named, nameless, neighbours"
        " | 95 % or more | recall after 60 | 0.9 or more | answers for 95 % of the class: ours,"
        " neighbours, one by one |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    ways = ("named", "nameless", "neighbours")
    for kind in KINDS:
        if kind not in figures:
            continue
        mine = figures[kind]
        first = {way: summary(mine, way, 20) for way in ways}
        last = {way: summary(mine, way, ANSWERS) for way in ways}
        ours = [needed[0] for needed in mine.needed]
        known = [each for each in ours if each is not None]
        more = f" ({len(ours) - len(known)} never)" if len(known) < len(ours) else ""
        cells = [
            kind,
            str(len(mine.needed)),
            ", ".join(f"{np.mean([p.bulk for p in first[way]]):.1%}" for way in ways),
            ", ".join(str(sum(p.bulk >= NEARLY_ALL for p in first[way])) for way in ways),
            ", ".join(f"{np.mean([p.recall for p in last[way]]):.2f}" for way in ways),
            ", ".join(str(sum(p.recall >= 0.9 for p in last[way])) for way in ways),
            f"{np.median(known):.0f}{more}, " if known else f"–{more}, ",
        ]
        cells[-1] += ", ".join(
            f"{np.median([needed[n] for needed in mine.needed]):,.0f}" for n in (1, 2)
        )
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", *offers(figures)]
    return "\n".join(lines)


def offers(figures: dict[str, Figures]) -> Iterator[str]:
    """Write what "Accept top N" offered, and what of it was right."""
    yield (
        "| answers | labels with an offer | segments in it | right of all"
        " | offers with 95 % or more right | told to be left, of what is |"
    )
    yield "| --- | --- | --- | --- | --- | --- |"
    for answers in range(20, ANSWERS + 1, AT_ONCE):
        cells: list[list[str]] = [[], [], [], [], []]
        for way in ("named", "nameless"):
            some = [p for mine in figures.values() for p in summary(mine, way, answers)]
            made = [p for p in some if p.offered]
            right = sum(p.right for p in made) / max(1, sum(p.offered for p in made))
            good = sum(p.right >= NEARLY_ALL * p.offered for p in made) / max(1, len(made))
            told = [p.likely_left / p.left for p in some if p.likely_left is not None and p.left]
            middle = np.quantile(told, [0.25, 0.5, 0.75]) if told else [np.nan] * 3
            cells[0].append(f"{len(made)} of {len(some)}")
            cells[1].append(f"{np.median([p.offered for p in made]) if made else 0:.0f}")
            cells[2].append(f"{right:.1%}")
            cells[3].append(f"{good:.0%}")
            cells[4].append(" ".join(f"{each:.2f}" for each in middle))
        yield f"| {answers} | " + " | ".join("; ".join(each) for each in cells) + " |"


def by_class(figures: dict[str, Figures], classes: Sequence[tuple[int, Class]]) -> Iterator[str]:
    """Name the classes for which the aims don't hold."""
    place = defaultdict[str, int](int)
    for seed, what in classes:
        mine, n = figures[what.kind], place[what.kind]
        place[what.kind] += 1
        first, last = at(mine.runs["named"][n], 20), at(mine.runs["named"][n], ANSWERS)
        if first is None or last is None:
            continue
        if first.bulk < NEARLY_ALL or last.recall < 0.9:
            yield (
                f"{seed} {what.name}: {int(what.has.sum())} segments, {first.bulk:.1%} of the next"
                f" {min(BULK, first.left)} right, recall {last.recall:.2f}"
            )
