"""A dataset of another program comes into a library whole, and nothing of it twice."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from PIL import Image

import main
from src import imported_cuts, imported_image
from src.config import LibraryPaths
from src.dataset_events import AnnotationSkipped, LabelsImported, LabelUnmatched
from src.dataset_import import MOST_SEGMENTS, _batches
from src.datasets import registry
from src.datasets.annotations import AnnotatedImage, Annotation
from src.datasets.protocols import Skipped
from src.errors import DatabaseError
from src.events import Event, FileDone, FileFailed, FrameStored, JobDone
from src.library import MediaLibrary
from src.models.clip_encoder import ClipEncoder
from src.models.mask_generator import MaskGenerator
from src.models.mask_rle import decode_rle, encode_rle, mask_ious
from src.options import NoOptions
from src.processing import segment_writer
from src.records import StoredSegment
from src.settings import Settings
from tests.two_clips import OLD, TwoClips

SIZE = (320, 240)
SETTINGS = Settings(clip_model=OLD)
E = TypeVar("E", bound=Event)


class Drawn:
    """A dataset in memory."""

    key, label, summary = "drawn", "Drawn", "What a test says."
    options: type[NoOptions] = NoOptions

    def __init__(self) -> None:
        self.images: list[AnnotatedImage] = []
        self.skipped: list[tuple[Path, str]] = []

    def detect(self, path: Path) -> bool:
        return path.name == "dataset"

    def read(self, path: Path, options: NoOptions, skipped: Skipped) -> Iterator[AnnotatedImage]:
        for image, reason in self.skipped:
            skipped(image, reason)
        yield from self.images


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Drawn:
    drawn = Drawn()
    monkeypatch.setattr(registry, "_importers", {"drawn": drawn})
    return drawn


@pytest.fixture
def dataset(tmp_path: Path, scene_files: list[Path]) -> Path:
    """A folder with two images."""
    folder = tmp_path / "dataset"
    folder.mkdir()
    for path in scene_files[:2]:
        shutil.copy2(path, folder)
    return folder


@pytest.fixture
def open_library(
    paths: LibraryPaths, clip: ClipEncoder, mask_generator: MaskGenerator
) -> Iterator[Callable[[], MediaLibrary]]:
    opened: list[MediaLibrary] = []

    def open_it() -> MediaLibrary:
        for library in opened:
            library.close()
        managed = TwoClips(clip, mask_generator)
        opened[:] = [MediaLibrary(paths, managed, SETTINGS, upkeep_later=True)]
        return opened[0]

    yield open_it
    opened[0].close()


@pytest.fixture
def library(open_library: Callable[[], MediaLibrary]) -> MediaLibrary:
    return open_library()


def disc(x: int, y: int, radius: int, hole: int = 0, size_wh: tuple[int, int] = SIZE) -> bytes:
    ys, xs = np.mgrid[: size_wh[1], : size_wh[0]]
    distance = np.hypot(xs - x, ys - y)
    rle: bytes = encode_rle((distance <= radius) & (distance >= hole))["counts"]
    return rle


def masked(label: str, mask_rle: bytes, segment_id: str | None = None) -> Annotation:
    return Annotation(label, (0, 0, 1, 1), mask_rle, segment_id=segment_id)


def boxed(label: str, *bbox_xywh: int) -> Annotation:
    x, y, w, h = bbox_xywh
    return Annotation(label, (x, y, w, h))


def image(dataset: Path, number: int, *annotations: Annotation) -> AnnotatedImage:
    return AnnotatedImage(dataset / f"scene {number}.png", annotations, size_wh=SIZE)


def of_kind(events: Sequence[Event], kind: type[E]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


def imported(library: MediaLibrary, dataset: Path) -> tuple[LabelsImported, list[Event]]:
    events = list(library.import_dataset(dataset))
    (outcome,) = of_kind(events, LabelsImported)
    return outcome, events


def segments_of(library: MediaLibrary) -> list[StoredSegment]:
    return library.metadata.segments_where(with_masks=True)


def labels_of(library: MediaLibrary, *sources: str) -> dict[str, set[str]]:
    """The labels of people on each segment that has any."""
    found = {
        segment_id: {tag.name for tag in tags if tag.source in (sources or ("imported", "human"))}
        for segment_id, tags in library.metadata.tags_of(library.metadata.segment_ids()).items()
    }
    return {segment_id: names for segment_id, names in found.items() if names}


def labelled(library: MediaLibrary, name: str) -> StoredSegment:
    (segment_id,) = [each for each, names in labels_of(library).items() if name in names]
    return library.metadata.segments([segment_id])[segment_id]


def sound(library: MediaLibrary) -> None:
    assert list(library.verify()) == []
    crops = set(library.paths.extracted_segments.rglob("*.jpg"))
    assert crops == {segment.crop_path for segment in segments_of(library)}


def test_images_masks_boxes_and_labels_come_in(
    library: MediaLibrary, drawn: Drawn, dataset: Path
) -> None:
    ring, inside = disc(100, 100, 60, hole=20), disc(100, 60, 15)
    drawn.images = [
        image(
            dataset,
            0,
            masked("ring", ring),
            masked("round", ring),
            masked("in the ring", inside),
            boxed("box", -10, 200, 60, 60),
            Annotation("indoors"),
        ),
        image(dataset, 1),
    ]
    outcome, events = imported(library, dataset)
    assert replace(outcome, batch="") == LabelsImported("", 5, 0, 0, 0, files=2, segments=5)
    assert [(e.path.name, e.segments) for e in of_kind(events, FileDone)] == [
        ("scene 0.png", 4),
        ("scene 1.png", 1),
    ]
    assert of_kind(events, JobDone) == [JobDone(2, 2, 5)]
    assert [media.status for media in library.metadata.all_media()] == ["done", "done"]
    found = labelled(library, "ring")
    assert labels_of(library)[found.id] == {"ring", "round"}
    assert (found.origin, found.mask_rle, found.bbox_xywh) == ("imported", ring, (40, 40, 121, 121))
    assert found.area == decode_rle(ring, SIZE).sum() and found.predicted_iou is None
    assert labelled(library, "in the ring").parent_id == found.id
    box = labelled(library, "box")
    assert (box.origin, box.bbox_xywh, box.area) == ("imported", (0, 200, 50, 40), 2000)
    assert labelled(library, "indoors").kind == "frame"
    assert found.parent_id == labelled(library, "indoors").id
    assert library.search("a red circle")[0].score is not None
    assert library.vectors.embeddings.missing() == []
    sound(library)


def test_it_is_one_act_and_comes_in_once(
    library: MediaLibrary, drawn: Drawn, dataset: Path
) -> None:
    drawn.images = [
        image(dataset, 0, masked("ring", disc(100, 100, 60, 20)), boxed("box", 5, 5, 50, 50)),
        image(dataset, 1, Annotation("outdoors")),
    ]
    first, _ = imported(library, dataset)
    before = segments_of(library)
    again, events = imported(library, dataset)
    assert (again.added, again.known, again.files, again.segments) == (0, 3, 0, 0)
    assert segments_of(library) == before and not of_kind(events, FrameStored)
    # a copy elsewhere, and other names, are the same content
    other = dataset.parent / "other" / "dataset"
    shutil.copytree(dataset, other)
    drawn.images = [replace(each, image=other / each.image.name) for each in drawn.images]
    copied, _ = imported(library, other)
    assert (copied.known, copied.files) == (3, 0) and segments_of(library) == before
    assert library.undo(again.batch) == library.undo(copied.batch) == 0
    assert library.undo(first.batch) == 3
    assert not labels_of(library) and segments_of(library) == before
    assert imported(library, other)[0].added == 3


def test_what_is_wrong_costs_itself_and_is_listed(
    library: MediaLibrary, drawn: Drawn, dataset: Path, tmp_path: Path
) -> None:
    broken = dataset / "broken.png"
    broken.write_bytes(b"no picture")
    small = encode_rle(np.ones((10, 10), bool))["counts"]
    drawn.skipped = [(dataset / "gone.png", "there is no such image")]
    drawn.images = [
        AnnotatedImage(broken, (boxed("lost", 1, 1, 5, 5),)),
        image(
            dataset,
            0,
            boxed("far", 400, 10, 20, 20),
            boxed("flat", 10, 10, 0, 20),
            masked("other size", small),
            masked("damaged", b"P"),
            masked("empty", encode_rle(np.zeros(SIZE[::-1], bool))["counts"]),
            boxed("x" * 200, 10, 10, 30, 30),
            boxed("good", 10, 10, 20, 20),
        ),
        replace(image(dataset, 1, boxed("scaled", 1, 1, 5, 5), Annotation("kept")), size_wh=(9, 9)),
        AnnotatedImage(Path("elsewhere/a.jpg"), (boxed("unknown", 1, 1, 5, 5),)),
        AnnotatedImage(tmp_path / "vanished.jpg", ()),
    ]
    outcome, events = imported(library, dataset)
    assert (outcome.added, outcome.unmatched, outcome.skipped) == (2, 9, 1)
    assert (outcome.files, outcome.segments) == (2, 3)
    assert of_kind(events, AnnotationSkipped) == [
        AnnotationSkipped(dataset / "gone.png", "there is no such image")
    ]
    assert {e.path.name: e.reason for e in of_kind(events, FileFailed)} == {
        "broken.png": of_kind(events, FileFailed)[0].reason,
        "vanished.jpg": "the library has no such media file",
    }
    reasons = {e.label[:9]: e.reason for e in of_kind(events, LabelUnmatched)}
    misfit = "its mask does not fit (the runs of a mask don't fit its frame of 320 x 240)"
    outside = "its box lies outside of the image"
    assert reasons == {
        "far": outside,
        "flat": outside,
        "other siz": misfit,
        "damaged": "its mask does not fit (a mask ends within a number)",
        "empty": "its mask is empty",
        "xxxxxxxxx": "a tag has at most 80 characters; this one has 200",
        "scaled": "it is annotated at 9 x 9 pixels, and the image has 320 x 240",
        "unknown": "the library has no such media file",
    }
    assert set().union(*labels_of(library).values()) == {"good", "kept"}
    sound(library)


@pytest.fixture
def with_sam(library: MediaLibrary, dataset: Path) -> list[StoredSegment]:
    """The first image as SAM cut it, its largest segment first after the whole frame."""
    list(library.add([dataset / "scene 0.png"]))
    return segments_of(library)


def shifted(mask_rle: bytes, pixels: int) -> bytes:
    mask = np.roll(decode_rle(mask_rle, SIZE), pixels, axis=1)
    rle: bytes = encode_rle(mask)["counts"]
    return rle


def test_a_label_goes_on_the_same_mask_and_another_mask_is_kept(
    library: MediaLibrary, drawn: Drawn, dataset: Path, with_sam: list[StoredSegment]
) -> None:
    one, two = with_sam[1], with_sam[2]
    assert one.mask_rle is not None and two.mask_rle is not None
    other = shifted(two.mask_rle, 4)
    iou = mask_ious([two.mask_rle], [other], SIZE)[0, 0]
    assert 0.5 < iou < 0.95
    drawn.images = [
        image(
            dataset,
            0,
            masked("same", one.mask_rle),
            masked("other", other),
            boxed("boxed", *one.bbox_xywh),
            Annotation("whole"),
        )
    ]
    outcome, events = imported(library, dataset)
    assert (outcome.added, outcome.files, outcome.segments) == (4, 0, 1)
    assert [e.segments for e in of_kind(events, FrameStored)] == [1]
    assert labels_of(library)[one.id] == {"same", "boxed"}
    assert labels_of(library)[with_sam[0].id] == {"whole"}
    new = labelled(library, "other")
    assert (new.origin, new.mask_rle) == ("imported", other) and new.parent_id is not None
    now = {segment.id: segment for segment in segments_of(library)}
    assert now.keys() == {segment.id for segment in with_sam} | {new.id}
    assert all(now[each.id].mask_rle == each.mask_rle for each in with_sam)
    assert library.vectors.embeddings.missing() == []
    sound(library)


def test_segments_are_met_by_their_ids_and_media_by_their_names(
    library: MediaLibrary, drawn: Drawn, dataset: Path, with_sam: list[StoredSegment]
) -> None:
    exported = dataset.parent / "exported.png"  # as a frame that is written anew has other bytes
    Image.open(dataset / "scene 0.png").save(exported, compress_level=1)
    other = disc(200, 100, 30, 10)
    drawn.images = [
        AnnotatedImage(
            exported,
            (
                Annotation("by its id", with_sam[1].bbox_xywh, None, segment_id=with_sam[1].id),
                masked("new", other, "cut in another library"),
                masked("new too", other, "cut in another library"),
            ),
            size_wh=SIZE,
            media="dataset/scene 0.png",
        )
    ]
    outcome, _ = imported(library, dataset)
    assert (outcome.added, outcome.files, outcome.segments) == (3, 0, 1)
    assert labels_of(library)[with_sam[1].id] == {"by its id"}
    assert labels_of(library)[labelled(library, "new").id] == {"new", "new too"}
    # another picture of the same name is no picture of it
    other_picture = replace(drawn.images[0], image=dataset / "scene 1.png")
    drawn.images = [replace(other_picture, annotations=(masked("elsewhere", other, "unknown"),))]
    assert imported(library, dataset)[0].files == 1
    assert labelled(library, "elsewhere").media_path == dataset / "scene 1.png"
    # nor is a crop of it
    crop = dataset / "crop.png"
    Image.open(exported).crop((0, 0, 50, 40)).save(crop)
    drawn.images = [
        AnnotatedImage(crop, (Annotation("crop"),), size_wh=(50, 40), media="dataset/scene 0.png")
    ]
    assert imported(library, dataset)[0].files == 1
    assert labelled(library, "crop").media_path == crop


def test_adding_an_imported_image_puts_the_masks_of_sam_beside(
    library: MediaLibrary, drawn: Drawn, dataset: Path
) -> None:
    drawn.images = [
        image(dataset, 0, masked("ring", disc(100, 100, 60, 20)), Annotation("whole")),
        image(dataset, 1, boxed("box", 5, 5, 50, 50)),
    ]
    imported(library, dataset)
    before = {segment.id: segment for segment in segments_of(library)}
    labels = labels_of(library)
    assert library.segmented_by_others() == library.unfinished() == 0
    first = dataset / "scene 0.png"
    (done,) = of_kind(list(library.add([first])), FileDone)
    assert done.path == first and done.segments > 3
    assert library.segmented_by_others() == 0
    now = {segment.id: segment for segment in segments_of(library)}
    assert labels_of(library) == labels and before.keys() < now.keys()
    for segment_id, old in before.items():
        assert replace(now[segment_id], parent_id=None) == replace(old, parent_id=None)
    assert {now[each].origin for each in now.keys() - before.keys()} == {"sam"}
    sound(library)
    assert not of_kind(list(library.add([first])), FrameStored)
    assert len(of_kind(list(library.add([dataset])), FrameStored)) == 1  # the second image
    assert imported(library, dataset)[0].segments == 0 and labels_of(library) == labels


def test_an_image_that_waits_to_be_added_is_still_added(
    library: MediaLibrary, drawn: Drawn, dataset: Path
) -> None:
    library.keep_for_later([dataset / "scene 0.png"])
    drawn.images = [image(dataset, 0, masked("ring", disc(100, 100, 60, 20)))]
    outcome, _ = imported(library, dataset)
    assert (outcome.files, outcome.segments) == (0, 2) and library.unfinished() == 1
    assert len(of_kind(list(library.add([])), FrameStored)) == 1 and library.unfinished() == 0
    assert {segment.origin for segment in segments_of(library)} == {"sam", "imported"}
    assert set().union(*labels_of(library).values()) == {"ring"}
    sound(library)


def test_a_large_image_is_not_scaled_anew_when_it_is_cut(
    library: MediaLibrary, drawn: Drawn, dataset: Path
) -> None:
    """CLIP alone may scale a whole frame in a quicker way, whose crop has other bytes."""
    large = dataset / "scene 0.png"
    Image.open(large).resize((1200, 90)).save(large)
    drawn.images = [AnnotatedImage(large, (boxed("box", 5, 5, 500, 50),))]
    imported(library, dataset)
    list(library.add([large]))
    assert len(segments_of(library)) > 2
    sound(library)


def test_what_a_person_changed_is_met_again(
    library: MediaLibrary, drawn: Drawn, dataset: Path
) -> None:
    """The outline of an imported segment is not the dataset's any more, and it is still the one."""
    drawn.images = [image(dataset, 0, masked("ring", disc(100, 100, 60, 20)))]
    imported(library, dataset)
    ring = labelled(library, "ring")
    with library.metadata.connection.write() as db:
        db.execute("UPDATE segments SET mask = ? WHERE id = ?", (disc(100, 100, 30), ring.id))
    library.remove_tag(ring.id, "ring")
    outcome, _ = imported(library, dataset)
    assert (outcome.segments, outcome.overruled) == (0, 1) and not labels_of(library)


def test_two_images_of_one_content_are_one(
    library: MediaLibrary, drawn: Drawn, dataset: Path
) -> None:
    shutil.copy(dataset / "scene 0.png", dataset / "scene 7.png")
    drawn.images = [
        image(dataset, 0, boxed("box", 5, 5, 50, 50)),
        image(dataset, 7, boxed("box", 5, 5, 50, 50), boxed("more", 90, 90, 50, 50)),
    ]
    outcome, _ = imported(library, dataset)
    assert (outcome.files, outcome.segments, outcome.added, outcome.known) == (1, 3, 2, 1)
    sound(library)


def test_a_removed_image_comes_back_and_a_changed_one_does_not_come_in(
    library: MediaLibrary, drawn: Drawn, dataset: Path
) -> None:
    drawn.images = [image(dataset, n, boxed("box", 5, 5, 50, 50)) for n in (0, 1)]
    imported(library, dataset)
    library.remove([library.metadata.all_media()[0].id])
    (dataset / "scene 1.png").write_bytes((dataset / "scene 0.png").read_bytes() + b"more")
    outcome, events = imported(library, dataset)
    assert (outcome.files, outcome.unmatched) == (1, 1)
    assert [e.reason for e in of_kind(events, FileFailed)] == [
        "changed since it was added; add it again first"
    ]


def test_an_image_that_goes_while_it_is_cut_costs_itself(
    library: MediaLibrary, drawn: Drawn, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stamp_of(path: Path) -> tuple[int, int]:
        if path.name == gone.name:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(path))
        return imported_image.stamp_of(path)

    drawn.images = [image(dataset, number, boxed("ball", 20, 40, 60, 60)) for number in (0, 1)]
    gone = drawn.images[0].image
    monkeypatch.setattr(imported_cuts, "stamp_of", stamp_of)
    outcome, events = imported(library, dataset)
    (failed,) = of_kind(events, FileFailed)
    assert (failed.path, failed.reason) == (gone, "can't be read (No such file or directory)")
    assert (outcome.files, outcome.added, outcome.unmatched) == (1, 1, 1)


def test_the_librarys_own_files_are_no_images_of_a_dataset(
    library: MediaLibrary, drawn: Drawn, dataset: Path
) -> None:
    own = library.paths.datasets / "a.png"
    shutil.copy(dataset / "scene 0.png", own)
    drawn.images = [AnnotatedImage(own, (boxed("box", 5, 5, 50, 50),))]
    outcome, events = imported(library, dataset)
    assert outcome.files == 0 and "its own files" in of_kind(events, FileFailed)[0].reason


def test_another_import_between_leaves_one_that_was_stopped_to_go_on(
    open_library: Callable[[], MediaLibrary], drawn: Drawn, dataset: Path, scene_files: list[Path]
) -> None:
    own = [image(dataset, n, boxed("box", 5, 5, 50, 50), Annotation("whole")) for n in (0, 1)]
    drawn.images = own
    library = open_library()
    job = library.import_dataset(dataset)
    assert next(event for event in job if isinstance(event, FrameStored))
    job.close()  # type: ignore[attr-defined]
    other = dataset / "dataset"
    other.mkdir()
    shutil.copy2(scene_files[2], other)
    drawn.images = [image(other, 2, Annotation("other"))]
    between, _ = imported(library, other)
    assert between.added == 1
    drawn.images = own
    outcome, _ = imported(library, dataset)
    assert (outcome.added, outcome.known) == (2, 2)
    assert library.undo(outcome.batch) == 4 and library.undo(between.batch) == 1


@pytest.mark.parametrize("how", ["cancelled", "killed"])
def test_an_import_that_was_stopped_goes_on(
    open_library: Callable[[], MediaLibrary],
    drawn: Drawn,
    dataset: Path,
    how: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn.images = [
        image(dataset, n, boxed("box", 5, 5, 50, 50), Annotation("whole")) for n in (0, 1)
    ]
    library = open_library()
    if how == "cancelled":
        job = library.import_dataset(dataset)
        assert next(event for event in job if isinstance(event, FrameStored))
        job.close()  # type: ignore[attr-defined]
    else:
        stored = segment_writer.SegmentWriter.store_frame

        def dies(*args: object, **kwargs: object) -> int | None:
            if library.metadata.all_media():  # with the crops of the second on the disk
                monkeypatch.setattr(
                    library.metadata, "store_frame", lambda *_: (_ for _ in ()).throw(DatabaseError)
                )
            return stored(*args, **kwargs)  # type: ignore[arg-type]

        monkeypatch.setattr(segment_writer.SegmentWriter, "store_frame", dies)
        with pytest.raises(DatabaseError):
            list(library.import_dataset(dataset))
        monkeypatch.setattr(segment_writer.SegmentWriter, "store_frame", stored)
        library = open_library()
    assert len(library.metadata.all_media()) == 1 and len(segments_of(library)) == 2
    assert len(labels_of(library)) == 2 and library.unfinished() == 0
    outcome, _ = imported(library, dataset)
    assert (outcome.files, outcome.segments, outcome.added, outcome.known) == (1, 2, 2, 2)
    assert library.undo(outcome.batch) == 4  # what came before it was stopped as well
    sound(library)
    assert imported(library, dataset)[0].batch != outcome.batch


def test_images_are_cut_some_at_a_time() -> None:
    one, many = (AnnotatedImage(Path("a.jpg"), n * (Annotation("a"),)) for n in (1, MOST_SEGMENTS))
    assert [len(batch) for batch in _batches([one] * 40)] == [16, 16, 8]
    assert [len(batch) for batch in _batches([one, many, many, one, one])] == [1, 1, 1, 2]
    assert not list(_batches([]))


def test_images_of_a_library_whose_files_are_gone_get_labels_alone(
    library: MediaLibrary, drawn: Drawn, dataset: Path, with_sam: list[StoredSegment]
) -> None:
    os.remove(dataset / "scene 0.png")
    mask_rle = with_sam[1].mask_rle
    assert mask_rle is not None
    drawn.images = [
        image(dataset, 0, masked("same", mask_rle), masked("new", disc(200, 100, 30, 10)))
    ]
    outcome, events = imported(library, dataset)
    assert (outcome.added, outcome.unmatched, outcome.segments) == (1, 1, 0)
    assert len(of_kind(events, FileFailed)) == 1
    assert labels_of(library) == {with_sam[1].id: {"same"}}


def test_the_command_makes_a_library_of_a_dataset(
    tmp_path: Path, dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    annotations = [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 20, 30, 40]},
        {"id": 2, "image_id": 1, "category_id": 7, "bbox": [10, 20, 30, 40]},
    ]
    (dataset / "instances.json").write_text(
        json.dumps(
            {
                "images": [{"id": 1, "file_name": "scene 0.png", "width": 320, "height": 240}],
                "categories": [{"id": 1, "name": "dog"}],
                "annotations": annotations,
            }
        )
    )

    def said(*words: str) -> tuple[int, str, str]:
        code = main.main(["--library", str(tmp_path / "new"), "import", *words])
        return (code, *capsys.readouterr())

    assert said(str(tmp_path / "nothing"))[0] == 1 and not (tmp_path / "new").exists()
    code, out, err = said(str(dataset))
    assert (code, out) == (
        0,
        "1 image and 2 segments added\n"
        "1 label added, 0 there already, 0 taken off here before, 1 left out\n",
    )
    assert f"{dataset / 'scene 0.png'}: 1 frame, 2 segments" in err
    assert "left out" in err and "unknown category 7" in err
    batch = err.split("--undo ")[1].split("`")[0]
    assert said("--undo", batch)[:2] == (0, "1 label taken back\n")
