"""What is known, in a process that only reads a library, of the one that writes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# It has the library open; nobody has; it was killed, and has left the library open.
WriterState = Literal["open", "closed", "killed"]

# Of a library, to whoever would change it.
OPENED_TO_READ = (
    "was opened for reading only; to change it, leave out --read-only and close whatever else has "
    "it open"
)


@dataclass(frozen=True)
class ReaderState:
    """A library at one moment, as a process sees it that opened it for reading only.

    Attributes:
        version: another number once anything was committed, by any process.
        writer: what is known of a process that writes.
        lost: why nothing can be read any more, or nothing that is current, and what to do, as a
            sentence; "" while all is well.
    """

    version: int
    writer: WriterState
    lost: str = ""
