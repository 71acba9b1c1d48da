"""README: its Python API runs, its commands are commands, its claims have tests behind them."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from src.cli.arguments import parse
from src.config import APPLICATION_FOLDER, STARTER_FOLDER
from src.models.mask_hierarchy import CONTAINED_SHARE
from src.models.starter.vocabulary import COLOURS, SHAPES, TEXTURES
from src.records import EMBEDDING_DIM
from src.settings import Settings

README = (APPLICATION_FOLDER / "README.md").read_text(encoding="utf-8")
DOCS = APPLICATION_FOLDER / "docs"
PAGES = sorted(f"docs/{page.relative_to(DOCS).as_posix()}" for page in DOCS.rglob("*.md"))
ALL_WORDS = " ".join(
    (APPLICATION_FOLDER / name).read_text(encoding="utf-8") for name in ("README.md", *PAGES)
).split()
CLAIMS = (APPLICATION_FOLDER / "docs" / "claims.md").read_text(encoding="utf-8")
OF_RUN_SH = ("check", "test")


def test_the_api_section_runs(tmp_path: Path, scene_files: list[Path]) -> None:
    section = README.split("## Python API", 1)[1].split("\n## ", 1)[0]
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


def commands() -> Iterator[list[str]]:
    """Every `bash run.sh …` of a block or a line, without what is left to the reader."""
    for line in re.findall(r"^    (bash run\.sh.*)$", README, re.MULTILINE):
        yield shlex.split(line, comments=True)[2:]
    for line in re.findall(r"`(bash run\.sh[^`]*)`", README.replace("\n", " ")):
        yield [word for word in shlex.split(line)[2:] if "…" not in word]


def test_every_command_is_one() -> None:
    found = [words for words in commands() if not set(words) & set(OF_RUN_SH)]
    assert len(found) > 12
    for words in found:
        arguments = parse(words)
        assert arguments.command is not None or not words, words


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", *PAGES])
def test_what_is_linked_is_there(name: str) -> None:
    page = APPLICATION_FOLDER / name
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_page_is_linked_from_another_one() -> None:
    linked = set()
    for name in ("README.md", *PAGES):
        page = APPLICATION_FOLDER / name
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            linked.add((page.parent / link).resolve())
    assert [name for name in PAGES if (APPLICATION_FOLDER / name).resolve() not in linked] == []


def test_readme_is_short() -> None:
    assert len(README.splitlines()) <= 200


def test_files_that_pages_name_are_there() -> None:
    for name in ("CONTRIBUTING.md", *PAGES):
        text = (APPLICATION_FOLDER / name).read_text(encoding="utf-8")
        for path in re.findall(r"`((?:src|tests|docs)/[\w./]+)`", text):
            assert (APPLICATION_FOLDER / path).exists(), f"{name}: {path}"


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", *PAGES])
def test_what_is_run_with_m_is_a_module(name: str) -> None:
    text = (APPLICATION_FOLDER / name).read_text(encoding="utf-8")
    modules = re.findall(r"(?:-m |`)((?:src|tests)(?:\.\w+)+)(?=[ `\n])", text)
    assert [module for module in modules if importlib.util.find_spec(module) is None] == []


def test_every_section_has_its_claims_and_every_claim_a_test_that_is_there() -> None:
    headings = [line[3:] for line in README.splitlines() if line.startswith("## ")]
    listed = [line[3:] for line in CLAIMS.splitlines() if line.startswith("## ")]
    assert listed[0] == README.splitlines()[0][2:]
    pages = (
        "media",
        "search",
        "datasets",
        "durability",
        "models",
        "tracks",
        "labelling",
        "mask-editing",
        "timeline",
        "benchmarks",
        "architecture",
        "scale",
    )
    assert listed[1:-1] == [*headings, *(f"[{page}.md]({page}.md)" for page in pages)]
    tests = set(re.findall(r"`(tests/[^`]+)`", CLAIMS))
    assert len(tests) > 30
    assert [test for test in sorted(tests) if not (APPLICATION_FOLDER / test).is_file()] == []
    rows = [line for line in CLAIMS.splitlines() if line.startswith("| ")]
    behind = [row.split(" | ")[1] for row in rows if row[:5] not in ("| cla", "| ---")]
    assert all("`" in cell or "](" in cell for cell in behind)


def test_what_the_bundled_models_know_is_what_they_were_taught() -> None:
    numbers = f"{len(COLOURS)} colours, {len(SHAPES)} shapes and {len(TEXTURES)} textures"
    assert numbers in " ".join(README.split())
    for words in (COLOURS, SHAPES, TEXTURES):
        assert f"({', '.join(words)})" in " ".join(ALL_WORDS)


def test_the_bundled_models_have_a_few_million_parameters() -> None:
    for path in STARTER_FOLDER.glob("*.safetensors"):
        with safe_open(path, "np") as weights:
            sizes = [weights.get_slice(key).get_shape() for key in weights.keys()]  # noqa: SIM118
        total = sum(int(np.prod(size)) for size in sizes)
        assert 1e6 < total < 9e6, path


def test_numbers_are_those_of_the_program() -> None:
    words = " ".join(ALL_WORDS)
    with (APPLICATION_FOLDER / "pyproject.toml").open("rb") as stream:
        python = tomllib.load(stream)["project"]["requires-python"]
    assert f"Python {python.removeprefix('>=')} or newer" in words
    assert f"at least {CONTAINED_SHARE:.0%}".replace("%", " %") in words
    assert f"{EMBEDDING_DIM} numbers of length 1" in words
    kernel = Settings().blur_kernel
    assert f"{kernel}x{kernel} Gaussian" in words
    assert Settings().frames_per_second == 1 and "one frame per second" in words


def test_the_program_says_what_troubleshooting_quotes() -> None:
    said = []
    for path in (APPLICATION_FOLDER / "main.py", *(APPLICATION_FOLDER / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                said.append(node.value.lower())
    script = (APPLICATION_FOLDER / "run.sh").read_text(encoding="utf-8")
    said.append(re.sub(r'" \\\n +"', " ", script).replace("$venv", ".venv").lower())
    section = README.split("## Troubleshooting", 1)[1]
    quoted = [
        quote
        for row in section.splitlines()
        for quote in re.findall(r"`[^`]+`|\*[^*]+\*", row.split(" | ")[0])
    ]
    assert len(quoted) > 10
    for quote in quoted:
        for part in re.split("…", quote.strip("`*").replace('"', "…")):
            words = part.strip(" ;:").lower()
            assert any(words in text for text in said), f"nothing says “{words}”"
