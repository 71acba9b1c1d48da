"""Single crops, copied into a person's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.database.metadata_db import MetadataDatabase
from src.datasets.saved_crops import save_crops
from src.errors import ExportError
from tests.conftest import add_frame_of_qualities


@pytest.fixture
def ids(metadata: MetadataDatabase) -> list[str]:
    add_frame_of_qualities(metadata, [None, 0.5, 0.6], "a cat.jpg")
    for number, crop_path in enumerate(sorted(metadata.crop_paths())):
        path = metadata.paths.root / crop_path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"crop %d" % number)
    return metadata.segment_ids()


def test_each_is_a_file_of_its_own_and_nothing_is_written_over(
    metadata: MetadataDatabase, ids: list[str], tmp_path: Path
) -> None:
    (tmp_path / "a cat 1.jpg").write_bytes(b"a person's")
    saved = save_crops(metadata, [*ids[1:], "gone"], tmp_path)
    assert [path.name for path in saved] == ["a cat 2.jpg", "a cat 3.jpg"]
    assert (tmp_path / "a cat 1.jpg").read_bytes() == b"a person's"
    for segment_id, path in zip(ids[1:], saved, strict=True):
        segment = metadata.segments([segment_id])[segment_id]
        assert path.read_bytes() == segment.crop_path.read_bytes()


def test_what_can_t_be_saved_is_said(
    metadata: MetadataDatabase, ids: list[str], tmp_path: Path
) -> None:
    with pytest.raises(ExportError, match="search again"):
        save_crops(metadata, ["gone"], tmp_path)
    with pytest.raises(ExportError, match=r"nowhere.*can't be saved"):
        save_crops(metadata, ids, tmp_path / "nowhere")
    metadata.segments(ids)[ids[0]].crop_path.unlink()
    with pytest.raises(ExportError, match="can't be saved"):
        save_crops(metadata, ids, tmp_path)
