"""What a person reads for a part of a query that is searched for."""

from __future__ import annotations

from src.search.query import Image, ImageFile, Like, Term, Words


def name_of_term(term: Term, file_name: str) -> str:
    """Write a term: its words, or what it is like.

    Args:
        file_name: of the file that the segment of a Like is in.
    """
    if isinstance(term, Words):
        return term.text
    if isinstance(term, Like):
        return f"like {file_name}"
    name = term.path.name if isinstance(term, ImageFile) else "a pasted image"
    assert isinstance(term, Image | ImageFile)
    return f"like {name}" + ("" if term.box_xywh is None else ", a part")


def weight_of(term: Term) -> str:
    """Write how much a term weighs: "× 2"; "" where it weighs as much as words do."""
    weight = abs(term.weight)
    return "" if weight == 1 else f"× {weight:g}"
