"""Whether a dataset says what was to be written: read back and compared, mask by mask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from src.dataset_events import DatasetFileChecked
from src.datasets.annotations import AnnotatedImage, Annotation, PlannedImage
from src.datasets.atomic_output import DatasetFolder
from src.datasets.dataset_writer import Manifest, sha256_of
from src.datasets.protocols import ExportFormat, Holds
from src.errors import DamagedMaskError, ExportError
from src.events import Event
from src.models.mask_rle import mask_ious, measured

# A polygon has to be so near to the mask of a segment of so many pixels. That of a smaller one
# may be farther from it, since its few corners lie on whole pixels.
LEAST_IOU, OF_PIXELS = 0.98, 500
LEAST_IOU_OF_SMALL = 0.8
BOX_PIXELS = 1
# Reading and hashing let each other run.
_THREADS = 2


def check_dataset(
    written_as: ExportFormat, dataset: DatasetFolder, manifest: Manifest
) -> Iterator[Event]:
    """Read a dataset back, and compare it with what was to be written.

    Raises:
        ExportError: its files, its labels or its masks are others.
        OSError: it can't be read.
    """
    # asked for by the names they were given: some file systems list accents another way
    with ThreadPoolExecutor(_THREADS, "dataset check") as threads:
        try:
            digests = threads.map(lambda file: _digest(dataset, file), manifest.hashes)
            _read_back(written_as, dataset, manifest)
            for (file, digest), found in zip(manifest.hashes.items(), digests, strict=True):
                if found != digest:
                    raise _differs(file)
                yield DatasetFileChecked(file)
        finally:
            threads.shutdown(cancel_futures=True)


def _read_back(written_as: ExportFormat, dataset: DatasetFolder, manifest: Manifest) -> None:
    missing = set(manifest.images)
    try:
        for image in written_as.read_back(dataset):
            file = image.image.as_posix()
            if file not in missing:
                raise _differs(file)
            missing.discard(file)
            _compare(file, manifest.images[file], image, written_as.holds)
    except ValueError as exc:
        raise ExportError(f"the dataset can't be read back ({exc}); nothing was kept") from exc
    if missing:
        raise _differs(min(missing))


def _digest(dataset: DatasetFolder, file: str) -> bytes:
    with dataset.open(file) as stream:
        return sha256_of(stream)


def _compare(file: str, wanted: PlannedImage, found: AnnotatedImage, holds: Holds) -> None:
    """Compare an image with what was planned; annotations have their order.

    Raises:
        ExportError: they differ.
    """
    if len(found.annotations) != len(wanted.annotations):
        raise _differs(f"the number of annotations of {file}")
    if found.size_wh is not None and found.size_wh != wanted.size_wh:
        raise _differs(f"the size of {file}")
    for mine, its in zip(wanted.annotations, found.annotations, strict=True):
        if mine.label != its.label:
            raise _differs(f"the label {mine.label!r} of {file}")
        if holds.attributes and dict(mine.attributes) != dict(its.attributes):
            raise _differs(f"the attributes of {mine.label!r} in {file}")
        if holds.tracks and mine.track_id != its.track_id:
            raise _differs(f"the track of {mine.label!r} in {file}")
        if holds.boxes and not _is_same_place(mine, its, wanted.size_wh, holds):
            raise _differs(f"where {mine.label!r} is in {file}")


def _is_same_place(
    mine: Annotation, its: Annotation, size_wh: tuple[int, int], holds: Holds
) -> bool:
    if mine.bbox_xywh is None or its.bbox_xywh is None:
        return mine.bbox_xywh is its.bbox_xywh
    if mine.mask_rle is None or holds.masks == "no":
        return _are_near(mine.bbox_xywh, its.bbox_xywh)
    if its.mask_rle is None:
        return False
    if mine.mask_rle == its.mask_rle:
        return True
    if holds.masks == "exact":
        return False
    try:
        iou = float(mask_ious([mine.mask_rle], [its.mask_rle], size_wh)[0, 0])
        area, _ = measured(mine.mask_rle, size_wh)
    except DamagedMaskError:
        return False
    return iou >= (LEAST_IOU if area >= OF_PIXELS else LEAST_IOU_OF_SMALL)


def _are_near(box: Sequence[float], other: Sequence[float]) -> bool:
    (x, y, w, h), (left, top, width, height) = box, other
    edges = (x - left, y - top, x + w - left - width, y + h - top - height)
    return all(abs(each) <= BOX_PIXELS for each in edges)


def _differs(what: str) -> ExportError:
    return ExportError(
        f"{what} does not read back as it was written; nothing was kept. Check the disk, and "
        "export again"
    )
