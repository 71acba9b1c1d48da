"""The window asks a library by its verbs, and reaches through to nothing behind them."""

from __future__ import annotations

import ast
from pathlib import Path

import src.gui

# what MediaLibrary is made of
BEHIND = {"queries", "metadata", "models", "service", "vectors", "clip", "index", "tagger"}


def _is_library(node: ast.expr) -> bool:
    """Whether an expression is a library: `library`, `session.library`, `self._library`."""
    name = node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
    return str(name).lstrip("_") in ("library", "made")


def reached_through(source: str) -> list[str]:
    """What is read of a library behind its verbs."""
    return [
        ast.unparse(node)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute) and node.attr in BEHIND and _is_library(node.value)
    ]


def test_the_rule_sees_who_reaches_through() -> None:
    assert reached_through("self._session.library.queries.media_ids('added')")
    assert reached_through("def f(library): return library.metadata")
    assert not reached_through("self.session.library.browse.media_ids('added'); panels.models")


def test_the_window_speaks_to_verbs_of_the_library() -> None:
    folder = Path(src.gui.__file__).parent
    found = {
        file.relative_to(folder).as_posix(): reached
        for file in folder.rglob("*.py")
        if (reached := reached_through(file.read_text(encoding="utf-8")))
    }
    assert found == {}
