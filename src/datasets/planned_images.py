"""Segments as they are in a dataset: annotations of their frame, or images of their own."""

from __future__ import annotations

from collections.abc import Sequence

from src.crop_shape import crop_box
from src.datasets.annotations import Annotation, Cut, MediaFrame, PlannedImage
from src.datasets.class_attributes import ValuesOf
from src.datasets.cuts import cut_size, place_in_cut
from src.datasets.protocols import Holds
from src.records import ImageForm, Split, StoredSegment, Tag


def annotation_of(
    segment: StoredSegment, tag: Tag, values_of: ValuesOf, track_id: int | None = None
) -> Annotation:
    """Make what a dataset says of a segment in its frame.

    Args:
        track_id: the number of its track in the dataset.
    """
    is_frame = segment.kind == "frame"
    return Annotation(
        tag.name,
        None if is_frame else segment.bbox_xywh,
        None if is_frame else segment.mask_rle,
        tag.confidence,
        segment.id,
        tag.source,
        values_of.get((segment.id, tag.name), ()),
        track_id,
    )


def cut_out(
    stem: str,
    frame: MediaFrame,
    segment: StoredSegment,
    tags: Sequence[Tag],
    values_of: ValuesOf,
    form: ImageForm,
    holds: Holds,
    split: Split | None,
    is_reviewed: bool,
    track_id: int | None = None,
) -> PlannedImage:
    """Plan a segment as an image of its own, labelled with tags; see annotation_of."""
    is_frame = segment.kind == "frame"
    box = (0, 0, *frame.size_wh) if is_frame else crop_box(segment.bbox_xywh, frame.size_wh)
    cut = Cut(
        segment.id,
        segment.kind,
        segment.bbox_xywh,
        box,
        segment.crop_path,
        segment.mask_rle,
    )
    size_wh = cut_size(box, form)
    place = None
    if holds.boxes and not is_frame:
        place = place_in_cut(segment, box, size_wh)
    annotations = tuple(
        Annotation(
            tag.name,
            None if place is None else place.bbox_xywh,
            None if place is None else place.mask_rle,
            tag.confidence,
            segment.id,
            tag.source,
            values_of.get((segment.id, tag.name), ()),
            track_id,
        )
        for tag in tags
    )
    return PlannedImage(stem, frame, cut, size_wh, annotations, split, is_reviewed)
