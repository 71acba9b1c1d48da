"""Files renumbered, swapped and moved: rows and people's tags follow the contents."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from src.config import LibraryPaths
from src.events import Event, FileDone, FileFailed, FileKnown, Progress
from src.library import MediaLibrary
from src.models.model_manager import ModelManager
from src.processing import moved_files
from src.processing.media_finder import content_hash
from src.search.leaves import segment_filter
from src.settings import Settings
from tests.processing.test_ingest import SharedModels, add, of_kind
from tests.processing.test_ingest import shared_models as shared_models

SETTINGS = Settings(points_per_side=4)


@pytest.fixture
def library(paths: LibraryPaths, shared_models: ModelManager) -> Iterator[MediaLibrary]:
    """One that makes whole frames only: this is about rows, and a frame takes no time."""
    clip_only = SharedModels(shared_models.load_clip(), None)
    with MediaLibrary(paths, clip_only, SETTINGS) as library:
        yield library


@pytest.fixture
def folder(library: MediaLibrary, scene_files: list[Path], tmp_path: Path) -> Path:
    """1.png, 2.png and 3.png, taken in and tagged "content of 1.png" and so on by a person."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in (1, 2, 3):
        shutil.copy(scene_files[number], folder / f"{number}.png")
    add(library, folder)
    for media in library.metadata.all_media():
        segment = library.metadata.segments_where(segment_filter(media_file_ids=(media.id,)))[0]
        library.add_tag(segment.id, f"content of {media.path.name}")
    return folder


def tags(library: MediaLibrary) -> dict[str, list[str]]:
    """What people have given, by the names of the files."""
    found: dict[str, list[str]] = {}
    for media in library.metadata.all_media():
        names = found.setdefault(media.path.name, [])
        where = segment_filter(media_file_ids=(media.id,))
        ids = [segment.id for segment in library.metadata.segments_where(where)]
        for some in library.metadata.tags_of(ids).values():
            names += [tag.name for tag in some if tag.source == "human"]
    return found


def ends(events: list[Event]) -> dict[str, str]:
    """How each file ended; each has one end alone."""
    found: dict[str, str] = {}
    for event in events:
        if isinstance(event, FileDone | FileKnown | FileFailed):
            assert event.path.name not in found
            found[event.path.name] = "done" if isinstance(event, FileDone) else event.reason
    return found


def sound(library: MediaLibrary) -> None:
    for media in library.metadata.all_media("done"):
        assert content_hash(media.path) == media.content_hash
    assert list(library.verify()) == []


def test_renumbered_files_keep_their_tags(
    library: MediaLibrary, folder: Path, scene_files: list[Path]
) -> None:
    for number in (3, 2, 1):
        (folder / f"{number}.png").rename(folder / f"{number + 1}.png")
    shutil.copy(scene_files[0], folder / "1.png")
    events = add(library, folder)
    assert tags(library) == {
        "1.png": [],
        "2.png": ["content of 1.png"],
        "3.png": ["content of 2.png"],
        "4.png": ["content of 3.png"],
    }
    assert ends(events) == {
        "1.png": "done",
        "2.png": "moved here",
        "3.png": "moved here",
        "4.png": "moved here",
    }
    assert set(ends(add(library, folder)).values()) == {"already in the library"}
    sound(library)


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_swapped_files_keep_their_tags(
    library: MediaLibrary, folder: Path, order: tuple[int, int]
) -> None:
    aside = folder / "aside"
    (folder / "1.png").rename(aside)
    (folder / "2.png").rename(folder / "1.png")
    aside.rename(folder / "2.png")
    events = add(library, *(folder / f"{number}.png" for number in order))
    assert tags(library) == {
        "1.png": ["content of 2.png"],
        "2.png": ["content of 1.png"],
        "3.png": ["content of 3.png"],
    }
    assert ends(events) == {"1.png": "moved here", "2.png": "moved here"}
    sound(library)


def test_moved_files_that_are_unfinished_go_on(library: MediaLibrary, folder: Path) -> None:
    """Rows of a job that was killed follow, too: their paths come before those that were found."""
    for media in library.metadata.all_media():
        library.metadata.update_media(media.id, status="processing")
    (folder / "3.png").rename(folder / "0.png")
    (folder / "1.png").rename(folder / "3.png")
    events = add(library, folder)
    assert ends(events) == {
        "0.png": "done",
        "1.png": f"moved to {folder / '3.png'}",
        "2.png": "done",
        "3.png": "done",
    }
    assert tags(library) == {
        "0.png": ["content of 3.png"],
        "2.png": ["content of 2.png"],
        "3.png": ["content of 1.png"],
    }
    sound(library)


def test_tags_of_a_content_that_is_nowhere_wait_for_it(library: MediaLibrary, folder: Path) -> None:
    """1.png goes to a folder that is added later, and 2.png takes its name meanwhile."""
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir()
    (folder / "1.png").rename(elsewhere / "one.png")
    (folder / "2.png").rename(folder / "1.png")
    assert ends(add(library, folder)) == {
        "1.png": "moved here",
        "3.png": "already in the library",
    }
    assert tags(library)["1.png"] == ["content of 2.png"]
    assert ends(add(library, elsewhere)) == {"one.png": "moved here"}
    assert tags(library) == {
        "1.png": ["content of 2.png"],
        "3.png": ["content of 3.png"],
        "one.png": ["content of 1.png"],
    }
    sound(library)


def test_a_file_that_became_a_copy_of_another_keeps_the_tags_of_before(
    library: MediaLibrary, folder: Path
) -> None:
    shutil.copy(folder / "2.png", folder / "1.png")
    assert ends(add(library, folder))["1.png"] == f"same content as {folder / '2.png'}"
    kept = [name for some in tags(library).values() for name in some]
    assert sorted(kept) == [f"content of {n}.png" for n in (1, 2, 3)]


def test_files_that_change_places_while_the_job_runs_end_with_rows(
    library: MediaLibrary, folder: Path, scene_files: list[Path]
) -> None:
    shutil.copy(scene_files[0], folder / "0.png")  # what the job has to do before
    events = []
    for event in library.add([folder]):
        if not of_kind(events, FileDone) and isinstance(event, FileDone):
            (folder / "2.png").rename(folder / "aside")
            (folder / "3.png").rename(folder / "2.png")
            (folder / "aside").rename(folder / "3.png")
        events.append(event)
    assert ends(events).keys() == {"0.png", "1.png", "2.png", "3.png"}
    add(library, folder)
    assert {name: some for name, some in tags(library).items() if some} == {
        "1.png": ["content of 1.png"],
        "2.png": ["content of 3.png"],
        "3.png": ["content of 2.png"],
    }


def test_looking_for_moved_files_can_be_stopped_and_reads_each_file_once(
    library: MediaLibrary,
    folder: Path,
    scene_files: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []

    def counted(path: Path) -> str:
        read.append(path.name)
        return content_hash(path)

    monkeypatch.setattr(moved_files, "content_hash", counted)
    for number in (3, 2, 1):
        (folder / f"{number}.png").rename(folder / f"{number + 1}.png")
    shutil.copy(scene_files[0], folder / "1.png")
    before = tags(library)
    job = library.add([folder])
    assert any(isinstance(event, Progress) and event.doing == moved_files.LOOKING for event in job)
    job.close()  # type: ignore[attr-defined]
    assert {name: some for name, some in tags(library).items() if some} == before
    read.clear()
    add(library, folder)
    assert sorted(read) == ["1.png", "2.png", "3.png", "4.png"]


def test_what_was_found_of_a_moved_folder_stays_found_when_the_job_is_stopped(
    library: MediaLibrary, folder: Path
) -> None:
    moved = folder.rename(folder.parent / "moved")
    job = library.add([moved])
    for event in job:
        if isinstance(event, Progress) and (event.doing, event.done) == (moved_files.LOOKING, 2):
            break
    job.close()  # type: ignore[attr-defined]
    done = {media.path for media in library.metadata.all_media("done")}
    assert done == {moved / "1.png", moved / "2.png", folder / "3.png"}
    assert set(ends(add(library, moved)).values()) == {"already in the library", "moved here"}
    assert tags(library) == {f"{n}.png": [f"content of {n}.png"] for n in (1, 2, 3)}
    sound(library)


def test_a_first_job_looks_for_no_moved_files(
    library: MediaLibrary, scene_files: list[Path]
) -> None:
    assert not of_kind(add(library, *scene_files), Progress)[1:]
    events = add(library, *scene_files)
    assert not [event for event in of_kind(events, Progress) if event.doing == moved_files.LOOKING]
