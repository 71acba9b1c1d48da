"""Labels, and three ways of giving them: by rank, frame by frame, and where words disagree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from src.gui.cards.card_grid import CardGrid
from src.gui.label.disagreements_tab import DisagreementsTab
from src.gui.label.label_acts import LabelActs
from src.gui.label.label_tab import LabelTab, LabelTools
from src.gui.label.rank_tab import RankTab
from src.gui.label.review_tab import ReviewTab
from src.gui.panel.panel import Panel, PanelContext
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, panel_header, rule
from src.gui.widgets.inputs import Choice
from src.gui.widgets.key_hints import KeyHints
from src.label_records import Label

SAVED = "Each answer is saved"
TABS: Sequence[type[LabelTab]] = (RankTab, ReviewTab, DisagreementsTab)


@dataclass(frozen=True)
class LabelPanelActions:
    """What the panel asks of the window.

    Attributes:
        open: shows a segment by its id; Back returns.
    """

    open: Callable[[str], None]


class LabelPanel(Panel):
    """A header with tabs, the labels at the left, the tab that is chosen, and its keys below."""

    def __init__(self, context: PanelContext, actions: LabelPanelActions) -> None:
        super().__init__(context)
        theme, session = context.theme, context.session
        self._actions = actions
        self._labels: Sequence[Label] = ()
        header = panel_header(self, theme, "Label")
        self.choice = Choice(header, theme, [tab.name for tab in TABS], self._show_tab)
        self.choice.pack(side="left", padx=(24, 0))
        self._undo = Button(header, theme, "Undo", self.undo, icon_name="undo", height=32)
        self._undo.pack(side="right")
        self._undo.set_enabled(False)
        rule(self, theme).pack(fill="x")
        self.hints = KeyHints(self, theme)
        self.hints.pack(side="bottom", fill="x")
        self.hints.say(SAVED, is_good=True)
        self._body = ctk.CTkFrame(self, fg_color="transparent", corner_radius=0)
        self._body.pack(fill="both", expand=True)
        # Labels of `library.labels`, which is there once the library is open
        self.acts = LabelActs(
            session,
            lambda: session.library.labels,
            self._acted,
            lambda text: self.hints.say(text or SAVED, is_good=not text),
        )
        tools = LabelTools(
            self.acts,
            actions.open,
            lambda: self._labels,
            lambda: None,
            self.hints.say,
            lambda: None,
            lambda: None,
        )
        self.tabs = {tab.name: tab(self._body, context, tools) for tab in TABS}
        self._show_tab(RankTab.name)

    @property
    def tab(self) -> LabelTab:
        return self.tabs[self.choice.value]

    def _show_tab(self, name: str) -> None:
        for tab in self.tabs.values():
            if tab.winfo_manager() and tab.name != name:
                tab.left()
                tab.pack_forget()
        tab = self.tabs[name]
        tab.pack(side="left", fill="both", expand=True)
        self.hints.show(tab.key_hints)
        if self.winfo_viewable():
            tab.shown()

    def _acted(self) -> None:
        self._undo.set_enabled(self.acts.can_undo)

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
