from __future__ import annotations

import numpy as np
import pytest

from src.browsing import Browsing
from src.config import LibraryPaths
from src.database.browse_queries import BrowseQueries
from src.database.metadata_db import MetadataDatabase
from src.errors import MediaReadError, QueryError
from src.settings import Settings
from tests.conftest import add_frame_of_qualities, add_media_with, unit_vectors
from tests.drawn_tracks import add_video


@pytest.fixture
def browse(metadata: MetadataDatabase, paths: LibraryPaths) -> Browsing:
    return Browsing(BrowseQueries(metadata), paths, Settings)


def test_masks_are_outlined_in_pixels_of_the_frame(
    metadata: MetadataDatabase, browse: Browsing
) -> None:
    add_media_with(metadata, unit_vectors(3))
    found = browse.outlines(["a.jpg-00002", "gone"])
    assert list(found) == ["a.jpg-00002"]
    (line,) = found["a.jpg-00002"]
    # a square of 4 x 4 at (2, 0), between the edges of its pixels and a quarter inside of them
    np.testing.assert_allclose(line.min(0), (2, 0), atol=0.3)
    np.testing.assert_allclose(line.max(0), (6, 4), atol=0.3)


def test_a_library_plays_its_videos_alone(metadata: MetadataDatabase, browse: Browsing) -> None:
    video = add_video(metadata)
    add_frame_of_qualities(metadata, [None])
    with pytest.raises(MediaReadError, match="no such file"):
        browse.player(video)
    for media_file_id in (video + 1, 900):
        with pytest.raises(QueryError, match="no longer in the library"):
            browse.player(media_file_id)
