"""What a person reads in the window: sentences that begin and end as sentences do."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import src.gui
from src.errors import DatabaseError, DownloadError, MediaReadError, QueryError
from src.gui.core.wording import as_sentence, explained, reason_and_details, title_of, why_not_added

# What only someone who knows the code would understand, or nobody would say.
JARGON = (
    "mended",
    "mend it",
    "taken in",
    "what is here",
    "are forgotten",
    "did not work",
    "not foreseen",
    "look again",
    "looking for media",
    "go on",
    "near-duplicates",
)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("the disk is full", "The disk is full."),
        ("not enough memory; close other programs", "Not enough memory; close other programs."),
        ("/media/a.jpg: can't be read", "/media/a.jpg: can't be read."),
        ("vit_b is damaged", "vit_b is damaged."),
        ("Press Retry.", "Press Retry."),
        ("", ""),
    ],
)
def test_a_sentence_begins_with_a_capital_and_ends_with_a_stop(said: str, sentence: str) -> None:
    assert as_sentence(said) == sentence


def test_what_a_library_said_stands_apart() -> None:
    said = "damaged or incomplete file (image file is truncated (3 bytes not processed))"
    assert reason_and_details(said) == (
        "damaged or incomplete file",
        "image file is truncated (3 bytes not processed)",
    )
    assert reason_and_details("can't be read (I/O error); retry") == (
        "can't be read; retry",
        "I/O error",
    )
    assert reason_and_details("only (some) words") == ("only (some) words", "")
    sentence, details = why_not_added(said)
    assert sentence.startswith("Damaged or incomplete file. Replace the file")
    assert "truncated" in details and "truncated" not in sentence
    assert why_not_added("the file is empty")[0] == "The file is empty."


def test_an_error_has_a_title_that_says_what_failed() -> None:
    read = MediaReadError(Path("/m/a.jpg"), "damaged or incomplete file (bad marker)")
    assert explained(read) == (
        "a.jpg: Damaged or incomplete file.",
        "/m/a.jpg\nbad marker",
    )
    assert title_of(read) == "Couldn't read the file"
    noted = QueryError("a tag has a name of 1 to 80 characters")
    noted.add_note("Couldn't add the tag")
    assert title_of(noted) == "Couldn't add the tag"
    kinds = [read, noted, DatabaseError("x"), DownloadError("y"), ZeroDivisionError("z")]
    assert len({title_of(exc) for exc in kinds}) == len(kinds)


def _said(file: Path) -> list[str]:
    """The strings of a module but its docstrings."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in docstrings
    ]


def test_no_jargon_is_said_in_the_window() -> None:
    folder = Path(src.gui.__file__).parent
    found = [
        (file.name, text, word)
        for file in folder.rglob("*.py")
        for text in _said(file)
        for word in JARGON
        if word in text.lower()
    ]
    assert not found
