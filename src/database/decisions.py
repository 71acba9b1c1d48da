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

from src.database.act_rows import UNDOABLE, ids_of, set_undone
from src.database.label_acts import make_label
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

_LISTED = "(SELECT value FROM json_each(?))"
# Whether a decision `d` holds by where it came from: a word carried over along a track holds on
# what is in the track of the segment that it came from. See track_labels.
IS_IN_PLACE = """(d.from_segment IS NULL OR EXISTS (SELECT 1 FROM segments me JOIN segments o
    ON o.track_id = me.track_id WHERE me.id = d.segment_id AND o.id = d.from_segment))"""
# Of words that were carried over, when they were said goes before when they came along.
SAID = """ifnull((SELECT max(w.id) FROM decisions w WHERE w.segment_id = d.from_segment
    AND w.tag_id = d.tag_id AND w.batch IS d.batch), d.id)"""

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
    db: sqlite3.Connection,
    tag_id: int,
    batch: str,
    segment_ids: Sequence[str] | None = None,
    carried_over: Sequence[int] = (),
) -> int:
    """Let no word of people on a tag hold any more, nor what was carried over from them.

    Args:
        batch: the act; undoing it lets all of them hold again.
        segment_ids: on these alone; None for all segments and frames.
        carried_over: decisions on others that came from these; see track_labels.

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
        taken[table] += carried_over if table == "decisions" else []
        db.executemany(
            f"INSERT INTO retractions (batch, {column}) VALUES (?, ?)",
            [(batch, row_id) for row_id in taken[table]],
        )
        set_undone(db, table, taken[table], time.time())
    settle_decided(db, taken["decisions"])
    return len(taken["decisions"])


def settle_decided(db: sqlite3.Connection, decisions: Sequence[int]) -> None:
    """Settle what some decisions were on, by their ids."""
    pairs = db.execute(
        "SELECT DISTINCT segment_id, tag_id FROM decisions"
        f" WHERE id IN {_LISTED} AND segment_id IS NOT NULL",
        (json.dumps(list(decisions)),),
    ).fetchall()
    settle(db, [(row[0], row[1]) for row in pairs])


def settle(db: sqlite3.Connection, pairs: Sequence[tuple[str, int]]) -> None:
    """Write down what holds of segments and tags: the strongest word, and of those the last."""
    if not pairs:
        return
    wanted = json.dumps(pairs)
    asked = (
        "WITH asked AS MATERIALIZED (SELECT json_extract(value, '$[0]') AS segment_id,"
        " json_extract(value, '$[1]') AS tag_id FROM json_each(?))"
    )
    words = {
        (row[0], row[1]): (row[2], row[3], row[4])
        for row in db.execute(
            f"{asked} SELECT segment_id, tag_id, has_tag, source, confidence FROM (SELECT d.*,"
            f" row_number() OVER (PARTITION BY d.segment_id, d.tag_id ORDER BY {RANK},"
            f" {SAID} DESC, d.id DESC)"
            " AS place FROM asked CROSS JOIN decisions d ON d.segment_id = asked.segment_id"
            f" AND d.tag_id = asked.tag_id WHERE d.undone_at IS NULL AND {IS_IN_PLACE})"
            " WHERE place = 1",
            (wanted,),
        )
    }
    here = f"(segment_id, tag_id) IN ({asked} SELECT segment_id, tag_id FROM asked)"
    db.execute(f"DELETE FROM removed_tags WHERE {here}", (wanted,))
    lacking = [pair for pair in pairs if not words.get(pair, (0,))[0]]
    db.executemany("DELETE FROM segment_tags WHERE segment_id = ? AND tag_id = ?", lacking)
    for pair, (has_tag, source, confidence) in words.items():
        if has_tag:
            _hold(db, pair, confidence, source)
        elif source in OF_PEOPLE:
            db.execute("INSERT INTO removed_tags (segment_id, tag_id) VALUES (?, ?)", pair)


def _decide(db: sqlite3.Connection, segment_id: str, tag_id: int, decision: Decision) -> None:
    cover(db, [segment_id], tag_id)
    _write_down(db, segment_id, None, tag_id, decision)
    settle(db, [(segment_id, tag_id)])


def cover(db: sqlite3.Connection, segment_ids: Sequence[str], tag_id: int) -> None:
    """Keep what models said of a tag, for when the decision that comes now is undone."""
    db.execute(
        "INSERT INTO decisions (segment_id, tag_id, has_tag, source, confidence)"
        " SELECT segment_id, tag_id, 1, source, confidence FROM segment_tags"
        f" WHERE segment_id IN {_LISTED} AND tag_id = ? AND source = 'auto' AND NOT EXISTS"
        " (SELECT 1 FROM decisions d WHERE d.segment_id = segment_tags.segment_id"
        " AND d.tag_id = segment_tags.tag_id AND d.source = 'auto')",
        (json.dumps(list(segment_ids)), tag_id),
    )


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
    settle(db, [pair])


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
