"""A format in a module of its own, as somebody writes it who adds one, and a library to export."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

from src.database.metadata_db import MetadataDatabase
from src.datasets import registry
from src.datasets.atomic_output import DatasetFolder
from src.library_files import SafeFolder
from src.records import Tag
from tests.conftest import add_media_with, unit_vectors

# What a person writes who adds a format.
MODULE = """
import json
from dataclasses import dataclass, replace
from pathlib import Path
from src.datasets.annotations import AnnotatedImage, Annotation
from src.datasets.protocols import Holds
from src.datasets.registry import register_format
from src.events import Progress
from src.options import option

@dataclass(frozen=True)
class LineOptions:
    share: float = option(0.2, "Share for validation", limits=(0, 1))
    folder: str = option("images", "Folder of the images")
    level: int = option(3, "Level", limits=(1, 9))
    with_boxes: bool = option(True, "Write boxes")
    case: str = option("lower", "Case of the labels", choices=("lower", "upper"))
    per_file: int = option(100, "Lines per file")

class Lines:
    key, label, summary = "lines", "JSON lines", "One line per image in labels.jsonl."
    options = LineOptions
    forms = ("blurred",)
    holds = Holds(masks="no", boxes=False, image_labels=True)
    is_for_training = True

    def write(self, dataset, options, output):
        with output.open_text("labels.jsonl") as stream:
            for number, image in enumerate(dataset, start=1):
                if options.case == "upper":
                    upper = (replace(each, label=each.label.upper()) for each in image.annotations)
                    image = replace(image, annotations=tuple(upper))
                labels = [each.label for each in image.annotations]
                file = output.add_image(image, f"{options.folder}/part")
                box = list(image.cut.bbox_xywh) if options.with_boxes else None
                stream.write(json.dumps({"file": file, "labels": labels, "box": box}) + "\\n")
                yield Progress("export", number, len(dataset))

    def read_back(self, dataset):
        with dataset.open("labels.jsonl") as stream:
            for line in stream:
                read = json.loads(line)
                found = tuple(Annotation(name) for name in read["labels"])
                yield AnnotatedImage(Path(read["file"]), found)

register_format(Lines())
"""


def register_lines(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Import the module from a folder of its own; its registration goes with the test."""
    monkeypatch.setattr(registry, "_formats", dict(registry._formats))
    folder.mkdir()
    (folder / "jsonlines_format.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "jsonlines_format", raising=False)
    __import__("jsonlines_format")


def add_tagged(metadata: MetadataDatabase) -> None:
    """Add three segments, two of them with tags, three in all."""
    add_media_with(metadata, unit_vectors(3))
    metadata.add_tags("a.jpg-00000", [Tag("red", 0.9, "auto"), Tag("=1", 1.0, "human")], "human")
    metadata.add_tags("a.jpg-00002", [Tag("red", 0.6, "auto")], "human")
    for crop_path in metadata.crop_paths():
        metadata.paths.crop(crop_path).write_bytes(crop_path.encode())


def labels_in(key: str, folder: Path) -> Counter[str]:
    dataset = DatasetFolder(SafeFolder(folder))
    images = list(registry.export_format(key).read_back(dataset))
    for image in images:
        assert (folder / image.image).is_file()
    return Counter(annotation.label for image in images for annotation in image.annotations)
