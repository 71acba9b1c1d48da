"""Labels for all that is selected in a panel: one act, by a name or by a key, with one undo."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from functools import partial

from src.counting import counted
from src.errors import is_of_a_person
from src.gui.cards.card_grid import CardGrid
from src.gui.core.known_labels import KEYS, KnownLabels
from src.gui.core.session import Session
from src.gui.core.undoable_acts import Act, UndoableActs
from src.gui.core.wording import as_sentence
from src.gui.widgets.key_bindings import bind_key

NOTHING_THERE = "Nothing of it is in the library yet."


class BulkLabels:
    """Gives labels in another thread, and says what was done."""

    def __init__(
        self,
        session: Session,
        labels: KnownLabels,
        find: Callable[[], Callable[[], Sequence[str]] | None],
        say: Callable[[str, bool], object],
        done: Callable[[], object],
        word: str = "segment",
    ) -> None:
        """Prepare it.

        Args:
            find: returns what finds the segments that are selected, in another thread; None where
                nothing is.
            say: shows what was done or why it can't be, and whether it can be undone.
            done: called once a label was given.
            word: what one of the segments is called.
        """
        self._session, self._labels, self._find = session, labels, find
        self._say, self._done, self._word = say, done, word
        self.acts = UndoableActs(
            session,
            lambda: session.library.labels,
            lambda: session.tell_content_changed(),
            self._said,
        )

    def bind_keys(
        self, widget: tkinter.Misc, on_key: Callable[[int], object] | None = None
    ) -> None:
        """Give labels by the keys 1 to 9 while a widget has the keyboard."""
        for key in range(1, KEYS + 1):
            for name in (f"<Key-{key}>", f"<KP_{key}>"):
                bind_key(widget.bind, name, partial(_pressed, on_key or self.give_key, key))

    def bind_cards(self, grid: CardGrid) -> None:
        """Give labels by keys to the cards that are selected, else to the one with the focus."""

        def give(key: int) -> None:
            if not grid.selection and grid.focused is not None:
                grid.select(frozenset({grid.focused}))
            self.give_key(key)

        self.bind_keys(grid.canvas, give)

    def give_key(self, key: int) -> None:
        """Give the label of a key from 1 to 9."""
        label = self._labels.with_key(key)
        if label is not None:
            self.give(label.name)
        else:
            self._say(self._labels.why_none(key), False)

    def give(self, name: str) -> None:
        """Give a label to all that is selected."""
        name, find = " ".join(name.split()), self._find()
        if not name or find is None:
            return

        def act_on(segment_ids: Sequence[str]) -> Act | None:
            if not segment_ids:
                self._say(NOTHING_THERE, False)
                return None
            return Act(
                partial(self._session.library.labels.give, segment_ids, name),
                f"{counted(len(segment_ids), self._word)} labelled “{name}”.",
                self._done,
            )

        def refused(exc: Exception) -> None:
            if not is_of_a_person(exc):
                raise exc
            self._say(as_sentence(str(exc)), False)

        self.acts.do_found(find, act_on, refused, "Couldn't add the label")

    def _said(self, text: str) -> None:
        self._say(text, self.acts.has_saved)

    def undo(self) -> None:
        self.acts.undo()

    def redo(self) -> None:
        self.acts.redo()


def _pressed(on_key: Callable[[int], object], key: int, _event: object) -> str:
    on_key(key)
    return "break"
