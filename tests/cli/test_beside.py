"""The command line beside a window that has the library open."""

from __future__ import annotations

from pathlib import Path

import pytest

from main import main
from src.config import LibraryPaths
from src.library import MediaLibrary
from src.models.clip_encoder import ClipEncoder
from src.records import EVERYTHING, Tag
from tests.conftest import add_media_with, unit_vectors


def test_search_stats_and_export_only_read_while_a_window_has_the_library_open(
    paths: LibraryPaths, clip: ClipEncoder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with MediaLibrary(paths) as library:
        add_media_with(library.metadata, unit_vectors(5), model=clip.name)
        for segment in library.metadata.segments_where(EVERYTHING):
            segment.crop_path.write_bytes(b"a crop")
        library.metadata.add_tags("a.jpg-00002", [Tag("mine", 1.0, "human")], "human")
        dataset = tmp_path / "dataset"
        for command in (["search", "mine", "--top", "1"], ["stats"], ["export", str(dataset)]):
            assert main(["--library", str(paths.root), *command]) == 0, command
            assert "open in another process" in capsys.readouterr().err
        assert len(list(dataset.rglob("*.jpg"))) == 1
        for command in (["ingest"], ["verify"]):
            assert main(["--library", str(paths.root), *command]) == 1
            assert "close that one first" in capsys.readouterr().err
