"""The one writer of segments: what was made of a frame, stored whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from src.database.browse_queries import BrowseQueries
from src.database.clip_in_use import clip_in_use
from src.database.decisions import replace_automatic_tags
from src.database.metadata_db import MetadataDatabase
from src.database.segment_store import NewSegment, crop_hash, replace_segments
from src.database.stored_vectors import as_stored
from src.errors import DatabaseError
from src.processing.annotation_transfer import (
    annotations_on,
    match_annotations,
    transfer_annotations,
)
from src.processing.changed_files import ContentChange
from src.processing.crop_files import crop_folder, remove_crops
from src.processing.pending_deletes import remove_unused_crops, write_down_crops
from src.processing.segment_pipeline import FrameResult
from src.records import SegmentMask, StoredSegment


@dataclass(frozen=True)
class ReplacedSegments:
    """What became of a frame that was cut again.

    Attributes:
        added: how many segments are new.
        stay: ids of the old ones that no new one is the same thing as, with people's tags.
    """

    added: int
    stay: tuple[tuple[str, tuple[str, ...]], ...] = ()


class SegmentWriter:
    """Stores what was made of frames: their crops first, then all rows in one transaction."""

    def __init__(
        self, metadata: MetadataDatabase, embed_again: Callable[[FrameResult], FrameResult]
    ) -> None:
        """Take a library.

        Args:
            embed_again: gives a result with the embeddings of the CLIP in use now, where another
                has taken over since it was made.
        """
        self.metadata = metadata
        self.embed_again = embed_again
        self.queries = BrowseQueries(metadata)

    def store_frame(self, digest: str, result: FrameResult, change: ContentChange) -> int | None:
        """Store a new frame, and give its segments what people did on the frame before it.

        Args:
            digest: of the media file's content.
            change: of the media file: with the first frame of another content all old ones go.

        Returns:
            The number of segments; None when the media file has been removed meanwhile.

        Raises:
            EmbeddingError: an embedding can't be used; nothing was written.
            DatabaseError: the crops or the rows can't be written.
        """
        with self._transaction(digest, result) as (new, clip):
            unused = change.make_room()
            is_stored = self.metadata.store_frame(
                change.media_id,
                result.frame_index,
                result.timestamp_s,
                result.size_wh,
                new,
                clip,
                result.sam,
                result.look,
            )
            if is_stored:
                change.transfer_annotations(result, new)
        if not is_stored:
            remove_crops(self.metadata.paths, [segment.crop_path for segment in new])
            return None
        remove_unused_crops(self.metadata, unused)
        return len(new)

    def replace_segments(self, frame_id: int, digest: str, result: FrameResult) -> ReplacedSegments:
        """Put what another SAM has cut in the place of a frame's segments.

        What people did goes to the new segment that is the same thing; an old one without such
        a match stays.

        Args, Raises: as of store_frame.
        """
        with self._transaction(digest, result) as (new, clip):
            old = self.queries.segments_on(frame_id)
            if not old:  # the media file was removed meanwhile
                replaced, unused = ReplacedSegments(0), [segment.crop_path for segment in new]
            else:
                replaced, unused = self._replace(frame_id, old, new, result, clip)
        remove_unused_crops(self.metadata, unused)
        return replaced

    def _replace(
        self,
        frame_id: int,
        old: list[StoredSegment],
        new: list[NewSegment],
        result: FrameResult,
        clip: str,
    ) -> tuple[ReplacedSegments, list[str]]:
        """Change a frame's rows; returns what became of it, and the crop files now unused."""
        work = {work.segment_id: work for work in annotations_on(self.metadata, old)}
        # a new cut has its fingerprint as its id: one that has been taken in before is known by
        # it, and where a person has changed its mask since, by the id that it got then
        born = {segment.fingerprint or segment.id: segment.id for segment in old}
        known = {*born, *born.values()}
        same = {name for segment in new if (name := born.get(segment.id, segment.id)) in known}
        theirs = {segment.id for segment in old if segment.origin != "sam"}
        moves = [each for name, each in work.items() if name not in same | theirs]
        matches = {
            name: None if match is None else born.get(match, match)
            for name, match in match_annotations(moves, new, result.size_wh).items()
        }
        stay = theirs | {name for name, match in matches.items() if match is None}
        gone = [s for s in old if s.id not in same and s.id not in stay]
        unused = [self._stored_path(segment) for segment in gone]
        used = {self._stored_path(segment) for segment in old}
        added = [segment for segment in new if segment.id not in known]
        unused += [s.crop_path for s in new if s.id in known and s.crop_path not in used]
        with self.metadata.connection.write() as db:
            gone_ids = [segment.id for segment in gone]
            replace_segments(db, frame_id, gone_ids, added, clip, result.sam)
            # which tags a segment gets depends on the others of its frame
            replace_automatic_tags(db, {born[s.id]: s.tags for s in new if s.id in born})
            transfer_annotations(self.metadata, moves, matches)
            # written with the change, so that a kill before they are gone is made good
            write_down_crops(self.metadata, unused)
        left = {name: work[name].tags for name, match in matches.items() if match is None}
        names = tuple((s, tuple(tag.name for tag in tags)) for s, tags in left.items() if tags)
        return ReplacedSegments(len(added), names), unused

    @contextmanager
    def _transaction(
        self, digest: str, result: FrameResult
    ) -> Iterator[tuple[list[NewSegment], str]]:
        """Write the crops, then begin the transaction in which their rows are written.

        Gives the segments and the CLIP that embedded them, which is the one in use: no other
        takes over while the transaction lasts.
        """
        for vector in result.vectors:  # refused before a crop is written
            as_stored(vector)
        new = self._new_segments(digest, result)
        self._write_crops(digest, result, new)
        while True:
            with self.metadata.connection.write():
                if clip_in_use(self.metadata) == result.clip:
                    yield new, result.clip
                    return
            result = self.embed_again(result)
            new = self._new_segments(digest, result)

    def _new_segments(self, digest: str, result: FrameResult) -> list[NewSegment]:
        folder = crop_folder(self.metadata.paths, digest)
        new = []
        for segment, vector in zip(result.segments, result.vectors, strict=True):
            name = segment_fingerprint(digest, result.frame_index, segment)
            crop_path = self.metadata.paths.name(folder / f"{name}.jpg")
            content = crop_hash(segment.crop_jpeg)
            new.append(NewSegment(name, segment, crop_path, vector, segment.tags, content))
        return new

    def _write_crops(self, digest: str, result: FrameResult, new: list[NewSegment]) -> None:
        """Have the crops on the disk, before the rows that name them."""
        files = self.metadata.paths.files
        folder = crop_folder(self.metadata.paths, digest)
        try:
            for segment, made in zip(new, result.segments, strict=True):
                files.write(segment.crop_path, made.crop_jpeg, lasting=False)
            files.sync_files(
                self.metadata.paths.name(folder), [f"{segment.id}.jpg" for segment in new]
            )
        except OSError as exc:
            raise DatabaseError(
                f"{folder}: crops can't be written ({exc.strerror or exc}); "
                "see that the disk has room, then start again: nothing is lost"
            ) from exc

    def _stored_path(self, segment: StoredSegment) -> str:
        return segment.crop_path.relative_to(self.metadata.paths.root).as_posix()


def segment_fingerprint(digest: str, frame_index: int, segment: SegmentMask) -> str:
    """Hash what is cut out of which picture, the content of its media file: 24 hex digits.

    The same cut of the same content has the same fingerprint, so redoing a frame doubles nothing.
    It is the id of a segment as well when that is made. The id stays when the mask is changed, and
    the fingerprint does not.
    """
    parts = (digest, str(frame_index), segment.kind, str(segment.bbox_xywh))
    text = "|".join(parts).encode() + b"|" + (segment.mask_rle or b"")
    return hashlib.blake2b(text, digest_size=12).hexdigest()
