"""The export formats and importers that there are: one line each, and nothing else names them."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from src.datasets.formats.coco import Coco, CocoImport
from src.datasets.formats.cvat import Cvat, CvatImport
from src.datasets.formats.hugging_face import HuggingFace
from src.datasets.formats.image_folder import ImageFolder
from src.datasets.formats.labelme import Labelme, LabelmeImport
from src.datasets.formats.mot import Mot, MotImport
from src.datasets.formats.tables import TABLE_FORMATS
from src.datasets.formats.tag_folders import TagFolders, TagFoldersImport
from src.datasets.formats.voc import Voc
from src.datasets.formats.voc_reading import VocImport
from src.datasets.formats.yolo import YoloDetection, YoloSegmentation
from src.datasets.formats.yolo_classification import YoloClassification
from src.datasets.formats.yolo_reading import YoloImport
from src.datasets.protocols import ExportFormat, Importer
from src.errors import OptionError

Registered = TypeVar("Registered", ExportFormat, Importer)

_formats: dict[str, ExportFormat] = {}
_importers: dict[str, Importer] = {}


def register_format(export_format: ExportFormat) -> None:
    """Offer a format in the window, on the command line and in Python, after those before it.

    Raises:
        ValueError: there is one with this key.
    """
    _add(_formats, export_format)


def register_importer(importer: Importer) -> None:
    """Let datasets of another kind be read.

    Raises:
        ValueError: there is one with this key.
    """
    _add(_importers, importer)


def export_formats() -> list[ExportFormat]:
    """List the formats in the order in which they were registered, the one by default first."""
    return list(_formats.values())


def export_format(key: str) -> ExportFormat:
    """Find a format.

    Raises:
        OptionError: there is none of this key.
    """
    if key not in _formats:
        raise OptionError(f"there is no format {key!r}; there is {', '.join(_formats)}")
    return _formats[key]


def importers() -> list[Importer]:
    """List the kinds of datasets that can be read, in the order in which they were registered."""
    return list(_importers.values())


def importer_for(path: Path) -> Importer | None:
    """Find the importer that reads a dataset; None where no importer knows it.

    Raises:
        OSError: it can't be looked at.
    """
    return next((each for each in _importers.values() if each.detect(path)), None)


def _add(registry: dict[str, Registered], new: Registered) -> None:
    if new.key in registry:
        raise ValueError(f"{new.key!r} is registered twice")
    registry[new.key] = new


register_format(TagFolders())
register_importer(TagFoldersImport())
register_format(Coco())
register_importer(CocoImport())
register_format(YoloDetection())
register_format(YoloSegmentation())
register_format(YoloClassification())
register_importer(YoloImport())
register_format(ImageFolder())
register_format(Voc())
register_importer(VocImport())
register_format(Labelme())
register_importer(LabelmeImport())
register_format(Cvat())
register_importer(CvatImport())
register_format(HuggingFace())
register_format(Mot())
register_importer(MotImport())
for table in TABLE_FORMATS:
    register_format(table)
