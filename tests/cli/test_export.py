"""`export` with every part of a recipe, and `recipes`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import main
from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.records import Tag
from tests.datasets.drawn_library import a_mask, add_photo


class Run:
    """Runs commands on a library of twelve photos with a car, a truck or a dog each."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self._capsys = root, capsys

    def __call__(self, *words: object) -> tuple[int, str]:
        try:
            code = main.main(["--library", str(self.root), *(str(word) for word in words)])
        except SystemExit as ended:
            code = int(ended.code or 0)
        out, err = self._capsys.readouterr()
        return code, out + err


@pytest.fixture
def run(paths: LibraryPaths, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    metadata = MetadataDatabase(paths)
    for number in range(12):
        masks = [a_mask((4 + number, 4, 30, 30)), a_mask((50, 40, 8, 6))]
        ids = add_photo(metadata, tmp_path / "photos" / f"{number}.png", masks, number)
        name = ("car", "truck", "dog")[number % 3]
        metadata.add_tags(ids[1], [Tag(name, 1.0, "human")], "human")
        metadata.add_tags(ids[2], [Tag("red", 0.4, "auto")], "human")
    metadata.close()
    return Run(paths.root, capsys)


def coco(folder: Path, name: str = "instances") -> dict[str, list[dict[str, object]]]:
    text = (folder / "annotations" / f"{name}.json").read_text(encoding="utf-8")
    read: dict[str, list[dict[str, object]]] = json.loads(text)
    return read


def test_labels_are_chosen_merged_and_split_and_the_recipe_is_kept(
    run: Run, tmp_path: Path
) -> None:
    words = ("--format", "coco", "--classes", "car, truck -> vehicle; dog", "--labels", "people")
    code, said = run("export", tmp_path / "one", *words, "--split", "50/50", "--save-recipe", "a b")
    assert code == 0 and "12 images in" in said and "`export --recipe NAME DIR` uses it" in said
    train, val = (coco(tmp_path / "one", f"instances_{side}") for side in ("train", "val"))
    assert [each["name"] for each in train["categories"]] == ["vehicle", "dog"]
    assert len(train["images"]) + len(val["images"]) == 12
    assert f"train {len(train['annotations'])}, val {len(val['annotations'])}" in said
    assert run("recipes") == (0, "a b  (coco)\n")
    code, said = run("export", tmp_path / "two", "--recipe", "A B")
    assert code == 0
    for side in ("train", "val"):  # no file changes sides
        both = [coco(tmp_path / name, f"instances_{side}") for name in ("one", "two")]
        assert both[0]["images"] == both[1]["images"]
        assert both[0]["annotations"] == both[1]["annotations"]
    code, said = run("export", tmp_path / "three", "--recipe", "a b", "--per-class", 2)
    assert code == 0 and "annotations above the limit per class" in said
    assert run("recipes", "a b", "--remove") == (0, "")
    code, said = run("export", tmp_path / "four", "--recipe", "a b")
    assert code == 1 and 'there is no recipe "a b"' in said


def test_what_would_be_written_is_counted_first(run: Run, tmp_path: Path) -> None:
    words = ("--format", "coco", "--confidence", "0.5", "--split", "80/20", "--dry-run")
    code, said = run("export", tmp_path / "d", *words)
    assert code == 0 and not (tmp_path / "d").exists()
    assert "12 annotations on 12 images" in said
    assert "left out: 12 tags below the minimum confidence" in said
    for name in ("car", "dog", "truck"):
        assert f"4  {name}\n" in said


def test_an_update_says_what_has_changed(run: Run, tmp_path: Path) -> None:
    words = ("export", tmp_path / "d", "--format", "coco")
    assert run(*words, "--classes", "car")[0] == 0
    code, said = run(*words, "--classes", "car; dog", "--update")
    assert code == 0 and "4 added, 0 removed, 0 with changed labels" in said
    assert len(coco(tmp_path / "d")["images"]) == 8
    code, said = run(*words)
    assert code == 1 and "this folder is not empty" in said


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--split", "80/80"), 1, "have to add up to 100"),
        (("--classes", "car -> "), 1, "is no class"),
        (("--images", "frames"), 1, "no images of the kind 'frames'"),
        (("--images", "holes"), 2, "invalid choice: 'holes'"),
        (("--confidence", "2"), 2, "must be from 0 to 1"),
        (("--confidence", "much"), 2, "invalid"),
        (("--per-class", "0"), 2, "must be 1 or more"),
        (("--recipe", "a", "--masks", "rle"), 2, "name the --format beside its options"),
    ],
)
def test_what_is_wrong_is_said(
    run: Run, tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    got, output = run("export", tmp_path / "d", *words)
    assert got == code and said in " ".join(output.split()) and not (tmp_path / "d").exists()


def test_a_recipe_is_named_to_be_removed(run: Run) -> None:
    assert run("recipes", "a")[0] == 2 and run("recipes", "--remove")[0] == 2
    assert "`export --save-recipe NAME DIR` saves one" in run("recipes")[1]
