"""A new library filled from a damaged one: its trees, then what lies beside them, then backups."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from src.database.backup import backups
from src.database.checksums import (
    checked_columns,
    checked_tables,
    checksum_sql,
    count_rows,
    parents_first,
    register_checksum,
    watch_rows,
)
from src.database.migration_7 import complete_old_rows
from src.database.migration_10 import complete_old_labels
from src.database.repair.backup_rows import open_sound_backup, rows_of_backup
from src.database.repair.derived_tags import HELD, restore_decisions, restore_from_decisions
from src.database.repair.index_evidence import Known, ask_indexes
from src.database.repair.known_schema import Form, known_versions, match, schema_row
from src.database.repair.new_rows import NewRows
from src.database.repair.page_reader import Pages
from src.database.repair.recovered import Recovered
from src.database.repair.row_format import (
    HIGHEST,
    LOWEST,
    Key,
    Row,
    key_of,
    key_of_rowid,
)
from src.database.repair.tidy import Gaps, drop_orphans, mark_for_ingest, reset_index, set_sequences
from src.database.repair.tree_reader import Tree, TreeReader, schema_of
from src.database.segment_parents import set_parents
from src.database.track_changes import put_right
from src.errors import DatabaseError

log = logging.getLogger(__name__)

# The lists of what Chroma lacks are left out: it gets everything again. The others SQLite and the
# triggers keep themselves.
DERIVED = ("unindexed", "index_removals", "row_counts", "sqlite_sequence")
# A segment has a tag, or it was removed from it.
_OPPOSITES = {"segment_tags": "removed_tags", "removed_tags": "segment_tags"}
PAGES_PER_REPORT = 32


class Refill:
    """Fills a new file of today's schema with all that can be had of a damaged one."""

    def __init__(
        self,
        new: sqlite3.Connection,
        pages: Pages,
        database: Path,
        result: Recovered,
        on_progress: Callable[[int, int], None],
    ) -> None:
        """Prepare to fill a new file without rows, in autocommit mode.

        Args:
            result: is filled on the way.
        """
        self.new, self.pages, self.database = new, pages, database
        self.result, self._on_progress = result, on_progress
        self.rows = NewRows(new)
        self.reader = TreeReader(pages)
        self.versions = known_versions()
        self.forms = dict(self.versions[-1].forms)
        self.roots = self._roots()
        self._read = 0
        self._trees: dict[str, Tree] = {}
        self._said: dict[str, int] = {}
        self._expected: dict[str, int] = {}
        self._doubted: set[str] = set()
        self._gaps = Gaps()

    def tables(self) -> list[Form]:
        """List the tables whose rows are to be recovered, parents before their children."""
        tables = [f.name for f in self.forms.values() if f.is_table and f.name not in DERIVED]
        return [self.forms[name] for name in parents_first(self.new, tables)]

    def run(self) -> None:
        """Read everything, fill in what is missing, and count what is lost."""
        self.new.execute("PRAGMA foreign_keys = OFF")
        triggers = self.new.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        for name, _ in triggers:
            self.new.execute(f"DROP TRIGGER {name}")
        self.new.execute("BEGIN")
        for table in self._derived_tables():
            self.new.execute(f"DELETE FROM {table}")
        tables = self.tables()
        for form in tables:
            self._copy(form)
        self._read_the_rest()
        for form in tables:
            self._doubt(form)
        holed = [form for form in tables if self._trees[form.name].holes]
        known = {form.name: self._known(form) for form in holed}
        for form in holed:
            self._drop_strangers(form, known[form.name])
        for form in tables:
            self._expect(form, known.get(form.name))
        if holed:
            self._fill(holed, known)
        self._finish(tables, holed, known)
        self.new.execute("COMMIT")
        for _, sql in triggers:
            self.new.execute(sql)
        self._on_progress(self.pages.count, self.pages.count)

    def _derived_tables(self) -> Iterator[str]:
        return (table for table in DERIVED if table in self.forms)

    # -- where the trees are

    def _roots(self) -> dict[str, list[tuple[Form, int]]]:
        """Find where the trees of our tables and indexes may begin, the most likely first."""
        by_row = {row: version for version in self.versions for row in version.rows}
        found: dict[str, list[tuple[Form, int]]] = {}
        rows = [schema_row(values) for values in schema_of(self.pages)]  # type: ignore[arg-type]
        for row, ours in match(rows):
            if ours is None or ours.type not in ("table", "index"):
                continue
            form = by_row[ours].forms[ours.name]
            if form.is_table:
                form = self._as_stored(form)
            found.setdefault(form.name, []).append((form, row.root))
        for version in reversed(self.versions):
            for form in version.forms.values():
                if form.name not in found or form.is_table:
                    today = self.forms.get(form.name, form) if form.is_table else form
                    found.setdefault(form.name, []).append((today, form.root))
        return found

    def _as_stored(self, form: Form) -> Form:
        """Return today's form of a file's table, for rows of no fewer values than it has there.

        The step that brought the checksums wrote every row anew.
        """
        today = self.forms.get(form.name, form)
        place = today.checksum
        if form.checksum is not None and place is not None:
            today = replace(today, lengths=frozenset(n for n in today.lengths if n > place))
            self.forms[form.name] = today
        return today

    def _begins_here(self, form: Form, root: int) -> bool:
        """Return whether a page may be the first of a table's tree: what is on it decides."""
        tree, pages = self.reader.rows(form, root)
        self_used = set(self.reader.used)
        rows = next(pages, None)
        self.reader.used = self_used
        return rows is not None or not tree.holes

    # -- what the trees hold

    def _copy(self, form: Form) -> None:
        """Read a table's tree into the new file."""
        for _, root in self.roots[form.name]:
            if self._begins_here(form, root):
                break
        else:
            root = self.roots[form.name][0][1]
        tree, pages = self.reader.rows(form, root)
        self._trees[form.name] = tree
        for rows in pages:
            self._count_page()
            self.result.rows += self.rows.insert(form, rows, tree)
        self.result.mended += tree.mended

    def _count_page(self) -> None:
        self._read += 1
        if self._read % PAGES_PER_REPORT == 0:
            self._on_progress(min(self._read, self.pages.count), self.pages.count)

    def _read_the_rest(self) -> None:
        """Read the tables that are kept by SQLite and by triggers: they count and number rows."""
        for name in self._derived_tables():
            form = self.forms[name]
            for _, root in self.roots.get(name, [])[:1]:
                tree, pages = self.reader.rows(form, root)
                self._trees[name] = tree
                for rows in pages:
                    if name in ("row_counts", "sqlite_sequence"):
                        for row in rows:
                            self._take_number(name, row)

    def _take_number(self, table: str, row: Row) -> None:
        name, number = row.values[0], row.values[1]
        if not isinstance(name, str) or not isinstance(number, int) or number < 0:
            return
        if table == "row_counts":
            self._said[name] = number
        else:
            self._gaps.sequences[name] = number

    # -- what the indexes say

    def _known(self, form: Form) -> Known:
        indexes = [
            found[0]
            for found in self.roots.values()
            if not found[0][0].is_table and found[0][0].table == form.name
        ]
        known, trees = ask_indexes(self.reader, self._trees[form.name], indexes, self._count_page)
        self._trees.update(trees)
        return known

    def _doubt(self, form: Form) -> None:
        """Look for more where a tree seems whole, but has not the rows that are written down.

        Another page of the same kind may lie where it begins.
        """
        tree = self._trees[form.name]
        said = self._said.get(form.name)
        if not tree.holes and said is not None and said != self.rows.count(form.name):
            tree.holes.add(LOWEST, HIGHEST)
            self._doubted.add(form.name)

    def _drop_strangers(self, form: Form, known: Known) -> None:
        """Delete rows of a page that is not the table's: two witnesses speak against it.

        An index that is whole has as many rows as are written down, and does not have these.
        """
        if form.name not in self._doubted or known.keys is None:
            return
        if known.count != self._said.get(form.name):
            return
        names = ["rowid"] if form.has_rowid else [form.columns[place] for place in form.key]
        condition = " AND ".join(f"{name} = ?" for name in names)
        for values in self.new.execute(f"SELECT {', '.join(names)} FROM {form.name}").fetchall():
            key = key_of_rowid(values[0]) if form.has_rowid else key_of(values)
            if key not in known.keys:
                self.new.execute(f"DELETE FROM {form.name} WHERE {condition}", values)
                self.result.rows -= 1

    def _expect(self, form: Form, known: Known | None) -> None:
        """Determine how many rows a table had."""
        held = self.rows.count(form.name)
        if known is None:
            self._expected[form.name] = held
            return
        said = self._said.get(form.name)
        if known.count is not None:
            self._expected[form.name] = max(held, known.count)
        elif said is not None and not (form.name in self._doubted and known.at_least <= held):
            self._expected[form.name] = max(held, said)
        else:
            self._expected[form.name] = max(held, known.at_least)
            self.result.uncertain.append(form.name)

    # -- what fills the holes

    def _fill(self, holed: list[Form], known: dict[str, Known]) -> None:
        for form in holed:
            self.result.from_index += self._offer(form, known[form.name], known[form.name].rows)
        # among these may be what was deleted
        for form in holed:
            strays = self._trees[form.name].strays
            self.result.rows += self._offer(form, known[form.name], strays)
        if any(self._lacks(form) for form in holed):
            self._take_lost_pages(holed, known)
        for number, path in enumerate(backups(self.database)):
            lacking = [form for form in holed if self._lacks(form)]
            if not lacking:
                break
            # an older one is asked only for what indexes say has been there
            self._take_from(path, lacking, known, is_newest=number == 0)

    def _lacks(self, form: Form) -> bool:
        return form.name in self.result.uncertain or (
            self.rows.count(form.name) < self._expected[form.name]
        )

    def _offer(self, form: Form, known: Known, rows: Iterable[Row]) -> int:
        """Insert those of some rows that are missing; what was deleted is not."""
        taken = 0
        holes = self._trees[form.name].holes
        for row in rows:
            if not holes.cover(row.key) or (known.keys is not None and row.key not in known.keys):
                continue
            if form.name in _OPPOSITES and self.rows.has(
                self.forms[_OPPOSITES[form.name]], row.key
            ):
                continue  # a person has changed that since
            identity = known.identities.get(row.key)
            if identity is not None and not set(identity) <= set(row.values):
                continue
            taken += self.rows.insert(form, [row])
        return taken

    def _take_lost_pages(self, holed: list[Form], known: dict[str, Known]) -> None:
        """Look for missing rows on the pages that no tree reaches."""
        for form in self.forms.values():
            if form.name not in self._trees:
                self._mark_index(form)
        for number in self.reader.lost_pages():
            self._count_page()
            found = [(form, self.reader.rows_of_page(form, number)) for form in holed]
            found = [(form, rows) for form, rows in found if rows]
            proven = [(f, rows) for f, rows in found if all(row.is_proven for row in rows)]
            if len(proven) == 1:
                found = proven
            if len(found) != 1 or self._may_be_index(found[0], number):
                continue  # nothing says which table's it is
            form, rows = found[0]
            self.result.rows += self._offer(form, known[form.name], rows)

    def _mark_index(self, form: Form) -> None:
        """Walk an index for its pages alone."""
        root = next((r for f, r in self.roots[form.name] if f.name == form.name), 0)
        tree, pages = self.reader.rows(form, root)
        self._trees[form.name] = tree
        for _ in pages:
            pass

    def _may_be_index(self, found: tuple[Form, list[Row]], number: int) -> bool:
        form, rows = found
        if form.has_rowid or any(row.is_proven for row in rows):
            return False
        return any(
            len(self.reader.rows_of_page(other, number)) >= len(rows)
            for other in self.forms.values()
            if not other.has_rowid and other is not form
        )

    def _take_from(
        self, path: Path, lacking: list[Form], known: dict[str, Known], is_newest: bool
    ) -> None:
        """Copy missing rows from a backup, brought to today's schema."""
        try:
            with open_sound_backup(path) as saved:
                if saved is None:
                    return
                for form in lacking:
                    may_lack = self._what_may_lack(form, known[form.name], is_newest)
                    taken = self._offer(
                        form, known[form.name], rows_of_backup(saved, form, may_lack)
                    )
                    self.result.from_backup += taken
                    if taken and self.result.backup is None:
                        self.result.backup = path
        except (sqlite3.Error, OSError, DatabaseError) as exc:
            log.warning("%s: this backup can't be used (%s)", path, exc)

    def _what_may_lack(self, form: Form, known: Known, is_newest: bool) -> Callable[[Key], bool]:
        holes = self._trees[form.name].holes

        def may_lack(key: Key) -> bool:
            in_hole = holes.cover(key) and (is_newest or key in known.perhaps)
            return in_hole and not self.rows.has(form, key)

        return may_lack

    # -- the end

    def _finish(self, tables: list[Form], holed: list[Form], known: dict[str, Known]) -> None:
        """Compute what migrations compute, leave no row without its parent, count what is lost."""
        missing = {
            form.name: {
                owner
                for key, owner in known[form.name].owners.items()
                if not self.rows.has(form, key)
            }
            for form in holed
        }
        self._gaps.owners = missing
        self._gaps.around = {
            form.name: self._trees[form.name].holes.ranges() for form in holed if self._lacks(form)
        }
        self._fill_checksums()
        watch_rows(self.new)
        count_rows(self.new)
        drop_orphans(self.new, [form.name for form in tables])
        for frame_id in sorted(self.rows.without_parents):
            with contextlib.suppress(TypeError):  # its frame is gone, and it with it
                set_parents(self.new, frame_id)
        acts_lost = self._expected["decisions"] - self.rows.count("decisions")
        complete_old_rows(self.new)
        self._restore_tags({form.name for form in holed})
        complete_old_labels(self.new)
        self._count_lost(tables)
        mark_for_ingest(self.new, self._gaps, set(self.result.lost) | set(self.result.uncertain))
        self._count_lost(tables)  # frames without segments went
        put_right(self.new)
        if acts_lost > 0:  # what they decided may hold; when, and in which act, is gone
            self.result.lost["decisions"] = acts_lost
        reset_index(self.new)
        set_sequences(self.new, self._gaps.sequences)
        count_rows(self.new)

    def _restore_tags(self, damaged: set[str]) -> None:
        """Make what holds of tags anew from the decisions, and decisions from what holds."""
        if not damaged.isdisjoint(HELD):
            restore_from_decisions(self.new, decisions_are_whole="decisions" not in damaged)
        if "decisions" in damaged:
            restore_decisions(self.new)

    def _count_lost(self, tables: list[Form]) -> None:
        for form in tables:
            lost = self._expected[form.name] - self.rows.count(form.name)
            if lost > 0:
                self.result.lost[form.name] = lost

    def _fill_checksums(self) -> None:
        register_checksum(self.new)
        for table in checked_tables(self.new):
            columns = checked_columns(self.new, table)
            self.new.execute(
                f"UPDATE {table} SET checksum = {checksum_sql(columns)} WHERE checksum IS NULL"
            )
