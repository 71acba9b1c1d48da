"""Which folder a person means who types one for a dataset."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.gui.dialogs.dataset_folder import dataset_folder, folder_problem

DATASETS = Path("/library/datasets")


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("birds", "/library/datasets/birds"),
        (" birds ", "/library/datasets/birds"),
        ("./birds", "/library/datasets/birds"),
        ("datasets/birds", "/library/datasets/birds"),
        ("of 2026/birds", "/library/datasets/of 2026/birds"),
        ("datasets of mine", "/library/datasets/datasets of mine"),
        ("/elsewhere/birds", "/elsewhere/birds"),
    ],
)
def test_a_relative_name_lies_in_the_librarys_datasets(text: str, folder: str) -> None:
    assert dataset_folder(DATASETS, text) == Path(folder)


def test_home_is_a_persons_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert dataset_folder(DATASETS, "~/birds") == Path("/home/ada/birds")


def test_only_a_folder_that_is_new_or_empty_will_do(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note.txt").write_text("a")
    (tmp_path / "empty").mkdir()
    assert folder_problem(tmp_path, " ") == "Choose a folder for the dataset."
    assert folder_problem(tmp_path, "new") == folder_problem(tmp_path, "empty") == ""
    assert folder_problem(tmp_path, "full").startswith("This folder is not empty.")
    assert folder_problem(tmp_path, "full/note.txt").startswith("This is a file.")
    assert "home folder" in folder_problem(tmp_path, "~nobody-of-this-name/birds")
