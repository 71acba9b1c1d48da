from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from src.config import APPLICATION_FOLDER
from src.database import lock
from src.database.lock import LibraryLock
from src.errors import DatabaseError, LibraryLockedError

HOLD = """
import sys
from pathlib import Path
from src.database.lock import LibraryLock
lock = LibraryLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_told_who_has_the_library(tmp_path: Path) -> None:
    lock_file = tmp_path / "library.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock_file)],
        cwd=APPLICATION_FOLDER,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdin is not None and holder.stdout is not None
    with holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(LibraryLockedError, match=f"process {holder.pid} on"):
            LibraryLock(lock_file)
        holder.kill()
        holder.wait()
        LibraryLock(lock_file).release()  # a dead process holds nothing


def test_a_lock_file_left_behind_holds_nothing_whatever_it_says(tmp_path: Path) -> None:
    lock_file = tmp_path / "library.lock"
    # a process of this very number is running now: the number says nothing, the lock does
    lock_file.write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
    LibraryLock(lock_file).release()


def test_a_holder_on_another_machine_is_said_to_be_one(tmp_path: Path) -> None:
    lock_file = tmp_path / "library.lock"
    held = LibraryLock(lock_file)
    lock_file.write_text(json.dumps({"pid": 77, "host": "the-attic"}))
    with pytest.raises(LibraryLockedError, match="77 on the-attic, which is another machine"):
        LibraryLock(lock_file)
    held.release()


def test_a_place_that_can_not_lock_files_is_not_called_a_locked_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(lock, "_lock", refuses)
    with pytest.raises(DatabaseError, match="No locks available") as caught:
        LibraryLock(tmp_path / "library.lock")
    assert not isinstance(caught.value, LibraryLockedError)


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounts need root")
def test_a_library_mounted_elsewhere_as_well_is_the_same_library(tmp_path: Path) -> None:
    library, other = tmp_path / "library", tmp_path / "other"
    for folder in (library, other):
        folder.mkdir()
    mounted = subprocess.run(["mount", "--bind", str(library), str(other)], capture_output=True)
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        lock = LibraryLock(library / "library.lock")
        (library / "library.lock").unlink()
        with pytest.raises(LibraryLockedError):
            LibraryLock(other / "library.lock")
        lock.release()
        LibraryLock(other / "library.lock").release()
    finally:
        subprocess.run(["umount", str(other)], check=True)
