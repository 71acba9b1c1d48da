"""Which attributes segments with a label have, as a column of `tags` holds them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict

from src.label_records import LabelAttribute


def attributes_of_text(text: str | None) -> tuple[LabelAttribute, ...]:
    """Read what the column holds; what is no attribute is left out."""
    try:
        listed = json.loads(text or "[]")
    except ValueError:
        return ()
    found = []
    for each in listed if isinstance(listed, list) else ():
        if not isinstance(each, dict):
            continue
        name, kind, choices = each.get("name"), each.get("kind"), each.get("choices")
        words = choices if isinstance(choices, list) else []
        if isinstance(name, str) and name and (kind == "choice" or kind == "number"):
            said = tuple(word for word in words if isinstance(word, str))
            found.append(LabelAttribute(name, kind, said))
    return tuple(found)


def merged_attribute(one: LabelAttribute, other: LabelAttribute) -> LabelAttribute:
    """Return an attribute with the choices of both; the first where they are of different kinds."""
    if one.kind != other.kind:
        return one
    return LabelAttribute(one.name, one.kind, tuple(dict.fromkeys(one.choices + other.choices)))


def text_of_attributes(attributes: Iterable[LabelAttribute]) -> str | None:
    """Write what the column holds; None where there are no attributes."""
    listed = [asdict(each) for each in attributes]
    return json.dumps(listed, ensure_ascii=False) if listed else None
