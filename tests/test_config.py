from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from src.config import LibraryPaths
from src.errors import DatabaseError
from src.library_files import write_atomically
from src.settings import Settings


def test_settings_come_back_as_they_were_saved(tmp_path: Path) -> None:
    settings = Settings(
        frames_per_second=2.5,
        points_per_side=16,
        media_order="name",
        thumbnail_width=240,
        recent_searches=("red circle", "blue"),
        last_folder="/photos",
    )
    settings.save(tmp_path / "settings.json")
    assert Settings.load(tmp_path / "settings.json") == settings


def test_no_file_gives_the_defaults_and_unknown_names_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    assert Settings.load(path) == Settings()
    Settings(batch_size=8).save(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "from_the_future": True}))
    assert Settings.load(path) == Settings(batch_size=8)


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b"7", b"\xff", b"[" * 100_000, b'{"editor.fontSize": 12}', b" " * (2 << 20)],
)
def test_a_file_that_holds_no_settings_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    with pytest.raises(DatabaseError, match=r"settings\.json"):
        Settings.load(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch_size", 0),
        ("batch_size", "many"),
        ("batch_size", 1.5),
        ("batch_size", True),
        ("frames_per_second", [1]),
        ("frames_per_second", float("nan")),
        ("frames_per_second", float("inf")),
        ("points_per_side", {"a": 1}),
        ("duplicate_distance", 1e300),
        ("min_segment_px", 10**400),
        ("blur_kernel", 21.0),
        ("pixel_limit", "250000000"),
        ("device", ["cpu"]),
        ("clip_model", 7),
        ("vocabulary", "a\0b"),
        ("appearance", None),
        ("log_queries", 1),
    ],
)
def test_a_setting_that_can_not_be_is_named_and_the_others_hold(
    tmp_path: Path, name: str, value: object
) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({name: value, "tag_confidence": 0.5}))
    said: list[str] = []
    assert Settings.load(path, said.append) == Settings(tag_confidence=0.5)
    assert len(said) == 1 and name in said[0] and str(path) in said[0]


@pytest.mark.skipif(os.name != "posix", reason="has pipes and devices")
@pytest.mark.parametrize("kind", ["pipe", "device", "link", "folder"])
def test_settings_that_are_no_file_are_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "settings.json"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        (tmp_path / "other.json").write_text("{}")
        path.symlink_to("/dev/zero" if kind == "device" else tmp_path / "other.json")
    with pytest.raises(DatabaseError, match=r"settings\.json"):
        Settings.load(path)


def test_a_write_that_fails_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")
    monkeypatch.setattr("os.replace", lambda *_, **__: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_where_no_library_can_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseError, match="choose another folder"):
        LibraryPaths(tmp_path / "file" / "library").create()


def test_settings_of_another_program_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"device": "cuda", "batch_size": 8, "learning_rate": 0.1}')
    with pytest.raises(DatabaseError, match="not the settings of this program"):
        Settings.load(path)
    path.write_text('{"device": "cpu"}')
    assert Settings.load(path).device == "cpu"


def test_a_home_that_nobody_knows_is_a_name_like_any_other() -> None:
    assert LibraryPaths(Path("~nosuchuser/x")).root.name == "x"
