"""A query as its bar shows it: the words in the entry, and a chip for each other part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from src.search.filters import EVERYTHING, And, Filter, all_of
from src.search.query import ImageFile, Like, Query, Term, Words

WEIGHTS = (0.5, 1.0, 2.0, 3.0)


@dataclass(frozen=True)
class Chip:
    """What one chip shows.

    Attributes:
        sign: "+" or "−" of a term; "" of a condition.
        weight: "× 2"; "" where a term weighs as much as words do.
        picture: a small picture before the text.
    """

    text: str
    sign: str = ""
    weight: str = ""
    picture: Path | None = None


@dataclass(frozen=True)
class QueryParts:
    """All of a query but the words in the entry.

    Attributes:
        terms: signed or weighted words, images and segments.
        filter: its conditions side by side are a chip each.
    """

    terms: tuple[Term, ...] = ()
    filter: Filter = EVERYTHING

    @property
    def conditions(self) -> tuple[Filter, ...]:
        if isinstance(self.filter, And):
            return self.filter.parts
        return (self.filter,) if self.filter else ()

    def __bool__(self) -> bool:
        return bool(self.terms or self.filter)

    def __len__(self) -> int:
        return len(self.terms) + len(self.conditions)

    def joined(self, typed: Query) -> tuple[str, QueryParts]:
        """Add what was typed into the entry; returns the words that stay in it, and all else."""
        words, rest = split(typed)
        terms = self.terms + tuple(term for term in rest.terms if term not in self.terms)
        new = tuple(each for each in rest.conditions if each not in self.conditions)
        return words, QueryParts(terms, all_of([*self.conditions, *new]))

    def query(self, words: str) -> Query:
        """Make the whole query, with the words of the entry first."""
        first = (Words(words),) if words else ()
        return Query((*first, *self.terms), self.filter)

    def without(self, place: int) -> QueryParts:
        """Remove the part of one chip."""
        if place < len(self.terms):
            return replace(self, terms=self.terms[:place] + self.terms[place + 1 :])
        at = place - len(self.terms)
        kept = [each for number, each in enumerate(self.conditions) if number != at]
        return replace(self, filter=all_of(kept))

    def at(self, place: int) -> Query:
        """Return what one chip stands for."""
        if place < len(self.terms):
            return Query((self.terms[place],))
        return Query((), self.conditions[place - len(self.terms)])

    def turned(self, place: int) -> QueryParts:
        """Turn a term into its opposite: + to −, or back. Conditions are turned round, too."""
        if place < len(self.terms):
            return self._with_weight(place, -self.terms[place].weight)
        at = place - len(self.terms)
        turned = [~each if number == at else each for number, each in enumerate(self.conditions)]
        return replace(self, filter=all_of(turned))

    def weighing(self, place: int, weight: float) -> QueryParts:
        """Give a term another weight, above 0; its sign stays."""
        sign = -1 if self.terms[place].weight < 0 else 1
        return self._with_weight(place, sign * weight)

    def _with_weight(self, place: int, weight: float) -> QueryParts:
        terms = list(self.terms)
        terms[place] = replace(terms[place], weight=weight)
        return replace(self, terms=tuple(terms))

    def chips(self, named: Callable[[str], tuple[str, Path | None]]) -> list[Chip]:
        """List the chips from the left.

        Args:
            named: gives the file name and the crop of a segment by its id.
        """
        terms = [_chip(term, named) for term in self.terms]
        return terms + [Chip(str(condition)) for condition in self.conditions]


def split(query: Query) -> tuple[str, QueryParts]:
    """Divide a query into the words of the entry and the rest."""
    for place, term in enumerate(query.terms):
        if isinstance(term, Words) and term.weight == 1:
            rest = query.terms[:place] + query.terms[place + 1 :]
            return term.text, QueryParts(rest, query.filter)
    return "", QueryParts(query.terms, query.filter)


def _chip(term: Term, named: Callable[[str], tuple[str, Path | None]]) -> Chip:
    picture: Path | None = None
    if isinstance(term, Words):
        text = term.text
    elif isinstance(term, Like):
        name, picture = named(term.segment_id)
        text = f"like {name}"
    elif isinstance(term, ImageFile):
        picture = term.path
        text = f"like {term.path.name}" + ("" if term.box_xywh is None else ", a part")
    else:
        text = "like an image"
    weight = abs(term.weight)
    return Chip(
        text, "−" if term.weight < 0 else "+", "" if weight == 1 else f"× {weight:g}", picture
    )
