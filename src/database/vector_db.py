"""Search: a text or an embedding -> segments, scored exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Protocol

import numpy as np

from src.chroma_address import ChromaAddress
from src.config import LibraryPaths
from src.database.browse_queries import BrowseQueries
from src.database.clip_in_use import load_clips
from src.database.conditions import SegmentCondition
from src.database.embedding_store import EmbeddingStore
from src.database.metadata_db import MetadataDatabase
from src.database.text_normalization import as_query
from src.database.vector_index import VectorIndex
from src.errors import QueryError
from src.models.clip_encoder import ClipEncoder
from src.models.model_manager import ModelManager
from src.records import EMBEDDING_DIM, SearchHit, SearchResult
from src.settings import Settings

# Hits that a line is drawn by, where fewer are wanted.
FEWEST = 8


class ScoreLine(Protocol):
    """Tells which scores of one query are more than chance."""

    def __call__(self, best: Sequence[float], n: int) -> float:
        """Give the score from which on they are, by the best ones of n segments."""
        ...

    def strength(self, score: float, line: float) -> float:
        """Say how far a score is from chance, 0 to 1; 0.5 at the line."""
        ...


class VectorDatabase:
    """Search by similarity over a library's segments.

    `VectorDatabase()` opens the library that lies in the application's folder for searching.
    The application hands in its own parts, and with them the right to use Chroma.
    """

    def __init__(
        self,
        paths: LibraryPaths | None = None,
        clip: ClipEncoder | None = None,
        metadata: MetadataDatabase | None = None,
        use_index: bool = False,
        server: ChromaAddress | None = None,
    ) -> None:
        """Open a library for searching.

        Args:
            paths: the library; the application's folder when None.
            clip: embeds queries; the one that the library is searched with when None.
            metadata: the library's tables when they are open already.
            use_index: whether Chroma may be asked. Only the process that holds the library's
                lock may say so; without it every search is exact and somewhat slower.
            server: keeps the index in place of a folder of the library.
        """
        self._own_metadata = metadata is None
        self.metadata = metadata or MetadataDatabase(paths or LibraryPaths(), read_only=True)
        if clip is None:
            models = ModelManager.of(Settings.load(self.metadata.paths.settings))
            clip, _ = load_clips(models, self.metadata)
        self.clip = clip
        self.embeddings = EmbeddingStore(self.metadata.connection, self.clip.name)
        self.index = VectorIndex(self.metadata, self.embeddings, server) if use_index else None

    def __enter__(self) -> VectorDatabase:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; metadata that was passed in stays open."""
        if self.index is not None:
            self.index.close()
        self.embeddings.scan.close()
        if self._own_metadata:
            self.metadata.close()

    def retire(self) -> None:
        """Leave the index for good; later searches are answered exactly without it."""
        if self.index is not None:
            self.index.retire()
        self.embeddings.scan.close()

    def search_by_text(
        self,
        query: str,
        n_results: int = 10,
        where: SegmentCondition | None = None,
        line: ScoreLine | None = None,
    ) -> SearchResult:
        """Find the segments that fit a text.

        What a person has tagged with these very words comes first, with a score of 1.

        Args:
            line: see search_by_embedding.

        Returns:
            Up to n_results hits, best first, and the words of the query that the CLIP in use
            does not know and no person has tagged with. No hits but tagged ones where no word says
            anything to it; see SearchResult.has_words.

        Raises:
            QueryError: the query is empty or no text, or n_results is under 1.
        """
        query = as_query(query)
        if not query:
            raise QueryError("the search is empty; type what you are looking for")
        check_count(n_results)
        tagged = self._tagged(query, n_results, where)
        unknown = self.clip.unknown_words(query)
        known = self.clip.known_words(query)
        if not known:
            return SearchResult(tagged, () if tagged else unknown)
        embedding = self.clip.encode_text([query])[0]
        found = self.search_by_embedding(embedding, n_results, where, line)
        certain = {hit.segment.id for hit in tagged}
        others = tuple(hit for hit in found if hit.segment.id not in certain)
        strong = found.strong
        if tagged and strong is not None and found.line is not None:
            vectors = self.embeddings.get([*certain]).values()
            strong += sum(float(vector @ embedding) < found.line for vector in vectors)
        return replace(
            found,
            hits=(*tagged, *others)[:n_results],
            unknown_words=() if tagged else unknown,
            known_words=known,
            strong=strong,
        )

    def _tagged(
        self, query: str, n: int, where: SegmentCondition | None = None
    ) -> tuple[SearchHit, ...]:
        """Return what a person has tagged with the very words of a query."""
        ids = BrowseQueries(self.metadata).tagged_by_people(query, n, where)
        segments, tags = self.metadata.segments(ids), self.metadata.tags_of(ids)
        return tuple(
            SearchHit(segments[i], 1.0, tags[i], tagged_so=True) for i in ids if i in segments
        )

    def search_by_embedding(
        self,
        embedding: np.ndarray,
        n_results: int = 10,
        where: SegmentCondition | None = None,
        line: ScoreLine | None = None,
    ) -> SearchResult:
        """Find the segments nearest to an embedding.

        Args:
            embedding: (512,) or (1, 512), of the CLIP in use; it is normalised here.
            line: gives hits their strength, and counts those above it; None draws no line.

        Raises:
            QueryError: it has another shape, is zero or not finite, or n_results is under 1.
        """
        check_count(n_results)
        vector = np.asarray(embedding, np.float32).reshape(-1)
        if vector.shape != (EMBEDDING_DIM,):
            raise QueryError(f"an embedding has {EMBEDDING_DIM} numbers; this has {vector.size}")
        norm = float(np.linalg.norm(vector))
        if not np.isfinite(norm) or norm == 0:
            raise QueryError("the embedding is zero or not finite, so nothing is near to it")
        wanted = n_results if line is None else max(n_results, FEWEST)
        found = self.embeddings.find(vector / norm, wanted, where, line)
        scored = found.best[:n_results]
        segments = self.metadata.segments([segment_id for segment_id, _ in scored])
        tags = self.metadata.tags_of(list(segments))

        def strength(score: float) -> float | None:
            return None if line is None or found.line is None else line.strength(score, found.line)

        hits = tuple(
            SearchHit(
                segments[segment_id], score, tags.get(segment_id, ()), strength=strength(score)
            )
            for segment_id, score in scored
            if segment_id in segments
        )
        return SearchResult(hits, line=found.line, strong=found.above, total=found.among)


def check_count(n_results: int) -> None:
    """See that somebody asks for hits.

    Raises:
        QueryError: they ask for none, or for more than can be.
    """
    if not 0 < n_results < 1 << 31:
        raise QueryError(f"{n_results} results can't be shown; ask for 1 or more")
