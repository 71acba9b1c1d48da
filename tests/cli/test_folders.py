"""Folders that are added, files that are gone, and what is removed, as scripts speak to it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from main import main
from src.settings import Settings
from tests.cli.test_main import Shell


@pytest.fixture
def folder(tmp_path: Path, scene_files: list[Path]) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, file in enumerate(scene_files[:3]):
        shutil.copy(file, folder / f"{number}.png")
    return folder


@pytest.fixture
def shell(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    """A library of whole frames, which take no time."""
    library = tmp_path / "library"
    library.mkdir()
    Settings(sam_model="none").save(library / "settings.json")
    assert main(["--library", str(library), "ingest", str(folder)]) == 0
    return Shell(library, capsys)


def test_an_add_says_in_one_line_what_it_passed_over(shell: Shell, folder: Path) -> None:
    assert "Passed over" not in shell("ingest", folder)[1]
    (folder / "@eaDir").mkdir()
    shutil.copy(folder / "1.png", folder / "@eaDir" / "thumb.png")
    (folder / "drawing.svg").write_text("<svg/>")
    _, err = shell("ingest", folder)
    line = "Passed over: 1 thumbnail of another program, 1 file of a kind not read (.svg)."
    assert line in err.splitlines()
    done = shell.objects("ingest", "--json", folder)[-1]
    assert (done["event"], done["passed_over"]["thumbnails"]) == ("JobDone", 1)
    assert done["passed_over"]["not_read"] == {".svg": 1}


def test_what_was_removed_stays_away_until_it_is_asked_for(shell: Shell, folder: Path) -> None:
    out, err = shell("remove", folder / "1.png", folder / "2.png")
    assert out.splitlines() == [f"removed  {folder / f'{number}.png'}" for number in (1, 2)]
    assert "2 media files removed" in err and (folder / "1.png").is_file()
    _, err = shell("ingest", folder)
    assert "Passed over: 2 that you removed" in err and "ingest --again" in err
    assert shell.objects("stats", "--json")[0]["media_files"] == 1
    assert "Passed over" not in shell("ingest", folder / "1.png")[1]
    assert "Passed over: 1 that you removed" in shell("ingest", folder)[1]
    assert "Passed over" not in shell("ingest", "--again", folder)[1]
    assert shell.objects("stats", "--json")[0]["media_files"] == 3


def test_missing_files_are_said_and_removed(
    shell: Shell, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "1.png").unlink()
    hits = shell.objects("search", "red", "--json")
    assert {Path(hit["path"]).name: hit["missing"] for hit in hits} == {
        "0.png": False,
        "1.png": True,
        "2.png": False,
    }
    out, _ = shell("search", "red")
    assert [line for line in out.splitlines() if "(missing)" in line] == [
        line for line in out.splitlines() if "1.png" in line
    ]
    out, err = shell("verify", code=1)
    assert f"problem  {folder / '1.png'}: the file is missing" in err
    assert "1 problem left" in out and "1 missing file;" in out
    assert json.loads(shell("remove", "--missing", "--json")[0]) == {
        "removed": str(folder / "1.png")
    }
    assert shell("remove", "--missing")[1].endswith("0 media files removed from the library.\n")
    assert "the library is sound" in shell("verify")[0]
    shutil.rmtree(folder)
    monkeypatch.chdir(folder.parent)
    assert len(shell("remove", "photos", "--missing")[0].splitlines()) == 2


def test_a_copy_that_is_known_takes_over(shell: Shell, folder: Path) -> None:
    copies = folder.parent / "copies"
    shutil.copytree(folder, copies)
    shell("ingest", copies)
    shutil.rmtree(folder)
    hits = shell.objects("search", "red", "--json")
    assert {Path(hit["path"]).parent for hit in hits} == {copies}
    assert not any(hit["missing"] for hit in hits)
    assert "the library is sound" in shell("verify")[0]


def test_what_is_not_in_the_library_can_t_be_removed(shell: Shell, folder: Path) -> None:
    out, err = shell("remove", folder / "1.png", folder / "no such.png", code=1)
    assert not out and f"{folder / 'no such.png'}: not in the library" in err
    assert shell.objects("stats", "--json")[0]["media_files"] == 3
    with pytest.raises(SystemExit, match="2"):
        shell("remove")
