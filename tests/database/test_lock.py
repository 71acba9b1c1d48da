from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from src.config import APPLICATION_FOLDER
from src.database.lock import LibraryLock
from src.errors import LibraryLockedError

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
