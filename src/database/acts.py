"""Acts of people, undone and done again as a whole: words on segments, labels, tracks."""

from __future__ import annotations

import json
import sqlite3
import time

from src.database.act_rows import UNDOABLE, batches_on, is_undone, redo_rows, undo_rows
from src.database.decisions import OF_PEOPLE, settle_decided
from src.database.label_acts import make_label, redo_acts, undo_acts
from src.database.rows import LISTED
from src.database.track_acts import put_in_tracks, tracks_of, turn_tracks
from src.database.track_labels import follow_decided


def undo(db: sqlite3.Connection, batch: str) -> int:
    """Take a whole act back: what was decided before holds again.

    Returns:
        How many decisions were taken back, or hold again; of an act that decided nothing, how many
        changes of labels, or how many segments are in other tracks. 0 for an act that has been
        undone, or that nobody knows.

    Raises:
        QueryError: another label has the name by now that one had before.
    """
    tracked = turn_tracks(db, batch, undo=True)
    decided = _turn(db, batch, time.time())
    changed = undo_acts(db, batch)
    _list_given(db, batch)
    return decided or changed or tracked


def redo(db: sqlite3.Connection, batch: str) -> int:
    """Do a whole act again that was undone; see undo."""
    changed = redo_acts(db, batch)
    tracked = turn_tracks(db, batch, undo=False)
    decided = _turn(db, batch, None)
    _list_given(db, batch)
    return decided or changed or tracked


def size_of(db: sqlite3.Connection, batch: str) -> tuple[int, int]:
    """Count what holds of an act: the labels that people decided on by it, and its tracks."""
    decided = db.execute(
        "SELECT count(*) FROM decisions WHERE batch = ? AND undone_at IS NULL"
        f" AND source IN {LISTED}",
        (batch, json.dumps(OF_PEOPLE)),
    ).fetchone()
    return int(decided[0]), tracks_of(db, batch)


def catch_up(db: sqlite3.Connection, segment_id: str, batch: str) -> None:
    """Apply to a restored segment the acts that were undone or redone while it was gone.

    Args:
        batch: the act by which it comes back; a tag that a person gave it is a label again.
    """
    changed = list[int]()
    for other in batches_on(db, segment_id):
        was_undone = is_undone(db, other, segment_id)
        for table in UNDOABLE if was_undone is not None else ():
            rows = (undo_rows if was_undone else redo_rows)(db, table, other, segment_id)
            changed += rows if table == "decisions" else []
    settle_decided(db, changed)
    put_in_tracks(db, [segment_id])
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
    settle_decided(db, list(rows["decisions"]))
    follow_decided(db, list(rows["decisions"]))
    return sum(map(len, rows.values())) + settled
