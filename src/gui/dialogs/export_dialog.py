"""What goes into a dataset and where, counted before anything is written."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from src.counting import counted, megabytes
from src.events import Event
from src.gui.core.job_state import JobState, time_left
from src.gui.core.session import Session
from src.gui.core.wording import explained
from src.gui.dialogs.dataset_folder import dataset_folder, folder_problem, free_folder
from src.gui.dialogs.export_footer import ExportFooter
from src.gui.theme.theme import SMALL, TITLE
from src.gui.theme.toolkit import ctk
from src.gui.widgets.balance import BalanceCard
from src.gui.widgets.controls import (
    RING,
    Button,
    IconButton,
    label,
    rule,
)
from src.gui.widgets.inputs import Choice, Entry
from src.gui.widgets.mask_quality import EDGE, HINT, ends_of, least_of
from src.gui.widgets.menu_button import MenuButton
from src.gui.widgets.option_form import OptionForm
from src.gui.widgets.overlay import Overlay
from src.gui.widgets.scrolled import Scrolled
from src.gui.widgets.slider import Slider
from src.gui.widgets.tooltip import Tooltip
from src.records import ExportPreview, SearchHit
from src.search.leaves import segment_filter
from src.search.recipe import Recipe, classes_of
from src.worker import JobEnded

ALL, BY_TAG, RESULTS = "All segments", "By tag", "Current results"
HINT_WHERE = "A new folder is made. Nothing is overwritten."
_SHOW_EVERY_MS = 40  # how far an export has come
_BAR_ROOM = 16  # right of what scrolls
_AROUND = 16  # the least that is seen of the window above and below the dialog


class ExportDialog:
    """Open from the sidebar; closing it while it writes asks the job to stop."""

    def __init__(
        self,
        overlay: Overlay,
        session: Session,
        hits: Sequence[SearchHit],
        choose_folder: Callable[[], Path | None],
        open_folder: Callable[[Path], None],
        hits_alone: bool = False,
    ) -> None:
        """Open it.

        Args:
            hits: what can be exported alone.
            hits_alone: whether that is chosen at first.
        """
        self.overlay, self.theme, self._session = overlay, overlay.theme, session
        self._hits, self._choose_folder, self._open_folder = hits, choose_folder, open_folder
        self._asked = 0
        self._job: JobState | None = None
        self._show_waits = False
        self._preview = ExportPreview({}, {}, 0, 0)
        self._counted = False
        self._written: Path | None = None  # by the last export, while its outcome is shown
        self._dialog = overlay.open(on_close=self._closed, on_sized=self._fit)
        session.signals.job_event.append(self._heard)
        session.signals.job_ended.append(self._ended)
        self._build(self._dialog)
        self._say_least()
        if hits_alone:
            self.what.choose(RESULTS)
        else:
            self._count()
        session.main_thread.run(session.library.browse.quality_range, self._offer_quality)

    @property
    def _is_open(self) -> bool:
        """Whether this dialog is there still, be it under another one."""
        return self.overlay.holds(self._dialog)

    # -- building

    def _build(self, dialog: ctk.CTkFrame) -> None:
        theme, c = self.theme, self.theme.colours
        head = ctk.CTkFrame(dialog, fg_color="transparent")
        head.grid(row=0, column=0, sticky="ew", padx=(32, 20), pady=(16, 12))
        label(head, theme, "Export Dataset", size=TITLE, weight="medium").pack(side="left")
        IconButton(head, theme, "close", self.overlay.close_hint, self._close).pack(side="right")
        body = ctk.CTkFrame(dialog, fg_color="transparent")
        # the track of a slider ends where words do, its focus ring does not
        body.grid(row=1, column=0, sticky="ew", padx=(32 - EDGE, 32))
        body.grid_columnconfigure(0, weight=1)
        left = ctk.CTkFrame(body, fg_color="transparent")
        left.grid(row=0, column=0, sticky="new", padx=(0, 32 - EDGE - _BAR_ROOM))
        left.grid_columnconfigure(0, weight=1)
        self._scrolled = Scrolled(left, theme, c.sidebar, (0, _BAR_ROOM))
        self._scrolled.grid(row=0, column=0, sticky="ew")
        self._cut = rule(left, theme)  # to be seen where something is out of sight above it
        ends = theme.px(EDGE), theme.px(EDGE + _BAR_ROOM)
        self._cut.grid(row=1, column=0, sticky="ew", padx=ends)
        self._where_block = ctk.CTkFrame(left, fg_color="transparent")
        self._where_block.grid(row=2, column=0, sticky="ew", padx=(0, _BAR_ROOM), pady=(23, 0))
        self._build_limits(self._scrolled)
        self._build_where(self._where_block)
        card = BalanceCard(body, theme, self._changed)
        card.grid(row=0, column=1, sticky="ns")
        self.balance = card.balance
        rule(dialog, theme).grid(row=2, column=0, sticky="ew", padx=2, pady=(theme.px(24), 0))
        self._footer = ExportFooter(dialog, theme)
        self._footer.grid(row=3, column=0, sticky="ew", padx=(32, 28), pady=(0, 2))
        self._build_footer()
        self._body = body
        for part in (dialog, self._scrolled):
            tkinter.Misc.bind(part, "<Configure>", lambda _: self._fit(), "+")

    def _fit(self) -> None:
        """Let what is chosen scroll where the window is too low for all of it."""
        if not self._is_open:  # its size may change once more while its parts are destroyed
            return
        others = self._dialog.winfo_reqheight() - self._body.winfo_reqheight()
        below = self._where_block.winfo_reqheight() + self.theme.px(24)
        around = 2 * self.theme.px(_AROUND)
        c = self.theme.colours
        is_cut = self._scrolled.fit(self.overlay.root.winfo_height() - around - others - below)
        self._cut.configure(bg=c.border if is_cut else c.sidebar)

    def _build_limits(self, left: Scrolled) -> None:
        theme, c = self.theme, self.theme.colours
        formats = self._session.library.export_formats()
        self._formats, self._format = {each.label: each for each in formats}, formats[0]
        if len(formats) > 1:
            label(left, theme, "Format", size=SMALL, colour=c.text_2).pack(anchor="w", padx=EDGE)
            self.format = MenuButton(left, theme, list(self._formats), self._format_chosen)
            self.format.pack(fill="x", padx=EDGE - RING, pady=(4, 20))
        label(left, theme, "What", size=SMALL, colour=c.text_2).pack(anchor="w", padx=EDGE)
        self.what = Choice(left, theme, (ALL, BY_TAG, RESULTS), lambda _: self._what_changed())
        self.what.pack(anchor="w", padx=EDGE, pady=(8, 24))
        self.what.set_enabled(RESULTS, bool(self._hits))
        self._confidence, self._confidence_text = self._slider(left, "Minimum confidence", 0.5)
        self._quality, self._quality_text = self._slider(left, "Minimum mask quality", 0.0)
        self._quality.set_enabled(False)  # until it is known what the library holds
        Tooltip(self._quality, theme, HINT)
        self._left_out = label(left, theme, "", size=SMALL, colour=c.text_2)
        self._left_out.pack(anchor="w", padx=EDGE)
        self.options = self._build_options()

    def _build_where(self, left: ctk.CTkFrame) -> None:
        theme, c = self.theme, self.theme.colours
        label(left, theme, "Where", size=SMALL, colour=c.text_2).pack(anchor="w", padx=EDGE)
        row = ctk.CTkFrame(left, fg_color="transparent")
        row.pack(fill="x", padx=(EDGE, EDGE - RING), pady=(4, 4))
        self.where = Entry(row, theme, "Folder", on_change=lambda _: self._where_changed())
        self.where.pack(side="left", fill="x", expand=True)
        self._set_where(free_folder(self._session.library.paths.datasets))
        Button(row, theme, "Browse", self._browse).pack(side="left", padx=(4, 0))
        self._hint = label(
            left,
            theme,
            self._hint_where,
            size=SMALL,
            colour=c.text_2,
            justify="left",
        )
        self._hint.pack(anchor="w", padx=EDGE)

    def _build_options(self) -> OptionForm:
        """Draw the options of the format that is chosen; most have none."""
        options = self._format.options
        form = OptionForm(self._scrolled, self.theme, options, self._changed, EDGE)
        if options:
            form.pack(fill="x", pady=(24, 0))
        return form

    @property
    def _hint_where(self) -> str:
        return f"{self._format.summary}\n{HINT_WHERE}"

    def _slider(self, left: Scrolled, name: str, value: float) -> tuple[Slider, ctk.CTkLabel]:
        """Build a slider from 0 to 1 with its name and value."""
        theme = self.theme
        line = ctk.CTkFrame(left, fg_color="transparent")
        line.pack(fill="x", padx=EDGE)
        label(line, theme, name, size=SMALL, colour=theme.colours.text_2).pack(side="left")
        text = label(line, theme, "", size=SMALL)
        text.pack(side="right")
        # its value is shown at once, but crops are counted when it rests: that reads each of them
        slider = Slider(
            left,
            theme,
            (0.0, 1.0),
            value,
            lambda _: self._say_least(),
            on_rest=self._changed,
            by_wheel=False,
        )
        slider.pack(fill="x", pady=(2, 6))
        return slider, text

    def _build_footer(self) -> None:
        self._footer.show_ready(self._start, self._close)

    def _show_outcome(self, job: JobState, ended: JobEnded) -> None:
        c = self.theme.colours
        again, close = ("Export again", self._again), ("Close", self._close)
        written = None if job.done is None else job.done.written
        if written is not None and job.done is not None:
            self._written = written
            text = f"{counted(job.done.segments, 'crop')} exported"
            show = ("Open folder", lambda: self._open_folder(written))
            self._footer.show_outcome("check", c.success, text, self._named(written), show, again)
        elif ended.error is not None:
            text = explained(ended.error)[0]
            self._footer.show_outcome("warning", c.error, text, "", again, close)
        else:
            below = "No files were left behind."
            self._footer.show_outcome("info", c.text_2, "Export cancelled", below, again, close)

    def _named(self, folder: Path) -> str:
        """Return a folder as it is shown, from the library's own on where it lies there."""
        root = self._session.library.paths.root
        return str(folder.relative_to(root) if folder.is_relative_to(root) else folder)

    def _again(self) -> None:
        """Prepare another export, into a folder that is free."""
        written, self._written = self._written, None
        self._build_footer()
        if written is not None and self._where_is_wrong():
            self._set_where(free_folder(written.parent))
        self._count()

    # -- counting

    def _recipe(self) -> Recipe:
        only = self.what.value == RESULTS
        ids = tuple(hit.segment.id for hit in self._hits) if only else None
        return Recipe(
            where=segment_filter(segment_ids=ids),
            limits=segment_filter(min_predicted_iou=least_of(self._quality)),
            classes=classes_of(*sorted(self.balance.chosen)) if self.what.value == BY_TAG else (),
            min_confidence=self._confidence.value,
            format=self._format.key,
            options=self.options.values,
        )

    def _format_chosen(self, name: str) -> None:
        self._format = self._formats[name]
        self.options.destroy()
        self.options = self._build_options()
        self._scrolled.update_idletasks()
        self._fit()
        self._changed()

    def _what_changed(self) -> None:
        self.balance.choosing = self.what.value == BY_TAG
        if self.balance.choosing and not self.balance.chosen:
            self.balance.chosen = set(self._preview.written)
        self._changed()

    def _changed(self) -> None:
        """Count again what would be written, and hide an earlier outcome."""
        if self._job is not None:
            return
        if not self._footer.is_ready:
            self._again()
        else:
            self._count()

    def _offer_quality(self, lowest_highest: tuple[float, float] | None) -> None:
        """Set the slider's range to what the library holds."""
        ends = ends_of(lowest_highest)
        if ends is not None and self._is_open:
            self._quality.set_ends(ends)
            self._quality.set(ends[0])
            self._quality.set_enabled(True)

    def _say_least(self) -> None:
        quality = least_of(self._quality)
        self._confidence_text.configure(text=f"{self._confidence.value:.2f}")
        self._quality_text.configure(text=f"{quality:.2f}" if quality else "Any")

    def _count(self) -> None:
        self._asked += 1
        asked, recipe = self._asked, self._recipe()
        library = self._session.library
        # what is not chosen is counted too, to be shown as a bar
        everything = replace(recipe, classes=())

        def wanted() -> bool:
            return asked == self._asked and self._is_open and not self._session.is_closing

        def work() -> tuple[ExportPreview, ExportPreview]:
            all_of_it = library.export_preview(everything, wanted)
            if recipe == everything:
                return all_of_it, all_of_it
            return library.export_preview(recipe, wanted), all_of_it

        def counted_it(previews: tuple[ExportPreview, ExportPreview]) -> None:
            if (
                asked == self._asked
                and self._is_open
                and self._job is None
                and self._footer.is_ready
            ):
                self._preview, all_of_it = previews
                self._counted = True
                totals = all_of_it.written.keys() | all_of_it.left_out.keys()
                names = sorted(totals, key=lambda tag: (-all_of_it.written.get(tag, 0), tag))
                self.balance.show(names, all_of_it.written, all_of_it.left_out)
                self._show_count()

        self._session.main_thread.run(work, counted_it)

    def _where_changed(self) -> None:
        if not self._counted or self._job is not None:
            return
        if self._footer.is_ready:
            self._show_count()
        elif self._written is None or self._folder_typed() != self._written:
            self._written = None
            self._again()

    def _show_count(self) -> None:
        preview = self._preview
        count = sum(preview.written.values())
        left_out = sum(preview.left_out.values())
        text = (
            f"{counted(left_out, 'tag')} below these limits will be skipped"
            if left_out
            else "No tags are below these limits"
        )
        self._left_out.configure(text=text)
        wrong_place = self._where_is_wrong()
        self.where.set_error(bool(wrong_place))
        self._hint.configure(
            text=wrong_place or self._hint_where,
            text_color=self.theme.colours.error if wrong_place else self.theme.colours.text_2,
        )
        self._footer.say(
            f"{counted(count, 'crop')} in {counted(len(preview.written), 'tag')}, "
            f"{counted(preview.media_files, 'media file')}",
            "Correct the option marked in red first."
            if self.options.problem
            else f"About {megabytes(preview.bytes)}. Nothing is written until you press Export.",
            f"Export {counted(count, 'crop')}",
            count > 0 and not self.options.problem and not wrong_place,
        )

    def _set_where(self, folder: Path) -> None:
        """Show a folder, from the library's own on where it lies there."""
        self.where.set(self._named(folder))
        self.where.field.xview_moveto(1.0)

    def _folder_typed(self) -> Path | None:
        try:
            return self._folder()
        except RuntimeError:  # ~name
            return None

    def _folder(self) -> Path:
        return dataset_folder(self._session.library.paths.datasets, self.where.text)

    def _where_is_wrong(self) -> str:
        return folder_problem(self._session.library.paths.datasets, self.where.text)

    def _browse(self) -> None:
        chosen = self._choose_folder()
        if chosen is not None and self._is_open:
            self._set_where(free_folder(chosen))

    # -- writing

    def _start(self) -> None:
        if self.options.problem or self._where_is_wrong():
            self._show_count()
            return
        library, recipe, folder = self._session.library, self._recipe(), self._folder()
        self._job = self._session.start("export", lambda: library.export(folder, recipe), "Writing")
        self._written = None
        self._footer.show_progress(self._stop)

    def _stop(self) -> None:
        if self._job is not None:
            self._session.cancel(self._job)
            self._footer.stopping()

    def _heard(self, job: JobState, event: Event) -> None:
        if job is self._job and not self._show_waits:  # an event comes for each crop
            self._show_waits = True
            self.overlay.root.after(_SHOW_EVERY_MS, self._show_progress)

    def _show_progress(self) -> None:
        self._show_waits = False
        job = self._job
        if self._is_open and job is not None and job.doing is not None:
            seconds = job.seconds_left
            self._footer.progress(
                f"Writing {job.doing.done:,} of {job.doing.total:,} crops",
                "" if seconds is None else time_left(seconds),
                job.fraction,
            )

    def _ended(self, job: JobState, ended: JobEnded) -> None:
        if job is not self._job:
            return
        self._job = None
        self._show_outcome(job, ended)

    def _close(self) -> None:
        self.overlay.close(self._dialog)

    def _closed(self) -> None:
        self._stop_quietly()
        self._session.signals.job_event.remove(self._heard)
        self._session.signals.job_ended.remove(self._ended)

    def _stop_quietly(self) -> None:
        if self._job is not None:
            self._job.in_place = False
            self._session.cancel(self._job)
