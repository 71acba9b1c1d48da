"""Which frame is looked at now, and what is said of it, without a window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from src.errors import QueryError
from src.gui.core.undoable_acts import UndoableActs
from src.gui.label.review_queue import ReviewQueue
from src.label_records import ReviewFrame, ReviewProgress
from tests.direct_thread import DirectThread

LABELS = ("dog", "cat")


class Verbs:
    """Those of a library with frames of one file, and what was said of them."""

    def __init__(self, frames: int) -> None:
        self.said: list[dict[str, bool]] = [{} for _ in range(frames)]
        self.fails = False

    def frame(self, number: int, labels: Sequence[str]) -> ReviewFrame:
        answers = {name: has for name, has in self.said[number].items() if name in labels}
        return ReviewFrame(7, number, f"frame {number}", answers)

    def _is_open(self, number: int, labels: Sequence[str]) -> bool:
        return not set(labels) <= set(self.said[number])

    def next_to_review(
        self, labels: Sequence[str], after: ReviewFrame | None = None
    ) -> ReviewFrame | None:
        at = -1 if after is None else after.frame_index
        order = [*range(at + 1, len(self.said)), *range(max(0, at))]
        found = next((n for n in order if self._is_open(n, labels)), None)
        return None if found is None else self.frame(found, labels)

    def review_progress(self, labels: Sequence[str]) -> ReviewProgress:
        done = sum(not self._is_open(n, labels) for n in range(len(self.said)))
        return ReviewProgress(done, len(self.said))

    def answer_frame(self, media_file_id: int, frame: int, answers: Mapping[str, bool]) -> str:
        assert media_file_id == 7
        if self.fails:
            raise QueryError("this frame is no longer in the library")
        self._before = frame, dict(self.said[frame])
        self.said[frame] |= answers
        return "batch"

    def undo(self, _batch: str) -> None:
        frame, said = self._before
        self.said[frame] = said

    def redo(self, _batch: str) -> None:
        frame, _ = self._before
        self.said[frame] |= dict.fromkeys(LABELS, False)


class Review(SimpleNamespace):
    def __init__(self, frames: int) -> None:
        self.verbs = Verbs(frames)
        browse = SimpleNamespace(frame_view=lambda key: f"view of {key}")
        library = SimpleNamespace(labels=self.verbs, browse=browse)
        self.thread = DirectThread()
        session: Any = SimpleNamespace(library=library, main_thread=self.thread, read_only=False)
        self.told: list[str] = []
        self.acts = UndoableActs(session, lambda: self.verbs, lambda: None, self.told.append)
        self.queue = ReviewQueue(session, self.acts, lambda looked: None, str)

    @property
    def at(self) -> tuple[str, dict[str, bool], int]:
        looked = self.queue.looked
        assert looked.frame is not None and looked.progress is not None
        assert looked.view == f"view of {looked.frame.segment_id}"  # type: ignore[comparison-overlap]
        return looked.frame.segment_id, looked.frame.answers, looked.progress.reviewed


def test_no_more_goes_on_and_some_unmarked_stays() -> None:
    review = Review(4)
    review.queue.choose(LABELS)
    assert review.at == ("frame 0", {}, 0)
    review.queue.answer(False, "No more")
    assert review.verbs.said[0] == {"dog": False, "cat": False}
    assert review.at == ("frame 1", {}, 1) and review.told == ["No more"]
    review.queue.answer(True, "Some")
    assert review.at == ("frame 1", {"dog": True, "cat": True}, 2)
    review.queue.next()
    assert review.at == ("frame 2", {}, 2)


def test_one_goes_back_to_frames_with_what_was_said_of_them() -> None:
    review = Review(3)
    review.queue.choose(LABELS)
    assert not review.queue.looked.can_go_before
    review.queue.answer(False, "")
    review.queue.before()
    assert review.at == ("frame 0", {"dog": False, "cat": False}, 1)
    review.queue.before()
    assert review.at[0] == "frame 0", "there is none before the first"
    review.queue.answer(True, "")
    assert review.verbs.said[0] == {"dog": True, "cat": True}
    review.queue.next()
    assert review.at == ("frame 1", {}, 1)


def test_undo_returns_to_the_frame() -> None:
    review = Review(3)
    review.queue.choose(LABELS)
    review.queue.answer(False, "No more")
    assert review.at[0] == "frame 1"
    review.acts.undo()
    assert review.at == ("frame 0", {}, 0)
    review.acts.redo()
    assert review.at == ("frame 0", {"dog": False, "cat": False}, 1)


def test_what_can_not_be_saved_is_not_shown_as_said() -> None:
    review = Review(3)
    review.queue.choose(LABELS)
    review.verbs.fails = True
    try:
        review.queue.answer(False, "No more")
    except QueryError:
        pass
    assert review.queue.looked.progress == ReviewProgress(0, 3)
    assert all(not said for said in review.verbs.said)
    review.queue.before()
    assert review.at[:2] == ("frame 0", {})


def test_the_last_frame_says_so_and_a_library_that_was_looked_at_shows_none() -> None:
    review = Review(1)
    review.queue.choose(LABELS)
    review.queue.answer(False, "")
    assert review.queue.looked.is_last
    assert review.at == ("frame 0", {"dog": False, "cat": False}, 1)
    again = Review(1)
    again.verbs.said = review.verbs.said
    again.queue.choose(LABELS)
    looked = again.queue.looked
    assert looked.is_last and looked.frame is None and looked.view is None
    assert looked.progress == ReviewProgress(1, 1)


def test_other_labels_are_looked_for_from_the_start_and_none_shows_nothing() -> None:
    review = Review(2)
    review.queue.choose(["dog"])
    review.queue.answer(False, "")
    assert review.at[0] == "frame 1"
    review.queue.choose(LABELS)
    assert review.at == ("frame 0", {"dog": False}, 0), "looked at for one of them alone"
    review.queue.choose([])
    assert review.queue.looked.frame is None and not review.queue.looked.labels
    review.queue.answer(False, "")
    assert review.verbs.said == [{"dog": False}, {}]


def test_a_frame_that_can_not_be_shown_says_why_and_can_be_passed_by() -> None:
    review = Review(2)

    def view(key: str) -> str:
        if key == "frame 0":
            raise QueryError("the crop is gone")
        return f"view of {key}"

    review.queue._session.library.browse.frame_view = view
    review.queue.choose(LABELS)
    looked = review.queue.looked
    assert looked.view is None and looked.why_no_view == "the crop is gone"
    review.queue.next()
    assert review.at[0] == "frame 1"
