"""Small facts about model files, kept as JSON beside them so that they are not worked out again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from src.regular_files import read_small

LARGEST_BYTES = 1 << 20

T = TypeVar("T")


def read_facts(file: Path, kinds: type[T] | tuple[type[T], ...]) -> dict[str, T]:
    """Read facts by their names; what can't be read, or is of another kind, is worked out anew."""
    try:
        stored = json.loads(read_small(file, LARGEST_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(stored, dict):
        return {}
    return {key: value for key, value in stored.items() if isinstance(value, kinds)}


def as_json(facts: dict[str, T]) -> bytes:
    """Write facts as they lie in the file."""
    return json.dumps(facts, indent=2, sort_keys=True).encode()
