"""What people removed from the frames of a file, carried over to the frames of its new content."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from src.database.metadata_db import MetadataDatabase
from src.database.row_values import wrong_columns
from src.database.segment_edits import put_removed
from src.errors import DamagedMaskError
from src.models.mask_rle import runs_of
from src.processing.frame_looks import is_same_picture
from src.processing.segment_pipeline import FrameResult

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RemovedMask:
    """A segment that people have removed from a frame.

    Attributes:
        row: of removed_segments.
        look: dHash of the frame; None where nobody looked.
    """

    frame_index: int
    frame_wh: tuple[int, int]
    row: Mapping[str, Any]
    look: int | None = None


class RemovedMasks:
    """What was removed from one media file's frames, until all new frames have come."""

    def __init__(self, metadata: MetadataDatabase, media_id: int) -> None:
        """Take up what a job before has not come to the end of."""
        self._metadata = metadata
        self._media_id = media_id
        self._waiting = self._noted = self._read()

    def frames(self) -> set[int]:
        """List the stored frames from which something was removed, by their indexes."""
        return {each.frame_index for each in self._stored({})}

    def take_up(self, looks: Mapping[int, int]) -> None:
        """Know what was removed from the frames that are about to go, while they are there.

        Args:
            looks: dHashes of them, by their indexes.
        """
        met = self._metadata.stored_frames(self._media_id)  # these have been given what waits
        waiting = [each for each in self._noted if each.frame_index not in met]
        self._waiting = waiting + self._stored(looks)

    def make_room(self, looks: Mapping[int, int]) -> None:
        """Write it down, in the transaction in which the old frames go; see take_up."""
        self.take_up(looks)
        if self._waiting:
            text = json.dumps([_as_json(each) for each in self._waiting])
            self._metadata.set_info(self._key, text)

    def masks_on(self, result: FrameResult) -> list[bytes]:
        """List the masks that were removed from the same picture as a new frame's."""
        return [each.row["mask"] for each in self._on(result)]

    def transfer(self, result: FrameResult) -> None:
        """Write them down on the new frame, in the transaction that stores it."""
        rows = [each.row for each in self._on(result)]
        if rows:
            with self._metadata.connection.write() as db:
                (frame_id,) = db.execute(
                    "SELECT id FROM frames WHERE media_file_id = ? AND frame_index = ?",
                    (self._media_id, result.frame_index),
                ).fetchone()
                put_removed(db, frame_id, rows)

    def _on(self, result: FrameResult) -> list[RemovedMask]:
        look = int(result.look.dhash, 16)
        return [
            each
            for each in self._waiting
            if each.frame_index == result.frame_index
            and each.frame_wh == result.size_wh
            and is_same_picture(each.look, look)
        ]

    def end(self) -> None:
        """Forget it: the last frame has come."""
        self._metadata.forget_info(self._key)

    @property
    def _key(self) -> str:
        return f"segments removed from media file {self._media_id}"

    def _stored(self, looks: Mapping[int, int]) -> list[RemovedMask]:
        rows = self._metadata.connection.read().execute(
            "SELECT r.*, f.frame_index AS _frame_index, f.width AS _width, f.height AS _height"
            " FROM removed_segments r JOIN frames f ON f.id = r.frame_id"
            " WHERE f.media_file_id = ? AND r.mask IS NOT NULL ORDER BY r.id",
            (self._media_id,),
        )
        found = self._metadata.rows.checked("removed_segments", rows)
        return [
            RemovedMask(
                row["_frame_index"],
                (row["_width"], row["_height"]),
                {name: row[name] for name in ("mask", "x", "y", "w", "h", "batch", "removed_at")},
                looks.get(row["_frame_index"]),
            )
            for row in found
        ]

    def _read(self) -> list[RemovedMask]:
        text = self._metadata.info(self._key)
        try:
            return [] if text is None else [_from_json(each) for each in json.loads(text)]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, DamagedMaskError):
            # nothing that this program wrote: it must not stop the file from being taken in
            log.warning("what is noted as %r can't be read", self._key, exc_info=True)
            return []


def _as_json(each: RemovedMask) -> dict[str, Any]:
    row = {**each.row, "mask": each.row["mask"].decode("ascii")}
    return {"frame": each.frame_index, "size": each.frame_wh, "row": row, "look": each.look}


def _from_json(columns: dict[str, Any]) -> RemovedMask:
    width, height = columns["size"]
    row = {**columns["row"], "mask": columns["row"]["mask"].encode("ascii")}
    runs_of(row["mask"], (width, height))
    if wrong_columns("removed_segments", row):
        raise ValueError("a removed segment that can't be stored")
    look = columns["look"]
    return RemovedMask(
        int(columns["frame"]), (width, height), row, None if look is None else int(look)
    )
