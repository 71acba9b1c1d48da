"""Messages of the engine as a window says them: a title, sentences, and details apart."""

from __future__ import annotations

import re
from collections.abc import Sequence

from src.errors import (
    CheckpointError,
    ClusterError,
    DatabaseError,
    DownloadError,
    ExportError,
    MediaLibraryError,
    MediaReadError,
    ModelNotLoadedError,
    QueryError,
)

# What failed, where nothing more is known of it.
_TITLES: tuple[tuple[type[Exception], str], ...] = (
    (MediaReadError, "Couldn't read the file"),
    (ModelNotLoadedError, "A model is missing"),
    (CheckpointError, "Couldn't use the model"),
    (DownloadError, "Couldn't download the model"),
    (DatabaseError, "Couldn't use the library"),
    (ExportError, "Couldn't export the dataset"),
    (ClusterError, "Couldn't use the cluster"),
    (QueryError, "Couldn't search"),
)
_DAMAGED = "damaged or incomplete"


def capital(text: str) -> str:
    """Capitalise the first letter, as labels do."""
    return text[:1].upper() + text[1:]


def listed(words: Sequence[str]) -> str:
    """Join words as a sentence does: device, appearance and batch size."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def as_sentence(text: str) -> str:
    """Add a capital and a full stop; a path or a file's name stays as it is."""
    text = text.strip()
    first = text.split(maxsplit=1)[0] if text else ""
    if first.rstrip(",.;:").isalpha():
        text = capital(text)
    return text if not text or text[-1] in ".!?…" else f"{text}."


def reason_and_details(reason: str) -> tuple[str, str]:
    """Split a reason from the details in brackets, which a library or the system gave."""
    match = re.fullmatch(r"(.*?) \((.*)\)(.*)", reason, re.DOTALL)
    if match is None or match[3][:1] not in ("", ";"):
        return reason, ""
    return match[1] + match[3], match[2]


def why_not_added(reason: str | None) -> tuple[str, str]:
    """Return why a file could not be added and what to do, and the details behind it.

    Args:
        reason: as a job said it; None where it is not known.
    """
    short, details = reason_and_details(reason or "the file could not be read")
    advice = " Replace the file with a good copy, then retry." if _DAMAGED in short else ""
    return as_sentence(short) + advice, details


def explained(exc: Exception) -> tuple[str, str]:
    """Return an error as a sentence for a person, and its details."""
    if isinstance(exc, MediaReadError):
        short, details = reason_and_details(exc.reason)
        details = f"{exc.path}\n{details}".rstrip()
        return f"{exc.path.name}: {as_sentence(short)}", details
    if isinstance(exc, MediaLibraryError):
        cause = f"{type(exc.__cause__).__name__}: {exc.__cause__}" if exc.__cause__ else ""
        return as_sentence(str(exc)), cause
    return "Something unexpected went wrong. Nothing in your library was lost.", (
        f"{type(exc).__name__}: {exc}"
    )


def title_of(exc: Exception) -> str:
    """Return what failed: its first note, which the caller that asked for the work added."""
    notes: list[str] = getattr(exc, "__notes__", [])
    if notes:
        return notes[0]
    return next((title for kind, title in _TITLES if isinstance(exc, kind)), "Unexpected error")
