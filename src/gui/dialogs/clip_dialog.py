"""Saving a range of a video as a file of its own, with masks drawn into it where wished."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from src.counting import clock, counted
from src.events import Event
from src.gui.core.job_state import JobState
from src.gui.core.session import Session
from src.gui.core.wording import explained
from src.gui.dialogs.clip_place import clip_file, clip_problem, free_clip, videos_folder
from src.gui.dialogs.export_footer import ExportFooter
from src.gui.theme.theme import SMALL, TITLE
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import Button, IconButton, label, rule
from src.gui.widgets.inputs import Check, Choice, Entry
from src.gui.widgets.overlay import Overlay
from src.records import MediaFile
from src.track_records import ClipMasks
from src.worker import JobEnded

WIDTH = 640
ALL_TRACKS, THESE_TRACKS = "All tracks", "Selected tracks"
HINT = "The range begins at its exact frame. The sound is kept."


class ClipDialog:
    """Open over the timeline; closing it while it writes asks the job to stop."""

    def __init__(
        self,
        overlay: Overlay,
        session: Session,
        media: MediaFile,
        range_s: tuple[float, float],
        choose_folder: Callable[[], Path | None],
        show_in_folder: Callable[[Path], None],
        track_ids: Sequence[int] = (),
        label_name: str | None = None,
    ) -> None:
        """Open it.

        Args:
            range_s: its begin and its end.
            track_ids, label_name: what is chosen in the timeline, and offered to be drawn.
        """
        self.overlay, self.theme, self._session = overlay, overlay.theme, session
        self._media, self._range_s = media, range_s
        self._choose_folder, self._show_in_folder = choose_folder, show_in_folder
        self._track_ids, self._label = tuple(track_ids), label_name
        self._job: JobState | None = None
        self._dialog = overlay.open(WIDTH, on_close=self._closed)
        session.signals.job_event.append(self._heard)
        session.signals.job_ended.append(self._ended)
        self._build(self._dialog)
        self._changed()

    # -- building

    def _build(self, dialog: ctk.CTkFrame) -> None:
        theme, c = self.theme, self.theme.colours
        dialog.grid_columnconfigure(0, weight=1)
        head = ctk.CTkFrame(dialog, fg_color="transparent")
        head.grid(row=0, column=0, sticky="ew", padx=(32, 20), pady=(16, 4))
        label(head, theme, "Save Clip", size=TITLE, weight="medium").pack(side="left")
        IconButton(head, theme, "close", self.overlay.close_hint, self._close).pack(side="right")
        body = ctk.CTkFrame(dialog, fg_color="transparent")
        body.grid(row=1, column=0, sticky="ew", padx=32)
        begin_s, end_s = self._range_s
        about = (
            f"{clock(begin_s, 2)}–{clock(end_s, 2)} of {self._media.path.name}, "
            f"{end_s - begin_s:.2f} s"
        )
        label(body, theme, about, colour=c.text_2).pack(anchor="w", pady=(0, 16))
        self.draws = Check(
            body, theme, "Draw masks", bool(self._track_ids or self._label), self._draws_changed
        )
        self.draws.pack(anchor="w")
        self.which = Choice(body, theme, self._which, lambda _: self._changed())
        label(body, theme, "Where", size=SMALL, colour=c.text_2).pack(anchor="w", pady=(16, 4))
        row = ctk.CTkFrame(body, fg_color="transparent")
        row.pack(fill="x")
        self.entry = Entry(row, theme, "File", on_change=lambda _: self._changed())
        self.entry.pack(side="left", fill="x", expand=True)
        Button(row, theme, "Browse", self._browse).pack(side="left", padx=(4, 0))
        self._hint = label(body, theme, HINT, size=SMALL, colour=c.text_2, justify="left")
        self._hint.pack(anchor="w", pady=(4, 0))
        rule(dialog, theme).grid(row=2, column=0, sticky="ew", padx=2, pady=(theme.px(20), 0))
        self._footer = ExportFooter(dialog, theme)
        self._footer.grid(row=3, column=0, sticky="ew", padx=(32, 28), pady=(0, 2))
        self._footer.show_ready(self._start, self._close)
        self._propose(videos_folder())
        self._draws_changed(self.draws.value)

    @property
    def _all_of_label(self) -> str:
        return f"All “{self._label}”"

    @property
    def _which(self) -> tuple[str, ...]:
        """What can be drawn, by its names; what is chosen in the timeline first."""
        chosen = [] if self._label is None else [self._all_of_label]
        if self._track_ids:
            chosen.append(THESE_TRACKS if len(self._track_ids) > 1 else "Selected track")
        return (*chosen, ALL_TRACKS)

    @property
    def masks(self) -> ClipMasks | None:
        """What is drawn; None draws nothing."""
        if not self.draws.value:
            return None
        if self.which.value == ALL_TRACKS:
            return ClipMasks()
        if self._label is not None and self.which.value == self._all_of_label:
            return ClipMasks(label=self._label)
        return ClipMasks(self._track_ids)

    # -- changes

    def _draws_changed(self, draws: bool) -> None:
        if draws and len(self._which) > 1:
            self.which.pack(anchor="w", padx=(26, 0), pady=(8, 0), after=self.draws)
        else:
            self.which.pack_forget()
        self._changed()

    def _changed(self) -> None:
        """Show what is wrong with the name, or what will be written."""
        if self._job is not None:
            return
        if not self._footer.is_ready:  # an outcome is shown: another clip is prepared
            self._footer.show_ready(self._start, self._close)
        problem, c = clip_problem(self.entry.text), self.theme.colours
        self.entry.set_error(bool(problem))
        self._hint.configure(text=problem or HINT, text_color=c.error if problem else c.text_2)
        below = "Nothing is written until you press Save."
        self._footer.say("MP4, H.264", below, "Save", not problem)

    def _propose(self, folder: Path) -> None:
        self.entry.set(str(free_clip(folder, self._media.path.name, *self._range_s)))
        self.entry.field.xview_moveto(1.0)

    def _browse(self) -> None:
        chosen = self._choose_folder()
        if chosen is not None and self._dialog.winfo_exists():
            self._propose(chosen)
            self._changed()

    # -- writing

    def _start(self) -> None:
        if clip_problem(self.entry.text):
            self._changed()
            return
        library, file, masks = self._session.library, clip_file(self.entry.text), self.masks
        media_id, (begin_s, end_s) = self._media.id, self._range_s
        self._job = self._session.start(
            "clip",
            lambda: library.save_clip(media_id, begin_s, end_s, file, masks),
            "Saving the clip",
        )
        self._footer.show_progress(self._stop, "Cancel")

    def _stop(self) -> None:
        if self._job is not None:
            self._session.cancel(self._job)
            self._footer.stopping()

    def _heard(self, job: JobState, event: Event) -> None:
        if job is self._job and job.doing is not None and self.overlay.holds(self._dialog):
            doing = job.doing
            self._footer.progress(f"Frame {doing.done:,} of {doing.total:,}", job)

    def _ended(self, job: JobState, ended: JobEnded) -> None:
        if job is not self._job:
            return
        self._job = None
        if not self.overlay.holds(self._dialog):
            return
        c = self.theme.colours
        again, close = ("Save again", self._again), ("Close", self._close)
        written = None if job.done is None else job.done.written
        if written is not None and job.done is not None:
            show = ("Show in folder", lambda: self._show_in_folder(written))
            text = f"Clip saved, {counted(job.done.frames, 'frame')}"
            self._footer.show_outcome("check", c.success, text, str(written), show, close)
        elif ended.error is not None:
            text = explained(ended.error)[0]
            self._footer.show_outcome("warning", c.error, text, "", again, close)
        else:
            below = "No file was left behind."
            self._footer.show_outcome("info", c.text_2, "Clip cancelled", below, again, close)

    def _again(self) -> None:
        self._footer.show_ready(self._start, self._close)
        self._changed()

    def _close(self) -> None:
        self.overlay.close(self._dialog)

    def _closed(self) -> None:
        if self._job is not None:
            self._job.in_place = False
            self._session.cancel(self._job)
        self._session.signals.job_event.remove(self._heard)
        self._session.signals.job_ended.remove(self._ended)
