"""Which clicks an adaptive grid leaves out."""

from __future__ import annotations

import numpy as np
import torch

from src.models.click_grid import ClickGrid


def asked(grid: ClickGrid, logits: torch.Tensor) -> np.ndarray:
    """The places of all clicks, (N, 2), where each of the first ones brings the same mask."""
    places = []
    for level, clicks in enumerate(grid.levels()):
        places.append(grid.xy[clicks.numpy()])
        if level == 0:
            grid.found(logits.expand(len(clicks), -1, -1), clicks)
    return np.concatenate(places)


def test_what_two_clicks_have_found_is_asked_no_more() -> None:
    logits = torch.full((1, 64, 64), 5.0)
    logits[:, :, 32:] = -5.0
    places = asked(ClickGrid(24, "adaptive", 1.0), logits)
    left = places[:, 0] < 0.5
    assert left.sum() == 3 * 6  # the coarse ones
    assert (~left).sum() == 12 * 24


def test_a_place_that_a_mask_hardly_holds_is_asked_all_the_same() -> None:
    logits = torch.full((1, 64, 64), 5.0)
    logits[:, 16:32, 16:32] = 0.5  # a small thing that the large mask covers by mistake
    places = asked(ClickGrid(24, "adaptive", 1.0), logits)
    within = ((places > 0.25) & (places < 0.5)).all(axis=1)
    assert within.sum() == 6 * 6
    assert (~within).sum() < 36


def test_an_exact_grid_asks_every_click() -> None:
    assert len(asked(ClickGrid(24, "exact", 1.0), torch.full((1, 64, 64), 5.0))) == 24 * 24
