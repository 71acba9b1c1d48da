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

# Crops have 1,024 pixels on their longer side at most.
LARGEST_CROP = 1 << 26


class LabelledSegments:
    """Segments with the tags that they are exported under, read some at a time, again and again.

    Attributes:
        counts: of each tag, as they were at first; a tag that comes later is left out.
    """

    def __init__(self, metadata: MetadataDatabase, selection: ExportSelection) -> None:
        self._metadata, self._selection = metadata, selection
        self.counts, _ = ExportCounts(metadata, selection).by_tag()

    def __len__(self) -> int:
        return sum(self.counts.values())

    def __iter__(self) -> Iterator[tuple[StoredSegment, Tag]]:
        least = self._selection.min_confidence
        where = self._selection.where & self._selection.limits
        for segments in self._metadata.segments_in_parts(where):
            tags_of = self._metadata.tags_of([segment.id for segment in segments])
            for segment in segments:
                for tag in tags_of.get(segment.id, ()):
                    if tag.name in self.counts and tag.confidence >= least:
                        yield segment, tag


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
    def labelled(self) -> LabelledSegments:
        """The segments with their tags; one with several tags is there for each."""
        return LabelledSegments(self._metadata, self._selection)

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
