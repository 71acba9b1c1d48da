"""Media files that are gone, and the copies that take their places."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import pytest

from src import presence
from src.events import FileKnown, MissingMediaFound, ProblemFound, Progress
from src.library import MediaLibrary
from src.presence import FilePresence, presence_of
from tests.processing.test_ingest import add, of_kind
from tests.processing.test_ingest import shared_models as shared_models
from tests.processing.test_moved_files import folder as folder
from tests.processing.test_moved_files import library as library
from tests.processing.test_moved_files import sound, tags


def problems(library: MediaLibrary, repair: bool = False) -> list[ProblemFound]:
    return [p for p in of_kind(list(library.verify(repair)), ProblemFound) if p.is_missing_file]


def test_files_that_are_gone_are_found_and_said(library: MediaLibrary, folder: Path) -> None:
    paths = [folder / f"{number}.png" for number in (1, 2, 3)]
    assert library.missing(paths) == {}
    paths[0].unlink()
    assert library.missing(paths) == {paths[0]: None}
    assert [media.path for media in library.missing_media()[0]] == [paths[0]]
    (problem,) = problems(library)
    assert str(paths[0]) in problem.what and "missing" in problem.what
    shutil.rmtree(folder)
    gone, away = library.missing_media()
    assert [media.path for media in gone] == paths and not away
    *steps, found = library.upkeep.look_for_missing()
    assert steps == [Progress("missing", 3, 3)]
    assert found == MissingMediaFound(tuple(media.id for media in gone), 0)
    assert len(problems(library, repair=True)) == 3


def test_a_copy_that_a_walk_has_met_takes_over(library: MediaLibrary, folder: Path) -> None:
    copies = folder.parent / "copies"
    shutil.copytree(folder, copies)
    events = add(library, copies)
    assert [known.reason for known in of_kind(events, FileKnown)] == [
        f"same content as {folder / f'{number}.png'}" for number in (1, 2, 3)
    ]
    before = tags(library)
    (copies / "2.png").write_bytes(b"something else")
    shutil.rmtree(folder)
    paths = [folder / f"{number}.png" for number in (1, 2, 3)]
    assert library.missing(paths) == {
        paths[0]: copies / "1.png",
        paths[1]: None,  # the copy is one no longer
        paths[2]: copies / "3.png",
    }
    assert library.missing([copies / "1.png", copies / "3.png"]) == {}
    assert tags(library) == before
    shutil.copytree(copies, folder)  # the first ones are back, and the others go
    shutil.rmtree(copies)
    assert library.missing([copies / "1.png"]) == {copies / "1.png": folder / "1.png"}


def test_of_all_files_those_with_a_copy_are_not_gone(library: MediaLibrary, folder: Path) -> None:
    copies = folder.parent / "copies"
    copies.mkdir()
    shutil.copy(folder / "2.png", copies / "2.png")
    add(library, copies)
    shutil.rmtree(folder)
    gone, away = library.missing_media()
    assert [media.path.name for media in gone] == ["1.png", "3.png"] and not away
    assert library.media_under(copies / "2.png")


def test_verify_says_which_files_have_a_copy_and_repair_takes_it(
    library: MediaLibrary, folder: Path
) -> None:
    copies = folder.parent / "copies"
    shutil.copytree(folder, copies)
    add(library, copies)
    (folder / "1.png").unlink()
    (said,) = problems(library)
    assert not said.mended
    (mended,) = problems(library, repair=True)
    assert mended.mended and str(copies / "1.png") in mended.what
    sound(library)


def test_no_copy_is_remembered_of_what_was_removed(library: MediaLibrary, folder: Path) -> None:
    shutil.copy(folder / "1.png", folder / "copy.png")
    add(library, folder)
    db = library.metadata.connection.read()
    noted = "SELECT count(*) FROM info WHERE key LIKE 'copies of%'"
    assert db.execute(noted).fetchone()[0] == 1
    library.remove([media.id for media in library.media_under(folder / "1.png")])
    assert db.execute(noted).fetchone()[0] == 0


def test_a_planted_note_of_copies_is_no_list(library: MediaLibrary, folder: Path) -> None:
    (media,) = library.media_under(folder / "1.png")
    for text in ("no json", '{"a": 1}', '["relative.png"]', '["/a\\u0000b"]', "[" * 9999):
        library.metadata.set_info(f"copies of media file {media.id}", text)
        (folder / "1.png").unlink(missing_ok=True)
        assert library.missing([media.path]) == {media.path: None}


def test_a_drive_that_does_not_answer_keeps_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead, here, gone = Path("/net/dead/a/1.jpg"), tmp_path / "2.jpg", tmp_path / "3.jpg"
    here.write_bytes(b"2")
    hangs, looked = threading.Event(), presence.presence_of

    def hanging(path: Path) -> presence.Presence:
        if path == dead:
            hangs.wait(60)
        return looked(path)

    monkeypatch.setattr(presence, "presence_of", hanging)
    files = FilePresence()
    expected = {dead: "away", here: "here", gone: "gone"}
    before = threading.active_count()
    assert files.look([dead, here, gone], 0.05) == expected
    assert files.look([dead, here, gone], 0.05) == expected
    assert threading.active_count() == before + 1  # one thread waits for it, and no more
    hangs.set()


def test_a_drive_that_is_not_connected_is_told_from_a_file_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "media"
    (mounts / "me").mkdir(parents=True)
    (mounts / "empty").mkdir()
    monkeypatch.setattr(presence, "MOUNT_FOLDERS", frozenset({mounts}))
    assert presence_of(mounts / "me" / "DISK" / "a" / "1.jpg") == "away"
    assert presence_of(mounts / "empty" / "1.jpg") == "away"
    assert presence_of(mounts / "DISK" / "1.jpg") == "away"
    assert presence_of(tmp_path / "photos" / "1.jpg") == "gone"
    (tmp_path / "photos").mkdir()
    assert presence_of(tmp_path / "photos" / "1.jpg") == "gone"
    monkeypatch.setattr(os.path, "ismount", lambda path: True)
    assert presence_of(mounts / "me" / "a" / "1.jpg") == "gone"
    assert presence_of(tmp_path) == "gone"  # no file
    assert presence_of(Path("/a\0b")) == "gone"
