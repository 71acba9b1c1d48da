"""A package is left out until somebody needs more of it than is known."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from src.models.left_out import LeftOut


@pytest.fixture
def left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package `heavy`, of which one function and one of its module `asked` are known."""
    package = tmp_path / "heavy"
    package.mkdir()
    (package / "__init__.py").write_text("weight = 7\ndef mark(fn): return None\n")
    (package / "asked.py").write_text("def is_light(): return False\n")
    (package / "other.py").write_text("from heavy import weight\n")
    monkeypatch.syspath_prepend(tmp_path)
    known = {"heavy": {"mark": lambda fn: fn}, "heavy.asked": {"is_light": lambda: True}}
    monkeypatch.setattr(sys, "meta_path", [LeftOut(known), *sys.meta_path])
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "heavy"]:
        del sys.modules[name]


@pytest.mark.usefixtures("left_out")
def test_what_is_known_is_answered_without_the_package() -> None:
    asked = importlib.import_module("heavy.asked")
    heavy = importlib.import_module("heavy")
    assert asked.is_light() and heavy.mark(len) is len
    assert not hasattr(heavy, "__file__")


@pytest.mark.usefixtures("left_out")
def test_anything_else_comes_of_the_real_one() -> None:
    before = importlib.import_module("heavy")
    assert before.mark(len) is len
    assert before.weight == 7
    after = importlib.import_module("heavy")
    assert after is not before and after.__file__ and after.mark(len) is None
    assert not importlib.import_module("heavy.asked").is_light()


@pytest.mark.usefixtures("left_out")
def test_a_module_that_is_not_known_is_the_real_ones() -> None:
    importlib.import_module("heavy")
    other = importlib.import_module("heavy.other")
    assert other.weight == 7 and importlib.import_module("heavy").other is other
