"""media file -> frames -> segments -> embeddings -> library."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from src.config import Settings
from src.database.metadata_db import MetadataDatabase
from src.database.segment_store import NewSegment
from src.database.stopped import left_media, take_up
from src.errors import MediaReadError
from src.events import (
    Event,
    FileDone,
    FileFailed,
    FileKnown,
    FilePassedOver,
    FileStarted,
    FrameSkipped,
    FrameStored,
    JobDone,
    JobStarted,
)
from src.models.mask_generator import MaskGenerator
from src.processing.changed_files import ChangedFiles
from src.processing.crop_files import remove_crops, remove_half_written
from src.processing.crops_left import remove_left_crops, remove_unused_crops
from src.processing.ffmpeg_log import VideoFacts
from src.processing.frame_looks import look_of
from src.processing.frames import read_sampled
from src.processing.image_loader import media_kind
from src.processing.known_copies import KnownCopies
from src.processing.media_finder import Tally, find_media, guessed_kind, is_out_of_reach
from src.processing.models_in_use import Embedding
from src.processing.moved_files import MovedFiles
from src.processing.one_file import in_words, is_of_one_file
from src.processing.peoples_work import Work
from src.processing.segment_maker import SegmentMaker
from src.records import Frame, MediaKind

# The index is told in between once so many segments wait, so that the end has little left.
TELL_INDEX = 2000
OWN = "the library keeps its own files in this folder; choose another one"

log = logging.getLogger(__name__)


class Ingest:
    """One job of taking media into a library."""

    def __init__(
        self,
        metadata: MetadataDatabase,
        embedding: Callable[[], Embedding],
        mask_generator: MaskGenerator | None,
        settings: Settings,
    ) -> None:
        """Set a job up; see SegmentMaker."""
        self.metadata = metadata
        self.paths = metadata.paths
        self.embedding = embedding
        self.settings = settings
        self.maker = SegmentMaker(metadata, embedding, mask_generator, settings)
        self.moved = MovedFiles(metadata)
        self.copies = KnownCopies(metadata, self.moved)
        self.changed = ChangedFiles(metadata)
        self._wanted: set[Path] = set()  # even where a person has removed them before

    def run(self, paths: Iterable[Path], again: bool = False) -> Iterator[Event]:
        """Take in files and folders, and whatever an earlier job left that no person stopped.

        What a person has removed comes back where it is named itself, and stays away where only
        a folder is named in which it lies.

        Every event is a safe place to stop: a frame is stored whole or not at all, and the
        next run goes on with the frame after the last one stored.

        Args:
            again: bring back what lies in folders, too.

        Raises:
            DatabaseError: the library can't be written to; the job can't go on.
        """
        remove_left_crops(self.metadata)
        unread: list[OSError] = []
        tally = Tally(self.settings.passed_over_folders)
        named = dict.fromkeys(Path(os.path.abspath(path)) for path in paths)
        refused = [path for path in named if self._is_own(path)]
        found = find_media(
            [path for path in named if path not in refused],
            _own_folders(self.metadata),
            unread.append,
            tally,
        )
        self._wanted = set(found) if again else set(found) & named.keys()
        absent = [path for path in found if self._is_absent(path)]
        removed = self._removed(found)
        left_out = {*absent, *removed}
        files = self._register([path for path in found if path not in left_out])
        yield from self.moved.follow([path for path in files if _is_unicode(path)], removed)
        files += [path for path in removed if path in self.moved.came]
        tally.removed += [path for path in removed if path not in self.moved.came]
        yield JobStarted(len(files))
        failed = [_unread_folder(error) for error in unread]
        failed += [FileFailed(path, "there is no such file or folder") for path in absent]
        failed += [FileFailed(path, OWN) for path in refused]
        yield from failed
        frames = segments = 0
        waiting = self.embedding().index.pending()
        for number, path in enumerate(files, start=1):
            yield FileStarted(path, number)
            for event in self._file(path):
                if isinstance(event, FileFailed):
                    failed.append(event)
                elif isinstance(event, FrameStored):
                    frames += 1
                    segments += event.segments
                    waiting += event.segments
                elif isinstance(event, FilePassedOver):
                    tally.removed.append(event.path)
                yield event
            if waiting >= TELL_INDEX:
                yield from self.embedding().index.catch_up()
                waiting = 0
        yield from self.embedding().index.catch_up()
        remove_left_crops(self.metadata)
        yield JobDone(len(files), frames, segments, tuple(failed), passed_over=tally.passed_over)

    def _is_own(self, path: Path) -> bool:
        """Return whether a folder that was named is one in which the library keeps its files."""
        *own, datasets = _own_folders(self.metadata)
        return os.path.isdir(path) and (
            path == datasets or any(path.is_relative_to(folder) for folder in own)
        )

    def _removed(self, found: Sequence[Path]) -> list[Path]:
        """List what a person has removed before, without what is wanted again."""
        removed = self.metadata.removed.paths()
        with self.metadata.connection.write():
            for path in self._wanted & removed:
                self.metadata.removed.forget(path)
        left = removed - self._wanted
        return [p for p in found if p in left and self.metadata.media_by_path(p) is None]

    def _is_absent(self, path: Path) -> bool:
        """Say whether a name was wrong from the start: nothing is written down about it."""
        if os.path.lexists(path):
            return False
        return not _is_unicode(path) or self.metadata.media_by_path(path) is None

    def _register(self, found: Sequence[Path]) -> list[Path]:
        """Write down what is found; returns that, and before it what an earlier job has left."""
        register(self.metadata, found)
        left = (media.path for media in left_media(self.metadata))
        return list(dict.fromkeys([*left, *found]))

    def _file(self, path: Path) -> Iterator[Event]:
        if not _is_unicode(path):
            yield FileFailed(path, "its name is not valid Unicode; rename the file")
            return
        try:
            yield from self._take(path)
        except MediaReadError as exc:
            yield self._waits_or_failed(path, exc.reason)
        except OSError as exc:  # it went between two looks at it
            yield self._waits_or_failed(path, f"can't be read ({exc.strerror or exc})")
        except Exception as exc:
            if not is_of_one_file(exc):
                raise
            log.warning("%s could not be processed", path, exc_info=True)
            yield self._failed(path, f"could not be processed ({in_words(exc)})")

    def _waits_or_failed(self, path: Path, reason: str) -> FileFailed:
        """Leave a file for the next run when its drive is gone: that says nothing about it."""
        if not is_out_of_reach(path):
            return self._failed(path, reason)
        return FileFailed(path, "its folder can't be reached; it will be added when it can")

    def _failed(self, path: Path, reason: str) -> FileFailed:
        media = self.metadata.media_by_path(path)
        if media is not None and (media.status == "done" or self.changed.give_back(media)):
            reason += "; what was added before is kept"
        elif media is not None:
            self.metadata.update_media(media.id, status="failed", error=reason, note=None)
        return FileFailed(path, reason)

    def _take(self, path: Path) -> Iterator[Event]:
        media = self.metadata.media_by_path(path)
        if media is None:  # it was followed or removed since the job began
            to = self.moved.went.get(path)
            yield FileKnown(
                path, f"moved to {to}" if to else "removed from the library in the meantime"
            )
            return
        kind = media_kind(path)
        stat = path.stat()
        same_stamp = (media.file_size, media.modified_at_ns) == (stat.st_size, stat.st_mtime_ns)
        known = "moved here" if path in self.moved.came else "already in the library"
        if media.status == "done" and same_stamp:
            yield FileKnown(path, known)
            return
        digest = self.moved.content_hash(path)
        twin = self.metadata.media_by_hash(digest)
        if twin is not None and twin.id != media.id:
            if self.moved.holds(twin):
                self.moved.make_room(media)
                self.copies.remember(twin, path)
                yield FileKnown(path, f"same content as {twin.path}")
                return
            self.moved.move([(twin, path)])  # moved since the job began
            media = self.metadata.media_by_path(path)
            if media is None or media.id != twin.id:
                raise MediaReadError(path, "was moved or removed in the meantime; add it again")
            known = "moved here"
        elif media.content_hash is None and self.metadata.removed.has_content(digest):
            if path not in self._wanted:  # a copy of what was removed, or it was moved
                self.metadata.removed.remember(path, digest)
                self.moved.make_room(media)
                yield FilePassedOver(path)
                return
            self.metadata.removed.forget_content(digest)
        content = {
            "content_hash": digest,
            "file_size": stat.st_size,
            "modified_at_ns": stat.st_mtime_ns,
        }
        nothing_known = {"error": None, "note": None}
        begun: dict[str, Any] = {**content, "kind": kind, "status": "processing", **nothing_known}
        changed = media.content_hash not in (None, digest)
        if changed:
            self.changed.begin(media)
        elif media.status == "done" or self.changed.give_back(media):
            self.metadata.update_media(media.id, **content)
            yield FileKnown(path, known)
            return
        else:
            self.metadata.update_media(media.id, **begun)
        remove_half_written(self.paths, digest)
        yield from self._frames(media.id, path, kind, digest, begun if changed else None)

    def _frames(
        self,
        media_id: int,
        path: Path,
        kind: MediaKind,
        digest: str,
        replaces: dict[str, Any] | None,
    ) -> Iterator[Event]:
        """Store the frames of a file.

        Args:
            replaces: what its row holds from the first of them on, which takes the place of
                all frames of another content; None for a file that has none.
        """
        stored = set[int]() if replaces else self.metadata.stored_frames(media_id)
        works = self.changed.waiting(media_id)
        if replaces:
            self.changed.look_at(media_id, self.settings.pixel_limit)
        facts = VideoFacts()
        source = read_sampled(path, kind, self.settings, facts)
        size_wh: tuple[int, int] | None = None
        stands = _StandingFrame(self.metadata, media_id)
        try:
            for frame, differs in source:
                size_wh = frame.size_wh
                stands.see(frame, differs)
                fraction = _fraction(frame, facts)
                if not differs or frame.frame_index in stored:
                    yield FrameSkipped(path, frame.frame_index, fraction)
                    continue
                count = self._store(media_id, digest, frame, replaces, works)
                replaces = None
                if count is None:
                    yield FileKnown(path, "removed from the library in the meantime")
                    return
                yield FrameStored(path, frame.frame_index, frame.timestamp_s, count, fraction)
        finally:
            source.close()  # a cancelled job leaves no ffmpeg behind
        if facts.damage is not None and is_out_of_reach(path):
            raise MediaReadError(path, "can no longer be reached")  # not damaged: cut off
        stands.end()
        width, height = size_wh or (None, None)
        with self.metadata.connection.write():
            self.metadata.update_media(
                media_id,
                status="done",
                error=facts.damage,
                note=facts.note,
                width=width,
                height=height,
                duration_s=facts.duration_s,
                captured_at=facts.captured_at,
                camera_make=facts.camera[0],
                camera_model=facts.camera[1],
            )
            lost = self.changed.end(media_id, works)
        note = "; ".join(filter(None, (facts.damage, facts.note, lost))) or None
        yield FileDone(path, *self.metadata.count_of_media(media_id), note)

    def _store(
        self,
        media_id: int,
        digest: str,
        frame: Frame,
        replaces: dict[str, Any] | None,
        works: list[Work],
    ) -> int | None:
        """Store a frame with its segments, and give them what people did on the one before it.

        Returns:
            The number of segments; None when the media file has been removed meanwhile.
        """

        unused: list[str] = []
        look = look_of(frame.image_rgb)

        def store(new: list[NewSegment], clip: str) -> tuple[bool, list[NewSegment]]:
            if replaces is not None:
                unused.extend(self.changed.replace(media_id, replaces, works))
            moment, size = frame.timestamp_s, frame.size_wh
            stored = self.metadata.store_frame(
                media_id, frame.frame_index, moment, size, new, clip, self.maker.sam, look
            )
            if stored:
                self.changed.hand_over(works, frame, new)
            return stored, new

        stored, new = self.maker.make(digest, frame, store)
        if stored:
            remove_unused_crops(self.metadata, unused)
        else:
            remove_crops(self.paths, [segment.crop_path for segment in new])
        return len(new) if stored else None


class _StandingFrame:
    """Writes down up to when a frame stands for those that are skipped after it as too alike."""

    def __init__(self, metadata: MetadataDatabase, media_id: int) -> None:
        self._metadata, self._media_id = metadata, media_id
        self._frame_index: int | None = None
        self._until_s: float | None = None

    def see(self, frame: Frame, differs: bool) -> None:
        if differs:
            self.end()
            self._frame_index = frame.frame_index
        else:
            self._until_s = frame.timestamp_s

    def end(self) -> None:
        if self._frame_index is not None and self._until_s is not None:
            self._metadata.set_until(self._media_id, self._frame_index, self._until_s)
        self._until_s = None


def register(metadata: MetadataDatabase, found: Sequence[Path]) -> None:
    """Write down every file before the first is read, so that a job killed can go on.

    Those that a person stopped wait no more.
    """
    added_at = time.time()  # one for all: what is added together keeps its order
    with metadata.connection.write():
        known = []
        for path in filter(_is_unicode, found):
            if (media := metadata.media_by_path(path)) is not None:
                known.append(media.id)
            else:
                metadata.add_media(path, guessed_kind(path), 0, 0, added_at)
        take_up(metadata, known)


def keep_for_later(metadata: MetadataDatabase, paths: Iterable[Path]) -> None:
    """Write down the files of paths, and leave them to a later job."""
    found = find_media(paths, _own_folders(metadata))
    register(metadata, [path for path in found if os.path.lexists(path)])


def _own_folders(metadata: MetadataDatabase) -> tuple[Path, Path, Path]:
    paths = metadata.paths
    return paths.extracted_segments, paths.chroma_db, paths.datasets


def _unread_folder(error: OSError) -> FileFailed:
    return FileFailed(Path(error.filename), f"this folder can't be read ({error.strerror})")


def _fraction(frame: Frame, facts: VideoFacts) -> float:
    if frame.timestamp_s is None:
        return 1.0
    return min(1.0, frame.timestamp_s / facts.duration_s) if facts.duration_s else 0.0


def _is_unicode(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True
