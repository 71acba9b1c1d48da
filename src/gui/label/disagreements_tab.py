"""The tab "Disagreements": where a model or another segment says otherwise than a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from src.gui.core.undoable_acts import Act
from src.gui.label.disagreement_list import DisagreementList, words_of
from src.gui.label.disagreement_pair import DisagreementPair
from src.gui.label.label_tab import LabelTab, LabelTools
from src.gui.panel.panel import PanelContext
from src.gui.theme.theme import LEFT, RIGHT
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, rule
from src.gui.widgets.key_bindings import bind_key
from src.label_records import Disagreement

Answer = Literal["keep", "other", "neither"]
NONE = (
    "No disagreements. They appear here when a model is sure of another label than yours,"
    " or when two segments that are mostly the same have different labels."
)
READING = "Looking for disagreements…"
MOST = 200


class DisagreementsTab(LabelTab):
    """Walked through with arrows; each answer is an act of its own, and the next one comes."""

    name = "Disagreements"
    key_hints = (
        (("K",), "keep mine"),
        (("T",), "take the other"),
        (("B",), "take both away"),
        (("S",), "skip"),
        (("O",), "open"),
        (("↑", "↓"), "move"),
        (("Ctrl", "Z"), "undo"),
    )
    has_list = False

    def __init__(self, master: Any, context: PanelContext, tools: LabelTools) -> None:
        super().__init__(master, context, tools)
        theme = self.theme
        self._asked = 0
        self._is_saving = 0
        self.list = DisagreementList(self, theme, context.thumbnails, self.choose)
        self.list.pack(side="left", fill="y")
        rule(self, theme).pack(side="left", fill="y")
        main = ctk.CTkFrame(self, fg_color="transparent", corner_radius=0)
        main.pack(side="left", fill="both", expand=True, padx=(LEFT, RIGHT), pady=(16, 8))
        foot = ctk.CTkFrame(main, fg_color="transparent")
        foot.pack(side="bottom", fill="x", pady=(8, 0))
        self._buttons = [
            Button(foot, theme, "Keep mine", self._keep, kind="main"),
            Button(foot, theme, "Take the other", self._take_other),
            Button(foot, theme, "Take both away", self._take_both_away),
        ]
        for button in self._buttons:
            button.pack(side="left")
        self.pair = DisagreementPair(main, theme, self.session, tools.open)
        self.pair.pack(fill="both", expand=True)
        keys: Sequence[tuple[str, Callable[[], object]]] = (
            ("k", self._keep),
            ("t", self._take_other),
            ("b", self._take_both_away),
            ("s", self._skip),
            ("o", self._open),
            ("Return", self._open),
            ("Down", partial(self._step, 1)),
            ("Up", partial(self._step, -1)),
        )
        for key, act in keys:
            bind_key(self.list.bind, f"<{key}>", partial(_do, act))
            if len(key) == 1:
                bind_key(self.list.bind, f"<{key.upper()}>", partial(_do, act))

    # -- the tab

    def shown(self) -> None:
        self.read()
        self.list.focus_set()

    def content_changed(self) -> None:
        if self.winfo_viewable() and not self._is_saving:
            self.read()

    def refresh_thumbnails(self) -> None:
        self.list.refresh()

    def read(self) -> None:
        """Look for them, in another thread; the one that is chosen stays so."""
        if not self.session.is_open:
            return
        self._asked += 1
        asked, library = self._asked, self.session.library
        if not self.list.rows:
            self.pair.say(READING)

        def read() -> tuple[Sequence[Disagreement], Mapping[str, Path]]:
            found = library.labels.disagreements(MOST)
            ids = {each.segment_id for each in found}
            ids |= {each.other_segment_id for each in found if each.other_segment_id}
            hits = library.segments(sorted(ids))
            return found, {hit.segment.id: hit.segment.crop_path for hit in hits}

        def done(answer: tuple[Sequence[Disagreement], Mapping[str, Path]]) -> None:
            if asked == self._asked:
                self._show(*answer)

        self.session.main_thread.run(read, done, fails="Couldn't look for disagreements")

    def _show(self, rows: Sequence[Disagreement], crops: Mapping[str, Path]) -> None:
        before = self.chosen
        self._crops = crops
        self.list.show(rows, crops)
        self.list.mark(frozenset())
        at = rows.index(before) if before in rows else min(max(0, self.list.at), len(rows) - 1)
        self.choose(at)

    @property
    def chosen(self) -> Disagreement | None:
        at = self.list.at
        return self.list.rows[at] if 0 <= at < len(self.list.rows) else None

    def choose(self, place: int) -> None:
        """Show a disagreement; -1 for none."""
        self.list.choose(place)
        chosen = self.chosen
        can_answer = chosen is not None and place not in self.list.answered
        for button in self._buttons:
            button.set_enabled(can_answer)
        if chosen is None:
            self.pair.say(NONE)
        else:
            self.pair.show(chosen, self._crops)

    # -- what a person does

    def _keep(self) -> None:
        self._answer("keep", "{mine} kept.")

    def _take_other(self) -> None:
        self._answer("other", "{mine} replaced by {other}.")

    def _take_both_away(self) -> None:
        self._answer("neither", "{mine} and {other} taken away.")

    def _answer(self, answer: Answer, said: str) -> None:
        chosen, place = self.chosen, self.list.at
        if chosen is None or place in self.list.answered:
            return
        mine, other = words_of(chosen)
        verbs = self.session.library.labels

        def is_there() -> bool:
            rows = self.list.rows
            return place < len(rows) and rows[place] == chosen

        def done() -> None:
            if is_there():
                self.list.mark(self.list.answered | {place})

        def undone() -> None:
            if is_there():
                self.list.mark(self.list.answered - {place})
                self.choose(place)
            else:
                self.read()

        self.list.mark(self.list.answered | {place})  # it is seen before it is saved
        act = Act(
            partial(verbs.resolve, chosen, answer),
            said.format(mine=mine, other=other),
            done,
            undone,
        )
        self.tools.acts.do(act)
        self._skip()

    def _skip(self) -> None:
        """Go to the next one that is open, round to the first; where none is, stay."""
        rows, at = self.list.rows, self.list.at
        order = [*range(at + 1, len(rows)), *range(at)]
        place = next((each for each in order if each not in self.list.answered), at)
        self.choose(place)

    def _step(self, step: int) -> None:
        if self.list.rows:
            self.choose(min(max(0, self.list.at + step), len(self.list.rows) - 1))

    def _open(self) -> None:
        if (chosen := self.chosen) is not None:
            self.tools.open(chosen.segment_id)


def _do(act: Callable[[], object], _event: object) -> str:
    act()
    return "break"
