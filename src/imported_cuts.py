"""The new segments of a dataset's images, cut out of their frames."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Generator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import chain

from src.database.frame_spans import stored_frame_times
from src.database.metadata_db import MetadataDatabase
from src.database.segment_store import IMPORTED_ONLY
from src.errors import MediaReadError
from src.imported_image import (
    CHANGED,
    FramePlace,
    ImageImport,
    ImportedImage,
    stamp_of,
    why_unread,
)
from src.processing.file_errors import format_error, is_file_error
from src.processing.frame_reader import read_frames_again
from src.processing.frames import read_frames
from src.processing.image_loader import look_into
from src.processing.known_copies import KnownCopies
from src.processing.segment_pipeline import CutFrame, SegmentPipeline
from src.processing.work_threads import WorkThreads
from src.records import Frame
from src.settings import Settings

log = logging.getLogger(__name__)


class ImageCutter:
    """Cuts what ImageImport has found to be new. Several threads may call this."""

    def __init__(
        self,
        metadata: MetadataDatabase,
        importing: ImageImport,
        pipeline: SegmentPipeline,
        settings: Settings,
    ) -> None:
        """Take a library.

        Args:
            pipeline: without a SAM.
        """
        self._metadata, self._importing = metadata, importing
        self._pipeline, self._settings = pipeline, settings
        self._copies = KnownCopies(metadata)

    def cut(self, images: Sequence[ImportedImage], threads: WorkThreads) -> None:
        """Read the frames of images that are of one file, and cut the new segments out of them."""
        left = defaultdict[int, list[ImportedImage]](list)
        for found in images:
            assert found.place is not None
            left[found.place.frame_index].append(found)
        place = images[0].place
        assert place is not None
        try:
            _, pixels = look_into(place.path)
            with threads.room_for(pixels), closing(self._frames(images[0], place, left)) as frames:
                for frame in frames:
                    for found in left.pop(frame.frame_index, ()):
                        self._cut_or_fail(found, frame)
                    if not left:
                        break
                else:
                    raise MediaReadError(place.path, f"has no frame {min(left)}")
        except Exception as exc:
            reason = _why_not(exc, images[0])
            for found in chain.from_iterable(left.values()):
                found.fail(reason)

    def _cut_or_fail(self, found: ImportedImage, frame: Frame) -> None:
        assert found.place is not None
        try:
            self._cut(found, found.place, frame)
        except Exception as exc:
            found.fail(_why_not(exc, found))

    def _cut(self, found: ImportedImage, place: FramePlace, frame: Frame) -> None:
        if place.frame_id is None:
            if stamp_of(place.path) != place.stamp:
                raise MediaReadError(place.path, CHANGED)
            self._importing.resolve(found, place, frame.size_wh)
        elif frame.size_wh != place.size_wh:
            raise MediaReadError(place.path, CHANGED)
        bundle, cut = self._pipeline.cut(frame, tuple(found.made.values()))
        result, squares = cut.result, cut.squares
        if place.frame_id is not None:  # the whole frame is there; its tree is made anew later
            beside = tuple(replace(each, parent=None) for each in result.segments[1:])
            result, squares = replace(result, segments=beside), squares[1:]
        found.cut = bundle, CutFrame(replace(result, sam=IMPORTED_ONLY), squares)

    def _frames(
        self, found: ImportedImage, place: FramePlace, wanted: Collection[int]
    ) -> Generator[Frame]:
        """Read frames of a file; others may come, too.

        Args:
            found, place: one of them.

        Raises:
            MediaReadError, OSError: it can't be read.
        """
        media, path = place.media, place.path
        if media is not None and place.frame_id is not None:
            if path == media.path:
                path = self._copies.at_hand(media).path
            if self._importing.digest(path) != place.digest:
                raise MediaReadError(path, CHANGED)
            media = replace(media, path=path)
            known = stored_frame_times(self._metadata.connection, media.id)
            return read_frames_again(media, set(wanted), self._settings, known)
        settings = replace(self._settings, all_pages=place.frame_index > 0)
        return read_frames(path, "image", settings, found.facts)


def _why_not(exc: Exception, found: ImportedImage) -> str:
    """Return why an image has nothing cut out of it; raises what is not about its file alone."""
    if isinstance(exc, MediaReadError | OSError):
        return why_unread(exc)
    if not is_file_error(exc):
        raise exc
    log.warning("%s could not be imported", found.image.image, exc_info=exc)
    return f"could not be imported ({format_error(exc)})"
