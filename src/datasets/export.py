"""An export from beginning to end: plan, write aside, read back, and put in its place."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from src.database.metadata_db import MetadataDatabase
from src.datasets.atomic_output import atomic_dataset, check_free
from src.datasets.check import check_dataset
from src.datasets.manifest import DatasetWriter, Render
from src.datasets.plan import DatasetPlan
from src.datasets.preview import preview_of
from src.datasets.registry import export_format
from src.datasets.report import report_of
from src.errors import ExportError
from src.events import Event, JobDone
from src.options import build_options
from src.records import ExportPreview
from src.search.recipe import Recipe, checked_recipe

EVERYTHING = Recipe()
NOTHING = "no segment has a tag to export by; add media, choose other tags, or leave less out"


def preview_dataset(
    metadata: MetadataDatabase,
    recipe: Recipe = EVERYTHING,
    wanted: Callable[[], bool] = lambda: True,
) -> ExportPreview:
    """Count what export_dataset would write.

    Args:
        wanted: whether somebody still waits for it; asked now and then.

    Raises:
        GivenUp: it is not wanted any more.
        ExportError: the format has no such images.
        OptionError: there is no such format or option, or an option can't have this value.
    """
    plan, _ = _planned(metadata, recipe, "", wanted)
    return preview_of(metadata, plan)


def export_dataset(
    metadata: MetadataDatabase,
    folder: Path,
    images: Render,
    recipe: Recipe = EVERYTHING,
    title: str = "",
) -> Iterator[Event]:
    """Write the labelled segments of a library as a dataset.

    Everything is written in a hidden folder first, read back, and renamed into its place, so the
    dataset is whole or not there.

    Args:
        folder: where to; it must not exist, or be empty.
        images: makes them.
        title: of the dataset; the library's name where it has none.

    Yields:
        Progress, DatasetFileChecked, DatasetWritten and JobDone.

    Raises:
        ExportError: there is something there already, it can't be written, or does not read back.
        OptionError: there is no such format or option, or an option can't have this value.
    """
    with _naming(folder):
        folder = Path(os.path.abspath(folder))
        check_free(folder)
    plan, options = _planned(metadata, recipe, title, lambda: True)
    chosen = export_format(recipe.format)
    if not len(plan):
        raise ExportError(NOTHING)
    with _naming(folder), atomic_dataset(folder) as dataset:
        output = DatasetWriter(dataset, images, plan.form)
        yield from chosen.write(plan, options, output)
        manifest = output.manifest
        if not manifest.images:
            raise ExportError(_unread(manifest.unread) or NOTHING)
        yield from check_dataset(chosen, dataset, manifest)
    report = report_of(folder, chosen.label, manifest, plan)
    yield report
    yield JobDone(segments=report.annotations, written=folder)


def _planned(
    metadata: MetadataDatabase, recipe: Recipe, title: str, wanted: Callable[[], bool]
) -> tuple[DatasetPlan, Any]:
    chosen = export_format(recipe.format)
    options = build_options(chosen.options, recipe.options)
    return DatasetPlan(metadata, checked_recipe(recipe), chosen, title, wanted), options


def _unread(unread: dict[Path, str]) -> str | None:
    for path, reason in unread.items():
        others = f", nor can {len(unread) - 1:,} others" if len(unread) > 1 else ""
        return f"{path}: can't be read ({reason}){others}; nothing was written"
    return None


@contextlib.contextmanager
def _naming(folder: Path) -> Iterator[None]:
    """Say where a dataset can't be written."""
    try:
        yield
    except OSError as exc:
        raise ExportError(
            f"{folder}: the dataset can't be written ({exc.strerror or exc}); nothing was kept"
        ) from exc
