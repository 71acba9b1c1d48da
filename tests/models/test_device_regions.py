"""Islands and holes of many masks at once, as OpenCV finds them one by one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from src.models import mask_shape
from src.models.device_regions import Pieces, without_small_regions, without_specks
from tests.models.drawn_masks import drawn_logits

SIZES = [(61, 83), (1, 40), (40, 1), (64, 64)]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_pieces_are_those_of_opencv(size: tuple[int, int], device: torch.device) -> None:
    inside = (drawn_logits(*size) > 0).to(device)
    pieces = Pieces(inside)
    areas = pieces.totals(pieces.lengths)
    largest = pieces.largest(areas)
    for number, mask in enumerate(inside.cpu().numpy()):
        _, _, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
        own = (pieces.masks == number) & (areas > 0)
        wanted = stats[1:, cv2.CC_STAT_AREA]
        assert sorted(areas[own].tolist()) == sorted(wanted.tolist())
        assert areas[own & largest].tolist() == ([wanted.max()] if len(wanted) else [])
        one = torch.zeros_like(own)
        one[own.nonzero()[:1]] = True
        places = pieces.places(one)
        assert len(places) == int(areas[one].sum())
        assert inside.flatten()[places].all()


@pytest.mark.parametrize("least_px", [1, 4, 60, 300])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_small_regions_go_as_one_by_one(
    size: tuple[int, int], least_px: int, device: torch.device
) -> None:
    inside = (drawn_logits(*size) > 0).to(device)
    found = without_small_regions(inside, torch.full((len(inside),), least_px, device=device))
    for mask, clean in zip(inside.cpu().numpy(), found.cpu().numpy(), strict=True):
        wanted = mask_shape.without_small_regions(mask.view(np.uint8), least_px)
        np.testing.assert_array_equal(clean, wanted > 0)


@pytest.mark.parametrize("share", [0.01, 0.03, 0.5])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_specks_turn_as_one_by_one(
    size: tuple[int, int], share: float, device: torch.device
) -> None:
    logits = drawn_logits(*size)
    found = without_specks(logits.to(device), share).cpu()
    for mask, clean in zip(logits.numpy(), found.numpy(), strict=True):
        np.testing.assert_array_equal(clean, mask_shape.without_specks(mask, share))


def test_of_no_masks_nothing_is_left() -> None:
    none = torch.zeros(0, 5, 7)
    assert without_specks(none, 0.03).shape == (0, 5, 7)
    assert without_small_regions(none > 0, torch.zeros(0)).shape == (0, 5, 7)


def test_the_longest_piece_takes_few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = 0
    equal = torch.equal

    def counted(one: torch.Tensor, other: torch.Tensor) -> bool:
        nonlocal rounds
        rounds += 1
        return equal(one, other)

    spiral = np.zeros((401, 401), np.uint8)
    turns = np.linspace(0, 60 * np.pi, 20_000)
    points = 200 + (3 + turns)[:, None] * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    cv2.polylines(spiral, [points.round().astype(np.int32)], False, 1, 2)
    monkeypatch.setattr(torch, "equal", counted)
    pieces = Pieces(torch.from_numpy(spiral)[None] > 0)
    assert len(pieces.roots.unique()) == 1
    assert rounds <= 12
