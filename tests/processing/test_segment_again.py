"""Another SAM cuts the frames again, and nothing that people did is lost."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from src.config import LibraryPaths
from src.errors import ModelNotLoadedError
from src.events import AnnotationUnmatched, Event, FileFailed, FrameStored, JobDone
from src.library import MediaLibrary
from src.models.clip_encoder import ClipEncoder
from src.models.mask_generator import MaskGenerator
from src.models.mask_rle import decode_rle
from src.models.model_manager import ModelManager
from src.processing import segment_writer
from src.processing.annotation_transfer import SAME_THING_IOU
from src.records import StoredSegment
from src.search.filters import EVERYTHING
from src.search.leaves import segment_filter
from src.settings import Settings
from tests.conftest import MakeVideo
from tests.remembered_videos import LOSSLESS
from tests.two_clips import OLD, TwoClips

SETTINGS = Settings(clip_model=OLD, duplicate_distance=-1)
E = TypeVar("E", bound=Event)


@pytest.fixture(scope="module")
def other_sam() -> MaskGenerator:
    """The starter SAM as one that cuts otherwise: another grid, and only what it is sure of."""
    other = ModelManager(device="cpu").load_sam(points_per_side=7)
    other.pred_iou_thresh = 0.9
    other.name, other.label = "other-sam@1", "other SAM"
    return other


@pytest.fixture
def managed(clip: ClipEncoder, mask_generator: MaskGenerator) -> TwoClips:
    return TwoClips(clip, mask_generator)


@pytest.fixture(scope="module")
def base(
    tmp_path_factory: pytest.TempPathFactory,
    clip: ClipEncoder,
    mask_generator: MaskGenerator,
    scene_files: list[Path],
) -> Path:
    """Three scenes cut by the first SAM, all segments tagged by a person, to be copied."""
    folder = tmp_path_factory.mktemp("base")
    photos = [Path(shutil.copy(path, folder)) for path in scene_files[:3]]
    managed = TwoClips(clip, mask_generator)
    with MediaLibrary(LibraryPaths(folder / "library"), managed, SETTINGS) as library:
        for _ in library.add(photos):
            pass
        for number, segment in enumerate(segments_of(library)):
            library.add_tag(segment.id, f"mine {number}")
    return folder


@pytest.fixture
def photos(base: Path, tmp_path: Path) -> list[Path]:
    return [Path(shutil.copy2(path, tmp_path)) for path in sorted(base.glob("*.png"))]


@pytest.fixture
def library(
    base: Path,
    paths: LibraryPaths,
    managed: TwoClips,
    photos: list[Path],
    other_sam: MaskGenerator,
) -> Iterator[MediaLibrary]:
    """Three scenes cut by the first SAM, all segments tagged by a person; the other is in use."""
    shutil.copytree(base / "library", paths.root)
    with MediaLibrary(paths, managed, SETTINGS) as library:
        for media, photo in zip(library.metadata.all_media(), photos, strict=True):
            library.metadata.update_media(media.id, path=photo)
        use(library, managed, other_sam)
        yield library


def use(library: MediaLibrary, managed: TwoClips, sam: MaskGenerator | None) -> None:
    managed.sam = sam
    library.choose_models(OLD, None)


def segments_of(library: MediaLibrary, path: Path | None = None) -> list[StoredSegment]:
    media = None if path is None else library.metadata.media_by_path(path)
    where = EVERYTHING if media is None else segment_filter(media_file_ids=(media.id,))
    return library.metadata.segments_where(where)


def of_kind(events: list[Event], kind: type[E]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


def mine(library: MediaLibrary) -> dict[str, str]:
    """Which segment has which of a person's tags."""
    tags = library.metadata.tags_of([segment.id for segment in segments_of(library)])
    return {tag.name: name for name, some in tags.items() for tag in some if tag.source == "human"}


def mask_of(segment: StoredSegment) -> np.ndarray:
    if segment.mask_rle is None:
        return np.ones(segment.frame_wh[::-1], bool)
    return decode_rle(segment.mask_rle, segment.frame_wh)


def iou(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


def sound(library: MediaLibrary) -> None:
    assert list(library.verify()) == []
    crops = set(library.paths.extracted_segments.rglob("*.jpg"))
    assert crops == {segment.crop_path for segment in segments_of(library)}


def test_human_work_goes_to_the_same_thing_or_stays(
    library: MediaLibrary, other_sam: MaskGenerator
) -> None:
    assert library.segmented_by_others() == 3
    before = {segment.id: segment for segment in segments_of(library)}
    tagged = mine(library)
    events = list(library.segment_again())
    assert library.segmented_by_others() == 0
    after = {segment.id: segment for segment in segments_of(library)}
    moved, stays = 0, {event.segment_id: event for event in of_kind(events, AnnotationUnmatched)}
    now = mine(library)
    assert now.keys() == tagged.keys()  # nothing that a person did is gone
    fresh = [segment for name, segment in after.items() if name not in stays]
    for tag, old_id in tagged.items():
        old = before[old_id]
        beside = [s for s in fresh if s.media_path == old.media_path and s.kind == old.kind]
        ious = {s.id: iou(mask_of(old), mask_of(s)) for s in beside}
        best = max(ious.values(), default=0.0)
        if now[tag] == old_id and old_id in stays:
            event = stays[old_id]
            assert best < SAME_THING_IOU
            assert (event.path, event.timestamp_s, event.tags) == (old.media_path, None, (tag,))
        else:
            assert ious[now[tag]] == best >= SAME_THING_IOU
            moved += now[tag] != old_id
    assert moved and stays  # the test sees both
    assert of_kind(events, JobDone) == [JobDone(3, 3, len(set(after) - set(before)), ())]
    # the rest is what this SAM makes of the pictures
    library.close()
    sound_again = MediaLibrary(library.paths, library.models, SETTINGS)
    with sound_again as again:
        sound(again)
        assert again.index.pending() == 0
        assert again.segmented_by_others() == 0
        assert not of_kind(list(again.segment_again()), FrameStored)


def test_what_a_person_made_or_changed_is_neither_deleted_nor_doubled(
    library: MediaLibrary, photos: list[Path]
) -> None:
    first, second, *_ = [s for s in segments_of(library, photos[0]) if s.kind == "object"]
    with library.metadata.connection.write() as db:
        db.execute("UPDATE segments SET origin = 'human' WHERE id = ?", (first.id,))
        # as an edited mask leaves it; its old cut comes again
        db.execute(
            "UPDATE segments SET origin = 'human', fingerprint = 'edited' WHERE id = ?",
            (second.id,),
        )
    tagged = mine(library)
    list(library.segment_again())
    after = {segment.id: segment for segment in segments_of(library)}
    for old in (first, second):
        new = after[old.id]
        assert new.origin == "human"
        assert (new.mask_rle, new.bbox_xywh, new.area) == (old.mask_rle, old.bbox_xywh, old.area)
    now = mine(library)
    assert now.keys() == tagged.keys()
    for tag, segment_id in tagged.items():
        if segment_id in (first.id, second.id):
            assert now[tag] == segment_id  # their tags stay where they are
    sound(library)


def test_what_a_person_took_off_stays_off_the_same_thing(
    library: MediaLibrary, other_sam: MaskGenerator
) -> None:
    tags = library.metadata.tags_of([segment.id for segment in segments_of(library)])
    removed = 0
    for segment in segments_of(library):
        for tag in tags.get(segment.id, ()):
            if tag.source == "auto":
                library.remove_tag(segment.id, tag.name)
                removed += 1
    before = {segment.id: segment for segment in segments_of(library)}
    names = library.metadata.removed_tags_of(list(before))
    assert removed == sum(map(len, names.values())) > 10
    for _ in library.segment_again():
        pass
    after = segments_of(library)
    now = library.metadata.removed_tags_of([segment.id for segment in after])
    given = library.metadata.tags_of([segment.id for segment in after])
    matches = 0
    for old in before.keys() - {segment.id for segment in after}:
        mask, media_path = mask_of(before[old]), before[old].media_path
        beside = [s for s in after if (s.media_path, s.kind) == (media_path, "object")]
        ious = {s.id: iou(mask, mask_of(s)) for s in beside}
        best = max(ious, key=lambda name: ious[name])
        if ious[best] >= SAME_THING_IOU:
            assert set(names.get(old, ())) <= set(now.get(best, ()))
            matches += 1
    assert matches > 2
    for name, some in now.items():
        assert not {tag.name for tag in given.get(name, ())} & set(some)


def confidences(
    library: MediaLibrary, segments: Sequence[StoredSegment]
) -> dict[tuple[str, str, str], float]:
    """How sure each tag of each segment is."""
    tags = library.metadata.tags_of([segment.id for segment in segments])
    return {(id, tag.name, tag.source): tag.confidence for id, some in tags.items() for tag in some}


def test_without_human_work_it_is_as_if_the_new_sam_had_cut(
    paths: LibraryPaths,
    tmp_path: Path,
    managed: TwoClips,
    photos: list[Path],
    other_sam: MaskGenerator,
    mask_generator: MaskGenerator,
) -> None:
    with MediaLibrary(paths, managed, SETTINGS) as library:
        for _ in library.add(photos):
            pass
        use(library, managed, other_sam)
        job = library.segment_again()
        while not isinstance(next(job), FrameStored):
            pass
        job.close()  # type: ignore[attr-defined]
        assert library.segmented_by_others() == 2  # it stops and goes on by the frame
        assert len(of_kind(list(library.segment_again()), FrameStored)) == 2
        found = segments_of(library)
        tags = confidences(library, found)
        sound(library)
    with MediaLibrary(LibraryPaths(tmp_path / "fresh"), managed, SETTINGS) as fresh:
        for _ in fresh.add(photos):
            pass
        assert [s.id for s in segments_of(fresh)] == [s.id for s in found]
        # a batch of another size gives the last digits otherwise
        assert confidences(fresh, found) == pytest.approx(tags, abs=1e-5)


def test_files_that_are_gone_or_changed_keep_their_segments(
    library: MediaLibrary, photos: list[Path]
) -> None:
    before = {path: segments_of(library, path) for path in photos}
    photos[0].unlink()
    photos[1].write_bytes(photos[2].read_bytes())
    events = list(library.segment_again())
    reasons = {event.path: event.reason for event in of_kind(events, FileFailed)}
    assert reasons.keys() == set(photos[:2])
    assert all("its segments are unchanged" in reason for reason in reasons.values())
    assert "changed" in reasons[photos[1]]
    assert of_kind(events, JobDone)[0].failed == tuple(of_kind(events, FileFailed))
    for path in photos[:2]:
        assert segments_of(library, path) == before[path]
    assert library.segmented_by_others() == 2


def test_a_model_that_stumbles_over_one_picture_costs_that_alone(
    library: MediaLibrary, other_sam: MaskGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    masks, called = other_sam.masks, [0]

    def stumble(*arguments: object, **options: object) -> object:
        called[0] += 1
        if called[0] == 1:
            raise IndexError("out of range")
        return masks(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(other_sam, "masks", stumble)
    (done,) = of_kind(list(library.segment_again()), JobDone)
    assert [event.reason for event in done.failed] == [
        "could not be segmented again (out of range)"
    ]
    assert done.frames == 2 and library.segmented_by_others() == 1


def test_a_kill_before_the_old_crops_are_removed_is_made_good(
    library: MediaLibrary, photos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    tagged = mine(library)
    with monkeypatch.context() as patch:
        patch.setattr(segment_writer, "remove_unused_crops", killed)
        with pytest.raises(KeyboardInterrupt):
            list(library.segment_again())
    left = json.loads(str(library.metadata.info("crops to remove")))
    assert left and all((library.paths.root / path).is_file() for path in left)
    assert library.segmented_by_others() == 2  # the frame itself is done
    list(library.segment_again())
    assert mine(library).keys() == tagged.keys()
    sound(library)


def test_a_tag_given_while_sam_works_is_kept(
    library: MediaLibrary, other_sam: MaskGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    masks = other_sam.masks
    given: list[str] = []
    turn = threading.Lock()  # several frames are cut at the same time

    def tag_meanwhile(*arguments: object, **options: object) -> object:
        made = masks(*arguments, **options)  # type: ignore[arg-type]
        with turn:
            for segment in [] if given else segments_of(library):
                library.add_tag(segment.id, f"late {len(given)}")
                given.append(f"late {len(given)}")
        return made

    monkeypatch.setattr(other_sam, "masks", tag_meanwhile)
    list(library.segment_again())
    assert set(given) <= mine(library).keys()


@pytest.mark.parametrize("most", [100_000, 2])
def test_a_video_sampled_otherwise_today_is_cut_where_it_was(
    paths: LibraryPaths,
    managed: TwoClips,
    make_video: MakeVideo,
    other_sam: MaskGenerator,
    most: int,
) -> None:
    video = make_video("video.mp4", 2.5, *LOSSLESS)
    with MediaLibrary(paths, managed, Settings(frames_per_second=1.5)) as library:
        managed.choices["clip"] = OLD
        for _ in library.add([video]):
            pass
        before = {(s.frame_index, s.timestamp_s) for s in segments_of(library)}
        assert len(before) > 3
    managed.sam = other_sam
    with MediaLibrary(paths, managed, Settings(frames_per_video=most)) as library:
        events = list(library.segment_again())
        assert not of_kind(events, FileFailed)
        cut = {(e.frame_index, e.timestamp_s) for e in of_kind(events, FrameStored)}
        assert cut == before == {(s.frame_index, s.timestamp_s) for s in segments_of(library)}
        assert library.segmented_by_others() == 0


def test_without_sam_nothing_is_cut_again(library: MediaLibrary, managed: TwoClips) -> None:
    use(library, managed, None)
    assert library.segmented_by_others() == 0
    with pytest.raises(ModelNotLoadedError, match="no segmentation model"):
        list(library.segment_again())


def test_frames_of_clip_only_mode_are_cut_when_a_sam_comes(
    paths: LibraryPaths, managed: TwoClips, photos: list[Path], other_sam: MaskGenerator
) -> None:
    managed.sam = None
    with MediaLibrary(paths, managed, SETTINGS) as library:
        for _ in library.add(photos):
            pass
        assert {segment.kind for segment in segments_of(library)} == {"frame"}
        use(library, managed, other_sam)
        assert library.segmented_by_others() == 3
        list(library.segment_again())
        assert {segment.kind for segment in segments_of(library)} == {"frame", "object"}
        sound(library)


def test_a_known_copy_is_read_in_the_place_of_a_file_that_is_gone(
    library: MediaLibrary, photos: list[Path], tmp_path: Path
) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    copy = Path(shutil.copy(photos[0], copies))
    for _ in library.add([copies]):
        pass
    photos[0].unlink()
    photos[1].unlink()  # nobody knows a copy of it
    events = list(library.segment_again())
    assert [failed.path for failed in of_kind(events, FileFailed)] == [photos[1]]
    assert {stored.path for stored in of_kind(events, FrameStored)} == {copy, photos[2]}
