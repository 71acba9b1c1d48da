"""Files with another content than before: the old one stays until there is a new one."""

from __future__ import annotations

import contextlib
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from src.counting import counted
from src.database.metadata_db import MetadataDatabase
from src.database.row_values import wrong_columns
from src.database.segment_store import NewSegment
from src.errors import DamagedMaskError, MediaReadError
from src.models.mask_rle import measured, runs_of
from src.processing.annotation_transfer import (
    UserAnnotations,
    annotations_on,
    is_kept,
    match_annotations,
    transfer_annotations,
)
from src.processing.found_again import without_found_again
from src.processing.frame_looks import is_same_picture
from src.processing.image_loader import load_image
from src.processing.pending_deletes import write_down_crops
from src.processing.removed_masks import RemovedMasks
from src.processing.segment_pipeline import FrameResult
from src.processing.video_processor import dhash
from src.records import Decision, Frame, KeptSegment, MediaFile, Tag
from src.search.leaves import segment_filter

log = logging.getLogger(__name__)

T = TypeVar("T")


class ChangedFiles:
    """Remembers which changed files had their old content whole in the library."""

    def __init__(self, metadata: MetadataDatabase) -> None:
        self.metadata = metadata

    def begin(self, media: MediaFile) -> None:
        """Have the next job go on with a changed file, and know then that it was whole before."""
        if media.status == "done":
            with self.metadata.connection.write():
                self.metadata.set_info(_whole(media.id), str(media.content_hash))
                self.metadata.update_media(media.id, status="pending")

    def give_back(self, media: MediaFile) -> bool:
        """Call a file done again when all of its old content is still here; says whether it is."""
        whole = media.status == "pending" and self.metadata.info(_whole(media.id))
        if not whole or whole != media.content_hash:
            return False
        with self.metadata.connection.write():
            self.metadata.forget_info(_whole(media.id))
            self.metadata.update_media(media.id, status="done")
        return True


@dataclass(frozen=True)
class FrameVerdicts:
    """What was said of a frame as a whole.

    Attributes:
        look: dHash of the frame; None where nobody looked.
    """

    frame_index: int
    history: tuple[Decision, ...]
    look: int | None = None


class ContentChange:
    """One media file, whose content may take the place of another.

    What people did on the old frames goes to the new frames of the same number, each as it comes:
    their tags, the segments that they and others than SAM made, and what they said of whole frames.
    Until the last has come it is kept in the library, for a job that goes on after a kill.
    """

    def __init__(
        self, metadata: MetadataDatabase, media_id: int, columns: dict[str, Any] | None
    ) -> None:
        """Take up the work on old frames that a job before has not come to the end of.

        Args:
            columns: what the file's row holds from the first new frame on, which takes the place
                of all frames of another content; None for a file that has none.
        """
        self.metadata = metadata
        self.media_id = media_id
        self._columns = columns
        self._works = self._read_waiting(_waiting(media_id), _from_json)
        self._verdicts = self._read_waiting(_waiting_verdicts(media_id), _verdicts_from_json)
        self._coming: list[UserAnnotations] = []  # of the frames that are about to go, as well
        self._lost = Counter[str]()
        self._looks: dict[int, int] = {}
        self._removed = RemovedMasks(metadata, media_id)

    @property
    def replaces(self) -> bool:
        """Whether frames of another content are still in the library."""
        return self._columns is not None

    def look_at_old_frames(self, pixel_limit: int) -> None:
        """Look at the old frames that people worked on, while their crops are there."""
        self._coming = self._works
        if not self.replaces:
            return
        old = self.metadata.segments_where(segment_filter(media_file_ids=(self.media_id,)), True)
        annotations = annotations_on(self.metadata, old)
        worked_on = {work.frame_index for work in annotations}
        worked_on |= self.metadata.frame_decisions(self.media_id).keys() | self._removed.frames()
        for segment in old:
            if segment.kind == "frame" and segment.frame_index in worked_on:
                with contextlib.suppress(MediaReadError):  # its size has to do then
                    crop = load_image(segment.crop_path, pixel_limit).frame
                    self._looks[segment.frame_index] = dhash(crop.image_rgb)
        self._coming = self._with_looks(annotations)
        self._removed.take_up(self._looks)

    def kept_on(self, frame: Frame) -> tuple[KeptSegment, ...]:
        """List the segments that a new frame has to have, since it is the same picture."""
        mine = [
            work
            for work in self._coming
            if work.frame_index == frame.frame_index
            and work.frame_wh == frame.size_wh
            and is_kept(work.origin, work.mask_rle)
        ]
        if not mine:
            return ()
        look = dhash(frame.image_rgb)
        # what waits may have been written by a stranger, and name a segment of another file
        taken = self.metadata.segments([work.segment_id for work in mine]).values()
        others = {segment.id for segment in taken if segment.media_file_id != self.media_id}
        found = {
            work.segment_id: work.as_kept()
            for work in mine
            if is_same_picture(work.look, look) and work.segment_id not in others
        }
        return tuple(found.values())

    @property
    def takes_over(self) -> bool:
        """Return whether frames may have to have what was on those of another content."""
        return bool(self.replaces or self._works or self._coming)

    def make_room(self) -> list[str]:
        """Remove the old frames, in the transaction of the first new one.

        Returns:
            The crop files now unused.
        """
        if self._columns is None:
            return []
        mine = segment_filter(media_file_ids=(self.media_id,))
        old = self.metadata.segments_where(mine, with_masks=True)
        annotations = self._with_looks(annotations_on(self.metadata, old))
        verdicts = self._all_verdicts()
        with self.metadata.connection.write():
            self._removed.make_room(self._looks)
            unused = self.metadata.remove_frames(self.media_id)
            write_down_crops(self.metadata, unused)
            self.metadata.update_media(self.media_id, **self._columns)
            self.metadata.forget_info(_whole(self.media_id))
            waiting = json.dumps([_as_json(work) for work in annotations])
            self.metadata.set_info(_waiting(self.media_id), waiting)
            if verdicts:
                waiting = json.dumps([asdict(each) for each in verdicts])
                self.metadata.set_info(_waiting_verdicts(self.media_id), waiting)
        self._works, self._verdicts, self._columns = annotations, verdicts, None
        return unused

    def without_found_again(self, result: FrameResult) -> FrameResult:
        """Leave out what SAM has found once more of what people drew or removed."""
        drawn = [
            each.mask_rle
            for each in result.segments
            if each.kept is not None and each.kept.origin == "human" and each.mask_rle is not None
        ]
        return without_found_again(result, drawn + self._removed.masks_on(result))

    def _with_looks(self, of_old: Sequence[UserAnnotations]) -> list[UserAnnotations]:
        """List the work that waits, and that on the frames about to go, with their looks."""
        met = self.metadata.stored_frames(self.media_id)  # these have been given what waits
        waiting = [work for work in self._works if work.frame_index not in met]
        return waiting + [replace(work, look=self._looks.get(work.frame_index)) for work in of_old]

    def _all_verdicts(self) -> list[FrameVerdicts]:
        """List the verdicts that wait, and those on the frames about to go."""
        met = self.metadata.stored_frames(self.media_id)
        waiting = [each for each in self._verdicts if each.frame_index not in met]
        said = self.metadata.frame_decisions(self.media_id)
        return waiting + [
            FrameVerdicts(frame_index, history, self._looks.get(frame_index))
            for frame_index, history in said.items()
        ]

    def transfer_annotations(self, result: FrameResult, new: Sequence[NewSegment]) -> None:
        """Give a new frame's segments the work on the old frame, in the frame's transaction.

        What was done on another picture ends with that picture.
        """
        self._removed.transfer(result)
        look = int(result.look.dhash, 16)
        mine = [work for work in self._works if work.frame_index == result.frame_index]
        if mine:
            same = [work for work in mine if is_same_picture(work.look, look)]
            kept = {segment.id for segment in new if segment.origin != "sam"}
            matches = dict.fromkeys(work.segment_id for work in mine)
            of_sam = [segment for segment in new if segment.id not in kept]
            matches |= match_annotations(same, of_sam, result.size_wh)
            matches |= {name: name for name in kept & matches.keys()}
            transfer_annotations(self.metadata, mine, matches)
            self._count_lost(work for work in mine if matches[work.segment_id] is None)
        for each in self._verdicts:
            if each.frame_index == result.frame_index:
                if is_same_picture(each.look, look):
                    self.metadata.repeat_on_frame(self.media_id, each.frame_index, each.history)
                else:
                    self._lost["frames"] += 1

    def _count_lost(self, works: Iterable[UserAnnotations]) -> None:
        for work in works:
            self._lost["made" if is_kept(work.origin, work.mask_rle) else "tags"] += 1

    def end(self) -> str | None:
        """Forget the work that waits: the last frame has come.

        Returns:
            What went with the old content, in words for a person; None when nothing did.
        """
        self.metadata.forget_info(_waiting(self.media_id))
        self.metadata.forget_info(_waiting_verdicts(self.media_id))
        self._removed.end()
        met = self.metadata.stored_frames(self.media_id)
        self._count_lost(work for work in self._works if work.frame_index not in met)
        self._lost["frames"] += sum(each.frame_index not in met for each in self._verdicts)
        parts = [
            f"{what} {counted(self._lost[which], noun)}"
            for which, what, noun in (
                ("tags", "tags on", "segment"),
                ("made", "the outlines of", "added segment"),
                ("frames", "what was said of", "frame"),
            )
            if self._lost[which]
        ]
        if not parts:
            return None
        return f"{' and '.join(parts)} of the old content match nothing in the new one"

    def _read_waiting(self, key: str, read: Callable[[dict[str, Any]], T]) -> list[T]:
        text = self.metadata.info(key)
        try:
            return [] if text is None else [read(columns) for columns in json.loads(text)]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, DamagedMaskError):
            # nothing that this program wrote: it must not stop the file from being taken in
            log.warning("what is noted as %r can't be read", key, exc_info=True)
            return []


def _whole(media_id: int) -> str:
    return f"content that media file {media_id} had whole"


def _waiting(media_id: int) -> str:
    return f"work of people on media file {media_id}"


def _waiting_verdicts(media_id: int) -> str:
    return f"verdicts on frames of media file {media_id}"


def _as_json(work: UserAnnotations) -> dict[str, Any]:
    mask = None if work.mask_rle is None else work.mask_rle.decode("ascii")
    return {**asdict(work), "mask_rle": mask}


def _from_json(columns: dict[str, Any]) -> UserAnnotations:
    """Read what _as_json wrote.

    Raises:
        ValueError, TypeError, KeyError, AttributeError, DamagedMaskError: it is none of that.
    """
    text, (width, height) = columns["mask_rle"], columns["frame_wh"]
    mask = None if text is None else text.encode("ascii")
    if mask is not None:
        runs_of(mask, (width, height))
    tags = tuple(Tag(**tag) for tag in columns["tags"])
    names = [*columns["removed"], *(tag.name for tag in tags)]
    if not all(name and not wrong_columns("tags", {"name": name}) for name in names):
        raise ValueError("a tag's name that is none")
    for tag in tags:
        if wrong_columns("segment_tags", {"confidence": tag.confidence, "source": tag.source}):
            raise ValueError("a tag that can't be stored")
    # an earlier version wrote none of these
    history = _history_from_json(columns.get("history", ()))
    made: dict[str, Any] = {
        name: columns.get(name, default)
        for name, default in (
            ("origin", "sam"),
            ("predicted_iou", None),
            ("stability_score", None),
        )
    }
    if wrong_columns("segments", {**made, "id": columns["segment_id"]}) or (
        mask is not None and not measured(mask, (width, height))[0]
    ):
        raise ValueError("a segment that can't be stored")
    return UserAnnotations(
        str(columns["segment_id"]),
        int(columns["frame_index"]),
        (width, height),
        mask,
        tags,
        tuple(columns["removed"]),
        None if columns["look"] is None else int(columns["look"]),
        history,
        _attributes_from_json(columns.get("attributes", ())),
        **made,
    )


def _attributes_from_json(listed: Iterable[Any]) -> tuple[tuple[str, str, str | float], ...]:
    """Read attributes as they were written down.

    Raises:
        ValueError, TypeError: they are none.
    """
    found = []
    for label, name, value in listed:
        row = {"segment_id": "-", "name": name, "value": value}
        if not isinstance(label, str) or value is None or wrong_columns("segment_attributes", row):
            raise ValueError("an attribute that can't be stored")
        found.append((label, name, value))
    return tuple(found)


def _verdicts_from_json(columns: dict[str, Any]) -> FrameVerdicts:
    """Read what was written down of FrameVerdicts.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: it is none of that.
    """
    look = columns["look"]
    return FrameVerdicts(
        int(columns["frame_index"]),
        _history_from_json(columns["history"]),
        None if look is None else int(look),
    )


def _history_from_json(columns: Iterable[dict[str, Any]]) -> tuple[Decision, ...]:
    history = tuple(Decision(**each) for each in columns)
    for each in history:
        row = {**asdict(each), "has_tag": int(each.has_tag)}
        if wrong_columns("decisions", row) or wrong_columns("tags", {"name": each.tag}):
            raise ValueError("a decision that can't be stored")
    return history
