"""A format in a module of its own, with one registration, is offered everywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import main
from src.database.metadata_db import MetadataDatabase
from src.dataset_events import DatasetFileChecked
from src.datasets import registry
from src.datasets.atomic_output import DatasetFolder
from src.datasets.dataset_writer import Manifest
from src.datasets.export import check_dataset
from src.errors import ExportError, OptionError
from src.events import JobDone
from src.library_files import SafeFolder
from src.ownership import LABELS_COLUMNS
from src.search.recipe import Recipe
from tests.datasets.exporting import export_dataset, preview_dataset
from tests.datasets.new_format import add_tagged, labels_in, register_lines


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register_lines(tmp_path / "another package", monkeypatch)


@pytest.fixture
def tagged(metadata: MetadataDatabase) -> MetadataDatabase:
    add_tagged(metadata)
    return metadata


def test_todays_format_reads_back(tagged: MetadataDatabase, tmp_path: Path) -> None:
    events = list(export_dataset(tagged, tmp_path / "dataset"))
    assert len([event for event in events if isinstance(event, DatasetFileChecked)]) == 4
    assert labels_in("tag_folders", tmp_path / "dataset") == {"red": 2, "=1": 1}
    for damage in ("file,tag\n", "\0", ",".join(LABELS_COLUMNS) + "\nred/a.jpg,red,0.5\n"):
        (tmp_path / "dataset" / "labels.csv").write_text(damage, encoding="utf-8")
        with pytest.raises(ValueError):
            labels_in("tag_folders", tmp_path / "dataset")


@pytest.mark.usefixtures("lines")
def test_it_previews_exports_and_reads_back(tagged: MetadataDatabase, tmp_path: Path) -> None:
    options = {"share": 1, "folder": "pictures", "with_boxes": False, "case": "upper"}
    preview = preview_dataset(tagged, Recipe(format="lines", options=options))
    assert preview.written == {"red": 2, "=1": 1}
    kept = tmp_path / "kept"
    kept.mkdir()
    for folder in (tmp_path / "new", kept):
        *_, done = export_dataset(tagged, folder, Recipe(format="lines", options=options))
        assert done == JobDone(segments=3, written=folder)
        assert labels_in("lines", folder) == {"RED": 2, "=1": 1}
        assert (folder / "pictures" / "part" / "a.jpg-00002.jpg").is_file()
        assert {child.name for child in folder.iterdir()} == {
            "pictures",
            "labels.jsonl",
            "manifest.json",
        }
        first = json.loads((folder / "labels.jsonl").read_text(encoding="utf-8").splitlines()[0])
        assert first["box"] is None


@pytest.mark.usefixtures("lines")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"colour": "red"}, "there is no option 'colour'; there is share, folder"),
        ({"share": 1.5}, "Share for validation: 1.5 is not a number from 0 to 1"),
        ({"share": float("nan")}, "is not a number from 0 to 1"),
        ({"level": True}, "Level: True is not a whole number from 1 to 9"),
        ({"level": 2.5}, "is not a whole number"),
        ({"case": "Title"}, "'Title' is not lower or upper"),
        ({"with_boxes": "yes"}, "'yes' is not yes or no"),
    ],
)
def test_what_can_not_be_chosen_is_said(
    tagged: MetadataDatabase, tmp_path: Path, options: dict[str, object], said: str
) -> None:
    with pytest.raises(OptionError, match=said):
        list(export_dataset(tagged, tmp_path / "dataset", Recipe(format="lines", options=options)))
    assert not (tmp_path / "dataset").exists()


def test_a_format_that_is_not_there_is_said(tagged: MetadataDatabase, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="there is no format 'slides'; there is tag_folders"):
        list(export_dataset(tagged, tmp_path / "dataset", Recipe(format="slides")))


@pytest.mark.usefixtures("lines")
def test_a_key_stands_for_one_format() -> None:
    with pytest.raises(ValueError, match="'lines' is registered twice"):
        registry.register_format(registry.export_format("lines"))


@pytest.mark.usefixtures("lines")
@pytest.mark.parametrize("wrong", ["a byte", "a file", "a label", "a line"])
def test_what_does_not_read_back_is_not_kept(
    tagged: MetadataDatabase, tmp_path: Path, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: Any = registry.export_format("lines")
    write = lines.write

    def write_wrong(selected: Any, options: Any, output: Any) -> Iterator[Any]:
        yield from write(selected, options, output)
        (staged,) = tmp_path.glob(".export-*/dataset")
        image = staged / "images" / "part" / "a.jpg-00000.jpg"
        if wrong == "a byte":
            image.write_bytes(b"\0" + image.read_bytes()[1:])
        elif wrong == "a file":
            image.unlink()
        elif wrong == "a label":
            for name, planned in output.manifest.images.items():
                others = tuple(replace(each, label="blue") for each in planned.annotations)
                output.manifest.images[name] = replace(planned, annotations=others)
        else:
            (staged / "labels.jsonl").write_text("", encoding="utf-8")

    monkeypatch.setattr(lines, "write", write_wrong)
    with pytest.raises(ExportError, match="nothing was kept"):
        list(export_dataset(tagged, tmp_path / "dataset", Recipe(format="lines")))
    assert not (tmp_path / "dataset").exists() and not list(tmp_path.glob(".export-*"))


def test_a_dataset_that_names_other_files_is_not_what_was_written(
    tagged: MetadataDatabase, tmp_path: Path
) -> None:
    list(export_dataset(tagged, tmp_path / "dataset"))
    dataset = DatasetFolder(SafeFolder(tmp_path / "dataset"))
    with pytest.raises(ExportError, match=r"a\.jpg-00000\.jpg does not read back"):
        list(check_dataset(registry.export_format("tag_folders"), dataset, Manifest()))


# -- on the command line


def said_by(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    try:
        code = main.main([str(word) for word in words])
    except SystemExit as ended:
        code = int(ended.code or 0)
    out, err = capsys.readouterr()
    return code, " ".join((out + err).split())


def test_with_one_format_there_is_nothing_to_choose(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    only = {"tag_folders": registry.export_format("tag_folders")}
    monkeypatch.setattr(registry, "_formats", only)
    code, said = said_by(capsys, "export", "--help")
    assert code == 0 and "--format" not in said and "Write a dataset" in said


@pytest.mark.usefixtures("lines")
def test_the_command_line_draws_its_flags_from_it(
    tagged: MetadataDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = said_by(capsys, "export", "--help")
    assert code == 0 and "--format FORMAT" in said
    assert "lines: One line per image in labels.jsonl." in said
    for text in (
        "Share for validation: a number from 0 to 1; 0.2 by default (lines)",
        "--with-boxes VALUE",
        "Case of the labels: lower or upper; lower by default (lines)",
    ):
        assert text in said, said
    tagged.close()
    library = ("--library", tagged.paths.root, "export")
    words = ("--format", "lines", "--with-boxes", "no", "--case", "upper")
    code, said = said_by(capsys, *library, tmp_path / "dataset", *words)
    assert code == 0 and "2 crops in" in said
    assert labels_in("lines", tmp_path / "dataset") == {"RED": 2, "=1": 1}
    for words, told in (
        (("--format", "lines", "--share", "2"), "2.0 is not a number from 0 to 1"),
        (("--format", "lines", "--level", "x"), "'x' is not a whole number from 1 to 9"),
        (("--share", "0.5"), "--share is no option of the format tag_folders"),
        (("--format", "slides"), "invalid choice: 'slides'"),
    ):
        code, said = said_by(capsys, *library, tmp_path / "other", *words)
        assert code == 2 and told in said and not (tmp_path / "other").exists(), said
