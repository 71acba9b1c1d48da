"""Where the cards of a grid lie; numbers only, so that it is tested without a window."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GridLayout:
    """Cards in rows, in device pixels from the top of them all, with a band across where asked.

    Attributes:
        count: of cards.
        columns: in a row.
        pitch: from one row to the next.
        split: how many cards lie above the band; those below begin a row. None without a band.
        band: the height of the band.
    """

    count: int
    columns: int
    pitch: int
    split: int | None = None
    band: int = 0

    @property
    def above(self) -> int:
        """How many cards lie above the band, or in all."""
        return self.count if self.split is None else min(self.split, self.count)

    @property
    def rows_above(self) -> int:
        return -(-self.above // self.columns)

    @property
    def rows(self) -> int:
        return self.rows_above + -(-(self.count - self.above) // self.columns)

    @property
    def height(self) -> int:
        return self.rows * self.pitch + (0 if self.split is None else self.band)

    @property
    def band_top(self) -> int:
        return self.rows_above * self.pitch

    def place(self, card: int) -> tuple[int, int]:
        """Return the row and the column of a card."""
        if card < self.above:
            return divmod(card, self.columns)
        row, column = divmod(card - self.above, self.columns)
        return self.rows_above + row, column

    def top(self, card: int) -> int:
        """Return the upper edge of a card's row."""
        row, _ = self.place(card)
        return self._row_top(row)

    def first_of(self, row: int) -> int:
        """Return the first card of a row, or the number of cards below the last row."""
        if row < self.rows_above:
            return min(row * self.columns, self.above)
        return min(self.above + (row - self.rows_above) * self.columns, self.count)

    def row_at(self, y: int) -> int:
        """Return the row that lies at a height, or next below it."""
        if self.split is None or y < self.band_top:
            return max(0, y // self.pitch)
        return self.rows_above + max(0, (y - self.band_top - self.band) // self.pitch)

    def seen(self, top: int, bottom: int) -> tuple[int, int]:
        """Return the cards between two heights: the first, and the one after the last."""
        return self.first_of(self.row_at(top)), self.first_of(self.row_at(bottom) + 1)

    def rows_in(self, top: int, bottom: int, height: int) -> range:
        """Return the rows of which something lies between two heights.

        Args:
            height: of what is seen of a row, from its upper edge; below it is a gap.
        """
        first, last = self.row_at(max(0, top)), min(self.row_at(bottom), self.rows - 1)
        if self._row_top(first) + height < top:
            first += 1
        if self._row_top(last) > bottom:  # it lies in the band, or above all
            last -= 1
        return range(first, max(first, last + 1))

    def within(self, rows: range, columns: range) -> frozenset[int]:
        """Return the cards in some rows and columns; an empty range leaves none."""
        if not rows or not columns:
            return frozenset()
        if len(columns) == self.columns:
            return frozenset(range(self.first_of(rows.start), self.first_of(rows.stop)))
        found = set[int]()
        for row in rows:
            first, end = self.first_of(row), self.first_of(row + 1)
            found.update(range(first + columns.start, min(end, first + columns.stop)))
        return frozenset(found)

    def beside(self, card: int, rows: int) -> int:
        """Return the card so many rows further down, or up, as near to the same column as it is.

        Up from the first row is the card itself, from further down the first card; down from the
        last row is the last card.
        """
        row, column = self.place(card)
        to = row + rows
        if to < 0:
            return card if row == 0 else 0
        if to >= self.rows:
            return self.count - 1
        return self._in_row(to, column)

    def _in_row(self, row: int, column: int) -> int:
        return min(self.first_of(row) + column, self.first_of(row + 1) - 1)

    def _row_top(self, row: int) -> int:
        below = self.split is not None and row >= self.rows_above
        return row * self.pitch + (self.band if below else 0)
