"""What the tests share: libraries in folders of their own, drawn media, the starter models."""

from __future__ import annotations

import functools
import gc
import os
import signal
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image

from src import child_processes
from src.child_processes import cores
from src.config import LibraryPaths
from src.database.metadata_db import MetadataDatabase
from src.database.segment_store import NewSegment
from src.models.clip_encoder import ClipEncoder
from src.models.mask_generator import MaskGenerator
from src.models.mask_rle import encode_rle
from src.models.model_manager import ModelManager
from src.models.starter import architecture, segmenter
from src.records import EMBEDDING_DIM, Segment
from src.starter.scenes import draw_scene
from tests.bundled_models import loading_once
from tests.remembered_masks import Masks
from tests.remembered_vectors import Encode
from tests.remembered_videos import copy_of_drawn
from tests.remembering import remember_in
from tests.warm_start import WarmStart, with_warm_children

TESTS = Path(__file__).parent
MODEL = "test-clip@1"
MOST_IN_A_FRAME = 400
LONG = ("e2e/", "test_search_quality.py", "starter/", "models/", "processing/", "cli/")

# Each of the hundreds of programs that tests start would compile all of src anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def pytest_xdist_auto_num_workers() -> int:
    """Run one process more than there are cores: tests of the window wait most of their time."""
    return cores() + 1


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deal the files of tests out to the processes, what takes long first.

    Each process is given as many tests in a row, and takes some of another's when it has none
    left: so each begins with its share of the tests that wait, and at the end none is long.
    """

    def place(file: Path) -> int:
        name = file.relative_to(TESTS).as_posix()
        if _is_forking(name):
            return -1
        return next((n for n, start in enumerate(LONG) if name.startswith(start)), len(LONG))

    by_file: dict[Path, list[pytest.Item]] = {}
    for item in items:
        by_file.setdefault(item.path, []).append(item)
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    shares: list[list[pytest.Item]] = [[] for _ in range(workers)]
    for number, file in enumerate(sorted(by_file, key=place)):
        kind = place(file)
        if kind < 0:  # the process that they fork imports all that the program does
            share = shares[0]
        else:
            share = shares[number % workers] if kind == 0 else min(shares, key=len)
        share.extend(by_file[file])
    items[:] = [item for share in shares for item in share]


def _is_forking(name: str) -> bool:
    return name.startswith("e2e/") and ("killed" in name or "durability" in name)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for garbage in what tests leave, not in the modules that all of them need."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """There are as many processes as cores, and models this small are slower on several threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session", autouse=True)
def hears_ctrl_c() -> None:
    """Take Ctrl-C as a program in a terminal does; one that runs behind a shell ignores it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def warm_children() -> Iterator[WarmStart | None]:
    """The index's process starts with Chroma imported, a player's with av: many tests start one.

    test_index_process.py and programs that start cold have it start as it does for a person.
    """
    if os.name != "posix":
        yield None
        return
    start = WarmStart(
        "chromadb.api.rust", "chromadb.telemetry.product.posthog", "src.database.index_server",
        "src.processing.video_server",
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(child_processes, "subprocess", with_warm_children(start))
        yield start
    start.close()


class Anew(NamedTuple):
    """The bundled models' own methods, which remember nothing."""

    masks: Masks
    encode_image: Encode
    encode_text: Encode


def of_this_run(tmp_path_factory: pytest.TempPathFactory, name: str) -> Path:
    """Make a folder for all processes of this run."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def cut_already(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of what the processes of this run have cut and embedded."""
    return of_this_run(tmp_path_factory, "cut already")


@pytest.fixture(scope="session", autouse=True)
def made_anew(cut_already: Path) -> Iterator[Anew]:
    """A picture is cut and embedded once in a run; gives what does it each time."""
    anew = Anew(MaskGenerator.masks, ClipEncoder.encode_image, ClipEncoder.encode_text)
    with pytest.MonkeyPatch.context() as patch:
        remember_in(cut_already, patch.setattr)
        yield anew


@pytest.fixture(scope="session", autouse=True)
def loaded_once() -> Iterator[None]:
    """The bundled models are built and read once in this process."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name in (
            (architecture, "load_starter_clip"),
            (segmenter, "load_starter_sam"),
        ):
            patch.setattr(module, name, loading_once(getattr(module, name)))
        yield


@pytest.fixture(scope="session")
def warm_program(warm_children: WarmStart | None) -> Iterator[WarmStart]:
    """Starts main.py with torch, what is built on it and the program's own modules imported."""
    start = WarmStart(
        "open_clip", "segment_anything", "src.cli.commands", "src.gui.main_window",
        "src.gui.app.probe", "src.library", children=warm_children,
    )  # fmt: skip
    yield start
    start.close()


@pytest.fixture
def paths(tmp_path: Path) -> LibraryPaths:
    return LibraryPaths(tmp_path / "library")


@pytest.fixture
def metadata(paths: LibraryPaths) -> Iterator[MetadataDatabase]:
    database = MetadataDatabase(paths)
    yield database
    database.close()


@pytest.fixture(scope="session")
def models() -> ModelManager:
    return ModelManager(device="cpu")


@pytest.fixture(scope="session")
def clip(models: ModelManager) -> ClipEncoder:
    return ModelManager(device="cpu").load_clip()


@pytest.fixture(scope="session")
def mask_generator(models: ModelManager) -> MaskGenerator:
    """The starter SAM on a coarse grid: real masks, fast."""
    segmenter = models.load_sam(points_per_side=10)
    assert isinstance(segmenter, MaskGenerator)
    return segmenter


@pytest.fixture(scope="session")
def scene_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four drawn scenes as PNG files."""
    folder = tmp_path_factory.mktemp("scenes")
    files = []
    for seed in range(4):
        scene = draw_scene(np.random.default_rng([7, seed]), (320, 240), count=5, calm=True)
        files.append(folder / f"scene {seed}.png")
        Image.fromarray(scene.image_rgb).save(files[-1])
    return files


MakeVideo = Callable[..., Path]


@pytest.fixture(scope="session")
def drawn_already(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the videos that the processes of this run have drawn."""
    return of_this_run(tmp_path_factory, "drawn already")


@pytest.fixture
def make_video(tmp_path: Path, drawn_already: Path) -> MakeVideo:
    """Make a video in the test's own folder: make_video(name, seconds, options of ffmpeg)."""

    def make(name: str = "video.mp4", seconds: float = 4, *options: str) -> Path:
        return copy_of_drawn(drawn_already, tmp_path / name, seconds, *options)

    return make


def unit_vectors(n: int, seed: int = 0) -> np.ndarray:
    """Random directions: (n, 512) float32, L2-normalised."""
    rows = np.random.default_rng(seed).normal(size=(n, EMBEDDING_DIM)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@functools.cache
def small_mask(number: int) -> bytes:
    """The mask of new_segments' segment of a number: a square of 4 x 4 in a frame of 100 x 100."""
    mask = np.zeros((100, 100), bool)
    mask[:4, number % 50 : number % 50 + 4] = True
    counts: bytes = encode_rle(mask)["counts"]
    return counts


def new_segments(vectors: np.ndarray, prefix: str = "s") -> list[NewSegment]:
    """Segments that hold given embeddings, for tests of the stores alone."""
    crop = np.zeros((4, 4, 3), np.uint8)
    return [
        NewSegment(
            f"{prefix}{number:05}",
            Segment("object", (number % 50, 0, 4, 4), 16, 0.9, 0.9, small_mask(number), crop),
            f"extracted_segments/{prefix}{number:05}.jpg",
            vector,
        )
        for number, vector in enumerate(vectors)
    ]


def add_frame_of_qualities(
    metadata: MetadataDatabase, qualities: Sequence[float | None], name: str = "a.jpg"
) -> None:
    """Add a media file with a segment of each predicted_iou; None makes a whole frame."""
    media_id = metadata.add_media(Path("/photos") / name, "image", 10, 10)
    made = new_segments(unit_vectors(len(qualities)), prefix=f"{name}-")
    segments = [
        replace(
            new,
            segment=replace(
                new.segment, kind="frame" if quality is None else "object", predicted_iou=quality
            ),
        )
        for new, quality in zip(made, qualities, strict=True)
    ]
    metadata.store_frame(media_id, 0, None, (100, 100), segments, MODEL)


def add_media_with(
    metadata: MetadataDatabase, vectors: np.ndarray, name: str = "a.jpg", model: str = MODEL
) -> int:
    """Add a media file whose segments hold given embeddings; returns its id.

    It has one frame, or more than one where there are many segments: what lies in what is asked
    of every two segments of a frame.
    """
    media_id = metadata.add_media(Path("/photos") / name, "image", 10, 10)
    segments = new_segments(vectors, prefix=f"{name}-")
    for frame, first in enumerate(range(0, len(segments), MOST_IN_A_FRAME)):
        of_it = segments[first : first + MOST_IN_A_FRAME]
        metadata.store_frame(media_id, frame, None, (100, 100), of_it, model)
    metadata.update_media(media_id, status="done", content_hash=name)
    return media_id
