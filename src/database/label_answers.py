"""What is known of one label: who has it, who has not, and where those segments are from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from src.database.connection import Connection
from src.database.decisions import OF_PEOPLE, ROWS_OF_TAG
from src.database.duplicate_groups import HIDDEN
from src.database.rows import LISTED
from src.database.text_normalization import casefold_key

_BY_ID = f"{LISTED} wanted CROSS JOIN embeddings e ON e.id = wanted.value"


@dataclass(frozen=True)
class LabelAnswers:
    """The segments that need no answer for a label any more.

    Attributes:
        accepted, rejected: by a person's word, imported ones too.
        accepted_together: by a bulk acceptance, which nobody has looked at one by one.
    """

    accepted: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    accepted_together: tuple[str, ...] = ()


@dataclass(frozen=True)
class EmbeddedSegment:
    """Whose an embedding is, and where that segment is from."""

    segment_id: str
    is_frame: bool
    media_file_id: int
    frame_index: int


def answers_of(connection: Connection, name: str) -> LabelAnswers:
    """Read what holds of a label now."""
    db, key = connection.read(), casefold_key(name)
    accepted: list[str] = []
    together: list[str] = []
    for row in db.execute(
        "SELECT segment_id, source FROM segment_tags"
        f" WHERE source != 'auto' AND tag_id IN ({ROWS_OF_TAG}) ORDER BY segment_id",
        (key,),
    ):
        (accepted if row["source"] in OF_PEOPLE else together).append(row["segment_id"])
    rejected = db.execute(
        f"SELECT segment_id FROM removed_tags WHERE tag_id IN ({ROWS_OF_TAG}) ORDER BY segment_id",
        (key,),
    )
    return LabelAnswers(
        tuple(accepted), tuple(row["segment_id"] for row in rejected), tuple(together)
    )


def embedding_ids(connection: Connection, model_id: int, segment_ids: Sequence[str]) -> np.ndarray:
    """Look up the rows of segments' embeddings: (N,) int64, in any order."""
    rows = connection.read().execute(
        f"SELECT e.id FROM {LISTED} wanted CROSS JOIN embeddings e"
        " ON e.segment_id = wanted.value AND e.model_id = ?",
        (json.dumps(list(segment_ids)), model_id),
    )
    return np.fromiter((row["id"] for row in rows), np.int64)


def hidden_embedding_ids(connection: Connection, model_id: int) -> np.ndarray:
    """Look up the rows of the embeddings of hidden copies: (N,) int64, in any order."""
    rows = connection.read().execute(
        f"SELECT e.id FROM ({HIDDEN}) hidden CROSS JOIN frames f"
        " ON f.media_file_id = hidden.media_file_id CROSS JOIN segments s ON s.frame_id = f.id"
        " CROSS JOIN embeddings e ON e.segment_id = s.id AND e.model_id = ?",
        (model_id,),
    )
    return np.fromiter((row["id"] for row in rows), np.int64)


def embedded_segments(connection: Connection, wanted: Iterable[int]) -> dict[int, EmbeddedSegment]:
    """Look up whose embeddings are, by their rows; what is gone is left out."""
    rows = connection.read().execute(
        "SELECT e.id, s.id AS segment_id, s.kind, f.media_file_id, f.frame_index"
        f" FROM {_BY_ID} CROSS JOIN segments s ON s.id = e.segment_id"
        " CROSS JOIN frames f ON f.id = s.frame_id",
        (json.dumps([int(each) for each in wanted]),),
    )
    return {
        row["id"]: EmbeddedSegment(
            row["segment_id"], row["kind"] == "frame", row["media_file_id"], row["frame_index"]
        )
        for row in rows
    }


def segment_places(
    connection: Connection, segment_ids: Sequence[str]
) -> dict[str, tuple[int, int, bool]]:
    """Look up of segments the media file, the frame's index, and whether it is the whole frame."""
    rows = connection.read().execute(
        f"SELECT s.id, s.kind, f.media_file_id, f.frame_index FROM {LISTED} wanted"
        " CROSS JOIN segments s ON s.id = wanted.value CROSS JOIN frames f ON f.id = s.frame_id",
        (json.dumps(list(segment_ids)),),
    )
    return {
        row["id"]: (row["media_file_id"], row["frame_index"], row["kind"] == "frame")
        for row in rows
    }
