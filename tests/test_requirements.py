"""What is imported is required, and what is required has one exact version in the lock."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from src.config import APPLICATION_FOLDER
from tests.upkeep import licences, lock

SOURCES = [APPLICATION_FOLDER / "main.py", *sorted((APPLICATION_FOLDER / "src").rglob("*.py"))]


def imported(tree: ast.AST) -> Iterator[str]:
    """Name the top-level packages that a module can't do without."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Try) and any(_is_of_import(handler) for handler in node.handlers):
            continue  # it goes on where the package is missing
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module.split(".")[0]
        else:
            yield from imported(node)


def _is_of_import(handler: ast.ExceptHandler) -> bool:
    return isinstance(handler.type, ast.Name) and handler.type.id == "ImportError"


def test_every_package_that_is_imported_is_required() -> None:
    required = {canonicalize_name(line.name) for line in lock.of_the_program()}
    distributions = metadata.packages_distributions()
    for path in SOURCES:
        for name in set(imported(ast.parse(path.read_text(encoding="utf-8")))):
            if name in sys.stdlib_module_names or name in ("src", "main"):
                continue
            homes = {canonicalize_name(home) for home in distributions.get(name, [])}
            assert homes & required, f"{path} imports {name}, which requirements.txt does not name"


def test_the_lock_is_in_step() -> None:
    assert list(lock.disagreements(lock.required(), lock.pins())) == []


def test_a_lock_out_of_step_is_noticed() -> None:
    ranges = [Requirement(line) for line in ("numpy>=2.4,<3", "tqdm>=4", "Pillow>=13")]
    found = list(lock.disagreements(ranges, {"numpy": "3.0.1", "pillow": "13.0.0"}))
    assert found == ["numpy<3,>=2.4: the lock has 3.0.1", "tqdm>=4: the lock has no version of it"]


def test_every_line_of_the_lock_is_one_exact_version_in_order() -> None:
    lines = lock.LOCK.read_text(encoding="utf-8").splitlines()
    names = [line.split("==")[0] for line in lines if not line.startswith("#")]
    assert names == sorted(set(names)) == list(lock.pins())
    assert all(Requirement(f"{name}=={version}") for name, version in lock.pins().items())


@pytest.mark.skipif(sys.platform != "linux", reason="the lock is written on Linux")
def test_the_lock_holds_what_the_required_packages_need() -> None:
    assert lock.needed_here(lock.required()).keys() <= lock.pins().keys()


def test_the_licence_of_every_package_is_listed() -> None:
    page = licences.PAGE.read_text(encoding="utf-8")
    rows = dict(line.strip("| ").split(" | ", 1) for line in page.splitlines() if line[:2] == "| ")
    assert lock.pins().keys() <= rows.keys(), "run python -m tests.upkeep.licences"
    assert "not said" not in rows.values()
    assert "GPL, version 3" in page and "proprietary" in page
    assert all("roprietary" in rows[name] for name in rows if name.startswith("nvidia-"))


def test_a_licence_is_read_from_what_the_package_says() -> None:
    assert licences.licence_of("numpy").startswith("BSD-3-Clause")
    assert licences.licence_of("segment-anything") == "Apache-2.0 (its repository)"
