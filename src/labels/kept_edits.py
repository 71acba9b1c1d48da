"""Edits of masks, kept in the library as whole acts that can be undone and done again."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from src.database.acts import redo, undo
from src.database.browse_queries import BrowseQueries
from src.database.decisions import OF_PEOPLE, new_batch, put_tags
from src.database.metadata_db import MetadataDatabase
from src.database.segment_edits import (
    State,
    StoredEdit,
    forget_embeddings,
    keep_edit,
    row_state,
    state_now,
    turn_edit,
    wanted_after,
)
from src.database.segment_store import crop_hash
from src.database.text_normalization import casefold_key
from src.database.track_labels import follow_words
from src.datasets.polygons import counts_of_cut, cut_mask
from src.errors import DatabaseError, QueryError, SameMaskError
from src.label_records import KeptEdit
from src.labels.edit_history import NewPart
from src.labels.frame_to_edit import FrameToEdit, read_frame
from src.processing.crop import cut_one
from src.processing.crop_files import crop_folder, remove_crops
from src.processing.image_loader import save_jpeg
from src.processing.integrity import read_crop
from src.processing.pending_deletes import strike_off, write_down_crops
from src.processing.segment_writer import segment_fingerprint
from src.records import SegmentMask, StoredSegment, Tag
from src.settings import Settings

CHANGED_MEANWHILE = "this segment was changed meanwhile; open it again"


@dataclass(frozen=True)
class EditToKeep:
    """What a person has made of a segment.

    Attributes:
        segment_id: None for a new one.
        mask: what it is now; None where the segment is to go, or its mask has not changed.
        is_deleted: the segment is to go.
        predicted_iou: the model's estimate of the mask, where it is the model's.
        merged: ids of segments that went into it.
        parts: what was split off it.
        label: that it is to have.
    """

    segment_id: str | None
    mask: NewPart | None
    is_deleted: bool = False
    predicted_iou: float | None = None
    merged: tuple[str, ...] = ()
    parts: tuple[NewPart, ...] = ()
    label: str | None = None


@dataclass(frozen=True)
class _NewMask:
    """A mask that a segment is to have: the columns of its row, and its crop."""

    columns: dict[str, Any]
    crop_jpeg: bytes = field(repr=False)


class KeptEdits:
    """Keeps edits in a library, undoes them, and does them again. Any thread may call this."""

    def __init__(
        self,
        metadata: MetadataDatabase,
        settings: Callable[[], Settings],
        tag_name: Callable[[str], str],
    ) -> None:
        """Take a library.

        Args:
            tag_name: brings a label to the form of a tag's name; QueryError where it can't be one.
        """
        self._metadata = metadata
        self._settings = settings
        self._tag_name = tag_name

    def segments_on(self, frame_id: int) -> list[StoredSegment]:
        """List what is on a frame, by its row: the whole frame first, then by size."""
        return BrowseQueries(self._metadata).segments_on(frame_id)

    def keep(self, frame: FrameToEdit, edit: EditToKeep) -> KeptEdit:
        """Store an edit: whole or not at all. Old embeddings go; `reembed` makes new ones.

        The segment keeps its id, its tags and what was decided on it. What people have said of a
        segment that is merged is said of the one that it goes into, and what they have said of one
        that is split of all of its parts.

        Raises:
            SameMaskError: another segment of the frame has this very mask.
            QueryError: a segment was changed meanwhile, or is gone.
            DatabaseError: it can't be written; nothing is then.
        """
        batch = new_batch()
        segment_id = edit.segment_id or secrets.token_hex(12)
        wanted: list[tuple[str, State | None]] = []
        crops: dict[str, bytes] = {}
        masks = [(segment_id, edit.mask, edit.predicted_iou)]
        masks += [(secrets.token_hex(12), part, None) for part in edit.parts]
        gone = [*edit.merged, *([segment_id] if edit.is_deleted else [])]
        untouched = frame.segments.keys() - {*gone, segment_id}
        known = {frame.segments[name].mask_rle: name for name in untouched}
        for name, mask, predicted_iou in masks:
            if mask is not None and name not in gone:
                new = self._new_mask(frame, mask, predicted_iou)
                if new.columns["mask"] in known:
                    raise SameMaskError(
                        "another segment of this frame has this very mask; merge the two, or "
                        "change one of them",
                        known[new.columns["mask"]],
                    )
                wanted.append((name, self._state(frame, name, new.columns)))
                crops[new.columns["crop_path"]] = new.crop_jpeg
        if segment_id not in {name for name, _ in wanted} and segment_id not in gone:
            wanted.insert(0, (segment_id, self._state(frame, segment_id, {})))  # as it is
        wanted += [(name, None) for name in gone]
        if edit.label is not None:
            self._tag_name(edit.label)
        with (
            self._new_crops(frame.frame_id, crops) as write_crops,
            self._metadata.connection.write() as db,
        ):
            self._check_unchanged(frame, edit)
            tags = self._tags(edit, segment_id, [name for name, *_ in masks])
            write_crops()
            keep_edit(db, batch, frame.frame_id, wanted)
            for name, some in tags.items():
                put_tags(db, name, some, "human", batch)
            follow_words(db, list(tags))
        added = tuple(name for name, state in wanted if state and name not in frame.segments)
        left = None if edit.is_deleted else segment_id
        return KeptEdit(left, batch, added, tuple(gone))

    def undo(self, batch: str) -> int:
        """Undo an edit as a whole; returns how many segments that changed, 0 where it was undone.

        Raises:
            QueryError: there is no such edit, or its segments were changed again since.
            MediaReadError: a crop has to be cut again, and the media file can't be read.
            DatabaseError: it can't be written; nothing is then.
        """
        return self._turn(batch, is_undo=True)

    def redo(self, batch: str) -> int:
        """Do an edit again that was undone; see undo."""
        return self._turn(batch, is_undo=False)

    def of_frame(self, segment_id: str) -> tuple[KeptEdit, ...]:
        """List the edits on the frame that a segment is of, the last one first."""
        row = (
            self._metadata.connection.read()
            .execute(
                "SELECT frame_id FROM segments WHERE id = ?1"
                " UNION SELECT frame_id FROM segment_edits WHERE segment_id = ?1",
                (segment_id,),
            )
            .fetchone()
        )
        edits = [] if row is None else self._metadata.edits.of_frame(row[0])
        return tuple(
            KeptEdit(
                edit.parts[0].segment_id if edit.parts[0].after is not None else None,
                edit.batch,
                tuple(part.segment_id for part in edit.parts if part.before is None),
                tuple(part.segment_id for part in edit.parts if part.after is None),
                edit.edited_at,
                edit.is_undone,
            )
            for edit in edits
        )

    # -- undo and redo

    def _turn(self, batch: str, is_undo: bool) -> int:
        edits = self._metadata.edits.edits(batch)
        if not edits:
            raise QueryError("there is no such edit of a mask; its frame may be gone")
        edits = [edit for edit in edits if edit.is_undone != is_undo]
        if not edits:
            return 0
        with ExitStack() as crops_come:
            write_crops = [
                crops_come.enter_context(
                    self._new_crops(
                        edit.frame_id, self._missing_crops(edit, wanted_after(edit, is_undo))
                    )
                )
                for edit in edits
            ]
            db = crops_come.enter_context(self._metadata.connection.write())
            for write in write_crops:
                write()
            if is_undo:
                undo(db, batch)
            for edit in edits:
                turn_edit(db, edit, is_undo)
            if not is_undo:
                redo(db, batch)
        return sum(len(edit.parts) for edit in edits)

    def _missing_crops(self, edit: StoredEdit, states: Sequence[State]) -> dict[str, bytes]:
        """Cut the crops again that an edit comes back to, where their files are gone or others."""
        paths, crops = self._metadata.paths, dict[str, bytes]()
        image_rgb: np.ndarray | None = None
        for state in states:
            row = state["row"]
            content = read_crop(paths, paths.crop(row["crop_path"]))
            if content is not None and row["crop_hash"] in (None, crop_hash(content)):
                continue
            image_rgb = self._image_of(edit.frame_id) if image_rgb is None else image_rgb
            size_wh = image_rgb.shape[1], image_rgb.shape[0]
            mask, box = cut_mask(row["mask"], size_wh)
            content = self._crop(image_rgb, NewPart(box, mask))
            if row["crop_hash"] != crop_hash(content):
                forget_embeddings(state)
            row["crop_hash"] = crop_hash(content)
            crops[row["crop_path"]] = content
        return crops

    def _image_of(self, frame_id: int) -> np.ndarray:
        row = (
            self._metadata.connection.read()
            .execute(
                "SELECT media_file_id, frame_index, width, height FROM frames WHERE id = ?",
                (frame_id,),
            )
            .fetchone()
        )
        media = None if row is None else self._metadata.media(row[0])
        if media is None:
            raise QueryError("the frame of this edit is no longer in the library")
        return read_frame(media, row[1], (row[2], row[3]), self._settings())

    # -- what is to be kept

    def _new_mask(self, frame: FrameToEdit, mask: NewPart, predicted_iou: float | None) -> _NewMask:
        x, y, w, h = mask.bbox_xywh
        rle = counts_of_cut(mask.mask, x, y, frame.size_wh)
        area = int(np.count_nonzero(mask.mask))
        cut = SegmentMask("object", mask.bbox_xywh, area, predicted_iou, None, rle)
        name = segment_fingerprint(frame.digest, frame.frame_index, cut)
        paths = self._metadata.paths
        jpeg = self._crop(frame.image_rgb, mask)
        columns: dict[str, Any] = {
            **dict(zip("xywh", (x, y, w, h), strict=True)),
            "area": area,
            "predicted_iou": predicted_iou,
            "stability_score": None,
            "mask": rle,
            "crop_path": paths.name(crop_folder(paths, frame.digest) / f"{name}.jpg"),
            "crop_hash": crop_hash(jpeg),
            "fingerprint": name,
            "origin": "human",
        }
        return _NewMask(columns, jpeg)

    def _crop(self, image_rgb: np.ndarray, mask: NewPart) -> bytes:
        kernel = self._settings().blur_kernel
        return save_jpeg(cut_one(image_rgb, kernel, mask.mask, mask.bbox_xywh))

    def _state(self, frame: FrameToEdit, segment_id: str, columns: Mapping[str, Any]) -> State:
        """Make the state of a segment with another mask, or of a new one."""
        now = state_now(self._metadata.connection.read(), segment_id)
        if now is not None:
            return row_state({**now["row"], **columns})
        return row_state(
            {"id": segment_id, "frame_id": frame.frame_id, "kind": "object", **columns}
        )

    def _tags(
        self, edit: EditToKeep, segment_id: str, names: Sequence[str]
    ) -> dict[str, list[Tag]]:
        """Find the tags that segments get: the label, and what people said of those they were."""
        if edit.is_deleted:
            return {}
        old = [*edit.merged, *([edit.segment_id] if edit.segment_id else [])]
        tags, removed = self._metadata.tags_of(old), self._metadata.removed_tags_of(old)
        found: dict[str, list[Tag]] = {name: [] for name in names}
        if edit.label is not None:
            found[segment_id].append(Tag(self._tag_name(edit.label), 1.0, "human"))
        own = {casefold_key(tag.name) for tag in tags.get(segment_id, ()) if _is_said(tag)}
        own |= {casefold_key(name) for name in removed.get(segment_id, ())}
        for other in edit.merged:
            for tag in filter(_is_said, tags.get(other, ())):
                if casefold_key(tag.name) not in own:
                    own.add(casefold_key(tag.name))
                    found[segment_id].append(Tag(tag.name, 1.0, "human"))
        said = [tag for tag in tags.get(segment_id, ()) if _is_said(tag)] + found[segment_id]
        for name in names[1:]:
            found[name] = [replace(tag, confidence=1.0, source="human") for tag in said]
        return found

    def _check_unchanged(self, frame: FrameToEdit, edit: EditToKeep) -> None:
        """Check that what was edited is as it was, inside the transaction.

        Raises:
            QueryError: it is not.
        """
        media = self._metadata.media(frame.media.id)
        row = self._metadata.frame_row(frame.media.id, frame.frame_index)
        if media is None or row is None or row.id != frame.frame_id:
            raise QueryError("the frame is no longer in the library; nothing was kept")
        if media.content_hash != frame.digest:
            raise QueryError("the media file has another content by now; open the frame again")
        touched = [*edit.merged, *([edit.segment_id] if edit.segment_id else [])]
        now = self._metadata.segments(touched)
        for name in touched:
            if name not in now or not _is_same(now[name], frame.segments[name]):
                raise QueryError(CHANGED_MEANWHILE)

    @contextmanager
    def _new_crops(self, frame_id: int, crops: Mapping[str, bytes]) -> Iterator[Callable[[], None]]:
        """Give what writes crops inside the transaction of their rows.

        They are written down before as ones to remove, so that a kill leaves none behind.
        """
        metadata = self._metadata

        def write() -> None:
            files = metadata.paths.files
            try:
                for name, content in crops.items():
                    files.write(name, content, lasting=False)
                for folder in {name.rpartition("/")[0] for name in crops}:
                    names = [name for name in crops if name.rpartition("/")[0] == folder]
                    files.sync_files(folder, [name.rpartition("/")[2] for name in names])
            except OSError as exc:
                raise DatabaseError(
                    f"{metadata.paths.extracted_segments}: the crop can't be written "
                    f"({exc.strerror or exc}); see that the disk has room, then keep it again"
                ) from exc
            strike_off(metadata, crops)

        unused = [name for name in crops if name not in self._crops_in_use(frame_id)]
        if unused:
            write_down_crops(metadata, unused)
        try:
            yield write
        except BaseException:
            with metadata.connection.write():  # nobody stores one of them in the meantime
                in_use = self._crops_in_use(frame_id)
                left = [name for name in unused if name not in in_use]
                remove_crops(metadata.paths, left)
                strike_off(metadata, left)
            raise

    def _crops_in_use(self, frame_id: int) -> set[str]:
        """List the crops of a frame that its segments have, or that undo and redo need."""
        rows = self._metadata.connection.read().execute(
            "SELECT crop_path FROM segments WHERE frame_id = ?", (frame_id,)
        )
        used = {row["crop_path"] for row in rows}
        for edit in self._metadata.edits.of_frame(frame_id):
            for state in (*wanted_after(edit, True), *wanted_after(edit, False)):
                used.add(state["row"]["crop_path"])
        return used


def _is_said(tag: Tag) -> bool:
    return tag.source in OF_PEOPLE


def _is_same(one: StoredSegment, other: StoredSegment) -> bool:
    return (one.fingerprint, one.mask_rle, one.bbox_xywh) == (
        other.fingerprint,
        other.mask_rle,
        other.bbox_xywh,
    )
