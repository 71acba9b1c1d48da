"""Edits of masks that people kept: what each segment was before and after, for undo and redo.

A state is the row of a segment and, where the segment goes, all rows that would go with it: its
tags, what was decided on it, its attributes. Its embeddings are in it where they go: with the
segment, or because its mask becomes another one. So undo brings back what was found, at once.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from src.database.acts import catch_up
from src.database.checksums import checked_columns, checked_tables, references
from src.database.connection import Connection
from src.database.row_values import wrong_columns
from src.database.segment_parents import set_parents
from src.database.stored_embeddings import kept_embeddings, put_embeddings
from src.database.track_acts import place_of_row
from src.errors import DatabaseError, QueryError

# What of a segment's row is its mask, and what follows from it. The rest stays in an edit.
MASK_COLUMNS = (
    "x y w h area predicted_iou stability_score mask crop_path crop_hash fingerprint origin"
).split()
_ROW, _ROWS = "row", "rows"
_EMBEDDINGS = "embeddings"

# {"row": columns, "rows": {table: [columns, …]}}; embeddings are as kept_embeddings writes them.
State = dict[str, Any]


@dataclass(frozen=True)
class SegmentEdit:
    """One segment's part of an edit.

    Attributes:
        before, after: None where the segment was not there, or is there no more.
    """

    segment_id: str
    before: State | None
    after: State | None


@dataclass(frozen=True)
class StoredEdit:
    """A kept edit, as the library has it; of an act on several frames what it did to one.

    Attributes:
        frame_id: of the frame, by its row.
        parts: of each segment that it changed, the edited one first.
        edited_at: seconds since the epoch.
    """

    batch: str
    frame_id: int
    parts: tuple[SegmentEdit, ...]
    edited_at: float | None
    is_undone: bool


class SegmentEdits:
    """The edits of a library's masks, and what people have removed from frames."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def edits(self, batch: str) -> list[StoredEdit]:
        """Look up what an act did, frame by frame; nothing where there is none of this name.

        Raises:
            DatabaseError: it is damaged.
        """
        return self._edits("batch = ?", batch)

    def of_frame(self, frame_id: int) -> list[StoredEdit]:
        """List the edits on a frame by its row id, the last one first."""
        return self._edits("frame_id = ?", frame_id)[::-1]

    def crop_paths(self, media_file_id: int | None = None) -> set[str]:
        """List the crop files that undoing and redoing edits needs.

        Args:
            media_file_id: of the edits on its frames; None for all.
        """
        found = set[str]()
        for column in ("before", "after"):
            text = f"CAST(e.{column} AS TEXT)"
            rows = self._connection.read().execute(
                f"SELECT json_extract({text}, '$.row.crop_path') FROM segment_edits e"
                f" JOIN frames f ON f.id = e.frame_id WHERE json_valid({text})"
                " AND (?1 IS NULL OR f.media_file_id = ?1)",
                (media_file_id,),
            )
            found |= {row[0] for row in rows if isinstance(row[0], str)}
        return found

    def removed_masks(self, frame_id: int) -> list[bytes]:
        """List the masks that people have removed from a frame, by its row id."""
        rows = self._connection.read().execute(
            "SELECT mask FROM removed_segments WHERE frame_id = ? AND mask IS NOT NULL ORDER BY id",
            (frame_id,),
        )
        return [row[0] for row in rows]

    def _edits(self, condition: str, value: str | int) -> list[StoredEdit]:
        rows = self._connection.read().execute(
            f"SELECT * FROM segment_edits WHERE {condition} ORDER BY id", (value,)
        )
        by_batch: dict[tuple[str, int], list[sqlite3.Row]] = {}
        for row in rows:
            by_batch.setdefault((row["batch"], row["frame_id"]), []).append(row)
        return [
            StoredEdit(
                batch,
                frame_id,
                tuple(
                    SegmentEdit(row["segment_id"], _read(row["before"]), _read(row["after"]))
                    for row in some
                ),
                some[0]["edited_at"],
                some[0]["undone_at"] is not None,
            )
            for (batch, frame_id), some in by_batch.items()
        ]


def row_state(columns: Mapping[str, Any]) -> State:
    """Make the state of a segment out of its row's columns."""
    return {_ROW: dict(columns), _ROWS: {}}


def state_now(db: sqlite3.Connection, segment_id: str) -> State | None:
    """Read a segment's row as it is now; None where there is none."""
    names = checked_columns(db, "segments")
    row = db.execute(
        f"SELECT {', '.join(names)} FROM segments WHERE id = ?", (segment_id,)
    ).fetchone()
    return None if row is None else row_state(dict(zip(names, row, strict=True)))


def is_same_mask(one: State | None, other: State | None) -> bool:
    """Return whether two states are of one mask, or of none."""
    if one is None or other is None:
        return one is other
    return all(one[_ROW].get(name) == other[_ROW].get(name) for name in MASK_COLUMNS)


def keep_edit(
    db: sqlite3.Connection,
    batch: str,
    frame_id: int,
    wanted: Sequence[tuple[str, State | None]],
) -> None:
    """Bring segments of a frame to other states, as one act; inside the caller's transaction.

    Args:
        wanted: by segment what it is to be: None for one that goes.

    Raises:
        QueryError: another segment of the library has one of these masks.
    """
    left = _bring(db, frame_id, wanted, batch)
    now = time.time()
    for segment_id, state in wanted:
        db.execute(
            "INSERT INTO segment_edits (batch, segment_id, frame_id, before, after, edited_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (batch, segment_id, frame_id, _written(left[segment_id]), _written(state), now),
        )
    _write_removed(db, batch, frame_id, [left[name] for name, state in wanted if state is None])


def note_added(db: sqlite3.Connection, batch: str, frame_id: int, segment_id: str) -> None:
    """Write down that an act has added a segment, which is there; in the caller's transaction.

    An act may add segments to several frames.
    """
    db.execute(
        "INSERT INTO segment_edits (batch, segment_id, frame_id, before, after, edited_at)"
        " VALUES (?, ?, ?, NULL, ?, ?)",
        (batch, segment_id, frame_id, _written(state_now(db, segment_id)), time.time()),
    )


def turn_edit(db: sqlite3.Connection, edit: StoredEdit, undo: bool) -> None:
    """Undo an edit, or do it again; inside the caller's transaction.

    Raises:
        QueryError: the segments are no longer as the edit, or its undoing, has left them.
    """
    wanted = [(part.segment_id, part.before if undo else part.after) for part in edit.parts]
    is_last = not _later_edits(db, edit)
    for part in edit.parts:
        then = part.after if undo else part.before
        if not (is_last and is_same_mask(state_now(db, part.segment_id), then)):
            raise QueryError(
                "this segment was changed again since; undo the later changes first"
                if undo
                else "this segment was changed since, so the edit can't be made again"
            )
    left = _bring(db, edit.frame_id, wanted, edit.batch)
    db.execute("DELETE FROM removed_segments WHERE batch = ?", (edit.batch,))
    for segment_id, state in left.items():  # what was decided on one meanwhile comes back with it
        db.execute(
            f"UPDATE segment_edits SET {'after' if undo else 'before'} = ?"
            " WHERE batch = ? AND segment_id = ?",
            (_written(state), edit.batch, segment_id),
        )
    db.execute(
        "UPDATE segment_edits SET undone_at = ? WHERE batch = ?",
        (time.time() if undo else None, edit.batch),
    )
    if not undo:
        gone = [left[name] for name, state in wanted if state is None]
        _write_removed(db, edit.batch, edit.frame_id, gone)


def _later_edits(db: sqlite3.Connection, edit: StoredEdit) -> bool:
    """Return whether an edit that is not undone has come to one of the segments since.

    It may have left the mask as it is: parts were split off, or it was labelled.
    """
    row = db.execute(
        "SELECT 1 FROM segment_edits WHERE frame_id = ? AND undone_at IS NULL"
        " AND segment_id IN (SELECT value FROM json_each(?))"
        " AND id > (SELECT max(id) FROM segment_edits WHERE batch = ?)",
        (edit.frame_id, json.dumps([part.segment_id for part in edit.parts]), edit.batch),
    ).fetchone()
    return row is not None


def put_removed(db: sqlite3.Connection, frame_id: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write down on a frame what people removed from one of the same picture."""
    for row in rows:
        db.execute(
            "INSERT INTO removed_segments (frame_id, mask, x, y, w, h, batch, removed_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                frame_id,
                *(row[name] for name in ("mask", "x", "y", "w", "h", "batch", "removed_at")),
            ),
        )


def _bring(
    db: sqlite3.Connection, frame_id: int, wanted: Sequence[tuple[str, State | None]], batch: str
) -> dict[str, State | None]:
    """Bring segments to states; returns what they were, with all rows of those that go."""
    left: dict[str, State | None] = {}
    try:
        # what goes makes room: two segments of a library never have one mask
        for segment_id, state in wanted:
            if state is None:
                left[segment_id] = _taken_away(db, segment_id)
        for segment_id, state in wanted:
            if state is not None:
                left[segment_id] = before = state_now(db, segment_id)
                if before is None:
                    _put_back(db, frame_id, state)
                    catch_up(db, segment_id, batch)
                elif not is_same_mask(before, state):
                    before[_ROWS][_EMBEDDINGS] = kept_embeddings(db, segment_id)
                    _change(db, segment_id, state)
    except sqlite3.IntegrityError as exc:
        if "fingerprint" not in str(exc):
            raise
        raise QueryError(
            "another segment has this very mask; merge the two, or delete one"
        ) from exc
    set_parents(db, frame_id)
    return left


def _change(db: sqlite3.Connection, segment_id: str, state: State) -> None:
    names = [name for name in MASK_COLUMNS if name in state[_ROW]]
    db.execute(
        f"UPDATE segments SET {', '.join(f'{name} = ?' for name in names)} WHERE id = ?",
        (*(state[_ROW][name] for name in names), segment_id),
    )
    # those of all models show the old mask
    db.execute("DELETE FROM embeddings WHERE segment_id = ?", (segment_id,))
    put_embeddings(db, segment_id, state[_ROWS].get(_EMBEDDINGS, ()))


def _taken_away(db: sqlite3.Connection, segment_id: str) -> State | None:
    """Delete a segment; returns its row and all that went with it."""
    state = state_now(db, segment_id)
    if state is not None:
        going = {"segments": [state[_ROW]]}
        for table in checked_tables(db):  # those that others refer to come first
            if table in ("segments", _EMBEDDINGS):
                continue
            names = checked_columns(db, table)
            found: dict[tuple[Any, ...], None] = {}
            for column, other, key in references(db, table):
                values = [row[key] for row in going.get(other, ()) if key in row]
                rows = db.execute(
                    f"SELECT {', '.join(names)} FROM {table}"
                    f" WHERE {column} IN (SELECT value FROM json_each(?))",
                    (json.dumps(values),),
                )
                found |= dict.fromkeys(tuple(row) for row in rows)
            if found:
                going[table] = [dict(zip(names, row, strict=True)) for row in found]
        del going["segments"]
        state[_ROWS] = {**going, _EMBEDDINGS: kept_embeddings(db, segment_id)}
        db.execute("DELETE FROM segments WHERE id = ?", (segment_id,))
    return state


def _put_back(db: sqlite3.Connection, frame_id: int, state: State) -> None:
    """Insert a segment with all that was on it; what refers to what is gone is left out."""
    track_id = place_of_row(db, frame_id, state[_ROW].get("track_id"))
    row = {**state[_ROW], "frame_id": frame_id, "parent_id": None, "track_id": track_id}
    _insert(db, "segments", row)
    rows = state[_ROWS]
    for table in checked_tables(db):
        if table in ("segments", _EMBEDDINGS):
            continue
        for row in rows.get(table, ()):
            if not isinstance(row, dict) or wrong_columns(table, row):
                continue
            try:
                _insert(db, table, row)
            except sqlite3.IntegrityError:
                continue  # its tag is gone
    put_embeddings(db, state[_ROW]["id"], rows.get(_EMBEDDINGS, ()))


def _insert(db: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> None:
    names = [name for name in checked_columns(db, table) if name in row]
    db.execute(
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
        [row[name] for name in names],
    )


def _write_removed(
    db: sqlite3.Connection, batch: str, frame_id: int, gone: Collection[State | None]
) -> None:
    rows = [state[_ROW] for state in gone if state is not None]
    now = time.time()
    put_removed(
        db,
        frame_id,
        [{**row, "batch": batch, "removed_at": now} for row in rows if row["mask"] is not None],
    )


def _written(state: State | None) -> bytes | None:
    """Write a state as JSON; masks are text there already."""

    def as_text(value: object) -> str:
        assert isinstance(value, bytes)
        return value.decode("ascii")

    return None if state is None else json.dumps(state, default=as_text).encode()


def _read(content: object) -> State | None:
    """Read what _written wrote.

    Raises:
        DatabaseError: it is none of that.
    """
    if content is None:
        return None
    try:
        assert isinstance(content, bytes)
        state = json.loads(content)
        row, rows = state[_ROW], state[_ROWS]
        mask = row["mask"]
        row["mask"] = None if mask is None else mask.encode("ascii")
        if wrong_columns("segments", row) or not all(
            isinstance(some, list) for some in rows.values()
        ):
            raise ValueError
    except (ValueError, TypeError, KeyError, AttributeError, AssertionError, RecursionError) as exc:
        raise DatabaseError("what is kept of an edit is damaged; it can't be undone") from exc
    return {_ROW: row, _ROWS: rows}


def forget_embeddings(state: State) -> None:
    """Leave out of a state what was made of a crop that is another one now."""
    state[_ROWS].pop(_EMBEDDINGS, None)


def wanted_after(edit: StoredEdit, undo: bool) -> list[State]:
    """List the states that undoing an edit, or doing it again, brings segments to."""
    states = [part.before if undo else part.after for part in edit.parts]
    return [state for state in states if state is not None]
