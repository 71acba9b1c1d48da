"""JSON that may come from anybody."""

from __future__ import annotations

import json
from typing import Any


def read_json(content: bytes | str) -> Any:
    """Read JSON.

    Raises:
        ValueError: it is none, or too deep.
    """
    try:
        return json.loads(content)
    except RecursionError as exc:
        raise ValueError("it is nested too deeply") from exc


def json_object(content: bytes | str) -> dict[str, Any]:
    """Read JSON that is an object.

    Raises:
        ValueError: it is no such thing.
    """
    read = read_json(content)
    if not isinstance(read, dict):
        raise ValueError("it is not a JSON object")
    return read


def listed(value: object) -> list[Any]:
    """Return a list as it is, and nothing where there is none."""
    return value if isinstance(value, list) else []
