"""A dataset that is written again: what has not changed is taken from the one that is there."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import IO

from src.dataset_events import DatasetChanges
from src.datasets.annotations import PlannedImage
from src.datasets.atomic_output import DatasetFolder
from src.datasets.dataset_writer import ImageRenderer, Manifest, sha256_of
from src.datasets.manifest_file import (
    KnownDataset,
    labels_digest,
    read_manifest,
    source_of,
)
from src.datasets.plan import DatasetPlan
from src.errors import ExportError
from src.library_files import SafeFolder
from src.ownership import MANIFEST
from src.records import ImageForm


class KnownFiles:
    """Gives the images of a dataset that is there, and makes the others anew; see ImageRenderer."""

    def __init__(self, folder: Path, plan: DatasetPlan, images: ImageRenderer) -> None:
        """Read what is there.

        Raises:
            ExportError: it is no dataset of this program, one of another kind, or somebody has
                changed it.
            OSError: it can't be read.
        """
        self._dataset = DatasetFolder(SafeFolder(folder))
        self._images = images
        self._known = _checked(folder, self._dataset, plan)
        self._by_source = {each.source: each for each in self._known.images.values()}
        self._taken = set[str]()

    def expect(self, image: PlannedImage) -> None:
        """Have the images that are not there expected."""
        if image.cut is None and source_of(image, "frames") not in self._by_source:
            self._images.expect(image)

    def render(self, image: PlannedImage, form: ImageForm) -> tuple[bytes, str] | None:
        """Read an image that is there, else make it.

        A blurred crop is the library's own, and as soon read there: it may have been cut anew, with
        another blur, of the same mask.
        """
        known = None if form == "blurred" else self._by_source.get(source_of(image, form))
        if known is None:
            return self._images.render(image, form)
        self._taken.add(known.file)
        with _opened(self._dataset, known.file) as stream:
            content = stream.read()
        if sha256(content).digest() != self._known.hashes[known.file]:
            raise _changed(known.file)
        return content, Path(known.file).suffix

    def check_rest(self) -> None:
        """Check the images that are there and were not asked for: they go with the old dataset.

        Raises:
            ExportError: somebody has changed one.
            OSError: one can't be read.
        """
        rest = self._known.images.keys() - self._taken
        there = {entry.name for entry in self._dataset.files.walk("")}
        _check_files(self._dataset, {file: self._known.hashes[file] for file in rest & there})

    def close(self) -> None:
        self._images.close()

    def compare(self, manifest: Manifest) -> DatasetChanges:
        """Compare what was there with what is now."""
        old, new = self._known.images, manifest.images
        both = old.keys() & new.keys()
        labels = sum(old[file].labels != labels_digest(new[file]) for file in both)
        pictures = sum(self._known.hashes[file] != manifest.hashes[file] for file in both)
        return DatasetChanges(len(new) - len(both), len(old) - len(both), labels, pictures)


def _checked(folder: Path, dataset: DatasetFolder, plan: DatasetPlan) -> KnownDataset:
    try:
        known = read_manifest(dataset)
    except (OSError, ValueError) as exc:
        raise ExportError(
            f"{folder}: there is no dataset of this program here that could be updated ({exc}); "
            "choose another folder"
        ) from exc
    if (known.format, known.form) != (plan.recipe.format, plan.form):
        raise ExportError(
            f"{folder}: this dataset is {known.format} with {known.form}, and not "
            f"{plan.recipe.format} with {plan.form}; choose another folder"
        )
    # links, pipes and what else is no folder would be lost as files would be
    there = {entry.name for entry in dataset.files.walk("")}
    strange = there - known.hashes.keys() - {MANIFEST}
    if strange:
        raise ExportError(
            f"{folder}: there are files here that are not of the dataset, such as "
            f"{min(strange)}; move them, then update"
        )
    # images are checked when they are read, and in the end
    others = known.hashes.keys() - known.images.keys()
    _check_files(dataset, {file: known.hashes[file] for file in others})
    return known


def _check_files(dataset: DatasetFolder, hashes: Mapping[str, bytes]) -> None:
    for file, digest in sorted(hashes.items()):
        with _opened(dataset, file) as stream:
            if sha256_of(stream) != digest:
                raise _changed(file)


def _opened(dataset: DatasetFolder, file: str) -> IO[bytes]:
    try:
        return dataset.open(file)
    except FileNotFoundError as exc:
        raise ExportError(
            f"{file}: somebody has removed this file since it was exported; export into another "
            "folder"
        ) from exc


def _changed(file: str) -> ExportError:
    return ExportError(
        f"{file}: somebody has changed this file since it was exported, and an update would lose "
        "that; export into another folder"
    )
