"""An export from beginning to end: select, write aside, read back, and put in its place."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from src.database.metadata_db import MetadataDatabase
from src.datasets.atomic_output import DatasetFolder, atomic_dataset, check_free
from src.datasets.manifest import DatasetWriter, Manifest, sha256_of
from src.datasets.protocols import ExportFormat
from src.datasets.registry import DEFAULT_FORMAT, export_format
from src.datasets.selected import SelectedSegments
from src.errors import ExportError
from src.events import DatasetFileChecked, Event, JobDone
from src.options import build_options
from src.records import ExportPreview
from src.search.export_selection import ExportSelection

NOTHING = "no segment has a tag to export by; add media, choose other tags, or leave less out"
ALL = ExportSelection()
DEFAULTS: Mapping[str, object] = MappingProxyType({})


def preview_dataset(
    metadata: MetadataDatabase,
    selection: ExportSelection = ALL,
    format_key: str = DEFAULT_FORMAT,
    options: Mapping[str, object] = DEFAULTS,
    wanted: Callable[[], bool] = lambda: True,
) -> ExportPreview:
    """Count what export_dataset would write.

    Args:
        wanted: whether somebody still waits for it; asked now and then.

    Raises:
        GivenUp: it is not wanted any more.
        OptionError: there is no such format or option, or an option can't have this value.
    """
    chosen = export_format(format_key)
    selected = SelectedSegments(metadata, selection, wanted)
    return chosen.preview(selected, build_options(chosen.options, options))


def export_dataset(
    metadata: MetadataDatabase,
    folder: Path,
    selection: ExportSelection = ALL,
    format_key: str = DEFAULT_FORMAT,
    options: Mapping[str, object] = DEFAULTS,
) -> Iterator[Event]:
    """Write the tagged segments of a library as a dataset.

    Everything is written in a hidden folder first, read back, and renamed into its place, so the
    dataset is whole or not there.

    Args:
        folder: where to; it must not exist, or be empty.
        selection: what goes into it.
        options: of the format, by name; those left out are at their defaults.

    Raises:
        ExportError: there is something there already, it can't be written, or does not read back.
        OptionError: there is no such format or option, or an option can't have this value.
    """
    chosen = export_format(format_key)
    built: Any = build_options(chosen.options, options)
    with _naming(folder):
        folder = Path(os.path.abspath(folder))
        check_free(folder)
    selected = SelectedSegments(metadata, selection)
    if not selected.labelled:
        raise ExportError(NOTHING)
    with _naming(folder), atomic_dataset(folder) as dataset:
        output = DatasetWriter(dataset)
        yield from chosen.write(selected, built, output)
        if not output.manifest.labels:
            raise ExportError(NOTHING)
        yield from check_dataset(chosen, dataset, output.manifest)
    yield JobDone(segments=output.manifest.labels.total(), written=folder)


def check_dataset(
    written_as: ExportFormat, dataset: DatasetFolder, manifest: Manifest
) -> Iterator[Event]:
    """Read a dataset back, and compare it with what was to be written.

    Raises:
        ExportError: its files or its labels are others.
        OSError: it can't be read.
    """
    # asked for by the names they were given: some file systems list accents another way
    for file, digest in manifest.hashes.items():
        with dataset.open(file) as stream:
            if sha256_of(stream) != digest:
                raise _differs(file)
        yield DatasetFileChecked(file)
    labels: Counter[str] = Counter()
    try:
        for image in written_as.read_back(dataset):
            if image.image.as_posix() not in manifest.hashes:
                raise _differs(str(image.image))
            labels.update(annotation.label for annotation in image.annotations)
    except ValueError as exc:
        raise ExportError(f"the dataset can't be read back ({exc}); nothing was kept") from exc
    if labels != manifest.labels:
        wrong = min((labels - manifest.labels) + (manifest.labels - labels))
        raise _differs(f"the label {wrong!r}")


def _differs(what: str) -> ExportError:
    return ExportError(
        f"{what} does not read back as it was written; nothing was kept. Check the disk, and "
        "export again"
    )


@contextlib.contextmanager
def _naming(folder: Path) -> Iterator[None]:
    """Say where a dataset can't be written."""
    try:
        yield
    except OSError as exc:
        raise ExportError(
            f"{folder}: the dataset can't be written ({exc.strerror or exc}); nothing was kept"
        ) from exc
