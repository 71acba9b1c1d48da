"""Labels with their counts and attributes, read and written; see label_acts for what undo needs."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence

from src.database.connection import Connection
from src.database.decisions import IS_OF_PEOPLE, RANK, ROWS_OF_TAG, take_back
from src.database.label_acts import NO_LABEL, change_label, make_label
from src.database.label_attributes import attributes_of_text, merged_attribute, text_of_attributes
from src.database.label_merge import merge_attributes, merge_frames, merge_words
from src.database.rows import LISTED, RowReader
from src.database.text_normalization import casefold_key, normalize_text
from src.errors import QueryError
from src.label_records import LABEL_COLOURS, Label, LabelAttribute
from src.records import TagSource

AttributeValue = str | float
# By segment, label and name of the attribute.
AttributeValues = dict[str, dict[str, dict[str, AttributeValue]]]

# By the word of people, accepted together, by models alone.
Counts = tuple[int, int, int]


class LabelTable:
    """The labels of a library. What changes them runs inside a transaction of the caller's."""

    def __init__(self, connection: Connection, rows: RowReader) -> None:
        self._connection, self._rows = connection, rows
        self._last_counts: tuple[tuple[int, str], dict[int, Counts]] | None = None

    # -- looking

    def labels(self, db: sqlite3.Connection | None = None) -> list[Label]:
        """List the labels in their order, with how many segments have each, and by whose word.

        Args:
            db: the writer, inside a transaction; what it has not committed counts then.
        """
        is_writer, db = db is not None, db or self._connection.read()
        if not self.has_labels():
            return []
        rows = db.execute("SELECT * FROM tags WHERE position IS NOT NULL ORDER BY position, id")
        labels = self._rows.checked("tags", rows)
        counts = self._counts(db, json.dumps([row["id"] for row in labels]), is_writer)
        found = []
        for row in labels:
            colour = row["colour"] or LABEL_COLOURS[row["id"] % len(LABEL_COLOURS)]
            segments, together, automatic = counts.get(row["id"], (0, 0, 0))
            attributes = attributes_of_text(row["attributes"])
            found.append(Label(row["name"], colour, segments, together, automatic, attributes))
        return found

    def _counts(self, db: sqlite3.Connection, ids: str, is_writer: bool) -> dict[int, Counts]:
        """Count the segments of tags; once, while nothing changes in the library."""
        known, at = self._last_counts, (0 if is_writer else self._connection.version(), ids)
        if not is_writer and known is not None and known[0] == at:
            return known[1]
        # two comparisons a row, and no more: there are hundreds of thousands
        rows = db.execute(
            "SELECT tag_id, count(*), count(*) FILTER (WHERE source = 'propagated'),"
            " count(*) FILTER (WHERE source = 'auto') FROM segment_tags"
            f" WHERE tag_id IN {LISTED} GROUP BY tag_id",
            (ids,),
        )
        counts = {row[0]: (row[1] - row[2] - row[3], row[2], row[3]) for row in rows}
        if not is_writer:
            self._last_counts = at, counts
        return counts

    def tags_in_use(self) -> list[str]:
        """List the names of all tags that some segment has, whoever gave them."""
        rows = self._connection.read().execute(
            "SELECT * FROM tags WHERE EXISTS (SELECT 1 FROM segment_tags st"
            " WHERE st.tag_id = tags.id) ORDER BY name"
        )
        return [row["name"] for row in self._rows.checked("tags", rows)]

    def has_labels(self) -> bool:
        """Return whether tags can be labels: a reader opens an older library as it is."""
        columns = self._connection.read().execute("PRAGMA table_info(tags)")
        return any(row[1] == "position" for row in columns)

    def attribute_values(self, segment_ids: Sequence[str]) -> AttributeValues:
        """Look up the attributes of segments, of the labels that they have now."""
        if not self.has_labels():
            return {}
        rows = self._connection.read().execute(
            "SELECT a.*, t.name AS _label, t.attributes AS _attributes FROM segment_attributes a"
            " JOIN tags t ON t.id = a.tag_id JOIN segment_tags st"
            " ON st.segment_id = a.segment_id AND st.tag_id = a.tag_id"
            f" WHERE a.segment_id IN {LISTED} AND a.undone_at IS NULL"
            f" ORDER BY {RANK.replace('source', 'a.source')} DESC, a.id",
            (json.dumps(list(segment_ids)),),
        )
        found: AttributeValues = {}
        for row in self._rows.checked("segment_attributes", rows):
            known = {each.name for each in attributes_of_text(row["_attributes"])}
            if row["name"] in known:
                of_segment = found.setdefault(row["segment_id"], {})
                of_label = of_segment.setdefault(row["_label"], {})
                of_label.pop(row["name"], None)
                if row["value"] is not None:
                    of_label[row["name"]] = row["value"]
        return {
            segment_id: kept
            for segment_id, labels in found.items()
            if (kept := {label: values for label, values in labels.items() if values})
        }

    # -- changing, inside a transaction

    def tag_ids(self, db: sqlite3.Connection, name: str) -> list[int]:
        """Find the rows of a tag; a library of an early version may have several of one name."""
        return [row[0] for row in db.execute(f"{ROWS_OF_TAG} ORDER BY id", (casefold_key(name),))]

    def label_ids(self, db: sqlite3.Connection, name: str) -> list[int]:
        """Find the rows of a label.

        Raises:
            QueryError: there is no label of this name.
        """
        ids, typed = [], normalize_text(name)
        if self.has_labels():
            rows = db.execute(
                "SELECT id FROM tags WHERE casefold_key(name) IN (?, ?) AND position IS NOT NULL"
                " ORDER BY id",
                (casefold_key(name), casefold_key(typed)),
            )
            ids = [row[0] for row in rows]
        if not ids:
            raise QueryError(f"there is no label “{name}”; `label list` lists them")
        return ids

    def name_of(self, db: sqlite3.Connection, name: str) -> str:
        """Return a tag's name as it is stored; the name itself where there is no such tag."""
        row = db.execute(
            "SELECT name FROM tags WHERE casefold_key(name) = ?"
            " ORDER BY position IS NULL, name != ?, id",
            (casefold_key(name), name),
        ).fetchone()
        return name if row is None else str(row[0])

    def make(
        self, db: sqlite3.Connection, name: str, batch: str, colour: str | None = None
    ) -> list[int]:
        """Make a label of a name, if it is none."""
        ids = self.tag_ids(db, name)
        if not ids:
            added = db.execute("INSERT INTO tags (name, added_by) VALUES (?, 'human')", (name,))
            ids = [int(added.lastrowid or 0)]
        labels = db.execute(
            f"SELECT id FROM tags WHERE id IN {LISTED} AND position IS NOT NULL", (json.dumps(ids),)
        ).fetchall()
        if not labels:
            make_label(db, ids[0], batch, colour)
            return ids[:1]
        return [row[0] for row in labels]

    def rename(self, db: sqlite3.Connection, name: str, new_name: str, batch: str) -> None:
        """Give a label another name; what models say under the old one keeps that.

        Raises:
            QueryError: there is no such label, or another one has the new name.
        """
        ids = self.label_ids(db, name)
        if casefold_key(name) == casefold_key(new_name):
            change_label(db, ids[0], batch, name=new_name)
            return
        others = self.tag_ids(db, new_name)
        if (
            others
            and db.execute(
                f"SELECT 1 FROM tags WHERE id IN {LISTED} AND position IS NOT NULL",
                (json.dumps(others),),
            ).fetchone()
        ):
            raise QueryError(f"there is already a label “{new_name}”; merge the two instead")
        if len(ids) == 1 and not others and not _is_of_models(db, ids[0]):
            change_label(db, ids[0], batch, name=new_name)
            return
        row = db.execute(
            "SELECT colour, position, attributes FROM tags WHERE id = ?", (ids[0],)
        ).fetchone()
        (into,) = self.make(db, new_name, batch)
        self.merge(db, ids, into, batch, is_new=True)
        change_label(db, into, batch, colour=row[0], position=row[1], attributes=row[2])

    def merge(
        self, db: sqlite3.Connection, ids: Sequence[int], into: int, batch: str, is_new: bool
    ) -> None:
        """Let what people said of some labels be said of another, which takes their place.

        Args:
            is_new: whether the other one was no label before this act.
        """
        merge_attributes(db, ids, into, batch)
        merge_words(db, ids, into, batch)
        merge_frames(db, ids, into, batch, is_new)
        for tag_id in ids:
            self.remove(db, tag_id, batch)

    def remove(self, db: sqlite3.Connection, tag_id: int, batch: str) -> None:
        """Take a label off everywhere; what a model says of its name is the model's alone then."""
        take_back(db, tag_id, batch)
        change_label(db, tag_id, batch, **NO_LABEL)

    def reorder(self, db: sqlite3.Connection, names: Sequence[str], batch: str) -> None:
        """Put labels first, in this order; the others stay behind them in theirs."""
        first = [tag_id for name in names for tag_id in self.label_ids(db, name)]
        rows = db.execute("SELECT id FROM tags WHERE position IS NOT NULL ORDER BY position, id")
        rest = [row[0] for row in rows.fetchall() if row[0] not in first]
        for position, tag_id in enumerate(dict.fromkeys([*first, *rest])):
            change_label(db, tag_id, batch, position=position)

    def set_value(
        self,
        db: sqlite3.Connection,
        segment_ids: Iterable[str],
        tag_id: int,
        name: str,
        value: AttributeValue | None,
        batch: str,
        source: TagSource = "human",
    ) -> None:
        """Write down an attribute of segments; None: it has none."""
        now = time.time()
        db.executemany(
            "INSERT INTO segment_attributes (segment_id, tag_id, name, value, source, decided_at,"
            " batch) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(each, tag_id, name, value, source, now, batch) for each in segment_ids],
        )

    def take_values(
        self,
        db: sqlite3.Connection,
        segment_id: str,
        name: str,
        values: Iterable[tuple[str, AttributeValue]],
        batch: str,
        source: TagSource = "imported",
    ) -> None:
        """Take attributes of a label from elsewhere; those that are new here are made.

        A value of another kind than the attribute's is left out; another choice is one more.
        """
        row = db.execute(
            "SELECT id, attributes FROM tags WHERE casefold_key(name) = ?"
            " AND position IS NOT NULL ORDER BY id",
            (casefold_key(name),),
        ).fetchone()
        if row is None:  # it is no label any more
            return
        tag_id, known = row[0], {each.name: each for each in attributes_of_text(row[1])}
        for attribute, value in values:
            is_choice = isinstance(value, str)
            said = LabelAttribute(
                attribute,
                "choice" if is_choice else "number",
                (str(value),) if is_choice else (),
            )
            there = known.get(attribute, said)
            if there.kind == said.kind:
                known[attribute] = merged_attribute(there, said)
                self.set_value(db, [segment_id], tag_id, attribute, value, batch, source)
        change_label(db, tag_id, batch, attributes=text_of_attributes(known.values()))

    def sources(
        self, db: sqlite3.Connection, segment_ids: Sequence[str], tag_ids: Sequence[int]
    ) -> dict[str, TagSource]:
        """Look up by whose word segments have a tag; those that don't are left out."""
        rows = db.execute(
            f"SELECT segment_id, source FROM segment_tags WHERE segment_id IN {LISTED}"
            f" AND tag_id IN {LISTED}",
            (json.dumps(list(segment_ids)), json.dumps(list(tag_ids))),
        )
        return {row[0]: row[1] for row in rows}

    def answered(
        self, db: sqlite3.Connection, segment_ids: Sequence[str], tag_ids: Sequence[int]
    ) -> set[str]:
        """Find the segments of which people have said whether they have a tag."""
        rows = db.execute(
            f"SELECT DISTINCT segment_id FROM decisions WHERE segment_id IN {LISTED}"
            f" AND tag_id IN {LISTED} AND undone_at IS NULL AND {IS_OF_PEOPLE}",
            (json.dumps(list(segment_ids)), json.dumps(list(tag_ids))),
        )
        return {row[0] for row in rows}

    def all_exist(self, db: sqlite3.Connection, segment_ids: Sequence[str]) -> bool:
        """Return whether all of some segments are in the library."""
        found = db.execute(
            f"SELECT count(*) FROM segments WHERE id IN {LISTED}", (json.dumps(list(segment_ids)),)
        )
        return bool(found.fetchone()[0] == len(set(segment_ids)))


def _is_of_models(db: sqlite3.Connection, tag_id: int) -> bool:
    row = db.execute(
        "SELECT EXISTS (SELECT 1 FROM segment_tags WHERE tag_id = ?1 AND source = 'auto')"
        " OR EXISTS (SELECT 1 FROM decisions WHERE tag_id = ?1 AND source = 'auto')",
        (tag_id,),
    ).fetchone()
    return bool(row[0])
