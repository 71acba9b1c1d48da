"""Which frame is looked at now, which come next, and what a person says of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from src.gui.core.session import Session
from src.gui.core.undoable_acts import Act, UndoableActs
from src.label_records import ReviewFrame, ReviewProgress
from src.records import FrameView


@dataclass(frozen=True)
class Looked:
    """What is looked at.

    Attributes:
        frame: None when all frames were looked at, and before one is found.
        view: the frame with its segments; None while it is read, and where it can't be.
        progress: None before it is counted.
        is_last: whether there is no frame left to look at.
    """

    labels: tuple[str, ...] = ()
    frame: ReviewFrame | None = None
    view: FrameView | None = None
    why_no_view: str = ""
    progress: ReviewProgress | None = None
    is_last: bool = False
    can_go_before: bool = False


class ReviewQueue:
    """Reads and saves in other threads; `show` is called with what there is to be seen."""

    def __init__(
        self,
        session: Session,
        acts: UndoableActs,
        show: Callable[[Looked], None],
        explain: Callable[[Exception], str],
    ) -> None:
        """Begin with nothing to look at; see `choose`.

        Args:
            explain: says why a frame can't be shown.
        """
        self._session, self._acts, self._show, self._explain = session, acts, show, explain
        self.looked = Looked()
        self._frames: list[ReviewFrame] = []  # looked at so far, the last one on top
        self._place = -1
        self._asked = 0

    def choose(self, labels: Sequence[str]) -> None:
        """Look for these labels from now on, beginning with the first frame without an answer."""
        if tuple(labels) != self.looked.labels:
            self._frames, self._place = [], -1
            self._put(Looked(tuple(labels)))
            if labels:
                self.next()

    def refresh(self) -> None:
        """Read the frame again, and count again: the library has changed."""
        looked = self.looked
        if not looked.labels:
            return
        if looked.frame is None:
            self.next()
        else:
            self._look(looked.frame)
            self._count()

    # -- from frame to frame

    def next(self) -> None:
        """Go to the next frame without an answer for each of the labels."""
        labels, after = self.looked.labels, self._here
        if not labels:
            return
        asked, verbs = self._ask(), self._session.library.labels

        def found(answer: tuple[ReviewFrame | None, ReviewProgress]) -> None:
            if asked != self._asked:
                return
            frame, progress = answer
            self._put(replace(self.looked, progress=progress))
            if frame is None:
                self._put(replace(self.looked, is_last=True, frame=after))
                if after is None:
                    self._put(replace(self.looked, view=None))
                return
            del self._frames[self._place + 1 :]
            self._frames.append(frame)
            self._go(len(self._frames) - 1)

        self._session.main_thread.run(
            lambda: (verbs.next_to_review(labels, after), verbs.review_progress(labels)),
            found,
            fails="Couldn't find the next frame",
        )

    def before(self) -> None:
        """Go back to the frame before."""
        if self._place > 0:
            self._go(self._place - 1)

    def _go(self, place: int) -> None:
        self._place = place
        self._look(self._frames[place])

    @property
    def _here(self) -> ReviewFrame | None:
        return self._frames[self._place] if 0 <= self._place < len(self._frames) else None

    def _look(self, frame: ReviewFrame) -> None:
        """Show a frame as soon as it is read; until then the one before stays."""
        asked, browse = self._ask(), self._session.library.browse

        def shown(view: FrameView | None, why: str = "") -> None:
            if asked == self._asked:
                here = replace(self.looked, frame=self._here or frame, view=view, why_no_view=why)
                self._put(replace(here, is_last=False, can_go_before=self._place > 0))

        self._session.main_thread.run(
            lambda: browse.frame_view(frame.segment_id),
            shown,
            lambda exc: shown(None, self._explain(exc)),
        )

    def _ask(self) -> int:
        self._asked += 1
        return self._asked

    def _put(self, looked: Looked) -> None:
        self.looked = looked
        self._show(looked)

    # -- what a person says

    def answer(self, has_more: bool, said: str) -> None:
        """Say of the frame whether it holds some of the labels that are not marked.

        Where it holds none, the next frame comes.

        Args:
            said: what is said then.
        """
        frame, labels = self._here, self.looked.labels
        if frame is None or not labels:
            return
        place, before = self._place, frame.answers
        answers = dict.fromkeys(labels, has_more)
        verbs = self._session.library.labels

        def hold(says: dict[str, bool]) -> None:
            if place < len(self._frames) and self._frames[place].segment_id == frame.segment_id:
                self._frames[place] = replace(self._frames[place], answers=says)
                if place == self._place:
                    self._put(replace(self.looked, frame=self._frames[place]))

        def undone() -> None:
            hold(before)
            self._return_to(frame, place)
            self._count()

        def done() -> None:
            hold(before | answers)
            self._count()

        work = partial(verbs.answer_frame, frame.media_file_id, frame.frame_index, answers)
        hold(before | answers)  # it is seen before it is saved
        self._acts.do(Act(work, said, done, undone))
        if not has_more:
            self.next()

    def _return_to(self, frame: ReviewFrame, place: int) -> None:
        """Show a frame whose answer was taken back."""
        if place < len(self._frames) and self._frames[place].segment_id == frame.segment_id:
            self._go(place)

    def _count(self) -> None:
        labels, verbs = self.looked.labels, self._session.library.labels

        def counted(progress: ReviewProgress) -> None:
            if labels == self.looked.labels:
                self._put(replace(self.looked, progress=progress))

        self._session.main_thread.run(lambda: verbs.review_progress(labels), counted)
