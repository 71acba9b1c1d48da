"""Which tags segments have: every act is kept, and here alone it is decided which of them holds.

`decisions` has a row for each act on a segment and a tag. `segment_tags` is what holds now, and
`removed_tags` what a person's word keeps away; both follow from the decisions. What a model says
is written into `segment_tags` at once, and is kept as a decision only where somebody else has
decided as well: there it waits behind their word, for the case that they take it back.
"""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from src.database.act_rows import (
    UNDOABLE,
    batches_on,
    ids_of,
    is_undone,
    redo_rows,
    set_undone,
    undo_rows,
)
from src.database.label_acts import make_label, redo_acts, undo_acts
from src.database.text_normalization import casefold_key
from src.records import Decision, Tag, TagSource

# The word of each goes before that of those behind it: a person's, that of the people who labelled
# what was imported, what was carried over from segments alike, a model's.
SOURCES: tuple[TagSource, ...] = ("human", "imported", "propagated", "auto")
# Whose word is never lost; `propagated` is a model's guess from a person's word.
OF_PEOPLE: tuple[TagSource, ...] = ("human", "imported")

RANK = "CASE source " + " ".join(f"WHEN '{s}' THEN {i}" for i, s in enumerate(SOURCES)) + " END"
_OF_PEOPLE = ", ".join(f"'{source}'" for source in OF_PEOPLE)
IS_OF_PEOPLE = f"source IN ({_OF_PEOPLE})"
# Whether nothing automatic may take a segment `s` away: a person has decided on it, or it is none
# of SAM's. All three tables are asked, since one of them may be damaged.
IS_KEPT = f"""(s.origin != 'sam'
    OR EXISTS (SELECT 1 FROM decisions d WHERE d.segment_id = s.id AND d.undone_at IS NULL
        AND d.{IS_OF_PEOPLE})
    OR EXISTS (SELECT 1 FROM segment_tags st WHERE st.segment_id = s.id
        AND st.{IS_OF_PEOPLE})
    OR EXISTS (SELECT 1 FROM removed_tags r WHERE r.segment_id = s.id))"""
# The same of a frame `f`: a person has looked at it, and said what is in it.
FRAME_IS_KEPT = f"""EXISTS (SELECT 1 FROM decisions d WHERE d.frame_id = f.id
    AND d.undone_at IS NULL AND d.{IS_OF_PEOPLE})"""

# By the folded name. A library of an earlier version may have several: it took only letters of
# English for the same in both cases.
ROWS_OF_TAG = "SELECT id FROM tags WHERE casefold_key(name) = ?"


def new_batch() -> str:
    """Name an act, which may be on many segments and is undone as a whole."""
    return uuid.uuid4().hex


def put_tags(
    db: sqlite3.Connection, segment_id: str, tags: Iterable[Tag], added_by: str, batch: str
) -> None:
    """Put tags on a segment, each by its source; one that is there keeps the stronger word."""
    for tag in tags:
        tag_id = _tag_row(db, tag.name, added_by)
        if tag.source == "auto":
            _propose(db, segment_id, tag_id, tag.confidence)
        else:
            decision = Decision(tag.name, True, tag.source, tag.confidence, time.time(), batch)
            _decide(db, segment_id, tag_id, decision)
            make_label(db, tag_id, batch)


def remove_tag(
    db: sqlite3.Connection, segment_id: str, name: str, batch: str, source: TagSource = "human"
) -> None:
    """Take a tag off a segment; where a person does it no model gives it again."""
    decision = Decision(name, False, source, 1.0, time.time(), batch)
    rows = db.execute(
        f"SELECT t.id FROM segments s, tags t WHERE s.id = ? AND t.id IN ({ROWS_OF_TAG})",
        (segment_id, casefold_key(name)),
    ).fetchall()
    for (tag_id,) in rows:
        _decide(db, segment_id, tag_id, decision)


def repeat(db: sqlite3.Connection, segment_id: str, decisions: Iterable[Decision]) -> None:
    """Let what was decided on one segment be decided on another, when and in which act it was."""
    for decision in decisions:
        tag_id = _tag_row(db, decision.tag, "human")
        _decide(db, segment_id, tag_id, decision)
        if decision.has_tag and decision.source != "auto":
            make_label(db, tag_id, decision.batch or new_batch())


def replace_automatic_tags(db: sqlite3.Connection, tags: Mapping[str, Sequence[Tag]]) -> None:
    """Put other automatic tags on segments, which give way to every other word.

    Args:
        tags: by segment; one that is gone meanwhile is left out.
    """
    for segment_id, some in tags.items():
        for table in ("segment_tags", "decisions"):
            db.execute(
                f"DELETE FROM {table} WHERE segment_id = ? AND source = 'auto'", (segment_id,)
            )
        if db.execute("SELECT 1 FROM segments WHERE id = ?", (segment_id,)).fetchone():
            for tag in some:
                _propose(db, segment_id, _tag_row(db, tag.name, "vocabulary"), tag.confidence)


def decide_on_frame(db: sqlite3.Connection, frame_id: int, decisions: Iterable[Decision]) -> None:
    """Write down whether a frame has anything of a tag in it."""
    for decision in decisions:
        tag_id = _tag_row(db, decision.tag, "human")
        _write_down(db, None, frame_id, tag_id, decision)


def take_back(
    db: sqlite3.Connection, tag_id: int, batch: str, segment_ids: Sequence[str] | None = None
) -> int:
    """Let no word of people on a tag hold any more, nor what was carried over from them.

    Args:
        batch: the act; undoing it lets all of them hold again.
        segment_ids: on these alone; None for all segments and frames.

    Returns:
        How many decisions hold no more.
    """
    here = "1" if segment_ids is None else "segment_id IN (SELECT value FROM json_each(?))"
    values = [tag_id] if segment_ids is None else [tag_id, json.dumps(list(segment_ids))]
    taken = {}
    for table, column in UNDOABLE.items():
        taken[table] = ids_of(
            db,
            f"SELECT id FROM {table} WHERE tag_id = ? AND {here} AND source != 'auto'"
            " AND undone_at IS NULL",
            *values,
        )
        db.executemany(
            f"INSERT INTO retractions (batch, {column}) VALUES (?, ?)",
            [(batch, row_id) for row_id in taken[table]],
        )
        set_undone(db, table, taken[table], time.time())
    _settle_all(db, taken["decisions"])
    return len(taken["decisions"])


def undo(db: sqlite3.Connection, batch: str) -> int:
    """Take a whole act back: what was decided before holds again.

    Returns:
        How many decisions were taken back, or hold again; of an act that decided nothing, how many
        changes of labels. 0 for an act that has been undone, or that nobody knows.

    Raises:
        QueryError: another label has the name by now that one had before.
    """
    decided = _turn(db, batch, time.time())
    changed = undo_acts(db, batch)
    _list_given(db, batch)
    return decided or changed


def redo(db: sqlite3.Connection, batch: str) -> int:
    """Do a whole act again that was undone; see undo."""
    changed = redo_acts(db, batch)
    decided = _turn(db, batch, None)
    _list_given(db, batch)
    return decided or changed


def catch_up(db: sqlite3.Connection, segment_id: str, batch: str) -> None:
    """Let a segment that comes back be as the acts say that were undone, or done again, meanwhile.

    Args:
        batch: the act by which it comes back; a tag that a person gave it is a label again.
    """
    changed = list[int]()
    for other in batches_on(db, segment_id):
        was_undone = is_undone(db, other, segment_id)
        for table in UNDOABLE if was_undone is not None else ():
            rows = (undo_rows if was_undone else redo_rows)(db, table, other, segment_id)
            changed += rows if table == "decisions" else []
    _settle_all(db, changed)
    given = db.execute(
        "SELECT tag_id FROM segment_tags JOIN tags t ON t.id = tag_id WHERE segment_id = ?"
        " AND source != 'auto' AND t.position IS NULL",
        (segment_id,),
    ).fetchall()
    for (tag_id,) in given:
        make_label(db, tag_id, batch)


def _list_given(db: sqlite3.Connection, batch: str) -> None:
    """Make labels of the tags of an act that segments have now by people's word, and are none.

    So it is where a label was removed, or what made it undone, before the word holds again.
    """
    rows = db.execute(
        "SELECT id FROM tags WHERE position IS NULL AND id IN (SELECT tag_id FROM decisions"
        " WHERE batch = ?1 UNION SELECT d.tag_id FROM retractions r JOIN decisions d"
        " ON d.id = r.decision_id WHERE r.batch = ?1) AND EXISTS (SELECT 1 FROM segment_tags st"
        " WHERE st.tag_id = tags.id AND st.source != 'auto') ORDER BY id",
        (batch,),
    ).fetchall()
    for (tag_id,) in rows:
        make_label(db, tag_id, batch)


def _turn(db: sqlite3.Connection, batch: str, undone_at: float | None) -> int:
    """Undo an act, or do it again where `undone_at` is None; returns how many rows that changed."""
    was = "IS NOT NULL" if undone_at is None else "IS NULL"
    turn = redo_rows if undone_at is None else undo_rows
    rows = {table: set(turn(db, table, batch)) for table in UNDOABLE}
    settled = db.execute(
        f"UPDATE settled_disagreements SET undone_at = ? WHERE batch = ? AND undone_at {was}",
        (undone_at, batch),
    ).rowcount
    _settle_all(db, list(rows["decisions"]))
    return sum(map(len, rows.values())) + settled


def _settle_all(db: sqlite3.Connection, decisions: Sequence[int]) -> None:
    """Settle what some decisions were on, by their ids."""
    pairs = db.execute(
        "SELECT DISTINCT segment_id, tag_id FROM decisions"
        " WHERE id IN (SELECT value FROM json_each(?)) AND segment_id IS NOT NULL",
        (json.dumps(list(decisions)),),
    ).fetchall()
    for segment_id, tag_id in pairs:
        _settle(db, segment_id, tag_id)


def _decide(db: sqlite3.Connection, segment_id: str, tag_id: int, decision: Decision) -> None:
    pair = (segment_id, tag_id)
    # a model's word that is covered now waits behind it
    db.execute(
        "INSERT INTO decisions (segment_id, tag_id, has_tag, source, confidence)"
        " SELECT segment_id, tag_id, 1, source, confidence FROM segment_tags"
        " WHERE segment_id = ? AND tag_id = ? AND source = 'auto' AND NOT EXISTS"
        " (SELECT 1 FROM decisions d WHERE d.segment_id = segment_tags.segment_id"
        " AND d.tag_id = segment_tags.tag_id AND d.source = 'auto')",
        pair,
    )
    _write_down(db, segment_id, None, tag_id, decision)
    _settle(db, *pair)


def _write_down(
    db: sqlite3.Connection,
    segment_id: str | None,
    frame_id: int | None,
    tag_id: int,
    decision: Decision,
) -> None:
    db.execute(
        "INSERT INTO decisions (segment_id, frame_id, tag_id, has_tag, source, confidence,"
        " decided_at, batch) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            segment_id,
            frame_id,
            tag_id,
            int(decision.has_tag),
            decision.source,
            decision.confidence,
            decision.decided_at,
            decision.batch,
        ),
    )


def _propose(db: sqlite3.Connection, segment_id: str, tag_id: int, confidence: float) -> None:
    """Take a model's word, which holds where nobody else has decided."""
    pair = (segment_id, tag_id)
    if not db.execute(
        "SELECT 1 FROM decisions WHERE segment_id = ? AND tag_id = ?", pair
    ).fetchone():
        _hold(db, pair, confidence, "auto")
        return
    db.execute(
        "DELETE FROM decisions WHERE segment_id = ? AND tag_id = ? AND source = 'auto'", pair
    )
    db.execute(
        "INSERT INTO decisions (segment_id, tag_id, has_tag, source, confidence)"
        " VALUES (?, ?, 1, 'auto', ?)",
        (*pair, confidence),
    )
    _settle(db, *pair)


def _settle(db: sqlite3.Connection, segment_id: str, tag_id: int) -> None:
    """Write down what holds of a segment and a tag: the strongest word, and of those the last."""
    pair = (segment_id, tag_id)
    word = db.execute(
        "SELECT has_tag, source, confidence FROM decisions"
        " WHERE segment_id = ? AND tag_id = ? AND undone_at IS NULL"
        f" ORDER BY {RANK}, id DESC LIMIT 1",
        pair,
    ).fetchone()
    db.execute("DELETE FROM removed_tags WHERE segment_id = ? AND tag_id = ?", pair)
    if word is not None and word[0]:
        _hold(db, pair, word[2], word[1])
        return
    db.execute("DELETE FROM segment_tags WHERE segment_id = ? AND tag_id = ?", pair)
    if word is not None and word[1] in OF_PEOPLE:
        db.execute("INSERT INTO removed_tags (segment_id, tag_id) VALUES (?, ?)", pair)


def _hold(
    db: sqlite3.Connection, pair: tuple[str, int], confidence: float, source: TagSource
) -> None:
    db.execute(
        "INSERT INTO segment_tags (segment_id, tag_id, confidence, source) VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET confidence = excluded.confidence, source = excluded.source",
        (*pair, confidence, source),
    )


def _tag_row(db: sqlite3.Connection, name: str, added_by: str) -> int:
    """Give a tag's row id inside a transaction, adding the tag when it is new."""
    # the first is quick, and nearly always enough; the second goes through all names
    for query, value in (
        ("SELECT id FROM tags WHERE name = ?", name),
        (f"{ROWS_OF_TAG} ORDER BY id LIMIT 1", casefold_key(name)),
    ):
        row = db.execute(query, (value,)).fetchone()
        if row is not None:
            return int(row[0])
    added = db.execute("INSERT INTO tags (name, added_by) VALUES (?, ?)", (name, added_by))
    return cast(int, added.lastrowid)
