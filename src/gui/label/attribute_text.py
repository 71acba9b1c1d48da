"""Attributes of a label as people type them: one a line, a name and what it can be."""

from __future__ import annotations

from collections.abc import Iterable

from src.label_records import LabelAttribute

NUMBER = "number"


def write_attributes(attributes: Iterable[LabelAttribute]) -> str:
    """Write attributes, one a line: size: small, large."""
    return "\n".join(
        f"{each.name}: {NUMBER if each.kind == 'number' else ', '.join(each.choices)}"
        for each in attributes
    )


def parse_attributes(text: str) -> list[LabelAttribute]:
    """Read attributes, one a line.

    Raises:
        ValueError: a sentence that says which line is wrong and what it should look like.
    """
    found: dict[str, LabelAttribute] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        name, colon, what = (part.strip() for part in line.partition(":"))
        choices = tuple(dict.fromkeys(each.strip() for each in what.split(",") if each.strip()))
        if not name or not colon or not choices:
            raise ValueError(
                f"Line {number}: write a name, a colon, and choices with commas between them, or "
                f"the word {NUMBER}."
            )
        if name in found:
            raise ValueError(f"Line {number}: “{name}” is there already.")
        if choices == (NUMBER,):
            found[name] = LabelAttribute(name, "number")
        else:
            found[name] = LabelAttribute(name, "choice", choices)
    return list(found.values())
