"""What a person answers for candidates: shown at once, saved behind, taken back as a whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from src.counting import counted
from src.gui.cards.card_view import Answer
from src.gui.core.undoable_acts import Act, BatchVerbs, UndoableActs
from src.gui.label.rank_list import RankList
from src.records import SearchHit


class AnswerVerbs(BatchVerbs, Protocol):
    """The verbs of `library.labels` that answers need."""

    def give(self, segment_ids: Sequence[str], name: str) -> str: ...

    def reject(self, segment_ids: Sequence[str], name: str) -> str: ...

    def replace(self, segment_ids: Sequence[str], name: str, new_name: str) -> str: ...

    def clear(self, segment_ids: Sequence[str], name: str) -> str: ...

    def accept_together(
        self, segment_ids: Sequence[str], name: str, confidences: Sequence[float]
    ) -> str: ...


class Answering:
    """Answers for one label at a time; acts for a label that was left are still saved."""

    def __init__(
        self,
        ranked: RankList,
        acts: UndoableActs,
        verbs: Callable[[], AnswerVerbs],
        changed: Callable[[], None],
        saved: Callable[[int], None],
        returned_to: Callable[[Sequence[str]], None],
    ) -> None:
        """Prepare it.

        Args:
            changed: called when the list shows other answers.
            saved: called with how many answers came to be known, or below 0 were taken back.
            returned_to: called with the segments whose answers were taken back.
        """
        self._list, self._acts, self._verbs = ranked, acts, verbs
        self._changed, self._saved, self._returned_to = changed, saved, returned_to
        self.label = ""

    def accept(self, segment_ids: Sequence[str]) -> None:
        """Say that segments have the label."""
        others = {
            each.given for each in self._list.answers_of(segment_ids).values() if each.given
        } - {self.label}
        name, verbs = self.label, self._verbs()
        if len(others) == 1:  # that one was a mistake
            (other,) = others
            self._do(segment_ids, "accepted", lambda: verbs.replace(segment_ids, other, name))
        else:
            self._do(segment_ids, "accepted", lambda: verbs.give(segment_ids, name))

    def reject(self, segment_ids: Sequence[str]) -> None:
        """Say that segments do not have the label."""
        name, verbs = self.label, self._verbs()
        self._do(segment_ids, "rejected", lambda: verbs.reject(segment_ids, name))

    def give(self, segment_ids: Sequence[str], other: str) -> None:
        """Say that segments have another label in place of this one."""
        name, verbs = self.label, self._verbs()
        if other == name:
            self.accept(segment_ids)
            return
        save = partial(verbs.replace, segment_ids, name, other)
        named = f"{counted(len(segment_ids), 'segment')} given “{other}”."
        self._do(segment_ids, "rejected", save, other, named=named)

    def clear(self, segment_ids: Sequence[str]) -> None:
        """Take what was said of segments back to no answer."""
        name, verbs = self.label, self._verbs()
        self._do(segment_ids, "", lambda: verbs.clear(segment_ids, name))

    def accept_together(self, hits: Sequence[SearchHit]) -> None:
        """Accept the best of a ranking in one act, each with its confidence."""
        name, verbs = self.label, self._verbs()
        ids = [hit.segment.id for hit in hits]
        confidences = [min(1.0, max(0.0, hit.score or 0.0)) for hit in hits]
        self._do(
            ids,
            "accepted",
            lambda: verbs.accept_together(ids, name, confidences),
            said=f"{counted(len(ids), 'segment')} accepted as “{name}”.",
        )

    def _do(
        self,
        segment_ids: Sequence[str],
        answer: Answer,
        save: Callable[[], str],
        given: str = "",
        said: str = "",
        named: str = "",
    ) -> None:
        if not segment_ids:
            return
        name, before = self.label, self._list.answers_of(segment_ids)
        known = 0

        def show() -> None:
            if self.label == name:
                self._list.answer(segment_ids, answer, given)
                self._changed()

        def saved() -> None:
            nonlocal known
            known = len(segment_ids)
            show()
            self._saved(known)

        def undone() -> None:
            nonlocal known
            if self.label == name:
                self._list.restore(before)
                self._changed()
            self._returned_to(segment_ids)
            known, taken_back = 0, known
            self._saved(-taken_back)

        show()
        self._acts.do(Act(save, said, saved, undone, named or _named(segment_ids, answer, name)))


def _named(segment_ids: Sequence[str], answer: Answer, name: str) -> str:
    """Name an answer: what is shown on its cards is not said before it is taken back."""
    number = counted(len(segment_ids), "segment")
    return f"{number} {answer} as “{name}”." if answer else f"answer to “{name}” cleared."
