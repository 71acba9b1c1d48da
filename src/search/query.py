"""What a person looks for: terms that segments are scored by, and a filter that leaves some out."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from src.errors import QueryError
from src.records import BoxXywh
from src.search.filters import EVERYTHING, Filter

NO_WEIGHT_BESIDE = 'what stands behind "with" has no minus and no weight'
GONE = "this segment is no longer in the library; search again"


@dataclass(frozen=True, kw_only=True)
class Term:
    """Something that segments are like.

    Attributes:
        weight: of its score in the sum; below 0 for what they are to be unlike.
    """

    weight: float = 1.0

    def __post_init__(self) -> None:
        if not math.isfinite(self.weight) or self.weight == 0:
            raise QueryError(f"a part of a search can't have the weight {self.weight}")


@dataclass(frozen=True)
class Words(Term):
    text: str


@dataclass(frozen=True)
class ImageFile(Term):
    """An image file, or the first frame of a video; `box_xywh` is the part to look for."""

    path: Path
    box_xywh: BoxXywh | None = None


@dataclass(frozen=True, eq=False)
class Image(Term):
    """(H, W, 3) uint8 RGB; `box_xywh` is the part to look for, in its pixels."""

    image_rgb: np.ndarray = field(repr=False)
    box_xywh: BoxXywh | None = None

    def __eq__(self, other: object) -> bool:
        """Return whether it is the same array, not another of the same pixels: that takes time."""
        return isinstance(other, Image) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    @property
    def _identity(self) -> tuple[object, ...]:
        return id(self.image_rgb), self.box_xywh, self.weight


@dataclass(frozen=True)
class Like(Term):
    """A segment of the library."""

    segment_id: str


@dataclass(frozen=True)
class Query:
    """A whole search; src/search/query_text.py reads and writes it as people type it.

    Attributes:
        terms: what hits are like, best first. Several make one score: see SegmentSearch.search.
            Without any, the search is for all that the filter leaves.
        limit: the most hits that are wanted.
        one_of_each: whether hits of the same thing are one hit, the best; see SearchHit.alike.
        beside: what the frame of a hit holds, too, whether the filter leaves that or not; see
            FrameQuery. Their weights are 1.
    """

    terms: tuple[Term, ...] = ()
    filter: Filter = EVERYTHING
    limit: int = 10
    one_of_each: bool = False
    beside: tuple[Term, ...] = ()

    def __post_init__(self) -> None:
        if self.beside and not self.terms:
            raise QueryError("there is nothing that something else is to be with")
        if any(term.weight != 1 for term in self.beside):
            raise QueryError(NO_WEIGHT_BESIDE)

    @property
    def words(self) -> str:
        """All words that are searched for, one after the other."""
        return " ".join(term.text for term in self.terms if isinstance(term, Words))
