"""Files whose content becomes another: nothing old goes before something new is there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from src.config import LibraryPaths
from src.errors import EmbeddingError
from src.events import FileDone, FileFailed, FileKnown, FrameStored, JobDone
from src.library import MediaLibrary
from src.models.model_manager import ModelManager
from src.processing import changed_files, ingest, pending_deletes, segment_writer
from src.processing.annotation_transfer import UserAnnotations, annotations_on
from src.records import StoredSegment, Tag
from src.search.filters import EVERYTHING
from tests.conftest import MakeVideo
from tests.processing.test_ingest import SETTINGS, SharedModels, add, content, crop_files, of_kind
from tests.processing.test_ingest import shared_models as shared_models


@pytest.fixture
def library(paths: LibraryPaths, shared_models: ModelManager) -> Iterator[MediaLibrary]:
    with MediaLibrary(paths, shared_models, SETTINGS) as library:
        yield library


@pytest.fixture
def frames_only(tmp_path: Path, shared_models: ModelManager) -> Iterator[MediaLibrary]:
    clip_only = SharedModels(shared_models.load_clip(), None)
    with MediaLibrary(LibraryPaths(tmp_path / "frames only"), clip_only, SETTINGS) as library:
        yield library


@pytest.fixture
def photo(scene_files: list[Path], tmp_path: Path) -> Path:
    return Path(shutil.copy(scene_files[0], tmp_path / "photo.png"))


def rate(photo: Path) -> None:
    """Write a rating into a photo, as a photo manager does: its pixels stay."""
    rating = PngImagePlugin.PngInfo()
    rating.add_text("Rating", "5")
    with Image.open(photo) as image:
        image.load()
        image.save(photo, pnginfo=rating)


def segments_of(library: MediaLibrary) -> list[StoredSegment]:
    return library.metadata.segments_where(EVERYTHING)


def work(library: MediaLibrary) -> dict[tuple[int, object, bytes | None], tuple[object, ...]]:
    """What people did, by where it lies in the pictures."""
    found = segments_of(library)
    ids = [segment.id for segment in found]
    tags, removed = library.metadata.tags_of(ids), library.metadata.removed_tags_of(ids)
    return {
        (segment.frame_index, segment.bbox_xywh, segment.mask_rle): (
            sorted(tag.name for tag in tags.get(segment.id, ()) if tag.source == "human"),
            removed.get(segment.id, ()),
        )
        for segment in found
    }


def work_on_each(library: MediaLibrary) -> None:
    """Have a person tag each segment, and take every other tag off."""
    found = segments_of(library)
    tags = library.metadata.tags_of([segment.id for segment in found])
    for number, segment in enumerate(found):
        for tag in tags.get(segment.id, ())[:1]:
            library.remove_tag(segment.id, tag.name)
        library.add_tag(segment.id, f"mine {number}")


def test_work_of_people_outlives_a_rating_written_into_the_photo(
    library: MediaLibrary, photo: Path
) -> None:
    add(library, photo)
    work_on_each(library)
    before, ids = work(library), {segment.id for segment in segments_of(library)}
    assert len(before) > 2 and any(removed for _, removed in before.values())
    rate(photo)
    (done,) = of_kind(add(library, photo), FileDone)
    assert done.note is None
    assert ids.isdisjoint(segment.id for segment in segments_of(library))
    assert work(library) == before
    assert crop_files(library) == library.metadata.crop_paths()
    assert list(library.verify()) == []


def test_work_on_a_picture_of_another_size_goes_with_it(library: MediaLibrary, photo: Path) -> None:
    add(library, photo)
    work_on_each(library)
    with Image.open(photo) as image:
        half = image.reduce(2)
    half.save(photo)
    tagged = len(segments_of(library))
    (done,) = of_kind(add(library, photo), FileDone)
    assert not any(names or removed for names, removed in work(library).values())
    assert done.note is not None and f"tags on {tagged} segments" in done.note


def test_work_on_another_picture_of_the_same_size_goes_with_it(
    library: MediaLibrary, photo: Path, scene_files: list[Path]
) -> None:
    add(library, photo)
    work_on_each(library)
    with Image.open(photo) as old, Image.open(scene_files[1]) as other:
        other.resize(old.size).save(photo)
    done = of_kind(add(library, photo), FileDone)[0]
    assert done.note is not None and "match nothing in the new one" in done.note
    assert not any(names or removed for names, removed in work(library).values())


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "model"])
def test_a_new_content_that_fails_costs_nothing_of_the_old(
    library: MediaLibrary, photo: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(library, photo)
    work_on_each(library)
    before, crops, whole = content(library), crop_files(library), photo.read_bytes()
    done = library.metadata.all_media()

    def refuse(*_: object) -> None:
        raise EmbeddingError("not finite")

    with monkeypatch.context() as patch:
        if damage == "model":
            rate(photo)
            patch.setattr("src.processing.segment_writer.as_stored", refuse)
        else:
            bad = {"cut": whole[: len(whole) // 2], "empty": b"", "text": b"no image"}
            photo.write_bytes(bad[damage])
        (failed,) = of_kind(add(library, photo), FileFailed)
    assert "what was added before is kept" in failed.reason
    assert content(library) == before and library.metadata.all_media() == done
    photo.write_bytes(whole)
    assert of_kind(add(library, photo), FileKnown)
    assert content(library) == before and crop_files(library) == crops


def killed(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("returns", [True, False])
def test_killed_before_the_first_new_frame_the_old_content_is_whole(
    library: MediaLibrary, photo: Path, returns: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(library, photo)
    work_on_each(library)
    before, people, whole = content(library), work(library), photo.read_bytes()
    rate(photo)
    with monkeypatch.context() as patch:
        patch.setattr(ingest, "read_sampled", killed)
        with pytest.raises(KeyboardInterrupt):
            add(library, photo)
    assert work(library) == people and library.unfinished() == 1
    if returns:
        photo.write_bytes(whole)
        assert of_kind(add(library), FileKnown)
        assert content(library) == before
    else:
        assert of_kind(add(library), FileDone)  # it is remembered
        assert work(library) == people
    assert library.unfinished() == 0
    assert list(library.verify()) == []


def test_killed_before_the_old_crops_are_removed_none_stays(
    library: MediaLibrary, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(library, photo)
    rate(photo)
    with monkeypatch.context() as patch:
        patch.setattr(segment_writer, "remove_unused_crops", killed)
        with pytest.raises(KeyboardInterrupt):
            add(library, photo)
    assert crop_files(library) > library.metadata.crop_paths()
    add(library)
    assert crop_files(library) == library.metadata.crop_paths()
    assert library.metadata.info("crops to remove") is None


def test_work_on_later_frames_of_a_video_waits_for_them(
    frames_only: MediaLibrary, make_video: MakeVideo
) -> None:
    library = frames_only
    video = make_video("video.mp4", 4)
    add(library, video)
    work_on_each(library)
    before = work(library)
    assert len(before) == 4
    shutil.copy(make_video("titled.mp4", 4, "-metadata", "title=mine"), video)
    (video.parent / "titled.mp4").unlink()
    job = library.add([video])
    stored = 0
    for event in job:
        stored += isinstance(event, FrameStored)
        if stored == 2:
            break
    job.close()  # type: ignore[attr-defined]
    assert len(segments_of(library)) == 2  # the old ones are gone
    assert len(of_kind(add(library), FrameStored)) == 2
    assert work(library) == before
    keys = library.metadata.connection.read().execute("SELECT key FROM info").fetchall()
    assert not [row["key"] for row in keys if "media file" in row["key"]]
    assert list(library.verify()) == []


def test_what_became_another_picture_in_an_unfinished_file_goes_on_with_that(
    frames_only: MediaLibrary, make_video: MakeVideo, scene_files: list[Path]
) -> None:
    """A file can be changed into one of the other kind, before it was whole."""
    library = frames_only
    video = make_video("video.mp4", 3)
    job = library.add([video])
    while not isinstance(next(job), FrameStored):
        pass
    job.close()  # type: ignore[attr-defined]
    whole = video.read_bytes()
    video.write_bytes(b"half a file")
    (failed,) = of_kind(add(library), FileFailed)
    assert "stays" not in failed.reason  # it was never whole
    video.write_bytes(whole)
    assert len(of_kind(add(library, video), FrameStored)) == 2
    shutil.copy(scene_files[0], video)
    assert of_kind(add(library, video), FileDone)
    (media,) = library.metadata.all_media()
    assert (media.kind, media.status, media.width) == ("image", "done", 320)
    assert len(segments_of(library)) == 1


def test_work_that_waits_is_read_as_it_was_written(library: MediaLibrary, photo: Path) -> None:
    from src.processing import changed_files

    add(library, photo)
    work_on_each(library)
    annotations = annotations_on(library.metadata, segments_of(library))
    text = json.dumps([changed_files._as_json(each) for each in annotations])
    assert [changed_files._from_json(columns) for columns in json.loads(text)] == annotations
    assert np.any([each.mask_rle is None for each in annotations])


NOTES = {
    "no JSON": "{",
    "no list": "7",
    "no annotations": "[1, null]",
    "deep": "[" * 100_000,
    "a hostile mask": '[{"segment_id": "a", "frame_index": 0, "frame_wh": [200000, 200000],'
    ' "mask_rle": "ooooo", "tags": [], "removed": [], "look": null}]',
    "a tag that is none": '[{"segment_id": "a", "frame_index": 0, "frame_wh": [9, 9],'
    ' "mask_rle": null, "tags": [{"name": 3, "confidence": 9, "source": "x"}],'
    ' "removed": [], "look": null}]',
}


@pytest.mark.parametrize("note", NOTES.values(), ids=NOTES.keys())
def test_notes_that_nobody_wrote_stop_no_job(
    frames_only: MediaLibrary, photo: Path, note: str
) -> None:
    from src.processing import changed_files

    library = frames_only
    add(library, photo)
    (media,) = library.metadata.all_media()
    library.metadata.set_info(changed_files._waiting(media.id), note)
    library.metadata.set_info(pending_deletes._LEFT, note)
    library.metadata.update_media(media.id, status="pending")
    (done,) = of_kind(add(library), JobDone)
    assert done.failed == ()
    assert library.metadata.info(pending_deletes._LEFT) is None


def test_what_waits_keeps_every_name_that_a_tag_can_have() -> None:
    tags = tuple(Tag(name, 1.0, "human") for name in ("👩\u200d💻 at work", "a\u00a0b", "mine"))
    waiting = UserAnnotations("segment", 0, (4, 3), None, tags, ("👨\u200d👩\u200d👧",), None)
    assert (
        changed_files._from_json(json.loads(json.dumps(changed_files._as_json(waiting)))) == waiting
    )
    for wrong in ("", None, "\ud800"):
        columns = changed_files._as_json(waiting) | {"removed": (wrong,)}
        with pytest.raises(ValueError, match="a tag's name"):
            changed_files._from_json(columns)
