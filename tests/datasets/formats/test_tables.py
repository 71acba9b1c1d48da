"""CSV and JSON Lines, with the vectors of segments."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from src.datasets.annotations import Annotation
from src.datasets.formats import tables
from src.datasets.formats.tables import COLUMNS, TABLE_FORMATS, Tables
from tests.datasets.formats.drawn_masks import HEIGHT, WIDTH
from tests.datasets.formats.planned import (
    HandPlan,
    all_masks,
    image_of,
    masked,
    read_back,
    write,
    written_files,
)


@dataclass(frozen=True)
class WithVectors(HandPlan):
    def embeddings(self, segment_ids: Sequence[str]) -> np.ndarray:
        return np.array([[float(each[2:]), 0.5, -1] for each in segment_ids], np.float32)


def rows_of(folder: Path) -> list[dict[str, Any]]:
    if (folder / "annotations.csv").exists():
        with (folder / "annotations.csv").open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))
    text = (folder / "annotations.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("table", TABLE_FORMATS, ids=lambda table: table.key)
def test_a_row_an_annotation(tmp_path: Path, table: Tables) -> None:
    plan = all_masks()
    write(table, plan, tmp_path / "d")
    rows = rows_of(tmp_path / "d")
    assert len(rows) == plan.annotations + 1  # and one for the image without any
    assert list(rows[0]) == list(COLUMNS)
    wanted = [each for image in plan for each in image.annotations]
    for row, mine in zip((row for row in rows if row["label"]), wanted, strict=True):
        assert tuple(int(row[name]) for name in "xywh") == mine.bbox_xywh
        mask = (row["mask_rle"] or "").removeprefix("'").encode() or None
        assert row["label"].removeprefix("'") == mine.label and mask == mine.mask_rle
    assert not (tmp_path / "d" / "embeddings.npy").exists()


@pytest.mark.parametrize("table", TABLE_FORMATS, ids=lambda table: table.key)
def test_all_that_is_said_comes_back_with_vectors(
    tmp_path: Path, table: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "_PART", 2)
    images = [
        image_of(
            f"={number}",
            masked("=cat", number, confidence=1 / 3, source="auto", segment_id=f"s-{number}"),
            masked("'dog", number, segment_id=f"s-{number}"),
            Annotation("dawn", segment_id=f"s-{number + 5}"),
        )
        for number in range(5)
    ]
    plan = WithVectors((*images, image_of("-")), ("=cat", "'dog", "dawn"))
    for name in "de":
        write(table, plan, tmp_path / name)
    for file in written_files(tmp_path / "d"):
        assert (tmp_path / "d" / file).read_bytes() == (tmp_path / "e" / file).read_bytes()
    read = read_back(table, tmp_path / "d")
    for image in plan.images:
        assert read[f"images/{image.stem}.jpg"].annotations == image.annotations
    vectors = np.load(tmp_path / "d" / "embeddings.npy")
    assert vectors.shape == (10, 3) and vectors.dtype == np.float32
    for row in rows_of(tmp_path / "d"):
        if row["segment_id"]:
            assert vectors[int(row["embedding"])][0] == float(row["segment_id"][2:])
    write(table, plan, tmp_path / "f", embeddings=False)
    assert "embeddings.npy" not in written_files(tmp_path / "f")
    assert not any(row["embedding"] for row in rows_of(tmp_path / "f"))
    content = (tmp_path / "d" / "embeddings.npy").read_bytes()
    (tmp_path / "d" / "embeddings.npy").write_bytes(content[:-4])
    with pytest.raises(ValueError, match="fewer vectors"):
        read_back(table, tmp_path / "d")


@pytest.mark.parametrize("table", TABLE_FORMATS, ids=lambda table: table.key)
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (str(WIDTH), "65"),
        (str(HEIGHT), "x"),
        ("b.jpg", "c.jpg"),
        ("label", "name"),
    ],
)
def test_damage_is_seen(tmp_path: Path, table: Tables, old: str, new: str) -> None:
    plan = HandPlan((image_of("b", masked("cat", 0, source="human")),), ("cat",))
    write(table, plan, tmp_path / "d")
    (file,) = (tmp_path / "d").glob("annotations.*")
    file.write_text(file.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError):
        read_back(table, tmp_path / "d")
