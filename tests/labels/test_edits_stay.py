"""What a person made, mended or removed: nothing automatic takes it away, or brings it back."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from src.events import Event, ProblemFound
from src.label_records import KeptEdit
from src.library import MediaLibrary
from src.models.mask_generator import MaskGenerator
from src.models.mask_rle import mask_ious, rectangle_rle
from src.models.model_manager import ModelManager
from src.processing.found_again import SAME_CUT_IOU, without_found_again
from src.processing.segment_pipeline import FrameResult, SegmentResult
from src.records import EMBEDDING_DIM, FrameLook, MediaFile, StoredSegment
from src.search.leaves import segment_filter
from tests.two_clips import TwoClips


@pytest.fixture(scope="module")
def other_sam() -> MaskGenerator:
    """The starter SAM as one that cuts otherwise: another grid, and only what it is sure of."""
    other = ModelManager(device="cpu").load_sam(points_per_side=7)
    assert isinstance(other, MaskGenerator)
    other.pred_iou_thresh = 0.6
    other.name, other.label = "other-sam@1", "other SAM"
    return other


def on_first(library: MediaLibrary) -> list[StoredSegment]:
    """What is on the first photo, but for the frame as a whole."""
    (media, *_) = library.metadata.all_media()
    where = segment_filter(media_file_ids=(media.id,))
    every = library.metadata.segments_where(where, with_masks=True)
    return [segment for segment in every if segment.kind == "object"]


def first_file(library: MediaLibrary) -> MediaFile:
    return library.metadata.all_media()[0]


def done(events: Iterator[Event]) -> list[Event]:
    return list(events)


def use(library: MediaLibrary, sam: MaskGenerator) -> None:
    models = library.models
    assert isinstance(models, TwoClips)
    models.sam = sam
    library.choose_models(library.settings.clip_model, library.settings.sam_model)


@pytest.fixture
def worked_on(library: MediaLibrary) -> tuple[StoredSegment, StoredSegment, KeptEdit]:
    """One segment mended, another one removed, and one drawn, all on the first photo."""
    mended, removed = on_first(library)[:2]
    with library.edit_frame(mended.id) as editor:
        editor.begin(mended.id)
        x, y, w, h = mended.bbox_xywh
        editor.stroke([(x + w / 2, y + h / 2)], 6, erase=True)
        editor.keep()
        editor.begin(removed.id)
        editor.delete()
        editor.keep()
        editor.begin(None)
        editor.polygon([(5, 5), (60, 5), (60, 40), (5, 40)])
        drawn = editor.keep()
    for _ in library.reembed():
        pass
    (now,) = library.metadata.segments([mended.id]).values()
    return now, removed, drawn


def test_segmenting_again_leaves_it(
    library: MediaLibrary,
    worked_on: tuple[StoredSegment, StoredSegment, KeptEdit],
    other_sam: MaskGenerator,
) -> None:
    mended, removed, drawn = worked_on
    use(library, other_sam)
    assert library.segmented_by_others() == 2
    done(library.segment_again())
    now = {segment.id: segment for segment in on_first(library)}
    assert now[mended.id] == mended and now[(drawn.segment_id or "")].origin == "human"
    wh = mended.frame_wh
    masks = [segment.mask_rle or b"" for segment in now.values()]
    assert removed.id not in now
    assert mask_ious([removed.mask_rle or b""], masks, wh).max() < SAME_CUT_IOU
    others = [segment.mask_rle or b"" for segment in now.values() if segment.id != mended.id]
    assert mask_ious([mended.mask_rle or b""], others, wh).max() < SAME_CUT_IOU
    assert not [event for event in library.verify() if isinstance(event, ProblemFound)]


def test_what_was_removed_and_then_undone_is_found_again(
    library: MediaLibrary, other_sam: MaskGenerator
) -> None:
    removed = on_first(library)[0]
    with library.edit_frame(removed.id) as editor:
        editor.begin(removed.id)
        editor.delete()
        kept = editor.keep()
    library.undo_edit(kept.batch)
    use(library, other_sam)
    done(library.segment_again())
    masks = [segment.mask_rle or b"" for segment in on_first(library)]
    assert mask_ious([removed.mask_rle or b""], masks, removed.frame_wh).max() > SAME_CUT_IOU


def test_adding_the_file_again_leaves_it(
    library: MediaLibrary, worked_on: tuple[StoredSegment, StoredSegment, KeptEdit]
) -> None:
    before = on_first(library)
    done(library.add([first_file(library).path]))
    done(library.add([first_file(library).path], again=True))
    assert on_first(library) == before


def test_another_content_of_the_same_picture_has_it_too(
    library: MediaLibrary, worked_on: tuple[StoredSegment, StoredSegment, KeptEdit]
) -> None:
    mended, removed, drawn = worked_on
    path = first_file(library).path
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB")).copy()
    pixels[:4, :4] ^= 1  # another file, the same picture
    Image.fromarray(pixels).save(path)
    done(library.add([path]))
    now = {segment.id: segment for segment in on_first(library)}
    for segment_id in (mended.id, (drawn.segment_id or "")):
        assert now[segment_id].origin == "human"
    assert now[mended.id].mask_rle == mended.mask_rle
    masks = [segment.mask_rle or b"" for segment in now.values()]
    assert mask_ious([removed.mask_rle or b""], masks, mended.frame_wh).max() < SAME_CUT_IOU
    # and so it stays with the content after that
    (frame,) = library.metadata.connection.read().execute(
        "SELECT f.id FROM frames f JOIN segments s ON s.frame_id = f.id WHERE s.id = ?",
        (mended.id,),
    )
    assert len(library.metadata.edits.removed_masks(frame[0])) == 1


def test_another_picture_in_its_place_forgets_it(
    library: MediaLibrary, worked_on: tuple[StoredSegment, StoredSegment, KeptEdit]
) -> None:
    path = first_file(library).path
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))[:, ::-1]
    Image.fromarray(np.ascontiguousarray(pixels)).save(path)
    done(library.add([path]))
    assert all(segment.origin == "sam" for segment in on_first(library))
    rows = library.metadata.connection.read().execute("SELECT count(*) FROM removed_segments")
    assert rows.fetchone()[0] == 0
    rows = library.metadata.connection.read().execute("SELECT count(*) FROM segment_edits")
    assert rows.fetchone()[0] == 0
    assert not [event for event in library.verify() if isinstance(event, ProblemFound)]


def test_a_repair_cuts_the_crop_of_the_mask_as_it_is(
    library: MediaLibrary, worked_on: tuple[StoredSegment, StoredSegment, KeptEdit]
) -> None:
    mended, _, _ = worked_on
    before, crop = on_first(library), mended.crop_path.read_bytes()
    mended.crop_path.write_bytes(b"half")
    done(library.verify(repair=True))
    assert mended.crop_path.read_bytes() == crop and on_first(library) == before


def test_removing_the_file_leaves_no_crop_behind(
    library: MediaLibrary, worked_on: tuple[StoredSegment, StoredSegment, KeptEdit]
) -> None:
    library.remove([first_file(library).id])
    done(library.tell_index())
    assert not [event for event in library.verify() if isinstance(event, ProblemFound)]
    names = {path.name for path in library.paths.extracted_segments.rglob("*.jpg")}
    assert names == {path.rpartition("/")[2] for path in library.metadata.crop_paths()}


def result_of(masks: list[tuple[bytes | None, int | None]]) -> FrameResult:
    segments = tuple(
        SegmentResult(
            "frame" if rle is None else "object", (0, 0, 9, 9), 1, None, None, rle, b"", (), parent
        )
        for rle, parent in masks
    )
    vectors = np.arange(len(masks) * EMBEDDING_DIM, dtype=np.float32)
    look = FrameLook("0" * 16, 1.0)
    return FrameResult(
        0, None, (100, 100), look, segments, vectors.reshape(-1, EMBEDDING_DIM), "clip", "sam"
    )


def test_what_lay_in_what_is_left_out_lies_in_what_is_around_that() -> None:
    large, middle, small = (_square(side) for side in (90, 60, 20))
    found = result_of([(None, None), (large, 0), (middle, 1), (small, 2)])
    assert without_found_again(found, []) is found
    left = without_found_again(found, [_square(58)])
    assert [segment.mask_rle for segment in left.segments] == [None, large, small]
    assert [segment.parent for segment in left.segments] == [None, 0, 1]
    np.testing.assert_array_equal(left.vectors, found.vectors[[0, 1, 3]])


def _square(side: int) -> bytes:
    return rectangle_rle((2, 3, side, side), (100, 100))
