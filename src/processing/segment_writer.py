"""The one writer of segments: what was made of a frame, stored whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from src.database.browse_queries import BrowseQueries
from src.database.clip_in_use import clip_in_use
from src.database.decisions import replace_automatic_tags
from src.database.metadata_db import MetadataDatabase
from src.database.segment_store import (
    NewSegment,
    add_segments,
    crop_hash,
    replace_segments,
)
from src.database.stored_vectors import as_stored
from src.errors import DatabaseError
from src.models.mask_hierarchy import Part, tree_of
from src.processing.annotation_transfer import (
    UserAnnotations,
    annotations_on,
    match_annotations,
    transfer_annotations,
)
from src.processing.crop_files import crop_folder, remove_crops
from src.processing.found_again import made_by_hand, without_found_again
from src.processing.pending_deletes import remove_unused_crops, write_down_crops
from src.processing.segment_pipeline import FrameResult, SegmentResult
from src.records import SegmentMask, StoredSegment


class FrameChange(Protocol):
    """What else changes in the transaction that stores a new frame; see ContentChange.

    Attributes:
        media_id: of the media file that the frame is of; known once there is room.
    """

    media_id: int

    def make_room(self) -> list[str]:
        """Do what comes before; returns the crop files then unused."""
        ...

    def transfer_annotations(self, result: FrameResult, new: Sequence[NewSegment]) -> None:
        """Give the stored segments what people did on them."""
        ...


@dataclass(frozen=True)
class ReplacedSegments:
    """What became of a frame that was cut again.

    Attributes:
        added: how many segments are new.
        stay: ids of the old ones that no new one is the same thing as, with people's tags.
    """

    added: int
    stay: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class _Plan:
    """What is to become of a frame that was cut again.

    Attributes:
        gone: the segments on it that go.
        added: ids of the new ones that come.
        born: ids of the old ones, by what they were called when they were cut.
        moves: the work of people on segments that go, or stay for it.
        matches: where it goes; None where the segment stays.
        tree: of all that is on the frame then.
    """

    gone: list[StoredSegment]
    added: frozenset[str]
    born: dict[str, str]
    moves: list[UserAnnotations]
    matches: dict[str, str | None]
    tree: dict[str, str | None]

    def outcome(self) -> ReplacedSegments:
        left = [work for work in self.moves if self.matches[work.segment_id] is None]
        names = ((work.segment_id, tuple(tag.name for tag in work.tags)) for work in left)
        return ReplacedSegments(len(self.added), tuple(each for each in names if each[1]))


def _plan(
    old: list[StoredSegment],
    works: list[UserAnnotations],
    new: list[NewSegment],
    size_wh: tuple[int, int],
) -> _Plan:
    """Find out which segments of a frame go, stay and come, and where the work of people goes."""
    # a new cut has its fingerprint as its id: one that has been taken in before is known by
    # it, and where a person has changed its mask since, by the id that it got then
    born = {segment.fingerprint or segment.id: segment.id for segment in old}
    known = {*born, *born.values()}
    same = {name for segment in new if (name := born.get(segment.id, segment.id)) in known}
    theirs = {segment.id for segment in old if segment.origin != "sam"}
    moves = [work for work in works if work.segment_id not in same | theirs]
    matches = {
        name: None if match is None else born.get(match, match)
        for name, match in match_annotations(moves, new, size_wh).items()
    }
    stay = same | theirs | {name for name, match in matches.items() if match is None}
    added = [segment for segment in new if segment.id not in known]
    parts = [Part.of(segment.id, segment) for segment in old if segment.id in stay]
    parts += [Part.of(segment.id, segment.segment) for segment in added]
    return _Plan(
        [segment for segment in old if segment.id not in stay],
        frozenset(segment.id for segment in added),
        born,
        moves,
        matches,
        tree_of(parts, size_wh),
    )


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

    def store_frame(self, digest: str, result: FrameResult, change: FrameChange) -> int | None:
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

    def add_segments(
        self, frame_id: int, digest: str, result: FrameResult, also: Callable[[], None]
    ) -> int | None:
        """Put segments beside those that a frame has, which stay as they are.

        Args:
            digest: as of store_frame.
            result: the new segments alone; what the library has of them by now is left out.
            also: called in the same transaction, once they are there.

        Returns:
            The number of new segments; None when the frame has been removed meanwhile.

        Raises:
            As store_frame.
        """
        with self._transaction(digest, result) as (new, clip):
            known = self.metadata.segments([each.id for each in new], with_masks=False)
            added = [each for each in new if each.id not in known]
            with self.metadata.connection.write() as db:
                is_stored = add_segments(db, frame_id, added, clip)
                if is_stored:
                    also()
        if not is_stored:
            remove_crops(self.metadata.paths, [segment.crop_path for segment in new])
            return None
        return len(added)

    def replace_segments(self, frame_id: int, digest: str, result: FrameResult) -> ReplacedSegments:
        """Put what another SAM has cut in the place of a frame's segments.

        What people did goes to the new segment that is the same thing; an old one without such
        a match stays. What people drew or removed is not found again, see without_found_again.

        Args, Raises: as of store_frame.
        """
        while True:
            seen = self._seen(frame_id)
            # what takes long is done before the transaction, in which people would wait for it
            theirs = made_by_hand(seen[0]) + self.metadata.edits.removed_masks(frame_id)
            cut = without_found_again(result, theirs)
            plan = _plan(*seen, self._new_segments(digest, cut), result.size_wh)
            with self._transaction(digest, cut, plan.added) as (new, clip):
                if self._seen(frame_id) != seen:
                    continue  # a person has tagged something meanwhile
                if seen[0]:
                    unused = self._carry_out(plan, frame_id, new, clip, result.sam)
                else:  # the media file was removed meanwhile
                    unused = [segment.crop_path for segment in new]
            remove_unused_crops(self.metadata, unused)
            return plan.outcome() if seen[0] else ReplacedSegments(0)

    def _seen(self, frame_id: int) -> tuple[list[StoredSegment], list[UserAnnotations]]:
        """Read what is on a frame: its segments, and what people did on them."""
        old = self.queries.segments_on(frame_id)
        return old, annotations_on(self.metadata, old)

    def _carry_out(
        self, plan: _Plan, frame_id: int, new: list[NewSegment], clip: str, sam: str
    ) -> list[str]:
        """Change a frame's rows; returns the crop files now unused."""
        unused = [self._stored_path(segment) for segment in plan.gone]
        again = [segment for segment in new if segment.id not in plan.added]
        with self.metadata.connection.write() as db:
            gone_ids = [segment.id for segment in plan.gone]
            added = [segment for segment in new if segment.id in plan.added]
            replace_segments(db, frame_id, gone_ids, added, plan.tree, clip, sam)
            # which tags a segment gets depends on the others of its frame
            replace_automatic_tags(
                db, {plan.born[each.id]: each.tags for each in again if each.id in plan.born}
            )
            transfer_annotations(self.metadata, plan.moves, plan.matches)
            # written with the change, so that a kill before they are gone is made good
            write_down_crops(self.metadata, unused)
        return unused

    @contextmanager
    def _transaction(
        self, digest: str, result: FrameResult, added: Collection[str] | None = None
    ) -> Iterator[tuple[list[NewSegment], str]]:
        """Write the crops, then begin the transaction in which their rows are written.

        Args:
            added: ids of the segments that are new: those of others are not written again, since
                another way of scaling may give other bytes. None for all.

        Gives the segments and the CLIP that embedded them, which is the one in use: no other
        takes over while the transaction lasts.
        """
        for vector in result.vectors:  # refused before a crop is written
            as_stored(vector)
        new = self._new_segments(digest, result)
        written = [each for each in new if added is None or each.id in added]
        with self._crops_of_what_is_stored(written):
            self._write_crops(digest, written)
            while True:
                with self.metadata.connection.write():
                    if clip_in_use(self.metadata) == result.clip:
                        yield new, result.clip
                        return
                result = self.embed_again(result)
                new = self._new_segments(digest, result)

    @contextmanager
    def _crops_of_what_is_stored(self, written: Sequence[NewSegment]) -> Iterator[None]:
        """Leave no crop without its row where the block fails or is interrupted."""
        root = self.metadata.paths.root
        made = [each for each in written if not (root / each.crop_path).exists()]
        try:
            yield
        except BaseException as exc:
            try:  # an interrupt may have come after the rows were there
                known = self.metadata.segments([each.id for each in made], with_masks=False)
                remove_crops(
                    self.metadata.paths, [each.crop_path for each in made if each.id not in known]
                )
            except (DatabaseError, OSError) as left:
                exc.add_note(f"crops without rows may be left: {left}")
            raise

    def _new_segments(self, digest: str, result: FrameResult) -> list[NewSegment]:
        """Name the segments of a result, and the crop files that they will have.

        What SAM has cut once more of a segment that the frame had to have is left out.
        """
        segments = result.segments
        prints = [segment_fingerprint(digest, result.frame_index, each) for each in segments]
        ids = [
            name if each.kept is None else each.kept.id
            for name, each in zip(prints, segments, strict=True)
        ]
        had = [place for place, each in enumerate(segments) if each.kept is not None]
        names_had = {ids[place] for place in had} | {prints[place] for place in had}
        doubled = {
            place
            for place, each in enumerate(segments)
            if each.kept is None and ids[place] in names_had
        }
        new = []
        for place, each in enumerate(segments):
            if place in doubled:
                continue
            parent = each.parent
            while parent is not None and parent in doubled:
                parent = segments[parent].parent
            # of two with one mask, which only others than SAM make, one has the name of it
            name = ids[place] if prints[place] in prints[:place] else prints[place]
            crop_path = self.metadata.paths.name(
                crop_folder(self.metadata.paths, digest) / f"{name}.jpg"
            )
            new.append(
                NewSegment(
                    ids[place],
                    each,
                    crop_path,
                    result.vectors[place],
                    each.tags,
                    crop_hash(each.crop_jpeg),
                    name,
                    "sam" if each.kept is None else each.kept.origin,
                    None if parent is None else ids[parent],
                )
            )
        return new

    def _write_crops(self, digest: str, new: Sequence[NewSegment]) -> None:
        """Have the crops on the disk, before the rows that name them."""
        files = self.metadata.paths.files
        folder = crop_folder(self.metadata.paths, digest)
        try:
            for each in new:
                assert isinstance(each.segment, SegmentResult)
                files.write(each.crop_path, each.segment.crop_jpeg, lasting=False)
            names = [each.crop_path.rsplit("/", 1)[-1] for each in new]
            files.sync_files(self.metadata.paths.name(folder), names)
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
