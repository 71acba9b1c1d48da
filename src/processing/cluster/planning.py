"""How many workers a cluster has room for, and what each of them gets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# Of the cores of a machine without a GPU a worker gets so many: one copy of the models for them.
CORES_EACH = 4
# Frames that are not cut are embedded in batches: so many more are asked of a worker at once.
BATCH = 16


@dataclass(frozen=True)
class Share:
    """What one worker gets of its machine."""

    cores: int
    gpus: int = 0

    def threads(self, cuts_nothing: bool) -> int:
        """Return how much work is done by it at the same time: while one frame is cut, the next
        is decoded.
        """
        return max(2, self.cores) + (BATCH if cuts_nothing else 0)

    def depth(self, cuts_nothing: bool) -> int:
        """Return how much is asked of it at the same time: one waits, so that it never does."""
        return self.threads(cuts_nothing) + 1


def plan(machines: Iterable[Mapping[str, float]], cores_each: int = CORES_EACH) -> Counter[Share]:
    """Divide machines among workers: one for each GPU or, where none has any, for a few cores.

    Args:
        machines: what each has, as Ray says it.
        cores_each: of a worker, at most.
    """
    machines = list(machines)
    shares: Counter[Share] = Counter()
    if any(each.get("GPU", 0) >= 1 for each in machines):
        for each in machines:
            gpus, cores = int(each.get("GPU", 0)), int(each.get("CPU", 0))
            if gpus:
                shares[Share(min(cores_each, cores // gpus), 1)] += gpus
        return shares
    for each in machines:
        left = int(each.get("CPU", 0))
        while left > 0:
            shares[Share(min(cores_each, left))] += 1
            left -= cores_each
    return shares
