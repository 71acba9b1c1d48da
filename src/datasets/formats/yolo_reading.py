"""Reads YOLO for detection and segmentation: by data.yaml, in darknet's layout, or by names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from src.datasets.annotations import AnnotatedImage, Annotation
from src.datasets.boxes import whole_box
from src.datasets.formats.annotation_values import number, with_mask
from src.datasets.formats.dataset_reader import (
    LONGEST_NAME,
    DatasetReader,
    folder_of,
    heads,
    is_image,
    read_leniently,
    split_of_path,
)
from src.datasets.formats.mask_outlines import filled
from src.datasets.formats.yaml_subset import Value, read_yaml
from src.datasets.protocols import Skipped
from src.options import NoOptions
from src.records import Split

# A text of names, or of one image's labels.
LARGEST = 1 << 26
_KEYS: dict[str, Split] = {"train": "train", "val": "val", "valid": "val", "test": "test"}
_NAMES = ("obj.names", "classes.txt", "_darknet.labels", "names.txt")


class YoloImport:
    """Reads boxes and polygons."""

    key, label = "yolo", "YOLO"
    summary = "Boxes and polygons of YOLO's text files."
    options: type[NoOptions] = NoOptions

    def detect(self, path: Path) -> bool:
        """Return whether there are a YAML or list of class names, and labels; see `Importer`."""
        if any("names:" in head for kind in (".yaml", ".yml") for head in heads(path, kind, 0)):
            return True
        return path.is_dir() and any((path / name).is_file() for name in _NAMES)

    def read(self, path: Path, options: NoOptions, skipped: Skipped) -> Iterator[AnnotatedImage]:
        """Read what people labelled; see `Importer`."""
        return read_leniently(path, skipped, read_yolo)


def read_yolo(reader: DatasetReader) -> Iterator[AnnotatedImage]:
    """Read the images of a dataset with their labels."""
    said = _said(reader)
    names = names_of(reader, said)
    used: set[str] = set()
    for image, splits in _images(reader, said).items():
        in_folder = split_of_path(image)
        split = next(iter(splits)) if len(splits) == 1 else in_folder
        labels = _labels_of(reader, image)
        read: list[Annotation] = []
        size_wh: tuple[int, int] | None = None
        with reader.part(image):
            size_wh = reader.size_of(image)
        lines = []
        if labels is not None:
            used.add(labels)
            with reader.part(labels):
                lines = reader.text(labels, LARGEST).splitlines()
        if size_wh is None:
            continue
        lines = [line for line in lines if line.strip()]
        for line in lines:
            with reader.part(labels or image):
                read.append(_annotation(line.split(), names, size_wh))
        if read or not lines:
            yield AnnotatedImage(Path(image), tuple(read), size_wh=size_wh, split=split)
    for file in reader.names(".txt"):
        if "labels" in folder_of(file).split("/") and file not in used:
            reader.skip(file, "there is no image of these labels")


def names_of(reader: DatasetReader, said: dict[str, Value] | None = None) -> dict[int, str]:
    """Read the names of the classes by their numbers.

    Raises:
        OSError: they can't be read.
        ValueError: there are none.
    """
    names = (_said(reader) if said is None else said).get("names", "")
    if isinstance(names, dict):
        return {int(key): name for key, name in names.items()}
    if isinstance(names, str):
        file = next((each for each in (names, *_NAMES) if each and reader.find(each)), None)
        if file is None:
            raise ValueError("there are no class names, neither in a data.yaml nor in an obj.names")
        names = [
            each.strip() for each in reader.text(reader.find(file) or file, LARGEST).splitlines()
        ]
    return dict(enumerate(names))


def _said(reader: DatasetReader) -> dict[str, Value]:
    """Read data.yaml, or darknet's obj.data; empty where there is neither."""
    for file in (*reader.names(".yaml"), *reader.names(".yml")):
        if file == reader.chosen or "/" not in file:
            read = read_yaml(reader.text(file, LARGEST))
            if "names" in read:
                return read
    for file in reader.names(".data"):
        pairs = (line.partition("=") for line in reader.text(file, LARGEST).splitlines())
        return {key.strip(): value.strip() for key, _, value in pairs}
    return {}


def _images(reader: DatasetReader, said: dict[str, Value]) -> dict[str, set[Split | None]]:
    """List the images with the splits that they are said to be in."""
    found: dict[str, set[Split | None]] = defaultdict(set)
    for key, split in _KEYS.items():
        places = said.get(key, "")
        for place in [places] if isinstance(places, str) else places:
            for image in _images_at(reader, place):
                found[image].add(split)
    if not found:
        for image in reader.images():
            found[image].add(split_of_path(image))
    return found


def _images_at(reader: DatasetReader, place: str) -> list[str]:
    """List the images of a folder, or of a text that lists them."""
    parts = [part for part in place.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    if not parts or len(place) > LONGEST_NAME:
        return []
    if not place.endswith(".txt"):
        for begin in range(len(parts)):  # a path of another machine ends with what is here
            images = reader.images("/".join(parts[begin:]))
            if images:
                return images
        return []
    listing = reader.find(place)
    if listing is None:
        return []
    images = []
    for line in filter(None, map(str.strip, reader.text(listing, LARGEST).splitlines())):
        with reader.part(listing):
            image = reader.find(line, (folder_of(listing),))
            if image is None or not is_image(image):
                raise ValueError(f"the image {line!r} is not there")
            images.append(image)
    return images


def _labels_of(reader: DatasetReader, image: str) -> str | None:
    """Find the labels of an image: in labels/ where it is in images/, or beside it."""
    text = PurePosixPath(image).with_suffix(".txt")
    parts = list(text.parts)
    if "images" in parts[:-1]:
        parts[len(parts) - 2 - parts[-2::-1].index("images")] = "labels"
    for name in ("/".join(parts), text.as_posix()):
        if name in reader:
            return name
    return None


def _annotation(words: list[str], names: dict[int, str], size_wh: tuple[int, int]) -> Annotation:
    """Read a line.

    Raises:
        ValueError: it is none, of an unknown class, or outside the image.
        DamagedMaskError: its polygon is too long.
    """
    values = [number(float(word)) for word in words]
    if values[0] not in names:
        raise ValueError(f"a line has the unknown class {words[0]}")
    label = names[int(values[0])]
    across, down = size_wh
    if len(values) == 5:
        x, y, w, h = values[1:]
        left, top = (x - w / 2) * across, (y - h / 2) * down
        return Annotation(label, whole_box((left, top, w * across, h * down), size_wh))
    if len(values) < 7 or len(values) % 2 == 0:
        raise ValueError(f"a line has {len(values)} numbers, which fit neither a box nor a polygon")
    points = [(x * across, y * down) for x, y in zip(values[1::2], values[2::2], strict=True)]
    return with_mask(label, filled([points], size_wh), size_wh)
