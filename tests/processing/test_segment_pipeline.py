"""What is made of a frame is plain data: it can be stored somewhere else and later."""

from __future__ import annotations

import json
import multiprocessing
import pickle
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pycocotools import mask as coco_mask

from src.config import LibraryPaths
from src.events import FrameStored
from src.library import MediaLibrary
from src.models import mask_rle
from src.models.clip_encoder import ClipEncoder
from src.models.mask_generator import MaskGenerator
from src.models.mask_rle import decode_rle
from src.models.model_manager import ModelManager
from src.processing.image_loader import load_image
from src.processing.segment_pipeline import (
    FrameResult,
    SegmentPipeline,
    embed_again,
    process_frame,
)
from src.records import SegmentMask, Tag
from src.settings import Settings
from tests.processing.test_ingest import SETTINGS, of_kind
from tests.processing.test_ingest import shared_models as shared_models

PLAIN = (int, float, str, bytes, bool, type(None))


@pytest.fixture
def libraries(
    tmp_path: Path, shared_models: ModelManager
) -> Iterator[tuple[MediaLibrary, MediaLibrary]]:
    """Two empty libraries: one as ever, one whose frames are worked on somewhere else."""
    first, second = LibraryPaths(tmp_path / "one"), LibraryPaths(tmp_path / "other")
    with (
        MediaLibrary(first, shared_models, SETTINGS) as here,
        MediaLibrary(second, shared_models, SETTINGS) as elsewhere,
    ):
        yield here, elsewhere


def rows(library: MediaLibrary) -> list[tuple[object, ...]]:
    """All that is stored of segments, but for vectors; crops by what is in their files."""
    found = library.metadata.connection.read().execute(
        "SELECT s.id, s.kind, s.x, s.y, s.w, s.h, s.area, s.predicted_iou, s.stability_score,"
        " s.mask, s.parent_id, s.crop_path, s.crop_hash, f.frame_index, f.width, f.sam, m.name,"
        " (SELECT group_concat(t.name || st.source) FROM segment_tags st"
        " JOIN tags t ON t.id = st.tag_id WHERE st.segment_id = s.id) AS tags"
        " FROM segments s JOIN frames f ON f.id = s.frame_id"
        " JOIN embeddings e ON e.segment_id = s.id JOIN models m ON m.id = e.model_id"
        " ORDER BY s.id"
    )
    return [(*tuple(row), (library.paths.root / row["crop_path"]).read_bytes()) for row in found]


def vectors(library: MediaLibrary) -> np.ndarray:
    ids = sorted(library.metadata.segment_ids())
    found = library.vectors.embeddings.get(ids)
    return np.stack([found[name] for name in ids])


def same_library(here: MediaLibrary, elsewhere: MediaLibrary) -> None:
    assert len(rows(here)) > 4
    assert rows(elsewhere) == rows(here)
    # sums of floats differ in their last digits with the number of threads
    np.testing.assert_allclose(vectors(elsewhere), vectors(here), atol=1e-5)
    assert list(elsewhere.verify()) == []


def add_by_way_of(
    library: MediaLibrary,
    paths: list[Path],
    process: Callable[..., FrameResult],
    patch: pytest.MonkeyPatch,
) -> None:
    with patch.context() as inside:
        inside.setattr(SegmentPipeline, "process", process)
        events = list(library.add(paths))
    assert len(of_kind(events, FrameStored)) == len(paths)


def test_a_result_can_be_pickled_and_its_copy_stored(
    libraries: tuple[MediaLibrary, MediaLibrary],
    scene_files: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here, elsewhere = libraries
    list(here.add(scene_files[:2]))
    process = SegmentPipeline.process

    def pickled(self: SegmentPipeline, frame: object, *kept: object) -> FrameResult:
        made = process(self, frame, *kept)  # type: ignore[arg-type]
        copy: FrameResult = pickle.loads(pickle.dumps(made))
        assert copy == made and copy is not made
        return copy

    add_by_way_of(elsewhere, scene_files[:2], pickled, monkeypatch)
    same_library(here, elsewhere)


def worker(work: object, path: str, settings: str) -> None:
    """Make the result of an image's frame in a process of its own, which knows no library."""
    chosen = Settings(**json.loads(settings))
    torch.set_num_threads(1)  # as an ingest has it: another order of sums can move a pixel
    models = ModelManager(device="cpu", points_per_side=chosen.points_per_side)
    clip = models.load_clip()
    from src.models.auto_tagger import AutoTagger, read_vocabulary

    vocabulary = chosen.vocabulary or models.vocabulary(clip)
    tagger = AutoTagger(read_vocabulary(Path(vocabulary)), clip, chosen.tag_confidence)
    frame = load_image(Path(path), chosen.pixel_limit).frame
    result = process_frame(frame, clip, tagger, models.load_sam(), chosen)
    work.send(result)  # type: ignore[attr-defined]


def test_frames_worked_on_in_another_process_make_the_same_library(
    libraries: tuple[MediaLibrary, MediaLibrary],
    scene_files: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here, elsewhere = libraries
    list(here.add(scene_files[:1]))
    processes = multiprocessing.get_context("spawn")
    ours, theirs = processes.Pipe()
    chosen = json.dumps({"points_per_side": 8, "duplicate_distance": -1})
    child = processes.Process(target=worker, args=(theirs, str(scene_files[0]), chosen))
    child.start()
    theirs.close()
    result = ours.recv()
    child.join()
    assert child.exitcode == 0
    add_by_way_of(elsewhere, scene_files[:1], lambda *_: result, monkeypatch)
    same_library(here, elsewhere)


def test_a_result_holds_plain_data_alone(
    libraries: tuple[MediaLibrary, MediaLibrary], scene_files: list[Path]
) -> None:
    library, _ = libraries
    frame = load_image(scene_files[0], SETTINGS.pixel_limit).frame
    clip, tagger, segmenter = library.clip, library.tagger, library.mask_generator
    result = process_frame(frame, clip, tagger, segmenter, SETTINGS)
    assert result.vectors.shape == (len(result.segments), 512)
    assert result.vectors.dtype == np.float32
    assert (result.clip, result.sam) == (clip.name, segmenter.name if segmenter else None)
    for segment in result.segments:
        assert isinstance(segment, SegmentMask) and segment.crop_jpeg[:2] == b"\xff\xd8"
        for each in fields(segment):
            value = getattr(segment, each.name)
            flat = value if isinstance(value, tuple) else (value,)
            assert all(type(part) in (*PLAIN, Tag) for part in flat), each.name
        if segment.mask_rle is not None:
            mask = decode_rle(segment.mask_rle, result.size_wh)
            assert segment.area == mask.sum()


def test_a_mask_is_written_once_and_never_read_on_its_way(
    mask_generator: MaskGenerator,
    clip: ClipEncoder,
    libraries: tuple[MediaLibrary, MediaLibrary],
    scene_files: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from src.processing import segment_extractor

    calls: list[str] = []

    def count(name: str) -> None:
        real = getattr(segment_extractor, name)

        def call(*arguments: object) -> object:
            calls.append(name)
            return real(*arguments)

        monkeypatch.setattr(segment_extractor, name, call)

    count("encode_rle")
    count("decode_rle")
    generator, made = mask_generator, [0]
    masks = generator.masks

    def counted(image_rgb: np.ndarray) -> Iterator[dict[str, object]]:
        for record in masks(image_rgb):
            made[0] += 1
            assert isinstance(record["segmentation"], np.ndarray)
            yield record

    monkeypatch.setattr(generator, "masks", counted)
    frame = load_image(scene_files[0], SETTINGS.pixel_limit).frame
    result = process_frame(frame, clip, libraries[0].tagger, generator, SETTINGS)
    assert len(result.segments) > 2
    assert calls == ["encode_rle"] * made[0]


def test_from_the_result_to_the_row_a_mask_stays_as_it_is(
    libraries: tuple[MediaLibrary, MediaLibrary],
    scene_files: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    library, _ = libraries
    bundle = library._in_use.clip_bundle()
    frame = load_image(scene_files[0], SETTINGS.pixel_limit).frame
    models = library.clip, library.tagger, library.mask_generator
    result = process_frame(frame, *models, SETTINGS)

    def refuse(*_: object) -> None:
        raise AssertionError("a mask is encoded or decoded")

    for name in ("encode", "decode", "frPyObjects"):
        monkeypatch.setattr(coco_mask, name, refuse)
    monkeypatch.setattr(mask_rle, "decode_rle", refuse)
    # where another CLIP has taken over meanwhile
    again = embed_again(result, bundle.clip, bundle.tagger, SETTINGS.pixel_limit)
    pairs = zip(again.segments, result.segments, strict=True)
    assert all(new.mask_rle is old.mask_rle for new, old in pairs)
    add_by_way_of(library, scene_files[:1], lambda *_: again, monkeypatch)
    rows = library.metadata.connection.read().execute("SELECT mask FROM segments")
    assert {row["mask"] for row in rows} == {segment.mask_rle for segment in result.segments}


def test_what_lies_in_what_is_found_before_a_transaction_begins(
    libraries: tuple[MediaLibrary, MediaLibrary],
    scene_files: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from src.models import mask_hierarchy

    library, _ = libraries
    writer, find = library.metadata.connection._writer, mask_hierarchy.containers
    assert writer is not None
    within: list[bool] = []

    def containers(*arguments: Any) -> list[int | None]:
        within.append(writer.in_transaction)
        return find(*arguments)

    monkeypatch.setattr(mask_hierarchy, "containers", containers)
    list(library.add(scene_files[:2]))
    before = rows(library)
    with library.metadata.connection.write() as db:
        db.execute("UPDATE frames SET sam = 'another'")
    list(library.segment_again())
    assert rows(library) == before and any(row[10] for row in before)
    assert len(within) == 6 and not any(within)  # of results, and of frames that were cut again
