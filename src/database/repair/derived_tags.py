"""What holds of tags and what was decided of them follow from each other: one restores the other.

`segment_tags` and `removed_tags` are what holds now, `decisions` the acts that it follows from.
Where rows of one side are lost, they are made anew from the other.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from src.database.checksums import checked_columns, checksum_sql
from src.database.decisions import IS_IN_PLACE, OF_PEOPLE, RANK, SAID
from src.records import TagSource

HELD = ("segment_tags", "removed_tags")

Pair = tuple[str, int]  # a segment's id and a tag's


class Word(NamedTuple):
    """What holds of a segment and a tag."""

    has_tag: bool
    source: TagSource
    confidence: float


REMOVED = Word(False, "human", 1.0)


def decided(db: sqlite3.Connection) -> dict[Pair, Word | None]:
    """Find what holds of each pair that was decided on, by the decisions that are sound.

    Returns:
        By pair: a tag with its source, REMOVED, or None where nothing holds any more.
    """
    columns = checked_columns(db, "decisions")
    checksum = checksum_sql(columns)  # another program writes none
    rows = db.execute(
        "SELECT segment_id, tag_id, has_tag, source, confidence, undone_at FROM decisions d"
        f" WHERE segment_id IS NOT NULL AND ifnull(checksum, {checksum}) = {checksum}"
        f" AND {IS_IN_PLACE} ORDER BY {RANK} DESC, {SAID}, id"
    )
    found: dict[Pair, Word | None] = {}
    for segment_id, tag_id, has_tag, source, confidence, undone_at in rows:
        pair = (segment_id, tag_id)
        if undone_at is not None:
            found.setdefault(pair, None)
        elif has_tag:  # the strongest comes last
            found[pair] = Word(True, source, confidence)
        else:
            found[pair] = REMOVED if source in OF_PEOPLE else None
    return found


def restore_from_decisions(db: sqlite3.Connection, decisions_are_whole: bool) -> None:
    """Write down what holds where nothing is written down, as it was decided.

    Args:
        decisions_are_whole: what is written down gives way to them, too: where it says something
            else it came from a backup.
    """
    held = _held(db)
    for pair, word in decided(db).items():
        there = held.get(pair)
        if there == word or (there is not None and not decisions_are_whole):
            continue
        for table in HELD:
            db.execute(f"DELETE FROM {table} WHERE segment_id = ? AND tag_id = ?", pair)
        if word == REMOVED:
            db.execute("INSERT INTO removed_tags (segment_id, tag_id) VALUES (?, ?)", pair)
        elif word is not None:
            db.execute(
                "INSERT INTO segment_tags (segment_id, tag_id, confidence, source)"
                " VALUES (?, ?, ?, ?)",
                (*pair, word.confidence, word.source),
            )


def restore_decisions(db: sqlite3.Connection) -> None:
    """Decide what holds, where the decisions that are left say something else.

    When that was nobody knows, nor in which act. A model's word alone needs no decision.
    """
    known = decided(db)
    for pair, word in _held(db).items():
        if word != known.get(pair) and (word.source != "auto" or pair in known):
            db.execute(
                "INSERT INTO decisions (segment_id, tag_id, has_tag, source, confidence)"
                " VALUES (?, ?, ?, ?, ?)",
                (*pair, int(word.has_tag), word.source, word.confidence),
            )


def _held(db: sqlite3.Connection) -> dict[Pair, Word]:
    """Read what is written down as what holds, without what only a model ever said."""
    rows = db.execute("SELECT segment_id, tag_id FROM removed_tags")
    found = dict.fromkeys(map(tuple, rows), REMOVED)
    for segment_id, tag_id, source, confidence in db.execute(
        "SELECT segment_id, tag_id, source, confidence FROM segment_tags WHERE source != 'auto'"
        " OR (segment_id, tag_id) IN (SELECT segment_id, tag_id FROM decisions)"
    ):
        found[segment_id, tag_id] = Word(True, source, confidence)
    return found
