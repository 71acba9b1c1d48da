"""An export from beginning to end: plan, write aside, read back, and put in its place."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from src.database.metadata_db import MetadataDatabase
from src.datasets.atomic_output import (
    DatasetFolder,
    atomic_dataset,
    check_free,
    check_place,
    updated_dataset,
)
from src.datasets.check import check_dataset
from src.datasets.dataset_writer import DatasetWriter, ImageRenderer
from src.datasets.manifest_file import write_manifest
from src.datasets.plan import DatasetPlan
from src.datasets.registry import export_format
from src.datasets.report import report_of
from src.datasets.update import KnownFiles
from src.errors import ExportError
from src.events import Event, JobDone
from src.options import build_options
from src.search.recipe import Recipe, checked_recipe

DEFAULT_RECIPE = Recipe()
NOT_KEPT = (
    "the library is opened for reading only, so it can't keep which file is on which side; export "
    "again once it can be written to, before files are added"
)
NOTHING = "no segment has a tag to export by; add media, choose other tags, or leave less out"


@dataclass(frozen=True)
class Export:
    """One export.

    Attributes:
        images: makes them.
        made_with: for the manifest: the library's name, the models, the settings.
        title: of the dataset; the library's name where it has none.
        update: whether there is a dataset already, of which only what has changed is made anew.
    """

    metadata: MetadataDatabase
    folder: Path
    images: ImageRenderer
    recipe: Recipe = DEFAULT_RECIPE
    made_with: Mapping[str, object] = field(default_factory=dict)
    title: str = ""
    update: bool = False

    def run(self) -> Iterator[Event]:
        """Write the labelled segments of a library as a dataset.

        Everything is written in a hidden folder first, read back, and renamed into its place, so
        the dataset is whole or not there.

        Yields:
            Progress, DatasetFileChecked, DatasetWritten and JobDone.

        Raises:
            ExportError: there is something in the folder already, or nothing to update; it can't
                be written, or does not read back.
            OptionError: there is no such format or option, or an option can't have this value.
        """
        with _os_errors_named(self.folder):
            if self.update:  # a link stays, and what it leads to is updated
                folder = Path(os.path.realpath(self.folder))
                check_place(folder)
            else:
                folder = Path(os.path.abspath(self.folder))
                check_free(folder)
        plan, options = self._planned()
        if not len(plan):
            raise ExportError(NOTHING)
        with _os_errors_named(folder):
            known = KnownFiles(folder, plan, self.images) if self.update else None
            with updated_dataset(folder) if known else atomic_dataset(folder) as dataset:
                plan.expect = (known or self.images).expect
                output = DatasetWriter(dataset, known or self.images, plan.form)
                with closing(output):
                    yield from self._write(plan, options, dataset, output)
                if known is not None:
                    known.check_rest()
        changes = None if known is None else known.compare(output.manifest)
        written = report_of(folder, export_format(self.recipe.format).label, output.manifest, plan)
        notes = plan.warnings
        if self.recipe.split and self.metadata.connection.is_read_only:
            notes += (NOT_KEPT,)
        yield replace(written, changes=changes, notes=notes)
        yield JobDone(segments=written.annotations, written=folder)

    def _planned(self) -> tuple[DatasetPlan, Any]:
        chosen = export_format(self.recipe.format)
        options = build_options(chosen.options, self.recipe.options)
        plan = DatasetPlan(self.metadata, checked_recipe(self.recipe), chosen, self.title)
        return plan, options

    def _write(
        self, plan: DatasetPlan, options: Any, dataset: DatasetFolder, output: DatasetWriter
    ) -> Iterator[Event]:
        chosen, manifest = export_format(self.recipe.format), output.manifest
        yield from chosen.write(plan, options, output)
        output.finish()
        if not manifest.images:
            raise ExportError(_unread(manifest.unread) or NOTHING)
        yield from check_dataset(chosen, dataset, manifest)
        write_manifest(dataset, manifest, plan, self.recipe, self.made_with)
        # before the dataset is at its place: a kill between the two must not lose them
        if not self.metadata.connection.is_read_only:
            plan.keep_sides()


def _unread(unread: dict[Path, str]) -> str | None:
    for path, reason in unread.items():
        others = f", nor can {len(unread) - 1:,} others" if len(unread) > 1 else ""
        return f"{path}: can't be read ({reason}){others}; nothing was written"
    return None


@contextlib.contextmanager
def _os_errors_named(folder: Path) -> Iterator[None]:
    """Raise an OSError of the block as an ExportError that names the folder."""
    try:
        yield
    except OSError as exc:
        raise ExportError(
            f"{folder}: the dataset can't be written ({exc.strerror or exc}); nothing was kept"
        ) from exc
