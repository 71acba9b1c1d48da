"""What an export wrote, for the person who asked for it."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

from src.dataset_events import DatasetWritten
from src.datasets.dataset_writer import Manifest
from src.datasets.plan import DatasetPlan


def report_of(folder: Path, label: str, manifest: Manifest, plan: DatasetPlan) -> DatasetWritten:
    """Count what a dataset holds."""
    images: Counter[str | None] = Counter()
    labels: dict[str | None, Counter[str]] = defaultdict(Counter)
    for image in manifest.images.values():
        images[image.split] += 1
        labels[image.split].update(each.label for each in image.annotations)
    return DatasetWritten(
        folder=folder,
        format=label,
        file="image" if plan.form == "frames" else "crop",
        images=dict(images),
        labels={split: dict(counts) for split, counts in labels.items()},
        left_out={reason: number for reason, number in plan.left_out.items() if number},
        unread=dict(manifest.unread),
    )
