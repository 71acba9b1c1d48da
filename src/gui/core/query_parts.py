"""A query as its bar shows it: the words in the entry, and a chip for each other part."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from src.counting import counted, from_to
from src.gui.core.term_names import name_of_term, weight_of
from src.search.filters import EVERYTHING, Filter, all_of, conditions_of
from src.search.leaves import MediaFileIs, SegmentIs, TrackIs
from src.search.query import Image, ImageFile, Like, Query, Term, Words
from src.search.query_text import write_query
from src.search.range_leaves import AtTime

_Part = TypeVar("_Part")
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
    """All of a query but the words in the entry, a chip for each part, in this order.

    Attributes:
        terms: signed or weighted words, images and segments.
        beside: what is to be in the same frame.
        filter: its conditions side by side are a part each.
    """

    terms: tuple[Term, ...] = ()
    beside: tuple[Term, ...] = ()
    filter: Filter = EVERYTHING

    @property
    def conditions(self) -> tuple[Filter, ...]:
        return conditions_of(self.filter)

    def __bool__(self) -> bool:
        return bool(self.terms or self.beside or self.filter)

    def __len__(self) -> int:
        return len(self.terms) + len(self.beside) + len(self.conditions)

    def joined(self, typed: Query) -> tuple[str, QueryParts]:
        """Add what was typed into the entry; returns the words that stay in it, and all else."""
        words, new = split(typed)
        return words, QueryParts(
            _added(self.terms, new.terms),
            _added(self.beside, new.beside),
            all_of(_added(self.conditions, new.conditions)),
        )

    def query(self, words: str) -> Query:
        """Make the whole query, with the words of the entry first.

        Raises:
            QueryError: there is nothing that something else is to be with.
        """
        first = (Words(words),) if words else ()
        return Query((*first, *self.terms), self.filter, beside=self.beside)

    def term(self, place: int) -> Term | None:
        """Return the term of one chip that has a sign and a weight; None for another chip."""
        return self.terms[place] if place < len(self.terms) else None

    def written(self, place: int) -> str:
        """Write what one chip stands for, as a person types it.

        Raises:
            QueryError: it is an image in no file.
        """
        term = self.term(place)
        if term is not None:
            return write_query(Query((term,)))
        at = place - len(self.terms)
        if at < len(self.beside):
            return f"with {write_query(Query((self.beside[at],)))}"
        return str(self.conditions[at - len(self.beside)])

    def without(self, place: int) -> QueryParts:
        """Remove the part of one chip."""
        terms, beside, conditions = [*self.terms], [*self.beside], [*self.conditions]
        for parts in (terms, beside, conditions):
            if place < len(parts):
                del parts[place]
                break
            place -= len(parts)
        return QueryParts(tuple(terms), tuple(beside), all_of(conditions))

    def turned(self, place: int) -> QueryParts:
        """Turn a term into its opposite: + to −, or back."""
        return self._with_weight(place, -self.terms[place].weight)

    def weighing(self, place: int, weight: float) -> QueryParts:
        """Give a term another weight, above 0; its sign stays."""
        sign = -1 if self.terms[place].weight < 0 else 1
        return self._with_weight(place, sign * weight)

    def _with_weight(self, place: int, weight: float) -> QueryParts:
        terms = list(self.terms)
        terms[place] = replace(terms[place], weight=weight)
        return replace(self, terms=tuple(terms))

    def with_term(self, term: Term) -> QueryParts:
        """Add a term, in the place of the same one with another weight."""
        others = (each for each in self.terms if each != replace(term, weight=each.weight))
        return replace(self, terms=(*others, term))

    def with_image(self, image: Image | ImageFile | None) -> QueryParts:
        """Put an image in the place of the first one, with its weight; None only removes that."""
        before = images_of(self.terms)[0]
        new = () if image is None else (replace(image, weight=before.weight),)
        at = self.terms.index(before)
        return replace(self, terms=(*self.terms[:at], *new, *self.terms[at + 1 :]))

    def chips(
        self,
        named: Callable[[str], tuple[str, Path | None]],
        file_name: Callable[[int], str],
    ) -> list[Chip]:
        """List the chips from the left.

        Args:
            named: gives the file name and the crop of a segment by its id.
            file_name: gives the name of a media file by its id; "" where it is not known.
        """
        chips = [_chip(term, named) for term in self.terms]
        for term in self.beside:
            chip = _chip(term, named)
            chips.append(replace(chip, text=f"with {chip.text}", sign=""))
        return chips + [Chip(_said(condition, file_name)) for condition in self.conditions]


def _added(there: tuple[_Part, ...], new: tuple[_Part, ...]) -> tuple[_Part, ...]:
    """Add parts that are not there yet."""
    return there + tuple(each for each in new if each not in there)


def split(query: Query) -> tuple[str, QueryParts]:
    """Divide a query into the words of the entry and the rest."""
    for place, term in enumerate(query.terms):
        if isinstance(term, Words) and term.weight == 1:
            rest = query.terms[:place] + query.terms[place + 1 :]
            return term.text, QueryParts(rest, query.beside, query.filter)
    return "", QueryParts(query.terms, query.beside, query.filter)


def in_one_line(text: str) -> str:
    """Take out spaces that say nothing; in quotation marks they may be those of a file's name."""
    return text.strip() if '"' in text else " ".join(text.split())


def images_of(terms: Iterable[Term]) -> list[Image | ImageFile]:
    """List the images among terms."""
    return [term for term in terms if isinstance(term, Image | ImageFile)]


def can_be_written(query: Query) -> bool:
    """Return whether a query has a text form: an image in no file, as a pasted one, has none."""
    return not any(isinstance(term, Image) for term in (*query.terms, *query.beside))


def has_ids(query: Query) -> bool:
    """Return whether a query names something by its id, which says nothing to a person."""
    return any(isinstance(term, Like) for term in query.terms) or any(
        isinstance(condition, SegmentIs | MediaFileIs | TrackIs)
        for condition in conditions_of(query.filter)
    )


def _said(condition: Filter, file_name: Callable[[int], str]) -> str:
    """Write a condition on a chip: a file is its name there, and a list of ids a number."""
    if isinstance(condition, SegmentIs) and len(condition.values) > 1:
        return counted(len(condition.values), "segment")
    if isinstance(condition, MediaFileIs) and len(condition.ids) > 1:
        return counted(len(condition.ids), "media file")
    if isinstance(condition, MediaFileIs) and (name := file_name(*condition.ids)):
        return name
    if isinstance(condition, AtTime) and not condition.is_strict:
        least_s, most_s = condition.least, condition.most
        return str(condition) if least_s is None or most_s is None else from_to(least_s, most_s)
    return str(condition)


def _chip(term: Term, named: Callable[[str], tuple[str, Path | None]]) -> Chip:
    name, picture = "", None
    if isinstance(term, Like):
        name, picture = named(term.segment_id)
    elif isinstance(term, ImageFile):
        picture = term.path
    sign = "−" if term.weight < 0 else "+"
    return Chip(name_of_term(term, name), sign, weight_of(term), picture)
