"""A library that several processes, or machines, have to do with at the same time."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from src import open_library
from src.config import APPLICATION_FOLDER, LibraryPaths
from src.database.open_marker import marker_of_open
from src.errors import LibraryLockedError
from src.library import MediaLibrary
from src.models.clip_encoder import ClipEncoder
from src.network_shares import NetworkShare
from tests.conftest import add_media_with, unit_vectors
from tests.warm_start import WarmStart

READ = """
import sys
from pathlib import Path
from src.config import LibraryPaths
from src.library import MediaLibrary
with MediaLibrary(LibraryPaths(Path(sys.argv[1])), read_only=True) as library:
    for line in sys.stdin:
        found = {hit.segment.id for hit in library.similar(line.strip(), 100)}
        print(library.stats(name_models=False).segments, len(found), flush=True)
"""


class Reader:
    """Another process that has the library open for reading."""

    def __init__(self, start: WarmStart, paths: LibraryPaths, script: Path) -> None:
        script.write_text(READ)
        self.process = start.popen(
            [sys.executable, script, paths.root],
            cwd=APPLICATION_FOLDER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def sees(self) -> tuple[int, int]:
        """Ask how many segments it counts, and how many a search finds."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write("a.jpg-00000\n")
        self.process.stdin.flush()
        counted, found = self.process.stdout.readline().split()
        return int(counted), int(found)

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(60) == 0


def test_processes_beside_the_writer_see_what_was_committed_last(
    paths: LibraryPaths, clip: ClipEncoder, warm_program: WarmStart, tmp_path: Path
) -> None:
    with MediaLibrary(paths) as library:
        metadata = library.metadata
        add_media_with(metadata, unit_vectors(5), model=clip.name)
        readers = [Reader(warm_program, paths, tmp_path / "read.py") for _ in range(2)]
        assert [reader.sees() for reader in readers] == [(5, 5)] * 2
        with metadata.connection.write():
            other = add_media_with(metadata, unit_vectors(3, 1), "b.jpg", clip.name)
            assert [reader.sees() for reader in readers] == [(5, 5)] * 2
        assert [reader.sees() for reader in readers] == [(8, 8)] * 2
        library.remove([other])
        assert [reader.sees() for reader in readers] == [(5, 5)] * 2
    for reader in readers:  # the writer may leave before them, and another may come
        assert reader.sees() == (5, 5)
    with MediaLibrary(paths) as library:
        add_media_with(library.metadata, unit_vectors(2, 2), "c.jpg", clip.name)
        assert [reader.sees() for reader in readers] == [(7, 7)] * 2
        for reader in readers:
            reader.close()


def lies_on(monkeypatch: pytest.MonkeyPatch, share: NetworkShare) -> None:
    monkeypatch.setattr(open_library, "network_share", lambda _: share)


def held_by(paths: LibraryPaths, host: str) -> None:
    paths.lock.write_text(json.dumps({"pid": 77, "host": host}))


NFS, SSHFS = NetworkShare("NFS", True), NetworkShare("sshfs", False)


@pytest.mark.parametrize("share", [NFS, SSHFS])
def test_a_library_that_another_machine_writes_is_not_read_over_a_share(
    paths: LibraryPaths, monkeypatch: pytest.MonkeyPatch, share: NetworkShare
) -> None:
    with MediaLibrary(paths):
        held_by(paths, "the-attic")
        MediaLibrary(paths, read_only=True).close()  # on a disk of this machine
        lies_on(monkeypatch, share)
        with pytest.raises(LibraryLockedError, match=r"77 on the-attic.*close it there first"):
            MediaLibrary(paths, read_only=True)
        held_by(paths, socket.gethostname())
        MediaLibrary(paths, read_only=True).close()
    held_by(paths, "the-attic")  # which has closed it
    MediaLibrary(paths, read_only=True).close()
    for says in ("", '{"pid": [], "host": {}}'):  # nobody has opened it yet; nonsense
        paths.lock.write_text(says)
        MediaLibrary(paths, read_only=True).close()


def test_where_locks_do_not_reach_the_other_machine_its_marker_stops_a_second_writer(
    paths: LibraryPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    MediaLibrary(paths).close()
    held_by(paths, "the-attic")
    marker = marker_of_open(paths.metadata_db)
    marker.touch()
    lies_on(monkeypatch, SSHFS)
    before = paths.lock.read_bytes()
    with pytest.raises(
        LibraryLockedError, match=f"killed, open the library there once, or delete {marker}"
    ):
        MediaLibrary(paths)
    assert paths.lock.read_bytes() == before
    marker.unlink()
    MediaLibrary(paths).close()
    assert json.loads(paths.lock.read_bytes())["pid"] == os.getpid()


def test_where_locks_reach_it_the_lock_decides_and_a_marker_left_by_a_kill_does_not(
    paths: LibraryPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    MediaLibrary(paths).close()
    held_by(paths, "the-attic")
    marker_of_open(paths.metadata_db).touch()
    lies_on(monkeypatch, NFS)
    MediaLibrary(paths, read_only=True).close()
    MediaLibrary(paths).close()


def test_what_to_keep_in_mind_of_a_share_is_said_once(
    paths: LibraryPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    with MediaLibrary(paths) as library:
        assert library.share_notice is None
    lies_on(monkeypatch, NFS)
    with MediaLibrary(paths, read_only=True) as library:
        assert library.share_notice is None  # it could not be kept that it was said
    with MediaLibrary(paths) as library:
        assert "network share (NFS)" in (library.share_notice or "")
        assert library.notice is None and not library.settings_problems
    with MediaLibrary(paths) as library:
        assert library.share_notice is None
    lies_on(monkeypatch, SSHFS)
    with MediaLibrary(paths) as library:
        assert "sshfs" in (library.share_notice or "")
