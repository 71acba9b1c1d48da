"""What a person changes of the tracks of a video, and the labels they give, in one line of acts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from src.counting import counted
from src.errors import is_of_a_person
from src.gui.core.known_labels import KnownLabels
from src.gui.core.session import Session
from src.gui.core.undoable_acts import Act, UndoableActs
from src.gui.core.wording import as_sentence
from src.gui.timeline.labelled import said_of
from src.gui.timeline.timeline_model import TimelineModel
from src.track_records import SAME_MOMENT_S

NOTHING_TO_UNDO = "There is nothing to undo here."
NOTHING_TO_REDO = "There is nothing to do again here."
NOTHING_CHOSEN = "Choose a bar first."
NOT_THERE = "The chosen track isn't in this frame."
AT_BEGINNING = "The track begins here. Go to a later frame to split it."
AT_END = "The track isn't seen from here on. Go to an earlier frame to split it."
TWO_TO_JOIN = "Choose two tracks to join: Ctrl and click adds one."


class TimelineActs:
    """Saves in another thread, in order, and says what was done or why it can't be."""

    def __init__(
        self,
        session: Session,
        labels: KnownLabels,
        model: TimelineModel,
        say: Callable[[str, bool], object],
    ) -> None:
        """Prepare it.

        Args:
            say: shows what was done, or why nothing was; and whether it is good news.
        """
        self._session, self._labels, self._model, self._say = session, labels, model, say
        self.acts = UndoableActs(
            session,
            lambda: session.library.tracks,
            session.tell_content_changed,
            self._said,
        )

    def _said(self, text: str) -> None:
        self._say(text, bool(text))

    def undo(self) -> None:
        if self.acts.can_undo:
            self.acts.undo()
        else:
            self._say(NOTHING_TO_UNDO, False)

    def redo(self) -> None:
        if self.acts.can_redo or self.acts.is_saving:
            self.acts.redo()
        else:
            self._say(NOTHING_TO_REDO, False)

    # -- tracks

    def split(self) -> None:
        """Make two tracks of the chosen one: what is before the playhead, and the rest.

        Where it is out of sight the rest begins with the next frame it is seen in.
        """
        model, track, segment = self._model, self._model.track, self._model.split_segment()
        if track is None:
            self._say(NOTHING_CHOSEN, False)
        elif segment is None:
            is_over = model.playhead_s > track.segments[0].timestamp_s + SAME_MOMENT_S
            self._say(AT_END if is_over else AT_BEGINNING, False)
        else:
            verbs = self._session.library.tracks
            name = "" if model.choice is None else model.name_of(model.choice)
            self._do(partial(verbs.split, track.id, segment.segment_id), f"“{name}” split in two.")

    def join(self) -> None:
        """Make one track of those that are chosen."""
        found = (self._model.track_of(choice) for choice in self._model.chosen)
        ids = list(dict.fromkeys(track.id for track in found if track is not None))
        if len(ids) < 2:
            self._say(TWO_TO_JOIN, False)
        else:
            said = f"{counted(len(ids), 'track')} joined."
            self._do(partial(self._session.library.tracks.join, ids), said)

    def take_out(self) -> None:
        """Take the chosen track's segment in the frame at the playhead out of it."""
        segment = self._model.segment_now()
        if self._model.track is None:
            self._say(NOTHING_CHOSEN, False)
        elif segment is None:
            self._say(NOT_THERE, False)
        else:
            verbs = self._session.library.tracks
            self._do(
                partial(verbs.take_out, [segment.segment_id]), "Segment taken out of its track."
            )

    # -- labels

    def give_key(self, key: int) -> None:
        """Label what is chosen with the label of a key from 1 to 9."""
        label = self._labels.with_key(key)
        if label is not None:
            self.give(label.name)
        else:
            self._say(self._labels.why_none(key), False)

    def give(self, name: str) -> None:
        """Label each chosen track, by its segment at the playhead."""
        ids = self._model.segments_chosen()
        if not ids:
            self._say(NOTHING_CHOSEN, False)
            return
        self.give_to(ids, name)

    def give_to(self, segment_ids: Sequence[str], name: str) -> None:
        """Label segments, and with them their tracks."""
        name, ids = " ".join(name.split()), list(segment_ids)
        if name and ids:
            verbs, what = self._session.library.labels, said_of(self._model, ids)
            self._do(partial(verbs.give, ids, name), f"{what} labelled “{name}”.")

    def _do(self, work: Callable[[], str], said: str) -> None:
        def refused(exc: Exception) -> None:
            if not is_of_a_person(exc):
                raise exc
            self._say(as_sentence(str(exc)), False)

        self.acts.do(Act(work, said), refused)
