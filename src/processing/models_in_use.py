"""The models that a library works with: loaded when they are needed, changed in one step."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from src.chroma_address import ChromaAddress
from src.database.metadata_db import MetadataDatabase
from src.errors import DatabaseError, ModelNotLoadedError
from src.events import Event, JobDone
from src.model_records import Coverage
from src.reader_records import OPENED_TO_READ
from src.settings import Settings

if TYPE_CHECKING:
    from src.database.embedding_store import EmbeddingStore
    from src.database.vector_db import VectorDatabase
    from src.database.vector_index import VectorIndex
    from src.models.auto_tagger import AutoTagger, Vocabulary
    from src.models.clip_encoder import ClipEncoder
    from src.models.model_manager import ModelManager
    from src.models.segmenter import Segmenter
    from src.search.calibration_store import CalibrationStore
    from src.search.line import Calibration


@dataclass(frozen=True)
class ClipBundle:
    """What embeds, tags and indexes segments; the three change together."""

    vectors: VectorDatabase
    tagger: AutoTagger

    @property
    def embeddings(self) -> EmbeddingStore:
        return self.vectors.embeddings

    @property
    def clip(self) -> ClipEncoder:
        return self.vectors.clip

    @property
    def index(self) -> VectorIndex:
        return index_of(self.vectors)


def index_of(vectors: VectorDatabase) -> VectorIndex:
    """Return the index of a library that is open for writing."""
    if vectors.index is None:
        root = vectors.metadata.paths.root
        raise DatabaseError(f"{root}: the library {OPENED_TO_READ}")
    return vectors.index


class ModelsInUse:
    """CLIP, SAM and what depends on them. Calls may come from any thread.

    A search or a job gets one `VectorDatabase` and does all of it with that one: the
    library may change to another model meanwhile.
    """

    def __init__(
        self,
        metadata: MetadataDatabase,
        settings: Callable[[], Settings],
        read_only: bool = False,
        models: ModelManager | None = None,
        chroma_server: ChromaAddress | None = None,
    ) -> None:
        """Load nothing yet.

        Args:
            settings: gives the library's settings as they are at the moment.
            chroma_server: keeps the index; None keeps it in the library's folder.
        """
        self.metadata = metadata
        self.settings = settings
        self.read_only = read_only
        self.chroma_server = chroma_server
        # Taken before SQLite's writer where both are; models are never loaded inside a transaction.
        self._lock = threading.RLock()
        self._models = models
        self._vectors: VectorDatabase | None = None
        self._wanted: ClipEncoder | None = None
        self._mask_generator: Segmenter | None = None
        self._tagger: AutoTagger | None = None
        self._calibrations: CalibrationStore | None = None
        self._switching = threading.Lock()

    def close(self) -> None:
        """Wait for the index to finish."""
        if self._vectors is not None:
            self._vectors.close()

    def keep_index(self, server: ChromaAddress | None) -> None:
        """Let something else keep the index from now on."""
        with self._lock:
            self.chroma_server = server
            if self._vectors is not None:
                index_of(self._vectors).move_to(server)

    @property
    def models(self) -> ModelManager:
        models = self._models
        if models is not None:  # so that asking only this waits for no model that is being loaded
            return models
        with self._lock:
            if self._models is None:
                from src.models.model_manager import ModelManager

                self._models = ModelManager.of(self.settings())
            return self._models

    @property
    def vectors(self) -> VectorDatabase:
        """Search with the CLIP in use; the first call loads it."""
        with self._lock:
            if self._vectors is None:
                from src.database.clip_in_use import load_clips

                clip, self._wanted = load_clips(self.models, self.metadata)
                self._vectors = self._database(clip)
                self.models.clip_in_use = clip.name
            return self._vectors

    @property
    def wanted(self) -> ClipEncoder:
        """The CLIP in use, or the one that takes over when it has embedded every segment."""
        with self._lock:
            _ = self.vectors
            assert self._wanted is not None
            return self._wanted

    @property
    def mask_generator(self) -> Segmenter | None:
        """SAM; None in CLIP-only mode, when no SAM is on this machine or none is to be used."""
        with self._lock:
            if self._mask_generator is None:
                try:
                    self._mask_generator = self.models.load_sam()
                except ModelNotLoadedError:
                    return None
            return self._mask_generator

    @property
    def tagger(self) -> AutoTagger:
        with self._lock:
            if self._tagger is None:
                self._tagger = self._tagger_of(self.vectors.clip)
            return self._tagger

    def reembed(self) -> Iterator[Event]:
        """Embed and tag what the CLIP in use has not seen; see MediaLibrary.reembed."""
        self.write_down()
        waiting = self.vectors.embeddings.missing()
        yield from self.embed_missing(self.vectors)
        self.tag_drawn(waiting)
        yield from self.retag()

    def clip_bundle(self) -> ClipBundle:
        """Return what embeds now, as one."""
        with self._lock:
            return ClipBundle(self.vectors, self.tagger)

    def calibration_of(self, vectors: VectorDatabase) -> Calibration | None:
        """Return what wrong matches score with a CLIP; see CalibrationStore.of."""
        from src.search.calibration_store import CalibrationStore

        with self._lock:
            if self._calibrations is None:
                self._calibrations = CalibrationStore(
                    self.read_only, lambda of: self._vocabulary_of(of.clip)
                )
            return self._calibrations.of(vectors)

    def write_down(self) -> None:
        """Store which CLIP is in use, before a job stores embeddings.

        Raises:
            DatabaseError: it can't be written to.
        """
        from src.database.clip_in_use import (
            clip_in_use,
            clip_of_tags,
            set_clip_in_use,
            set_clip_of_tags,
        )

        with self._lock, self.metadata.connection.write():
            name = self.vectors.clip.name
            if clip_of_tags(self.metadata) is None:  # tags and embeddings came together so far
                set_clip_of_tags(self.metadata, clip_in_use(self.metadata) or name)
            set_clip_in_use(self.metadata, name)

    def load(self) -> None:
        """Load what searching and adding need; done at once when it is there.

        One thread imports torch and what stands on it, and others wait: their modules import
        each other in circles, and two threads inside would see half of them.
        """
        from src.models.preload import preloaded

        with self._lock, preloaded():
            _ = self.tagger, self.mask_generator

    # -- from one model to another

    def refresh(self) -> None:
        """Apply the choice in the settings, and find weights that have come or gone meanwhile.

        The CLIP in use stays until `switch` has the one that is wanted now whole; one that is
        whole already takes over at once, and `switch` gives automatic tags again. SAM changes at
        once.

        Raises:
            ModelNotLoadedError: no CLIP is on this machine any more; the one in use stays.
        """
        models, settings = self.models, self.settings()
        with self._lock:
            models.choices = {"clip": settings.clip_model, "sam": settings.sam_model}
            models.problems.clear()
            models.sam_in_use = self._mask_generator = None
            if self._vectors is None:
                return  # nothing is loaded yet
            used = self._vectors.clip
        try:
            wanted = models.load_clip()
        finally:
            models.clip_in_use = used.name
        if wanted.name == used.name:
            self._wanted = used
            return
        self._wanted = wanted
        new = self._database(wanted)
        if new.embeddings.lacks_any():
            return
        self.write_down()
        self._take_over(new, self._tagger_of(wanted), set())

    def coverage(self) -> Coverage | None:
        """Return how much the wanted CLIP has embedded; None when there is nothing left to do."""
        from src.database.embedding_store import EmbeddingStore

        wanted, used = self.wanted, self.vectors.clip
        done = EmbeddingStore(self.metadata.connection, wanted.name).count()
        total = self.metadata.count_segments()
        if wanted.name == used.name and done >= total:
            return None
        return Coverage(wanted.label, wanted.name, used.label, done, total)

    def switch(self) -> Iterator[Event]:
        """Embed every segment with the CLIP that is wanted, which then takes over in one step.

        Until then the one before answers. Automatic tags are given again at the end. Stopped or
        killed, the next call goes on.

        Raises:
            DatabaseError: the library is read only, or being switched already.
        """
        self.load()
        index_of(self.vectors)  # there is none to change where nothing may be written
        if not self._switching.acquire(blocking=False):
            raise DatabaseError(f"{self.metadata.paths.root}: the model is being changed already")
        try:
            self.write_down()
            if self.wanted.name == self.vectors.clip.name:
                yield from self.embed_missing(self.vectors)
                yield from index_of(self.vectors).catch_up()
            while self.wanted.name != self.vectors.clip.name:
                yield from self._switch(self.wanted)
            yield from self.retag()
        finally:
            self._switching.release()
        yield JobDone(segments=self.vectors.embeddings.count())

    def _switch(self, wanted: ClipEncoder) -> Iterator[Event]:
        """Bring one CLIP into use, or give up when another one is wanted meanwhile."""
        tagger = self._tagger_of(wanted)
        new = self._database(wanted)
        unreadable: set[str] = set()
        try:
            while self.wanted.name == wanted.name:
                unreadable |= yield from self.embed_missing(new)
                yield from index_of(new).catch_up()
                if self._take_over(new, tagger, unreadable):
                    return
        finally:
            if self.vectors is not new:
                new.close()

    def embed_missing(self, vectors: VectorDatabase) -> Generator[Event, None, set[str]]:
        """Embed what one CLIP has not seen; returns the segments whose crops can't be read."""
        from src.processing.reembed import reembed

        limit = self.settings().pixel_limit
        return reembed(self.metadata, vectors.embeddings, vectors.clip, limit)

    def tags_wait(self) -> bool:
        """Return whether another CLIP than the one in use gave the automatic tags."""
        from src.database.clip_in_use import clip_of_tags

        return clip_of_tags(self.metadata) not in (None, self.vectors.clip.name)

    def retag(self) -> Iterator[Event]:
        """Compute automatic tags anew where another CLIP than the one in use gave them."""
        from src.database.clip_in_use import set_clip_of_tags
        from src.processing.retag import retag

        if self.tags_wait():
            bundle = self.clip_bundle()
            yield from retag(self.metadata, bundle.embeddings, bundle.tagger)
            set_clip_of_tags(self.metadata, bundle.clip.name)

    def tag_drawn(self, segment_ids: Sequence[str]) -> None:
        """Give automatic tags to those of some segments that people drew; see retag.tag_drawn."""
        from src.processing.retag import tag_drawn

        if segment_ids:
            bundle = self.clip_bundle()
            tag_drawn(self.metadata, bundle.embeddings, bundle.tagger, segment_ids)

    def _take_over(self, new: VectorDatabase, tagger: AutoTagger, unreadable: set[str]) -> bool:
        """Replace the CLIP in use by another one, unless segments were added that it lacks.

        A segment is stored in a transaction that looks which CLIP is in use, so it comes before
        this one and is seen by it, or after and has the new CLIP's embedding.
        """
        from src.database.clip_in_use import set_clip_in_use

        with self._lock:
            old = self.vectors
            if self.wanted.name != new.clip.name:
                return False
            with nullcontext() if self.read_only else self.metadata.connection.write():
                if not unreadable.issuperset(new.embeddings.missing()):
                    return False
                if not self.read_only:
                    set_clip_in_use(self.metadata, new.clip.name)
            self._vectors, self._tagger, self._wanted = new, tagger, new.clip
            self.models.clip_in_use = new.clip.name
        old.retire()
        return True

    def _database(self, clip: ClipEncoder) -> VectorDatabase:
        from src.database.vector_db import VectorDatabase

        return VectorDatabase(
            self.metadata.paths, clip, self.metadata, not self.read_only, self.chroma_server
        )

    def _tagger_of(self, clip: ClipEncoder) -> AutoTagger:
        from src.models.auto_tagger import AutoTagger

        return AutoTagger(self._vocabulary_of(clip), clip, self.settings().tag_confidence)

    def _vocabulary_of(self, clip: ClipEncoder) -> Vocabulary:
        from src.models.auto_tagger import read_vocabulary

        return read_vocabulary(Path(self.settings().vocabulary or self.models.vocabulary(clip)))
