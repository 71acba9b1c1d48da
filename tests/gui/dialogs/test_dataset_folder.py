"""Which folder a person means who types one for a dataset."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.gui.dialogs.dataset_folder import dataset_folder

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
