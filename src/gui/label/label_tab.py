"""What every tab of the Label panel is made with, and what the panel asks of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from src.gui.cards.card_grid import CardGrid
from src.gui.core.undoable_acts import UndoableActs
from src.gui.panel.panel import PanelContext
from src.gui.theme.toolkit import ctk
from src.label_records import Label
from src.records import SearchHit


@dataclass(frozen=True)
class LabelTools:
    """What the tabs share.

    Attributes:
        acts: saves what a person does, and takes it back.
        open: shows a segment in its frame; Back returns to the tab.
        open_hits: shows one of several hits, by its place.
        examples: gives hits of the last search that show what somebody looks for.
        labels: lists the labels, in order; the first nine have keys.
        chosen: gives the label that is chosen in the list; None without any.
        step_label: chooses the next (1) or the previous (-1) label.
        say: shows a sentence in the line at the foot.
        is_empty: whether the library has no media.
        add_label: asks for the name of a new label.
        rename_label: asks for another name of the chosen label.
        import_names: asks for a text file with names of labels.
        add_media: asks for files to add.
        search: goes to the Search panel.
    """

    acts: UndoableActs
    open: Callable[[str], None]
    open_hits: Callable[[Sequence[SearchHit], int], None]
    examples: Callable[[], Sequence[SearchHit]]
    labels: Callable[[], Sequence[Label]]
    chosen: Callable[[], Label | None]
    step_label: Callable[[int], None]
    say: Callable[[str], None]
    is_empty: Callable[[], bool]
    add_label: Callable[[], None]
    rename_label: Callable[[], None]
    import_names: Callable[[], None]
    add_media: Callable[[], object]
    search: Callable[[], None]


class LabelTab(ctk.CTkFrame):
    """The base of a tab; one overrides where it differs.

    Attributes:
        name: what its button says.
        key_hints: what its keys do, for the line at the foot: the keys, and what they do.
        has_list: whether the list of labels is seen beside it.
    """

    name = ""
    key_hints: Sequence[tuple[Sequence[str], str]] = ()
    has_list = True

    def __init__(self, master: Any, context: PanelContext, tools: LabelTools) -> None:
        super().__init__(master, fg_color=context.theme.colours.window, corner_radius=0)
        self.theme, self.session, self.tools = context.theme, context.session, tools
        self.context = context

    def shown(self) -> None:
        """Called when it comes to the front."""

    def left(self) -> None:
        """Called when another tab or panel comes to the front."""

    def labels_changed(self) -> None:
        """Called when the labels or their counts have changed, or another label is chosen."""

    def content_changed(self) -> None:
        """Called when the library has changed."""

    @property
    def card_grid(self) -> CardGrid | None:
        """Its grid of cards, if it has one."""
        return None

    def step_back(self) -> bool:
        """Do what Escape means in it; returns whether there was anything to step back from."""
        return False

    def refresh_thumbnails(self) -> None:
        """Show a picture that has been loaded."""
        if self.card_grid is not None:
            self.card_grid.refresh()
