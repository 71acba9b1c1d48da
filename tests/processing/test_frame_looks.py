"""What is measured of frames and files when they are added, and later for older libraries."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import ExifTags, Image

from src.config import LibraryPaths
from src.events import Progress
from src.library import MediaLibrary
from src.processing.frame_looks import look_of
from src.settings import Settings
from tests.conftest import MakeVideo
from tests.database.test_migration_7 import unpack

SETTINGS = Settings(sam_model="none")


def rows(library: MediaLibrary, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in library.metadata.connection.read().execute(sql)]


def test_a_blurred_frame_is_less_sharp_and_looks_alike(scene_files: list[Path]) -> None:
    sharp = np.asarray(Image.open(scene_files[0]).convert("RGB"))
    blurred = cv2.GaussianBlur(sharp, (0, 0), 4)
    one, other = look_of(sharp), look_of(blurred)
    assert 0 < other.sharpness < one.sharpness / 4
    assert (int(one.dhash, 16) ^ int(other.dhash, 16)).bit_count() <= 10
    assert look_of(np.zeros((3, 900, 3), np.uint8)).sharpness == 0


def test_frames_of_an_older_library_are_measured_from_their_crops(paths: LibraryPaths) -> None:
    unpack(paths)
    with MediaLibrary(paths, settings=SETTINGS) as library:
        assert rows(library, "SELECT DISTINCT dhash, sharpness FROM frames") == [(None, None)]
        assert list(library.look_at_frames()) == [Progress("measure", 4, 4)]
        found = rows(library, "SELECT dhash, sharpness FROM frames")
        assert len({dhash for dhash, _ in found}) == 4
        assert all(isinstance(sharpness, float) and sharpness > 0 for _, sharpness in found)
        assert list(library.look_at_frames()) == []
        assert library.metadata.damaged_rows() == []


def test_a_frame_stands_for_those_skipped_after_it(
    paths: LibraryPaths, tmp_path: Path, make_video: MakeVideo
) -> None:
    still = ("-vf", "loop=loop=40:size=1:start=0")  # the first picture up to 4.0 s
    video = make_video("video.mp4", 2, *still)
    photo = tmp_path / "photo.jpg"
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = "Maker\0", " Model  1"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2020:01:02 03:04:05"
    Image.new("RGB", (64, 48), "red").save(photo, exif=exif)
    with MediaLibrary(paths, settings=SETTINGS) as library:
        list(library.add([video, photo]))
        frames = rows(
            library,
            "SELECT timestamp_s, until_s, dhash IS NULL FROM frames WHERE media_file_id = 1"
            " ORDER BY frame_index",
        )
        assert frames[0][0] == 0.0 and frames[0][1] == 4.0
        assert all(begin <= end for begin, end, _ in frames)  # type: ignore[operator]
        assert not any(lacks for *_, lacks in frames)
        of_photo = rows(
            library,
            "SELECT camera_make, camera_model, captured_utc_s, captured_zone, relative_path,"
            " (SELECT until_s FROM frames f WHERE f.media_file_id = m.id) FROM media_files m"
            " WHERE kind = 'image'",
        )
        assert of_photo == [("Maker", "Model 1", 1577934245.0, "unknown", "photo.jpg", None)]
