"""Numbers of things, as a person writes them."""

from __future__ import annotations


def counted(number: int, word: str) -> str:
    """Write how many there are of what: 1 file, 2 files, 1,200 files.

    Args:
        word: for one of them; its plural takes an s.
    """
    return f"{number:,} {word}" + ("" if number == 1 else "s")
