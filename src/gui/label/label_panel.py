"""Labels, and three ways of giving them: by rank, frame by frame, and where words disagree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from src.events import Event, FileDone
from src.gui.cards.card_grid import CardGrid
from src.gui.core.undoable_acts import UndoableActs
from src.gui.label.chosen_label import ChosenLabel
from src.gui.label.disagreements_tab import DisagreementsTab
from src.gui.label.label_commands import LabelCommands
from src.gui.label.label_list import LabelList, LabelListActions
from src.gui.label.label_tab import LabelTab, LabelTools
from src.gui.label.rank_tab import RankTab
from src.gui.label.review_tab import ReviewTab
from src.gui.panel.panel import Panel, PanelContext
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, panel_header, rule
from src.gui.widgets.inputs import Choice
from src.gui.widgets.key_hints import KeyHints
from src.gui.widgets.popup import show_menu
from src.gui.widgets.tooltip import Tooltip
from src.label_records import Label
from src.records import SearchHit
from src.search.recipe import Recipe, classes_of

SAVED = "Each answer is saved"
EXPORT_TIP = "Export what you have given the chosen label as a dataset"
LABEL_MENU = "label"
TABS: Sequence[type[LabelTab]] = (RankTab, ReviewTab, DisagreementsTab)
# Other panels hear of answers, and labels are counted, once the hand rests for so long.
_REST_MS = 300


@dataclass(frozen=True)
class LabelPanelActions:
    """What the panel asks of the window.

    Attributes:
        open_hits: shows one of several hits, by its place; Back returns.
        open: shows a segment by its id; Back returns.
        examples: gives hits of the last search that show what somebody looks for.
        choose_names: asks for a text file; None where nothing was chosen.
        add_media: asks for files to add.
        search: goes to the Search panel.
        export: asks what of a label goes into a dataset, by the label's name.
    """

    open_hits: Callable[[Sequence[SearchHit], int], None]
    open: Callable[[str], None]
    examples: Callable[[], Sequence[SearchHit]]
    choose_names: Callable[[], Path | None]
    add_media: Callable[[], object]
    search: Callable[[], None]
    export: Callable[[str], None]


def own_labels(name: str) -> Recipe:
    """Return the dataset of a label as people gave it, what they accepted together too."""
    return Recipe(labels="accepted", classes=classes_of(name))


class LabelPanel(Panel):
    """A header with tabs, the labels at the left, the tab that is chosen, and its keys below."""

    def __init__(self, context: PanelContext, actions: LabelPanelActions) -> None:
        super().__init__(context)
        theme, session = context.theme, context.session
        self._menu, self._choose_names = context.menu, actions.choose_names
        self._known = context.labels
        self._wished = ""  # the label to be chosen once it is in the list
        self._is_empty = False
        self._rest: str | None = None
        self._is_telling = False
        header = panel_header(self, theme, "Label")
        self.choice = Choice(header, theme, [tab.name for tab in TABS], self._show_tab)
        self.choice.pack(side="left", padx=(24, 0))
        self._undo = Button(header, theme, "Undo", self.undo, icon_name="undo", height=32)
        self._undo.pack(side="right")
        self._undo.set_enabled(False)
        self.export = Button(
            header,
            theme,
            "Export…",
            lambda: actions.export(self.list.chosen),
            icon_name="export",
            height=32,
        )
        self.export.pack(side="right", padx=(0, 4))
        self.export.set_enabled(False)
        Tooltip(self.export, theme, EXPORT_TIP)
        rule(self, theme).pack(fill="x")
        self.hints = KeyHints(self, theme)
        self.hints.pack(side="bottom", fill="x")
        self.hints.say(SAVED, is_good=True)
        self._body = ctk.CTkFrame(self, fg_color="transparent", corner_radius=0)
        self._body.pack(fill="both", expand=True)
        self.acts = UndoableActs(session, lambda: session.library.labels, self._acted, self._say)
        self.commands = LabelCommands(
            session, self.acts, lambda: self.labels, self._wish, self._say, self._known.read
        )
        self.list = LabelList(
            self._body,
            theme,
            LabelListActions(
                self.choose,
                self._point_to,
                self._open_menu,
                self.commands.move,
                self._rename,
                self.commands.remove,
                self._add,
                self._merge,
                self._known.suggest,
            ),
        )
        self._line = rule(self._body, theme)
        self._place_list()
        tools = LabelTools(
            self.acts,
            actions.open,
            actions.open_hits,
            actions.examples,
            lambda: self.labels,
            lambda: self.chosen,
            self.step_label,
            self._say,
            lambda: self._is_empty,
            self.list.start_adding,
            lambda: self.list.start_renaming(self.list.chosen),
            self.import_names,
            actions.add_media,
            actions.search,
        )
        self.tabs = {tab.name: tab(self._body, context, tools) for tab in TABS}
        self._show_tab(RankTab.name)
        self._known.changed.append(self._show_labels)
        session.signals.opened.append(self._content_changed)
        session.signals.content_changed.append(self._content_changed)
        session.signals.job_ended.append(lambda *_: self._content_changed())
        session.signals.job_event.append(lambda _, event: self._heard(event))

    # -- tabs

    @property
    def tab(self) -> LabelTab:
        return self.tabs[self.choice.value]

    @property
    def rank(self) -> RankTab:
        tab = self.tabs[RankTab.name]
        assert isinstance(tab, RankTab)
        return tab

    @property
    def review(self) -> ReviewTab:
        tab = self.tabs[ReviewTab.name]
        assert isinstance(tab, ReviewTab)
        return tab

    @property
    def disagreements(self) -> DisagreementsTab:
        tab = self.tabs[DisagreementsTab.name]
        assert isinstance(tab, DisagreementsTab)
        return tab

    def _show_tab(self, name: str) -> None:
        for tab in self.tabs.values():
            if tab.winfo_manager() and tab.name != name:
                tab.left()
                tab.pack_forget()
        tab = self.tabs[name]
        self._place_list(tab.has_list)
        self._say("")  # what was done in another tab is not about this one
        tab.pack(side="left", fill="both", expand=True)
        self.hints.show(tab.key_hints)
        if self.winfo_viewable():
            tab.shown()

    def _place_list(self, shown: bool = True) -> None:
        if shown and not self.list.winfo_manager():
            self.list.pack(side="left", fill="y")
            self._line.pack(side="left", fill="y")
        elif not shown:
            self.list.pack_forget()
            self._line.pack_forget()

    # -- labels

    @property
    def labels(self) -> Sequence[Label]:
        """All labels, in order."""
        return self._known.labels

    @property
    def chosen(self) -> Label | None:
        """The label that is chosen in the list."""
        return next((each for each in self.labels if each.name == self.list.chosen), None)

    def choose(self, name: str) -> None:
        """Choose a label of the list."""
        self._wished = name
        self._show_labels()

    def _point_to(self, name: str) -> None:
        """Choose a label that was clicked; what is pressed next is about its segments."""
        self.choose(name)
        self.rank.take_keys()

    def step_label(self, step: int) -> None:
        """Choose the next (1) or the previous (-1) label."""
        names = [each.name for each in self.labels]
        if self.list.chosen in names:
            place = min(max(0, names.index(self.list.chosen) + step), len(names) - 1)
            self.choose(names[place])

    def _wish(self, name: str) -> None:
        """Choose a label that is in the list once that is read again."""
        self._wished = name

    def _show_labels(self) -> None:
        names = [each.name for each in self.labels]
        chosen = next((n for n in (self._wished, self.list.chosen) if n in names), "")
        self.list.show(self.labels, chosen or next(iter(names), ""))
        self.export.set_enabled(self.chosen is not None)
        for tab in self.tabs.values():
            tab.labels_changed()

    def _add(self, name: str) -> None:
        self.commands.add(name, lambda why: self.list.start_adding(name, why))
        self.rank.take_keys()

    def _rename(self, name: str, new: str) -> None:
        self.commands.rename(name, new, lambda why: self.list.start_renaming(name, new, why))

    def _merge(self, name: str, into: str) -> None:
        found = self._meant(into, name)
        if found in ("", name):
            self.list.start_merging(name, into, "Type the name of another label.")
        else:
            self.commands.merge(name, found)

    def _meant(self, typed: str, name: str) -> str:
        """Return the label that was typed, or the only other one that begins so; "" without."""
        key = typed.casefold()
        names = [each.name for each in self.labels]
        same = [each for each in names if each.casefold() == key]
        begun = [each for each in names if each.casefold().startswith(key) and each != name]
        return (same or (begun if len(begun) == 1 else [""]))[0]

    def import_names(self) -> None:
        """Make the labels of a text file that a person chooses."""
        if (path := self._choose_names()) is not None:
            self.commands.import_names(path)

    def _open_menu(self, name: str, x: int, y: int) -> None:
        self.choose(name)
        show_menu(self.list, self.theme, self._menu(LABEL_MENU), x, y)

    @property
    def chosen_label(self) -> ChosenLabel | None:
        """The chosen label, for its context menu; None without any."""
        return None if self.chosen is None else ChosenLabel(self.chosen, self)

    # -- acts

    def _say(self, text: str) -> None:
        self.hints.say(text or SAVED, is_good=not text)

    def _acted(self) -> None:
        """Let the counts and the other panels know, once the hand rests."""
        self._undo.set_enabled(self.acts.can_undo)
        if self._rest is not None:
            self.after_cancel(self._rest)
        self._rest = self.after(_REST_MS, self._rested)

    def _rested(self) -> None:
        self._rest = None
        self._is_telling = True
        try:
            self._session.tell_content_changed()
        finally:
            self._is_telling = False

    def _content_changed(self) -> None:
        """Hear of what others have changed; what was done here the tab knows already."""
        if not self._session.is_open or self._is_telling:
            return
        for tab in self.tabs.values():
            tab.content_changed()
        library = self._session.library
        self._session.main_thread.run(lambda: library.browse.is_empty(), self._know_empty)

    def _heard(self, event: Event) -> None:
        """Offer what is there as soon as the first file of an empty library is in."""
        if self._is_empty and isinstance(event, FileDone):
            self._content_changed()

    def _know_empty(self, is_empty: bool) -> None:
        if is_empty != self._is_empty:
            self._is_empty = is_empty
            self._show_labels()

    # -- the panel

    def shown(self) -> None:
        self.tab.shown()

    def left(self) -> None:
        self.tab.left()

    @property
    def card_grid(self) -> CardGrid | None:
        return self.tab.card_grid

    def step_back(self) -> bool:
        return self.tab.step_back()

    def refresh_thumbnails(self) -> None:
        self.tab.refresh_thumbnails()

    def undo(self) -> None:
        self.acts.undo()

    def redo(self) -> None:
        self.acts.redo()
