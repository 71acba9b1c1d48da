"""Embeddings that go with a segment, or with its mask: kept as text, and put back as they were."""

from __future__ import annotations

import base64
import binascii
import sqlite3
from collections.abc import Iterable
from typing import Any

import numpy as np

from src.database.stored_vectors import has_length, usable


def kept_embeddings(db: sqlite3.Connection, segment_id: str) -> list[dict[str, str]]:
    """Read a segment's embeddings of all models: the name of each, and its vector in base64."""
    rows = db.execute(
        "SELECT m.name, e.vector FROM embeddings e JOIN models m ON m.id = e.model_id"
        " WHERE e.segment_id = ? ORDER BY e.id",
        (segment_id,),
    )
    return [
        {"model": name, "vector": base64.b64encode(vector).decode("ascii")}
        for name, vector in rows
        if has_length(vector)
    ]


def put_embeddings(db: sqlite3.Connection, segment_id: str, kept: Iterable[Any]) -> None:
    """Put a segment's embeddings back; inside the caller's transaction.

    They get new row ids: none is given twice. One that can't be what was kept, or of a model that
    the library no longer has, is left out; the segment is embedded again then.
    """
    for each in kept:
        try:
            model, vector = each["model"], base64.b64decode(each["vector"], validate=True)
        except (TypeError, KeyError, ValueError, binascii.Error):
            continue
        if not isinstance(model, str) or not has_length(vector):
            continue
        if usable(np.frombuffer(vector, "<f4")[None])[0]:
            db.execute(
                "INSERT OR IGNORE INTO embeddings (segment_id, model_id, vector)"
                " SELECT ?, id, ? FROM models WHERE name = ?",
                (segment_id, vector, model),
            )
