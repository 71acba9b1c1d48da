"""What a person does with labels themselves: each is an act that can be taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from src.counting import counted
from src.errors import is_of_a_person
from src.gui.core.session import Session
from src.gui.core.undoable_acts import Act, UndoableActs
from src.gui.core.wording import as_sentence
from src.label_records import Label, LabelAttribute


def batch_of(result: object) -> str:
    """Return the batch that a verb gave; "" where it gave something else."""
    return result if isinstance(result, str) else ""


class LabelCommands:
    """Changes the list of labels, and says what was done."""

    def __init__(
        self,
        session: Session,
        acts: UndoableActs,
        labels: Callable[[], Sequence[Label]],
        choose: Callable[[str], None],
        say: Callable[[str], None],
        changed: Callable[[], None],
    ) -> None:
        """Prepare it.

        Args:
            choose: chooses a label by its name, once it is in the list.
            changed: called where the list has changed by something that is no act.
        """
        self._session, self._acts, self._labels = session, acts, labels
        self._choose, self._say, self._changed = choose, say, changed

    def label(self, name: str) -> Label | None:
        return next((each for each in self._labels() if each.name == name), None)

    def add(self, name: str, refused: Callable[[str], None]) -> None:
        """Make a label and choose it.

        Args:
            refused: gets a sentence where it can't have this name.
        """
        labels = self._session.library.labels

        def added(label: Label) -> None:
            self._choose(label.name)
            self._changed()

        self._session.main_thread.run(
            partial(labels.add, name), added, self._or(refused), "Couldn't make the label"
        )

    def import_names(self, path: Path) -> None:
        """Make the labels that a text file names."""
        labels = self._session.library.labels

        def imported(made: Sequence[Label]) -> None:
            self._say(f"{counted(len(made), 'label')} imported.")
            if made and not self._labels():
                self._choose(made[0].name)
            self._changed()

        self._session.main_thread.run(
            partial(labels.import_names, path), imported, fails="Couldn't import the labels"
        )

    def rename(self, name: str, new_name: str, refused: Callable[[str], None]) -> None:
        """Give a label another name."""
        if new_name == name:
            return
        labels = self._session.library.labels
        said = f"“{name}” is now “{new_name}”."
        self._do(
            partial(labels.rename, name, new_name),
            said,
            partial(self._choose, new_name),
            partial(self._choose, name),
            refused,
        )

    def merge(self, name: str, into: str) -> None:
        """Give all that has a label another one, and remove the first."""
        labels = self._session.library.labels
        said = f"“{name}” merged into “{into}”."
        self._do(
            partial(labels.merge, [name], into),
            said,
            partial(self._choose, into),
            partial(self._choose, name),
        )

    def remove(self, name: str) -> None:
        """Take a label off everywhere; no question is asked, since it can be taken back."""
        labels, about = self._session.library.labels, self.label(name)
        has = 0 if about is None else about.segments + about.accepted_together
        said = f"“{name}” removed from {counted(has, 'segment')}." if has else f"“{name}” removed."
        self._do(partial(labels.remove, name), said, undone=partial(self._choose, name))

    def move(self, name: str, place: int) -> None:
        """Give a label another place in the list."""
        names = [each.name for each in self._labels()]
        if name in names:
            names.remove(name)
            names.insert(place, name)
            said = f"“{name}” moved to place {place + 1}."
            self._do(partial(self._session.library.labels.reorder, names), said)

    def move_by(self, name: str, step: int) -> None:
        """Move a label up (-1) or down (1)."""
        names = [each.name for each in self._labels()]
        place = names.index(name) + step
        if 0 <= place < len(names):
            self.move(name, place)

    def set_colour(self, name: str, colour: str) -> None:
        said = f"Colour of “{name}” changed."
        self._do(partial(self._session.library.labels.set_colour, name, colour), said)

    def set_attributes(self, name: str, attributes: Sequence[LabelAttribute]) -> None:
        labels = self._session.library.labels
        said = f"Attributes of “{name}” changed."
        self._do(partial(labels.set_attributes, name, tuple(attributes)), said)

    def _do(
        self,
        work: Callable[[], object],
        said: str,
        done: Callable[[], None] = lambda: None,
        undone: Callable[[], None] = lambda: None,
        refused: Callable[[str], None] | None = None,
    ) -> None:
        act = Act(lambda: batch_of(work()), said, done, undone)
        self._acts.do(act, None if refused is None else self._or(refused))

    @staticmethod
    def _or(refused: Callable[[str], None]) -> Callable[[Exception], None]:
        """Return what hands a person's mistake to `refused`, and all else to the window."""

        def failed(exc: Exception) -> None:
            if not is_of_a_person(exc):
                raise exc
            refused(as_sentence(str(exc)))

        return failed
