"""MediaLibrary: the verbs a person has."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from src.database.segment_store import count_frames_cut_by_others
from src.database.stopped import left_media, stop_unfinished, stopped_media, take_up
from src.datasets.imported_labels import find_importer
from src.errors import DatabaseError, ModelNotLoadedError
from src.events import Event, JobDone
from src.exporting import Exporting
from src.processing.pending_deletes import remove_media
from src.reader_records import OPENED_TO_READ
from src.records import (
    BoxXywh,
    LibraryStats,
    MediaFile,
    MovedRoot,
    SearchResult,
)
from src.search.copy_leaves import without_hidden
from src.search.filters import EVERYTHING, Filter
from src.search.leaves import SegmentIs
from src.search.query import Image, ImageFile, Like, Query
from src.search.query_text import parse_query
from src.search_aids import SearchAids

if TYPE_CHECKING:
    import numpy as np

    from src.label_records import KeptEdit
    from src.labels.mask_editor import MaskEditor
    from src.processing.segment_pipeline import SegmentPipeline

log = logging.getLogger(__name__)


class MediaLibrary(SearchAids, Exporting):
    """The verbs on a library of media.

    What takes long is a generator of events: pull it to the end to have it done, close it to
    cancel.
    """

    # -- taking media in, and out

    def add(self, paths: Iterable[Path | str], again: bool = False) -> Iterator[Event]:
        """Add files and folders, and continue with what an earlier job left.

        What a person stopped waits for `go_on`, or for being added again.

        Args:
            again: bring back what a person has removed of folders; a file that is named itself
                always is.
        """
        self.load_models()
        from src.processing.ingest import Ingest

        yield from self.reembed()
        ingest = Ingest(
            self.metadata,
            self._in_use.clip_bundle,
            self.mask_generator,
            self.settings,
            tell_index=not self._upkeep_later,
            pipeline=self._cluster_pipeline() if self.uses_cluster else None,
        )
        yield from self._then_linked(ingest.run([Path(path) for path in paths], again))

    def _cluster_pipeline(self) -> SegmentPipeline:
        from src.processing.cluster.pipeline import Cluster, ClusterPipeline

        settings = self.settings
        assert settings.cluster is not None
        cluster = Cluster(settings.cluster, settings.cluster_roots)
        return ClusterPipeline(
            self._in_use.clip_bundle, self.mask_generator, settings, self.models, cluster
        )

    def _then_linked(self, job: Iterator[Event]) -> Iterator[Event]:
        """Link what a job has brought of videos, before it says that it is over.

        The window does that by itself, and lets nobody wait for it.
        """
        for event in job:
            if isinstance(event, JobDone) and not self._upkeep_later:
                yield from self.tracks.link()
            yield event

    def segmented_by_others(self) -> int:
        """Count the frames that were segmented by another SAM than the one in use.

        Frames whose SAM was not recorded are counted, too; in CLIP-only mode, where nothing could
        be segmented again, there are none.
        """
        sam = self.mask_generator
        return 0 if sam is None else count_frames_cut_by_others(self.metadata.connection, sam.name)

    def segment_again(self) -> Iterator[Event]:
        """Segment again what another SAM has segmented; what people have done there is kept.

        Tags given by people go to the new segment of the same thing; a segment that has none
        stays, and an `AnnotationUnmatched` says so. Cancelled or killed, the next call goes on.

        Raises:
            ModelNotLoadedError: there is no SAM to do it.
        """
        self.load_models()
        sam = self.mask_generator
        if sam is None:
            raise ModelNotLoadedError(
                "there is no segmentation model (SAM); choose or download one first"
            )
        from src.processing.segment_again import SegmentAgain

        _ = self.index
        self._in_use.write_down()
        again = SegmentAgain(
            self.metadata,
            self._in_use.clip_bundle,
            sam,
            self.settings,
            tell_index=not self._upkeep_later,
        )
        yield from self._then_linked(again.run())

    def media_suffixes(self) -> tuple[list[str], list[str]]:
        """List the endings of image files and of video files that folders are searched for."""
        from src.processing.image_loader import IMAGE_SUFFIXES, VIDEO_SUFFIXES

        return sorted(IMAGE_SUFFIXES), sorted(VIDEO_SUFFIXES)

    def unfinished(self) -> int:
        """Count the media files that an earlier job left and the next one goes on with."""
        return len(left_media(self.metadata))

    def stopped(self) -> list[MediaFile]:
        """List the media files that wait since a person stopped adding them."""
        return stopped_media(self.metadata)

    def stop_adding(self) -> None:
        """Mark what is left of an add, whose job has ended, as waiting until a person continues."""
        stop_unfinished(self.metadata)

    def keep_for_later(self, paths: Iterable[Path | str]) -> None:
        """Record files and folders for the next `add`, and read none of them now."""
        from src.processing.media_registration import keep_for_later

        keep_for_later(self.metadata, [Path(path) for path in paths])

    def go_on(self) -> Iterator[Event]:
        """Add what a person has stopped, and whatever else is unfinished."""
        take_up(self.metadata, [media.id for media in self.stopped()])
        yield from self.add([])

    def remove(self, media_file_ids: Sequence[int]) -> None:
        """Remove media files and all that was made of them; the files themselves stay.

        Crops that can't be removed now are by the next job. A walk through their folders does
        not bring them back; see `add`.
        """
        from src.processing.known_copies import KnownCopies

        copies = KnownCopies(self.metadata)
        for media_file_id in media_file_ids:
            copies.forget(media_file_id)
            remove_media(self.metadata, media_file_id)

    def tell_index(self) -> Iterator[Event]:
        """Remove from the search index what was removed; the next job that adds does it, too."""
        yield from self.index.catch_up()

    def media_under(self, path: Path | str) -> list[MediaFile]:
        """List the media file of a path, or those in a folder, whether they are there or not."""
        return self.metadata.media_under(Path(os.path.abspath(path)))

    def missing(self, paths: Iterable[Path]) -> dict[Path, Path | None]:
        """Find which media files are not where they were, without waiting for a dead drive.

        Where a copy is known it takes the place of the file from then on.

        Returns:
            Those that are not there, each with the copy that has taken its place, or None.
        """
        return self._missing.among(paths)

    def missing_media(self) -> tuple[list[MediaFile], list[MediaFile]]:
        """List all media files that are gone, and those whose drive can't be reached now."""
        return self._missing.all()

    # -- finding

    def search(
        self,
        text: str | None = None,
        image: Path | str | np.ndarray | None = None,
        n_results: int = 10,
        where: Filter = EVERYTHING,
        box_xywh: BoxXywh | None = None,
        count: bool = True,
        one_of_each: bool = False,
    ) -> SearchResult:
        """Find segments by a text, by an image or a part of it, or by both.

        Args:
            text: words, and what else docs/search.md has: signed words, images, conditions.
            image: a file, or (H, W, 3) uint8 RGB; of a video its first frame is looked for.
            box_xywh: the part of the image to look for, in its pixels.
            count: see find.
            one_of_each: make hits of the same thing one; see SearchHit.alike.

        Raises:
            QueryError: there is neither text, image nor filter, the text is none or can't be
                read, or n_results is under 1.
            MediaReadError: the image can't be read.
        """
        query = parse_query(text or "", n_results)
        if text and self.settings.log_queries:
            log.info("searched for %r", text)
        terms = [*query.terms]
        if isinstance(image, str | Path):
            terms.append(ImageFile(Path(image), box_xywh))
        elif image is not None:
            terms.append(Image(image, box_xywh))
        wanted = replace(
            query, terms=tuple(terms), filter=query.filter & where, one_of_each=one_of_each
        )
        return self.find(wanted, count)

    def find(self, query: Query, count: bool = True) -> SearchResult:
        """Answer a query, whatever it is made of; see SegmentSearch.search.

        Hidden copies of media files are left out, unless the filter asks for them; see
        `duplicates`.

        Args:
            count: whether to count what a filter leaves; see `browse.count_left`.
        """
        if query.terms or query.filter:
            query = replace(query, filter=without_hidden(query.filter, self.metadata))
        return self._search_now(bool(query.terms)).search(query, count)

    def similar(
        self, segment_id: str, n_results: int = 10, where: Filter = EVERYTHING
    ) -> SearchResult:
        """Find the segments most like one, which comes first where the filter leaves it.

        Raises:
            QueryError: the segment has no embedding, or is gone.
        """
        return self.find(Query((Like(segment_id),), where, n_results))

    def segments(self, segment_ids: Sequence[str]) -> SearchResult:
        """Look up segments by their ids; those that are gone or hidden are left out."""
        return self.find(Query((), SegmentIs(tuple(segment_ids)), max(1, len(segment_ids))), False)

    # -- masks

    def edit_frame(self, segment_id: str) -> MaskEditor:
        """Open the frame that a segment is of, to edit its masks; close it at the end.

        The frame is read at its full size, of a video at its exact moment.

        Raises:
            QueryError: the segment is no longer in the library.
            MediaReadError: the media file can't be read, or is another one now.
            DatabaseError: the library was opened for reading only.
        """
        if self.read_only:
            raise DatabaseError(f"{self.paths.root}: the library {OPENED_TO_READ}")
        from src.labels.frame_to_edit import open_frame
        from src.labels.mask_editor import MaskEditor

        return MaskEditor(
            open_frame(self.metadata, self.settings, segment_id),
            self._kept_edits,
            lambda: self.mask_generator,
            self.settings.min_segment_px,
        )

    def undo_edit(self, batch: str) -> int:
        """Undo an edit of masks that was kept, whenever that was; see KeptEdits.undo."""
        return self._kept_edits.undo(batch)

    def redo_edit(self, batch: str) -> int:
        """Do an edit again that was undone; see KeptEdits.undo."""
        return self._kept_edits.redo(batch)

    def edits_on_frame(self, segment_id: str) -> tuple[KeptEdit, ...]:
        """List the edits on the frame that a segment is of, the last one first."""
        return self._kept_edits.of_frame(segment_id)

    # -- datasets of other programs

    @staticmethod
    def dataset_kind(path: Path | str) -> str | None:
        """Name the kind of dataset that is at a path; None where it is none that is known here.

        Raises:
            DatasetReadError: it can't be looked at.
        """
        importer = find_importer(Path(os.path.abspath(path)))
        return None if importer is None else importer.label

    def import_dataset(self, path: Path | str) -> Iterator[Event]:
        """Take in a dataset that this or another program wrote; see DatasetImport.run.

        Its images become media files where they are, its masks and boxes segments, its labels tags
        with the source `imported`; what the library has already gets the labels alone. Its tracks
        come on videos that the library has.

        Raises:
            DatasetReadError: it can't be read, or is none that is known here.
        """
        from src.dataset_import import DatasetImport

        def prepare() -> Iterator[Event]:
            self.load_models()
            yield from self.reembed()

        dataset_import = DatasetImport(
            self.metadata,
            self._in_use.clip_bundle,
            self.settings,
            self.tag_name,
            prepare,
            tell_index=not self._upkeep_later,
        )
        yield from dataset_import.run(Path(os.path.abspath(path)))

    # -- its health

    def reembed(self) -> Iterator[Event]:
        """Embed what the CLIP in use has not seen, after damage or when its weights were replaced.

        So it is for segments whose masks a person has drawn or changed; drawn ones get automatic
        tags as well. Another CLIP that waits to take over is not concerned: see `switch_clip`.
        """
        yield from self._in_use.reembed()

    def has_unmeasured_frames(self) -> bool:
        """Return whether there are frames for look_at_frames."""
        return bool(self.metadata.frames_not_looked_at())

    def look_at_frames(self) -> Iterator[Event]:
        """Measure the frames that an earlier version stored without: how sharp, how alike.

        The window does so by itself, and `verify` where it repairs. Cancelled or killed, the next
        call goes on.
        """
        from src.processing.frame_look_job import look_at_frames

        yield from look_at_frames(self.metadata, self.settings.pixel_limit)

    def roots(self) -> dict[Path, int]:
        """List the folders that media files are kept in, each with how many are in and below it."""
        return self.metadata.roots_with_files()

    def move_root(self, old: Path | str, new: Path | str) -> MovedRoot:
        """Follow a folder of media, a root or any other, that was moved or is found elsewhere.

        Its files keep their names from there on, and all that was made of them; none is read.

        Raises:
            DatabaseError: nothing of the library is in the old folder, or none of its files is in
                the new one, or a file of the library has one of the new paths already. Nothing is
                changed then.
        """
        from src.processing.moved_files import move_root

        return move_root(self.metadata, Path(os.path.abspath(old)), Path(os.path.abspath(new)))

    def verify(self, repair: bool = False) -> Iterator[Event]:
        """Examine the library, and mend what can be mended when asked to.

        Where it repairs it also fills in what an earlier version did not measure.
        """
        index = self.index
        from src.processing.integrity import examine

        yield from examine(self.metadata, index, self.settings, self.reembed, repair)
        if repair:
            yield from self.look_at_frames()

    def stats(self, name_models: bool = True) -> LibraryStats:
        """Count what is in the library, and name the models in use.

        Args:
            name_models: load the models to name them; without, they are None.
        """
        sam = self.mask_generator if name_models else None
        return LibraryStats(
            **self.metadata.counts(),
            bytes=self._disk_use.bytes(),
            clip_model=self.clip.label if name_models else None,
            sam_model=None if sam is None else sam.label,
        )
