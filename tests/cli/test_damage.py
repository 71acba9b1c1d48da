"""What the command line says of a library that was damaged."""

from __future__ import annotations

from contextlib import closing

import pytest

from main import main
from src.config import LibraryPaths
from src.database.connection import PAGE_SIZE
from src.database.metadata_db import MetadataDatabase
from tests.conftest import add_media_with, unit_vectors


def test_a_damaged_library_is_told_of_in_one_line(
    paths: LibraryPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(MetadataDatabase(paths)) as metadata:
        for number in range(5):
            add_media_with(metadata, unit_vectors(20, seed=number), f"{number}.jpg")
    size = paths.metadata_db.stat().st_size
    with paths.metadata_db.open("r+b") as stream:
        stream.seek(size - size // 8)
        stream.write(b"\xa5" * (size // 8))
    assert main(["--library", str(paths.root), "export", str(paths.root / "out")]) == 1  # no tags
    said = capsys.readouterr().err
    assert said.count("damaged and has been recovered") == 1
    main(["--library", str(paths.root), "export", str(paths.root / "out")])
    assert "recovered" not in capsys.readouterr().err


@pytest.mark.parametrize("told_by", ["export", "verify"])
def test_damage_since_the_days_backup_is_one_line_and_the_next_start_mends_it(
    paths: LibraryPaths, capsys: pytest.CaptureFixture[str], told_by: str
) -> None:
    def run(*words: str) -> tuple[int, str]:
        code = main(["--library", str(paths.root), *words])
        return code, capsys.readouterr().err

    with closing(MetadataDatabase(paths)) as metadata:
        for number in range(5):
            add_media_with(metadata, unit_vectors(20, seed=number), f"{number}.jpg")
    MetadataDatabase(paths).close()  # writes the day's backup
    with paths.metadata_db.open("r+b") as stream:
        stream.seek(PAGE_SIZE)
        stream.write(b"\xa5" * (paths.metadata_db.stat().st_size - PAGE_SIZE))
    if told_by == "export":
        code, said = run("export", str(paths.root / "out"))
        assert (code, said.count("\n")) == (1, 1) and "is damaged" in said
    code, said = run("verify")
    # the pictures are none that exist, and that is left
    assert code == 1 and said.count("damaged and has been recovered") == 1
    with closing(MetadataDatabase(paths)) as metadata:
        assert metadata.counts()["segments"] == 100 and metadata.connection.recovered is None
