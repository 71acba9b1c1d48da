"""What is left of an add: it goes on by itself, but not where a person has stopped it."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from src.config import LibraryPaths
from src.database.stopped import _KEY
from src.events import Event, FileDone, FrameStored
from src.library import MediaLibrary
from src.models.mask_generator import MaskGenerator
from src.models.model_manager import ModelManager
from src.stopping import GoOn, ask
from src.worker import JobEnded, Worker
from tests.processing.test_ingest import SETTINGS, add, of_kind, shared_models

__all__ = ["shared_models"]


@pytest.fixture
def library(paths: LibraryPaths, shared_models: ModelManager) -> Iterator[MediaLibrary]:
    with MediaLibrary(paths, shared_models, SETTINGS) as library:
        yield library


@pytest.fixture
def photos(scene_files: list[Path], tmp_path: Path) -> list[Path]:
    """Three files in a folder of their own."""
    folder = tmp_path / "photos"
    folder.mkdir()
    return [Path(shutil.copy(file, folder)) for file in scene_files[:3]]


def begin(library: MediaLibrary, *paths: Path) -> None:
    """Add until the first frame is stored, and break off."""
    job = library.add(paths)
    for event in job:
        if isinstance(event, FrameStored):
            break
    job.close()  # type: ignore[attr-defined]


def names(events: list[Event]) -> list[str]:
    return [event.path.name for event in of_kind(events, FileDone)]


def stopped(library: MediaLibrary) -> list[str]:
    return sorted(media.path.name for media in library.stopped())


def test_what_breaks_off_goes_on_and_what_a_person_stops_waits(
    library: MediaLibrary, photos: list[Path], scene_files: list[Path]
) -> None:
    begin(library, photos[0].parent)
    assert library.unfinished() == 3 and not library.stopped()
    library.stop_adding()
    assert library.unfinished() == 0
    assert stopped(library) == [photo.name for photo in photos]
    assert names(add(library, scene_files[3])) == [scene_files[3].name]
    assert stopped(library) == [photo.name for photo in photos]
    assert names(list(library.go_on())) == [photo.name for photo in photos]
    assert not library.stopped() and library.unfinished() == 0


def test_what_was_stopped_comes_in_when_it_is_added_again(
    library: MediaLibrary, photos: list[Path]
) -> None:
    begin(library, *photos)
    library.stop_adding()
    assert names(add(library, photos[1])) == [photos[1].name]
    assert stopped(library) == [photos[0].name, photos[2].name]
    begin(library, photos[2])  # asked for, and killed: it is not stopped any more
    assert stopped(library) == [photos[0].name] and library.unfinished() == 1
    assert names(add(library)) == [photos[2].name]


def test_it_is_remembered_and_what_is_removed_is_not_left(
    paths: LibraryPaths, shared_models: ModelManager, photos: list[Path]
) -> None:
    with MediaLibrary(paths, shared_models, SETTINGS) as library:
        begin(library, *photos)
        library.stop_adding()
    with MediaLibrary(paths, shared_models, SETTINGS) as library:
        assert library.unfinished() == 0 and len(library.stopped()) == 3
        library.remove([media.id for media in library.stopped()[:2]])
        assert len(library.stopped()) == 1


def test_what_is_kept_for_later_is_written_down_and_not_read(
    library: MediaLibrary, photos: list[Path]
) -> None:
    library.keep_for_later([photos[0].parent, Path("/no/such/file.jpg")])
    assert library.unfinished() == 3 and not library.stopped()
    library.stop_adding()
    assert library.unfinished() == 0 and len(library.stopped()) == 3


@pytest.mark.parametrize("text", ["", "{", "[[]]", "[" * 100_000, '["x"]', "7"])
def test_a_note_that_this_program_did_not_write_stops_nothing(
    library: MediaLibrary, photos: list[Path], text: str
) -> None:
    library.keep_for_later(photos)
    library.metadata.set_info(_KEY, text)
    assert library.unfinished() == 3 and not library.stopped()


def test_an_add_that_is_cancelled_does_not_wait_for_frames_in_work(
    library: MediaLibrary, photos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()

    def endless(_: MaskGenerator, image_rgb: object, go_on: GoOn) -> Iterator[dict[str, object]]:
        begun.set()
        while True:
            ask(go_on)
            time.sleep(0.01)
        yield {}

    monkeypatch.setattr(MaskGenerator, "masks", endless)
    worker = Worker()
    number = worker.submit(lambda: library.add(photos))
    assert begun.wait(60)
    worker.cancel(number)
    while not isinstance(event := worker.events.get(timeout=60)[1], JobEnded):
        pass
    assert event.error is None and library.unfinished() == 3
    assert not [each for each in threading.enumerate() if each.name.startswith("ahead")]
    assert worker.stop(60)
