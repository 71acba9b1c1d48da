"""The right side of the export dialog: classes, split and warnings, before it is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from src.counting import counted
from src.export_records import ExportPreview
from src.gui.core.wording import as_sentence
from src.gui.theme.theme import SMALL, Theme, shorten
from src.gui.theme.toolkit import ctk
from src.gui.widgets.balance import Balance
from src.gui.widgets.controls import RING, Button, icon_label, label, rule
from src.gui.widgets.split_bar import SplitBar

WIDTH, HEIGHT = 328, 352
INSIDE = 16
_ROWS = 10
_WARNING = 248  # how wide its words may be


def card(master: Any, theme: Theme) -> ctk.CTkFrame:
    """Return an empty card of the dialog's right side; its content does not change its size."""
    frame = ctk.CTkFrame(
        master,
        fg_color=theme.colours.card,
        corner_radius=8,
        border_width=1,
        border_color=theme.colours.border,
        width=WIDTH,
        height=HEIGHT,
    )
    frame.pack_propagate(False)
    return frame


def link(master: Any, theme: Theme, text: str, command: Callable[[], object]) -> Button:
    """Return a small link at the right end of a line."""
    button = Button(master, theme, text, command, kind="link", height=20, size=SMALL)
    button.pack(side="right", padx=(0, 0))
    return button


class ExportCard:
    """What would be written of each class, the sizes of the split, and the first warning."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        on_tick: Callable[[], None],
        on_samples: Callable[[], None],
        on_details: Callable[[], None],
    ) -> None:
        """Build it.

        Args:
            on_tick: called after a class was ticked or not.
            on_samples: shows some of the images.
            on_details: shows what is left out and why, and all warnings.
        """
        self.theme = theme
        self.frame = card(master, theme)
        c = theme.colours
        head = self._line((10, 4))
        label(head, theme, "Class balance", weight="medium").pack(side="left")
        self.samples = link(head, theme, "Preview images", on_samples)
        self.samples.set_enabled(False)
        self.balance = Balance(self.frame, theme, on_tick, _ROWS)
        self._below = ctk.CTkFrame(self.frame, fg_color="transparent")
        # from below, so that the bars take what is left
        self._below.pack(side="bottom", fill="x", padx=1, pady=(0, 8))
        self.balance.pack(fill="both", expand=True, padx=theme.px(INSIDE))
        legend = ctk.CTkFrame(self._below, fg_color="transparent")
        legend.pack(fill="x", padx=(INSIDE, INSIDE - 2 * RING), pady=(4, 0))
        for text, colour in (("exported", c.accent), ("skipped", c.strong_border)):
            square = ctk.CTkFrame(legend, fg_color=colour, width=8, height=8, corner_radius=2)
            square.pack(side="left")
            label(legend, theme, text, size=SMALL, colour=c.text_2).pack(side="left", padx=(8, 12))
        self.details = link(legend, theme, "Details", on_details)
        self.details.set_enabled(False)
        self._build_split()
        self._build_warning(on_details)

    def _line(self, pady: tuple[int, int]) -> ctk.CTkFrame:
        line = ctk.CTkFrame(self.frame, fg_color="transparent")
        line.pack(fill="x", padx=(INSIDE, INSIDE - 2 * RING), pady=pady)
        return line

    def _build_split(self) -> None:
        theme, c = self.theme, self.theme.colours
        self._split = ctk.CTkFrame(self._below, fg_color="transparent")
        rule(self._split, theme).pack(fill="x", pady=(theme.px(8), theme.px(10)))
        line = ctk.CTkFrame(self._split, fg_color="transparent")
        line.pack(fill="x", padx=INSIDE)
        label(line, theme, "Split", weight="medium").pack(side="left")
        label(line, theme, "look-alikes stay on one side", size=SMALL, colour=c.text_2).pack(
            side="right"
        )
        self.split_bar = SplitBar(self._split, theme)
        self.split_bar.pack(fill="x", padx=theme.px(INSIDE), pady=(theme.px(10), theme.px(4)))

    def _build_warning(self, on_details: Callable[[], None]) -> None:
        theme, c = self.theme, self.theme.colours
        self._warning = ctk.CTkFrame(self._below, fg_color=c.warn_fill, corner_radius=8)
        sign = icon_label(self._warning, "warning", c.warn, 16)
        sign.pack(side="left", padx=(12, 8), anchor="n", pady=(8, 0))
        self._warning_text = label(
            self._warning, theme, "", size=SMALL, justify="left", wraplength=_WARNING
        )
        self._warning_text.pack(side="left", pady=8)
        for part in (self._warning, sign, self._warning_text):
            part.bind("<Button-1>", lambda _: on_details())
            part.configure(cursor="hand2")

    def show(self, preview: ExportPreview, everything: ExportPreview) -> None:
        """Show what was counted.

        Args:
            everything: of all classes, ticked or not.
        """
        written = {**everything.written, **preview.written}
        left_out = {**everything.left_out, **preview.left_out}
        names = sorted(
            written.keys() | left_out.keys(), key=lambda tag: (-written.get(tag, 0), tag)
        )
        self.balance.show(names, written, left_out)
        self.split_bar.show(preview.splits)
        self.show_warnings(warnings_of(preview))
        self.samples.set_enabled(bool(preview.written))
        self.details.set_enabled(has_details(preview))

    def show_split(self, is_split: bool) -> None:
        """Make room for the sizes of a split, or for more classes."""
        if is_split:
            self._split.pack(fill="x", after=self._below.winfo_children()[0])
        else:
            self._split.pack_forget()

    def show_warnings(self, warnings: tuple[str, ...]) -> None:
        """Show the first one, and how many more there are."""
        if not warnings:
            self._warning.pack_forget()
            return
        font = self.theme.canvas_font(self.frame, SMALL)
        more = f" (+{len(warnings) - 1} more)" if len(warnings) > 1 else ""
        room = self.theme.px(_WARNING * 3 - 40) - font.measure(more)
        self._warning_text.configure(
            text=shorten(as_sentence(warnings[0]), font, room, tail=0) + more
        )
        self._warning.pack(fill="x", padx=INSIDE - 1, pady=(8, 6))


def warnings_of(preview: ExportPreview) -> tuple[str, ...]:
    """Return all that a person should know before a dataset is written."""
    pairs = counted(len(preview.close_pairs), "pair")
    similar = f"{pairs} of similar images will be on different sides of the split"
    return (*preview.warnings, *((similar,) if preview.close_pairs else ()))


def has_details(preview: ExportPreview) -> bool:
    """Return whether there is anything to say beside the numbers."""
    return bool(preview.reasons or preview.warnings or preview.close_pairs)
