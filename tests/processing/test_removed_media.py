"""What a person has removed stays away, until it is wanted again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from src.events import FileKnown, FilePassedOver, JobDone, PassedOver
from src.library import MediaLibrary
from src.search.leaves import segment_filter
from tests.processing.test_ingest import add, of_kind
from tests.processing.test_ingest import shared_models as shared_models
from tests.processing.test_moved_files import ends, sound
from tests.processing.test_moved_files import folder as folder
from tests.processing.test_moved_files import library as library


def names(library: MediaLibrary) -> list[str]:
    return sorted(media.path.name for media in library.metadata.all_media())


def remove(library: MediaLibrary, *paths: Path) -> None:
    for path in paths:
        library.remove([media.id for media in library.media_under(path)])


def passed_over(library: MediaLibrary, *paths: Path, again: bool = False) -> PassedOver:
    (done,) = of_kind(list(library.add(paths, again)), JobDone)
    return done.passed_over


def test_a_walk_does_not_bring_back_what_was_removed_and_says_so(
    library: MediaLibrary, folder: Path
) -> None:
    remove(library, folder / "1.png", folder / "2.png")
    assert passed_over(library, folder).removed == (folder / "1.png", folder / "2.png")
    assert names(library) == ["3.png"]
    assert library.unfinished() == 0
    sound(library)


def test_what_is_named_itself_comes_back_for_good(library: MediaLibrary, folder: Path) -> None:
    remove(library, folder / "1.png", folder / "2.png")
    assert ends(add(library, folder / "1.png")) == {"1.png": "done"}
    assert passed_over(library, folder).removed == (folder / "2.png",)
    assert names(library) == ["1.png", "3.png"]
    assert library.metadata.removed.paths() == {folder / "2.png"}


def test_a_folder_is_read_with_all_that_was_removed_where_that_is_asked_for(
    library: MediaLibrary, folder: Path
) -> None:
    remove(library, folder)
    shutil.copy(folder / "2.png", folder / "copy.png")
    assert len(passed_over(library, folder).removed) == 4 and names(library) == []
    assert passed_over(library, folder, again=True) == PassedOver()
    assert names(library) == ["1.png", "2.png", "3.png"]
    assert library.metadata.removed.paths() == set()
    sound(library)


@pytest.mark.parametrize("moves", [False, True])
def test_a_copy_of_what_was_removed_stays_away_too(
    library: MediaLibrary, folder: Path, moves: bool
) -> None:
    remove(library, folder / "1.png")
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir()
    (shutil.move if moves else shutil.copy)(folder / "1.png", elsewhere / "one.png")
    events = add(library, elsewhere)
    assert of_kind(events, FilePassedOver) == [FilePassedOver(elsewhere / "one.png")]
    assert of_kind(events, JobDone)[0].passed_over.removed == (elsewhere / "one.png",)
    assert passed_over(library, elsewhere).removed == (elsewhere / "one.png",)  # not read again
    assert names(library) == ["2.png", "3.png"]
    # named it is wanted, and so is the content wherever it lies
    assert ends(add(library, elsewhere / "one.png")) == {"one.png": "done"}
    assert passed_over(library, folder).removed == ()
    assert names(library) == ["2.png", "3.png", "one.png"]
    sound(library)


def test_another_content_under_a_removed_name_is_passed_over(
    library: MediaLibrary, folder: Path, scene_files: list[Path]
) -> None:
    remove(library, folder / "1.png")
    shutil.copy(scene_files[0], folder / "1.png")
    assert passed_over(library, folder).removed == (folder / "1.png",)


def test_a_content_that_stays_follows_to_a_removed_name(
    library: MediaLibrary, folder: Path
) -> None:
    """2.png becomes 1.png, which was removed: its tags are not lost, and 1.png is no other."""
    remove(library, folder / "1.png")
    (folder / "2.png").rename(folder / "1.png")
    events = add(library, folder)
    assert of_kind(events, JobDone)[0].passed_over == PassedOver()
    assert of_kind(events, FileKnown)
    assert names(library) == ["1.png", "3.png"]
    where = segment_filter(tags=("content of 2.png",))
    assert [s.media_path for s in library.metadata.segments_where(where)] == [folder / "1.png"]
    remove(library, folder / "3.png")
    assert passed_over(library, folder).removed == (folder / "3.png",)
    sound(library)


def test_a_file_that_failed_and_was_removed_stays_away(library: MediaLibrary, folder: Path) -> None:
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    add(library, folder)
    remove(library, folder / "broken.png")
    assert passed_over(library, folder).removed == (folder / "broken.png",)


def test_the_library_s_own_folders_are_refused_with_a_reason(
    library: MediaLibrary, folder: Path
) -> None:
    own = library.paths.extracted_segments
    crops = next(own.rglob("*.jpg")).parent
    for inside in dict.fromkeys((own, crops, library.paths.datasets)):
        (done,) = of_kind(add(library, inside), JobDone)
        assert [failed.path for failed in done.failed] == [inside]
        assert "keeps its own files" in done.failed[0].reason
    assert names(library) == ["1.png", "2.png", "3.png"]
