"""Which segments a search, an export or a job is about: conditions, and trees of them.

A condition is a `Leaf`, one class for each, in src/search/leaves.py. `&`, `|` and `~` make trees of
them. The text of a filter is `str(it)`, and src/search/filter_text.py reads it back.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeVar

from src.database.conditions import Condition

if TYPE_CHECKING:
    from src.search.tokens import Value


class Filter(ABC):
    """A condition on segments; a tree of `And`, `Or`, `Not` and leaves, which never changes."""

    def __bool__(self) -> bool:
        """Return whether it leaves any segment out."""
        return True

    def __and__(self, other: Filter) -> Filter:
        return all_of([self, other])

    def __or__(self, other: Filter) -> Filter:
        return any_of([self, other])

    def __invert__(self) -> Filter:
        return Not(self)

    @abstractmethod
    def condition(self) -> Condition:
        """Write it in SQL. What is unknown of a segment, NULL, holds for no condition."""

    @abstractmethod
    def __str__(self) -> str:
        """Write it as a person does."""


@dataclass(frozen=True)
class And(Filter):
    """All of its parts hold; without any, it holds for every segment."""

    parts: tuple[Filter, ...] = ()

    def __bool__(self) -> bool:
        return any(self.parts)

    def condition(self) -> Condition:
        return _joined("AND", self.parts) if self.parts else Condition("1")

    def __str__(self) -> str:
        return " ".join(_in_brackets(part, And, Or) for part in self.parts if part)


@dataclass(frozen=True)
class Or(Filter):
    """One of its parts holds, or several do; without any, it holds for no segment."""

    parts: tuple[Filter, ...]

    def condition(self) -> Condition:
        return _joined("OR", self.parts) if self.parts else Condition("0")

    def __str__(self) -> str:
        return " or ".join(_in_brackets(part, Or) for part in self.parts) or NOTHING


@dataclass(frozen=True)
class Not(Filter):
    """Its part does not hold, or nobody knows whether it does."""

    part: Filter

    def condition(self) -> Condition:
        condition = self.part.condition()
        return Condition(f"({condition.sql}) IS NOT TRUE", condition.values)

    def __str__(self) -> str:
        return f"not {_in_brackets(self.part, And, Or)}"


class Leaf(Filter):
    """One condition, written `key:value`, such as `kind:object`.

    A new one is a frozen dataclass with the three methods, under `@leaf("key", "an example")`.

    Attributes:
        choices: the values there are; empty for any.
    """

    key: ClassVar[str]
    example: ClassVar[str]
    choices: ClassVar[tuple[str, ...]] = ()

    @classmethod
    @abstractmethod
    def read(cls, value: Value) -> Filter:
        """Read what stands behind its key.

        Raises:
            QueryError: it can't be that.
        """

    @abstractmethod
    def written(self) -> str:
        """Write what stands behind its key, with the sign between them; `read` takes it back."""

    def __str__(self) -> str:
        return f"{self.key}{self.written()}"


LEAVES: dict[str, type[Leaf]] = {}
EVERYTHING: Filter = And()
# How a filter that no segment passes is written: a list of none.
NOTHING = "segment:none"

_L = TypeVar("_L", bound=type[Leaf])


def leaf(key: str, example: str) -> Callable[[_L], _L]:
    """Register a condition under the word that it is written with.

    Args:
        key: two small letters of English or more.
        example: a whole condition, for those who mistyped one.
    """

    def register(cls: _L) -> _L:
        cls.key, cls.example = key, example
        LEAVES[key] = cls
        return cls

    return register


def all_of(filters: Sequence[Filter]) -> Filter:
    """Join filters that must all hold; what holds for every segment is left out."""
    parts = [
        part for each in filters for part in (each.parts if isinstance(each, And) else (each,))
    ]
    parts = [part for part in parts if part]
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def conditions_of(where: Filter) -> tuple[Filter, ...]:
    """Return the conditions of which each must hold; none of them always does."""
    whole = all_of([where])
    return whole.parts if isinstance(whole, And) else (whole,)


def any_of(filters: Sequence[Filter]) -> Filter:
    """Join filters of which one must hold; with one that always does, that is everything."""
    if not all(filters):
        return EVERYTHING
    parts = [part for each in filters for part in (each.parts if isinstance(each, Or) else (each,))]
    return parts[0] if len(parts) == 1 else Or(tuple(parts))


def _joined(word: str, parts: Sequence[Filter]) -> Condition:
    """Join conditions by halves: SQLite refuses a tree that is a thousand deep, as a chain is."""
    if len(parts) == 1:
        return parts[0].condition()
    middle = len(parts) // 2
    left, right = _joined(word, parts[:middle]), _joined(word, parts[middle:])
    return Condition(f"({left.sql} {word} {right.sql})", left.values + right.values)


def _in_brackets(part: Filter, *kinds: type[Filter]) -> str:
    """Write a part of a tree, in brackets where it is of a kind that would be read otherwise."""
    text = str(part)
    if not text:  # everything, inside something else
        return f"not {NOTHING}"
    return f"({text})" if isinstance(part, kinds) and text != NOTHING else text
