"""An export as MediaLibrary makes it, of a database without the rest of a library."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from src.database.metadata_db import MetadataDatabase
from src.dataset_images import DatasetImages
from src.datasets import export
from src.datasets.known_plans import KnownPlans
from src.datasets.preview import preview_of
from src.events import Event
from src.export_records import ExportPreview
from src.search.recipe import Recipe
from src.settings import Settings


def export_dataset(
    metadata: MetadataDatabase,
    folder: Path,
    recipe: Recipe = export.DEFAULT_RECIPE,
    update: bool = False,
) -> Iterator[Event]:
    images = DatasetImages(metadata, Settings())
    return export.Export(metadata, folder, images, recipe, update=update).run()


def preview_dataset(
    metadata: MetadataDatabase,
    recipe: Recipe = export.DEFAULT_RECIPE,
    wanted: Callable[[], bool] = lambda: True,
) -> ExportPreview:
    return preview_of(metadata, KnownPlans(metadata).plan(recipe, wanted))
