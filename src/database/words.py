"""Words as people type them, and when two of them are the same."""

from __future__ import annotations

import unicodedata

from src.errors import QueryError


def as_typed(text: str) -> str:
    """Bring what somebody typed to one form: single spaces, accents and letters in one.

    Raises:
        QueryError: it holds what is no character, as an argument in another encoding does.
    """
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        raise QueryError(
            "these words hold something that is no character; type them anew, in UTF-8"
        ) from exc
    return unicodedata.normalize("NFC", " ".join(text.split()))


def folded(text: str) -> str:
    """Give what is the same for all texts that differ in case, or in how accents are made, only.

    That is a canonical caseless match (The Unicode Standard, 3.13).
    """
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", text).casefold())
