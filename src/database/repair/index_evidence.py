"""What a table's indexes say of the rows that its own tree lacks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from src.database.checksums import row_checksum
from src.database.repair.known_schema import Form
from src.database.repair.record_format import Value
from src.database.repair.row_format import Key, Row, RowFormat
from src.database.repair.tree_reader import Tree, TreeReader, key_in_index


@dataclass
class Known:
    """What a table's indexes say of the rows that its tree may lack.

    Attributes:
        keys: of such rows, from indexes that are whole; None when there is no such index.
        perhaps: of such rows, from all indexes.
        count: how many rows the table has, from an index that is whole.
        at_least: how many it has, from indexes that are not.
        identities: the values of the table's own key, by row id, for tables whose key is not it.
        rows: those rows that an index holds whole.
        owners: frames of segments, and media files of frames, by key: where gaps are.
    """

    keys: set[Key] | None = None
    perhaps: set[Key] = field(default_factory=set)
    count: int | None = None
    at_least: int = 0
    identities: dict[Key, tuple[Value, ...]] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    owners: dict[Key, int] = field(default_factory=dict)


def ask_indexes(
    reader: TreeReader,
    tree: Tree,
    indexes: list[tuple[Form, int]],
    on_page: Callable[[], None],
) -> tuple[Known, dict[str, Tree]]:
    """Ask a table's indexes what it held where its tree has holes.

    Args:
        tree: of the table.
        indexes: with the pages where they begin.
        on_page: is called for each page.

    Returns:
        What they say, and their trees by name.
    """
    known, trees = Known(), dict[str, Tree]()
    form = tree.form
    for index, root in indexes:
        of_index, pages = reader.rows(index, root)
        trees[index.name] = of_index
        count, keys = 0, set[Key]()
        for rows in pages:
            on_page()
            count += len(rows)
            for entry in rows:
                key = key_in_index(form, index, entry)
                if key is not None and tree.holes.cover(key):
                    keys.add(key)
                    _take_entry(known, form, index, key, entry)
        known.perhaps |= keys
        if not of_index.holes and not of_index.strays:
            known.count = count if known.count is None else max(count, known.count)
            known.keys = keys if known.keys is None else known.keys | keys
        else:
            known.at_least = max(known.at_least, count)
    return known, trees


def _take_entry(known: Known, form: Form, index: Form, key: Key, entry: Row) -> None:
    values = dict(zip(index.columns, entry.values, strict=True))
    lacking = set(form.columns) - set(values) - {"checksum"}
    if not form.has_rowid and not lacking:
        whole = [values.get(column) for column in form.columns]
        if form.checksum is not None:
            others = [*whole[: form.checksum], *whole[form.checksum + 1 :]]
            whole[form.checksum] = row_checksum(*others)
        row = RowFormat(form).row(None, whole, len(whole))
        if row is not None:
            known.rows.append(row)
    if form.has_rowid and form.rowid_column is None and index.sql is None:
        known.identities[key] = tuple(entry.values[:-1])
    for owner in ("frame_id", "media_file_id"):
        value = values.get(owner)
        if isinstance(value, int):
            known.owners[key] = value
