"""The package as pip installs it: whole, with its models, and with nothing of the checkout."""

from __future__ import annotations

import configparser
import json
import os
import shutil
import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from src import __version__
from src.config import APPLICATION_FOLDER
from tests.upkeep import lock

PARTS = ("pyproject.toml", "requirements.txt", "README.md", "LICENSE", "main.py")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built of a copy: setuptools leaves folders beside what it builds of."""
    folder = tmp_path_factory.mktemp("package")
    for name in PARTS:
        shutil.copy(APPLICATION_FOLDER / name, folder)
    for name in ("src", "models"):
        shutil.copytree(
            APPLICATION_FOLDER / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    (folder / "models" / "sam_vit_b_01ec64.pth").write_bytes(b"a person's own weights")
    build = "from setuptools import build_meta; print(build_meta.build_wheel('made'))"
    ran = subprocess.run(
        [sys.executable, "-c", build], cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert ran.returncode == 0, ran.stderr
    return folder / "made" / ran.stdout.split()[-1]


def test_the_wheel_holds_the_program_and_its_models_and_no_more(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as parts:
        names = {name for name in parts.namelist() if ".dist-info/" not in name}
    sources = {
        path.relative_to(APPLICATION_FOLDER).as_posix()
        for path in (APPLICATION_FOLDER / "src").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    bundled = {
        f"src/bundled/starter/{path.name}"
        for path in (APPLICATION_FOLDER / "models" / "starter").iterdir()
    }
    assert names == sources | bundled | {"main.py", "src/bundled/vocabulary.txt"}


def test_the_wheel_says_what_it_needs_and_how_it_is_started(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as parts:
        (about,) = (name for name in parts.namelist() if name.endswith(".dist-info/METADATA"))
        says = message_from_bytes(parts.read(about))
        scripts = configparser.ConfigParser()
        scripts.read_string(parts.read(about.replace("METADATA", "entry_points.txt")).decode())
    assert says["Version"] == __version__
    needs = [line for line in says.get_all("Requires-Dist") or () if "extra ==" not in line]
    assert {line.replace(" ", "") for line in needs} == {
        str(requirement).replace(" ", "") for requirement in lock.of_the_program()
    }
    assert says.get_all("Provides-Extra") == ["raw", "map", "sam2", "cluster"]
    assert dict(scripts["console_scripts"]) == {"media-library": "main:main"}


def test_an_installed_copy_runs_from_anywhere(wheel: Path, tmp_path: Path) -> None:
    installed, home = tmp_path / "site packages", tmp_path / "home"
    home.mkdir()
    with zipfile.ZipFile(wheel) as parts:
        parts.extractall(installed)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("MEDIA_LIBRARY")
    }
    environment |= {"HOME": str(home), "XDG_DATA_HOME": str(home / "data")}

    def run(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        script = "import sys; sys.path.insert(0, sys.argv.pop(1)); from main import main; "
        ran = subprocess.run(
            [sys.executable, "-c", script + "sys.exit(main())", str(installed), *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert ran.returncode == code, ran.stderr
        return ran

    assert run("--version").stdout == f"Media Segment Library {__version__}\n"
    assert run("--help").stdout.startswith("usage: media-library ")
    rows = [json.loads(line) for line in run("models", "--json").stdout.splitlines()]
    bundled = [row for row in rows if row["state"] == "bundled"]
    assert {row["kind"] for row in bundled} == {"clip", "sam"}
    assert all(Path(row["path"]).is_relative_to(installed / "src" / "bundled") for row in bundled)
    said = run("stats", code=1).stderr
    assert "there is no library in this folder" in said
    if sys.platform == "linux":
        assert str(home / "data" / "media-segment-library" / "library") in said
        assert "installed with pip" in run("install-desktop", code=1).stderr
    assert not (installed / "metadata.db").exists()
