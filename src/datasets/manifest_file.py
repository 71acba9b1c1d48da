"""manifest.json of a dataset: how it was made, and of what; the same inputs give the same bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from src import __version__
from src.datasets.annotations import Cut, PlannedDataset, PlannedImage
from src.datasets.atomic_output import DatasetFolder
from src.datasets.dataset_writer import Manifest
from src.ownership import MANIFEST, MANIFEST_HEAD
from src.records import ImageForm
from src.search.recipe import Recipe, recipe_to_json

# Of some 800,000 images.
LARGEST_MANIFEST = 1 << 29


@dataclass(frozen=True)
class KnownImage:
    """An image of a dataset that is there.

    Attributes:
        file: its name, relative to the dataset.
        source: what it was made of; see `source_of`.
        labels: a digest of its annotations.
    """

    file: str
    source: str
    labels: str


@dataclass(frozen=True)
class KnownDataset:
    """What the manifest of a dataset says.

    Attributes:
        hashes: the SHA-256 of each file, without the manifest itself.
        images: by the names of their files.
    """

    format: str
    form: str
    hashes: Mapping[str, bytes]
    images: Mapping[str, KnownImage]


def write_manifest(
    dataset: DatasetFolder,
    manifest: Manifest,
    plan: PlannedDataset,
    recipe: Recipe,
    made_with: Mapping[str, object],
) -> None:
    """Write manifest.json.

    Args:
        made_with: the library's name, the models, the settings.

    Raises:
        OSError: it can't be written.
    """
    content = {
        "made_by": f"Media Library {__version__}",
        **made_with,
        "title": plan.title,
        "recipe": json.loads(recipe_to_json(recipe)),
        "form": plan.form,
        "classes": list(plan.classes),
        "images": {file: _image(image, plan.form) for file, image in manifest.images.items()},
        "files": {file: digest.hex() for file, digest in sorted(manifest.hashes.items())},
    }
    text = json.dumps(content, ensure_ascii=False, indent=1)
    encoded = text.replace('{\n "made_by"', '{"made_by"', 1).encode()
    assert encoded.startswith(MANIFEST_HEAD)
    dataset.create(MANIFEST, encoded + b"\n")


def read_manifest(dataset: DatasetFolder) -> KnownDataset:
    """Read manifest.json.

    Raises:
        OSError: there is none, or it can't be read.
        ValueError: it is no manifest of this program.
    """
    with dataset.open(MANIFEST) as stream:
        text = stream.read(LARGEST_MANIFEST)
    try:
        content = json.loads(text)
        images = {
            str(file): KnownImage(str(file), str(image["source"]), str(image["labels"]))
            for file, image in content["images"].items()
        }
        hashes = {str(file): bytes.fromhex(digest) for file, digest in content["files"].items()}
        if not images.keys() <= hashes.keys():
            raise ValueError(f"{MANIFEST} has images that are none of its files")
        for file in hashes:
            file.encode()  # half a character is no name
        return KnownDataset(str(content["recipe"]["format"]), str(content["form"]), hashes, images)
    except (KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise ValueError(f"{MANIFEST} is none that this version can read ({exc!r})") from exc


def source_of(image: PlannedImage, form: ImageForm) -> str:
    """Name what an image is made of: with the same source it has the same content."""
    frame = image.frame
    parts: list[object] = [frame.content_hash, frame.frame_index, form]
    if image.cut is not None:
        parts += [image.cut.box_xywh, _mask_of(image.cut)]
    return hashlib.sha1(repr(parts).encode()).hexdigest()


def labels_digest(image: PlannedImage) -> str:
    """Digest what is said of an image."""
    parts = [
        (each.label, each.bbox_xywh, each.mask_rle, each.confidence, each.source)
        for each in image.annotations
    ]
    return hashlib.sha1(repr(parts).encode()).hexdigest()


def _mask_of(cut: Cut) -> str:
    return hashlib.sha1(cut.mask_rle or b"").hexdigest()


def _image(image: PlannedImage, form: ImageForm) -> dict[str, Any]:
    frame = image.frame
    said: dict[str, Any] = {"media": frame.media, "content_hash": frame.content_hash}
    if frame.timestamp_s is not None:
        said |= {"frame_index": frame.frame_index, "timestamp_s": frame.timestamp_s}
    elif frame.frame_index:
        said["frame_index"] = frame.frame_index
    if image.cut is not None:
        said["segment_id"] = image.cut.segment_id
    if image.split is not None:
        said["split"] = image.split
    said["reviewed"] = image.is_reviewed
    return said | {"source": source_of(image, form), "labels": labels_digest(image)}
