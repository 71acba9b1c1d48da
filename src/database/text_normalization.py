"""Words as people type them, and when two of them are the same."""

from __future__ import annotations

import unicodedata

from src.errors import QueryError


def normalize_text(text: str) -> str:
    """Bring typed text to one form: single spaces, accents and letters in one.

    Raises:
        QueryError: it holds what is no character, as an argument in another encoding does.
    """
    if not is_text(text):
        raise QueryError(
            "these words hold something that is no character; type them anew, in UTF-8"
        )
    return unicodedata.normalize("NFC", " ".join(text.split()))


def is_text(text: str) -> bool:
    """Return whether all of it are characters; no row has anything else."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def as_query(text: str) -> str:
    """Bring a query to the letters that models were taught: a wide or a styled one is that letter.

    Raises:
        QueryError: see normalize_text.
    """
    # a character on its own that is an accent on a space becomes that
    return " ".join(unicodedata.normalize("NFKC", normalize_text(text)).split())


def casefold_key(text: str) -> str:
    """Return what is the same for all texts that differ in case, encoding of accents or width only.

    That is a compatibility caseless match (The Unicode Standard, 3.13, D146).
    """
    if text.isascii():
        return text.lower()  # the same, in a fifth of the time
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFD", text).casefold())
    return unicodedata.normalize("NFKD", text.casefold())
