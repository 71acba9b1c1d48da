"""The pages of a SQLite file and the cells on them, read without SQLite and without trust.

No number in the file is believed: all are bounded, and a page whose cells, free blocks and gaps
don't add up to its size is known to be damaged. What is whole on such a page is still read.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from src.database.repair.record_format import as_signed, read_varint, record_length

INDEX_BRANCH, TABLE_BRANCH, INDEX_LEAF, TABLE_LEAF = 2, 5, 10, 13
KINDS = (INDEX_BRANCH, TABLE_BRANCH, INDEX_LEAF, TABLE_LEAF)
FILE_HEADER = 100
MAGIC = b"SQLite format 3\x00"
Content = bytes | mmap.mmap
# The sizes that libraries of ours have come first.
PAGE_SIZES = (16384, 4096, 8192, 32768, 2048, 1024, 512, 65536)
_SAMPLE = 64
# No row of ours comes near: masks are the longest.
_LONGEST_RECORD = 1 << 26


class Cell(NamedTuple):
    """A cell of a page.

    Attributes:
        at: where it begins on the page.
        size: how many bytes of the page it takes.
        child: the page of what comes before its key; on interior pages.
        rowid: its row id; on pages of tables with row ids.
        record: its record; None on interior pages of such tables, and when it can't be read.
    """

    at: int
    size: int
    child: int | None
    rowid: int | None
    record: bytes | None


@dataclass
class Page:
    """A page of a tree.

    Attributes:
        number: the first page of a file is 1.
        kind: one of KINDS.
        cells: in order of their keys; those that can't be read have no record.
        last_child: of an interior page: what comes after its last key.
        is_whole: all bytes of the page are accounted for.
    """

    number: int
    kind: int
    cells: list[Cell]
    last_child: int | None
    is_whole: bool


class Pages:
    """A file's pages, with those of a log laid over them."""

    def __init__(
        self,
        content: Content,
        page_size: int,
        over: Mapping[int, bytes] | None = None,
        count: int | None = None,
    ) -> None:
        """Read pages of a file's content.

        Args:
            over: newer content of pages, by number.
            count: how many pages there are; what fits the content when None.
        """
        self._content = content
        self._over = over or {}
        self.size = page_size
        self.count = count if count is not None else -(-len(content) // page_size)

    def bytes_of(self, number: int) -> bytes:
        """Return a page's bytes; what lies past the end of the file is zero.

        Args:
            number: 1 to count.
        """
        newer = self._over.get(number)
        if newer is not None:
            return newer
        part = self._content[(number - 1) * self.size : number * self.size]
        return bytes(part).ljust(self.size, b"\0")

    def is_page(self, number: int) -> bool:
        return 1 <= number <= self.count

    def page(self, number: int, kinds: Iterable[int] = KINDS) -> Page | None:
        """Read a page of a tree.

        Args:
            kinds: what it may be. A page that says that it is something else is read as the one
                of these that its content fits.

        Returns:
            None when it is none of these.
        """
        if not self.is_page(number):
            return None
        data = self.bytes_of(number)
        start = FILE_HEADER if number == 1 else 0
        possible = [kind for kind in KINDS if kind in kinds]
        if data[start] in possible:
            return _PageParser(self, number, data, data[start]).page()
        if data.count(0) == len(data):
            return None
        for kind in possible:
            parser = _PageParser(self, number, data, kind)
            if parser.has_sound_header():
                found = parser.page()
                if found.is_whole:
                    return found
        return None

    def strays(self, page: Page) -> list[Cell]:
        """Look for cells of a page that nothing on it points to; only where it is not whole."""
        if page.is_whole:
            return []
        parser = _PageParser(self, page.number, self.bytes_of(page.number), page.kind)
        return parser.strays(page.cells)

    def cells_at(self, number: int, kind: int, places: Iterable[int]) -> Iterator[Cell]:
        """Read what may be cells at places of a page, whatever its header says."""
        parser = _PageParser(self, number, self.bytes_of(number), kind)
        for place in places:
            cell = parser.cell(place, 0)
            if cell.record is not None:
                yield cell

    def overflow(self, first: int, length: int) -> bytes | None:
        """Read the rest of a record from the chain of pages that it goes on in."""
        parts: list[bytes] = []
        seen: set[int] = set()
        number = first
        while length > 0:
            if not self.is_page(number) or number in seen:
                return None
            seen.add(number)
            data = self.bytes_of(number)
            parts.append(data[4 : 4 + min(length, self.size - 4)])
            length -= len(parts[-1])
            number = int.from_bytes(data[:4], "big")
        return b"".join(parts)

    def overflow_pages(self, page: Page) -> set[int]:
        """List the pages that records of a page go on in."""
        found: set[int] = set()
        data = self.bytes_of(page.number)
        for cell in page.cells:
            if cell.record is None or len(cell.record) <= cell.size:
                continue
            number = int.from_bytes(data[cell.at + cell.size - 4 : cell.at + cell.size], "big")
            while self.is_page(number) and number not in found:
                found.add(number)
                number = int.from_bytes(self.bytes_of(number)[:4], "big")
        return found

    def free_pages(self) -> set[int]:
        """List the pages that hold nothing, as far as the chain of them can be read."""
        free: set[int] = set()
        number = int.from_bytes(self.bytes_of(1)[32:36], "big") if self.count else 0
        while self.is_page(number) and number > 1 and number not in free:
            trunk = self.free_list_at(number)
            if trunk is None:
                break
            number, leaves = trunk
            free |= leaves
        return free

    def free_list_at(self, number: int) -> tuple[int, set[int]] | None:
        """Read a page as a part of the list of free pages.

        Returns:
            The next part's page, 0 when there is none, and the pages of this part with its own;
            None when it can't be one.
        """
        data = self.bytes_of(number)
        following, count = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:8], "big")
        if count > self.size // 4 - 2 or (following and not self.is_page(following)):
            return None
        leaves = {int.from_bytes(data[8 + 4 * i : 12 + 4 * i], "big") for i in range(count)}
        if len(leaves) != count or number in leaves:
            return None
        good = {leaf for leaf in leaves if leaf > 1 and self.is_page(leaf)}
        # one damaged number costs that page only
        if len(good) < count - max(1, count // 10):
            return None
        return following, good | {number}


class _PageParser:
    """Reads one page as one of a given kind."""

    def __init__(self, pages: Pages, number: int, data: bytes, kind: int) -> None:
        self.pages, self.number, self.data, self.kind = pages, number, data, kind
        self.size = len(data)
        self.start = FILE_HEADER if number == 1 else 0
        self.is_branch = kind in (INDEX_BRANCH, TABLE_BRANCH)
        self.pointers_at = self.start + (12 if self.is_branch else 8)

    def page(self) -> Page:
        data, start = self.data, self.start
        count = int.from_bytes(data[start + 3 : start + 5], "big")
        content_at = int.from_bytes(data[start + 5 : start + 7], "big") or 65536
        blocks = self._free_blocks()
        loose = data[start + 7]
        most = (self.size - self.pointers_at) // 6
        # what the cells have to take together, when nothing is damaged
        wanted = None
        if blocks is not None and content_at <= self.size:
            wanted = self.size - content_at - sum(size for _, size in blocks) - loose
        cells = self._cells(min(count, most))
        is_whole = count <= most and self._adds_up(cells, wanted)
        if not is_whole:
            other = self._other_count(most, wanted)
            if other is not None:
                # the number of cells alone is damaged
                cells, is_whole = self._cells(other), True
        last = None
        if self.is_branch:
            last = int.from_bytes(data[start + 8 : start + 12], "big")
        return Page(self.number, self.kind, cells, last, is_whole)

    def _pointer(self, place: int) -> int:
        at = self.pointers_at + 2 * place
        return int.from_bytes(self.data[at : at + 2], "big")

    def _cells(self, count: int) -> list[Cell]:
        return [self.cell(self._pointer(place), count) for place in range(count)]

    def _adds_up(self, cells: list[Cell], wanted: int | None) -> bool:
        if wanted is None or any(cell.size == 0 for cell in cells):
            return False
        return (
            sum(cell.size for cell in cells) == wanted
            and len({cell.at for cell in cells}) == len(cells)
            and all(cell.record is not None or self.kind == TABLE_BRANCH for cell in cells)
        )

    def _other_count(self, most: int, wanted: int | None) -> int | None:
        """Find the number of cells that adds up with the rest of the page."""
        if wanted is None:
            return None
        taken = 0
        seen: set[int] = set()
        for count in range(most + 1):
            if taken == wanted and count:
                return count
            if taken >= wanted and count:
                return None
            cell = self.cell(self._pointer(count), count + 1)
            if cell.size == 0 or cell.at in seen:
                return None
            seen.add(cell.at)
            taken += cell.size
        return None

    def _free_blocks(self) -> list[tuple[int, int]] | None:
        """List the free blocks between cells: where, and how long; None when that is damaged."""
        blocks: list[tuple[int, int]] = []
        at = int.from_bytes(self.data[self.start + 1 : self.start + 3], "big")
        while at:
            if at < self.pointers_at or at + 4 > self.size or (blocks and at <= blocks[-1][0]):
                return None
            size = int.from_bytes(self.data[at + 2 : at + 4], "big")
            if size < 4 or at + size > self.size:
                return None
            blocks.append((at, size))
            at = int.from_bytes(self.data[at : at + 2], "big")
        return blocks

    def has_sound_header(self) -> bool:
        """Return whether the first bytes of a page can be those of its kind."""
        count = int.from_bytes(self.data[self.start + 3 : self.start + 5], "big")
        content_at = int.from_bytes(self.data[self.start + 5 : self.start + 7], "big") or 65536
        end = self.pointers_at + 2 * count
        return count > 0 and end <= content_at <= self.size and self._free_blocks() is not None

    def strays(self, cells: list[Cell]) -> list[Cell]:
        """Look for cells where no pointer and no free block leads."""
        blocks = self._free_blocks() or []
        taken = sorted([(cell.at, cell.size) for cell in cells if cell.size] + blocks)
        lowest = self.pointers_at + 2 * len(cells)
        content_at = int.from_bytes(self.data[self.start + 5 : self.start + 7], "big")
        at = content_at if lowest <= content_at < self.size else self.size
        if taken:
            at = min(at, taken[0][0])
        found: list[Cell] = []
        for begin, size in [*taken, (self.size, 0)]:
            while at + 4 <= begin:
                cell = self.cell(at, len(cells))
                if cell.record is None or cell.at + cell.size > begin:
                    at += 1
                    # beyond three bytes, which can be left between cells, nothing is guessed
                    if found and at > found[-1].at + found[-1].size + 3:
                        break
                    continue
                found.append(cell)
                at += cell.size
            at = max(at, begin + size)
        return found

    def cell(self, at: int, count: int) -> Cell:
        """Read a cell; of one that can't be read the size is 0."""
        data, child, rowid = self.data, None, None
        if not self.pointers_at + 2 * count <= at <= self.size - 4:
            return Cell(at, 0, None, None, None)
        place = at
        try:
            if self.is_branch:
                child = int.from_bytes(data[place : place + 4], "big")
                place += 4
            if self.kind == TABLE_BRANCH:
                rowid, place = read_varint(data, place)
                return Cell(at, max(4, place - at), child, as_signed(rowid), None)
            length, place = read_varint(data, place)
            if self.kind == TABLE_LEAF:
                rowid, place = read_varint(data, place)
                rowid = as_signed(rowid)
        except IndexError:
            return Cell(at, 0, None, None, None)
        here = local_size(length, self.size, self.kind == TABLE_LEAF)
        end = place + here + (4 if here < length else 0)
        own = record_length(data, place)
        if own != length:
            # one of the two is damaged; the record's own header decides, when it can
            if own is None or local_size(own, self.size, self.kind == TABLE_LEAF) < own:
                return Cell(at, 0, child, rowid, None)
            if place + own > self.size:
                return Cell(at, 0, child, rowid, None)
            return Cell(at, max(4, place + own - at), child, rowid, data[place : place + own])
        if end > self.size or length > _LONGEST_RECORD:
            return Cell(at, 0, child, rowid, None)
        record: bytes | None = data[place : place + here]
        if here < length:
            first = int.from_bytes(data[end - 4 : end], "big")
            rest = self.pages.overflow(first, length - here)
            record = None if rest is None else data[place : place + here] + rest
        return Cell(at, max(4, end - at), child, rowid, record)


def local_size(length: int, page_size: int, is_table: bool) -> int:
    """Return how many bytes of a record stay on its page; the others go to overflow pages."""
    most = page_size - 35 if is_table else (page_size - 12) * 64 // 255 - 23
    if length <= most:
        return length
    least = (page_size - 12) * 32 // 255 - 23
    size = least + (length - least) % (page_size - 4)
    return size if size <= most else least


def infer_page_size(content: Content) -> int:
    """Find the size of a file's pages: what its header says, unless another fits far better."""
    said = int.from_bytes(content[16:18], "big")
    said = 65536 if said == 1 else said
    fitting: dict[int, int] = {}
    for size in sorted(PAGE_SIZES, key=lambda size: size != said):
        pages = Pages(content, size)
        step = max(1, pages.count // _SAMPLE)
        sampled = range(2, pages.count + 1, step)
        whole = sum(1 for number in sampled if _looks_whole(pages, number))
        fitting[size] = whole * size * step
        if size == said and sampled and whole * 2 >= len(sampled):
            return size
    best = max(fitting, key=lambda size: fitting[size])
    if fitting[best]:
        return best
    return said if said in PAGE_SIZES else PAGE_SIZES[0]


def _looks_whole(pages: Pages, number: int) -> bool:
    kind = pages.bytes_of(number)[0]
    page = pages.page(number) if kind in KINDS else None
    return page is not None and page.is_whole and bool(page.cells)
