"""What goes into a dataset and where, counted before anything is written."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from pathlib import Path

from src.counting import counted, megabytes
from src.dataset_events import DatasetWritten
from src.export_records import ExportPreview
from src.gui.core.job_state import JobState
from src.gui.core.session import Session
from src.gui.core.wording import explained
from src.gui.dialogs.dataset_folder import datasets_elsewhere
from src.gui.dialogs.export_card import ExportCard
from src.gui.dialogs.export_choices import RESULTS, ExportChoices
from src.gui.dialogs.export_count import Asked, Counted, count, ticked_again
from src.gui.dialogs.export_details import show_export_details, skipped
from src.gui.dialogs.export_footer import ExportFooter
from src.gui.dialogs.export_outcome import ExportOutcome
from src.gui.dialogs.export_place import ExportPlace
from src.gui.dialogs.export_run import ExportRun
from src.gui.dialogs.messages import ask
from src.gui.dialogs.recipe_menu import RecipeMenu
from src.gui.dialogs.sample_reader import SampleReader
from src.gui.dialogs.sample_viewer import SampleViewer
from src.gui.theme.theme import TITLE
from src.gui.theme.toolkit import ctk
from src.gui.widgets.controls import IconButton, label, rule
from src.gui.widgets.mask_quality import EDGE
from src.gui.widgets.overlay import Overlay
from src.gui.widgets.scrolled import Scrolled
from src.records import SearchHit
from src.search.filters import EVERYTHING, Filter
from src.search.recipe import ClassRule, Recipe
from src.worker import JobEnded

_BAR_ROOM = 16  # right of what scrolls
_AROUND = 16  # the least that is seen of the window above and below the dialog
_BETWEEN = 16 + 12 + 24 + 2 + 3  # the rows of the dialog: margins, a rule and its border
_SAMPLES, _ON_SHEET = 36, 24  # images to leaf through, and on the contact sheet


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
        where: Filter = EVERYTHING,
        title: str = "",
        recipe: Recipe | None = None,
    ) -> None:
        """Open it.

        Args:
            hits, hits_alone: what can be exported alone, and whether that is chosen at first.
            where: what alone can be exported, unless a person removes that.
            title: what that is, in words; the filter's text where it is empty.
            recipe: what is chosen at first; None for the usual.
        """
        self.overlay, self.theme, self._session = overlay, overlay.theme, session
        self._hits, self._choose_folder, self._open_folder = hits, choose_folder, open_folder
        self._asked = 0
        self._preview = ExportPreview({}, {}, 0, 0)
        self._tags: tuple[str, ...] = ()
        self._rules: tuple[ClassRule, ...] = ()
        self._counted = self._was_open = False
        self._written: Path | None = None  # by the last export, while its outcome is shown
        self._outcome: ExportOutcome | None = None
        self._samples: SampleReader | None = None
        self._sheet: SampleReader | None = None
        self._at_first = recipe
        self._run = ExportRun(overlay.root, session, self._show_progress, self._show_outcome)
        self._dialog = overlay.open(on_close=self._run.leave, on_sized=self._sized)
        self._build(self._dialog)
        if where:
            self.choices.limit_to(where, title)
        if hits_alone:
            self.choices.what.choose(RESULTS)
        elif recipe is None:
            self._count()
        session.main_thread.run(session.library.browse.quality_range, self._offer_quality)

    @property
    def _is_open(self) -> bool:
        """Whether this dialog is there still, be it under another one."""
        return self.overlay.holds(self._dialog)

    # -- building

    def _build(self, dialog: ctk.CTkFrame) -> None:
        theme, c = self.theme, self.theme.colours
        self._head = head = ctk.CTkFrame(dialog, fg_color="transparent")
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
        formats = self._session.library.export_formats()
        self.choices = ExportChoices(
            self._scrolled, theme, formats, self._hits, self._changed, self._laid_out
        )
        self.place = ExportPlace(
            left,
            theme,
            self._session.library.paths,
            self._choose_folder,
            self._where_changed,
            datasets_elsewhere() if self._session.read_only else None,
        )
        self.place.grid(row=2, column=0, sticky="ew", padx=(0, _BAR_ROOM), pady=(23, 0))
        self.place.say(self.choices.summary_below)
        self.card = ExportCard(body, theme, self._changed, self._show_samples, self._show_details)
        self.card.frame.grid(row=0, column=1, sticky="ns")
        self.balance = self.card.balance
        rule(dialog, theme).grid(row=2, column=0, sticky="ew", padx=2, pady=(theme.px(24), 0))
        self._footer = ExportFooter(dialog, theme)
        self._footer.grid(row=3, column=0, sticky="ew", padx=(32, 28), pady=(0, 2))
        self._footer.show_ready(self._start, self._close)
        self._body = body
        self.recipes = RecipeMenu(
            head, theme, self._session, self._recipe_to_keep, self._show_recipe, self._ask
        )
        self.recipes.pack(side="right", padx=(0, 8))
        for part in (dialog, self._scrolled):
            tkinter.Misc.bind(part, "<Configure>", lambda _: self._fit(), "+")

    def _sized(self) -> None:
        """Show the recipe that is chosen at first, now that all has a size, and fit it."""
        recipe, self._at_first = self._at_first, None
        if recipe is not None:
            self._show_recipe(recipe)
        self._fit()

    def _fit(self) -> None:
        """Let what is chosen scroll where the window is too low for all of it."""
        if not self._is_open:  # its size may change once more while its parts are destroyed
            return
        # not by the height of the whole dialog: that follows a moment later what is fitted here,
        # and where it is fitted again by that, the two never agree
        rows = (self._head, self._footer)
        others = sum(row.winfo_reqheight() for row in rows) + self.theme.px(_BETWEEN)
        below = self.place.winfo_reqheight() + self.theme.px(24)
        around = 2 * self.theme.px(_AROUND)
        c = self.theme.colours
        is_cut = self._scrolled.fit(self.overlay.root.winfo_height() - around - others - below)
        self._cut.configure(bg=c.border if is_cut else c.sidebar)

    def _laid_out(self) -> None:
        """Fit what is chosen, which has become higher or lower."""
        was_open, self._was_open = self._was_open, self.choices.more.is_open
        self._scrolled.update_idletasks()
        self._fit()
        if self._was_open and not was_open:
            self._scrolled.show_from(self.choices.more)

    def _ask(self, title: str, sentence: str, yes: str, then: Callable[[], None]) -> None:
        ask(self.overlay, title, sentence, yes, then)

    # -- what is chosen

    def _chosen(self, with_results: bool = True) -> Asked:
        ticked = tuple(sorted(self.balance.chosen)) if self.choices.by_tag else None
        return Asked(self.choices.recipe(with_results), self.choices.more.rules, ticked)

    def _recipe(self) -> Recipe:
        return self._chosen().with_classes(self._tags)

    def _recipe_to_keep(self) -> Recipe:
        """Return what is kept under a name: the current results are of this moment alone."""
        return self._chosen(with_results=False).with_classes(self._tags)

    def _show_recipe(self, recipe: Recipe) -> None:
        self.choices.show(recipe)
        self.balance.chosen = {rule.name for rule in recipe.classes}
        self._rules = self.choices.more.rules
        self._changed()

    def _offer_quality(self, lowest_highest: tuple[float, float] | None) -> None:
        if self._is_open:
            self.choices.offer_quality(lowest_highest)

    def _changed(self) -> None:
        """Count again what would be written, and hide an earlier outcome."""
        if self._run.job is not None:
            return
        balance, rules = self.balance, self.choices.more.rules
        if self.choices.by_tag and not balance.choosing and not balance.chosen:
            balance.chosen = set(self._preview.written)
        balance.choosing = self.choices.by_tag
        if rules != self._rules:
            balance.chosen = ticked_again(balance.chosen, self._rules, rules)
            self._rules = rules
        if not self._footer.is_ready:
            self._again()
        else:
            self._count()

    # -- counting

    def _count(self) -> None:
        self._asked += 1
        asked, chosen, library = self._asked, self._chosen(), self._session.library
        self.card.show_split(bool(chosen.recipe.split))
        self.recipes.show_name()
        self._forget_samples()
        if self.choices.problem:
            self._show_count()
            return

        def wanted() -> bool:
            return asked == self._asked and self._is_open and not self._session.is_closing

        def counted_it(found: Counted) -> None:
            if wanted() and self._run.job is None and self._footer.is_ready:
                self._preview, self._tags, self._counted = found.preview, found.tags, True
                self.card.show(found.preview, found.everything)
                self.recipes.show_name()
                self._show_count()

        self._session.main_thread.run(lambda: count(library, chosen, wanted), counted_it)

    def _show_count(self) -> None:
        preview, word = self._preview, self.choices.word
        self.choices.say_skipped(skipped(preview.reasons, will=True))
        wrong_place = self.place.say(self.choices.summary_below)
        problem = self.choices.problem
        labels = sum(preview.written.values())
        files = counted(preview.images, word)
        if labels != preview.images:
            files += f" with {counted(labels, 'label')}"
        self._footer.say(
            f"{files} in {counted(len(preview.written), 'tag')}, "
            f"{counted(preview.media_files, 'media file')}",
            problem
            or f"About {megabytes(preview.bytes)}. Nothing is written until you press Export.",
            f"Export {counted(preview.images, word)}",
            bool(preview.written) and not problem and not wrong_place,
        )

    # -- what is looked at

    def _show_samples(self) -> None:
        """Show some images with their labels, to leaf through before anything is written."""
        recipe, library = self._recipe(), self._session.library
        if self._samples is None:
            self._samples = SampleReader(
                self._session,
                lambda wanted: library.export_samples(recipe, _SAMPLES, wanted),
                lambda: self._is_open,
            )
        SampleViewer(self.overlay, "Preview", self._samples)

    def _forget_samples(self) -> None:
        """Make no more of them: something else is chosen by now."""
        if self._samples is not None:
            self._samples.stop()
            self._samples = None

    def _show_details(self) -> None:
        preview = self._preview
        show_export_details(
            self.overlay,
            self._session,
            preview.warnings,
            preview.reasons,
            pairs=preview.close_pairs,
        )

    def _show_outcome(self, job: JobState, ended: JobEnded) -> None:
        c = self.theme.colours
        again, close = ("Export again", self._again), ("Close", self._close)
        written = None if job.done is None else job.done.written
        report = self._run.report
        if written is not None and report is not None:
            self._written = written
            self._show_report(report)
            images = sum(report.images.values())
            text = f"{counted(images, report.file)} exported"
            show = ("Open folder", lambda: self._open_folder(written))
            self._footer.show_outcome(
                "check", c.success, text, self.place.named(written), show, again
            )
        elif ended.error is not None:
            text = explained(ended.error)[0]
            self._footer.show_outcome("warning", c.error, text, "", again, close)
        else:
            below = "No files were left behind."
            self._footer.show_outcome("info", c.text_2, "Export cancelled", below, again, close)

    def _show_report(self, report: DatasetWritten) -> None:
        """Show what was read back, in the place of what was counted."""
        library, key = self._session.library, self.choices.chosen.key
        self.choices.say_skipped(skipped(report.left_out, will=False))
        self._sheet = reader = SampleReader(
            self._session,
            lambda wanted: library.written_samples(report.folder, key, _ON_SHEET, wanted),
            lambda: self._is_open,
        )
        self._outcome = ExportOutcome(
            self._body,
            self.theme,
            report,
            reader,
            lambda at: SampleViewer(self.overlay, "Exported images", reader, at),
            lambda: show_export_details(
                self.overlay, self._session, report.notes, report.left_out, report.unread
            ),
        )
        self._outcome.frame.grid(row=0, column=1, sticky="ns")
        self.card.frame.grid_remove()

    def _hide_report(self) -> None:
        if self._outcome is not None and self._sheet is not None:
            self._sheet.stop()
            self._outcome.frame.destroy()
            self._outcome = None
            self.card.frame.grid()

    def _again(self) -> None:
        """Prepare another export, into a folder that is free."""
        written, self._written = self._written, None
        self._hide_report()
        self._footer.show_ready(self._start, self._close)
        if written is not None and self.place.problem:
            self.place.propose(written.parent)
        self._count()

    def _where_changed(self) -> None:
        if not self._counted or self._run.job is not None:
            return
        if self._footer.is_ready:
            self._show_count()
        elif self._written is None or not self.place.is_at(self._written):
            self._written = None
            self._again()

    # -- writing

    def _start(self) -> None:
        if self.choices.problem or self.place.problem:
            self._show_count()
            return
        self._run.start(self.place.folder, self._recipe(), self.recipes.name)
        self._written = None
        self._footer.show_progress(self._stop)

    def _stop(self) -> None:
        if self._run.stop():
            self._footer.stopping()

    def _show_progress(self, job: JobState) -> None:
        if self._is_open and job.doing is not None:
            doing = job.doing
            self._footer.progress(
                f"Writing {doing.done:,} of {doing.total:,} {self.choices.word}s", job
            )

    def _close(self) -> None:
        self.overlay.close(self._dialog)
