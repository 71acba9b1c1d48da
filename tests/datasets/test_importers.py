"""An importer, registered once, is found for the datasets that it reads, and for no others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from src.datasets import registry
from src.datasets.annotations import AnnotatedImage, Annotation
from src.datasets.protocols import Skipped
from src.options import NoOptions


class Boxes:
    """Reads a JSON file that lists images with one box each."""

    key, label, summary = "boxes", "Boxes", "A JSON file of boxes."
    options: type[NoOptions] = NoOptions

    def detect(self, path: Path) -> bool:
        return path.suffix == ".json"

    def read(self, path: Path, options: NoOptions, skipped: Skipped) -> Iterator[AnnotatedImage]:
        for file, label, box in json.loads(path.read_text(encoding="utf-8")):
            yield AnnotatedImage(Path(file), (Annotation(label, tuple(box)),))


def test_the_importer_of_a_dataset_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_importers", {})
    dataset = tmp_path / "boxes.json"
    dataset.write_text('[["a.jpg", "red", [1, 2, 3, 4]], ["b.jpg", "red", [5, 6, 7, 8]]]')
    assert registry.importer_for(dataset) is None
    registry.register_importer(Boxes())
    importer = registry.importer_for(dataset)
    assert importer is not None and registry.importer_for(tmp_path) is None
    assert registry.importers() == [importer]
    assert next(importer.read(dataset, NoOptions(), lambda *_: None)) == AnnotatedImage(
        Path("a.jpg"), (Annotation("red", (1, 2, 3, 4)),)
    )
    with pytest.raises(ValueError, match="'boxes' is registered twice"):
        registry.register_importer(Boxes())
