"""All that a person may want to know of an export beside its numbers, as lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from src.export_records import AlikePair
from src.gui.core.session import Session
from src.gui.core.wording import as_sentence
from src.gui.dialogs.pair_list import PairList
from src.gui.theme.theme import NORMAL, SMALL, TITLE
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, IconButton, label
from src.gui.widgets.overlay import Overlay
from src.gui.widgets.scrolled import Scrolled

_WIDTH = 640
_TEXT_HIGH, _BESIDE_PAIRS = 280, 140  # at most


def show_export_details(
    overlay: Overlay,
    session: Session,
    warnings: Sequence[str] = (),
    left_out: Mapping[str, int] | None = None,
    unread: Mapping[Path, str] | None = None,
    pairs: Sequence[AlikePair] = (),
) -> None:
    """Open the lists over the dialog.

    Args:
        left_out: how much is left out, by the reason.
        unread: media files that could not be read, and why.
        pairs: media files that look alike on different sides of the split.
    """
    about = "details of an export"
    if overlay.shows(about):
        return
    theme, c = overlay.theme, overlay.theme.colours
    dialog = overlay.open(_WIDTH, about=about)
    close = partial(overlay.close, dialog)
    head = ctk.CTkFrame(dialog, fg_color="transparent")
    head.grid(row=0, column=0, sticky="ew", padx=(32, 20), pady=(12, 8))
    label(head, theme, "Details", size=TITLE, weight="medium").pack(side="left")
    IconButton(head, theme, "close", overlay.close_hint, close).pack(side="right")
    lines = details_lines(warnings, left_out or {}, unread or {})
    if lines:
        listed = Scrolled(dialog, theme, c.sidebar, (31, 31))
        listed.grid(row=1, column=0, sticky="ew", padx=1)
        for line, is_heading in lines:
            colour = c.text_2 if is_heading else c.text
            label(
                listed,
                theme,
                line,
                size=SMALL if is_heading else NORMAL,
                colour=colour,
                justify="left",
                wraplength=_WIDTH - 64,
            ).pack(anchor="w", pady=(8 if is_heading else 0, 4))
        listed.update_idletasks()
        listed.fit(theme.px(_BESIDE_PAIRS if pairs else _TEXT_HIGH))
    if pairs:
        title = f"Similar images on different sides of the split ({len(pairs):,})"
        label(dialog, theme, title, size=SMALL, colour=c.text_2).grid(
            row=2, column=0, sticky="w", padx=32, pady=(12, 6)
        )
        PairList(dialog, theme, session, pairs).grid(
            row=3, column=0, sticky="ew", padx=theme.px(32)
        )
    foot = ctk.CTkFrame(dialog, fg_color="transparent")
    foot.grid(row=4, column=0, sticky="ew", padx=(32, 28), pady=(12, 16))
    leave = Button(foot, theme, "Close", close, height=32)
    leave.pack(side="right")
    leave.after_idle(leave.focus_set)


def skipped(reasons: Mapping[str, int], will: bool) -> str:
    """Write how much is left out of a dataset, and why: "12 skipped: this (8); that (4)".

    Args:
        reasons: how much is left out by each.
        will: whether nothing is written yet.
    """
    total = sum(reasons.values())
    if not total:
        return "Nothing will be skipped" if will else ""
    most_first = sorted(reasons.items(), key=lambda each: (-each[1], each[0]))
    whys = [(reason, f" ({number:,})") for reason, number in most_first if number]
    said = whys[0][0] if len(whys) == 1 else "; ".join(map("".join, whys))
    return f"{total:,} {'will be skipped' if will else 'skipped'}: {said}"


def details_lines(
    warnings: Sequence[str], left_out: Mapping[str, int], unread: Mapping[Path, str]
) -> list[tuple[str, bool]]:
    """Write all of it in lines, each with whether it is a heading."""
    groups = {
        "Please note": [as_sentence(each) for each in warnings],
        "Skipped": [
            f"{number:,}  {reason}"
            for reason, number in sorted(left_out.items(), key=lambda each: (-each[1], each[0]))
        ],
        "Could not be read": [f"{path.name}: {reason}" for path, reason in unread.items()],
    }
    lines: list[tuple[str, bool]] = []
    for heading, group in groups.items():
        if group:
            lines += [(heading, True), *((each, False) for each in group)]
    return lines
