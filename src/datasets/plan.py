"""A recipe and a library -> all that a dataset will hold: counted first, read to be written."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import groupby
from typing import NamedTuple

import numpy as np

from src.database.clip_in_use import clip_in_use
from src.database.embedding_store import EmbeddingStore
from src.database.giving_up import giving_up
from src.database.metadata_db import MetadataDatabase
from src.database.text_normalization import casefold_key
from src.datasets.annotations import SPLITS, ClassAttributes, MediaFrame, PlannedImage
from src.datasets.class_attributes import DatasetAttributes, ValuesOf
from src.datasets.image_names import ImageNames
from src.datasets.labels import LabelRules
from src.datasets.media_counts import (
    ABOVE_CAP,
    MediaCounts,
    capped,
    count_media,
    only_reviewed,
)
from src.datasets.planned_images import annotation_of, cut_out
from src.datasets.protocols import ExportFormat
from src.datasets.queries import (
    class_of,
    frames_selected,
    media_names,
    reviewed_frames,
)
from src.datasets.sequences import empty_frames, frames_between, track_numbers
from src.datasets.splitting.close_pairs import ClosePair
from src.datasets.splitting.shares import SplitShares
from src.datasets.splitting.split_plan import SplitPlan, keep_sides, split_media
from src.errors import ExportError
from src.records import EMBEDDING_DIM, ImageForm, MediaFile, Split, StoredSegment, Tag
from src.search.leaves import KindIs, MediaFileIs
from src.search.recipe import Recipe

ON_TWO_SIDES = "media files similar to files on two sides of the split"
# Segments that are read at a time.
_PART = 1000
# Images that are planned before they are asked for.
_AHEAD = 4


class _Tagged(NamedTuple):
    segment: StoredSegment
    tags: tuple[Tag, ...]
    values_of: ValuesOf  # of its labels' attributes


class DatasetPlan:
    """What a recipe makes of a library; see PlannedDataset.

    Attributes:
        media: what is exported of each media file, by its id.
        left_out: how much is left out, by the reason.
        left_out_of: how many tags of each class are left out.
        expect: told of each image somewhat before it is given.
    """

    def __init__(
        self,
        metadata: MetadataDatabase,
        recipe: Recipe,
        export_format: ExportFormat,
        title: str = "",
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        """Count what there is.

        Args:
            wanted: whether somebody still waits for it; asked now and then.

        Raises:
            GivenUp: it is not wanted any more.
            ExportError: the format has no such images.
        """
        self.recipe, self.title = recipe, title or metadata.paths.root.name
        self.form = _form(recipe, export_format)
        self.description = "Segments of a media library, with their labels."
        self.expect: Callable[[PlannedImage], None] = lambda _: None
        self._metadata, self._holds = metadata, export_format.holds
        self._class_of = class_of(metadata, recipe)
        self._attributes = DatasetAttributes(metadata, self._class_of)
        rules = self._new_rules()
        self.left_out, self.left_out_of = rules.left_out, rules.left_out_of
        with giving_up(metadata.connection.read(), wanted):
            self.media = count_media(metadata, recipe, rules, self._holds)
            self._reviewed = reviewed_frames(metadata, self._class_of)
        if recipe.only_reviewed:
            self.media = only_reviewed(self.media, self._reviewed, self.left_out)
        self._empty = empty_frames(metadata, self.media) if self._holds.sequences else {}
        self._split = self._split_media(wanted) if recipe.split else None
        if recipe.most_per_class is not None:
            before = self.labels.total()
            self.media = capped(
                self.media, self._split, self.form == "frames", recipe, self.left_out_of
            )
            self.left_out[ABOVE_CAP] += before - self.labels.total()

    @property
    def split_of(self) -> Mapping[int, Split]:
        """The side of each media file; empty where the dataset is not split."""
        return {} if self._split is None else self._split.side_of

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the person should know before it is written."""
        return () if self._split is None else self._split.warnings

    @property
    def close_pairs(self) -> tuple[ClosePair, ...]:
        """Media files on different sides that are rather alike, the closest first."""
        return () if self._split is None else self._split.close.pairs

    def keep_sides(self) -> None:
        """Write down which file is on which side, so that none ever changes it."""
        if self._split is not None:
            keep_sides(self._metadata, self._split)

    # -- what PlannedDataset asks for

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The labels, in the order of the recipe, or of their names."""
        if self.recipe.classes:
            return tuple(rule.name for rule in self.recipe.classes)
        used = set[str]().union(*(counts.labels for counts in self.media.values()))
        return tuple(sorted(used, key=lambda name: (casefold_key(name), name)))

    @property
    def attributes(self) -> ClassAttributes:
        """The attributes of each class that has any."""
        return self._attributes.of_classes

    @property
    def splits(self) -> tuple[Split, ...]:
        """Those that some image is in."""
        used = set(self.split_of.values())
        return tuple(split for split in SPLITS if split in used)

    def __len__(self) -> int:
        return self._length

    @cached_property
    def _length(self) -> int:
        if self.form != "frames":
            return sum(len(counts.segments) for counts in self.media.values())
        return sum(self.frames_of(media_id) for media_id in self._media_ids)

    def __iter__(self) -> Iterator[PlannedImage]:
        """Give the images; see PlannedDataset. Those that come next are told of by `expect`."""
        waiting = deque[PlannedImage]()
        for image in self._planned():
            self.expect(image)
            waiting.append(image)
            if len(waiting) > _AHEAD:
                yield waiting.popleft()
        yield from waiting

    def _planned(self) -> Iterator[PlannedImage]:
        media = {each.id: each for each in self._metadata.all_media()}
        names = ImageNames(self._names_of_media, media)
        rules = self._new_rules()
        for split in self.splits or (None,):
            of_split = [each for each in self._media_ids if self.split_of.get(each) == split]
            for segments in self._frames(of_split):
                first = segments[0].segment
                if first.media_file_id in media:  # else removed meanwhile
                    frame = self._media_frame(media[first.media_file_id], first, names)
                    yield from self._images(frame, segments, rules, names, split)

    def images_of(self, media_id: int, frame_index: int) -> Iterator[PlannedImage]:
        """Give the images of one frame with labels; their stems are not those of the dataset."""
        media = self._metadata.media(media_id)
        of_media = self.media[media_id].segments
        ids = [each.id for each in of_media if each.frame_index == frame_index]
        segments = list(self._segments(ids))
        if media is not None and segments:  # else removed meanwhile
            names = ImageNames(self._names_of_media, {media_id: media})
            frame = self._media_frame(media, segments[0].segment, names)
            split = self.split_of.get(media_id)
            yield from self._images(frame, segments, self._new_rules(), names, split)

    def embeddings(self, segment_ids: Sequence[str]) -> np.ndarray:
        """Look up the embeddings of segments by the CLIP in use.

        Returns:
            (N, 512) float32, of length 1; zeros where a segment has none.
        """
        vectors = np.zeros((len(segment_ids), EMBEDDING_DIM), np.float32)
        model = clip_in_use(self._metadata)
        if model is not None:
            found = EmbeddingStore(self._metadata.connection, model).get(segment_ids)
            for row, segment_id in enumerate(segment_ids):
                vectors[row] = found.get(segment_id, 0)
        return vectors

    # -- counting

    @property
    def annotations(self) -> int:
        """How many there are."""
        return self.labels.total()

    @property
    def media_files(self) -> int:
        """How many media files its images come from."""
        return len(self._media_ids)

    @property
    def one_file_per_label(self) -> bool:
        """Whether a segment is an image for each of its labels."""
        return not self._holds.boxes and self._holds.several_labels

    @property
    def _media_ids(self) -> list[int]:
        return sorted(self.media.keys() | self._background.keys())

    def frames_of(self, media_id: int) -> int:
        """How many frames of a media file something is exported of."""
        counts = self._counts(media_id)
        return len(counts.frames) + len(self._background.get(media_id, ()))

    @property
    def labels(self) -> Counter[str]:
        """How many annotations of each class there are."""
        total: Counter[str] = Counter()
        for counts in self.media.values():
            total.update(counts.labels)
        return total

    def labels_of(self, split: Split) -> Counter[str]:
        """How many annotations of each class a split has."""
        total: Counter[str] = Counter()
        for media_id, counts in self.media.items():
            if self.split_of.get(media_id) == split:
                total.update(counts.labels)
        return total

    def _new_rules(self) -> LabelRules:
        return LabelRules(self.recipe, self._class_of, not self._holds.several_labels)

    def _split_media(self, wanted: Callable[[], bool]) -> SplitPlan:
        """Deal media files out to the sides; those that would be a leak on each are left out."""
        split = split_media(
            self._metadata,
            {media_id: self._counts(media_id).labels for media_id in self._media_ids},
            SplitShares.parse(self.recipe.split),
            self.recipe.seed,
            images={media_id: self.frames_of(media_id) for media_id in self._media_ids},
            wanted=wanted,
        )
        for media_id in split.left_out:
            self.left_out[ON_TWO_SIDES] += 1
            self.left_out_of += self._counts(media_id).labels
            self.media.pop(media_id, None)
            self._background.pop(media_id, None)
        return split

    def _counts(self, media_id: int) -> MediaCounts:
        return self.media.get(media_id, MediaCounts())

    @cached_property
    def _background(self) -> dict[int, set[int]]:
        """Frames that a person has confirmed to hold none of the classes, by their media file."""
        if self._holds.sequences:
            return frames_between(self.media, self._empty)
        if not self.recipe.background or self.form != "frames" or not self._reviewed:
            return {}
        selected = frames_selected(self._metadata, self.recipe, list(self._reviewed))
        found: dict[int, set[int]] = {}
        for media_id, frames in self._reviewed.items():
            counts = self._counts(media_id)
            empty = {index for index, is_empty in frames.items() if is_empty} - counts.frames
            if empty & selected[media_id]:
                found[media_id] = empty & selected[media_id]
        return found

    @cached_property
    def _track_of(self) -> dict[str, int]:
        return track_numbers(self.media)

    # -- reading

    def _frames(self, media_ids: Sequence[int]) -> Iterator[list[_Tagged]]:
        """Read what is exported, frame by frame; of a background frame its whole-frame segment."""
        wanted: list[str] = []
        for media_id in media_ids:
            counts = self._counts(media_id)
            found = sorted((each.frame_index, each.id) for each in counts.segments)
            background = self._background.get(media_id)
            if background:
                where = MediaFileIs((media_id,)) & KindIs(("frame",))
                found += [
                    (whole.frame_index, whole.id)
                    for whole in self._metadata.segments_where(where)
                    if whole.frame_index in background
                ]
                found.sort()
            wanted += [segment_id for _, segment_id in found]
        yield from (
            list(frame)
            for _, frame in groupby(
                self._segments(wanted),
                lambda each: (each.segment.media_file_id, each.segment.frame_index),
            )
        )

    def _segments(self, segment_ids: Sequence[str]) -> Iterator[_Tagged]:
        for begin in range(0, len(segment_ids), _PART):
            ids = segment_ids[begin : begin + _PART]
            found, tags = self._metadata.segments(ids), self._metadata.tags_of(ids)
            values_of = self._attributes.values(ids)
            yield from (
                _Tagged(found[each], tags.get(each, ()), values_of) for each in ids if each in found
            )

    def _media_frame(
        self, media: MediaFile, segment: StoredSegment, names: ImageNames
    ) -> MediaFrame:
        return MediaFrame(
            media.id,
            media.path,
            self._names_of_media[media.id],
            media.content_hash,
            segment.frame_index,
            segment.timestamp_s,
            segment.frame_wh,
            names.of_media(media.id),
        )

    @cached_property
    def _names_of_media(self) -> dict[int, str]:
        return media_names(self._metadata)

    def _images(
        self,
        frame: MediaFrame,
        segments: list[_Tagged],
        rules: LabelRules,
        names: ImageNames,
        split: Split | None,
    ) -> Iterator[PlannedImage]:
        is_reviewed = frame.frame_index in self._reviewed.get(frame.media_id, {})
        background = frame.frame_index in self._background.get(frame.media_id, ())
        # large ones first: where masks are painted, the smaller lie on top
        segments = sorted(segments, key=lambda each: (-each.segment.area, each.segment.id))
        labelled = [(each.segment, rules.labels_of(each.tags), each.values_of) for each in segments]
        if self.form == "frames":
            annotations = tuple(
                annotation_of(segment, tag, values_of, self._track_of.get(segment.id))
                for segment, tags, values_of in labelled
                for tag in tags
            )
            if annotations or background:
                stem = names.of_frame(frame)
                yield PlannedImage(
                    stem, frame, None, frame.size_wh, annotations, split, is_reviewed
                )
            return
        for segment, tags, values_of in labelled:
            if tags:
                stem = names.of_segment(segment.id)
                yield cut_out(
                    stem,
                    frame,
                    segment,
                    tags,
                    values_of,
                    self.form,
                    self._holds,
                    split,
                    is_reviewed,
                    self._track_of.get(segment.id),
                )


def _form(recipe: Recipe, export_format: ExportFormat) -> ImageForm:
    if recipe.images is None:
        return export_format.forms[0]
    if recipe.images not in export_format.forms:
        raise ExportError(
            f"{export_format.label} has no images of the kind {recipe.images!r}; it has "
            f"{', '.join(export_format.forms)}"
        )
    return recipe.images
