"""Errors about one file, which must not stop work on the others."""

from __future__ import annotations

import sqlite3

from src.errors import EmbeddingError, MediaLibraryError, MediaReadError, is_out_of_memory
from src.stopping import StoppedError


def is_file_error(exc: Exception) -> bool:
    """Return whether an error is about one odd file, and not about the library itself.

    The latter ends a job: it would befall the next file, too. So does a person who stops it.
    """
    if isinstance(exc, EmbeddingError | MediaReadError):
        return True
    return not isinstance(exc, MediaLibraryError | sqlite3.Error | StoppedError)


def format_error(exc: Exception) -> str:
    """Write in a line what went wrong; the kind of error where that is all there is to know."""
    if is_out_of_memory(exc):
        return "not enough memory; close other programs, then add it again"
    return " ".join(str(exc).split())[:160] or type(exc).__name__
