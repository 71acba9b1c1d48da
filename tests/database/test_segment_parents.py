"""The containment tree as the library keeps it, from ingest on or made for what was there."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.database.migrations import MIGRATIONS
from src.library import MediaLibrary
from src.models.clip_encoder import ClipEncoder
from src.models.mask_generator import MaskGenerator
from src.models.mask_rle import decode_rle
from src.records import StoredSegment
from src.search.filters import EVERYTHING
from src.settings import Settings
from tests.old_schema import make_old
from tests.two_clips import TwoClips


@pytest.fixture
def library(
    paths: LibraryPaths,
    clip: ClipEncoder,
    mask_generator: MaskGenerator,
    scene_files: list[Path],
    tmp_path: Path,
) -> MediaLibrary:
    """A scene and a picture of things on things, taken in; closed."""
    picture = np.full((240, 320, 3), 150, np.uint8)
    cv2.rectangle(picture, (30, 30), (250, 210), (200, 40, 40), -1)
    cv2.circle(picture, (100, 110), 35, (250, 250, 250), -1)
    cv2.circle(picture, (190, 150), 40, (30, 60, 220), -1)
    Image.fromarray(picture).save(tmp_path / "nested.png")
    models = TwoClips(clip, mask_generator)
    with MediaLibrary(paths, models, Settings(clip_model="starter")) as library:
        for _ in library.add([scene_files[0], tmp_path / "nested.png"]):
            pass
    return library


def segments(paths: LibraryPaths) -> dict[str, StoredSegment]:
    with closing(MetadataDatabase(paths)) as metadata:
        return {segment.id: segment for segment in metadata.segments_where(EVERYTHING)}


def test_every_segment_lies_in_the_smallest_that_holds_it(
    library: MediaLibrary, paths: LibraryPaths
) -> None:
    found = segments(paths)
    kinds = Counter[str]()
    for segment in found.values():
        if segment.kind == "frame":
            assert segment.parent_id is None
            continue
        parent = found[str(segment.parent_id)]
        assert parent.media_path == segment.media_path
        mask = decode_rle(segment.mask_rle or b"", segment.frame_wh)
        holding = [
            other
            for other in found.values()
            if other.media_path == segment.media_path
            and other.area > segment.area
            and other.mask_rle is not None
            and (mask & decode_rle(other.mask_rle, other.frame_wh)).sum() >= 0.9 * segment.area
        ]
        smallest = min(holding, key=lambda other: other.area, default=None)
        assert parent.kind == "frame" if smallest is None else parent.area == smallest.area
        kinds[parent.kind] += 1
    assert kinds["frame"] and kinds["object"]


def test_what_was_there_before_gets_its_tree_and_no_name_of_a_sam(
    library: MediaLibrary, paths: LibraryPaths
) -> None:
    found = segments(paths)
    make_old(paths.metadata_db, 1)
    assert segments(paths) == found
    with closing(MetadataDatabase(paths)) as metadata:
        version = metadata.connection.read().execute("PRAGMA user_version").fetchone()[0]
        assert version == len(MIGRATIONS)
    with MediaLibrary(paths, library.models, library.settings) as again:
        assert again.segmented_by_others() == 2


def test_who_may_only_read_reads_an_older_library_as_it_is(
    library: MediaLibrary, paths: LibraryPaths
) -> None:
    make_old(paths.metadata_db, 1)
    before = paths.metadata_db.read_bytes()
    with MediaLibrary(paths, library.models, library.settings, read_only=True) as reader:
        hits = reader.search("a red circle", n_results=5).hits
        assert len(hits) == 5 and {hit.segment.parent_id for hit in hits} == {None}
    assert paths.metadata_db.read_bytes() == before
