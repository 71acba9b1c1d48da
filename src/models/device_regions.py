"""Islands and holes of many masks at once, on any device.

A piece of a mask is found by its runs, the stretches of its rows, and not by its pixels: they are a
hundred times fewer. Runs of neighbouring rows that touch are joined by their smallest number until
nothing changes, which takes a few launches whatever the number of masks.
"""

from __future__ import annotations

import torch
from torch.nn import functional

Tensor = torch.Tensor


class Pieces:
    """The pieces of N masks (8-connected), and in how many runs they lie.

    Attributes:
        starts, ends: (R,) int64, the first and last place of each run in the flattened masks.
        masks: (R,) int64, which mask it is of.
        roots: (R,) int64, the number of one run of its piece, the same for all of them: what is
            known of a piece stands at that number.
    """

    def __init__(self, inside: Tensor) -> None:
        """Find them.

        Args:
            inside: (N, h, w) bool.
        """
        self._count, height, width = inside.shape
        padded = functional.pad(inside, (1, 1))
        middle = padded[..., 1:-1]
        self.starts = (middle & ~padded[..., :-2]).flatten().nonzero()[:, 0]
        self.ends = (middle & ~padded[..., 2:]).flatten().nonzero()[:, 0]
        self.masks = self.starts // max(1, height * width)
        self.roots = _joined(self.starts, self.ends, height, width)

    @property
    def lengths(self) -> Tensor:
        """Pixels of each run: (R,) int64."""
        return self.ends - self.starts + 1

    def totals(self, of_runs: Tensor) -> Tensor:
        """Sum up what is known of runs over each piece: (R,), 0 but at the roots."""
        return torch.zeros_like(of_runs).scatter_add_(0, self.roots, of_runs)

    def largest(self, totals: Tensor) -> Tensor:
        """Return which root has the largest total of its mask, the first of several: (R,) bool."""
        most = totals.new_zeros(self._count).scatter_reduce_(0, self.masks, totals, "amax")
        numbers = torch.arange(len(totals), device=totals.device)
        candidates = numbers.where(totals == most[self.masks], len(totals))
        first = numbers.new_full((self._count,), len(totals))
        first = first.scatter_reduce_(0, self.masks, candidates, "amin")
        return numbers == first[self.masks]

    def places(self, of_roots: Tensor) -> Tensor:
        """Return the places of all pixels of some pieces in the flattened masks: (P,) int64.

        Args:
            of_roots: (R,) bool.
        """
        chosen = of_roots[self.roots]
        starts, lengths = self.starts[chosen], self.lengths[chosen]
        before = lengths.cumsum(0) - lengths
        places = torch.repeat_interleave(starts - before, lengths)
        return places + torch.arange(len(places), device=places.device)


def without_small_regions(inside: Tensor, least_px: Tensor) -> Tensor:
    """Fill holes and drop islands of too few pixels, but never a mask's largest island.

    Args:
        inside: (N, h, w) bool.
        least_px: (N,), of how many pixels a region stays.

    Returns:
        (N, h, w) bool.
    """
    clean = inside.clone()
    holes = Pieces(~clean)
    small = holes.totals(holes.lengths) < least_px[holes.masks]
    clean.view(-1)[holes.places(small)] = True
    islands = Pieces(clean)
    areas = islands.totals(islands.lengths)
    small = (areas < least_px[islands.masks]) & ~islands.largest(areas)
    clean.view(-1)[islands.places(small)] = False
    return clean


def without_specks(logits: Tensor, share: float) -> Tensor:
    """Turn the sign of islands and holes that are smaller than a share of their mask.

    Args:
        logits: (N, h, w) float32.
    """
    inside = logits > 0
    # in whole numbers, as 0.03 * 100 is a little more than 3 in 32 bits
    areas = inside.sum((1, 2)).cpu().double()
    least_px = (share * areas).ceil().long().to(logits.device)
    return logits.where(inside == without_small_regions(inside, least_px), -logits)


def _joined(starts: Tensor, ends: Tensor, height: int, width: int) -> Tensor:
    """Return for each run of (N, height, width) masks the number of one run of its piece."""
    numbers = torch.arange(len(starts), device=starts.device)
    rows = starts // max(1, width)
    # as if each row were two places longer, so that corners touch within neighbouring rows only
    first, last = starts + 2 * rows, ends + 2 * rows
    above_from = torch.searchsorted(last, first - (width + 2) - 1)
    above_to = torch.searchsorted(first, last - (width + 2) + 1, right=True)
    touching = (above_to - above_from).where(rows % max(1, height) > 0, 0)
    below = torch.repeat_interleave(numbers, touching)
    before = touching.cumsum(0) - touching
    nth = torch.arange(len(below), device=starts.device) - before[below]
    above = above_from[below] + nth
    roots = numbers
    while True:
        here, there = roots[below], roots[above]
        if torch.equal(here, there):
            return roots
        lower = torch.minimum(here, there)
        roots = roots.scatter_reduce(0, torch.maximum(here, there), lower, "amin")
        # twice a round: a long chain of runs is halved twice
        roots = roots[roots]
        roots = roots[roots]
