"""`search` with a text that is more than words, with conditions, and as docs/search.md has it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from PIL import Image

from main import main
from src.config import APPLICATION_FOLDER, LibraryPaths
from src.library import MediaLibrary
from src.search.query_text import parse_query
from src.settings import Settings
from tests.cli.test_main import HIT_KEYS, Shell

DOCS = (APPLICATION_FOLDER / "docs" / "search.md").read_text(encoding="utf-8")
COLOURS = {"red": (200, 20, 20), "blue": (20, 20, 200), "green": (20, 160, 20)}


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One photo of each colour, and photo.jpg: red at its left, blue at its right."""
    folder = tmp_path_factory.mktemp("photos")
    for name, colour in COLOURS.items():
        Image.new("RGB", (96, 96), colour).save(folder / f"{name}.png")
    half = Image.new("RGB", (400, 300), COLOURS["red"])
    half.paste(COLOURS["blue"], (200, 0, 400, 300))
    half.save(folder / "photo.jpg", quality=95)
    return folder


@pytest.fixture(scope="module")
def coloured(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Path:
    """A library of the photos of one colour, whole frames only; green is tagged dog."""
    folder = tmp_path_factory.mktemp("library")
    Settings(sam_model="none").save(folder / "settings.json")
    for name in COLOURS:
        assert main(["--library", str(folder), "ingest", str(photos / f"{name}.png")]) == 0
    with MediaLibrary(LibraryPaths(folder)) as library:
        for segment in library.metadata.segments_where():
            if segment.media_path.stem == "green":
                library.add_tag(segment.id, "dog")
    return folder


@pytest.fixture
def shell(
    coloured: Path,
    photos: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Shell:
    monkeypatch.chdir(photos)
    return Shell(coloured, capsys)


def names(shell: Shell, *words: object) -> list[str]:
    return [Path(hit["path"]).stem for hit in shell.objects("search", "--json", *words)]


def test_where_leaves_out_and_says_what_it_can_not_read(shell: Shell) -> None:
    assert names(shell, "red")[0] == "red"
    assert names(shell, "red", "--where", "tag:dog") == ["green"]
    assert set(names(shell, "red", "--where", "not tag:dog")) == {"red", "blue"}
    out, err = shell("search", "red", "--where", "kind:thing", code=1)
    assert not out and 'error: in "kind:thing", kind is frame or object' in err


def test_a_condition_in_the_text_is_that_of_where(shell: Shell) -> None:
    hits = shell.objects("search", "--json", "red", "--where", "name:e")
    assert shell.objects("search", "--json", "red name:e") == hits and len(hits) == 3
    assert names(shell, "red name:e", "--where=-tag:dog")[0] == "red"
    assert len(names(shell, "red name:e", "--where=-tag:dog")) == 2


@pytest.mark.parametrize("words", [["name:e"], ["--where", "name:e"]])
def test_a_filter_alone_finds_what_it_leaves_newest_first_without_scores(
    shell: Shell, words: list[str]
) -> None:
    hits = shell.objects("search", "--json", *words)
    assert [Path(hit["path"]).stem for hit in hits] == ["green", "blue", "red"]
    assert all(set(hit) == HIT_KEYS and hit["score"] is None for hit in hits)
    assert hits[0]["tags"]["dog"] == 1.0
    out, err = shell("search", "--top", 2, *words)
    assert out.splitlines()[0].startswith("  1      –  green.png  [whole frame]  dog")
    assert len(out.splitlines()) == 2
    assert "These are 2 of 3 segments; --top shows more." in err
    assert "nothing found" in shell("search", "tag:cat")[1].lower()


@pytest.mark.parametrize(
    ("text", "best"),
    [
        ("like:green.png", "green"),
        ('like:"photo.jpg"#xywh=0,0,180,300', "red"),
        ('like:"photo.jpg"#xywh=220,0,180,300', "blue"),
        ('like:"photo.jpg" -like:red.png^0.9', "blue"),
        ('"red"^0.2 "blue"^1', "blue"),
    ],
)
def test_images_their_parts_and_signs_come_from_the_text(
    shell: Shell, text: str, best: str
) -> None:
    assert names(shell, text)[0] == best


def test_a_filter_may_begin_with_a_dash(shell: Shell, tmp_path: Path) -> None:
    assert set(names(shell, "red", "--where", "-tag:dog")) == {"red", "blue"}
    shell("export", tmp_path / "blue", "--where", "-tag:dog -name:red")
    assert len(list((tmp_path / "blue").rglob("*.jpg"))) == 1
    with pytest.raises(SystemExit):
        shell("search", "--where", "--top", "3")
    assert "expected one argument" in shell.capsys.readouterr().err


def test_new_words_of_a_search(shell: Shell, photos: Path) -> None:
    assert names(shell, "--", "-red")[-1] == "red"
    assert names(shell, "0.2:red 1:blue")[0] == "blue"
    assert set(names(shell, f'in:"{photos}" size:>95px kind:photo')) == set(COLOURS)
    assert names(shell, "size:>96px") == names(shell, "kind:video or after:2020") == []
    assert names(shell, '"red" with "red"')[0] == "red"
    assert names(shell, '"red" with like:blue.png')[0] in ("red", "blue")
    _, err = shell("search", '"red" with "blue"')
    assert re.search(r"\d strong, \d weaker", err)
    out, err = shell("search", '"red" with "lorry"', code=1)
    assert not out and 'no word in "lorry"' in err


def test_saved_searches(shell: Shell) -> None:
    assert "no search is saved" in shell("saved")[1].lower()
    shell("saved", "No dogs", "name:e -tag:dog")
    shell("saved", "reds", "red")
    assert shell("saved")[0] == "No dogs  name:e -tag:dog\nreds     red\n"
    assert shell.objects("saved", "--json")[1] == {"name": "reds", "text": "red"}
    assert names(shell, "--saved", "no dogs") == ["blue", "red"]
    assert names(shell, "red", "--saved", "no dogs") == ["red", "blue"]
    assert names(shell, "--saved", "Reds", "--where", "-name:red")[0] != "red"
    shell("saved", "no dogs", "--rename", "cats")
    shell("saved", "reds", "--remove")
    assert shell("saved")[0] == "cats  name:e -tag:dog\n"
    assert "there is no saved search" in shell("search", "--saved", "reds", code=1)[1]
    assert "frame or object" in shell("saved", "cats", "kind:thing", code=1)[1]
    for wrong in (["cats"], ["cats", "red", "--remove"], ["--remove"]):
        with pytest.raises(SystemExit):
            shell("saved", *wrong)
    shell("saved", "cats", "--remove")


def test_a_segment_is_searched_for_by_its_id(shell: Shell) -> None:
    (dog,) = shell.objects("search", "--json", "tag:dog")
    found = shell.objects("search", "--json", f"like:segment:{dog['segment_id']}")
    assert found[0]["segment_id"] == dog["segment_id"] and found[0]["score"] > 0.999
    away = shell.objects("search", "--json", "--", f"-like:segment:{dog['segment_id']}")
    assert away[-1]["segment_id"] == dog["segment_id"] and away[-1]["score"] < -0.999


def test_an_image_in_the_text_is_that_of_the_option(shell: Shell) -> None:
    hits = shell.objects("search", "--json", "red", "--image", "blue.png")
    assert shell.objects("search", "--json", "red like:blue.png") == hits
    assert "there is no such file" in shell("search", "like:gone.png", code=1)[1]
    out, err = shell("search", "🐱 like:blue.png")
    assert out and "the rest was searched for" in err


def test_an_export_writes_what_a_filter_leaves(shell: Shell, tmp_path: Path) -> None:
    every, dogs = tmp_path / "every", tmp_path / "dogs"
    shell("export", every)
    shell("export", dogs, "--where", "tag:dog")
    written = {path.name for path in every.rglob("*.jpg")}
    assert {path.name for path in dogs.rglob("*.jpg")} < written
    (dog,) = shell.objects("search", "--json", "tag:dog")
    assert {path.parent.name for path in dogs.rglob("*.jpg")} == set(dog["tags"])
    _, err = shell("export", tmp_path / "none", "--where", "tag:cat", code=1)
    assert "no segment has a tag" in err and not (tmp_path / "none").exists()


def examples() -> list[str]:
    return [
        code
        for row in re.findall(r"^\| (`.*?`) \| ", DOCS, re.MULTILINE)
        for code in re.findall(r"`([^`]+)`", row)
    ]


def test_the_docs_searches_run(shell: Shell) -> None:
    commands = re.findall(r"^    bash run\.sh (sea.*|saved.*)$", DOCS, re.MULTILINE)
    assert len(commands) == 12
    for command in commands:
        shell(*shlex.split(command))
    for text in re.findall(r"`search -- '([^`]+)'`", DOCS):
        assert names(shell, "--", text)[-1] == "red"


def test_the_docs_tables_are_read_as_they_say() -> None:
    assert len(examples()) > 30
    for text in examples():
        query = parse_query(text)
        is_sentence = text == "a red car at night"
        assert query.words == text if is_sentence else text not in query.words, text
    for text in (
        "car: red",
        "10:30",
        "-5",
        "man with hat",
        "C++",
        '"',
        "colour:red",
        '"kind:thing"',
    ):
        assert f"`{text}`" in DOCS and parse_query(text).words == text
