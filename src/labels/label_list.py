"""The list of labels: made, named, merged, ordered, and what undo needs of that."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from src.database.decisions import new_batch
from src.database.label_acts import change_label
from src.database.label_attributes import text_of_attributes
from src.database.label_table import LabelTable
from src.database.metadata_db import MetadataDatabase
from src.database.text_normalization import casefold_key
from src.errors import QueryError
from src.label_records import Label, LabelAttribute
from src.labels.typed import check_colour, checked_attributes, read_names, tag_name
from src.search.completion import Names


class LabelList:
    """The verbs on the list itself; a part of Labels."""

    def __init__(self, metadata: MetadataDatabase) -> None:
        self._metadata = metadata
        self._table = LabelTable(metadata.connection, metadata.rows)

    @contextmanager
    def one_act(self) -> Iterator[str]:
        """Make one act of all calls in the block, kept as a whole or not at all; yields its batch.

        Each of the calls is to be given the batch.
        """
        with self._act():
            yield new_batch()

    @staticmethod
    def new_batch() -> str:
        """Name an act that is made of several calls, each kept by itself."""
        return new_batch()

    def list(self) -> list[Label]:
        """List the labels in their order; the first nine have the keys 1 to 9."""
        return self._table.labels()

    def names(self) -> Names:
        """Gather what a label that is being typed may become: labels first, then models' tags."""
        labels = self.list()
        counts = {label.name: label.segments + label.accepted_together for label in labels}
        known = {casefold_key(name) for name in counts}
        others = (name for name in self._table.tags_in_use() if casefold_key(name) not in known)
        return Names([*counts.items(), *((name, 0) for name in others)])

    def add(
        self,
        name: str,
        colour: str | None = None,
        attributes: Iterable[LabelAttribute] = (),
        batch: str | None = None,
    ) -> Label:
        """Make a label, the last one of the list; a tag that models use may become one.

        Args:
            colour: "#RRGGBB"; the one that the fewest labels have when None.

        Raises:
            QueryError: there is a label of this name, or it, the colour or an attribute is none.
        """
        name, attributes, batch = (
            tag_name(name),
            checked_attributes(attributes),
            batch or new_batch(),
        )
        check_colour(colour)
        with self._act() as db:
            if self._find(db, name) is not None:
                raise QueryError(f"there is a label “{name}” already")
            for tag_id in self._table.make(db, name, batch, colour):
                if attributes:
                    change_label(db, tag_id, batch, attributes=text_of_attributes(attributes))
            return self._label(db, name)

    def rename(self, name: str, new_name: str, batch: str | None = None) -> str:
        """Give a label another name, on everything that has it.

        What a model says under the old name keeps that: it is the model's word.

        Raises:
            QueryError: there is no such label, another one has the new name, or that is none.
        """
        new_name, batch = tag_name(new_name), batch or new_batch()
        with self._act() as db:
            self._table.rename(db, name, new_name, batch)
        return batch

    def merge(self, names: Iterable[str], into: str, batch: str | None = None) -> str:
        """Make one label of several; what has any of them has that one then.

        Where people said “is” of one and “is not” of another, it is.

        Args:
            into: one of them, another label, or a new name.

        Raises:
            QueryError: one of the names is no label, or there is nothing to merge.
        """
        into, batch = tag_name(into), batch or new_batch()
        with self._act() as db:
            ids = [tag_id for name in names for tag_id in self._table.label_ids(db, name)]
            before = set(self._table.tag_ids(db, into))
            is_new = self._find(db, into) is None
            ids = [tag_id for tag_id in dict.fromkeys(ids) if tag_id not in before]
            if not ids:
                raise QueryError("name at least two labels to merge")
            target = self._table.make(db, into, batch)[0]
            self._table.merge(db, ids, target, batch, is_new)
        return batch

    def remove(self, name: str, batch: str | None = None) -> str:
        """Take a label off everything that has it, and out of the list.

        What a model says of its name stays, as the model's word.

        Raises:
            QueryError: there is no such label.
        """
        batch = batch or new_batch()
        with self._act() as db:
            for tag_id in self._table.label_ids(db, name):
                self._table.remove(db, tag_id, batch)
        return batch

    def reorder(self, names: Sequence[str], batch: str | None = None) -> str:
        """Put labels in this order; those that are not named come after them.

        Raises:
            QueryError: one of the names is no label.
        """
        batch = batch or new_batch()
        with self._act() as db:
            self._table.reorder(db, names, batch)
        return batch

    def set_colour(self, name: str, colour: str, batch: str | None = None) -> str:
        """Give a label another colour, "#RRGGBB".

        Raises:
            QueryError: there is no such label, or it is no colour.
        """
        check_colour(colour)
        return self._change(name, batch, colour=colour)

    def set_attributes(
        self, name: str, attributes: Iterable[LabelAttribute], batch: str | None = None
    ) -> str:
        """Say which attributes segments with a label have; values of others are kept, unseen.

        Raises:
            QueryError: there is no such label, or one of them is no attribute.
        """
        return self._change(
            name, batch, attributes=text_of_attributes(checked_attributes(attributes))
        )

    def import_names(self, path: Path | str, batch: str | None = None) -> Sequence[Label]:
        """Make the labels that a text file names, one a line: `name`, or `name,#RRGGBB`.

        Empty lines and those that begin with `#` are left out. A label that there is gets the
        colour, where one is given. Where one line is wrong nothing is done.

        Returns:
            The labels of the file, in its order.

        Raises:
            MediaReadError: it can't be read.
            QueryError: lines of it are wrong; it says which.
        """
        wanted, batch = read_names(Path(path)), batch or new_batch()
        with self._act() as db:
            for name, colour in wanted.items():
                for tag_id in self._table.make(db, name, batch, colour):
                    if colour is not None:
                        change_label(db, tag_id, batch, colour=colour)
            by_key = {casefold_key(label.name): label for label in self._table.labels(db)}
        return [by_key[casefold_key(name)] for name in wanted]

    # -- inside

    @contextmanager
    def _act(self) -> Iterator[sqlite3.Connection]:
        with self._metadata.connection.write() as db:
            yield db

    def _find(self, db: sqlite3.Connection, name: str) -> Label | None:
        labels = self._table.labels(db)
        return next(
            (each for each in labels if casefold_key(each.name) == casefold_key(name)), None
        )

    def _label(self, db: sqlite3.Connection, name: str) -> Label:
        found = self._find(db, name)
        if found is None:
            raise QueryError(f"there is no label “{name}”")
        return found

    def _change(self, name: str, batch: str | None, **columns: str | None) -> str:
        batch = batch or new_batch()
        with self._act() as db:
            for tag_id in self._table.label_ids(db, name):
                change_label(db, tag_id, batch, **columns)
        return batch
