"""The strip at the bottom while a job runs: what, how far, how long, and a button to cancel."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from typing import Any

from src.events import ClusterWorkers, ReadHere
from src.gui.core.job_state import JobState, time_left
from src.gui.jobs.workers_button import WorkersButton, note_on_videos
from src.gui.theme.theme import LEFT, NORMAL, RIGHT, SMALL, STRIP, Theme, shorten
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, label, progress_bar, rule
from src.gui.widgets.tooltip import Tooltip

_BETWEEN = "   "  # the parts of a line


class JobStrip(ctk.CTkFrame):
    """Shows the running job; stays, once it is over, while there are failures to look at."""

    def __init__(
        self,
        master: Any,
        theme: Theme,
        on_cancel: Callable[[], None],
        on_failures: Callable[[], None],
        on_dismiss: Callable[[], None],
        on_continue: Callable[[], None],
        on_again: Callable[[], None],
    ) -> None:
        c = theme.colours
        super().__init__(master, fg_color=c.sidebar, corner_radius=0, height=STRIP)
        self.theme = theme
        self._on_cancel, self._on_dismiss = on_cancel, on_dismiss
        self._over = False
        self.grid_propagate(False)
        rule(self, theme).place(relwidth=1, y=0)
        self.grid_columnconfigure(1, weight=1)
        self.grid_rowconfigure(0, weight=1)
        self.grid_rowconfigure(1, weight=0)
        self._headline = label(self, theme, "", weight="medium")
        self._headline.grid(row=0, column=0, sticky="sw", padx=(LEFT, 12), pady=(8, 8))
        self._detail = label(self, theme, "", colour=c.text_2, anchor="w")
        self._detail.grid(row=0, column=1, sticky="sew", pady=(8, 8))
        self._tip = Tooltip(self._detail, theme, "")
        self._workers = WorkersButton(self, theme)
        self._failed = Button(
            self, theme, "", on_failures, kind="alert", icon_name="warning", height=24, width=96
        )
        self._left = label(self, theme, "", colour=c.text_2)
        self._left.grid(row=0, column=4, sticky="se", padx=(8, 12), pady=(8, 8))
        self.bar = progress_bar(self, theme)
        self.bar.set(0)
        self.bar.grid(row=1, column=0, columnspan=5, sticky="ew", padx=(LEFT, 12), pady=(0, 17))
        # in its place, once the job is over and has passed something over
        self._rest = ctk.CTkFrame(self, fg_color="transparent")
        self._question = label(self._rest, theme, "", size=SMALL)
        self._again = Button(self._rest, theme, "Add again", on_again, kind="link", height=24)
        self._passed_over = label(self._rest, theme, "", size=SMALL, colour=c.text_2)
        self._whole_line = Tooltip(self._passed_over, theme, "")
        tkinter.Misc.bind(self, "<Configure>", lambda _: self._fit_rest(), "+")
        self.button = Button(self, theme, "Cancel", self._pressed, height=32, width=104)
        self.button.grid(row=0, column=6, rowspan=2, padx=(0, RIGHT - 4))
        self._go_on = Button(
            self, theme, "Continue", on_continue, kind="main", height=32, width=104
        )

    @property
    def is_over(self) -> bool:
        """Whether it shows the result of a job, for a person to read."""
        return self._over and bool(self.winfo_manager())

    @property
    def text(self) -> str:
        """What it says; for tests."""
        return f"{self._headline.cget('text')} {self._detail.cget('text')}".strip()

    def show(self, job: JobState, waiting: int) -> None:
        """Show how far a job is, and how many wait behind it."""
        self._over = False
        self._show_rest("", "")
        self._headline.configure(text=job.headline)
        detail = job.detail + ([f"{waiting} more waiting"] if waiting else [])
        fitting = self._fitting(detail)
        self._detail.configure(text=fitting)
        self._tip.text = "" if fitting == _BETWEEN.join(detail) else _BETWEEN.join(detail)
        self._show_workers(job.workers, job.read_here)
        self._show_failed(len(job.failed))
        seconds = job.seconds_left
        unknown = "Estimating…" if job.is_estimating else ""
        self._left.configure(text=unknown if seconds is None else time_left(seconds))
        self.bar.set(job.fraction)
        self.button.set_text("Cancelling…" if job.cancelling else "Cancel")
        self.button.set_enabled(not job.cancelling)
        self._go_on.grid_remove()

    def show_outcome(self, job: JobState, failed: int, stopped: int = 0) -> None:
        """Show the result of a job, until a person has read it.

        Args:
            stopped: how many files wait since a person stopped adding them.
        """
        self._over = True
        self._headline.configure(text="Done" if job.done is not None else "Stopped")
        left = f"{stopped:,} left, " if stopped else ""
        self._detail.configure(text=left + job.outcome.removeprefix("Stopped. "))
        self._tip.text = "\n".join(note_on_videos(job.read_here))
        if stopped:
            self._go_on.grid(row=0, column=5, rowspan=2)
        else:
            self._go_on.grid_remove()
        self._show_workers(None)
        self._show_failed(failed)
        self._left.configure(text="")
        self.bar.set(job.fraction)
        self._show_rest(job.question, job.passed_over)
        self.button.set_text("Close")
        self.button.set_enabled(True)

    def _pressed(self) -> None:
        self._on_dismiss() if self._over else self._on_cancel()

    def _show_rest(self, question: str, passed_over: str) -> None:
        """Show what was passed over in place of the bar, and offer to add what can be added."""
        if not question and not passed_over:
            self._rest.grid_remove()
            self.bar.grid()
            return
        self.bar.grid_remove()
        for part in (self._question, self._again, self._passed_over):
            part.pack_forget()
        if question:
            self._question.configure(text=question)
            self._question.pack(side="left")
            self._again.pack(side="left", padx=(4, 8))
        self._passed_over.pack(side="left")
        self._whole_line.text = passed_over
        self._rest.grid(row=1, column=0, columnspan=5, sticky="ew", padx=(LEFT, 0), pady=(0, 8))
        self._fit_rest()

    def _fit_rest(self) -> None:
        """Shorten what was passed over to the width that is left; a tooltip has the whole line."""
        font, px = self.theme.canvas_font(self, SMALL), self.theme.px
        width = self.winfo_width() - px(LEFT + RIGHT + 120)
        if self._question.winfo_manager():
            width -= self._question.winfo_reqwidth() + self._again.winfo_reqwidth() + px(12)
        self._passed_over.configure(text=shorten(self._whole_line.text, font, max(width, px(80))))

    def _show_workers(
        self, workers: ClusterWorkers | None, read_here: Sequence[ReadHere] = ()
    ) -> None:
        if workers is None:
            self._workers.close()
            self._workers.grid_remove()
        else:
            self._workers.show(workers, read_here)
            self._workers.grid(row=0, column=2, sticky="se", pady=(0, 2))

    def _show_failed(self, failed: int) -> None:
        if failed:
            self._failed.set_text(f"{failed:,} failed")
            self._failed.grid(row=0, column=3, sticky="se", pady=(0, 2))
        else:
            self._failed.grid_remove()

    def _fitting(self, parts: list[str]) -> str:
        """Join the parts; a long name is shortened to fit, then the last parts are left out."""
        if not parts:
            return ""
        font, least = self.theme.canvas_font(self, NORMAL), self.theme.px(80)
        room = self._detail.winfo_width()
        for count in range(len(parts), 0, -1):
            rest = "".join(_BETWEEN + part for part in parts[1:count])
            width = room - font.measure(rest)
            if width >= min(least, font.measure(parts[0])):
                break
        return shorten(parts[0], font, width) + rest
