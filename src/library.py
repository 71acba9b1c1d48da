"""MediaLibrary: the verbs a person has."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from src.browsing import Browsing
from src.config import LibraryPaths, Settings, models_folder_problem
from src.database.browse_queries import BrowseQueries
from src.database.decisions import new_batch
from src.database.disk_use import DiskUse
from src.database.lock import LibraryLock
from src.database.metadata_db import MetadataDatabase
from src.database.segment_store import count_frames_cut_by_others
from src.database.stopped import left_media, stop_unfinished, stopped_media, take_up
from src.database.text_normalization import as_query, normalize_text
from src.datasets.export import ALL, DEFAULTS, export_dataset, preview_dataset
from src.datasets.registry import DEFAULT_FORMAT, export_formats
from src.errors import DatabaseError, ModelNotLoadedError, QueryError
from src.events import Event
from src.model_list import ModelList
from src.options import options_of
from src.processing.models_in_use import ModelsInUse, index_of
from src.processing.pending_deletes import remove_media
from src.records import (
    BoxXywh,
    Coverage,
    ExportFormatInfo,
    ExportPreview,
    ExportSelection,
    FrameView,
    LibraryStats,
    MediaFile,
    MediaKind,
    MovedRoot,
    SearchResult,
    Tag,
)
from src.search.filters import EVERYTHING, Filter
from src.search.query import GONE, Image, ImageFile, Like, Query, Term, Words

if TYPE_CHECKING:
    import numpy as np

    from src.database.vector_db import VectorDatabase
    from src.database.vector_index import VectorIndex
    from src.models.auto_tagger import AutoTagger
    from src.models.clip_encoder import ClipEncoder
    from src.models.mask_generator import MaskGenerator
    from src.models.model_manager import ModelManager
    from src.processing.missing_files import MissingFiles

LONGEST_TAG = 80

log = logging.getLogger(__name__)


class MediaLibrary:
    """A library of media, open for writing, or for looking and searching only.

    What takes long is a generator of events: pull it to the end to have it done, close it to
    cancel. Models load when they are first needed, and torch with them: opening a library and
    looking at what is in it takes neither.
    """

    def __init__(
        self,
        paths: LibraryPaths | None = None,
        models: ModelManager | None = None,
        settings: Settings | None = None,
        read_only: bool = False,
        examine: bool = False,
        on_recovery: Callable[[int, int], None] | None = None,
    ) -> None:
        """Open a library, making it when it is not there.

        Args:
            examine: look for damage even where nothing speaks for any.
            on_recovery: is told how far the recovery of a damaged library is: done, of how much.
            read_only: look, search and export beside the process that has it open; searches
                are exact and don't ask the index, and what would write raises DatabaseError.

        Raises:
            LibraryLockedError: another process has it open.
            DatabaseError: it can't be read or written.
        """
        self.paths = paths or LibraryPaths()
        self.paths.create(read_only)
        # What a person has to be told about the settings: values that can't be used.
        self.settings_problems: list[str] = []
        self.settings = settings or Settings.load(
            self.paths.settings, self.settings_problems.append
        )
        if (problem := models_folder_problem()) is not None:
            self.settings_problems.append(problem)
        self.read_only = read_only
        self._lock = None if read_only else LibraryLock(self.paths.lock)
        try:
            self.metadata = MetadataDatabase(self.paths, read_only, examine, on_recovery)
        except BaseException:
            if self._lock is not None:
                self._lock.release()
            raise
        self.browse = Browsing(BrowseQueries(self.metadata), self.paths, lambda: self.settings)
        self._disk_use = DiskUse(self.paths)
        self._missing_files: MissingFiles | None = None
        self._in_use = ModelsInUse(self.metadata, lambda: self.settings, read_only, models)
        connection = self.metadata.connection
        # What a person has to be told about the library once, now that it is open.
        said = [str(what) for what in (connection.recovered, connection.mended) if what is not None]
        self.notice = "; ".join(said) or None

    def __enter__(self) -> MediaLibrary:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the index finish, close the files and release the lock, whichever of it fails."""
        with ExitStack() as last:
            if self._lock is not None:
                last.callback(self._lock.release)
            last.callback(self.metadata.close)
            self._in_use.close()

    # -- what is in use

    @property
    def models(self) -> ModelManager:
        return self._in_use.models

    @property
    def model_list(self) -> ModelList:
        """Which models are here or can be fetched, and how fast they are."""
        return ModelList(lambda: self.models)

    @property
    def vectors(self) -> VectorDatabase:
        """Search with the CLIP in use; the first call loads it.

        Another CLIP may take over at any moment: whoever makes several calls for one answer
        asks for this once.
        """
        return self._in_use.vectors

    @property
    def clip(self) -> ClipEncoder:
        return self.vectors.clip

    @property
    def index(self) -> VectorIndex:
        return index_of(self.vectors)

    @property
    def mask_generator(self) -> MaskGenerator | None:
        """SAM; None in CLIP-only mode, when no SAM is on this machine or none is to be used."""
        return self._in_use.mask_generator

    @property
    def tagger(self) -> AutoTagger:
        return self._in_use.tagger

    def load_models(self) -> None:
        """Load what searching and adding need; done at once when it is there."""
        self._in_use.load()

    def save_settings(self, settings: Settings) -> None:
        """Keep settings in the library's folder, and go by them from now on.

        Raises:
            DatabaseError: they can't be saved; nothing changes then.
        """
        settings.save(self.paths.settings)
        self.settings = settings

    def choose_models(self, clip_model: str | None, sam_model: str | None) -> None:
        """Choose which models are used from now on, and look which are here; see Settings.

        SAM changes at once. Another CLIP takes over once it has embedded the library, at once
        where it has done so before, and gives the tags again: see `coverage`, `tags_wait` and
        `switch_clip`. After a download, say the same choice again.

        Raises:
            DatabaseError: the choice can't be saved; nothing changes then.
            ModelNotLoadedError: no CLIP is on this machine any more; the one in use stays.
        """
        if self.read_only:
            raise DatabaseError(f"{self.paths.root}: the library was opened for reading only")
        settings = replace(self.settings, clip_model=clip_model, sam_model=sam_model)
        if settings != self.settings:
            self.save_settings(settings)
        self._in_use.refresh()

    def coverage(self) -> Coverage | None:
        """Say how much of the library the CLIP that is wanted has embedded; None: all of it."""
        return self._in_use.coverage()

    def tags_wait(self) -> bool:
        """Return whether the automatic tags are still those of another CLIP than the one in use."""
        return self._in_use.tags_wait()

    def switch_clip(self) -> Iterator[Event]:
        """Embed the library with the CLIP that is wanted, and search with that from then on.

        Searches are answered by the one before until all is embedded, when the other takes over
        in one step. Then automatic tags are given again; those of people stay. Cancelled or
        killed, the next call goes on where this one was.
        """
        yield from self._in_use.switch()

    # -- taking media in, and out

    def add(self, paths: Iterable[Path | str], again: bool = False) -> Iterator[Event]:
        """Take in files and folders, and go on with what an earlier job left.

        What a person stopped waits for `go_on`, or for being added again.

        Args:
            again: bring back what a person has removed of folders; a file that is named itself
                always is.
        """
        self.load_models()
        from src.processing.ingest import Ingest

        yield from self.reembed()
        ingest = Ingest(self.metadata, self._in_use.clip_bundle, self.mask_generator, self.settings)
        yield from ingest.run([Path(path) for path in paths], again)

    def segmented_by_others(self) -> int:
        """Count the frames that another SAM cut than the one in use.

        Frames of which nobody wrote down what cut them are counted, too; in CLIP-only mode,
        where nothing could be cut again, there are none.
        """
        sam = self.mask_generator
        return 0 if sam is None else count_frames_cut_by_others(self.metadata.connection, sam.name)

    def segment_again(self) -> Iterator[Event]:
        """Cut what another SAM has cut once more; what people have done there is kept.

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
        yield from SegmentAgain(self.metadata, self._in_use.clip_bundle, sam, self.settings).run()

    def media_suffixes(self) -> tuple[list[str], list[str]]:
        """Name the endings of image files and of video files that folders are searched for."""
        from src.processing.image_loader import IMAGE_SUFFIXES, VIDEO_SUFFIXES

        return sorted(IMAGE_SUFFIXES), sorted(VIDEO_SUFFIXES)

    def unfinished(self) -> int:
        """Count the media files that an earlier job left and the next one goes on with."""
        return len(left_media(self.metadata))

    def stopped(self) -> list[MediaFile]:
        """List the media files that wait since a person stopped adding them."""
        return stopped_media(self.metadata)

    def stop_adding(self) -> None:
        """Let what is left of an add wait until a person goes on; no job of that runs any more."""
        stop_unfinished(self.metadata)

    def keep_for_later(self, paths: Iterable[Path | str]) -> None:
        """Write down files and folders for the next `add`, and read none of them now."""
        from src.processing.media_registration import keep_for_later

        keep_for_later(self.metadata, [Path(path) for path in paths])

    def go_on(self) -> Iterator[Event]:
        """Add what a person has stopped, and whatever else is unfinished."""
        take_up(self.metadata, [media.id for media in self.stopped()])
        yield from self.add([])

    def remove(self, media_file_ids: Sequence[int]) -> None:
        """Forget media files and all that was made of them; the files themselves stay.

        Crops that can't be removed now are by the next job. A walk through their folders does
        not bring them back; see `add`.
        """
        from src.processing.known_copies import KnownCopies

        copies = KnownCopies(self.metadata)
        for media_file_id in media_file_ids:
            copies.forget(media_file_id)
            remove_media(self.metadata, media_file_id)

    def tell_index(self) -> Iterator[Event]:
        """Tell the search index what has been removed; the next job that adds does it, too."""
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

    @property
    def _missing(self) -> MissingFiles:
        from src.processing.missing_files import MissingFiles

        if self._missing_files is None:
            self._missing_files = MissingFiles(self.metadata, self.read_only)
        return self._missing_files

    # -- finding

    def search(
        self,
        text: str | None = None,
        image: Path | str | np.ndarray | None = None,
        n_results: int = 10,
        where: Filter = EVERYTHING,
        box_xywh: BoxXywh | None = None,
    ) -> SearchResult:
        """Find segments by words, by an image or a part of it, or by both.

        Args:
            image: a file, or (H, W, 3) uint8 RGB; of a video its first frame is looked for.
            box_xywh: the part of the image to look for, in its pixels.

        Raises:
            QueryError: there is neither text nor image, the text is none, or n_results is under
                1.
            MediaReadError: the image can't be read.
        """
        text = as_query(text or "")
        if text and self.settings.log_queries:
            log.info("searched for %r", text)
        terms: list[Term] = [Words(text)] if text or image is None else []
        if isinstance(image, str | Path):
            terms.append(ImageFile(Path(image), box_xywh))
        elif image is not None:
            terms.append(Image(image, box_xywh))
        return self.find(Query(tuple(terms), where, n_results))

    def find(self, query: Query) -> SearchResult:
        """Answer a query, whatever it is made of; see SegmentSearch.search."""
        from src.search.segment_search import SegmentSearch

        return SegmentSearch(self.vectors, self.read_image).search(query)

    def similar(
        self, segment_id: str, n_results: int = 10, where: Filter = EVERYTHING
    ) -> SearchResult:
        """Find the segments most like one, which comes first where the filter leaves it.

        Raises:
            QueryError: the segment has no embedding, or is gone.
        """
        return self.find(Query((Like(segment_id),), where, n_results))

    # -- looking

    def read_image(self, source: Path | str | bytes, draft_side: int | None = None) -> np.ndarray:
        """Read any image file, or a video's first frame: (H, W, 3) uint8 RGB, upright.

        Args:
            source: the file, or what is in one, as the clipboard has it.
            draft_side: see load_image.

        Raises:
            MediaReadError: it can't be read.
        """
        return self.browse.read_image(source, draft_side)

    def media_kind(self, path: Path) -> MediaKind:
        """Tell an image from a video by what is in the file.

        Raises:
            MediaReadError: it is neither.
        """
        return self.browse.media_kind(path)

    def thumbnail(self, source: Path) -> np.ndarray:
        """Read an image file small: (h, w, 3) uint8 RGB, the longest side at most 512.

        Raises:
            MediaReadError: it can't be read.
        """
        return self.browse.thumbnail(source)

    def frame_view(self, segment_id: str) -> FrameView:
        """Show a segment in its frame, with the frame's other segments.

        Raises:
            QueryError: the segment is gone.
            MediaReadError: the frame's crop is.
        """
        return self.browse.frame_view(segment_id)

    # -- tags

    def tag_name(self, text: str) -> str:
        """Bring what somebody typed to the form that names of tags have.

        Raises:
            QueryError: there is none, a very long one, or one that is no text.
        """
        name = normalize_text(text)
        if not name:
            raise QueryError("a tag needs a name")
        if len(name) > LONGEST_TAG:
            raise QueryError(
                f"a tag has at most {LONGEST_TAG} characters; this one has {len(name):,}"
            )
        return name

    def add_tag(self, segment_id: str, name: str, batch: str | None = None) -> str:
        """Put a person's tag on a segment; a person is sure.

        Args:
            batch: of the act that this is a part of; None for one of its own.

        Returns:
            The batch, for undo.

        Raises:
            QueryError: the tag has no name, a very long one, or one that is no text; or the
                segment is gone.
        """
        name, batch = self.tag_name(name), batch or new_batch()
        tags = [Tag(name, 1.0, "human")]
        if not self.metadata.add_tags(segment_id, tags, added_by="human", batch=batch):
            raise QueryError(GONE)
        return batch

    def remove_tag(self, segment_id: str, name: str, batch: str | None = None) -> str:
        """Take a tag off a segment, which no model gives it again; returns the batch, for undo."""
        batch = batch or new_batch()
        self.metadata.remove_tag(segment_id, normalize_text(name), batch)
        return batch

    def undo(self, batch: str) -> int:
        """Take back a whole act on tags; returns how many of its decisions there were to undo."""
        return self.metadata.undo(batch)

    def tag_counts(self) -> dict[str, int]:
        """Count the segments of each tag, most first."""
        counts = self.metadata.tag_counts()
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    # -- out of the library, and its health

    @staticmethod
    def export_formats() -> tuple[ExportFormatInfo, ...]:
        """List the formats that a dataset can be written in, the one by default first."""
        return tuple(
            ExportFormatInfo(each.key, each.label, each.summary, options_of(each.options))
            for each in export_formats()
        )

    def export(
        self,
        folder: Path | str,
        selection: ExportSelection = ALL,
        format: str = DEFAULT_FORMAT,
        options: Mapping[str, object] = DEFAULTS,
    ) -> Iterator[Event]:
        """Write a dataset; see export_dataset, and `export_formats` for what there is to choose.

        Raises:
            ExportError: there is something there already, or it can't be written.
            OptionError: there is no such format or option, or an option can't have this value.
        """
        yield from export_dataset(self.metadata, Path(folder), selection, format, options)

    def export_preview(
        self,
        selection: ExportSelection,
        format: str = DEFAULT_FORMAT,
        options: Mapping[str, object] = DEFAULTS,
    ) -> ExportPreview:
        """Count what an export would write."""
        return preview_dataset(self.metadata, selection, format, options)

    def reembed(self) -> Iterator[Event]:
        """Embed what the CLIP in use has not seen, after damage or when its weights were replaced.

        Another CLIP that waits to take over is not concerned: see `switch_clip`.
        """
        self._in_use.write_down()
        yield from self._in_use.embed_missing(self.vectors)
        yield from self._in_use.retag()

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
