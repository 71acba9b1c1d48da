"""What is exported of each media file, counted; no mask is read for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from src.database.metadata_db import MetadataDatabase
from src.datasets.labels import LabelRules
from src.datasets.protocols import Holds
from src.datasets.queries import tagged_segments
from src.datasets.splitting.class_cap import cap_per_class
from src.datasets.splitting.split_plan import SplitPlan
from src.search.recipe import Recipe

BELOW_LIMITS = "tags of segments below the quality limits"
WHOLE_FRAMES = "labels of whole frames, which this format can't hold"
NOT_REVIEWED = "images that were not looked at for every class"
NO_TRACK = "labels of segments that are in no track, which this format needs"
ABOVE_CAP = "annotations above the limit per class"


@dataclass(frozen=True)
class CountedSegment:
    """A segment that is exported.

    Attributes:
        labels: the classes that it is exported under.
        track_id: of the library's track that it is in, if any.
    """

    frame_index: int
    id: str
    labels: tuple[str, ...]
    track_id: int | None = None


@dataclass
class MediaCounts:
    """What is exported of a media file.

    Attributes:
        labels: how many annotations of each class it has.
        frames: the indexes of frames with something that is exported.
    """

    segments: list[CountedSegment] = field(default_factory=list)
    labels: Counter[str] = field(default_factory=Counter)
    frames: set[int] = field(default_factory=set)

    def add(self, segment: CountedSegment) -> None:
        self.segments.append(segment)
        self.labels.update(segment.labels)
        self.frames.add(segment.frame_index)


def count_media(
    metadata: MetadataDatabase, recipe: Recipe, rules: LabelRules, holds: Holds
) -> dict[int, MediaCounts]:
    """Count what a recipe selects, by the id of the media file.

    Args:
        rules: told of what is left out.
        holds: what the format can say.
    """
    media: dict[int, MediaCounts] = {}
    with_frames = has_room_for_frames(holds)
    for segment, tags in tagged_segments(metadata, recipe, rules.classes):
        labels = tuple(tag.name for tag in rules.labels_of(tags))
        if not segment.is_good:
            rules.left_out_of.update(labels)
            rules.left_out[BELOW_LIMITS] += len(labels)
        elif segment.kind == "frame" and not with_frames:
            rules.left_out[WHOLE_FRAMES] += len(labels)
        elif holds.sequences and segment.track_id is None:
            rules.left_out_of.update(labels)
            rules.left_out[NO_TRACK] += len(labels)
        elif labels:
            counts = media.setdefault(segment.media_id, MediaCounts())
            counts.add(CountedSegment(segment.frame_index, segment.id, labels, segment.track_id))
    return media


def has_room_for_frames(holds: Holds) -> bool:
    """Return whether a format can have labels of whole frames."""
    return holds.image_labels or not holds.boxes


def only_reviewed(
    media: Mapping[int, MediaCounts],
    reviewed: Mapping[int, Mapping[int, bool]],
    left_out: Counter[str],
) -> dict[int, MediaCounts]:
    """Leave out frames in which not every class was looked for.

    Args:
        reviewed: see reviewed_frames.
        left_out: told how many frames they are.
    """
    kept: dict[int, MediaCounts] = {}
    for media_id, counts in media.items():
        frames = reviewed.get(media_id, {})
        left_out[NOT_REVIEWED] += len(counts.frames - frames.keys())
        for segment in counts.segments:
            if segment.frame_index in frames:
                kept.setdefault(media_id, MediaCounts()).add(segment)
    return kept


def capped(
    media: Mapping[int, MediaCounts],
    split: SplitPlan | None,
    by_frame: bool,
    recipe: Recipe,
    left_out_of: Counter[str],
) -> dict[int, MediaCounts]:
    """Leave out what is above the most of a class; images stay or go whole.

    Args:
        by_frame: whether an image is a frame, and not a segment.
        left_out_of: told how many annotations of each class go.
    """
    assert recipe.most_per_class is not None

    def image_of(media_id: int, segment: CountedSegment) -> str:
        return f"{media_id} {segment.frame_index}" if by_frame else segment.id

    labels: dict[str, Counter[str]] = {}
    group_of: dict[str, int] = {}
    for media_id, counts in media.items():
        for segment in counts.segments:
            image = image_of(media_id, segment)
            labels.setdefault(image, Counter()).update(segment.labels)
            group_of[image] = media_id if split is None else split.group_of[media_id]
    stay = cap_per_class(labels, group_of, recipe.most_per_class, recipe.seed)
    kept: dict[int, MediaCounts] = {}
    for media_id, counts in media.items():
        for segment in counts.segments:
            if image_of(media_id, segment) in stay:
                kept.setdefault(media_id, MediaCounts()).add(segment)
            else:
                left_out_of.update(segment.labels)
    return kept
