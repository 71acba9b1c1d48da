"""The window over a library whose database was damaged."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.e2e.conftest import Start


def test_a_damaged_library_is_told_of_once_and_shown(
    start: Start, filled: Path, tmp_path: Path
) -> None:
    library = Path(shutil.copytree(filled, tmp_path / "library"))
    with closing(sqlite3.connect(library / "metadata.db")) as db:
        page_size = db.execute("PRAGMA page_size").fetchone()[0]
        root = db.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'segments_by_frame'"
        ).fetchone()[0]
    with (library / "metadata.db").open("r+b") as stream:
        stream.seek((root - 1) * page_size)
        stream.write(b"\xa5" * page_size)  # an index: all rows can still be read
    window = start(library)
    window.wait_text("Your library was damaged and has been repaired")
    kept = "the damaged file is kept as metadata-damaged-"
    window.wait("what is kept", lambda s: kept in " ".join(s["texts"]))
    window.click("Close")
    window.wait("four photos", lambda s: len(s["cards"]) == 4 and not s["dialog"])
    assert list(library.glob("metadata-damaged-*.db"))
