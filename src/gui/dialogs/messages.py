"""Dialogs for errors, and questions before something is removed.

What is said already, and was not read yet, is not said a second time over it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from src.counting import counted
from src.gui.core.wording import as_sentence
from src.gui.theme.theme import NORMAL, SMALL, TITLE
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, icon_label, label
from src.gui.widgets.overlay import Overlay

WIDTH = 560
TEXT = WIDTH - 2 * 32 - 36


def show_error(
    overlay: Overlay,
    title: str,
    sentence: str,
    details: str = "",
    retry: Callable[[], object] | None = None,
    other: tuple[str, Callable[[], object]] | None = None,
) -> None:
    """Show what failed, where and what to do; details on demand.

    Args:
        other: what helps: its name, and what does it.
    """
    about = (title, sentence, details)
    if overlay.shows(about):
        return
    theme = overlay.theme
    c = theme.colours
    body, close = _frame(overlay, title, "warning", c.error, about)
    label(body, theme, sentence, wraplength=TEXT, justify="left").grid(
        row=1, column=1, sticky="w", pady=(4, 0)
    )
    buttons = _buttons(body, 3)
    if details:
        text = label(
            body, theme, details, size=SMALL, colour=c.text_2, wraplength=TEXT, justify="left"
        )
        text.grid(row=2, column=1, sticky="w", pady=(12, 0))
        text.grid_remove()

        def toggle() -> None:
            shown = bool(text.grid_info())
            text.grid_remove() if shown else text.grid()
            more.set_text("Show details" if shown else "Hide details")

        more = Button(buttons, theme, "Show details", toggle, kind="link", height=32)
        more.pack(side="left")
    if retry is not None:
        again = Button(
            buttons, theme, "Retry", lambda: _close_and(close, retry), kind="main", height=32
        )
        again.pack(side="right")
    if other is not None:
        name, do = other
        Button(buttons, theme, name, lambda: _close_and(close, do), height=32).pack(side="right")
    leave = Button(buttons, theme, "Close", close, height=32)
    leave.pack(side="right")
    leave.focus_set()


def ask(
    overlay: Overlay,
    title: str,
    sentence: str,
    yes: str,
    then: Callable[[], object],
    no: str = "Cancel",
    other: tuple[str, Callable[[], object]] | None = None,
) -> None:
    """Ask before something is removed, or what is meant; Escape is no.

    Args:
        other: what else can be done: its name, and what does it.
    """
    about = (title, sentence)
    if overlay.shows(about):
        return
    theme = overlay.theme
    body, close = _frame(overlay, title, "info", theme.colours.accent, about)
    label(body, theme, sentence, colour=theme.colours.text_2, wraplength=TEXT, justify="left").grid(
        row=1, column=1, sticky="w", pady=(4, 0)
    )
    buttons = _buttons(body, 3)
    Button(buttons, theme, yes, lambda: _close_and(close, then), kind="main", height=32).pack(
        side="right"
    )
    if other is not None:
        name, do = other
        Button(buttons, theme, name, lambda: _close_and(close, do), height=32).pack(side="right")
    refuse = Button(buttons, theme, no, close, height=32)
    refuse.pack(side="right")
    refuse.focus_set()


def show_failures(
    overlay: Overlay,
    failures: Sequence[tuple[str, str]],
    retry: Callable[[], object],
    what: str = "added",
    others: str = "All other files were added.",
) -> None:
    """List files that failed, each with its reason.

    Args:
        what: that was to be done: "added", "segmented again".
        others: what became of the other files.
    """
    theme = overlay.theme
    c = theme.colours
    count = len(failures)
    title = f"{counted(count, 'file')} couldn't be {what}"
    body, close = _frame(overlay, title, "warning", c.error, title)
    label(body, theme, others, colour=c.text_2).grid(row=1, column=1, sticky="w", pady=(4, 12))
    text = ctk.CTkTextbox(
        body,
        width=TEXT,
        height=min(280, 20 + 44 * count),
        fg_color=c.card,
        corner_radius=8,
        border_width=1,
        border_color=c.border,
        font=theme.font(NORMAL),
        text_color=c.text,
        wrap="word",
        scrollbar_button_color=c.strong_border,
        scrollbar_button_hover_color=c.hint,
    )
    text.tag_config("reason", foreground=c.error)
    for number, (name, reason) in enumerate(failures):
        text.insert("end", f"{name}\n" if number == 0 else f"\n{name}\n")
        text.insert("end", as_sentence(reason), "reason")
    text.configure(state="disabled")
    text.grid(row=2, column=1, sticky="ew")
    buttons = _buttons(body, 3)
    Button(
        buttons, theme, "Retry all", lambda: _close_and(close, retry), kind="main", height=32
    ).pack(side="right")
    leave = Button(buttons, theme, "Close", close, height=32)
    leave.pack(side="right")
    leave.focus_set()


def _frame(
    overlay: Overlay, title: str, icon_name: str, colour: str, about: object
) -> tuple[ctk.CTkFrame, Callable[[], None]]:
    """Open a dialog with a title; returns where the rest goes, and what closes it."""
    dialog = overlay.open(WIDTH, about=about)
    body = ctk.CTkFrame(dialog, fg_color="transparent")
    body.grid(row=0, column=0, sticky="nsew", padx=32, pady=(28, 20))
    body.grid_columnconfigure(1, weight=1)
    icon_label(body, icon_name, colour, 22).grid(row=0, column=0, padx=(0, 14))
    label(
        body, overlay.theme, title, size=TITLE, weight="medium", wraplength=TEXT, justify="left"
    ).grid(row=0, column=1, sticky="w")
    return body, partial(overlay.close, dialog)


def _buttons(body: ctk.CTkFrame, row: int) -> ctk.CTkFrame:
    buttons = ctk.CTkFrame(body, fg_color="transparent")
    buttons.grid(row=row, column=0, columnspan=2, sticky="ew", pady=(20, 0))
    return buttons


def _close_and(close: Callable[[], None], then: Callable[[], object]) -> None:
    close()
    then()
