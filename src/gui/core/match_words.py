"""How well a hit answers a search, as its card and the view of its frame say it."""

from __future__ import annotations

from src.records import SearchHit

TAGGED, EXAMPLE = "Tagged by you", "Your example"


def mark_of(hit: SearchHit) -> str:
    """Write what a hit is instead of how strong it is; "" for one that was found by its looks."""
    return EXAMPLE if hit.is_example else TAGGED if hit.tagged_so else ""


def match_of(hit: SearchHit) -> str:
    """Write how well a hit answers, as its card says it; "" where nothing was scored."""
    if hit.score is None:
        return ""
    strength = f"{hit.score:.2f}" if hit.strength is None else f"{hit.strength:.0%}"
    return mark_of(hit) or strength
