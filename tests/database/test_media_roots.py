"""Media files are known by a root and a path from there; a root moves with all that is in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from src.database.captured import moment_of
from src.database.metadata_db import MetadataDatabase
from src.errors import DatabaseError


def added(metadata: MetadataDatabase, *paths: str) -> None:
    for path in paths:
        metadata.add_media(Path(path), "image", 1, 1)


def there(metadata: MetadataDatabase) -> list[tuple[str, str, str]]:
    rows = metadata.connection.read().execute(
        "SELECT m.path, r.path AS root, m.relative_path FROM media_files m"
        " JOIN roots r ON r.id = m.root_id ORDER BY m.id"
    )
    return [(row[0], row[1], row[2]) for row in rows]


def test_a_file_is_below_the_root_that_is_there(metadata: MetadataDatabase) -> None:
    added(metadata, "/photos/a.jpg", "/photos/2020/b.jpg", "/photos b/c.jpg")
    assert there(metadata) == [
        ("/photos/a.jpg", "/photos", "a.jpg"),
        ("/photos/2020/b.jpg", "/photos", "2020/b.jpg"),
        ("/photos b/c.jpg", "/photos b", "c.jpg"),
    ]
    assert metadata.roots() == [Path("/photos"), Path("/photos b")]
    metadata.update_media(1, path=Path("/elsewhere/a.jpg"))
    assert there(metadata)[0] == ("/elsewhere/a.jpg", "/elsewhere", "a.jpg")


def test_a_root_moves_with_all_that_is_in_it(metadata: MetadataDatabase) -> None:
    added(metadata, "/photos/a.jpg", "/photos/2020/b.jpg", "/photos b/c.jpg")
    assert metadata.move_root(Path("/photos"), Path("/disk/photos")) == 2
    assert there(metadata) == [
        ("/disk/photos/a.jpg", "/disk/photos", "a.jpg"),
        ("/disk/photos/2020/b.jpg", "/disk/photos", "2020/b.jpg"),
        ("/photos b/c.jpg", "/photos b", "c.jpg"),
    ]
    assert metadata.move_root(Path("/"), Path("/mnt")) == 3  # a folder above all roots
    assert metadata.roots() == [Path("/mnt/disk/photos"), Path("/mnt/photos b")]
    assert metadata.damaged_rows() == [] and metadata.miscounted() == {}


def test_a_folder_below_a_root_moves_alone(metadata: MetadataDatabase) -> None:
    added(metadata, "/photos/a.jpg", "/photos/2020/b.jpg")
    assert metadata.move_root(Path("/photos/2020"), Path("/old")) == 1
    assert there(metadata) == [
        ("/photos/a.jpg", "/photos", "a.jpg"),
        ("/old/b.jpg", "/old", "b.jpg"),
    ]


def test_no_file_takes_the_place_of_another(metadata: MetadataDatabase) -> None:
    added(metadata, "/photos/a.jpg", "/disk/a.jpg")
    before = there(metadata)
    with pytest.raises(DatabaseError):
        metadata.move_root(Path("/photos"), Path("/disk"))
    assert there(metadata) == before


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2020-01-02T03:04:05+09:00", (1577901845.0, "+09:00")),
        ("2020-01-02T03:04:05.25Z", (1577934245.25, "UTC")),
        ("2020-01-02T03:04:05", (1577934245.0, "unknown")),
        ("2020-01-02", (1577923200.0, "unknown")),
        ("no date", (None, None)),
        (None, (None, None)),
    ],
)
def test_a_capture_time_is_an_instant_and_what_is_known_of_its_zone(
    text: str | None, moment: tuple[float | None, str | None]
) -> None:
    assert moment_of(text) == moment
