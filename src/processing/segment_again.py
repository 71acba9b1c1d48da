"""Another SAM: frames cut again, and the work of people carried over to the new segments."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import closing

from src.config import Settings
from src.database.catalog import Catalog
from src.database.decisions import replace_automatic_tags
from src.database.metadata_db import MetadataDatabase
from src.database.segment_store import (
    NewSegment,
    frames_cut_by_others,
    replace_segments,
)
from src.errors import MediaReadError
from src.events import (
    Event,
    FileDone,
    FileFailed,
    FileStarted,
    FrameSkipped,
    FrameStored,
    JobDone,
    JobStarted,
    WorkStays,
)
from src.models.mask_generator import MaskGenerator
from src.processing.crops_left import remove_left_crops, remove_unused_crops, write_down_crops
from src.processing.frames_again import read_frames_again
from src.processing.known_copies import KnownCopies
from src.processing.media_finder import content_hash
from src.processing.models_in_use import Embedding
from src.processing.one_file import in_words, is_of_one_file
from src.processing.peoples_work import find_heirs, hand_over, work_on
from src.processing.segment_maker import SegmentMaker
from src.records import Frame, MediaFile, StoredSegment

# The index is told in between once so many changes wait, as in an ingest.
TELL_INDEX = 2000

log = logging.getLogger(__name__)


class SegmentAgain:
    """One job of cutting again what another SAM has cut.

    A frame is changed in one transaction, so a job that is killed goes on with the next one.
    """

    def __init__(
        self,
        metadata: MetadataDatabase,
        embedding: Callable[[], Embedding],
        mask_generator: MaskGenerator,
        settings: Settings,
    ) -> None:
        """Set a job up; see SegmentMaker."""
        self.metadata = metadata
        self.copies = KnownCopies(metadata)
        self.catalog = Catalog(metadata)
        self.embedding = embedding
        self.settings = settings
        self.maker = SegmentMaker(metadata, embedding, mask_generator, settings)

    def run(self) -> Iterator[Event]:
        """Cut every frame again that another SAM has cut.

        Where a person has worked on a segment, the tags go to the new segment that is the same
        thing; one without such an heir stays beside the new ones (`WorkStays`). Files that are
        gone or changed keep their segments (`FileFailed`).

        Raises:
            DatabaseError: the library can't be written to; the job can't go on.
        """
        remove_left_crops(self.metadata)
        by_media = frames_cut_by_others(self.metadata.connection, self.maker.sam)
        yield JobStarted(len(by_media))
        failed: list[FileFailed] = []
        frames = segments = 0
        for number, (media_id, wanted) in enumerate(by_media.items(), start=1):
            media = self.metadata.media(media_id)
            if media is None:  # removed meanwhile
                continue
            media = self.copies.at_hand(media)
            yield FileStarted(media.path, number)
            for event in self._file(media, wanted):
                if isinstance(event, FileFailed):
                    failed.append(event)
                elif isinstance(event, FrameStored):
                    frames += 1
                    segments += event.segments
                yield event
            if self.embedding().index.pending() >= TELL_INDEX:
                yield from self.embedding().index.catch_up()
        yield from self.embedding().index.catch_up()
        remove_left_crops(self.metadata)
        yield JobDone(len(by_media), frames, segments, tuple(failed))

    def _file(self, media: MediaFile, wanted: dict[int, int]) -> Iterator[Event]:
        try:
            if content_hash(media.path) != media.content_hash:
                raise MediaReadError(media.path, "changed since it was added; add it again first")
            yield from self._frames(media, wanted)
            if wanted:
                raise MediaReadError(media.path, f"{len(wanted)} of its frames could not be found")
        except MediaReadError as exc:
            yield FileFailed(media.path, f"{exc.reason}; its segments are unchanged")
            return
        except OSError as exc:  # it went between two looks at it
            yield FileFailed(media.path, f"can't be read ({exc.strerror or exc})")
            return
        except Exception as exc:
            if not is_of_one_file(exc):
                raise
            log.warning("%s could not be segmented again", media.path, exc_info=True)
            yield FileFailed(media.path, f"could not be segmented again ({in_words(exc)})")
            return
        yield FileDone(media.path, *self.metadata.count_of_media(media.id))

    def _frames(self, media: MediaFile, wanted: dict[int, int]) -> Iterator[Event]:
        """Cut the frames of a file again; what remains in `wanted` was not met."""
        with closing(read_frames_again(media, wanted, self.settings)) as frames:
            for frame in frames:
                fraction = _fraction(frame, media)
                frame_id = wanted.pop(frame.frame_index, None)
                if frame_id is None:
                    yield FrameSkipped(media.path, frame.frame_index, fraction)
                    continue
                count, stay = self._cut(media, frame, frame_id)
                yield from (
                    WorkStays(media.path, frame.frame_index, frame.timestamp_s, old, tags)
                    for old, tags in stay
                )
                yield FrameStored(media.path, frame.frame_index, frame.timestamp_s, count, fraction)

    def _cut(
        self, media: MediaFile, frame: Frame, frame_id: int
    ) -> tuple[int, list[tuple[str, tuple[str, ...]]]]:
        """Cut a frame again.

        Returns:
            The number of new segments, and the old ones that stay, with their tags.
        """

        def store(
            new: list[NewSegment], clip: str
        ) -> tuple[int, list[str], list[tuple[str, tuple[str, ...]]]]:
            old = self.catalog.segments_on(frame_id)
            if not old:  # the media file was removed meanwhile
                return 0, [segment.crop_path for segment in new], []
            work = {work.segment_id: work for work in work_on(self.metadata, old)}
            # a new cut has its fingerprint as its id: one that has been taken in before is known by
            # it, and where a person has changed its mask since, by the id that it got then
            born = {segment.fingerprint or segment.id: segment.id for segment in old}
            known = {*born, *born.values()}
            same = {name for segment in new if (name := born.get(segment.id, segment.id)) in known}
            theirs = {segment.id for segment in old if segment.origin != "sam"}
            moves = [each for name, each in work.items() if name not in same | theirs]
            heirs = {
                name: None if heir is None else born.get(heir, heir)
                for name, heir in find_heirs(moves, new, frame.size_wh).items()
            }
            stay = theirs | {name for name, heir in heirs.items() if heir is None}
            gone = [s for s in old if s.id not in same and s.id not in stay]
            unused = [self._stored_path(segment) for segment in gone]
            used = {self._stored_path(segment) for segment in old}
            added = [segment for segment in new if segment.id not in known]
            unused += [s.crop_path for s in new if s.id in known and s.crop_path not in used]
            with self.metadata.connection.write() as db:
                gone_ids = [segment.id for segment in gone]
                replace_segments(db, frame_id, gone_ids, added, clip, self.maker.sam)
                # which tags a segment gets depends on the others of its frame
                replace_automatic_tags(db, {born[s.id]: s.tags for s in new if s.id in born})
                hand_over(self.metadata, moves, heirs)
                # written with the change, so that a kill before they are gone is made good
                write_down_crops(self.metadata, unused)
            left = {segment: work[segment].tags for segment, heir in heirs.items() if heir is None}
            names = [(s, tuple(tag.name for tag in tags)) for s, tags in left.items() if tags]
            return len(added), unused, names

        assert media.content_hash is not None
        count, unused, stay = self.maker.make(media.content_hash, frame, store)
        remove_unused_crops(self.metadata, unused)
        return count, stay

    def _stored_path(self, segment: StoredSegment) -> str:
        return segment.crop_path.relative_to(self.metadata.paths.root).as_posix()


def _fraction(frame: Frame, media: MediaFile) -> float:
    if frame.timestamp_s is None:
        return 1.0
    return min(1.0, frame.timestamp_s / media.duration_s) if media.duration_s else 0.0
