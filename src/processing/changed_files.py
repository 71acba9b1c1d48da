"""Files with another content than before: the old one stays until there is a new one."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from src.counting import counted
from src.database.metadata_db import MetadataDatabase
from src.database.row_values import wrong_columns
from src.database.segment_store import NewSegment
from src.errors import DamagedMaskError, MediaReadError
from src.models.mask_rle import runs_of
from src.processing.annotation_transfer import (
    UserAnnotations,
    annotations_on,
    match_annotations,
    transfer_annotations,
)
from src.processing.image_loader import load_image
from src.processing.pending_deletes import write_down_crops
from src.processing.segment_pipeline import FrameResult
from src.processing.video_processor import dhash
from src.records import Decision, MediaFile, Tag
from src.search.leaves import segment_filter

# Of the 64 bits of two pictures' dHash half differ by chance; light, colours and compression
# change few of them.
SAME_PICTURE_BITS = 10

log = logging.getLogger(__name__)


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


class ContentChange:
    """One media file, whose content may take the place of another.

    What people did on the old frames goes to the new frames of the same number, each as it comes;
    until the last has come it is kept in the library, for a job that goes on after a kill.
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
        self._works = self._waiting_annotations()
        self._without_heir = 0
        self._looks: dict[int, int] = {}

    @property
    def replaces(self) -> bool:
        """Whether frames of another content are still in the library."""
        return self._columns is not None

    def look_at_old_frames(self, pixel_limit: int) -> None:
        """Look at the old frames that people worked on, while their crops are there."""
        if not self.replaces:
            return
        old = self.metadata.segments_where(segment_filter(media_file_ids=(self.media_id,)))
        worked_on = {work.frame_index for work in annotations_on(self.metadata, old)}
        for segment in old:
            if segment.kind == "frame" and segment.frame_index in worked_on:
                with contextlib.suppress(MediaReadError):  # its size has to do then
                    crop = load_image(segment.crop_path, pixel_limit).frame
                    self._looks[segment.frame_index] = dhash(crop.image_rgb)

    def make_room(self) -> list[str]:
        """Remove the old frames, in the transaction of the first new one.

        Returns:
            The crop files now unused.
        """
        if self._columns is None:
            return []
        mine = segment_filter(media_file_ids=(self.media_id,))
        old = self.metadata.segments_where(mine, with_masks=True)
        met = self.metadata.stored_frames(self.media_id)  # these have been given what waits
        annotations = [work for work in self._works if work.frame_index not in met]
        annotations += [
            replace(work, look=self._looks.get(work.frame_index))
            for work in annotations_on(self.metadata, old)
        ]
        with self.metadata.connection.write():
            unused = self.metadata.remove_frames(self.media_id)
            write_down_crops(self.metadata, unused)
            self.metadata.update_media(self.media_id, **self._columns)
            self.metadata.forget_info(_whole(self.media_id))
            waiting = json.dumps([_as_json(work) for work in annotations])
            self.metadata.set_info(_waiting(self.media_id), waiting)
        self._works, self._columns = annotations, None
        return unused

    def transfer_annotations(self, result: FrameResult, new: Sequence[NewSegment]) -> None:
        """Give a new frame's segments the work on the old frame, in the frame's transaction.

        What was done on another picture ends with that picture.
        """
        mine = [work for work in self._works if work.frame_index == result.frame_index]
        if mine:
            look = int(result.look.dhash, 16)
            same = [
                work
                for work in mine
                if work.look is None or (work.look ^ look).bit_count() <= SAME_PICTURE_BITS
            ]
            matches = dict.fromkeys(work.segment_id for work in mine)
            matches |= match_annotations(same, new, result.size_wh)
            transfer_annotations(self.metadata, mine, matches)
            self._without_heir += sum(
                1 for work in mine if work.tags and matches[work.segment_id] is None
            )

    def end(self) -> str | None:
        """Forget the work that waits: the last frame has come.

        Returns:
            What went with the old content, in words for a person; None when nothing did.
        """
        self.metadata.forget_info(_waiting(self.media_id))
        met = self.metadata.stored_frames(self.media_id)
        gone = sum(1 for work in self._works if work.tags and work.frame_index not in met)
        if not (lost := self._without_heir + gone):
            return None
        return f"tags on {counted(lost, 'segment')} of the old content match nothing in the new one"

    def _waiting_annotations(self) -> list[UserAnnotations]:
        text = self.metadata.info(_waiting(self.media_id))
        try:
            return [] if text is None else [_from_json(columns) for columns in json.loads(text)]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, DamagedMaskError):
            # nothing that this program wrote: it must not stop the file from being taken in
            log.warning("what is noted as %r can't be read", _waiting(self.media_id), exc_info=True)
            return []


def _whole(media_id: int) -> str:
    return f"content that media file {media_id} had whole"


def _waiting(media_id: int) -> str:
    return f"work of people on media file {media_id}"


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
    # an earlier version wrote none
    history = tuple(Decision(**each) for each in columns.get("history", ()))
    for each in history:
        row = {**asdict(each), "has_tag": int(each.has_tag)}
        if wrong_columns("decisions", row) or wrong_columns("tags", {"name": each.tag}):
            raise ValueError("a decision that can't be stored")
    return UserAnnotations(
        str(columns["segment_id"]),
        int(columns["frame_index"]),
        (width, height),
        mask,
        tags,
        tuple(columns["removed"]),
        None if columns["look"] is None else int(columns["look"]),
        history,
    )
