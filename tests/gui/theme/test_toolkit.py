"""CustomTkinter's fonts are not written into while another window has them mapped."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
from pathlib import Path

import pytest

from src.config import APPLICATION_FOLDER

IMPORT = [sys.executable, "-c", "from src.gui.theme.toolkit import ctk"]


@pytest.mark.skipif(sys.platform != "linux", reason="fonts are copied on Linux alone")
def test_a_second_start_leaves_the_fonts_of_the_first_alone(tmp_path: Path) -> None:
    environment = os.environ | {"HOME": str(tmp_path)}
    fonts = tmp_path / ".fonts"

    def start() -> None:
        subprocess.run(IMPORT, cwd=APPLICATION_FOLDER, env=environment, check=True)

    start()
    before = {path.name: path.stat().st_ino for path in fonts.iterdir()}
    assert "Roboto-Regular.ttf" in before
    shapes = fonts / "CustomTkinter_shapes_font.otf"
    content = shapes.read_bytes()
    shapes.write_bytes(b"of an earlier version")
    with shapes.open("rb") as stream, mmap.mmap(stream.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        written = {path.name: path.stat().st_mtime_ns for path in fonts.iterdir()}
        start()
        # whoever has the old file mapped keeps it, and the new one has its place
        assert bytes(mapped) == b"of an earlier version" and shapes.read_bytes() == content
    for path in fonts.iterdir():
        if path != shapes:
            assert (path.stat().st_ino, path.stat().st_mtime_ns) == (
                before[path.name],
                written[path.name],
            )


def test_all_modules_have_it_from_there() -> None:
    direct = [
        path
        for folder in ("src", "tests")
        for path in (APPLICATION_FOLDER / folder).rglob("*.py")
        if "import customtkinter" in path.read_text(encoding="utf-8")
    ]
    assert {path.name for path in direct} == {"test_toolkit.py", "toolkit.py"}
