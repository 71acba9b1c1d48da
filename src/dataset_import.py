"""A whole dataset of another program comes into a library: its images, segments and labels."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

from src.database.decisions import new_batch
from src.database.metadata_db import MetadataDatabase
from src.database.segment_store import NewSegment
from src.dataset_events import LabelsImported
from src.datasets.annotations import AnnotatedImage
from src.datasets.imported_labels import put_labels, read_dataset
from src.datasets.imported_tracks import put_tracks
from src.events import Event, FileDone, FileFailed, FrameStored, JobDone, Progress
from src.imported_cuts import ImageCutter
from src.imported_image import FramePlace, ImageImport, ImportedImage
from src.processing.crop_files import remove_half_written
from src.processing.embedding_batches import BATCH
from src.processing.ffmpeg_log import VideoFacts
from src.processing.file_errors import format_error, is_file_error
from src.processing.file_jobs import KEEP_SCANNED
from src.processing.models_in_use import ClipBundle
from src.processing.pending_deletes import remove_left_crops
from src.processing.segment_pipeline import FrameResult, SegmentPipeline
from src.processing.segment_writer import SegmentWriter
from src.processing.work_threads import WorkThreads
from src.records import Tag
from src.settings import Settings
from src.stopping import result_of

# In a batch: what CLIP sees of each has 150 kB.
MOST_SEGMENTS = 512
GONE = "removed from the library in the meantime"
# The imports that have begun and not ended: by their datasets, the acts that they are.
_UNFINISHED = "unfinished import"


class _StoredMeanwhileError(Exception):
    """The library has the frame by now: another image of the dataset has the same content."""


def _batches(images: Sequence[AnnotatedImage]) -> Iterator[list[AnnotatedImage]]:
    """Put images together that are cut and embedded at once: what is cut stays in memory."""
    batch: list[AnnotatedImage] = []
    segments = 0
    for image in images:
        new = 1 + len(image.annotations)
        if batch and (len(batch) == BATCH or segments + new > MOST_SEGMENTS):
            yield batch
            batch, segments = [], 0
        batch.append(image)
        segments += new
    if batch:
        yield batch


def _by_file(images: Sequence[ImportedImage]) -> list[list[ImportedImage]]:
    """Put the frames of a video together, which is read once for all of them."""
    groups: dict[object, list[ImportedImage]] = defaultdict(list)
    for number, each in enumerate(images):
        media = None if each.place is None else each.place.media
        key = ("video", media.id) if media is not None and media.kind == "video" else number
        groups[key].append(each)
    return list(groups.values())


class DatasetImport:
    """A job that takes a dataset into a library."""

    def __init__(
        self,
        metadata: MetadataDatabase,
        clip_bundle: Callable[[], ClipBundle],
        settings: Settings,
        tag_name: Callable[[str], str],
        prepare: Callable[[], Iterator[Event]],
        tell_index: bool = True,
    ) -> None:
        """Set a job up.

        Args:
            clip_bundle, settings: see SegmentPipeline.
            tag_name: brings a label to the form of a tag's name; QueryError where it can't be one.
            prepare: what has to be done before a segment is embedded; called once, if at all.
            tell_index: see go_through.
        """
        self.metadata = metadata
        self.clip_bundle = clip_bundle
        self.settings = settings
        self.pipeline = SegmentPipeline(clip_bundle, None, settings)
        self.writer = SegmentWriter(metadata, self.pipeline.embed_again)
        self._tag_name, self._prepare, self._tell_index = tag_name, prepare, tell_index
        self._is_prepared = False
        self._counts = Counter[str]()
        self._failed: list[FileFailed] = []
        self._not_scanned = 0  # new segments since what searches scan was brought into step
        self._act = Path(), ""  # the dataset, and the batch of its labels
        # on segments that were there before
        self._labels: dict[str, dict[str, Tag]] = defaultdict(dict)
        self._tracks: dict[str, int | None] = {}  # their numbers, by segments

    def run(self, path: Path) -> Iterator[Event]:
        """Take a dataset in.

        Its images stay where they are. Each is stored whole, with its segments and labels, or not
        at all, so that an import that is stopped goes on the next time and doubles nothing. Labels
        of images that bring no segments come at the end, and so do tracks, in one transaction.
        All labels and tracks are one act, labels with the source `imported`; where people here
        have decided on a tag of a segment, or in which track it is, that stays.

        Yields:
            Progress; AnnotationSkipped, LabelUnmatched and FileFailed for what can't be taken;
            FrameStored and FileDone; at the end LabelsImported and JobDone.

        Raises:
            DatasetReadError: it can't be read, or is none that is known here.
            DatabaseError: the library can't be written to; the job can't go on.
        """
        importing = ImageImport(self.metadata, path, self.settings, self._tag_name)
        cutter = ImageCutter(self.metadata, importing, self.pipeline, self.settings)
        images, skipped = yield from read_dataset(path, importing.frames_of)
        self._act = path, self._unfinished().get(str(path)) or new_batch()
        done = 0
        with self.pipeline.threads() as threads:
            for some in _batches(images):
                for image in (yield from self._cut(some, importing, cutter, threads)):
                    yield from self._take(image, importing, cutter, threads)
                    done += 1
                    yield Progress("import", done, len(images))
        with self.metadata.connection.write():
            self._counts += put_labels(self.metadata, self._labels, self._act[1])
            self._counts += put_tracks(self.metadata, self._tracks, self._act[1])
            others = self._unfinished()
            if others.pop(str(path), None) is not None:
                self._note_unfinished(others)
        yield from self._tell()
        counts = self._counts
        yield LabelsImported(
            self._act[1],
            counts["added"],
            counts["known"],
            counts["overruled"],
            counts["unmatched"],
            counts["files"],
            counts["segments"],
            skipped,
            counts["tracks"],
            counts["known tracks"],
            counts["lost tracks"],
        )
        yield JobDone(counts["files"], counts["frames"], counts["segments"], tuple(self._failed))

    # -- some images at once

    def _cut(
        self,
        images: Sequence[AnnotatedImage],
        importing: ImageImport,
        cutter: ImageCutter,
        threads: WorkThreads,
    ) -> Generator[Event, None, list[ImportedImage]]:
        """Find out what is to become of some images, and cut those that need it."""
        matches = [threads.submit(importing.match, image) for image in images]
        found = [result_of(match) for match in matches]
        to_cut = [image for image in found if image.is_new or image.made]
        if to_cut and not self._is_prepared:
            yield from self._prepare()
            remove_left_crops(self.metadata)
            path, batch = self._act
            self._note_unfinished(self._unfinished() | {str(path): batch})
            self._is_prepared = True
        cuts = [threads.submit(cutter.cut, some, threads) for some in _by_file(to_cut)]
        for cut in cuts:
            result_of(cut)
        self._embed(to_cut)
        return found

    def _embed(self, images: Sequence[ImportedImage]) -> None:
        """Embed what was cut; where that goes wrong, one after another."""
        cut = [image for image in images if image.cut is not None]
        try:
            results = self.pipeline.embed([image.cut for image in cut if image.cut is not None])
        except Exception as exc:
            if not is_file_error(exc):
                raise
            if len(cut) > 1:
                for image in cut:
                    self._embed([image])
            else:
                cut[0].fail(f"could not be imported ({format_error(exc)})")
            return
        for image, result in zip(cut, results, strict=True):
            image.result = result

    # -- one image

    def _take(
        self,
        found: ImportedImage,
        importing: ImageImport,
        cutter: ImageCutter,
        threads: WorkThreads,
    ) -> Iterator[Event]:
        """Store what was made of an image, and say what was not."""
        if found.place is not None and found.result is not None:
            try:
                yield from self._store(found, found.place, found.result)
            except _StoredMeanwhileError:
                (found,) = yield from self._cut([found.image], importing, cutter, threads)
                yield from self._take(found, importing, cutter, threads)
                return
        else:
            for segment_id, tags in found.labels.items():
                self._labels[segment_id] = {**tags, **self._labels[segment_id]}
        for segment_id, number in found.tracks.items():
            if number is not None or segment_id not in self._tracks:
                self._tracks[segment_id] = number
        yield from found.unmatched
        self._counts["unmatched"] += len(found.unmatched) + found.lost
        if found.problem:
            self._failed.append(FileFailed(found.image.image, found.problem))
            yield self._failed[-1]

    def _store(
        self, found: ImportedImage, place: FramePlace, result: FrameResult
    ) -> Iterator[Event]:
        """Store a frame, or new segments of one, with all labels of its image.

        Raises:
            _StoredMeanwhileError: the library has this frame by now.
        """
        counts, is_new_file = Counter[str](), False

        def label() -> None:
            counts.clear()
            counts.update(put_labels(self.metadata, found.labels, self._act[1]))

        remove_half_written(self.metadata.paths, place.digest)
        if place.frame_id is None:
            change = _NewFrame(self.metadata, place, found.facts, result.size_wh, label)
            stored = self.writer.store_frame(place.digest, result, change)
            is_new_file = change.is_new_file
        else:
            stored = self.writer.add_segments(place.frame_id, place.digest, result, label)
        if stored is None:
            found.fail(GONE)
            return
        self._counts += counts
        self._counts["files"] += is_new_file
        self._counts["frames"] += place.frame_id is None
        self._counts["segments"] += stored
        self._not_scanned += stored
        yield FrameStored(place.path, place.frame_index, result.timestamp_s, stored, 1.0)
        if place.frame_id is None and (media := self.metadata.media_by_hash(place.digest)):
            yield FileDone(media.path, *self.metadata.count_of_media(media.id), media.note)
        if self._not_scanned >= KEEP_SCANNED:
            self.clip_bundle().index.keep_scanned()
            self._not_scanned = 0

    # -- before and after

    def _unfinished(self) -> dict[str, str]:
        """Return the acts of imports that were stopped, by their datasets."""
        try:
            said = json.loads(self.metadata.info(_UNFINISHED) or "{}")
        except (ValueError, RecursionError):
            return {}  # nothing that this program wrote
        if isinstance(said, list) and len(said) == 2:  # as earlier versions wrote the one they knew
            said = dict([said]) if isinstance(said[0], str) else {}
        found = said.items() if isinstance(said, dict) else ()
        return {dataset: batch for dataset, batch in found if isinstance(batch, str)}

    def _note_unfinished(self, acts: dict[str, str]) -> None:
        if acts:
            self.metadata.set_info(_UNFINISHED, json.dumps(acts))
        else:
            self.metadata.forget_info(_UNFINISHED)

    def _tell(self) -> Iterator[Event]:
        """Let searches and the index know what is new."""
        if not self._counts["segments"]:
            return
        remove_left_crops(self.metadata)
        index = self.clip_bundle().index
        if self._tell_index:
            yield from index.catch_up()
        else:
            index.keep_scanned()


class _NewFrame:
    """What else changes when the frame of a dataset's image is stored; see FrameChange."""

    def __init__(
        self,
        metadata: MetadataDatabase,
        place: FramePlace,
        facts: VideoFacts,
        size_wh: tuple[int, int],
        label: Callable[[], None],
    ) -> None:
        self.media_id = 0
        self.is_new_file = False
        self._metadata, self._place, self._facts = metadata, place, facts
        self._size_wh, self._label = size_wh, label

    def make_room(self) -> list[str]:
        """Add the media file, unless the library has it.

        Raises:
            _StoredMeanwhileError: it has the frame by now.
        """
        metadata, place = self._metadata, self._place
        media = metadata.media_by_hash(place.digest) or metadata.media_by_path(place.path)
        if media is not None and metadata.frame_row(media.id, place.frame_index) is not None:
            raise _StoredMeanwhileError
        self.is_new_file = media is None
        if media is None:
            self.media_id = metadata.add_media(place.path, "image", *place.stamp)
            metadata.removed.forget(place.path)
            metadata.removed.forget_content(place.digest)
        else:
            self.media_id = media.id
        columns: dict[str, Any] = {"content_hash": place.digest}
        if media is None or media.path == place.path:
            columns |= dict(zip(("file_size", "modified_at_ns"), place.stamp, strict=True))
        # one that a person has begun to add, and not ended, is still to be read
        if media is None or media.status == "failed":
            columns |= {"status": "done", "error": self._facts.damage}
        metadata.update_media(
            self.media_id,
            **columns,
            note=self._facts.note,
            width=self._size_wh[0],
            height=self._size_wh[1],
            captured_at=self._facts.captured_at,
            camera_make=self._facts.camera[0],
            camera_model=self._facts.camera[1],
        )
        return []

    def transfer_annotations(self, result: FrameResult, new: Sequence[NewSegment]) -> None:
        """Put the labels on."""
        self._label()
