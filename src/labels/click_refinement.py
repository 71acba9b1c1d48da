"""How a click changes a mask: what the model says of all clicks, held to what each click means."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from src.models.click_session import ClickSession

Click = tuple[float, float, bool]
# A mask from all clicks takes the place of the one before only if it is still the same thing.
STILL_THE_SAME = 0.5
# A piece that a click adds or takes away has at most such a share of the mask's pixels; one that
# is added and does not touch the mask is a thing of its own, as large as it may be.
MOST_OF_MASK = 0.5


def clicked(
    session: ClickSession, before: np.ndarray, click: Click, is_of_clicks: bool
) -> tuple[np.ndarray, bool]:
    """Click once more.

    SAM 1, which was taught to go on from clicks and masks, gives a mask that each click is on the
    right side of: that is taken. A mask that a person has drawn, or that was there before, changes
    by the piece at the click alone. Where the model leads away from the mask, as one does that was
    taught single clicks only, it is asked what is at the click, and that piece is added or taken
    away.

    Args:
        session: is asked, and has the click from then on; further clicks go on from the result.
        before: (H, W) bool, the mask so far.
        click: x, y in pixels of the image, and whether inside.
        is_of_clicks: the mask is nothing but what clicks brought.

    Returns:
        (H, W) bool, a new array; and whether it is the model's mask as a whole.
    """
    x, y, inside = click
    session.add_point(x, y, inside)
    found = session.mask()
    if not before.any():
        return found, True
    if _obeys(found, session.points) and _iou(found, before) >= STILL_THE_SAME:
        if is_of_clicks:
            return found, True
        piece = _piece_of(found, before, click)
    else:
        piece = _piece_by_itself(session, before, click)
    after = before.copy()
    if piece is not None:
        (left, top), part = piece
        window = np.s_[top : top + part.shape[0], left : left + part.shape[1]]
        after[window] ^= part
    session.go_on_from(after, session.points)
    return after, False


_Piece = tuple[tuple[int, int], np.ndarray]
_PIECE = 1  # what differs is 255


def _piece_of(found: np.ndarray, before: np.ndarray, click: Click) -> _Piece | None:
    """Return the connected piece at a click that one mask has, and the other has not.

    Returns:
        The place of its corner, x and y, and (h, w) bool; None where the click is on none.
    """
    x, y, inside = int(click[0]), int(click[1]), click[2]
    one, other = (found, before) if inside else (before, found)
    differing = cv2.compare(one.view(np.uint8), other.view(np.uint8), cv2.CMP_GT)
    if not differing[y, x]:
        return None
    _, _, _, (left, top, w, h) = cv2.floodFill(differing, None, (x, y), _PIECE, flags=8)
    return (left, top), differing[top : top + h, left : left + w] == _PIECE


def _piece_by_itself(session: ClickSession, before: np.ndarray, click: Click) -> _Piece | None:
    """Return the piece at a click by what the model takes for the thing there; None for none."""
    x, y, inside = click
    if bool(before[int(y), int(x)]) == inside:
        return None
    most = MOST_OF_MASK * np.count_nonzero(before)
    others = [point for point in session.points if point[2] != inside]
    for guess, _ in session.guesses(x, y):
        piece = _piece_of(guess if inside else before & ~guess, before, click)
        if piece is None:
            continue
        (left, top), part = piece
        h, w = part.shape
        holds_other = any(
            left <= other_x < left + w
            and top <= other_y < top + h
            and part[int(other_y) - top, int(other_x) - left]
            for other_x, other_y, _ in others
        )
        is_apart = inside and not _touches(piece, before)
        if (is_apart or np.count_nonzero(part) <= most) and not holds_other:
            return piece
    return None


def _touches(piece: _Piece, mask: np.ndarray) -> bool:
    """Return whether a piece has a pixel of the mask beside it."""
    (left, top), part = piece
    grown = cv2.dilate(np.pad(part, 1).view(np.uint8), np.ones((3, 3), np.uint8))
    above, before = int(top == 0), int(left == 0)
    around = mask[
        max(0, top - 1) : top + part.shape[0] + 1, max(0, left - 1) : left + part.shape[1] + 1
    ]
    grown = grown[above : above + around.shape[0], before : before + around.shape[1]]
    return bool((grown.view(bool) & around).any())


def _obeys(mask: np.ndarray, points: Sequence[Click]) -> bool:
    return all(bool(mask[int(y), int(x)]) == inside for x, y, inside in points)


def _iou(one: np.ndarray, other: np.ndarray) -> float:
    common = int(np.count_nonzero(one & other))
    either = int(np.count_nonzero(one)) + int(np.count_nonzero(other)) - common
    return common / max(1, either)
