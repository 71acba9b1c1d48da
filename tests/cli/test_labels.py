"""The command about labels."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from main import main
from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.library import MediaLibrary
from src.models.clip_encoder import ClipEncoder
from src.records import SearchResult
from tests.conftest import add_media_with, unit_vectors

FIRST, SECOND = "a.jpg-00001", "a.jpg-00002"


@pytest.fixture
def filled(paths: LibraryPaths, clip: ClipEncoder) -> LibraryPaths:
    with closing(MetadataDatabase(paths)) as metadata:
        add_media_with(metadata, unit_vectors(5), model=clip.name)
    return paths


class Said:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out.splitlines(), err.splitlines()


def run(capsys: pytest.CaptureFixture[str], paths: LibraryPaths, *words: object) -> Said:
    capsys.readouterr()
    try:
        code = main(["--library", str(paths.root), "label", *map(str, words)])
    except SystemExit as exc:
        code = int(str(exc.code))
    return Said(code, *capsys.readouterr())


def listed(capsys: pytest.CaptureFixture[str], paths: LibraryPaths) -> list[tuple[str, int]]:
    said = run(capsys, paths, "list", "--json")
    rows = [json.loads(line) for line in said.out]
    assert [row["key"] for row in rows] == list(range(1, len(rows) + 1))
    return [(row["name"], row["segments"]) for row in rows]


def test_the_list_and_what_changes_it(
    filled: LibraryPaths, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(capsys, filled).err == ["There are no labels; `label add NAME` makes one."]
    assert run(capsys, filled, "add", "dog", "cat").code == 0
    assert run(capsys, filled, "add", "bird", "--colour", "#112233").code == 0
    names = tmp_path / "names.txt"
    names.write_text("fish\ndog,#445566\n")
    assert run(capsys, filled, "import", names).code == 0
    assert [line.split()[:3] for line in run(capsys, filled, "list").out] == [
        ["1", "#445566", "dog"],
        ["2", "#F0686C", "cat"],
        ["3", "#112233", "bird"],
        ["4", "#5B96EE", "fish"],
    ]
    assert run(capsys, filled, "rename", "cat", "kitten").code == 0
    merged = json.loads(
        run(capsys, filled, "merge", "dog", "kitten", "--into", "pet", "--json").out[0]
    )
    assert [name for name, _ in listed(capsys, filled)] == ["bird", "fish", "pet"]
    assert run(capsys, filled, "undo", merged["batch"]).out == ["undone"]
    assert run(capsys, filled, "undo", merged["batch"]).out == ["nothing to do"]
    assert run(capsys, filled, "redo", merged["batch"]).out == ["done again"]
    assert run(capsys, filled, "remove", "bird", "fish").code == 0
    assert [name for name, _ in listed(capsys, filled)] == ["pet"]


def test_an_act_on_several_names_is_done_whole_or_not_at_all(
    filled: LibraryPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, filled, "add", "cat")
    said = run(capsys, filled, "add", "dog", "Cat")
    assert said.code == 1 and "there is a label “Cat” already" in said.err[0]
    assert listed(capsys, filled) == [("cat", 0)]


def test_segments_by_their_ids(filled: LibraryPaths, capsys: pytest.CaptureFixture[str]) -> None:
    said = run(capsys, filled, "give", "dog", "--segments", FIRST, SECOND, "--json")
    given = json.loads(said.out[0])
    assert given["segment_ids"] == [FIRST, SECOND] and listed(capsys, filled) == [("dog", 2)]
    run(capsys, filled, "reject", "dog", "--segments", FIRST)
    assert listed(capsys, filled) == [("dog", 1)]
    run(capsys, filled, "undo", given["batch"])
    said = run(capsys, filled, "give", "dog", "--segments", FIRST, "gone")
    assert said.code == 1 and listed(capsys, filled) == []


def test_every_strong_hit_of_a_search_after_a_look_at_them(
    filled: LibraryPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    with MediaLibrary(filled) as library:
        library.label([FIRST, SECOND], "mine")
    said = run(capsys, filled, "give", "dog", "--search", "tag:mine")
    assert said.code == 0 and len(said.out) == 2
    assert "nothing was done; with --yes each of these 2 segments gets" in said.err[-1].lower()
    assert listed(capsys, filled) == [("mine", 2)]
    assert run(capsys, filled, "give", "dog", "--where", "tag:mine", "--yes").code == 0
    assert listed(capsys, filled) == [("mine", 2), ("dog", 2)]
    found = run(capsys, filled, "give", "two", "--search", "a red circle", "--top", "2", "--json")
    assert len(json.loads(found.out[0])["segment_ids"]) == 2
    assert json.loads(found.out[0])["batch"] is None
    nothing = run(capsys, filled, "give", "two", "--where", "tag:none", "--yes")
    assert nothing.err == ["Nothing found."]
    # no word that the model knows, so no line; but people have tagged with it
    found = run(capsys, filled, "give", "two", "--search", "mine", "--json")
    assert set(json.loads(found.out[0])["segment_ids"]) == {FIRST, SECOND}


def test_without_a_line_somebody_has_to_say_how_many(
    filled: LibraryPaths, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    search = MediaLibrary.search

    def without_a_line(self: MediaLibrary, *given: Any) -> SearchResult:
        found = search(self, *given)
        hits = tuple(replace(hit, strength=None) for hit in found)
        return replace(found, hits=hits, line=None, strong=None, total=None)

    monkeypatch.setattr(MediaLibrary, "search", without_a_line)
    found = run(capsys, filled, "give", "red", "--search", "a red circle")
    assert found.code == 1 and "say how many of the best to take, with --top N" in found.err[-1]
    found = run(capsys, filled, "give", "red", "--search", "a red circle", "--top", "3", "--json")
    assert len(json.loads(found.out[0])["segment_ids"]) == 3


def test_strong_hits_are_those_above_the_line_and_what_was_tagged_so(
    filled: LibraryPaths, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    search, wanted = MediaLibrary.search, list[int]()

    def with_a_line(
        self: MediaLibrary, text: str | None = None, image: None = None, n: int = 10, *more: Any
    ) -> SearchResult:
        """All but the last two are above the line, of which the best is tagged with the words."""
        wanted.append(n)
        found = search(self, text, image, 5, *more)
        strengths = [0.9, 0.7, 0.6, 0.4, 0.2]
        hits = [replace(hit, strength=s) for hit, s in zip(found, strengths, strict=True)]
        hits.insert(0, replace(hits.pop(3), tagged_so=True))
        return replace(found, hits=tuple(hits[:n]), line=0.2, strong=3, total=5)

    monkeypatch.setattr(MediaLibrary, "search", with_a_line)
    found = run(capsys, filled, "give", "red", "--search", "a red circle", "--json")
    assert len(json.loads(found.out[0])["segment_ids"]) == 4 and wanted[0] == 1


@pytest.mark.parametrize(
    "words",
    [
        ("give", "dog"),
        ("give", "--segments", "x"),
        ("give", "dog", "--segments", "x", "--search", "red"),
        ("give", "dog", "--search", "red", "--top", "0"),
        ("rename", "dog"),
        ("merge", "dog", "cat"),
        ("add",),
        ("add", "dog", "--into", "cat"),
        ("rename", "dog", "cat", "--colour", "#112233"),
        ("remove", "dog", "--yes"),
        ("list", "dog"),
        ("undo",),
    ],
)
def test_wrong_usage_is_said(
    filled: LibraryPaths, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    said = run(capsys, filled, *words)
    assert said.code == 2 and "label: error:" in said.err[-1]
