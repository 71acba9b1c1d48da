"""What an export is about."""

from __future__ import annotations

from dataclasses import dataclass

from src.search.filters import EVERYTHING, Filter


@dataclass(frozen=True)
class ExportSelection:
    """Segments, and the tags that they are exported under.

    Attributes:
        where: which segments.
        limits: which of them are good enough; the others are counted as left out.
        labels: the tags that a segment is exported under where it has them; None for all it has.
        min_confidence: tags that are less sure are left out, and counted so; 0 to 1.
    """

    where: Filter = EVERYTHING
    limits: Filter = EVERYTHING
    labels: frozenset[str] | None = None
    min_confidence: float = 0.0
