"""One image of a dataset: which frame it is, and what of it there is already."""

from __future__ import annotations

import logging
import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock

from src.crop_shape import CROP_SIDE
from src.database.browse_queries import BrowseQueries
from src.database.metadata_db import MetadataDatabase
from src.database.text_normalization import casefold_key
from src.dataset_events import LabelUnmatched
from src.datasets.annotations import AnnotatedImage, AnnotatedVideo, Annotation
from src.datasets.imported_labels import ImportedTag
from src.datasets.segment_matching import (
    NO_VIDEO,
    NamedMedia,
    NoSegmentError,
    matching_segment,
    whole_frame,
)
from src.errors import DamagedMaskError, MediaReadError, QueryError
from src.models.mask_rle import measured, rectangle_rle
from src.processing.ffmpeg_log import VideoFacts
from src.processing.frame_looks import SAME_PICTURE_BITS, look_of
from src.processing.image_loader import load_image, look_into
from src.processing.media_finder import content_hash
from src.processing.media_registration import OWN, is_unicode, own_folders
from src.processing.models_in_use import ClipBundle
from src.processing.segment_pipeline import CutFrame, FrameResult
from src.processing.segment_writer import segment_fingerprint
from src.records import KeptSegment, MediaFile, SegmentMask, StoredSegment, Tag
from src.settings import Settings

CHANGED = "changed since it was added; add it again first"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FramePlace:
    """The frame that an image of a dataset is.

    Attributes:
        path: of the file that it is read from.
        digest: of that file's content.
        media: the media file in the library; None for a new one.
        frame_id: of the frame in the library, by its row; None for a new one.
        size_wh: of a frame in the library.
        stamp: size and time of the file, where the library has not this frame.
    """

    path: Path
    frame_index: int
    digest: str
    media: MediaFile | None = None
    frame_id: int | None = None
    size_wh: tuple[int, int] | None = None
    stamp: tuple[int, int] = (0, 0)


@dataclass
class ImportedImage:
    """An image of a dataset, and what is to become of it.

    Attributes:
        place: None where the library needs nothing of it but labels.
        labels: the tags that segments are to get, by their ids and the tags' folded names.
        tracks: the numbers of their tracks in the dataset, by their ids; None for none.
        unmatched: labels that nothing gets, each for a reason of its own.
        made: the new segments, by their ids.
        open: annotations that are looked at once the frame is read.
        cut: the new segments, cut out by a CLIP's measure; None where there are none.
        result: of that, embedded.
        facts: of a new file.
        problem: why its frame can't be read; "" where nothing is wrong.
        lost: how many labels nothing gets for that.
    """

    image: AnnotatedImage
    place: FramePlace | None = None
    labels: dict[str, dict[str, Tag]] = field(default_factory=lambda: defaultdict(dict))
    tracks: dict[str, int | None] = field(default_factory=dict)
    unmatched: list[LabelUnmatched] = field(default_factory=list)
    made: dict[str, KeptSegment] = field(default_factory=dict)
    open: Sequence[Annotation] = ()
    cut: tuple[ClipBundle, CutFrame] | None = None
    result: FrameResult | None = None
    facts: VideoFacts = field(default_factory=VideoFacts)
    problem: str = ""
    lost: int = 0

    @property
    def is_new(self) -> bool:
        """Whether its frame is not in the library yet."""
        return self.place is not None and self.place.frame_id is None

    def leave_out(self, annotation: Annotation, reason: object) -> None:
        where = self.image.image, self.image.frame_index
        self.unmatched.append(LabelUnmatched(*where, annotation.label, str(reason)))

    def fail(self, reason: str) -> None:
        """Do without what would have to be read from its file."""
        self.lost = len(self.open)
        self.lost += sum(len(self.labels.pop(segment_id, ())) for segment_id in self.made)
        self.open, self.made, self.place, self.problem = (), {}, None, reason
        self.cut = self.result = None


class ImageImport:
    """Finds out what is to become of images. Several threads may call this."""

    def __init__(
        self,
        metadata: MetadataDatabase,
        dataset: Path,
        settings: Settings,
        tag_name: Callable[[str], str],
    ) -> None:
        """Take a library and a dataset.

        Args:
            tag_name: brings a label to the form of a tag's name; QueryError where it can't be one.
        """
        self.metadata = metadata
        self.settings = settings
        self._folder = dataset if dataset.is_dir() else dataset.parent
        self._tag_name = tag_name
        self._queries = BrowseQueries(metadata)
        self._named: NamedMedia | None = None
        self._digests: dict[tuple[Path, tuple[int, int]], str] = {}
        self._lock = Lock()

    # -- which frame it is

    def match(self, image: AnnotatedImage) -> ImportedImage:
        """Find the frame of an image, and the segments that its annotations are about.

        An id stands for a cut of a content, so it holds in every library of the same media.
        Otherwise a file that the library has by its path or its content is the one, or that which
        has the name, and the folder's name, of the media that the image was taken from.
        """
        found = ImportedImage(image)
        ids = [each.segment_id for each in image.annotations if each.segment_id]
        known = self.metadata.segments(ids, with_masks=False)
        for each in image.annotations:
            if each.segment_id in known:
                self._label(found, each, partial(str, each.segment_id))
        found.open = [each for each in image.annotations if each.segment_id not in known]
        if image.annotations and not found.open:
            return found
        try:
            found.place = self._place_of(image)
        except NoSegmentError as exc:
            if not image.annotations:
                found.fail(str(exc))
            for each in found.open:
                found.leave_out(each, exc)
            found.open = ()
        except (MediaReadError, OSError) as exc:
            found.fail(why_unread(exc))
        else:
            if found.place.frame_id is not None and found.place.size_wh is not None:
                self.resolve(found, found.place, found.place.size_wh)
        return found

    def _place_of(self, image: AnnotatedImage) -> FramePlace:
        """Find the frame that an image is.

        Raises:
            NoSegmentError: neither the library nor the dataset has it.
            MediaReadError, OSError: its file can't be read.
        """
        path = Path(os.path.abspath(image.image))
        has_file = image.image.is_absolute() and os.path.isfile(path)
        if not has_file:
            return self._named_place(image)
        if image.media is not None:
            try:
                return self._named_place(image, path)
            except NoSegmentError:
                pass  # its own file is all there is
        return self._place_of_file(path, image)

    def _named_place(self, image: AnnotatedImage, picture: Path | None = None) -> FramePlace:
        """Find the frame of the media file that a dataset names.

        Args:
            picture: of it, where the dataset has one: of cameras' names there are many.

        Raises:
            MediaReadError, OSError: the picture can't be read.
            NoSegmentError: the library has none, or it is not the picture that is annotated.
        """
        with self._lock:
            if self._named is None:
                self._named = NamedMedia(self.metadata)
        media_id = self._named.find(image.media or str(image.image))
        media = self.metadata.media(media_id)
        row = None if media is None else self.metadata.frame_row(media_id, image.frame_index)
        if media is None or row is None:
            raise NoSegmentError("the library has not sampled this frame")
        if image.size_wh not in (None, row.size_wh):
            raise NoSegmentError(_other_size(image, row.size_wh))
        if picture is not None:
            shown = load_image(picture, self.settings.pixel_limit, CROP_SIDE).frame
            look = int(look_of(shown.image_rgb).dhash, 16)
            if row.dhash is None or (int(row.dhash, 16) ^ look).bit_count() > SAME_PICTURE_BITS:
                raise NoSegmentError("the library has another picture of this name")
        place = image.frame_index, media.content_hash or "", media
        return FramePlace(media.path, *place, row.id, row.size_wh)

    def _place_of_file(self, path: Path, image: AnnotatedImage) -> FramePlace:
        """Find the frame of an image file that the dataset has.

        Raises:
            NoSegmentError: the library has not this frame of its media file, or has not this file,
                and the dataset has nothing to make segments of.
            MediaReadError, OSError: it can't be read.
        """
        if not is_unicode(path):
            raise MediaReadError(path, "its name is not valid Unicode; rename the file")
        stamp = stamp_of(path)
        at_path = self.metadata.media_by_path(path)
        digest = None
        if at_path is not None and stamp == (at_path.file_size, at_path.modified_at_ns):
            digest = at_path.content_hash
        digest = digest or content_hash(path)
        # where the dataset names the media, that has the frame, and the file is a picture of it
        index = image.frame_index if image.media is None else 0
        media = self.metadata.media_by_hash(digest)
        if media is None and at_path is not None:
            if at_path.content_hash is not None:
                raise MediaReadError(path, CHANGED)
            media = at_path
        row = None if media is None else self.metadata.frame_row(media.id, index)
        if row is not None:
            return FramePlace(path, index, digest, media, row.id, row.size_wh)
        only_names = image.annotations and all(
            each.segment_id is not None and each.mask_rle is None for each in image.annotations
        )
        if only_names and not path.is_relative_to(self._folder):
            raise NoSegmentError("the library has no such media file")
        if any(path.is_relative_to(folder) for folder in own_folders(self.metadata)):
            raise MediaReadError(path, OWN)
        if look_into(path)[0] == "video":
            raise MediaReadError(path, "the library has not sampled this frame; add the video")
        return FramePlace(path, index, digest, media, stamp=stamp)

    # -- videos

    def frames_of(self, video: AnnotatedVideo) -> tuple[Path, set[int]]:
        """Find the video that a dataset is about: its file, and the frames that are sampled.

        Raises:
            NoSegmentError: the library has none, or one of another size.
            MediaReadError, OSError: the file that the dataset has can't be read.
        """
        if video.media is None:
            media = self.metadata.media_by_hash(self.digest(video.video))
        else:
            with self._lock:
                self._named = self._named or NamedMedia(self.metadata)
            media = self.metadata.media(self._named.find_video(video.media))
        if media is None or media.kind != "video":
            raise NoSegmentError(NO_VIDEO)
        if (media.width, media.height) != video.size_wh:
            (width, height), here = video.size_wh, f"{media.width} x {media.height}"
            raise NoSegmentError(
                f"it is annotated at {width} x {height} pixels, and the video has {here}"
            )
        return media.path, self.metadata.stored_frames(media.id)

    def digest(self, path: Path) -> str:
        """Hash a file once for as long as it does not change: a long video has many frames."""
        key = path, stamp_of(path)
        with self._lock:
            known = self._digests.get(key)
        digest = known or content_hash(path)
        with self._lock:
            self._digests[key] = digest
        return digest

    # -- which segments they are

    def resolve(self, found: ImportedImage, place: FramePlace, size_wh: tuple[int, int]) -> None:
        """Find or make the segment of each annotation that is still open.

        Args:
            size_wh: of the frame.
        """
        segments: list[StoredSegment] = []
        if place.frame_id is not None:
            segments = self._queries.segments_on(place.frame_id)
        for each in found.open:
            self._label(
                found, each, partial(self._segment_of, found, each, place, size_wh, segments)
            )
        found.open = ()

    def _segment_of(
        self,
        found: ImportedImage,
        each: Annotation,
        place: FramePlace,
        size_wh: tuple[int, int],
        segments: Sequence[StoredSegment],
    ) -> str:
        """Find or make the segment of an annotation; returns its id.

        Raises:
            NoSegmentError: there is none, and none can be made.
        """
        if each.bbox_xywh is None and each.mask_rle is None:
            if place.frame_id is not None:
                return whole_frame(segments)
            width, height = size_wh
            whole = SegmentMask("frame", (0, 0, width, height), width * height, None, None, None)
            return segment_fingerprint(place.digest, place.frame_index, whole)
        if found.image.size_wh not in (None, size_wh):
            raise NoSegmentError(_other_size(found.image, size_wh))
        new = _new_segment(each, place, size_wh)
        if any(segment.id == new.id for segment in segments):  # its mask may have been changed here
            return new.id
        if place.frame_id is not None:
            known = matching_segment(each, segments)
            if known is not None:
                return known
        found.made.setdefault(new.id, new)
        return new.id

    def _label(self, found: ImportedImage, each: Annotation, segment_of: Callable[[], str]) -> None:
        """Note a label for the segment that it is on, or why it is on none."""
        try:
            name = self._tag_name(each.label)
            segment_id = segment_of()
        except (NoSegmentError, QueryError) as exc:
            found.leave_out(each, exc)
            return
        confidence = 1.0 if each.confidence is None else each.confidence
        tag = ImportedTag(name, confidence, "imported", each.attributes)
        track = found.tracks.get(segment_id)
        found.tracks[segment_id] = track if each.track_id is None else each.track_id
        found.labels[segment_id].setdefault(casefold_key(name), tag)


def _new_segment(each: Annotation, place: FramePlace, size_wh: tuple[int, int]) -> KeptSegment:
    """Make a segment of an annotation: its mask, or its box as a rectangle.

    Raises:
        NoSegmentError: there is nothing of it in the frame.
    """
    mask_rle = each.mask_rle
    if mask_rle is None:
        assert each.bbox_xywh is not None
        x, y, w, h = each.bbox_xywh
        left, top = max(0, x), max(0, y)
        right, bottom = min(size_wh[0], x + w), min(size_wh[1], y + h)
        if left >= right or top >= bottom:
            raise NoSegmentError("its box lies outside of the image")
        mask_rle = rectangle_rle((left, top, right - left, bottom - top), size_wh)
    try:
        area, bbox_xywh = measured(mask_rle, size_wh)
    except DamagedMaskError as exc:
        raise NoSegmentError(f"its mask does not fit ({exc})") from exc
    if not area:
        raise NoSegmentError("its mask is empty")
    mask = SegmentMask("object", bbox_xywh, area, None, None, mask_rle)
    name = segment_fingerprint(place.digest, place.frame_index, mask)
    return KeptSegment("object", bbox_xywh, area, None, None, mask_rle, name, "imported")


def _other_size(image: AnnotatedImage, size_wh: tuple[int, int]) -> str:
    assert image.size_wh is not None
    width, height = image.size_wh
    return (
        f"it is annotated at {width} x {height} pixels, and the image has "
        f"{size_wh[0]} x {size_wh[1]}"
    )


def stamp_of(path: Path) -> tuple[int, int]:
    """Return what changes with a file: its size, and when it was modified, in ns."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def why_unread(exc: MediaReadError | OSError) -> str:
    """Return in words why a file can't be read."""
    if isinstance(exc, MediaReadError):
        return exc.reason
    return f"can't be read ({exc.strerror or exc})"
