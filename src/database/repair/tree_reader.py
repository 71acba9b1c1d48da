"""The trees of a damaged SQLite file: which pages each reaches, and where it has holes."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from src.database.repair.holes import Holes
from src.database.repair.known_schema import Form
from src.database.repair.page_reader import (
    INDEX_BRANCH,
    INDEX_LEAF,
    KINDS,
    TABLE_BRANCH,
    TABLE_LEAF,
    Cell,
    Page,
    Pages,
)
from src.database.repair.record_format import read_record
from src.database.repair.row_format import (
    HIGHEST,
    LOWEST,
    Key,
    Row,
    RowFormat,
    key_of,
    key_of_rowid,
)

# Damage that changes a bit here and there leaves most cells of a page as they were. Where more
# are damaged, a page was overwritten, and trying bit by bit would only take long.
MOST_DAMAGED_CELLS = 12
TRIES = 400_000


@dataclass
class Tree:
    """The result of reading one tree.

    Attributes:
        holes: where rows may be missing.
        strays: rows that lie on its pages with nothing that points to them.
        mended: how many rows had one changed bit, which has been put back.
        reached: pages that belong to it.
    """

    form: Form
    root: int
    holes: Holes = field(default_factory=Holes)
    strays: list[Row] = field(default_factory=list)
    mended: int = 0
    reached: set[int] = field(default_factory=set)


class TreeReader:
    """Reads trees of a file, each page once, and what no tree reaches."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.used: set[int] = {1}
        self._tries_left = TRIES

    def rows(self, form: Form, root: int) -> tuple[Tree, Iterator[list[Row]]]:
        """Read a table, or an index, page by page.

        Returns:
            What came of it, which is filled while the second is pulled: the rows of each page.
        """
        tree = Tree(form, root)
        return tree, self._rows(tree, RowFormat(form))

    def _rows(self, tree: Tree, reader: RowFormat) -> Iterator[list[Row]]:
        is_table = tree.form.has_rowid
        branch, leaf = (TABLE_BRANCH, TABLE_LEAF) if is_table else (INDEX_BRANCH, INDEX_LEAF)
        waiting: list[tuple[int, Key, Key]] = [(tree.root, LOWEST, HIGHEST)]
        while waiting:
            number, low, high = waiting.pop()
            page = None
            if number not in tree.reached and number != 1:
                page = self.pages.page(number, (branch, leaf))
            if page is None:
                tree.holes.add(low, high)
                if tree.form.checksum is not None and self._may_be_destroyed(tree, number, leaf):
                    tree.strays += self._scanned(reader, number, leaf, [])
                continue
            tree.reached.add(number)
            if page.kind == leaf:
                rows = self._of_leaf(tree, reader, page, low, high)
                if rows:
                    self.used.add(number)
                    self.used |= self.pages.overflow_pages(page)
                    yield rows
                continue
            self.used.add(number)
            if not page.is_whole:
                tree.holes.add(low, high)
            children, own = self._of_branch(tree, reader, page, low, high)
            waiting += reversed(children)
            if own:
                yield own

    def _may_be_destroyed(self, tree: Tree, number: int, leaf: int) -> bool:
        """Return whether a page that a tree points to may be a leaf whose beginning is lost."""
        if not self.pages.is_page(number) or number in tree.reached or number == 1:
            return False
        first = self.pages.bytes_of(number)[0]
        return first not in KINDS or first == leaf

    def _of_branch(
        self, tree: Tree, reader: RowFormat, page: Page, low: Key, high: Key
    ) -> tuple[list[tuple[int, Key, Key]], list[Row]]:
        """Read an interior page: its children with what bounds their keys, and its own rows."""
        found: list[tuple[int, Key | None]] = []
        own: list[Row] = []
        last = page.last_child
        for place, cell in enumerate(page.cells):
            key: Key | None = None
            if tree.form.has_rowid:
                key = None if cell.rowid is None else key_of_rowid(cell.rowid)
            elif cell.child is not None:
                row = reader.read(None, cell.record) or self._mended(
                    tree, reader, page, place, skip=4
                )
                if row is not None:
                    key = row.key
                    own.append(row)
            if cell.child is not None:
                found.append((cell.child, key))
            if key is None and not tree.form.has_rowid:
                tree.holes.add(low, high)
        if not tree.form.is_table:  # the order of an index may be another than that of bytes
            return [
                (child, LOWEST, HIGHEST)
                for child in [*(child for child, _ in found), last]
                if child
            ], own
        children: list[tuple[int, Key, Key]] = []
        believed = _ascending([key for _, key in found], low, high)
        before = low
        for (child, _), key in zip(found, believed, strict=True):
            children.append((child, before, key if key is not None else high))
            before = key if key is not None else before
        if last:
            children.append((last, before, high))
        return children, own

    def _of_leaf(self, tree: Tree, reader: RowFormat, page: Page, low: Key, high: Key) -> list[Row]:
        rows: list[Row | None] = [reader.read(cell.rowid, cell.record) for cell in page.cells]
        damaged = [place for place, row in enumerate(rows) if row is None]
        inside = sum(1 for row in rows if row is not None and low <= row.key <= high)
        if page.cells and inside * 2 < len(page.cells) and len(page.cells) > 2 * len(damaged):
            # another page than this has to lie here: a number that points to it was damaged
            tree.holes.add(low, high)
            return []
        if len(damaged) <= MOST_DAMAGED_CELLS:
            for place in damaged:
                rows[place] = self._mended(tree, reader, page, place)
        if tree.form.is_table:
            self._doubt_disorder(tree.form, rows, low, high)
        before = low
        for place, row in enumerate(rows):
            if row is not None:
                before = max(before, row.key)
                continue
            after = next((other.key for other in rows[place:] if other is not None), high)
            tree.holes.add(before, after)
        if not page.is_whole:
            tree.holes.add(low, high)
            tree.strays += self._strays(reader, page)
        return [row for row in rows if row is not None]

    def _strays(self, reader: RowFormat, page: Page) -> list[Row]:
        """Look on a page that is not whole for rows that nothing points to."""
        if reader.form.checksum is None:
            rows = [reader.read(cell.rowid, cell.record) for cell in self.pages.strays(page)]
            return [row for row in rows if row is not None]
        good = [
            (cell.at, cell.at + cell.size)
            for cell in page.cells
            if cell.size and reader.read(cell.rowid, cell.record) is not None
        ]
        return self._scanned(reader, page.number, page.kind, good)

    def _scanned(
        self, reader: RowFormat, number: int, kind: int, known: list[tuple[int, int]]
    ) -> list[Row]:
        """Try every byte of a page as the beginning of a row; its checksum says whether it is.

        Args:
            known: parts of the page that need no look.
        """
        found: list[Row] = []
        likely = likely_places(self.pages.bytes_of(number), reader.form)
        for begin, end in known:
            likely[begin:end] = False
        end = 0
        places = (int(place) for place in np.flatnonzero(likely))
        for cell in self.pages.cells_at(number, kind, places):
            if cell.at < end:
                continue
            row = reader.read(cell.rowid, cell.record)
            if row is not None and row.is_proven:
                found.append(row)
                end = cell.at + cell.size
        return found

    def _mended(
        self, tree: Tree, reader: RowFormat, page: Page, place: int, skip: int = 0
    ) -> Row | None:
        """Put back the one bit of a row that was changed, if it is one."""
        cell = page.cells[place]
        data = self.pages.bytes_of(page.number)
        if cell.size and cell.record is not None and len(cell.record) > cell.size:
            return None  # its end is on other pages
        following = [other.at for other in page.cells if other.at > cell.at]
        end = min(following, default=len(data))
        row, spent = reader.mend(data[cell.at + skip : end], self._tries_left)
        self._tries_left -= spent
        tree.mended += row is not None
        return row

    @staticmethod
    def _doubt_disorder(form: Form, rows: list[Row | None], low: Key, high: Key) -> None:
        """Drop rows whose keys don't fit their neighbours': a bit of the key has changed.

        Where the checksum is of the key, too, nothing has to be doubted.
        """
        keys = [
            None if row is None or (row.is_proven and form.rowid_column is not None) else row.key
            for row in rows
        ]
        believed = _ascending(keys, low, high)
        for place, key in enumerate(believed):
            if key is None and keys[place] is not None:
                rows[place] = None

    # -- what no tree reaches

    def lost_pages(self) -> list[int]:
        """List the pages that no tree that was read has reached, and that are not free."""
        free = self.pages.free_pages()
        left = [n for n in range(2, self.pages.count + 1) if n not in free and n not in self.used]
        # parts of the list of free pages that its damaged beginning leads to no more
        for number in left:
            part = self.pages.free_list_at(number)
            if part is not None and part[1] - {number} and not part[1] & self.used:
                free |= part[1]
        return [number for number in left if number not in free]

    def rows_of_page(self, form: Form, number: int) -> list[Row]:
        """Read a page as one of a table; empty when most of it is of another.

        Args:
            number: of a page that no tree reaches.
        """
        kind = TABLE_LEAF if form.has_rowid else INDEX_LEAF
        kinds = (kind,) if form.has_rowid else (kind, INDEX_BRANCH)
        reader = RowFormat(form)
        page = self.pages.page(number, kinds)
        if page is None:
            if form.checksum is None or self.pages.bytes_of(number)[0] in KINDS:
                return []
            return self._scanned(reader, number, kind, [])
        cells: list[Cell] = page.cells
        rows = [reader.read(cell.rowid, cell.record) for cell in cells]
        if form.checksum is not None and sum(row is None for row in rows) <= MOST_DAMAGED_CELLS:
            tree = Tree(form, number)
            for place, row in enumerate(rows):
                if row is None and any(other is not None for other in rows):
                    rows[place] = self._mended(
                        tree, reader, page, place, 4 if page.kind == INDEX_BRANCH else 0
                    )
        good = [row for row in rows if row is not None]
        if good and not page.is_whole:
            good += self._strays(reader, page)
        if form.checksum is None and 2 * len(good) < len(cells):
            return []
        return good


def likely_places(data: bytes, form: Form) -> np.ndarray:
    """Return for each byte of a page whether a row of a table may begin there: (N,) bool."""
    size = len(data)
    content = np.frombuffer(data + bytes(24), np.uint8).astype(np.int64)
    at = np.arange(size)
    length, at = _varints(content, at)
    if form.has_rowid:
        _, at = _varints(content, at)
    header = content[at]
    # of each value the header says the type in a byte or two, and of a long one in three
    columns = len(form.columns)
    likely: np.ndarray = (
        (header > min(form.lengths)) & (header <= 1 + 2 * columns + 1) & (length >= header)
    )
    if form.rowid_column is not None:
        likely &= content[at + 1 + form.rowid_column] == 0
    return likely


def _varints(content: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Read numbers of up to four bytes at places; returns them and the places behind them."""
    value = np.zeros(len(at), np.int64)
    more = np.ones(len(at), bool)
    for _ in range(4):
        byte = content[at]
        value = np.where(more, value << 7 | byte & 0x7F, value)
        at = at + more
        more &= byte >= 0x80
    return value, at


def _ascending(keys: list[Key | None], low: Key, high: Key) -> list[Key | None]:
    """Keep the most keys that ascend and lie between two others; the rest become None."""
    given = [key for key in keys if key is not None]
    if all(a < b for a, b in itertools.pairwise(given)) and (
        not given or (low <= given[0] and given[-1] <= high)
    ):
        return keys
    ends: list[Key] = []  # the lowest end of an ascending run of each length
    places: list[int] = []
    before: dict[int, int | None] = {}
    for place, key in enumerate(keys):
        if key is None or not low <= key <= high:
            continue
        length = bisect.bisect_left(ends, key)
        if length == len(ends):
            ends.append(key)
            places.append(place)
        else:
            ends[length], places[length] = key, place
        before[place] = places[length - 1] if length else None
    kept: list[Key | None] = [None] * len(keys)
    at = places[-1] if places else None
    while at is not None:
        kept[at] = keys[at]
        at = before[at]
    return kept


def schema_of(pages: Pages) -> list[list[object]]:
    """Read the rows of sqlite_schema, whatever they hold, from the tree on the first page."""
    found: list[list[object]] = []
    waiting, seen = [1], set[int]()
    while waiting:
        number = waiting.pop()
        if number in seen:
            continue
        seen.add(number)
        page = pages.page(number, (TABLE_BRANCH, TABLE_LEAF))
        if page is None:
            continue
        for cell in [*page.cells, *pages.strays(page)]:
            if cell.child is not None:
                waiting.append(cell.child)
            elif cell.record is not None and (values := read_record(cell.record)) is not None:
                found.append(list(values))
        if page.last_child is not None and page.kind == TABLE_BRANCH:
            waiting.append(page.last_child)
    return found


def key_in_index(form: Form, index: Form, entry: Row) -> Key | None:
    """Return the key of the row that an index's entry is for; None when the entry lacks it."""
    if form.has_rowid:
        rowid = entry.values[-1]
        return key_of_rowid(rowid) if isinstance(rowid, int) else None
    names = [form.columns[place] for place in form.key]
    if not set(names) <= set(index.columns):
        return None
    return key_of([entry.values[index.columns.index(name)] for name in names])
