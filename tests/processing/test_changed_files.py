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
from src.models.mask_rle import encode_rle
from src.models.model_manager import ModelManager
from src.processing import changed_files, ingest, pending_deletes, segment_writer
from src.processing.annotation_transfer import UserAnnotations, annotations_on
from src.records import StoredSegment, Tag
from src.search.filters import EVERYTHING
from tests.conftest import MakeVideo
from tests.processing.test_ingest import SETTINGS, SharedModels, add, content, crop_files, of_kind
from tests.processing.test_ingest import shared_models as shared_models
from tests.remembered_videos import LOSSLESS


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


def make_by_hand(library: MediaLibrary) -> StoredSegment:
    """Have a segment's mask be one that a person has drawn; returns it."""
    drawn = next(s for s in segments_of(library) if s.kind == "object")
    with library.metadata.connection.write() as db:
        db.execute(
            "UPDATE segments SET origin = 'human', fingerprint = 'drawn', predicted_iou = NULL"
            " WHERE id = ?",
            (drawn.id,),
        )
    library.metadata.set_crop_hashes({})
    return library.metadata.segments([drawn.id])[drawn.id]


def test_what_a_person_made_and_said_outlives_a_rating_written_into_the_photo(
    library: MediaLibrary, photo: Path
) -> None:
    add(library, photo)
    drawn = make_by_hand(library)
    batch = library.add_tag(drawn.id, "mine")
    library.metadata.add_tags(drawn.id, [Tag("theirs", 0.5, "imported")], "human", "import")
    media_id = drawn.media_file_id
    assert library.metadata.decide_on_frame(media_id, 0, "dog", False, batch="look")
    said, before = library.metadata.frame_decisions(media_id), len(segments_of(library))
    rate(photo)
    (done,) = of_kind(add(library, photo), FileDone)
    assert done.note is None
    found = {segment.id: segment for segment in segments_of(library)}
    new = found[drawn.id]  # and no other has taken its place
    assert (new.origin, new.mask_rle, new.bbox_xywh, new.area, new.predicted_iou) == (
        "human", drawn.mask_rle, drawn.bbox_xywh, drawn.area, None,
    )  # fmt: skip
    assert new.crop_path != drawn.crop_path and new.parent_id in found
    # SAM has cut it once more: that one is left out, as it is where a frame is redone
    assert len(found) == before
    tags = {tag.name: tag.source for tag in library.metadata.tags_of([drawn.id])[drawn.id]}
    assert (tags["mine"], tags["theirs"]) == ("human", "imported")
    assert library.metadata.frame_decisions(media_id) == said
    assert crop_files(library) == library.metadata.crop_paths()
    assert list(library.verify()) == []
    assert library.undo(batch) == 1 and library.undo("look") == 1
    keys = library.metadata.connection.read().execute("SELECT key FROM info").fetchall()
    assert not [row["key"] for row in keys if "media file" in row["key"]]


def test_a_segment_made_by_hand_comes_back_with_the_content_that_it_was_drawn_on(
    library: MediaLibrary, photo: Path
) -> None:
    """Its old cut has the very id that it kept."""
    add(library, photo)
    drawn, first = make_by_hand(library), photo.read_bytes()
    rate(photo)
    add(library, photo)
    photo.write_bytes(first)
    (done,) = of_kind(add(library, photo), FileDone)
    assert done.note is None
    assert library.metadata.segments([drawn.id])[drawn.id].origin == "human"
    parents = {segment.parent_id for segment in segments_of(library)} - {None}
    assert parents <= {segment.id for segment in segments_of(library)}
    assert list(library.verify()) == []


def test_what_a_person_made_and_said_of_another_picture_is_told_of(
    library: MediaLibrary, photo: Path, scene_files: list[Path]
) -> None:
    add(library, photo)
    drawn = make_by_hand(library)
    library.add_tag(drawn.id, "mine")
    other = next(s for s in segments_of(library) if s.id != drawn.id)
    library.add_tag(other.id, "mine")
    library.metadata.decide_on_frame(drawn.media_file_id, 0, "dog", False)
    with Image.open(photo) as old, Image.open(scene_files[1]) as new:
        new.resize(old.size).save(photo)
    (done,) = of_kind(add(library, photo), FileDone)
    assert done.note == (
        "tags on 1 segment and the outlines of 1 added segment and what was said of 1 frame of the"
        " old content match nothing in the new one"
    )
    assert library.metadata.frame_decisions(drawn.media_file_id) == {}
    assert not library.metadata.segments([drawn.id])


def test_what_was_said_of_later_frames_waits_for_them(
    frames_only: MediaLibrary, make_video: MakeVideo
) -> None:
    library = frames_only
    video = make_video("video.mp4", 4, *LOSSLESS)
    add(library, video)
    (media,) = library.metadata.all_media()
    indexes = sorted(library.metadata.stored_frames(media.id))
    for number, index in enumerate(indexes):
        library.metadata.decide_on_frame(media.id, index, f"tag {number}", number % 2 == 0)
    # one that was drawn, on the last frame
    last = max(segments_of(library), key=lambda segment: segment.frame_index)
    mask = np.zeros(last.frame_wh[::-1], bool)
    mask[10:40, 20:60] = True
    with library.metadata.connection.write() as db:
        db.execute(
            "INSERT INTO segments (id, frame_id, kind, x, y, w, h, area, mask, crop_path, origin,"
            " fingerprint) SELECT 'drawn', frame_id, 'object', 20, 10, 40, 30, 1200, ?, crop_path,"
            " 'imported', 'drawn' FROM segments WHERE id = ?",
            (encode_rle(mask)["counts"], last.id),
        )
    said = library.metadata.frame_decisions(media.id)
    shutil.copy(make_video("titled.mp4", 4, *LOSSLESS, "-metadata", "title=mine"), video)
    (video.parent / "titled.mp4").unlink()
    job = library.add([video])
    for event in job:
        if isinstance(event, FrameStored):
            break
    job.close()  # type: ignore[attr-defined]
    assert list(library.metadata.frame_decisions(media.id)) == indexes[:1]
    assert not library.metadata.segments(["drawn"])
    assert len(of_kind(add(library), FrameStored)) == 3
    assert library.metadata.frame_decisions(media.id) == said
    drawn = library.metadata.segments(["drawn"])["drawn"]
    assert (drawn.origin, drawn.bbox_xywh, drawn.frame_index) == (
        "imported", (20, 10, 40, 30), last.frame_index,
    )  # fmt: skip
    assert list(library.verify()) == []


def test_a_file_whose_frames_were_looked_at_keeps_its_row(
    library: MediaLibrary, photo: Path, scene_files: list[Path]
) -> None:
    """Another file that is known takes its place: what was said of the old content stays."""
    add(library, photo)
    (media,) = library.metadata.all_media()
    library.metadata.decide_on_frame(media.id, 0, "dog", False)
    other = Path(shutil.copy(scene_files[1], photo.with_name("other.png")))
    add(library, other)
    shutil.copy(other, photo)
    add(library, photo)
    assert library.metadata.frame_decisions(media.id)
    kept = library.metadata.media(media.id)
    assert kept is not None and "(replaced 1)" in kept.path.name


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
    video = make_video("video.mp4", 4, *LOSSLESS)
    add(library, video)
    work_on_each(library)
    before = work(library)
    assert len(before) == 4
    shutil.copy(make_video("titled.mp4", 4, *LOSSLESS, "-metadata", "title=mine"), video)
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
    video = make_video("video.mp4", 3, *LOSSLESS)
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
    "no segment's origin": '[{"segment_id": "a", "frame_index": 0, "frame_wh": [9, 9],'
    ' "mask_rle": null, "tags": [], "removed": [], "look": null, "origin": "nobody"}]',
    "a mask of nothing": '[{"segment_id": "a", "frame_index": 0, "frame_wh": [9, 9],'
    ' "mask_rle": "a2", "tags": [], "removed": [], "look": null, "origin": "human"}]',
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
    library.metadata.set_info(changed_files._waiting_verdicts(media.id), note)
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
