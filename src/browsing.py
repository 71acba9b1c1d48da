"""What a person looks at in a library: pages of media files, frames, pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from src.config import LibraryPaths
from src.database.browse_queries import BrowseQueries
from src.database.media_facts import MediaFacts
from src.errors import MediaReadError, QueryError
from src.records import FrameView, MediaCard, MediaKind, MediaOrder, SampledFrame
from src.search.captured_histogram import CapturedHistogram, captured_histogram
from src.search.copy_leaves import asks_for_copies, without_hidden
from src.search.filters import EVERYTHING, Filter
from src.search.query_text import parse_query
from src.settings import Settings

if TYPE_CHECKING:
    import numpy as np

    from src.processing.frame_view import FrameViews
    from src.processing.video_player import VideoPlayer


class Browsing:
    """Reads that are quick enough for a window, page by page; MediaLibrary.browse."""

    def __init__(
        self, queries: BrowseQueries, paths: LibraryPaths, settings: Callable[[], Settings]
    ) -> None:
        """Look at a library that is open.

        Args:
            settings: gives those of this moment.
        """
        self._queries, self._paths, self._settings = queries, paths, settings
        self._facts = MediaFacts(queries.metadata)
        self._frame_views: FrameViews | None = None

    # -- media files

    def media_ids(
        self,
        order: MediaOrder,
        where: Filter = EVERYTHING,
        name: str = "",
        with_hidden: bool = False,
    ) -> list[int]:
        """List media files, failed and waiting ones too, in an order.

        Args:
            where: a filter that leaves a segment of each; without one, all are listed.
            name: a part of the name of each, in whichever case.
            with_hidden: also the copies that a person has hidden, as where the filter asks for
                them; see `duplicates`.
        """
        with_hidden = with_hidden or asks_for_copies(where)
        return self._queries.media_ids(order, where, name, with_hidden)

    def hidden_media(self) -> int:
        """Count the media files that a person has hidden as copies."""
        return len(self._queries.metadata.duplicates.hidden())

    def media_cards(self, media_file_ids: Sequence[int]) -> dict[int, MediaCard]:
        """Look up a page of cards; ids that are gone are left out."""
        return self._queries.media_cards(media_file_ids)

    def failed_media(self) -> int:
        """Count the media files that could not be read; nothing of them is in the library."""
        return self._queries.failed_media()

    def photos(self, media_file_ids: Sequence[int]) -> list[int]:
        """Keep the photos that can be looked at, in the order given."""
        return self._queries.photos(media_file_ids)

    def folders(self) -> dict[str, int]:
        """Count the media files that are in each folder itself, from A to Z."""
        return self._facts.folders()

    def cameras(self) -> dict[str, int]:
        """Count the media files of each camera, from A to Z."""
        return self._facts.cameras()

    def captured_between(self) -> tuple[str, str] | None:
        """Find the first and the last day, as 2020-05-31, on which a file was taken."""
        return self._facts.captured_between()

    def captured_histogram(
        self, where: Filter = EVERYTHING, bins: int = 60
    ) -> CapturedHistogram | None:
        """Count media files by the time they were taken, in up to so many equal times.

        Args:
            where: a filter that leaves a segment of each file that is counted; without one, all
                are.
            bins: 12 or more.

        Returns:
            None where no time is known of any of them.
        """
        return captured_histogram(self._facts.captured_days(where), bins)

    # -- segments

    def is_empty(self) -> bool:
        """Return whether there is no segment that could be found."""
        return self._queries.is_empty()

    def quality_range(self) -> tuple[float, float] | None:
        """Find the lowest and the highest predicted_iou there is; None where SAM cut nothing."""
        return self._queries.quality_range()

    def sampled_frames(self, media_file_id: int) -> list[SampledFrame]:
        """List a media file's stored frames, in order; none when it is gone."""
        return self._queries.sampled_frames(media_file_id)

    def whole_frames(self, media_file_ids: Sequence[int]) -> list[str]:
        """List the segments that are whole frames of media files: of a video there are many."""
        return self._queries.whole_frames(media_file_ids)

    def frame_view(self, segment_id: str) -> FrameView:
        """Show a segment in its frame, with the frame's other segments.

        Raises:
            QueryError: the segment is gone.
            MediaReadError: the frame's crop is.
        """
        from src.processing.frame_view import FrameViews

        if self._frame_views is None:
            self._frame_views = FrameViews(self._queries)
        return self._frame_views.view(segment_id, self._settings().pixel_limit)

    def count_left(
        self, text: str, where: Filter = EVERYTHING, wanted: Callable[[], bool] = lambda: True
    ) -> int:
        """Count what the conditions in a text leave, and another filter with them.

        Args:
            wanted: whether somebody still waits for it; asked now and then.

        Raises:
            GivenUp: it is not wanted any more.
        """
        if asked := parse_query(text).filter & where:
            asked = without_hidden(asked, self._queries.metadata)
        return self._queries.count_where(asked, wanted)

    def outlines(self, segment_ids: Sequence[str]) -> dict[str, tuple[np.ndarray, ...]]:
        """Outline the masks of segments, each for drawing; whole frames and unknown ids have none.

        Returns:
            By segment id: (N, 2) float32 each, x and y in pixels of the frame.
        """
        from src.processing.mask_outlines import frame_outlines

        return frame_outlines(self._queries.metadata, segment_ids)

    # -- videos

    def player(self, media_file_id: int) -> VideoPlayer:
        """Open a video to look at any of its frames; close it in the end.

        Raises:
            QueryError: it is no longer in the library, or is no video.
            MediaReadError: the file can't be read.
        """
        from src.processing.known_copies import KnownCopies
        from src.processing.video_player import VideoPlayer

        metadata = self._queries.metadata
        media = metadata.media(media_file_id)
        if media is None or media.kind != "video":
            raise QueryError("this video is no longer in the library")
        return VideoPlayer(KnownCopies(metadata).at_hand(media).path)

    # -- pictures

    def full_frame(self, view: FrameView) -> np.ndarray | None:
        """Read a photo in its own pixels, (H, W, 3) uint8 RGB, upright.

        None where that can't be had: of a video, of a page behind the first, and of a file that is
        not there or is another one by now.
        """
        frame, media = view.segments[0], view.media
        if media.kind != "image" or frame.frame_index > 0:
            return None
        try:
            image_rgb = self.read_image(media.path)
        except MediaReadError:
            return None  # the stored picture is shown in its place
        height, width = image_rgb.shape[:2]
        return image_rgb if (width, height) == frame.frame_wh else None

    def read_image(self, source: Path | str | bytes, draft_side: int | None = None) -> np.ndarray:
        """Read any image file, or a video's first frame: (H, W, 3) uint8 RGB, upright.

        Args:
            source: the file, or what is in one, as the clipboard has it.
            draft_side: see load_image.

        Raises:
            MediaReadError: it can't be read.
        """
        from src.processing.image_loader import load_image, load_image_content

        settings = self._settings()
        if isinstance(source, bytes):
            return load_image_content(source, settings.pixel_limit, draft_side).frame.image_rgb
        path = Path(source)
        if self.media_kind(path) == "video":
            from src.processing.ffmpeg_log import VideoFacts
            from src.processing.frames import read_frames

            with closing(read_frames(path, "video", settings, VideoFacts())) as frames:
                return next(frames).image_rgb
        return load_image(path, settings.pixel_limit, draft_side).frame.image_rgb

    def media_kind(self, path: Path) -> MediaKind:
        """Return whether a file is an image or a video by what is in it.

        Raises:
            MediaReadError: it is neither.
        """
        from src.processing.image_loader import media_kind

        return media_kind(path)

    def thumbnail(self, source: Path) -> np.ndarray:
        """Read an image file small: (h, w, 3) uint8 RGB, the longest side at most 512.

        Raises:
            MediaReadError: it can't be read.
        """
        from src.processing.thumbnails import thumbnail

        return thumbnail(source, self._paths, self._settings().pixel_limit)
