"""The names of a dataset's image files."""

from __future__ import annotations

from pathlib import PurePosixPath

from src.database.text_normalization import casefold_key
from src.datasets.annotations import MediaFrame
from src.datasets.file_names import crop_name, safe_name


class ImageNames:
    """Names images after their media files, no two the same in whichever case.

    A file that was added later never takes the name of one that was there before, since images
    come in the order in which their media were added.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._of_media: dict[int, str] = {}

    def of_frame(self, frame: MediaFrame) -> str:
        """Name a whole frame: that of a video by its time, a further page by its number."""
        base = self._of_media.get(frame.media_id)
        if base is None:
            base = self._of_media[frame.media_id] = self._free(frame)
        if frame.timestamp_s is not None:
            return f"{base} {frame.timestamp_s:09.3f}s"
        return f"{base} page {frame.frame_index + 1}" if frame.frame_index else base

    def of_segment(self, segment_id: str) -> str:
        """Name a crop by its segment."""
        return crop_name(segment_id).removesuffix(".jpg")

    def _free(self, frame: MediaFrame) -> str:
        stem = safe_name(PurePosixPath(frame.media).stem, "image")
        name, digits = stem, frame.content_hash or f"{frame.media_id:08}"
        length = 8
        while casefold_key(name) in self._taken:
            name, length = f"{stem} {digits[:length]}", length + 8
            if length > len(digits) + 8:
                digits = f"{digits}{frame.media_id}"
        self._taken.add(casefold_key(name))
        return name
