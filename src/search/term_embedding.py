"""Terms as one CLIP reads them, and the one embedding that several become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from src.database.text_normalization import as_query
from src.errors import QueryError
from src.models.clip_encoder import ClipEncoder
from src.search.query import Term, Words


@dataclass(frozen=True)
class ReadTerms:
    """What a CLIP makes of terms.

    Attributes:
        terms: with their words as they are embedded; words of which none is known are left out.
        unknown, known: the words that it was never taught, and the others.
    """

    terms: tuple[Term, ...]
    unknown: tuple[str, ...]
    known: tuple[str, ...]


def read_terms(clip: ClipEncoder, terms: Sequence[Term]) -> ReadTerms:
    """Read the words among terms."""
    read, unknown, known = list[Term](), list[str](), list[str]()
    for term in terms:
        if isinstance(term, Words):
            term = replace(term, text=as_query(term.text))
            unknown += clip.unknown_words(term.text)
            if not (words := clip.known_words(term.text)):
                continue
            known += words
        read.append(term)
    return ReadTerms(tuple(read), tuple(unknown), tuple(known))


def sum_of(terms: Sequence[Term], embeddings: Sequence[np.ndarray]) -> np.ndarray:
    """Add up the embeddings of terms by their weights: (512,) float32, of any length.

    Raises:
        QueryError: they cancel each other.
    """
    weighted = [term.weight * each for term, each in zip(terms, embeddings, strict=True)]
    total = np.sum(weighted, axis=0)
    if float(np.linalg.norm(total)) < 1e-6:
        raise QueryError("the parts of this search cancel each other; take one away")
    return np.asarray(total)
