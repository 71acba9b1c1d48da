"""Several labels made one: what people said of each is said of the new one."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence

from src.database.decisions import IS_IN_PLACE, RANK, SOURCES, decide_on_frame, repeat
from src.database.label_acts import change_label
from src.database.label_attributes import attributes_of_text, merged_attribute, text_of_attributes
from src.database.rows import LISTED
from src.label_records import LabelAttribute
from src.records import Decision


def _words(
    db: sqlite3.Connection, ids: Sequence[int], of: str
) -> dict[str | int, dict[int, Decision]]:
    """Find the strongest word on each segment, or frame, and tag, without those of models."""
    rows = db.execute(
        f"SELECT {of}, tag_id, has_tag, source, confidence, decided_at FROM decisions d"
        f" WHERE {IS_IN_PLACE} AND tag_id IN {LISTED} AND {of} IS NOT NULL AND undone_at IS NULL"
        f" AND source != 'auto' ORDER BY {RANK} DESC, id",
        (json.dumps(list(ids)),),
    ).fetchall()
    found: dict[str | int, dict[int, Decision]] = {}
    for thing, tag_id, has_tag, source, confidence, decided_at in rows:
        word = Decision("", bool(has_tag), source, confidence, decided_at)
        found.setdefault(thing, {})[tag_id] = word
    return found


def merge_words(db: sqlite3.Connection, ids: Sequence[int], into: int, batch: str) -> None:
    """Let segments have the new label as people said of the old ones."""
    (name,) = db.execute("SELECT name FROM tags WHERE id = ?", (into,)).fetchone()
    for segment_id, words in _words(db, [*ids, into], "segment_id").items():
        # of equal words “it is” goes before “it is not”, and what is said already before all
        tag_id, word = min(
            words.items(),
            key=lambda item: (
                SOURCES.index(item[1].source),
                not item[1].has_tag,
                item[0] != into,
            ),
        )
        if tag_id != into:
            said = Decision(
                name, word.has_tag, word.source, word.confidence, word.decided_at, batch
            )
            repeat(db, str(segment_id), [said])


def merge_frames(
    db: sqlite3.Connection, ids: Sequence[int], into: int, batch: str, is_new: bool
) -> None:
    """A frame was looked at for the new label where it was looked at for each of the old ones."""
    (name,) = db.execute("SELECT name FROM tags WHERE id = ?", (into,)).fetchone()
    needed = {*ids} if is_new else {*ids, into}
    for frame_id, words in _words(db, [*ids, into], "frame_id").items():
        if words.keys() >= needed and words.keys() != {into}:
            has_tag = any(word.has_tag for word in words.values())
            said = Decision(name, has_tag, "human", 1.0, time.time(), batch)
            decide_on_frame(db, int(frame_id), [said])


def merge_attributes(db: sqlite3.Connection, ids: Sequence[int], into: int, batch: str) -> None:
    """Let the new label have the attributes of the old ones, and segments their values."""
    known = dict[str, LabelAttribute]()
    for tag_id in (into, *ids):
        row = db.execute("SELECT attributes FROM tags WHERE id = ?", (tag_id,)).fetchone()
        for each in attributes_of_text(row[0]):
            known[each.name] = merged_attribute(known.get(each.name, each), each)
    change_label(db, into, batch, attributes=text_of_attributes(known.values()))
    rows = db.execute(
        "SELECT segment_id, tag_id, name, value, source, decided_at FROM segment_attributes"
        f" WHERE tag_id IN {LISTED} AND undone_at IS NULL ORDER BY tag_id = ?, {RANK} DESC, id",
        (json.dumps([*ids, into]), into),
    ).fetchall()
    last = {(row[0], row[2]): tuple(row) for row in rows}
    for (segment_id, name), (_, tag_id, _, value, source, decided_at) in last.items():
        fits = name in known and (known[name].kind == "choice") == isinstance(value, str)
        if tag_id != into and (value is None or fits):
            db.execute(
                "INSERT INTO segment_attributes (segment_id, tag_id, name, value, source,"
                " decided_at, batch) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (segment_id, into, name, value, source, decided_at, batch),
            )
