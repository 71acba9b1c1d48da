"""What a person does to a frame in the detail view, in one line for undo: tags, masks, tracks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from src.gui.core.session import Session
from src.gui.core.undoable_acts import Act, UndoableActs
from src.label_records import KeptEdit


class _FrameVerbs:
    """Undoes and redoes, in another thread, one at a time.

    Attributes:
        edits: of masks, by batch: the id of the frame as a whole and that of the edited segment.
        left: what the last undo or redo of an edit has left there: that segment, or the frame as a
            whole.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.edits: dict[str, tuple[str, str | None]] = {}
        self.left = ""

    def undo(self, batch: str) -> None:
        library = self._session.library
        if batch in self.edits:
            library.undo_edit(batch)
            self._find(batch)
        else:
            library.labels.undo(batch)

    def redo(self, batch: str) -> None:
        library = self._session.library
        if batch in self.edits:
            library.redo_edit(batch)
            self._find(batch)
        else:
            library.labels.redo(batch)

    def _find(self, batch: str) -> None:
        whole, segment_id = self.edits[batch]
        ids = {each.id for each in self._session.library.browse.frame_view(whole).segments}
        self.left = segment_id if segment_id is not None and segment_id in ids else whole


class FrameActs:
    """Saves acts in their order; each says in place what was done, or taken back."""

    def __init__(
        self,
        session: Session,
        show: Callable[[str], None],
        refresh: Callable[[str], None],
        say: Callable[[str], None],
    ) -> None:
        """Prepare it.

        Args:
            show: shows a segment, read anew, by its id.
            refresh: reads it anew where it is the one that is shown.
            say: shows what was done.
        """
        self._session, self._show, self._refresh, self._say = session, show, refresh, say
        self._verbs = _FrameVerbs(session)
        self._acts = UndoableActs(
            session, lambda: self._verbs, lambda: session.tell_content_changed(), say
        )
        self._opened = 0  # which segment was opened; an answer about one before is not shown

    def undo(self) -> None:
        self._acts.undo()

    def redo(self) -> None:
        self._acts.redo()

    def forget(self) -> None:
        """Forget what could be undone: another segment was opened."""
        self._acts.forget()
        self._opened += 1

    def add_tag(
        self,
        segment_id: str,
        name: str,
        added: Callable[[], None],
        refused: Callable[[Exception], None],
    ) -> None:
        """Add a tag to a segment.

        Args:
            added: called once it is saved, the first time and again.
            refused: gets the error where it can't be.
        """
        labels = self._session.library.labels

        def done() -> None:
            added()
            self._refresh(segment_id)

        self._acts.do(
            Act(
                lambda: labels.give([segment_id], name),
                f"Tag “{name}” added.",
                done,
                self._shown_again(segment_id),
            ),
            refused,
            "Couldn't add the tag",
        )

    def remove_tag(self, segment_id: str, name: str) -> None:
        """Take a tag off a segment; no model gives it again."""
        labels = self._session.library.labels
        self._acts.do(
            Act(
                lambda: labels.reject([segment_id], name),
                f"Tag “{name}” removed.",
                partial(self._refresh, segment_id),
                self._shown_again(segment_id),
            ),
            fails="Couldn't remove the tag",
        )

    def split_track(self, track_id: int, segment_id: str) -> None:
        """Make two tracks of one, the second from a segment on."""
        tracks = self._session.library.tracks
        self._change_track(
            segment_id,
            lambda: tracks.split(track_id, segment_id),
            "Track split.",
            "Couldn't split the track",
        )

    def take_out(self, segment_id: str) -> None:
        """Take a segment out of its track."""
        tracks = self._session.library.tracks
        self._change_track(
            segment_id,
            lambda: tracks.take_out([segment_id]),
            "Segment taken out of its track.",
            "Couldn't change the track",
        )

    def _change_track(
        self, segment_id: str, work: Callable[[], str], said: str, fails: str
    ) -> None:
        refresh, again = partial(self._refresh, segment_id), self._shown_again(segment_id)
        self._acts.do(Act(work, said, refresh, again), fails=fails)

    def remember_edit(self, kept: KeptEdit, whole: str) -> None:
        """Make a saved edit of a mask undoable; undo shows what is there then.

        Args:
            whole: the id of the frame as a whole.
        """
        # one that was deleted comes back when that is taken back
        deleted = kept.removed[-1] if kept.removed else None
        self._verbs.edits[kept.batch] = whole, kept.segment_id or deleted
        opened = self._opened

        def show() -> None:
            if opened == self._opened:
                self._show(self._verbs.left)

        said = said_of(kept)
        self._acts.remember(Act(str, said, show, show), kept.batch)
        self._say(said)

    def _shown_again(self, segment_id: str) -> Callable[[], None]:
        """Return what shows a segment whose act is taken back, where nothing else was opened."""
        opened = self._opened

        def show() -> None:
            if opened == self._opened:
                self._show(segment_id)

        return show


def said_of(kept: KeptEdit) -> str:
    """Write what an edit of a mask was."""
    if kept.segment_id is None:
        return "Segment deleted."
    if kept.removed:
        return "Segments merged."
    if kept.segment_id in kept.added:
        return "New segment saved."
    return "Segment split." if kept.added else "Mask saved."
