"""All that a person may want to know of an export beside its numbers, as lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from src.gui.core.session import Session
from src.gui.core.wording import as_sentence
from src.gui.dialogs.pair_list import PairList
from src.gui.theme.theme import SMALL, TITLE
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, IconButton, label
from src.gui.widgets.overlay import Overlay
from src.records import ClosePair

_WIDTH = 640
_TEXT_HIGH, _BESIDE_PAIRS = 280, 140  # at most


def show_export_details(
    overlay: Overlay,
    session: Session,
    warnings: Sequence[str] = (),
    left_out: Mapping[str, int] | None = None,
    unread: Mapping[Path, str] | None = None,
    pairs: Sequence[ClosePair] = (),
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
        text = ctk.CTkTextbox(
            dialog,
            height=min(_BESIDE_PAIRS if pairs else _TEXT_HIGH, 28 + 22 * len(lines)),
            fg_color=c.card,
            corner_radius=8,
            border_width=1,
            border_color=c.border,
            font=theme.font(),
            text_color=c.text,
            wrap="word",
            scrollbar_button_color=c.strong_border,
            scrollbar_button_hover_color=c.hint,
        )
        text.tag_config("heading", foreground=c.text_2)
        for number, (line, is_heading) in enumerate(lines):
            text.insert("end", ("\n" if number else "") + line, "heading" if is_heading else ())
        text.configure(state="disabled")
        text.grid(row=1, column=0, sticky="ew", padx=32)
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
    leave.focus_set()


def details_lines(
    warnings: Sequence[str], left_out: Mapping[str, int], unread: Mapping[Path, str]
) -> list[tuple[str, bool]]:
    """Write all of it in lines, each with whether it is a heading."""
    groups = {
        "Check before you export": [as_sentence(each) for each in warnings],
        "Skipped": [
            f"{number:,}  {reason}"
            for reason, number in sorted(left_out.items(), key=lambda each: (-each[1], each[0]))
        ],
        "Could not be read": [f"{path.name}: {reason}" for path, reason in unread.items()],
    }
    lines: list[tuple[str, bool]] = []
    for heading, group in groups.items():
        if group:
            lines += [*([("", False)] if lines else []), (heading, True)]
            lines += [(each, False) for each in group]
    return lines
