"""A library of schema 10 has no tracks; where it may not be changed it is read as it is."""

from __future__ import annotations

from contextlib import closing

import pytest

from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.errors import QueryError
from src.tracks.timeline import TimelineReader
from tests.drawn_tracks import add_video, link_things, segment_of
from tests.old_schema import make_old


def test_a_video_of_an_older_library_has_a_timeline_without_tracks(paths: LibraryPaths) -> None:
    with closing(MetadataDatabase(paths)) as metadata:
        add_video(metadata)
    make_old(paths.metadata_db, 10)
    with closing(MetadataDatabase(paths, read_only=True)) as metadata:
        reader = TimelineReader(metadata)
        found = reader.timeline(1)
        assert len(found.frames) == 6 and found.tracks == ()
        assert reader.track_of(segment_of(0, 0)) is None
        assert metadata.tracks.spans([segment_of(0, 0)]) == {}
        assert not metadata.tracks.has_unlinked()
        with pytest.raises(QueryError, match="gone"):
            reader.track(1)


def test_rows_of_tracks_that_an_older_file_has_are_of_no_known_origin(
    paths: LibraryPaths,
) -> None:
    """No program wrote any, but a stranger may have."""
    with closing(MetadataDatabase(paths)) as metadata:
        link_things(metadata, add_video(metadata), [[segment_of(0, n) for n in range(6)]])
    make_old(paths.metadata_db, 10)
    with closing(MetadataDatabase(paths, read_only=True)) as metadata:
        (track,) = TimelineReader(metadata).timeline(1).tracks
        assert track.origin == "linked" and len(track.segments) == 6
    with closing(MetadataDatabase(paths)) as metadata:
        assert metadata.damaged_rows() == [] and metadata.tracks.has_unlinked()
        assert TimelineReader(metadata).track(1).origin == "linked"
