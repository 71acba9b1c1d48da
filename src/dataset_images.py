"""The images of a dataset: whole pictures as they are, frames of videos, and segments cut out."""

from __future__ import annotations

import io
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from src.database.metadata_db import MetadataDatabase
from src.datasets.annotations import Cut, MediaFrame, PlannedImage
from src.datasets.saved_crops import LARGEST_CROP
from src.errors import ExportError, MediaReadError
from src.models.mask_rle import decode_rle
from src.processing.frame_reader import read_frames_again
from src.processing.image_loader import save_jpeg
from src.processing.media_finder import content_hash, hash_of
from src.records import Frame, ImageForm, MediaFile
from src.regular_files import open_regular
from src.settings import Settings

JPEG_QUALITY = 95
CHANGED = "the file has changed since it was added; add it again, then export"
# How a picture may be stored that is given away as it is: every program reads these.
_SUFFIX = {"JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png"}
_PLAIN_MODES = ("RGB", "L", "RGBA", "P")
_ORIENTATION = 0x0112


class DatasetImages:
    """Makes the images of one dataset; keeps the last frame, since several may be cut out of it."""

    def __init__(self, metadata: MetadataDatabase, settings: Settings) -> None:
        self._metadata, self._settings = metadata, settings
        self._media: MediaFile | None = None
        self._frames: Generator[Frame] | None = None
        self._frame: Frame | None = None
        self._threads = ThreadPoolExecutor(1, "dataset images")
        self._read_ahead = dict[Path, Future[tuple[bytes, str]]]()

    def expect(self, image: PlannedImage) -> None:
        """Read and hash a picture's own file in a thread, if it will be given as it is."""
        frame = image.frame
        if image.cut is None and frame.timestamp_s is None and not frame.frame_index:
            self._read_ahead[frame.path] = self._threads.submit(_read_file, frame.path)

    def render(self, image: PlannedImage, form: ImageForm) -> tuple[bytes, str] | None:
        """Make an image file; see src.datasets.dataset_writer.ImageRenderer."""
        expected = self._read_ahead.pop(image.frame.path, None)
        if form == "blurred":
            assert image.cut is not None
            return self._kept_crop(image.cut)
        media = self._opened(image.frame)
        if media is None:
            return None
        if image.cut is None:
            as_it_is = self._as_it_is(image.frame, media, expected)
            if as_it_is is not None:
                return as_it_is
            return save_jpeg(self._read(image.frame), JPEG_QUALITY), ".jpg"
        if not self._metadata.segments([image.cut.segment_id], with_masks=False):
            return None
        x, y, w, h = image.cut.box_xywh
        cut = self._read(image.frame)[y : y + h, x : x + w]
        if form == "crops":
            return save_jpeg(np.ascontiguousarray(cut), JPEG_QUALITY), ".jpg"
        return _cut_out(cut, image.cut, image.frame), ".png"

    def close(self) -> None:
        """Let go of the media file that was read last, and read nothing more."""
        self._threads.shutdown(cancel_futures=True)
        self._leave()

    def _leave(self) -> None:
        if self._frames is not None:
            self._frames.close()
        self._media = self._frames = self._frame = None

    def _kept_crop(self, cut: Cut) -> tuple[bytes, str] | None:
        path, paths = cut.crop_path, self._metadata.paths
        try:
            return paths.files.read(paths.name(path), LARGEST_CROP), ".jpg"
        except OSError as exc:
            if not self._metadata.segments([cut.segment_id]):
                return None
            raise ExportError(
                f"{path}: this crop can't be read ({exc.strerror or exc}); "
                "`verify --repair` makes it again. Nothing was written"
            ) from exc

    def _opened(self, frame: MediaFrame) -> MediaFile | None:
        """Find a frame's media file; None where it was removed.

        Raises:
            MediaReadError: it is another one now.
        """
        if self._media is None or self._media.id != frame.media_id:
            self._leave()
            self._media = self._metadata.media(frame.media_id)
            if self._media is not None:
                _check_unchanged(self._media)
        return self._media

    def _as_it_is(
        self, frame: MediaFrame, media: MediaFile, expected: Future[tuple[bytes, str]] | None
    ) -> tuple[bytes, str] | None:
        """Read a picture's own file, where every program sees the very picture in it.

        Args:
            expected: its content and hash, where it was expected.
        """
        if media.kind == "video" or frame.frame_index:
            return None
        try:
            content, digest = _read_file(media.path) if expected is None else expected.result()
        except OSError as exc:
            raise MediaReadError(media.path, f"can't be read ({exc.strerror or exc})") from exc
        if digest != media.content_hash:
            raise MediaReadError(media.path, CHANGED)
        try:
            with Image.open(io.BytesIO(content)) as image:  # reads its head alone
                is_plain = (
                    image.format in _SUFFIX
                    and image.mode in _PLAIN_MODES
                    and image.size == frame.size_wh
                    and image.getexif().get(_ORIENTATION, 1) == 1
                )
                return (content, _SUFFIX[image.format or ""]) if is_plain else None
        except Exception:  # what Pillow raises on a head that it can't read has no end
            return None

    def _read(self, frame: MediaFrame) -> np.ndarray:
        """Read a frame at its full size: (H, W, 3) uint8 RGB.

        Raises:
            MediaReadError: it can't be read, or is no longer in the file.
        """
        assert self._media is not None
        if self._frame is None or self._frame.frame_index != frame.frame_index:
            self._frame = self._next(self._media, frame.frame_index)
            if self._frame is None:  # it came before the last one, or never
                self._restart(self._media, frame.frame_index)
                self._frame = self._next(self._media, frame.frame_index)
        if self._frame is None:
            raise MediaReadError(self._media.path, f"has no frame {frame.frame_index:,} any more")
        if self._frame.size_wh != frame.size_wh:
            raise MediaReadError(self._media.path, CHANGED)
        return self._frame.image_rgb

    def _restart(self, media: MediaFile, first: int) -> None:
        if self._frames is not None:
            self._frames.close()
        stored = self._metadata.stored_frames(media.id)
        wanted = {index for index in stored if index >= first} | {first}
        self._frames = read_frames_again(media, wanted, self._settings)

    def _next(self, media: MediaFile, frame_index: int) -> Frame | None:
        if self._frames is None:
            self._restart(media, frame_index)
        assert self._frames is not None
        return next((each for each in self._frames if each.frame_index == frame_index), None)


def _read_file(path: Path) -> tuple[bytes, str]:
    """Read a file and hash it, both without the interpreter's lock."""
    with open_regular(path) as stream:
        content = stream.read()
    return content, hash_of(content)


def _check_unchanged(media: MediaFile) -> None:
    try:
        status = media.path.stat()
    except OSError as exc:
        raise MediaReadError(media.path, f"can't be read ({exc.strerror or exc})") from exc
    if (status.st_size, status.st_mtime_ns) == (media.file_size, media.modified_at_ns):
        return
    # a copy, or another way to the same disk, may have given it another time
    if status.st_size != media.file_size or content_hash(media.path) != media.content_hash:
        raise MediaReadError(media.path, CHANGED)


def _cut_out(cut_rgb: np.ndarray, cut: Cut, frame: MediaFrame) -> bytes:
    """Write a segment alone as a PNG, (h, w, 4) uint8; what is around it is transparent black."""
    x, y, w, h = cut.box_xywh
    alpha = np.full((h, w), 255, np.uint8)
    if cut.mask_rle is not None:
        alpha = decode_rle(cut.mask_rle, frame.size_wh)[y : y + h, x : x + w] * np.uint8(255)
    elif cut.kind != "frame":
        left, top, width, height = cut.bbox_xywh
        alpha[:] = 0
        alpha[top - y : top - y + height, left - x : left - x + width] = 255
    bgra = cv2.cvtColor(np.where(alpha[..., None] > 0, cut_rgb, 0), cv2.COLOR_RGB2BGRA)
    bgra[..., 3] = alpha
    done, encoded = cv2.imencode(".png", bgra)
    if not done:
        raise ValueError(f"a cut-out of {w} x {h} pixels can't be a PNG")
    content: bytes = encoded.tobytes()
    return content
