"""An export as MediaLibrary makes it, of a database without the rest of a library."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from src.database.metadata_db import MetadataDatabase
from src.dataset_images import DatasetImages
from src.datasets import export
from src.events import Event
from src.search.recipe import Recipe
from src.settings import Settings


def export_dataset(
    metadata: MetadataDatabase, folder: Path, recipe: Recipe = export.EVERYTHING
) -> Generator[Event, None, None]:
    yield from export.export_dataset(metadata, folder, DatasetImages(metadata, Settings()), recipe)
