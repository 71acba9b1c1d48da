"""Shares of training, validation and test: three numbers, and the seed of the split."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from src.gui.theme.theme import SMALL, Theme
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import label
from src.gui.widgets.inputs import Choice, Entry

NO_SPLIT, BY_SHARES = "None", "Train, validation, test"
SUGGESTED = (80.0, 10.0, 10.0)
_SEED = 1
_CAPTIONS = ("Train, %", "Validation, %", "Test, %", "Seed")


class SplitChoice(ctk.CTkFrame):
    """Whether a dataset is split, and how; what is wrong with the numbers is said below them.

    Attributes:
        problem: what is wrong with what was typed; empty while all can be used.
    """

    def __init__(
        self, master: Any, theme: Theme, on_change: Callable[[], object], edge: int
    ) -> None:
        """Draw it, without a split.

        Args:
            edge: the margin left and right of it.
        """
        super().__init__(master, fg_color="transparent")
        self.theme, self._on_change = theme, on_change
        self.problem = ""
        c = theme.colours
        line = ctk.CTkFrame(self, fg_color="transparent")
        line.pack(fill="x", padx=edge)
        label(line, theme, "Split", size=SMALL, colour=c.text_2).pack(side="left")
        self.choice = Choice(line, theme, (NO_SPLIT, BY_SHARES), lambda _: self._chosen())
        self.choice.pack(side="right")
        self._numbers = ctk.CTkFrame(self, fg_color="transparent")
        self._edge = edge
        self.entries: list[Entry] = []
        for place, caption in enumerate(_CAPTIONS):
            self._numbers.grid_columnconfigure(place, weight=1, uniform="shares")
            label(self._numbers, theme, caption, size=SMALL, colour=c.text_2).grid(
                row=0, column=place, sticky="w"
            )
            entry = Entry(self._numbers, theme, "", height=32, on_change=lambda _: self._typed())
            entry.field.configure(width=40)
            gap = 0 if place == len(_CAPTIONS) - 1 else 8
            entry.grid(row=1, column=place, sticky="ew", padx=(0, gap), pady=(4, 0))
            self.entries.append(entry)
        self._wrong = label(
            self._numbers, theme, "", size=SMALL, colour=c.error, justify="left", wraplength=320
        )
        self._shares, self._seed = SUGGESTED, _SEED
        self._is_showing = False
        self.show("", _SEED)

    @property
    def text(self) -> str:
        """As a recipe has it: "80/10/10"; empty without a split."""
        is_split = self.choice.value == BY_SHARES
        return "/".join(f"{share:g}" for share in self._shares) if is_split else ""

    @property
    def seed(self) -> int:
        return self._seed

    def show(self, text: str, seed: int) -> None:
        """Show a split of a recipe; calls nothing."""
        self._is_showing = True
        shares = _read_shares(text.split("/")) if text else self._shares
        self._shares, self._seed = shares or SUGGESTED, seed
        for entry, value in zip(self.entries, (*self._shares, self._seed), strict=True):
            entry.set(f"{value:g}")
        self.choice.choose(BY_SHARES if text else NO_SPLIT)
        self._check()
        self._place()
        self._is_showing = False

    def _chosen(self) -> None:
        if not self._is_showing:
            self._check()
            self._place()
            self._on_change()

    def _place(self) -> None:
        if self.choice.value == BY_SHARES:
            self._numbers.pack(fill="x", padx=self._edge, pady=(8, 0))
        else:
            self._numbers.pack_forget()

    def _typed(self) -> None:
        if not self._is_showing:
            self._check()
            self._on_change()

    def _check(self) -> None:
        """Take what was typed, or say what is wrong with it."""
        *texts, seed_text = (entry.text for entry in self.entries)
        shares, seed = _read_shares(texts), seed_text.strip()
        has_seed = seed.isascii() and seed.isdigit() and len(seed) <= 9
        wrong = _problem_of(shares)
        if self.choice.value == NO_SPLIT:
            wrong, has_seed = "", True
        for entry in self.entries[:3]:
            entry.set_error(bool(wrong))
        self.entries[3].set_error(not has_seed)
        self.problem = wrong or ("" if has_seed else "Enter a whole number as the seed.")
        if not self.problem and shares is not None:
            self._shares, self._seed = shares, int(seed)
        self._wrong.configure(text=self.problem)
        if self.problem:
            self._wrong.grid(row=2, column=0, columnspan=4, sticky="w", pady=(4, 0))
        else:
            self._wrong.grid_remove()


def _read_shares(texts: list[str]) -> tuple[float, float, float] | None:
    """Read the shares in percent; one that is missing is 0. None where they are no numbers."""
    try:
        shares = [round(float(text.replace(",", ".") or 0), 3) for text in texts]
    except ValueError:
        return None
    shares += [0.0] * (3 - len(shares))
    return (shares[0], shares[1], shares[2]) if all(0 <= each <= 100 for each in shares) else None


def _problem_of(shares: tuple[float, float, float] | None) -> str:
    if shares is None:
        return "Enter three numbers from 0 to 100."
    if abs(sum(shares) - 100) > 1e-6:
        return f"The shares have to add up to 100. They are {sum(shares):g} now."
    if sum(share > 0 for share in shares) < 2:
        return "Give at least two of them a share, or choose None."
    return ""
