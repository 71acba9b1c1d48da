"""What people did on segments, carried over to other segments of the same picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from src.database.decisions import OF_PEOPLE, new_batch
from src.database.label_table import LabelTable
from src.database.metadata_db import MetadataDatabase
from src.database.segment_store import NewSegment
from src.database.text_normalization import casefold_key
from src.models.mask_rle import SAME_THING_IOU, mask_ious, measured
from src.records import Decision, KeptSegment, SegmentOrigin, StoredSegment, Tag


@dataclass(frozen=True)
class UserAnnotations:
    """What people did on one segment.

    Attributes:
        mask_rle: compressed COCO RLE counts; None for a whole frame.
        tags: that people gave it.
        removed: names of tags that people took off.
        look: dHash of the frame; None where nobody looked.
        attributes: of its labels: label, name and value.
        history: each decision of people that makes up the tags and the removed ones.
        origin: what made the segment.
        predicted_iou, stability_score: of its mask.
    """

    segment_id: str
    frame_index: int
    frame_wh: tuple[int, int]
    mask_rle: bytes | None
    tags: tuple[Tag, ...]
    removed: tuple[str, ...]
    look: int | None = None
    history: tuple[Decision, ...] = ()
    attributes: tuple[tuple[str, str, str | float], ...] = ()
    origin: SegmentOrigin = "sam"
    predicted_iou: float | None = None
    stability_score: float | None = None

    def as_kept(self) -> KeptSegment:
        """Give the segment itself, which no SAM finds again."""
        assert self.mask_rle is not None
        area, bbox_xywh = measured(self.mask_rle, self.frame_wh)
        return KeptSegment(
            "object",
            bbox_xywh,
            area,
            self.predicted_iou,
            self.stability_score,
            self.mask_rle,
            self.segment_id,
            self.origin,
        )


def annotations_on(
    metadata: MetadataDatabase, segments: Sequence[StoredSegment]
) -> list[UserAnnotations]:
    """Look up what people did on segments, and those that they or others than SAM made."""
    ids = [segment.id for segment in segments]
    tags, removed = metadata.tags_of(ids), metadata.removed_tags_of(ids)
    decided = metadata.decisions_of(ids)
    values = LabelTable(metadata.connection, metadata.rows).attribute_values(ids)
    found = [
        UserAnnotations(
            segment.id,
            segment.frame_index,
            segment.frame_wh,
            segment.mask_rle,
            tuple(tag for tag in tags.get(segment.id, ()) if tag.source in OF_PEOPLE),
            removed.get(segment.id, ()),
            history=tuple(each for each in decided.get(segment.id, ()) if each.source in OF_PEOPLE),
            attributes=tuple(
                (label, name, value)
                for label, some in values.get(segment.id, {}).items()
                for name, value in some.items()
            ),
            origin=segment.origin,
            predicted_iou=segment.predicted_iou,
            stability_score=segment.stability_score,
        )
        for segment in segments
    ]
    return [
        work
        for work in found
        if work.tags or work.removed or work.history or is_kept(work.origin, work.mask_rle)
    ]


def is_kept(origin: SegmentOrigin, mask_rle: bytes | None) -> bool:
    """Return whether a segment itself is to be kept; a whole frame is as good as its like."""
    return origin != "sam" and mask_rle is not None


def match_annotations(
    annotations: Sequence[UserAnnotations], new: Sequence[NewSegment], size_wh: tuple[int, int]
) -> dict[str, str | None]:
    """Find for each segment worked on the new one that is the same thing.

    Args:
        annotations: on segments of one frame.
        new: the frame's new segments.
        size_wh: of the frame now; nothing of a frame of another size has a match.

    Returns:
        Old id -> new id; None where there is none.
    """
    matches: dict[str, str | None] = {work.segment_id: None for work in annotations}
    annotations = [work for work in annotations if work.frame_wh == size_wh]
    whole = next((segment.id for segment in new if segment.segment.mask_rle is None), None)
    matches.update((work.segment_id, whole) for work in annotations if work.mask_rle is None)
    masks = {work.segment_id: work.mask_rle for work in annotations if work.mask_rle is not None}
    others = {s.id: s.segment.mask_rle for s in new if s.segment.mask_rle is not None}
    ious = mask_ious(list(masks.values()), list(others.values()), size_wh)
    for segment_id, row in zip(masks, ious, strict=True):
        if len(row) and row.max() >= SAME_THING_IOU:
            matches[segment_id] = list(others)[int(row.argmax())]
    return matches


def transfer_annotations(
    metadata: MetadataDatabase,
    annotations: Sequence[UserAnnotations],
    matches: Mapping[str, str | None],
) -> None:
    """Give matches the work of those before them; what one of several was given counts."""
    table = LabelTable(metadata.connection, metadata.rows)
    with metadata.connection.write() as db:
        inherited = [
            (match, work) for work in annotations if (match := matches.get(work.segment_id))
        ]
        for match, work in inherited:
            for name in work.removed:
                if not _repeat(metadata, match, work, name):
                    metadata.remove_tag(match, name)
        for match, work in inherited:
            for tag in work.tags:
                if not _repeat(metadata, match, work, tag.name):
                    metadata.add_tags(match, [tag], added_by="human")
            for label, name, value in work.attributes:
                table.take_values(db, match, label, [(name, value)], new_batch(), "human")


def _repeat(metadata: MetadataDatabase, match: str, work: UserAnnotations, name: str) -> bool:
    """Decide on a match what was decided of a tag; returns whether that is known."""
    history = [each for each in work.history if casefold_key(each.tag) == casefold_key(name)]
    metadata.repeat(match, history)
    return bool(history)
