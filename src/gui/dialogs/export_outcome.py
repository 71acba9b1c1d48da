"""The right side of the export dialog once a dataset is written: what was read back from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from src.counting import counted
from src.dataset_events import DatasetWritten
from src.gui.core.wording import capital
from src.gui.dialogs.contact_sheet import ContactSheet
from src.gui.dialogs.export_card import INSIDE, card, link
from src.gui.dialogs.sample_reader import SampleReader
from src.gui.theme.theme import SMALL, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import RING, icon_label, label
from src.gui.widgets.split_bar import SPLIT_NAMES


class ExportOutcome:
    """The numbers by split, what is not in the dataset, and a contact sheet with drawn masks."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        written: DatasetWritten,
        reader: SampleReader,
        on_open: Callable[[int], object],
        on_details: Callable[[], object],
    ) -> None:
        """Build it.

        Args:
            on_open: shows an image of the contact sheet large.
            on_details: shows all that is not in the dataset, and why.
        """
        self.theme = theme
        self.frame = card(master, theme)
        c = theme.colours
        head = ctk.CTkFrame(self.frame, fg_color="transparent")
        head.pack(fill="x", padx=(INSIDE, INSIDE - 2 * RING), pady=(12, 6))
        icon_label(head, "check", c.success).pack(side="left", padx=(0, 8))
        label(head, theme, "Read back and checked", weight="medium").pack(side="left")
        table = ctk.CTkFrame(self.frame, fg_color="transparent")
        table.pack(fill="x", padx=INSIDE)
        table.grid_columnconfigure(0, weight=1)
        for row, texts in enumerate(rows_of(written)):
            for column, text in enumerate(texts):
                colour = c.text_2 if column == 0 else c.text
                label(table, theme, text, size=SMALL, colour=colour).grid(
                    row=row, column=column, sticky="w" if column == 0 else "e", padx=(0, 0), pady=1
                )
            table.grid_columnconfigure(1, minsize=theme.px(110))
            table.grid_columnconfigure(2, minsize=theme.px(110))
        self._say_missing(written, on_details)
        self.sheet = ContactSheet(self.frame, theme, reader, on_open)
        self.sheet.pack(fill="both", expand=True, padx=theme.px(INSIDE), pady=theme.px(12))

    def _say_missing(self, written: DatasetWritten, on_details: Callable[[], object]) -> None:
        if not (written.left_out or written.unread or written.notes):
            return
        c = self.theme.colours
        line = ctk.CTkFrame(self.frame, fg_color="transparent")
        line.pack(fill="x", padx=(INSIDE, INSIDE - 2 * RING), pady=(6, 0))
        unread = len(written.unread)
        text = f"{sum(written.left_out.values()):,} skipped"
        if unread:
            text = f"{counted(unread, 'media file')} could not be read"
        colour = c.error if unread else c.text_2
        label(line, self.theme, text, size=SMALL, colour=colour).pack(side="left")
        link(line, self.theme, "Details", on_details)


def rows_of(written: DatasetWritten) -> list[tuple[str, str, str]]:
    """Return a row for each side of the split: its name, its files and its labels."""
    order = [*SPLIT_NAMES, None]
    splits = sorted(written.images.keys() | written.labels.keys(), key=order.index)  # type: ignore[arg-type]
    names = {**{str(key): capital(name) for key, name in SPLIT_NAMES.items()}, "None": "In all"}
    return [
        (
            names[str(split)],
            counted(written.images.get(split, 0), written.file),
            counted(sum(written.labels.get(split, {}).values()), "label"),
        )
        for split in splits
    ]
