"""The segments that an export is about: which they are, how many, and their crops."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property

from src.database.giving_up import giving_up
from src.database.metadata_db import MetadataDatabase
from src.datasets.export_counts import ExportCounts
from src.errors import ExportError
from src.records import ExportPreview, StoredSegment, Tag
from src.search.export_selection import ExportSelection
from src.search.filters import Filter

# Crops have 1,024 pixels on their longer side at most.
LARGEST_CROP = 1 << 26


class SelectedSegments:
    """What a selection names in a library: segments, each with a tag it is exported under."""

    def __init__(
        self,
        metadata: MetadataDatabase,
        selection: ExportSelection,
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        """Select, and read nothing yet.

        Args:
            wanted: whether somebody still waits for what is counted.
        """
        self._metadata, self._selection, self._wanted = metadata, selection, wanted

    @cached_property
    def labelled(self) -> list[tuple[StoredSegment, Tag]]:
        """The segments with their tags; one with several tags is there for each."""
        where = self._selection.where & self._selection.limits
        return [(segment, tag) for segment, tag in self._tagged(where) if self._is_sure(tag)]

    def count_crops(self) -> ExportPreview:
        """Count a crop for each tag of a segment, and how large they are, about.

        Raises:
            GivenUp: nobody waits for it any more.
        """
        counts = ExportCounts(self._metadata, self._selection)
        with giving_up(self._metadata.connection.read(), self._wanted):
            return counts.preview()

    def crop(self, segment: StoredSegment) -> bytes | None:
        """Read a crop; None when the window has removed its segment since the export began.

        Raises:
            ExportError: it can't be read.
        """
        path, advice = segment.crop_path, "`verify --repair` makes it again. Nothing was written"
        paths = self._metadata.paths
        try:
            return paths.files.read(paths.name(path), LARGEST_CROP)
        except OSError as exc:
            if not self._metadata.segments([segment.id]):
                return None
            raise ExportError(
                f"{path}: this crop can't be read ({exc.strerror or exc}); {advice}"
            ) from exc

    def _tagged(self, where: Filter) -> Iterator[tuple[StoredSegment, Tag]]:
        labels = self._selection.labels
        segments = self._metadata.segments_where(where)
        tags_of = self._metadata.tags_of([segment.id for segment in segments])
        for segment in segments:
            for tag in tags_of.get(segment.id, ()):
                if labels is None or tag.name in labels:
                    yield segment, tag

    def _is_sure(self, tag: Tag) -> bool:
        return tag.confidence >= self._selection.min_confidence
