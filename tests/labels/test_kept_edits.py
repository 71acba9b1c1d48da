"""Edits of masks kept in a library: whole, undone, and done again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest

from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.errors import DatabaseError, QueryError, SameMaskError
from src.label_records import KeptEdit
from src.labels import kept_edits
from src.labels.mask_editor import MaskEditor
from src.library import MediaLibrary
from src.models.clip_encoder import ClipEncoder
from src.models.mask_generator import MaskGenerator
from src.models.mask_rle import decode_rle
from src.processing.crop import CropCutter
from src.processing.image_loader import save_jpeg
from src.processing.pending_deletes import write_down_crops
from src.records import StoredSegment
from src.search.leaves import segment_filter
from tests.conftest import MakeVideo
from tests.labels.conftest import SETTINGS
from tests.labels.editing import disc, rows
from tests.remembered_videos import LOSSLESS
from tests.two_clips import TwoClips


def objects(library: MediaLibrary) -> list[StoredSegment]:
    every = library.metadata.segments_where(segment_filter(), with_masks=True)
    return [segment for segment in every if segment.kind == "object"]


def stored(library: MediaLibrary, segment_id: str) -> StoredSegment:
    return library.metadata.segments([segment_id])[segment_id]


def edited(
    library: MediaLibrary, segment_id: str, change: Callable[[MaskEditor], object]
) -> KeptEdit:
    """Edit one segment, and keep that."""
    with library.edit_frame(segment_id) as editor:
        editor.begin(segment_id)
        change(editor)
        return editor.keep()


def dab(editor: MaskEditor) -> None:
    editor.stroke([(160, 120)], 14)
    editor.stroke([(20, 20)], 4, erase=True)


def test_a_kept_edit_changes_the_mask_and_nothing_else(library: MediaLibrary) -> None:
    target = objects(library)[0]
    library.add_tag(target.id, "mine")
    tags = library.metadata.tags_of([target.id])
    decisions = library.metadata.decisions_of([target.id])
    with library.edit_frame(target.id) as editor:
        editor.begin(target.id)
        dab(editor)
        mask, image_rgb = editor.mask.copy(), editor.image_rgb
        kept = editor.keep()
    assert (kept.segment_id or "") == target.id and not kept.added and not kept.removed
    now = stored(library, target.id)
    np.testing.assert_array_equal(decode_rle(now.mask_rle or b"", now.frame_wh), mask)
    assert now.area == mask.sum() and now.bbox_xywh == cv2.boundingRect(mask.view(np.uint8))
    assert now.origin == "human" and now.predicted_iou is None
    assert now.fingerprint not in (target.fingerprint, now.id)
    assert library.metadata.tags_of([target.id]) == tags
    assert library.metadata.decisions_of([target.id]) == decisions
    # the very crop that adding the file would have cut
    crop = CropCutter(image_rgb, SETTINGS.blur_kernel).cut(mask, now.bbox_xywh)
    assert now.crop_path.read_bytes() == save_jpeg(crop)


def test_the_old_embedding_goes_and_a_new_one_is_made(library: MediaLibrary) -> None:
    target = objects(library)[0]
    before = library.vectors.embeddings.get([target.id])[target.id]
    assert target.id in {hit.segment.id for hit in library.similar(target.id, 5)}
    edited(library, target.id, dab)
    assert library.vectors.embeddings.missing() == [target.id] and library.upkeep.embedding_waits
    # until then no search finds it by its old look, and every other one as before
    every = library.search("red", n_results=1000)
    assert target.id not in {hit.segment.id for hit in every}
    assert every.total == len(every) == library.metadata.count_segments() - 1
    with pytest.raises(QueryError):
        library.similar(target.id)
    assert library.segments([target.id])[0].segment.origin == "human"
    for _ in library.reembed():
        pass
    assert not library.upkeep.embedding_waits
    after = library.vectors.embeddings.get([target.id])[target.id]
    assert np.abs(after - before).max() > 1e-3
    assert library.similar(target.id, 1)[0].segment.id == target.id
    assert len(library.search("red", n_results=1000)) == library.metadata.count_segments()
    assert list(library.verify()) == []


def test_undo_and_redo_give_the_same_rows(library: MediaLibrary) -> None:
    target = objects(library)[0]
    library.add_tag(target.id, "mine")
    before = rows(library)
    kept = edited(library, target.id, dab)
    after = rows(library)
    assert after != before
    for _ in range(2):
        assert library.undo_edit(kept.batch) == 1
        assert rows(library) == before and library.undo_edit(kept.batch) == 0
        assert library.redo_edit(kept.batch) == 1
        assert rows(library) == after and library.redo_edit(kept.batch) == 0
    for _ in library.reembed():
        pass
    assert list(library.verify()) == []


def test_an_edit_can_be_undone_after_a_restart_even_without_its_crop(
    library: MediaLibrary, clip: ClipEncoder, mask_generator: MaskGenerator
) -> None:
    target = objects(library)[0]
    before, crop = rows(library), target.crop_path.read_bytes()
    kept = edited(library, target.id, dab)
    library.close()
    target.crop_path.unlink()
    models = TwoClips(clip, mask_generator)
    with MediaLibrary(LibraryPaths(library.paths.root), models, SETTINGS) as again:
        (known,) = again.edits_on_frame(target.id)
        assert (known.batch, known.segment_id, known.is_undone) == (kept.batch, target.id, False)
        again.undo_edit(kept.batch)
        assert rows(again) == before and target.crop_path.read_bytes() == crop
        assert again.edits_on_frame(target.id)[0].is_undone


def test_edits_are_undone_from_the_last_one_backwards(library: MediaLibrary) -> None:
    target = objects(library)[0]
    states = [rows(library)]
    batches = []
    for x in (60, 160, 240):

        def turn(editor: MaskEditor, x: int = x) -> None:
            editor.stroke([(x, 120)], 9, erase=bool(editor.mask[120, x]))

        batches.append(edited(library, target.id, turn).batch)
        states.append(rows(library))
    with pytest.raises(QueryError, match="later"):
        library.undo_edit(batches[0])
    assert rows(library) == states[-1]
    for number in (2, 1, 0):
        library.undo_edit(batches[number])
        assert rows(library) == states[number]
    with pytest.raises(QueryError, match="changed since"):
        library.redo_edit(batches[1])
    for number in (0, 1, 2):
        library.redo_edit(batches[number])
        assert rows(library) == states[number + 1]
    with pytest.raises(QueryError, match="no such edit"):
        library.undo_edit("nobody's")


def test_a_new_segment_has_a_label_and_is_found(library: MediaLibrary) -> None:
    frame = objects(library)[0]
    before = rows(library)
    with library.edit_frame(frame.id) as editor:
        editor.begin(None, "  a   block ")
        editor.click(160, 120)
        rated = editor.state.predicted_iou
        kept = editor.keep()
        assert (kept.segment_id or "") in editor.segment_ids and kept.added == (
            (kept.segment_id or ""),
        )
    new = stored(library, (kept.segment_id or ""))
    assert new.origin == "human" and new.predicted_iou == rated and new.parent_id is not None
    assert [tag.name for tag in library.metadata.tags_of([new.id])[new.id]] == ["a block"]
    for _ in library.reembed():
        pass
    sources = {tag.source for tag in library.metadata.tags_of([new.id])[new.id]}
    assert sources == {"human", "auto"}
    assert library.similar(new.id, 1)[0].segment.id == new.id
    library.add_tag(new.id, "later")
    after = rows(library)
    library.undo_edit(kept.batch)
    assert [some[:1] for some in rows(library)[:1]] == [before[0][:1]]
    assert new.id not in library.metadata.segment_ids()
    library.redo_edit(kept.batch)
    assert rows(library) == after  # what was decided on it meanwhile is there, too


def test_deleting_takes_all_and_undo_brings_all(library: MediaLibrary) -> None:
    first, second = objects(library)[:2]
    library.label([first.id, second.id], "mine")
    library.remove_tag(first.id, "not this")
    library.add_tag(first.id, "also")
    library.undo(library.add_tag(first.id, "undone"))
    before = rows(library)
    kept = edited(library, first.id, lambda editor: editor.delete())
    assert kept.removed == (first.id,) and kept.segment_id is None
    assert first.id not in library.metadata.segment_ids()
    assert list(library.verify()) == []
    library.undo_edit(kept.batch)
    assert rows(library) == before
    library.redo_edit(kept.batch)
    assert first.id not in library.metadata.segment_ids()


def test_what_a_deleted_segment_was_found_by_comes_back_with_it(
    library: MediaLibrary, clip: ClipEncoder, mask_generator: MaskGenerator
) -> None:
    target, embeddings = objects(library)[0], library.vectors.embeddings
    before = embeddings.get([target.id])[target.id]
    kept = edited(library, target.id, lambda editor: editor.delete())
    assert list(library.verify()) == []
    library.undo_edit(kept.batch)
    assert (embeddings.get([target.id])[target.id] == before).all()
    assert not library.upkeep.embedding_waits and list(library.verify()) == []
    assert library.similar(target.id, 1)[0].segment.id == target.id
    library.close()
    models = TwoClips(clip, mask_generator)
    with MediaLibrary(LibraryPaths(library.paths.root), models, SETTINGS) as again:
        assert list(again.verify()) == []
        again.redo_edit(kept.batch)
        again.undo_edit(kept.batch)
        assert list(again.verify()) == []
        assert (again.vectors.embeddings.get([target.id])[target.id] == before).all()


def test_a_mask_that_comes_back_has_the_embedding_that_it_had(library: MediaLibrary) -> None:
    target, embeddings = objects(library)[0], library.vectors.embeddings
    before = embeddings.get([target.id])[target.id]
    kept = edited(library, target.id, dab)
    for _ in library.reembed():
        pass
    after = embeddings.get([target.id])[target.id]
    library.undo_edit(kept.batch)
    assert (embeddings.get([target.id])[target.id] == before).all()
    assert list(library.verify()) == []
    library.redo_edit(kept.batch)
    assert (embeddings.get([target.id])[target.id] == after).all()
    assert list(library.verify()) == []


def test_an_embedding_of_a_crop_that_had_to_be_cut_otherwise_does_not_come_back(
    library: MediaLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = objects(library)[0]
    kept = edited(library, target.id, lambda editor: editor.delete())
    target.crop_path.unlink()
    real = kept_edits.save_jpeg
    monkeypatch.setattr(kept_edits, "save_jpeg", lambda image_rgb: real(image_rgb // 2))
    library.undo_edit(kept.batch)
    assert library.vectors.embeddings.missing() == [target.id]


def test_merging_keeps_one_id_and_what_people_said_of_both(library: MediaLibrary) -> None:
    frames: dict[tuple[int, int], list[StoredSegment]] = {}
    for segment in objects(library):
        frames.setdefault((segment.media_file_id, segment.frame_index), []).append(segment)
    first, other = next(some for some in frames.values() if len(some) > 1)[:2]
    library.add_tag(other.id, "theirs")
    library.add_tag(other.id, "no")
    library.remove_tag(first.id, "no")
    before = rows(library)
    kept = edited(library, first.id, lambda editor: editor.merge(other.id))
    assert kept.removed == (other.id,)
    now, wh = stored(library, first.id), first.frame_wh
    both = decode_rle(first.mask_rle or b"", wh) | decode_rle(other.mask_rle or b"", wh)
    np.testing.assert_array_equal(decode_rle(now.mask_rle or b"", wh), both)
    people = {t.name for t in library.metadata.tags_of([first.id])[first.id] if t.source == "human"}
    assert people == {"theirs"}
    after = rows(library)
    library.undo_edit(kept.batch)
    undone = rows(library)
    assert undone[:3] == before[:3] and undone[4] == before[4]
    library.redo_edit(kept.batch)
    assert rows(library) == after


def test_a_label_that_comes_while_a_merge_is_kept_is_kept_as_well(
    library: MediaLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames: dict[tuple[int, int], list[StoredSegment]] = {}
    for segment in objects(library):
        frames.setdefault((segment.media_file_id, segment.frame_index), []).append(segment)
    first, other = next(some for some in frames.values() if len(some) > 1)[:2]

    def meanwhile(metadata: MetadataDatabase, crops: Iterable[str]) -> None:
        library.add_tag(other.id, "late")
        write_down_crops(metadata, crops)

    monkeypatch.setattr("src.labels.kept_edits.write_down_crops", meanwhile)
    edited(library, first.id, lambda editor: editor.merge(other.id))
    assert "late" in {tag.name for tag in library.metadata.tags_of([first.id])[first.id]}


def test_parts_become_segments_with_the_labels_of_the_whole(library: MediaLibrary) -> None:
    target = objects(library)[0]
    library.add_tag(target.id, "mine")
    before = rows(library)

    def cut_in_two(editor: MaskEditor) -> None:
        x, y, w, h = editor.state.bbox_xywh or (0, 0, 0, 0)
        assert editor.split([(x, y), (x + w / 2, y), (x + w / 2, y + h), (x, y + h)]) == 2

    kept = edited(library, target.id, cut_in_two)
    (part,) = kept.added
    assert [t.name for t in library.metadata.tags_of([part])[part]] == ["mine"]
    assert stored(library, part).area + stored(library, target.id).area == target.area
    library.undo_edit(kept.batch)
    assert rows(library)[0] == before[0] and rows(library)[1] == before[1]


def test_nothing_to_keep_is_nothing_kept(library: MediaLibrary) -> None:
    target = objects(library)[0]
    before = rows(library)
    assert edited(library, target.id, lambda editor: None).batch == ""
    assert rows(library) == before and library.edits_on_frame(target.id) == ()


def test_a_mask_that_another_segment_has_can_not_be_kept(library: MediaLibrary) -> None:
    target = objects(library)[0]
    mask = decode_rle(target.mask_rle or b"", target.frame_wh)
    before = rows(library)
    files = {path.name for path in library.paths.extracted_segments.rglob("*.jpg")}
    with library.edit_frame(target.id) as editor:
        editor.begin(None)
        editor.click(*map(float, np.argwhere(mask)[len(np.argwhere(mask)) // 2][::-1]))
        editor.stroke([(160, 120)], 400, erase=True)
        editor.merge(target.id)
        editor.undo()
        rings = _pixel_rings(mask)
        editor.set_polygon(rings)
        np.testing.assert_array_equal(editor.mask, mask)
        with pytest.raises(SameMaskError, match="merge") as error:
            editor.keep()
        assert error.value.segment_id == target.id
        assert rows(library) == before
        editor.merge(target.id)  # what the message offers
        kept = editor.keep()
    assert kept.removed == (target.id,)
    assert {path.name for path in library.paths.extracted_segments.rglob("*.jpg")} == files


def _pixel_rings(mask: np.ndarray) -> list[np.ndarray]:
    """A ring around each pixel of a mask, which fill just that."""
    return [
        np.array([(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)], float)
        for y, x in np.argwhere(mask)
    ]


def test_who_edits_what_was_changed_meanwhile_is_told(library: MediaLibrary) -> None:
    target = objects(library)[0]
    with library.edit_frame(target.id) as one, library.edit_frame(target.id) as other:
        for editor in (one, other):
            editor.begin(target.id)
            editor.stroke([(160, 120)], 14)
        one.keep()
        with pytest.raises(QueryError, match="meanwhile"):
            other.keep()
    library.remove([target.media_file_id])
    with pytest.raises(QueryError, match="no longer"):
        library.edit_frame(target.id)


def test_a_full_disk_leaves_the_segment_as_it_was(
    library: MediaLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = objects(library)[0]
    before = rows(library)
    files = sorted(path.name for path in library.paths.extracted_segments.rglob("*.jpg"))

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with library.edit_frame(target.id) as editor:
        editor.begin(target.id)
        editor.stroke([(160, 120)], 14)
        with monkeypatch.context() as patch:
            patch.setattr("src.library_files.SafeFolder.sync_files", full)
            with pytest.raises(DatabaseError, match="room"):
                editor.keep()
        assert rows(library) == before
        now = sorted(path.name for path in library.paths.extracted_segments.rglob("*.jpg"))
        assert now == files and library.metadata.info("crops to remove") is None
        assert editor.state.strokes == 1  # and can be kept once there is room
        editor.keep()
    assert rows(library) != before


def test_a_video_is_edited_at_its_very_frame(library: MediaLibrary, make_video: MakeVideo) -> None:
    for _ in library.add([make_video("film.mp4", 3, *LOSSLESS)]):
        pass
    (film,) = [media for media in library.metadata.all_media() if media.kind == "video"]
    frames = library.browse.sampled_frames(film.id)
    assert len(frames) > 1
    last = frames[-1]
    with library.edit_frame(last.segment_id) as editor:
        assert editor.size_wh == (160, 120)
        shown = cv2.imread(str(last.crop_path))[..., ::-1].astype(int)
        assert np.abs(editor.image_rgb.astype(int) - shown).mean() < 8
        editor.begin(None, "made here")
        editor.polygon([(20, 20), (70, 20), (70, 60), (20, 60)])
        kept = editor.keep()
    new = stored(library, (kept.segment_id or ""))
    assert new.timestamp_s == last.timestamp_s and new.bbox_xywh == (20, 20, 50, 40)


def test_the_pixels_of_a_disc_are_all_kept(library: MediaLibrary) -> None:
    frame = objects(library)[0]
    with library.edit_frame(frame.id) as editor:
        editor.begin(None)
        editor.set_polygon(_pixel_rings(disc(editor.size_wh, 100, 100, 2)))
        mask = editor.mask.copy()
        kept = editor.keep()
    now = stored(library, (kept.segment_id or ""))
    np.testing.assert_array_equal(decode_rle(now.mask_rle or b"", now.frame_wh), mask)
    assert isinstance(now.crop_path, Path) and now.crop_path.is_file()


def test_an_edit_is_not_undone_by_halves_as_an_act_on_labels(library: MediaLibrary) -> None:
    target = objects(library)[0]
    with library.edit_frame(target.id) as editor:
        editor.begin(target.id, "mended")
        dab(editor)
        kept = editor.keep()
    after = rows(library)
    for turn in (library.labels.undo, library.undo, library.labels.redo):
        with pytest.raises(QueryError, match="edit of masks"):
            turn(kept.batch)
    assert rows(library) == after
    library.undo_edit(kept.batch)
