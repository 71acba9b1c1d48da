"""The records of labelling, all frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from src.records import BoxXywh, SearchHit

# What a label is painted in, in the order in which new labels get them; then from the first again.
LABEL_COLOURS = (
    "#E6B450",
    "#F0686C",
    "#5B96EE",
    "#5CC98B",
    "#E39BC4",
    "#C79A6B",
    "#B08CF0",
    "#8E8E97",
)

AttributeKind = Literal["choice", "number"]
# What is shown first: what is most alike, or what an answer would teach most (uncertainty
# sampling, Lewis and Gale 1994).
RankingOrder = Literal["best", "doubtful"]
DisagreementKind = Literal["model", "overlap"]
DisagreementAnswer = Literal["keep", "other", "neither"]


@dataclass(frozen=True)
class LabelAttribute:
    """A property that segments with a label have, such as "colour" or "age".

    Attributes:
        choices: of a choice, what it can be, in order; none of a number.
    """

    name: str
    kind: AttributeKind
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Label:
    """A tag that a person works with.

    Attributes:
        colour: "#RRGGBB".
        segments: how many have it by a person's word, imported ones too.
        accepted_together: how many have it from a bulk acceptance, source `propagated`.
        automatic: how many have it by a model's word alone.
    """

    name: str
    colour: str
    segments: int = 0
    accepted_together: int = 0
    automatic: int = 0
    attributes: tuple[LabelAttribute, ...] = ()


@dataclass(frozen=True)
class LabelRanking:
    """Segments without an answer for a label, ranked by the answers that there are.

    Attributes:
        candidates: the first of the order; `score` is how likely each has the label, 0 to 1.
        accepted, rejected: how many answers there are, by a person's word.
        held_back_right: which share of held-back answers was predicted right; None while there
            are too few answers to hold any back.
        likely_left: how many segments without an answer probably have the label; None as above,
            and while rejections are wanted.
        acceptable: how many of the best may be accepted at once, by held-back precision; 0: none.
        rejections_wanted: how many more it takes before any may be; 0: that is not what is missing.
        ranks_again_in: after how many more answers it is worth ranking again.
    """

    label: str
    candidates: tuple[SearchHit, ...]
    accepted: int = 0
    rejected: int = 0
    held_back_right: float | None = None
    likely_left: int | None = None
    acceptable: int = 0
    rejections_wanted: int = 0
    ranks_again_in: int = 0


@dataclass(frozen=True)
class ReviewFrame:
    """A frame in the review queue of some labels.

    Attributes:
        segment_id: of the frame as a whole, which leads to its view.
        answers: by label, what a person has said of the frame: it holds some (True), it holds
            none beyond those marked (False); labels that it was not looked at for are not there.
    """

    media_file_id: int
    frame_index: int
    segment_id: str
    answers: dict[str, bool]


@dataclass(frozen=True)
class ReviewProgress:
    """How many frames were looked at for all of some labels, and of how many."""

    reviewed: int
    total: int


@dataclass(frozen=True)
class Disagreement:
    """Something to look at again.

    Attributes:
        kind: "model": a model is sure of another word than a person's; "overlap": two segments of
            one frame, mostly the same pixels, have different labels by people.
        segment_id: the segment; other_segment_id: the one it overlaps.
        label: what a person says; with is_removed, what a person says it is not.
        other_label: what the model, or the other segment, says.
        confidence: the model's, 0 to 1; of an overlap, the IoU.
    """

    kind: DisagreementKind
    segment_id: str
    label: str
    other_label: str
    confidence: float
    is_removed: bool = False
    other_segment_id: str | None = None


@dataclass(frozen=True)
class MaskState:
    """What a mask under edit is now, for the side of the window.

    Attributes:
        segment_id: None for a segment that is new.
        bbox_xywh: in pixels of the frame; None of an empty mask.
        area: pixels of the mask.
        added, removed: pixels that it has more and fewer than when the edit began.
        points_inside, points_outside: clicks.
        strokes: of brush and eraser.
        predicted_iou: the model's estimate of a clicked mask; None of any other.
        points: the clicks, x and y in pixels of the frame, and whether inside.
        parts: how many parts were split off, which become segments of their own.
        is_deleted: the segment is to go.
    """

    segment_id: str | None
    bbox_xywh: BoxXywh | None
    area: int
    added: int
    removed: int
    points_inside: int = 0
    points_outside: int = 0
    strokes: int = 0
    predicted_iou: float | None = None
    can_undo: bool = False
    can_redo: bool = False
    points: tuple[tuple[float, float, bool], ...] = ()
    parts: int = 0
    is_deleted: bool = False


@dataclass(frozen=True)
class KeptEdit:
    """An edit of a mask that the library keeps.

    Attributes:
        segment_id: of the edited segment, new or not; None where it was deleted.
        batch: names the edit, for `undo_edit` and `redo_edit`; "" where nothing had changed.
        added: ids of segments that are new, the edited one among them.
        removed: ids of segments that are gone.
        edited_at: seconds since the epoch.
        is_undone: whether it was undone, and can be done again.
    """

    segment_id: str | None
    batch: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    edited_at: float | None = None
    is_undone: bool = False
