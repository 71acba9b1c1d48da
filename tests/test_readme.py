"""The README's Python API, run as it is written there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from src.config import APPLICATION_FOLDER, Settings


def test_the_api_section_runs(tmp_path: Path, scene_files: list[Path]) -> None:
    readme = (APPLICATION_FOLDER / "README.md").read_text(encoding="utf-8")
    section = readme.split("## Python API", 1)[1].split("\n## ", 1)[0]
    blocks = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    assert blocks
    shutil.copy(scene_files[0], tmp_path / "photo.jpg")
    library = tmp_path / "library"
    library.mkdir()
    Settings(points_per_side=8).save(library / "settings.json")
    ran = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(APPLICATION_FOLDER), "MEDIA_LIBRARY": str(library)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    assert "photo.jpg" in ran.stdout
