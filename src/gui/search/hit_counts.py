"""How many hits a search has, shown or not."""

from __future__ import annotations

from src.counting import counted
from src.records import SearchResult


def weaker_of(result: SearchResult) -> int | None:
    """How many hits are below the line, where that is known."""
    return None if result.total is None else result.total - (result.strong or 0)


def total_of(result: SearchResult) -> int | None:
    """How many hits there are in all, where that is known."""
    return result.left_by_filter if result.total is None else result.total


def counted_of(shown: int, total: int | None) -> str:
    """Count the hits that are shown, and how many there are in all where that is known."""
    more = total is not None and total > shown
    return f"{shown:,} of {total:,} results" if more else counted(shown, "result")
