"""Where a dataset goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from src.config import LibraryPaths
from src.gui.dialogs.dataset_folder import dataset_folder, folder_problem, free_folder
from src.gui.theme.theme import SMALL, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import RING, Button, label
from src.gui.widgets.inputs import Entry
from src.gui.widgets.mask_quality import EDGE

HINT = "A new folder is made. Nothing is overwritten."
OUTSIDE = "The library is open to read only.\nChoose a folder outside of it."


class ExportPlace(ctk.CTkFrame):
    """The folder, as it is typed or chosen, and below it what will be there or what is wrong."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        paths: LibraryPaths,
        choose_folder: Callable[[], Path | None],
        on_change: Callable[[], object],
        elsewhere: Path | None = None,
    ) -> None:
        """Draw it, with a folder that is not there yet.

        Args:
            elsewhere: where datasets lie that must not be in the library; None where they may.
        """
        super().__init__(master, fg_color="transparent")
        self.theme, self._paths, self._choose_folder = theme, paths, choose_folder
        self._must_be_elsewhere = elsewhere is not None
        self._datasets = elsewhere or paths.datasets
        c = theme.colours
        label(self, theme, "Where", size=SMALL, colour=c.text_2).pack(anchor="w", padx=EDGE)
        row = ctk.CTkFrame(self, fg_color="transparent")
        row.pack(fill="x", padx=(EDGE, EDGE - RING), pady=(4, 4))
        self.entry = Entry(row, theme, "Folder", on_change=lambda _: on_change())
        self.entry.pack(side="left", fill="x", expand=True)
        Button(row, theme, "Browse", self._browse).pack(side="left", padx=(4, 0))
        self._hint = label(self, theme, "", size=SMALL, colour=c.text_2, justify="left")
        self._hint.pack(anchor="w", padx=EDGE)
        self.propose(self._datasets)

    @property
    def folder(self) -> Path:
        """The folder that is meant.

        Raises:
            RuntimeError: it begins with ~name, and there is no such person.
        """
        return dataset_folder(self._datasets, self.entry.text)

    @property
    def problem(self) -> str:
        """Why no dataset can go there; empty where one can."""
        if problem := folder_problem(self._datasets, self.entry.text):
            return problem
        inside = self._must_be_elsewhere and self.folder.is_relative_to(self._paths.root)
        return OUTSIDE if inside else ""

    def is_at(self, folder: Path) -> bool:
        """Return whether this folder is meant."""
        try:
            return self.folder == folder
        except RuntimeError:  # ~name
            return False

    def say(self, summary: str) -> str:
        """Say what will be there, or what is wrong, which is returned."""
        problem, c = self.problem, self.theme.colours
        self.entry.set_error(bool(problem))
        self._hint.configure(
            text=problem or f"{summary}\n{HINT}".strip(),
            text_color=c.error if problem else c.text_2,
        )
        return problem

    def propose(self, parent: Path) -> None:
        """Show a folder that is not there yet."""
        self.entry.set(self.named(free_folder(parent)))
        self.entry.field.xview_moveto(1.0)

    def named(self, folder: Path) -> str:
        """Return a folder as it is shown, from the library's own on where it lies there."""
        root = self._paths.root
        if self._must_be_elsewhere:
            return str(folder)
        return str(folder.relative_to(root) if folder.is_relative_to(root) else folder)

    def _browse(self) -> None:
        chosen = self._choose_folder()
        if chosen is not None and self.winfo_exists():
            self.propose(chosen)
