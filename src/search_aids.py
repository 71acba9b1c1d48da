"""What helps a person to search: saved searches, what completion and filters offer, the map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from src.open_library import OpenLibrary
from src.search.completion import Names, SearchFacts
from src.search.copy_leaves import without_hidden
from src.search.filters import EVERYTHING, Filter
from src.search.query import Query
from src.search.saved_searches import SavedSearch, SavedSearches

if TYPE_CHECKING:
    import numpy as np

    from src.database.embedding_store import EmbeddingStore
    from src.search.map_tags import MapTags
    from src.search.segment_map import Layout, SegmentMap, SegmentMaps


class SearchAids(OpenLibrary):
    """The verbs beside `search` itself; a part of MediaLibrary."""

    _last_maps: tuple[EmbeddingStore, SegmentMaps] | None = None

    def search_facts(self) -> SearchFacts:
        """Gather what `complete` suggests from: tags, folders, cameras, times, recent searches."""
        return SearchFacts(
            Names(self.metadata.tag_counts().items()),
            Names(self.browse.folders().items()),
            Names(self.browse.cameras().items()),
            self.browse.captured_between(),
            self.settings.recent_searches,
        )

    def saved_searches(self) -> tuple[SavedSearch, ...]:
        """List the searches that a person has kept, from A to Z."""
        return self._saved.all()

    def saved_search(self, name: str) -> SavedSearch:
        """Find a saved search by its name, in whichever case.

        Raises:
            QueryError: none is called so.
        """
        return self._saved.get(name)

    def save_search(self, name: str, text: str) -> None:
        """Keep a search in the library, in the place of what has the name now.

        Raises:
            QueryError: the name is empty or very long, or the text is no search.
            DatabaseError: the library was opened for reading only.
        """
        self._saved.save(name, text)

    def rename_search(self, name: str, new_name: str) -> None:
        """Give a saved search another name.

        Raises:
            QueryError: there is none of the name, or one of the new name, or that is empty or very
                long.
            DatabaseError: the library was opened for reading only.
        """
        self._saved.change_name(name, new_name)

    def forget_search(self, name: str) -> None:
        """Delete a saved search.

        Raises:
            QueryError: none is called so.
            DatabaseError: the library was opened for reading only.
        """
        self._saved.forget(name)

    # -- the map

    def segment_map(self, where: Filter = EVERYTHING, layout: Layout = "pca") -> SegmentMap:
        """Place the segments that a filter leaves on a plane, those that are alike together.

        By PCA it takes a second or two for 100,000 segments, by UMAP minutes; until the library
        changes it is known then. Hidden copies are left out, as in searches.

        Raises:
            StoppedError: nobody waits for it any more.
            MediaLibraryError: UMAP is not installed, or fails.
        """
        return self._maps.make(without_hidden(where, self.metadata), layout)

    def has_segment_map(self, layout: Layout) -> bool:
        """Return whether the map of all segments in a layout is known without computing it."""
        return self._maps.is_made(without_hidden(EVERYTHING, self.metadata), layout)

    def map_layouts(self) -> tuple[Layout, ...]:
        """List the layouts that there are; UMAP where its package is installed."""
        from src.search.umap_points import is_installed

        return ("pca", "umap") if is_installed() else ("pca",)

    def map_tags(self, segment_map: SegmentMap, most: int = 7) -> MapTags:
        """Find the most frequent tags on a map, to colour its points by."""
        from src.search.map_tags import tags_of_map

        return tags_of_map(self.metadata.connection, segment_map, most)

    def map_strengths(self, segment_map: SegmentMap, query: Query) -> np.ndarray:
        """Say of each point of a map how strong a hit of a query it is; see SearchHit.strength.

        Only the query's terms count. What nothing can be searched for by has strength 0.

        Returns:
            (N,) float32, 0 to 1.

        Raises:
            QueryError, MediaReadError: see SegmentSearch.search.
        """
        return self._search_now(bool(query.terms)).strengths(query, self._maps, segment_map)

    @property
    def _maps(self) -> SegmentMaps:
        """What makes the maps of the CLIP in use."""
        from src.search.segment_map import SegmentMaps

        store = self.vectors.embeddings
        if self._last_maps is None or self._last_maps[0] is not store:
            self._last_maps = store, SegmentMaps(store)
        return self._last_maps[1]

    @property
    def _saved(self) -> SavedSearches:
        return SavedSearches(self.metadata)
