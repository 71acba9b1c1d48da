"""How large the sides of a split are to be."""

from __future__ import annotations

import re
from dataclasses import dataclass

from src.datasets.annotations import SPLITS
from src.errors import OptionError
from src.records import Split

_NUMBER = r"\d{1,3}(?:\.\d{1,3})?"
_SHARES = re.compile(rf"\s*({_NUMBER})\s*/\s*({_NUMBER})\s*(?:/\s*({_NUMBER})\s*)?")


@dataclass(frozen=True)
class SplitShares:
    """The shares of train, validation and test, in percent; 0 where there is no such side."""

    train: float = 80
    val: float = 10
    test: float = 10

    @classmethod
    def parse(cls, text: str) -> SplitShares:
        """Read "80/10/10" (train, validation, test) or "80/20" (train, validation).

        Raises:
            OptionError: it is something else, does not add up to 100, or names one side only.
        """
        found = _SHARES.fullmatch(text)
        if found is None:
            raise OptionError(
                f"{text!r} is no split; write 80/10/10 for train, validation and test, 80/20 for"
                " train and validation, or 80/0/20 for train and test"
            )
        train, val, test = (float(share or 0) for share in found.groups())
        if abs(train + val + test - 100) > 1e-6:
            raise OptionError(f"the shares {text!r} of a split have to add up to 100")
        shares = cls(train, val, test)
        if len(shares.sides) < 2:
            raise OptionError(f"{text!r} has one side only; leave the split out, or name two")
        return shares

    @property
    def sides(self) -> tuple[Split, ...]:
        """The sides that there are."""
        return tuple(side for side in SPLITS if self.of(side) > 0)

    def of(self, side: Split) -> float:
        """Return the share of a side, 0 to 1."""
        return {"train": self.train, "val": self.val, "test": self.test}[side] / 100

    def __str__(self) -> str:
        return f"{self.train:g}/{self.val:g}/{self.test:g}"
