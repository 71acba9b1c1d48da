"""What a person does with labels; MediaLibrary.labels."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, get_args

from src.database.acts import redo, size_of, undo
from src.database.decisions import OF_PEOPLE, new_batch, repeat, take_back
from src.database.label_table import AttributeValue, AttributeValues
from src.database.metadata_db import MetadataDatabase
from src.database.text_normalization import normalize_text
from src.database.track_labels import carried_over, follow_words, give_tracks
from src.errors import QueryError
from src.label_records import Disagreement, DisagreementAnswer, ReviewFrame, ReviewProgress
from src.labels.label_list import LabelList
from src.labels.typed import fitting_value, tag_name
from src.records import Decision, TagSource
from src.search.query import GONE

if TYPE_CHECKING:
    from src.database.vector_db import VectorDatabase
    from src.labels.ranker import Ranker, Rankers
    from src.search.segment_search import SegmentSearch


class Labels(LabelList):
    """The verbs on labels; every act is kept or not as a whole, and can be undone by its batch.

    All of them may be called in any thread. Without a batch an act has one of its own; several
    calls with the same one are undone together.

    What is said of a segment of a track goes to the others of the track in the same act, as
    `propagated`, where people have said nothing of them; see track_labels.
    """

    def __init__(
        self,
        metadata: MetadataDatabase,
        vectors: Callable[[], VectorDatabase],
        search: Callable[[], SegmentSearch],
    ) -> None:
        """Look at a library that is open.

        Args:
            vectors: gives what searches with the CLIP in use, and loads it.
            search: gives what answers queries with it.
        """
        super().__init__(metadata)
        self._vectors = vectors
        self._search = search
        self._rankers: Rankers | None = None
        self._lock = threading.Lock()

    def ranking(self, name: str) -> Ranker:
        """Give what ranks segments for a label; nothing is read before it does."""
        from src.labels.ranker import Rankers

        with self._lock:
            if self._rankers is None:
                self._rankers = Rankers(self._metadata, self._vectors, self._search)
            return self._rankers.of(normalize_text(name))

    # -- what a person says of segments

    def give(self, segment_ids: Sequence[str], name: str, batch: str | None = None) -> str:
        """Say that segments have a label; a new name becomes one.

        Raises:
            QueryError: one of the segments is gone, or the name is none; nothing is done then.
        """
        return self._say(segment_ids, name, batch, True)

    def reject(self, segment_ids: Sequence[str], name: str, batch: str | None = None) -> str:
        """Say that segments don't have a label, whether or not they had it; see give."""
        return self._say(segment_ids, name, batch, False)

    def replace(
        self, segment_ids: Sequence[str], name: str, new_name: str, batch: str | None = None
    ) -> str:
        """Say that segments don't have one label, but another; see give."""
        batch = batch or new_batch()
        with self._act():
            self._say(segment_ids, name, batch, False)
            self._say(segment_ids, new_name, batch, True)
        return batch

    def accept_together(
        self,
        segment_ids: Sequence[str],
        name: str,
        confidences: Sequence[float],
        batch: str | None = None,
    ) -> str:
        """Give segments a label that a ranking is sure of; what people said of any of them stays.

        Args:
            confidences: of each segment, 0 to 1.

        Raises:
            QueryError: see give; or there are not as many confidences, or one is none.
        """
        if len(confidences) != len(segment_ids) or not all(0 <= each <= 1 for each in confidences):
            raise QueryError("give each segment a confidence of 0 to 1")
        sure = dict(zip(segment_ids, map(float, confidences), strict=True))
        with self._act() as db:
            self._check_segments(segment_ids)
            tag_ids = self._table.tag_ids(db, normalize_text(name))
            answered = self._table.answered(db, segment_ids, tag_ids)
            open_ids = [segment_id for segment_id in sure if segment_id not in answered]
            return self._say(open_ids, name, batch, True, "propagated", sure)

    def clear(self, segment_ids: Sequence[str], name: str, batch: str | None = None) -> str:
        """Take back what people said of a label on segments: there is no answer then.

        What a model says holds again. So it is for the others of their tracks to which this went.
        """
        batch = batch or new_batch()
        with self._act() as db:
            self._check_segments(segment_ids)
            for tag_id in self._table.tag_ids(db, normalize_text(name)):
                carried = carried_over(db, segment_ids, tag_id)
                take_back(db, tag_id, batch, segment_ids, carried)
        return batch

    # -- attributes

    def set_attribute(
        self,
        segment_ids: Sequence[str],
        label: str,
        attribute: str,
        value: AttributeValue | None,
        batch: str | None = None,
    ) -> str:
        """Set an attribute of segments; those that only a model gave the label get it, too.

        Args:
            value: one of the choices, or a number; None for no value.

        Raises:
            QueryError: there is no such label or attribute, the value does not fit it, or a
                segment is gone or does not have the label; nothing is done then.
        """
        batch = batch or new_batch()
        with self._act() as db:
            tag_ids, found = self._table.label_ids(db, label), self._label(db, label)
            name, known = found.name, {each.name: each for each in found.attributes}
            if attribute not in known:
                listed = ", ".join(known) or "none"
                raise QueryError(f"“{name}” has no attribute “{attribute}”; it has: {listed}")
            value = fitting_value(known[attribute], value)
            self._check_segments(segment_ids)
            held = self._table.sources(db, segment_ids, tag_ids)
            if lacking := [each for each in segment_ids if each not in held]:
                raise QueryError(
                    f"{len(lacking)} of these segments don't have the label “{name}”; give it first"
                )
            of_models = [each for each in segment_ids if held[each] not in OF_PEOPLE]
            self._say(of_models, name, batch, True)
            self._table.set_value(db, segment_ids, tag_ids[0], attribute, value, batch)
        return batch

    def attributes_of(self, segment_ids: Sequence[str]) -> AttributeValues:
        """Look up attributes: by segment, then by label, then by name."""
        return self._table.attribute_values(segment_ids)

    # -- undo

    def size_of(self, batch: str) -> tuple[int, int]:
        """Count what holds of an act: the labels that people decided on by it, and its tracks."""
        return size_of(self._metadata.connection.read(), normalize_text(batch))

    def undo(self, batch: str) -> int:
        """Take an act back, whole; returns how much that changed, 0 for nothing.

        Raises:
            QueryError: a name that has to come back is that of another label by now; or it is an
                edit of masks, which `undo_edit` of the library undoes.
        """
        with self._act() as db:
            self._refuse_edit(db, batch)
            return undo(db, batch)

    def redo(self, batch: str) -> int:
        """Do an act again that was undone; see undo."""
        with self._act() as db:
            self._refuse_edit(db, batch)
            return redo(db, batch)

    # -- frame by frame

    def next_to_review(
        self, labels: Sequence[str], after: ReviewFrame | None = None
    ) -> ReviewFrame | None:
        """Find the next frame that was not looked at for all of some labels.

        Args:
            after: the frame before; from the last one it goes on with the first.

        Returns:
            None when all were looked at.

        Raises:
            QueryError: one of the names is no label.
        """
        from src.labels.review import next_frame

        return next_frame(self._metadata, self._ids_of(labels), after)

    def review_progress(self, labels: Sequence[str]) -> ReviewProgress:
        """Count the frames that were looked at for all of some labels; see next_to_review."""
        from src.labels.review import progress

        return progress(self._metadata, self._ids_of(labels))

    def answer_frame(
        self,
        media_file_id: int,
        frame_index: int,
        answers: Mapping[str, bool],
        batch: str | None = None,
    ) -> str:
        """Say of a frame, by label, that it holds some (True) or none beyond those marked (False).

        Raises:
            QueryError: the frame is gone, or one of the names is no label.
        """
        batch = batch or new_batch()
        with self._act() as db:
            for label, has_any in answers.items():
                self._table.label_ids(db, label)
                name = self._table.name_of(db, label)
                if not self._metadata.decide_on_frame(
                    media_file_id, frame_index, name, has_any, batch=batch
                ):
                    raise QueryError("this frame is no longer in the library")
        return batch

    # -- what to look at again

    def disagreements(self, limit: int = 200) -> Sequence[Disagreement]:
        """List where a model is sure of another word than people's, and what overlaps.

        Those that `settle` was said of do not come back.
        """
        from src.labels.disagreements import find_disagreements

        return find_disagreements(self._metadata, limit)

    def settle(self, disagreement: Disagreement, batch: str | None = None) -> str:
        """Leave something as it is that was listed as a disagreement.

        Raises:
            QueryError: the segment or the label is gone.
        """
        from src.labels.disagreements import settle

        batch = batch or new_batch()
        with self._act() as db:
            settle(db, self._table, disagreement, batch)
        return batch

    def resolve(
        self,
        disagreement: Disagreement,
        answer: DisagreementAnswer,
        batch: str | None = None,
    ) -> str:
        """Answer a disagreement, in one act; it does not come back.

        Args:
            answer: "keep" leaves it as it is, see settle. "other": it is what the model says, or
                what the segment is called that it overlaps. "neither": it is none of both words; of
                an overlap neither segment is what it is called.

        Raises:
            QueryError: a segment or a label is gone; or there is no such answer.
        """
        if answer not in get_args(DisagreementAnswer):
            raise QueryError(f"{answer!r} is no answer to a disagreement")
        batch, said = batch or new_batch(), disagreement
        other_id = said.other_segment_id or said.segment_id
        rejected = set[tuple[str, str]]()
        if answer == "neither":
            rejected = {(said.segment_id, said.label), (other_id, said.other_label)}
        elif answer == "other" and not said.is_removed:
            rejected = {(said.segment_id, said.label)}
        with self._act():
            for segment_id, word in rejected:
                self.reject([segment_id], word, batch)
            if answer == "other":
                self.give([said.segment_id], said.other_label, batch)
            self.settle(said, batch)
            # a model that was sure of it is not to be asked about next
            for segment_id, word in rejected:
                self.settle(Disagreement("model", segment_id, word, word, 0, True), batch)
        return batch

    # -- inside

    @staticmethod
    def _refuse_edit(db: sqlite3.Connection, batch: str) -> None:
        """Leave edits of masks alone, of which a label is only a part."""
        normalize_text(batch)
        if db.execute("SELECT 1 FROM segment_edits WHERE batch = ?", (batch,)).fetchone():
            raise QueryError(
                "this act is an edit of masks; undo it in the window, with its segment open, or "
                "from Python by undo_edit, and redo it by redo_edit"
            )

    def _ids_of(self, labels: Sequence[str]) -> dict[str, int]:
        db = self._metadata.connection.read()
        return {name: self._table.label_ids(db, name)[0] for name in labels}

    def _check_segments(self, segment_ids: Sequence[str]) -> None:
        with self._act() as db:
            if not self._table.all_exist(db, segment_ids):
                raise QueryError(GONE)

    def _say(
        self,
        segment_ids: Sequence[str],
        name: str,
        batch: str | None,
        has_tag: bool,
        source: TagSource = "human",
        confidences: Mapping[str, float] | None = None,
    ) -> str:
        name, batch, now = tag_name(name), batch or new_batch(), time.time()
        sure = confidences or {}
        with self._act() as db:
            self._check_segments(segment_ids)
            name = self._table.name_of(db, name)
            for segment_id in dict.fromkeys(segment_ids):
                confidence = sure.get(segment_id, 1.0)
                said = Decision(name, has_tag, source, confidence, now, batch)
                repeat(db, segment_id, [said])
            if source == "human":
                follow_words(db, segment_ids)
            else:
                for tag_id in self._table.tag_ids(db, name)[:1]:
                    of_segments = {each: sure.get(each, 1.0) for each in segment_ids}
                    give_tracks(db, of_segments, tag_id, batch)
        return batch
