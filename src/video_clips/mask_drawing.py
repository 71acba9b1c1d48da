"""Masks of a video's segments drawn into its frames, between the sampled ones too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from src.database.frame_spans import stored_frame_times, until_the_next
from src.database.label_table import LabelTable
from src.database.metadata_db import MetadataDatabase
from src.database.text_normalization import casefold_key
from src.errors import DamagedMaskError, ExportError
from src.label_records import LABEL_COLOURS
from src.models.mask_rle import decode_rle
from src.records import MediaFile, StoredSegment
from src.search.leaves import KindIs, MediaFileIs, Tagged
from src.search.range_leaves import AtTime
from src.track_records import ClipMasks, TrackSegment
from src.tracks.between_frames import MovedBox, box_at, seen_at

_FILL = 0.35
# Where nothing is chosen, larger things are not drawn: they are what others stand before.
_MOST_OF_FRAME = 0.5


@dataclass
class DrawnThing:
    """A track, or a segment that is in none, with its colour.

    Attributes:
        ink_rgb: (3,) uint8.
        masks: of its segments, as compressed COCO RLE at the frame's size, by their ids.
    """

    segments: tuple[TrackSegment, ...]
    ink_rgb: np.ndarray
    masks: dict[str, bytes] = field(repr=False)
    _cut: tuple[str, np.ndarray] | None = field(default=None, repr=False)

    def draw(self, image_rgb: np.ndarray, time_s: float) -> None:
        """Tint where it is at a moment, with its outline.

        Args:
            image_rgb: (H, W, 3) uint8 RGB, changed in place.
        """
        segment, box = seen_at(self.segments, time_s), box_at(self.segments, time_s)
        if segment is None or box is None:
            return
        height, width = image_rgb.shape[:2]
        left, top, mask = _placed(self._mask(segment, (width, height)), box)
        x, y = max(0, left), max(0, top)
        part = image_rgb[y : top + mask.shape[0], x : left + mask.shape[1]]
        mask = mask[y - top : y - top + part.shape[0], x - left : x - left + part.shape[1]]
        if not part.size:
            return
        inside = mask > 0
        inked = np.full_like(part, self.ink_rgb)
        tinted = cv2.addWeighted(part, 1 - _FILL, inked, _FILL, 0)
        np.copyto(part, tinted, where=inside[..., None])
        line = max(1, round(max(image_rgb.shape) / 400))
        kernel = np.ones((2 * line + 1, 2 * line + 1), np.uint8)
        inner = cv2.erode(mask, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
        np.copyto(part, inked, where=(inside & (inner == 0))[..., None])

    def _mask(self, segment: TrackSegment, size_wh: tuple[int, int]) -> np.ndarray:
        """Cut the mask of a segment out of its frame: (h, w) uint8, 0 and 255."""
        if self._cut is None or self._cut[0] != segment.segment_id:
            x, y, w, h = segment.bbox_xywh
            try:
                whole = decode_rle(self.masks[segment.segment_id], size_wh)
                mask = whole[y : y + h, x : x + w].astype(np.uint8) * np.uint8(255)
            except (KeyError, DamagedMaskError):  # it has only a box
                mask = np.full((h, w), 255, np.uint8)
            self._cut = segment.segment_id, mask
        return self._cut[1]


def _placed(mask: np.ndarray, box: MovedBox) -> tuple[int, int, np.ndarray]:
    """Bring a mask to the size of a box; returns its left, its top and (h, w) uint8, 0 and 255."""
    x, y, w, h = box
    left, top = round(x), round(y)
    size = max(1, round(x + w) - left), max(1, round(y + h) - top)
    if size != mask.shape[::-1]:
        mask = cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR)
        mask = np.where(mask >= 128, np.uint8(255), np.uint8(0))
    return left, top, mask


def things_to_draw(
    metadata: MetadataDatabase, media: MediaFile, begin_s: float, end_s: float, wanted: ClipMasks
) -> list[DrawnThing]:
    """Read what is to be drawn of a range, large things first.

    Raises:
        ExportError: there is none of it in the range.
    """
    times_s = [time_s for _, time_s in stored_frame_times(metadata.connection, media.id)]
    before = [at_s for at_s in times_s if at_s <= begin_s]
    after = [at_s for at_s in times_s if at_s >= end_s]
    where = MediaFileIs((media.id,)) & KindIs(("object",))
    where &= AtTime(max(before, default=begin_s), min(after, default=end_s))
    if wanted.label is not None:
        where &= Tagged((wanted.label,))
    segments = metadata.segments_where(where, with_masks=True)
    if wanted.track_ids:
        segments = [each for each in segments if each.track_id in wanted.track_ids]
    elif wanted.label is None:
        # what fills the picture would tint all of it
        most = _MOST_OF_FRAME * (media.width or 0) * (media.height or 0)
        segments = [each for each in segments if each.track_id is not None and each.area <= most]
    if not segments:
        raise ExportError(_nothing(media, wanted))
    key = None if wanted.label is None else casefold_key(wanted.label)
    labels = LabelTable(metadata.connection, metadata.rows).labels() if key else []
    colour = next((each.colour for each in labels if casefold_key(each.name) == key), None)
    ends_s = dict(zip(times_s, until_the_next(times_s, media.duration_s or end_s), strict=True))
    return _things(segments, ends_s, colour)


def _things(
    segments: Iterable[StoredSegment], ends_s: dict[float, float], colour: str | None
) -> list[DrawnThing]:
    of_tracks: dict[int | str, list[StoredSegment]] = defaultdict(list)
    for each in segments:
        of_tracks[each.id if each.track_id is None else each.track_id].append(each)
    things = []
    for place, some in enumerate(of_tracks.values()):
        ink = colour or LABEL_COLOURS[(some[0].track_id or place) % len(LABEL_COLOURS)]
        rgb = np.array([int(ink[at : at + 2], 16) for at in (1, 3, 5)], np.uint8)
        masks = {each.id: each.mask_rle for each in some if each.mask_rle is not None}
        things.append(DrawnThing(_track_segments(some, ends_s), rgb, masks))
    areas = [max(each.area for each in some) for some in of_tracks.values()]
    order = sorted(range(len(things)), key=lambda place: -areas[place])
    return [things[place] for place in order]


def _track_segments(
    segments: Sequence[StoredSegment], ends_s: dict[float, float]
) -> tuple[TrackSegment, ...]:
    found = [
        TrackSegment(
            each.id,
            each.frame_index,
            each.timestamp_s or 0.0,
            ends_s.get(each.timestamp_s or 0.0, each.timestamp_s or 0.0),
            each.bbox_xywh,
            each.crop_path,
        )
        for each in segments
    ]
    return tuple(sorted(found, key=lambda each: each.timestamp_s))


def _nothing(media: MediaFile, wanted: ClipMasks) -> str:
    if wanted.track_ids:
        names = ", ".join(map(str, wanted.track_ids))
        which = "the tracks" if len(wanted.track_ids) > 1 else "the track"
        what = f"nothing of {which} {names} is seen"
    elif wanted.label is not None:
        what = f'nothing is labelled "{wanted.label}"'
    else:
        what = "nothing is in a track"
    return (
        f"{media.path.name}: {what} in this range; choose another range, or save the clip "
        "without masks"
    )
