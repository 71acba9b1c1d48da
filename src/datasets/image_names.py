"""The names of a dataset's image files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from src.database.text_normalization import casefold_key
from src.datasets.annotations import MediaFrame
from src.datasets.file_names import crop_stem, safe_name
from src.records import MediaFile


class ImageNames:
    """Names images after their media files, no two the same in whichever case.

    Of several files of a name the one that was added first has it, so that no name changes when
    the library grows; the others have a part of their hash behind it.
    """

    def __init__(self, names: Mapping[int, str], media: Mapping[int, MediaFile]) -> None:
        """Name all media files of a library.

        Args:
            names: what they are called in datasets, by their ids; see media_names.
        """
        self._stems: dict[int, str] = {}
        self._media = media
        # the frames that have the names given so far
        self._given: dict[str, tuple[int, int]] = {}
        taken: set[str] = set()
        for media_id in sorted(media):
            stem = safe_name(PurePosixPath(names[media_id]).stem, "image")
            name, number = stem, media[media_id].content_hash or f"{media_id:08}"
            for length in (8, len(number)):
                if casefold_key(name) in taken:
                    name = f"{stem} {number[:length]}"
            if casefold_key(name) in taken:  # somebody named a file after the hash of another
                name = f"{stem} {number} {media_id}"
            taken.add(casefold_key(name))
            self._stems[media_id] = name

    def of_media(self, media_id: int) -> str:
        """Name a media file, as a folder of its frames may be called."""
        return self._stems[media_id]

    def of_frame(self, frame: MediaFrame) -> str:
        """Name a whole frame: that of a video by its time, a further page by its number.

        Where another frame has the name, since its file is called so, or comes in the same
        millisecond, the later one has a part of its hash and its number behind it.
        """
        stem, index = self._stems[frame.media_id], frame.frame_index
        if frame.timestamp_s is not None:
            name = f"{stem} {frame.timestamp_s:09.3f}s"
        else:
            name = f"{stem} page {index + 1}" if index else stem
        number = self._media[frame.media_id].content_hash or f"{frame.media_id:08}"
        place = frame.media_id, index
        for more in ("", f" {number[:8]} {index}", f" {number} {frame.media_id} {index}"):
            if self._given.setdefault(casefold_key(name + more), place) == place:
                break
        return name + more

    def of_segment(self, segment_id: str) -> str:
        """Name a crop by its segment."""
        return crop_stem(segment_id)
