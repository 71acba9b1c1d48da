"""Near-duplicates in a library: found, decided on, hidden, moved to the trash."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from main import main
from src.config import LibraryPaths
from src.database.duplicate_groups import DuplicateGroups
from src.errors import MediaReadError, QueryError
from src.events import DuplicatesFound, FileFailed, FileTrashed
from src.library import MediaLibrary
from src.records import DuplicateGroup
from src.search.filter_text import parse_filter
from src.settings import Settings
from tests.benchmarks.duplicates import draw_library, measure
from tests.conftest import MakeVideo

CLIP_ALONE = Settings(sam_model="none")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of drawn scenes with copies and look-alikes, in which duplicates were found."""
    root = tmp_path_factory.mktemp("duplicates")
    (root / "media").mkdir()
    draw_library(root / "media", 5, width=320)
    with MediaLibrary(LibraryPaths(root / "library"), settings=CLIP_ALONE) as library:
        measured = measure(root / "media", library)
    assert measured.precision >= 0.98 and measured.mixed == 0
    assert measured.recall >= 0.9  # few pairs: one that is missed is 1 % of them
    return root


@pytest.fixture
def root(drawn: Path, tmp_path: Path) -> Path:
    shutil.copytree(drawn, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture
def library(root: Path) -> Iterator[MediaLibrary]:
    with MediaLibrary(LibraryPaths(root / "library"), settings=CLIP_ALONE) as library:
        old = next(iter(library.roots()))
        if old != root / "media":
            library.move_root(old, root / "media")
        yield library


def first_group(library: MediaLibrary) -> DuplicateGroup:
    return library.duplicates.group(library.duplicates.group_ids()[0])


def test_what_was_found_is_kept_and_the_original_is_suggested(library: MediaLibrary) -> None:
    assert library.duplicates.is_current()
    for group_id in library.duplicates.group_ids():
        group = library.duplicates.group(group_id)
        assert group.verdict == "open" and len(group.files) > 3
        assert group.files[0].media.path.name.endswith("-original.png")


def test_hidden_copies_leave_search_and_library_until_that_is_undone(
    library: MediaLibrary,
) -> None:
    group = first_group(library)
    others = {file.media.id for file in group.files[1:]}
    everything = library.browse.media_ids("added")
    assert library.search("is:hidden", n_results=99).hits == ()
    library.duplicates.hide_others(group.id, group.files[0].media.id)
    assert set(everything) - set(library.browse.media_ids("added")) == others
    assert len(library.browse.media_ids("name", with_hidden=True)) == len(everything)
    for text in ("red", "kind:frame", "not media:video"):
        found = {hit.segment.media_file_id for hit in library.search(text, n_results=99)}
        assert found and not found & others
    asked = {hit.segment.media_file_id for hit in library.search("is:hidden", n_results=99)}
    assert asked == others
    assert library.browse.count_left("kind:frame") == len(everything) - len(others)
    hidden = parse_filter("is:hidden")
    assert set(library.browse.media_ids("added", hidden)) == others
    known = library.metadata.duplicates.copies_among(everything).together
    assert set(known[group.id]) == others | {group.files[0].media.id}
    copies = {hit.segment.media_file_id for hit in library.search("is:duplicate", n_results=99)}
    assert copies >= others | {group.files[0].media.id}
    library.duplicates.undo(group.id)
    assert library.browse.media_ids("added") == everything
    with pytest.raises(QueryError, match="is:odd"):
        library.search("is:odd")


def test_copies_of_a_picture_are_one_hit_unless_they_are_called_no_duplicates(
    library: MediaLibrary,
) -> None:
    group = first_group(library)
    members = {file.media.id for file in group.files}

    def cards() -> int:
        found = library.search("red kind:frame", n_results=99, one_of_each=True)
        return sum(hit.segment.media_file_id in members for hit in found)

    assert cards() == 1
    library.duplicates.keep_apart(group.id)
    assert cards() == len(members)


def test_a_hidden_copy_comes_back_when_the_one_that_was_kept_is_removed(
    library: MediaLibrary,
) -> None:
    group = first_group(library)
    library.duplicates.hide_others(group.id, group.files[0].media.id)
    library.remove([group.files[0].media.id])
    assert {file.media.id for file in group.files[1:]} <= set(library.browse.media_ids("added"))


def test_decisions_stay_when_duplicates_are_looked_for_again(library: MediaLibrary) -> None:
    apart, kept, *_ = library.duplicates.group_ids()
    members = {file.media.id for file in library.duplicates.group(apart).files}
    library.duplicates.keep_apart(apart)
    library.duplicates.keep_all(kept)
    assert not members & {
        hit.segment.media_file_id for hit in library.search("is:duplicate", n_results=99)
    }
    *_, last = library.duplicates.find()
    assert isinstance(last, DuplicatesFound)
    verdicts = [library.duplicates.group(each).verdict for each in library.duplicates.group_ids()]
    assert verdicts.count("open") == last.groups == len(verdicts) - 2
    assert sorted(set(verdicts)) == ["apart", "kept", "open"]


def in_the_trash(monkeypatch: pytest.MonkeyPatch, trash: Path) -> None:
    trash.mkdir()
    monkeypatch.setattr("send2trash.send2trash", lambda path: shutil.move(path, trash))


def test_files_go_to_the_trash_and_out_of_the_library(
    library: MediaLibrary, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_the_trash(monkeypatch, root / "trash")
    group = first_group(library)
    kept, changed, *others = group.files
    changed.media.path.write_bytes(b"something else")
    events = list(library.duplicates.trash_others(group.id, kept.media.id))
    trashed = {event.path for event in events if isinstance(event, FileTrashed)}
    assert trashed == {file.media.path for file in others}
    assert [event.path for event in events if isinstance(event, FileFailed)] == [changed.media.path]
    assert {path.name for path in (root / "trash").iterdir()} == {path.name for path in trashed}
    left = set(library.browse.media_ids("added"))
    assert {kept.media.id, changed.media.id} <= left
    assert not left & {file.media.id for file in others}
    assert kept.media.path.is_file()


def test_nothing_goes_to_the_trash_where_the_file_to_keep_is_gone(
    library: MediaLibrary, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_the_trash(monkeypatch, root / "trash")
    group = first_group(library)
    group.files[0].media.path.unlink()
    with pytest.raises(MediaReadError, match="nothing was moved"):
        list(library.duplicates.trash_others(group.id, group.files[0].media.id))
    assert not list((root / "trash").iterdir())
    assert all(file.media.path.is_file() for file in group.files[1:])


def test_what_the_trash_refuses_stays_in_the_library(
    library: MediaLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str) -> None:
        raise PermissionError(13, "no trash on this drive")

    monkeypatch.setattr("send2trash.send2trash", refuse)
    group, before = first_group(library), library.browse.media_ids("added")
    events = list(library.duplicates.trash_others(group.id, group.files[0].media.id))
    failed = [event for event in events if isinstance(event, FileFailed)]
    assert len(failed) == len(group.files) - 1 and "no trash" in failed[0].reason
    assert library.browse.media_ids("added") == before


def test_only_a_file_of_the_group_can_be_kept(library: MediaLibrary) -> None:
    group, other = (library.duplicates.group(each) for each in library.duplicates.group_ids()[:2])
    with pytest.raises(QueryError, match="not in this group"):
        library.duplicates.hide_others(group.id, other.files[0].media.id)
    with pytest.raises(QueryError, match="no longer there"):
        library.duplicates.keep_all(10_000)


def test_the_command_line_lists_groups_and_moves_files_only_when_told_to(
    library: MediaLibrary,
    root: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    in_the_trash(monkeypatch, root / "trash")
    group = first_group(library)
    library.close()
    command = ["--library", str(root / "library"), "duplicates"]
    assert main([*command, "--json"]) == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert listed[0]["group"] == group.id and listed[0]["verdict"] == "open"
    assert [file["best"] for file in listed[0]["files"]].count(True) == 1
    other = group.files[1].media.path
    assert main([*command, "hide", str(group.id), "--best", str(other)]) == 0
    assert main([*command, "undo", str(group.id)]) == 0
    assert main([*command, "trash", str(group.id)]) == 0
    assert not list((root / "trash").iterdir()) and "would move" in capsys.readouterr().out
    assert main([*command, "trash", str(group.id), "--yes"]) == 0
    assert len(list((root / "trash").iterdir())) == len(group.files) - 1
    assert main([*command, "hide"]) == 2
    assert main([*command, "keep", "99999"]) == 1


def test_a_reader_opens_a_library_without_the_tables(library: MediaLibrary) -> None:
    with library.metadata.connection.write() as db:
        db.execute("DROP TABLE duplicate_files")
    groups = DuplicateGroups(library.metadata.connection, library.metadata.rows)
    assert not groups.hides_any() and groups.hidden() == set()


def test_a_copy_of_a_video_is_found_by_its_frames_and_another_film_is_not(
    tmp_path: Path, make_video: MakeVideo
) -> None:
    films = [
        make_video("film.mp4", 4),
        make_video("small.mp4", 4, "-vf", "scale=120:90"),
        make_video("other.mp4", 4, "-vf", "negate"),
        make_video("longer.mp4", 6),
    ]
    with MediaLibrary(LibraryPaths(tmp_path / "library"), settings=CLIP_ALONE) as library:
        for _ in library.add(films):
            pass
        *_, last = library.duplicates.find()
        assert last == DuplicatesFound(groups=1, files=2)
        assert {file.media.path for file in first_group(library).files} == set(films[:2])
