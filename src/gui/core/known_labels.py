"""The labels of the library that is open, for all who offer them: keys 1 to 9, and completion."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from src.gui.core.session import READ_ONLY, Control, Session
from src.label_records import Label
from src.search.completion import Names, Suggestion

KEYS = 9  # of labels that have a key, from 1 on
NO_LABELS = "There are no labels yet. Type a name."
_MOST_SUGGESTIONS = 8


class KnownLabels:
    """Read behind the window when the library is opened, and again when it has changed."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.labels: tuple[Label, ...] = ()
        self.changed: list[Callable[[], None]] = []
        self._names = Names()
        self._reading = self._read_again = False
        session.signals.opened.append(self.read)
        session.signals.content_changed.append(self.read)
        session.signals.job_ended.append(lambda *_: self.read())

    def read(self) -> None:
        """Read them again, in another thread; of many calls at once two are answered."""
        if not self._session.is_open or self._session.read_only:  # there are none to give
            return
        if self._reading:
            self._read_again = True
            return
        self._reading = True
        library = self._session.library

        def reading() -> tuple[Sequence[Label], Names]:
            return library.labels.list(), library.labels.names()

        self._session.main_thread.run(reading, self._show, self._failed)

    def _show(self, found: tuple[Sequence[Label], Names]) -> None:
        labels, self._names = found
        self._reading = False
        if tuple(labels) != self.labels:
            self.labels = tuple(labels)
            for listener in tuple(self.changed):
                listener()
        if self._read_again:
            self._read_again = False
            self.read()

    def _failed(self, exc: Exception) -> None:
        self._reading = self._read_again = False
        raise exc

    def with_key(self, key: int) -> Label | None:
        """Return the label that a key from 1 to 9 gives; None where it gives none."""
        return self.labels[key - 1] if 1 <= key <= min(KEYS, len(self.labels)) else None

    def why_none(self, key: int) -> str:
        """Say why a key gives no label."""
        if self._session.read_only:
            return READ_ONLY
        return NO_LABELS if not self.labels else f"No label has the key {key}."

    def only_to_give(self, *controls: Control) -> None:
        """Switch off what gives labels, where nothing in the library can be changed."""
        self._session.only_to_write(*controls)

    def suggest(self, typed: str) -> list[Suggestion]:
        """Suggest labels and models' tags of which a word begins so; at first those with keys.

        None where the only one is what was typed.
        """
        place_of = {label.name: place for place, label in enumerate(self.labels)}

        def suggestion(name: str) -> Suggestion:
            place = place_of.get(name)
            if place is None:
                return Suggestion(name, "tag", "")
            label = self.labels[place]
            note = f"key {place + 1}" if place < KEYS else f"{label.segments:,}"
            return Suggestion(name, "label", note, label.colour)

        typed = " ".join(typed.split())
        if not typed:
            return [suggestion(label.name) for label in self.labels[:KEYS]]
        names = [name for name, _ in self._names.beginning(typed, _MOST_SUGGESTIONS)]
        return [] if names == [typed] else [suggestion(name) for name in names]
