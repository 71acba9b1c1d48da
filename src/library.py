"""MediaLibrary: the verbs a person has."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType

from src.config import LibraryPaths, Settings
from src.database.lock import LibraryLock
from src.database.metadata_db import MetadataDatabase, SegmentFilter
from src.database.vector_db import EVERYTHING, VectorDatabase
from src.database.vector_index import VectorIndex
from src.errors import ModelNotLoadedError, QueryError
from src.events import Event
from src.export.tag_folders import export_tag_folders
from src.models.auto_tagger import AutoTagger, read_vocabulary
from src.models.clip_encoder import ClipEncoder
from src.models.mask_generator import MaskGenerator
from src.models.model_manager import ModelManager
from src.processing.image_loader import load_image
from src.processing.ingest import Ingest
from src.processing.integrity import examine
from src.processing.reembed import reembed
from src.records import BoxXywh, LibraryStats, SearchResult, Tag


class MediaLibrary:
    """A library of media, open for writing.

    What takes long is a generator of events: pull it to the end to have it done, close it to
    cancel. Models load when they are first needed.
    """

    def __init__(
        self,
        paths: LibraryPaths | None = None,
        models: ModelManager | None = None,
        settings: Settings | None = None,
    ) -> None:
        """Open a library, making it when it is not there.

        Raises:
            LibraryLockedError: another process has it open.
            DatabaseError: it can't be read or written.
        """
        self.paths = paths or LibraryPaths()
        self.paths.create()
        self.settings = settings or Settings.load(self.paths.settings)
        self.models = models or ModelManager(
            device=self.settings.device,
            batch_size=self.settings.batch_size,
            points_per_side=self.settings.points_per_side,
        )
        self._lock = LibraryLock(self.paths.lock)
        self._load_lock = threading.RLock()
        self._vectors: VectorDatabase | None = None
        self._mask_generator: MaskGenerator | None = None
        self._tagger: AutoTagger | None = None
        try:
            self.metadata = MetadataDatabase(self.paths)
        except BaseException:
            self._lock.release()
            raise

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
        """Let the index finish, close the files and release the lock."""
        if self._vectors is not None:
            self._vectors.close()
        self.metadata.close()
        self._lock.release()

    # -- what is in use

    @property
    def vectors(self) -> VectorDatabase:
        """Search over this library; the first use loads CLIP."""
        with self._load_lock:
            if self._vectors is None:
                clip = self.models.load_clip()
                self._vectors = VectorDatabase(self.paths, clip, self.metadata, use_index=True)
            return self._vectors

    @property
    def clip(self) -> ClipEncoder:
        return self.vectors.clip

    @property
    def index(self) -> VectorIndex:
        index = self.vectors.index
        assert index is not None  # this process holds the lock
        return index

    @property
    def mask_generator(self) -> MaskGenerator | None:
        """SAM; None in CLIP-only mode, when no SAM is on this machine."""
        with self._load_lock:
            if self._mask_generator is None:
                try:
                    self._mask_generator = self.models.load_sam()
                except ModelNotLoadedError:
                    return None
            return self._mask_generator

    @property
    def tagger(self) -> AutoTagger:
        with self._load_lock:
            if self._tagger is None:
                vocabulary = self.settings.vocabulary or self.models.vocabulary(self.clip)
                self._tagger = AutoTagger(
                    read_vocabulary(Path(vocabulary)), self.clip, self.settings.tag_confidence
                )
            return self._tagger

    # -- the verbs

    def add(self, paths: Iterable[Path | str]) -> Iterator[Event]:
        """Take in files and folders, and go on with what an earlier job left."""
        yield from self.reembed()
        ingest = Ingest(
            self.metadata,
            self.index,
            self.clip,
            self.mask_generator,
            self.tagger.tags,
            self.settings,
        )
        yield from ingest.run([Path(path) for path in paths])

    def search(
        self,
        text: str | None = None,
        image_path: Path | str | None = None,
        n_results: int = 10,
        where: SegmentFilter = EVERYTHING,
        box_xywh: BoxXywh | None = None,
    ) -> SearchResult:
        """Find segments by words, by an image file or a part of it, or by both.

        Args:
            box_xywh: the part of the image to look for, in its pixels.

        Raises:
            QueryError: there is neither text nor image, or n_results is under 1.
            MediaReadError: the image can't be read.
        """
        if image_path is None:
            return self.vectors.search_by_text(text or "", n_results, where)
        image_rgb = load_image(Path(image_path), self.settings.pixel_limit).frame.image_rgb
        if box_xywh is not None:
            x, y, w, h = box_xywh
            image_rgb = image_rgb[max(0, y) : y + h, max(0, x) : x + w]
            if image_rgb.size == 0:
                raise QueryError(f"{image_path}: the part {box_xywh} lies outside the image")
        embedding = self.clip.encode_image([image_rgb])[0]
        if text is None or not text.strip():
            return self.vectors.search_by_embedding(embedding, n_results, where)
        both = embedding + self.clip.encode_text([text])[0]  # the mean of the two scores
        found = self.vectors.search_by_embedding(both, n_results, where)
        return SearchResult(found.hits, self.clip.unknown_words(text))

    def add_tag(self, segment_id: str, name: str) -> None:
        """Put a person's tag on a segment; a person is sure."""
        self.metadata.add_tags(segment_id, [Tag(name, 1.0, "human")], added_by="human")

    def remove_tag(self, segment_id: str, name: str) -> None:
        self.metadata.remove_tag(segment_id, name)

    def export(self, folder: Path | str, min_confidence: float = 0.0) -> Iterator[Event]:
        """Write a dataset of one folder a tag; see export_tag_folders."""
        yield from export_tag_folders(self.metadata, Path(folder), min_confidence)

    def reembed(self) -> Iterator[Event]:
        """Embed what the CLIP in use has not seen, after other weights came to the machine."""
        vectors = self.vectors
        yield from reembed(self.metadata, vectors.embeddings, self.clip, self.settings.pixel_limit)

    def verify(self, repair: bool = False) -> Iterator[Event]:
        """Examine the library, and mend what can be mended when asked to."""
        yield from examine(self.metadata, self.index, self.settings, repair)

    def stats(self) -> LibraryStats:
        """Count what is in the library, and name the models in use."""
        sam = self.mask_generator
        return LibraryStats(
            **self.metadata.counts(),
            bytes=size_on_disk(self.paths),
            clip_model=self.clip.label,
            sam_model=None if sam is None else sam.label,
        )


def size_on_disk(paths: LibraryPaths) -> int:
    """Add up the files of a library, in bytes, without its datasets."""
    folder = paths.metadata_db.parent
    total = sum(path.stat().st_size for path in folder.glob(paths.metadata_db.name + "*"))
    for root in (paths.extracted_segments, paths.chroma_db):
        for parent, _, files in os.walk(root):
            total += sum(os.lstat(os.path.join(parent, name)).st_size for name in files)
    return total
