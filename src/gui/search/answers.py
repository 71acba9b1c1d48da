"""What is said about the answer to a search: what it was for, and why nothing was found."""

from __future__ import annotations

from src.gui.core.wording import listed
from src.records import SearchResult
from src.search.query import Like, Query

NO_FIT = "Nothing in your library fits these conditions."
NO_IMAGES = "Nothing like this image was found. Add more photos and videos."
INVITATION = (
    "Type what you're looking for and press Enter:\n"
    "a colour, a shape, a texture or a tag of your own."
)
IMAGES_HERE = "Similar images will appear here."
_HINT = "Try colours, shapes and textures: “something red”, “a blue circle”."


def unknown_words(query: Query, result: SearchResult) -> str:
    """Say which words the models don't know, and what the hits are for; "" where they know all."""
    if not result.unknown_words:
        return ""
    words = listed([f"“{word}”" for word in result.unknown_words])
    known = " ".join(result.known_words)
    if known and len(query.terms) == 1:
        searched = f"for “{known}” only"
    else:
        searched = "without it" if len(result.unknown_words) == 1 else "without them"
    rest = f" Showing results {searched}." if result.hits else ""
    return f"The starter models don't know {words}.{rest}"


def nothing_understood(query: Query, result: SearchResult) -> str:
    """Say what to try where no word of a query is known, and it has nothing but words."""
    none = "" if result.has_words else f"There is no word in “{query.words}” to search for.\n"
    return none + _HINT


def similar_to(query: Query, result: SearchResult) -> str:
    """Write what hits are similar to, where they are searched for by one segment alone."""
    only = query.terms[0] if len(query.terms) == 1 else None
    if not isinstance(only, Like):
        return ""
    names = (hit.segment.media_path.name for hit in result if hit.segment.id == only.segment_id)
    return f", similar to a segment of {next(names, 'your library')}"
