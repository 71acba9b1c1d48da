from __future__ import annotations

from pathlib import Path

import pytest

from src.config import LibraryPaths, Settings, write_atomically
from src.errors import DatabaseError


def test_settings_come_back_as_they_were_saved(tmp_path: Path) -> None:
    settings = Settings(frames_per_second=2.5, points_per_side=16)
    settings.save(tmp_path / "settings.json")
    assert Settings.load(tmp_path / "settings.json") == settings


def test_no_file_gives_the_defaults_and_unknown_names_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    assert Settings.load(path) == Settings()
    path.write_text('{"batch_size": 8, "from_the_future": true}')
    assert Settings.load(path) == Settings(batch_size=8)


@pytest.mark.parametrize("text", ["{", "[]", '{"batch_size": 0}', '{"batch_size": "many"}'])
def test_settings_that_can_not_be_are_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.json"
    path.write_text(text)
    with pytest.raises(DatabaseError, match=r"settings\.json"):
        Settings.load(path)


def test_a_write_that_fails_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_where_no_library_can_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseError, match="choose another folder"):
        LibraryPaths(tmp_path / "file" / "library").create()
