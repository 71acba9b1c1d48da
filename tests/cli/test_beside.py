"""The command line on a library that it can only read."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from main import main
from src.config import APPLICATION_FOLDER, LibraryPaths
from src.library import MediaLibrary
from src.models.clip_encoder import ClipEncoder
from src.records import Tag
from src.search.filters import EVERYTHING
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


def test_a_demo_draws_nothing_into_a_library_that_is_only_read(
    paths: LibraryPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    MediaLibrary(paths).close()
    before = sorted(paths.datasets.rglob("*"))
    assert main(["--library", str(paths.root), "--read-only", "demo"]) == 2
    assert "leave out --read-only" in capsys.readouterr().err
    assert sorted(paths.datasets.rglob("*")) == before


COMMANDS = """
import sys
from main import main
library, dataset = ["--library", sys.argv[1]], sys.argv[2]
for words in (["stats"], ["search", "mine", "--top", "1"], ["export", dataset], ["ingest"]):
    print(words[0], main([*library, *words]), flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no such rights")
def test_search_stats_and_export_read_a_library_that_may_not_be_written(
    paths: LibraryPaths, clip: ClipEncoder, tmp_path: Path
) -> None:
    without_rights: list[str] = []
    if os.geteuid() == 0:  # who may write everywhere
        if shutil.which("setpriv") is None:
            pytest.skip("root can't give up its rights here")
        without_rights = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"]
    with MediaLibrary(paths) as library:
        add_media_with(library.metadata, unit_vectors(5), model=clip.name)
        for segment in library.metadata.segments_where(EVERYTHING):
            segment.crop_path.write_bytes(b"a crop")
        library.add_tag("a.jpg-00002", "mine")
    paths.lock.unlink()  # a copy from elsewhere may have none,
    paths.datasets.rmdir()  # nor this
    before = {path: path.stat().st_mtime_ns for path in paths.root.rglob("*")}
    dataset = tmp_path / "dataset"
    paths.root.chmod(0o555)
    try:
        said = subprocess.run(
            [*without_rights, sys.executable, "-c", COMMANDS, str(paths.root), str(dataset)],
            cwd=APPLICATION_FOLDER,
            capture_output=True,
            text=True,
            timeout=300,
        )
    finally:
        paths.root.chmod(0o755)
    codes = {"stats 0", "search 0", "export 0", "ingest 1"}
    assert codes <= set(said.stdout.splitlines()), said.stderr
    assert said.stderr.count("can't be written to; it is opened for reading only") == 3
    assert "Traceback" not in said.stderr
    assert len(list(dataset.rglob("*.jpg"))) == 1
    assert {path: path.stat().st_mtime_ns for path in paths.root.rglob("*")} == before


def test_what_would_change_a_library_that_is_only_read_says_to_leave_the_option_out(
    paths: LibraryPaths, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    MediaLibrary(paths).close()
    Image.new("RGB", (64, 48)).save(tmp_path / "a.png")
    words = ["--library", str(paths.root), "ingest", str(tmp_path / "a.png"), "--read-only"]
    assert main(words) == 1
    said = capsys.readouterr().err
    assert (
        "opened for reading only" in said
        and "leave out --read-only" in said
        and said.count("\n") == 1
    )
