"""CVAT for images, XML 1.1: one file for all images; and back. Its tracks of videos are read."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path, PurePosixPath
from xml.etree.ElementTree import Element

import numpy as np

from src.datasets.annotations import (
    AnnotatedImage,
    AnnotatedVideo,
    Annotation,
    ClassAttributes,
    PlannedDataset,
)
from src.datasets.atomic_output import DatasetFolder
from src.datasets.boxes import whole_box
from src.datasets.dataset_writer import DatasetWriter
from src.datasets.formats.annotation_values import number, read_attributes, with_mask
from src.datasets.formats.cvat_tracks import CvatTracks
from src.datasets.formats.dataset_reader import (
    MOST_PIXELS,
    DatasetReader,
    folder_of,
    heads,
    read_leniently,
    read_strictly,
    split_named,
    split_of_path,
)
from src.datasets.formats.mask_outlines import MASKS_AS, ellipse, filled, plain_parts, turned
from src.datasets.formats.xml_reading import read_elements
from src.datasets.formats.xml_writing import xml_attributes, xml_text
from src.datasets.polygons import MOST_CROSSINGS, counts_of_cut, cut_mask, union
from src.datasets.protocols import Holds, Skipped
from src.events import Event, Progress
from src.label_records import LabelAttribute
from src.options import NoOptions, option
from src.records import ImageForm, TagSource

FILE = "annotations.xml"
# CVAT's words for where a shape comes from.
_SOURCES: dict[TagSource, str] = {
    "human": "manual",
    "auto": "auto",
    "propagated": "semi-auto",
    "imported": "file",
}
_SOURCE_OF: dict[str, TagSource] = {word: source for source, word in _SOURCES.items()}
_NUMBERS = ("-1000000", "1000000", "0.001")
_WITHOUT_AREA = ("polyline", "points", "cuboid", "skeleton")


@dataclass(frozen=True)
class CvatOptions:
    masks: str = option("exact", "Masks as", choices=MASKS_AS)


class Cvat:
    """One XML file, which CVAT takes with the images of a task or project.

    A mask with holes is a mask always: CVAT's polygons have none. Parts of one thing have one
    group. Labels of the image as a whole are its tags.
    """

    key, label = "cvat", "CVAT for images"
    summary = "annotations.xml with masks, boxes and tags, and the images."
    options: type[CvatOptions] = CvatOptions
    forms: tuple[ImageForm, ...] = ("frames", "crops", "blurred", "cutouts")
    holds = Holds(masks="polygons", image_labels=True, source=True, attributes=True)
    is_for_training = False

    def write(
        self, dataset: PlannedDataset, options: CvatOptions, output: DatasetWriter
    ) -> Generator[Event, None, None]:
        """Write the images and annotations.xml; see `ExportFormat`."""
        with output.open_text(FILE) as stream:
            stream.write(_head(dataset))
            written = 0
            for done, image in enumerate(dataset, start=1):
                folder = f"images/{image.split}" if image.split else "images"
                file = output.add_image(image, folder)
                if file is not None:
                    width, height = image.size_wh
                    of_split = {"subset": image.split} if image.split else {}
                    said = {"id": written, "name": PurePosixPath(file).name, **of_split}
                    stream.write(f"  <image{xml_attributes(**said, width=width, height=height)}>\n")
                    for group, each in enumerate(image.annotations, start=1):
                        as_polygons = options.masks == "polygons"
                        stream.write(_shapes(each, image.size_wh, group, as_polygons))
                    stream.write("  </image>\n")
                    written += 1
                yield Progress("export", done, len(dataset))
            stream.write("</annotations>\n")

    def read_back(self, dataset: DatasetFolder) -> Iterator[AnnotatedImage]:
        """Read annotations.xml; see `ExportFormat`."""
        return read_strictly(dataset, partial(_read, videos=[]))


class CvatImport:
    """Reads boxes, polygons, ellipses, masks and tags of images, and tracks of videos."""

    key, label = Cvat.key, "CVAT"
    summary = "Boxes, polygons, masks, tags and tracks of CVAT's XML files."
    options: type[NoOptions] = NoOptions

    def detect(self, path: Path) -> bool:
        """Return whether it is, or has, an XML file of CVAT; see `Importer`."""
        return any("<annotations>" in head for head in heads(path, ".xml", most=4096))

    def read(
        self, path: Path, options: NoOptions, skipped: Skipped
    ) -> Iterator[AnnotatedImage | AnnotatedVideo]:
        """Read what people labelled; see `Importer`."""
        videos = list[AnnotatedVideo]()
        yield from read_leniently(path, skipped, partial(_read, videos=videos))
        yield from videos


def _head(dataset: PlannedDataset) -> str:
    # a dataset may have none to give
    attributes: ClassAttributes = getattr(dataset, "attributes", {})
    labels = "".join(
        f"        <label>\n          <name>{xml_text(label)}</name>\n          <attributes>\n"
        f"{''.join(_attribute(each) for each in attributes.get(label, ()))}"
        "          </attributes>\n        </label>\n"
        for label in dataset.classes
    )
    subsets = "\n".join(dataset.splits)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n'
        f"  <meta>\n    <project>\n      <name>{xml_text(dataset.title)}</name>\n"
        f"      <labels>\n{labels}      </labels>\n"
        f"      <subsets>{subsets}</subsets>\n    </project>\n  </meta>\n"
    )


def _attribute(attribute: LabelAttribute) -> str:
    """Write what an attribute can be; of a number CVAT wants the least, the most and the step."""
    is_choice = attribute.kind == "choice"
    values = attribute.choices if is_choice else _NUMBERS
    return (
        f"            <attribute>\n              <name>{xml_text(attribute.name)}</name>\n"
        "              <mutable>False</mutable>\n"
        f"              <input_type>{'select' if is_choice else 'number'}</input_type>\n"
        "              <default_value></default_value>\n"
        f"              <values>{xml_text(chr(10).join(values))}</values>\n"
        "            </attribute>\n"
    )


def _values(annotation: Annotation) -> str:
    return "".join(
        f"      <attribute{xml_attributes(name=name)}>{xml_text(_said(value))}</attribute>\n"
        for name, value in annotation.attributes
    )


def _said(value: str | float) -> str:
    return value if isinstance(value, str) else repr(value).removesuffix(".0")


def _shapes(annotation: Annotation, size_wh: tuple[int, int], group: int, as_polygons: bool) -> str:
    of_all, inside = {"label": annotation.label}, _values(annotation)
    if annotation.source is not None:
        of_all["source"] = _SOURCES[annotation.source]
    if annotation.bbox_xywh is None:
        return f"    <tag{xml_attributes(**of_all)}>\n{inside}    </tag>\n"
    of_shape = of_all | {"occluded": "0"}
    x, y, w, h = annotation.bbox_xywh
    counts = annotation.mask_rle
    if counts is None:
        edges = {"xtl": f"{x:.2f}", "ytl": f"{y:.2f}", "xbr": f"{x + w:.2f}", "ybr": f"{y + h:.2f}"}
        return f"    <box{xml_attributes(**of_shape, **edges, z_order=0)}>\n{inside}    </box>\n"
    parts = plain_parts(counts, size_wh) if as_polygons else None
    if parts is None:
        mask, (x, y, w, h) = cut_mask(counts, size_wh)
        place = {"rle": _runs_of_rows(mask), "left": x, "top": y, "width": w, "height": h}
        return f"    <mask{xml_attributes(**of_shape, **place, z_order=0)}>\n{inside}    </mask>\n"
    several = {"group_id": group} if len(parts) > 1 else {}
    return "".join(
        f"    <polygon{xml_attributes(**of_shape, points=_points(part), z_order=0, **several)}>\n"
        f"{inside}    </polygon>\n"
        for part in parts
    )


def _points(ring: np.ndarray) -> str:
    return ";".join(f"{x:.2f},{y:.2f}" for x, y in ring.tolist())


def _runs_of_rows(mask: np.ndarray) -> str:
    """Write a mask (h, w) bool as runs of zeros and ones in turn, row by row."""
    changes = np.flatnonzero(np.diff(mask.ravel().astype(np.int8), prepend=0))
    return ", ".join(map(str, np.diff(changes, prepend=0, append=mask.size).tolist()))


# -- reading


@dataclass
class _Thing:
    """What shapes of one group are."""

    first: Annotation
    masks: list[bytes] = field(default_factory=list)


def _read(reader: DatasetReader, videos: list[AnnotatedVideo]) -> Iterator[AnnotatedImage]:
    """Read the images, and put what is said of videos in `videos`."""
    found, numbers = False, count(1)  # of tracks: those of two files are not the same ones
    for file in reader.names(".xml"):
        with reader.open(file) as stream:
            if reader.chosen is None and b"<annotations>" not in stream.read(4096):
                continue
            stream.seek(0)
            found = True
            numeric = set[tuple[str, str]]()
            read_shape = partial(_read_shape, numeric=numeric)
            tracks = CvatTracks(reader, file, read_shape, numbers)
            for element in read_elements(stream, "image", "track", "meta"):
                if element.tag == "meta":
                    for label in element.iter("label"):
                        numeric |= _numeric(label)
                    tracks.read_meta(element)
                elif element.tag == "track":
                    tracks.add(element)
                else:
                    image = _image(reader, file, element, numeric)
                    if image is not None:
                        yield image
            videos += tracks.videos()
    if not found:
        raise ValueError("there is no XML file of CVAT")


def _numeric(label: Element) -> set[tuple[str, str]]:
    """Find which attributes of a label are numbers."""
    name = (label.findtext("name") or "").strip()
    return {
        (name, (each.findtext("name") or "").strip())
        for each in label.iter("attribute")
        if each.findtext("input_type") == "number"
    }


def _attributes(
    shape: Element, label: str, numeric: set[tuple[str, str]]
) -> tuple[tuple[str, str | float], ...]:
    """Read the attributes of a shape; a number that is none is left out."""
    found: dict[str, object] = {}
    for each in shape.iter("attribute"):
        name, text = (each.get("name") or "").strip(), (each.text or "").strip()
        found[name] = text
        if (label, name) in numeric:
            try:
                found[name] = number(float(text))
            except ValueError:
                del found[name]
    return read_attributes(found)


def _image(
    reader: DatasetReader, file: str, element: Element, numeric: set[tuple[str, str]]
) -> AnnotatedImage | None:
    subset = element.get("subset") or ""
    folders = [f"images/{subset}", "images", subset, f"{folder_of(file)}/images", folder_of(file)]
    image: AnnotatedImage | None = None
    with reader.part(file):
        size = element.get("width"), element.get("height")
        said = None if None in size else tuple(int(each or 0) for each in size)
        name, size_wh = reader.image(element.get("name"), folders, said)
        split = split_named(subset) or split_of_path(name)
        image = AnnotatedImage(Path(name), (), size_wh=size_wh, split=split)
    if image is None or image.size_wh is None:
        return None
    things: dict[object, _Thing] = {}
    for at, shape in enumerate(element):
        with reader.part(file):
            read = _read_shape(shape, image.size_wh, numeric)
            group = shape.get("group_id") or "0"
            key = (read.label, group) if group != "0" and read.mask_rle is not None else at
            thing = things.setdefault(key, _Thing(read))
            if read.mask_rle is not None:
                thing.masks.append(read.mask_rle)
    if not things and len(element):
        return None
    return replace(
        image, annotations=tuple(_joined(thing, image.size_wh) for thing in things.values())
    )


def _joined(thing: _Thing, size_wh: tuple[int, int]) -> Annotation:
    if len(thing.masks) < 2:
        return thing.first
    first = thing.first
    more = {"source": first.source, "attributes": first.attributes}
    return with_mask(first.label, union(thing.masks, size_wh), size_wh, **more)


def _read_shape(
    shape: Element, size_wh: tuple[int, int], numeric: set[tuple[str, str]]
) -> Annotation:
    """Read a shape or a tag with its attributes; see _shape."""
    read = _shape(shape, size_wh)
    return replace(read, attributes=_attributes(shape, read.label, numeric))


def _shape(shape: Element, size_wh: tuple[int, int]) -> Annotation:
    """Read a shape or a tag.

    Raises:
        ValueError: it is broken, or has no area.
        DamagedMaskError: its mask is broken.
    """
    label = (shape.get("label") or "").strip()
    if not label:
        raise ValueError(f"a shape of the kind {shape.tag!r} has no label")
    if shape.tag in _WITHOUT_AREA:
        raise ValueError(f"a shape of the kind {shape.tag!r} has no area")
    source = _SOURCE_OF.get(shape.get("source") or "")
    if shape.tag == "tag":
        return Annotation(label, source=source)
    if shape.tag == "mask":
        return with_mask(label, _mask(shape, size_wh), size_wh, source=source)
    degrees = number(float(shape.get("rotation") or 0))
    if shape.tag == "box":
        left, top, right, bottom = _numbers(shape, "xtl", "ytl", "xbr", "ybr")
        w, h = right - left, bottom - top
        if not degrees:
            return Annotation(label, whole_box((left, top, w, h), size_wh), source=source)
        corners = np.array([(-w, -h), (w, -h), (w, h), (-w, h)]) / 2
        points = turned(corners, left + w / 2, top + h / 2, degrees)
    elif shape.tag == "ellipse":
        x, y, across, down = _numbers(shape, "cx", "cy", "rx", "ry")
        points = ellipse(x, y, across, down, degrees)
    elif shape.tag == "polygon":
        points = np.array([_point(each) for each in (shape.get("points") or "").split(";")])
    else:
        raise ValueError(f"a {shape.tag!r} is not a shape")
    return with_mask(label, filled([points.tolist()], size_wh), size_wh, source=source)


def _mask(shape: Element, size_wh: tuple[int, int]) -> bytes:
    """Read a mask from the runs of its rows.

    Raises:
        ValueError: they don't fit its box, or it doesn't fit the image.
    """
    left, top, w, h = (int(value) for value in _numbers(shape, "left", "top", "width", "height"))
    if not (0 < w <= size_wh[0] and 0 < h <= size_wh[1] and w * h <= MOST_PIXELS):
        raise ValueError("a mask is larger than its image, or too large")
    words = (shape.get("rle") or "").split(",")
    if len(words) > MOST_CROSSINGS:
        raise ValueError("a mask has too many runs")
    runs = [int(word) for word in words]
    if min(runs) < 0 or sum(runs) != w * h:
        raise ValueError("the runs of a mask don't fit its box")
    mask = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(h, w)
    return counts_of_cut(mask, left, top, size_wh)


def _numbers(shape: Element, *names: str) -> list[float]:
    try:
        return [number(float(shape.get(name) or "")) for name in names]
    except ValueError as exc:
        raise ValueError(f"a {shape.tag} has an edge that is not a number") from exc


def _point(text: str) -> tuple[float, float]:
    try:
        x, y = (float(value) for value in text.split(","))
    except ValueError as exc:
        raise ValueError("a point of a polygon is not a pair of numbers") from exc
    return number(x), number(y)
