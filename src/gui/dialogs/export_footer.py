"""The foot of the export dialog: what would be written, the progress, and the result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from src.gui.core.job_state import JobState, time_left
from src.gui.theme.theme import SMALL, Theme, shorten
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, icon_label, label, progress_bar
from src.gui.widgets.tooltip import Tooltip

_WORDS = 400  # how wide they may be
Action = tuple[str, Callable[[], object]]


class ExportFooter(ctk.CTkFrame):
    """As high in all its states, so that nothing moves."""

    def __init__(self, master: Any, theme: Theme) -> None:
        super().__init__(master, fg_color="transparent", height=88)
        self.pack_propagate(False)
        self.theme = theme
        self.is_ready = False  # to export: neither progress nor an outcome is shown

    def show_ready(self, export: Callable[[], object], leave: Callable[[], object]) -> None:
        """Offer to export; see `say`."""
        self._clear()
        self._export = Button(self, self.theme, "Export", export, kind="main")
        self._export.pack(side="right", pady=20)
        Button(self, self.theme, "Cancel", leave).pack(side="right")
        self._summary, self._size = self._two_lines("Counting…", "")
        self.is_ready = True

    def say(self, summary: str, size: str, export: str, enabled: bool) -> None:
        """Show what would be written, and what the button does, while it offers to export."""
        self._summary.configure(text=summary)
        self._size.configure(text=size)
        self._export.set_text(export)
        self._export.set_enabled(enabled)

    def show_progress(self, stop: Callable[[], object], text: str = "Cancel export") -> None:
        """Show a bar and a button to stop, with its words; see `progress` and `stopping`."""
        self._clear()
        self._cancel = Button(self, self.theme, text, stop)
        self._cancel.pack(side="right", pady=20, padx=(20, 0))
        words = ctk.CTkFrame(self, fg_color="transparent")
        words.pack(side="left", fill="x", expand=True)
        line = ctk.CTkFrame(words, fg_color="transparent")
        line.pack(fill="x", pady=(0, 8))
        self._doing = label(line, self.theme, "Writing…")
        self._doing.pack(side="left")
        self._left = label(line, self.theme, "", colour=self.theme.colours.text_2)
        self._left.pack(side="right")
        self._bar = progress_bar(words, self.theme)
        self._bar.set(0)
        self._bar.pack(fill="x")

    def progress(self, doing: str, job: JobState) -> None:
        """Show how far a job is, in words, and how long it still takes."""
        seconds = job.seconds_left
        self._doing.configure(text=doing)
        self._left.configure(text="" if seconds is None else time_left(seconds))
        self._bar.set(job.fraction)

    def stopping(self) -> None:
        self._cancel.set_text("Cancelling…")
        self._cancel.set_enabled(False)

    def show_outcome(
        self, icon_name: str, colour: str, text: str, below: str, main: Action, other: Action
    ) -> None:
        """Show the result of an export.

        Args:
            below: a second line; a long one loses its middle, and is whole in a tooltip.
            main, other: the two buttons: what they say, and what they do.
        """
        self._clear()
        theme = self.theme
        Button(self, theme, main[0], main[1], kind="main").pack(side="right", pady=20)
        Button(self, theme, other[0], other[1]).pack(side="right")
        icon_label(self, icon_name, colour).pack(side="left", padx=(0, 12))
        short = shorten(below, theme.canvas_font(self, SMALL), theme.px(_WORDS - 60))
        _, second = self._two_lines(text, short)
        if short != below:
            Tooltip(second, theme, below)

    def _clear(self) -> None:
        self.is_ready = False
        for part in self.winfo_children():
            part.destroy()

    def _two_lines(self, text: str, below: str) -> tuple[ctk.CTkLabel, ctk.CTkLabel]:
        theme = self.theme
        words = ctk.CTkFrame(self, fg_color="transparent")
        words.pack(side="left")
        first = label(words, theme, text, weight="medium", justify="left", wraplength=_WORDS)
        first.pack(anchor="w")
        second = label(words, theme, below, size=SMALL, colour=theme.colours.text_2)
        if below or not text.endswith("."):
            second.pack(anchor="w", pady=(4, 0))
        return first, second
