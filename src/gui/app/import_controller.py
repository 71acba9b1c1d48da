"""What comes into the library and goes out of it: files chosen and dropped, jobs, failures."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from src.counting import counted
from src.dataset_events import AnnotationSkipped, LabelUnmatched
from src.events import Event, FileFailed, JobStarted, MissingMediaFound
from src.gui.app.file_chooser import ask_in_last_folder
from src.gui.core.job_state import JobState
from src.gui.core.session import Session
from src.gui.core.wording import why_not_added
from src.gui.dialogs.messages import ask, show_error, show_failures
from src.gui.jobs.job_strip import JobStrip
from src.gui.theme.theme import Theme
from src.gui.widgets.overlay import Overlay
from src.job_kinds import IMPORT, MISSING, JobKind, job_kind, job_kinds
from src.records import MediaCard, MediaFile
from src.worker import JobEnded

_LOOK_AGAIN_MS = 100
# A folder that is known already gives thousands of events a second.
_SHOW_EVERY_MS = 40
# A job that nobody asked for is shown once it has taken so long.
_LONG_S = 2.0
# What lay over the window while something was dragged is gone then.
_UNCOVERED_MS = 100
# What did not come in of one image of a dataset is listed up to here.
_LONGEST_REASON = 300
# Of a file that may list the annotations of a dataset.
_ANNOTATION_SUFFIXES = (".json", ".xml", ".yaml", ".yml", ".csv", ".txt")


class ImportController:
    """Adds, and shows the job that does it in a strip at the bottom of the window."""

    def __init__(
        self,
        root: Any,
        theme: Theme,
        session: Session,
        overlay: Overlay,
        draw_samples: Callable[[], Sequence[Path]],
    ) -> None:
        """Make the strip; it is shown while there is something to say.

        Args:
            draw_samples: makes sample media; may take seconds.
        """
        self._root, self._session, self._overlay = root, session, overlay
        self._draw_samples = draw_samples
        # why, by file, and by what was to be done with it
        self._failed: dict[str, dict[Path, str]] = {
            kind.key: {} for kind in job_kinds() if kind.done_with_files
        }
        self._dataset: Path | None = None  # that was imported last
        self._last: JobState | None = None  # that worked on files
        self._show_waits = False
        self._stopped_shown = False
        self.strip = JobStrip(
            root, theme, self.cancel, self.show_failed, self.dismiss, self.go_on, self.add_removed
        )
        session.signals.content_changed.append(self._count_stopped_again)
        session.signals.job_event.append(self._job_event)
        session.signals.job_ended.append(self._job_ended)

    # -- in

    def choose_files(self) -> None:
        if paths := ask_in_last_folder(self._root, self._session, "media"):
            self.add(paths)

    def choose_folder(self) -> None:
        if paths := ask_in_last_folder(self._root, self._session, "folder"):
            self.add_dropped(paths, False)

    def choose_dataset(self) -> None:
        """Import a dataset that a person chooses."""
        if not (paths := ask_in_last_folder(self._root, self._session, "folder")):
            return

        def looked(kind: str | None) -> None:
            if kind is not None:
                self.import_dataset(paths[0])
                return
            show_error(
                self._overlay,
                "This folder holds no dataset",
                "Choose the folder that a dataset's annotations are in. To add images without "
                "annotations, drop their folder on the window.",
            )

        self._session.main_thread.run(partial(self._session.library.dataset_kind, paths[0]), looked)

    def import_dataset(self, path: Path) -> None:
        """Take in a dataset: its images, segments and labels."""
        self._failed[IMPORT.key].clear()
        self._dataset = path
        job = partial(self._session.library.import_dataset, path)
        self._session.start(IMPORT.key, job, f"Importing {path.name}")
        self._show()

    def add_samples(self) -> None:
        self._session.main_thread.run(self._draw_samples, self.add)

    def add(self, paths: Sequence[Path]) -> None:
        """Add files and folders to the library; without paths, continue with what was left."""
        if not self._session.is_open:
            self._root.after(_LOOK_AGAIN_MS, self.add, paths)
            return
        if not self._session.jobs:
            self._failed["add"].clear()
        for path in paths:
            self._failed["add"].pop(path, None)
        self._session.add(paths, "Looking for files" if paths else "Resuming…")
        self._show()

    def go_on(self) -> None:
        """Add what a person has stopped."""
        if not self._session.jobs:
            self._failed["add"].clear()
        self._session.go_on("Resuming…")
        self._show()

    def add_removed(self) -> None:
        """Add what a person has removed before, and was met in a folder again."""
        if self._last is not None:
            self.add(self._last.removed)

    def add_dropped(self, paths: Sequence[Path], cut: bool) -> None:
        """Add what was dropped; of a dataset ask first whether it is to be imported.

        Args:
            cut: the list may have lost its end on the way.
        """
        if len(paths) == 1 and self._session.is_open and _may_be_dataset(paths[0]):
            look = partial(self._session.library.dataset_kind, paths[0])
            self._session.main_thread.run(look, partial(self._ask_to_import, paths))
            return
        self.add(paths)
        if cut:
            show_error(
                self._overlay,
                "Too many files were dropped at once",
                f"Only the first {len(paths):,} files arrived and are being added. To add the "
                "rest, add their folder. Files that are already in the library are skipped.",
            )

    def _ask_to_import(self, paths: Sequence[Path], kind: str | None) -> None:
        if kind is None:
            self.add(paths)
            return
        # the dialog has a picture of the window behind it, in which nothing lies over it any more
        self._root.after(_UNCOVERED_MS, self._ask_to_import_dataset, paths, kind)

    def _ask_to_import_dataset(self, paths: Sequence[Path], kind: str) -> None:
        ask(
            self._overlay,
            "Import this dataset?",
            f"{paths[0].name} is a dataset ({kind}). Its images come in with the segments and "
            "labels that it has. Your files stay where they are.",
            "Import dataset",
            lambda: self.import_dataset(paths[0]),
            other=("Add its images only", lambda: self.add(paths)),
        )

    # -- out

    def ask_to_remove(self, media_file_ids: Sequence[int]) -> None:
        """Ask, then forget media files; a person's own files stay."""
        one = len(media_file_ids) == 1
        stays = "file stays where it is" if one else "files stay where they are"
        ask(
            self._overlay,
            f"Remove {counted(len(media_file_ids), 'media file')} from the library?",
            f"{'Its' if one else 'Their'} segments and tags will be deleted. Your {stays}.",
            "Remove",
            lambda: self._remove(media_file_ids),
        )

    def ask_to_remove_missing(self) -> None:
        """Look which media files are gone; then ask, and forget them."""
        if not self._session.jobs_of(MISSING.key):
            look = self._session.library.upkeep.look_for_missing
            self._session.start(MISSING.key, look, MISSING.title)

    def _ask_to_remove(self, missing: MissingMediaFound) -> None:
        gone, away = missing.gone, missing.away
        stay = ""
        if away:
            stay = f" {counted(away, 'file')} on a drive that is not connected will stay."
        if gone:
            ask(
                self._overlay,
                f"Remove {counted(len(gone), 'missing file')} from the library?",
                f"Their segments and tags will be deleted.{stay}",
                "Remove",
                lambda: self._remove(gone),
            )
        elif away:
            show_error(
                self._overlay,
                "These files can't be reached now",
                "The drive that they are on is not connected. Connect it, or select the files to "
                "remove them from the library.",
            )

    def _remove(self, media_file_ids: Sequence[int]) -> None:
        library = self._session.library
        self._session.change(
            lambda: library.remove(media_file_ids), fails="Couldn't remove the media files"
        )

    # -- the running job

    @property
    def _jobs(self) -> list[JobState]:
        """What the strip is about: the running jobs of the kinds that come first there."""
        orders = [
            (job.about.strip_order, job)
            for job in self._session.all_jobs
            if not job.about.in_background or self._shows(job)
        ]
        shown = [(order, job) for order, job in orders if order is not None]
        first = min((order for order, _ in shown), default=None)
        return [job for order, job in shown if order == first]

    def _shows(self, job: JobState) -> bool:
        """Whether to show a job that nobody asked for: once it takes long, and over no outcome."""
        begun = job.started_at
        return begun is not None and job.clock() - begun >= _LONG_S and not self.strip.is_over

    def cancel(self) -> None:
        if self._jobs:
            self._session.cancel(self._jobs[0])
            self._show()

    def dismiss(self) -> None:
        self._stopped_shown = False
        for failed in self._failed.values():
            failed.clear()
        self._last = None
        self.strip.grid_remove()

    def show_failed(self) -> None:
        """List what could not be added or segmented again, with reasons."""
        for key, failed in self._failed.items():
            failures = [(str(path), reason) for path, reason in failed.items()]
            if failures:
                kind, retry = job_kind(key), partial(self._try_again, key)
                show_failures(
                    self._overlay, failures, retry, kind.done_with_files, self._of_others(kind)
                )

    def _of_others(self, kind: JobKind) -> str:
        """Return what became of the files that did not fail."""
        if kind.can_continue and self._session.jobs:
            return "The other files are still being added."
        if kind.can_continue and self._last is not None and self._last.done is None:
            return "Adding was stopped before the end."
        return kind.rest

    def _try_again(self, kind: str) -> None:
        if kind == "add":
            self.add(list(self._failed["add"]))
        elif kind == IMPORT.key:
            if self._dataset is not None:
                self.import_dataset(self._dataset)
        else:
            again = self._session.library.segment_again
            self._session.start(kind, again, job_kind(kind).title)
            self._show()

    def show_failure(self, card: MediaCard) -> None:
        """Show why one file could not be added."""
        path = card.media.path
        retry = None if self._session.read_only else partial(self.add, [path])
        sentence, details = why_not_added(card.media.error)
        show_error(
            self._overlay,
            "Couldn't add this file",
            f"{path.name}: {sentence}",
            "\n".join(filter(None, (str(path), details))),
            retry,
        )

    def _show(self) -> None:
        jobs = self._jobs
        if jobs:
            self.strip.show(jobs[0], len(jobs) - 1)
            self.strip.grid(row=1, column=1, sticky="ew")

    def _show_waiting(self) -> None:
        self._show_waits = False
        self._show()

    def _job_event(self, job: JobState, event: Event) -> None:
        if isinstance(event, MissingMediaFound):
            self._ask_to_remove(event)
        if job not in self._jobs:
            return  # an export has its dialog
        if isinstance(event, JobStarted) and job.kind == "segment":
            self._failed["segment"].clear()  # it works on all that is left
        elif isinstance(event, FileFailed) and job.kind in self._failed:
            self._failed[job.kind][event.path] = event.reason
        elif isinstance(event, LabelUnmatched):
            self._leave_out(event.path, f"{event.label}: {event.reason}")
        elif isinstance(event, AnnotationSkipped):
            self._leave_out(event.path, event.reason)
        if not self._show_waits:
            self._show_waits = True
            self._root.after(_SHOW_EVERY_MS, self._show_waiting)

    def _leave_out(self, path: Path, reason: str) -> None:
        """Note that a part of an image of a dataset did not come in."""
        failed = self._failed[IMPORT.key]
        before = failed.get(path)
        if before is None:
            failed[path] = reason
        elif len(before) < _LONGEST_REASON and reason not in before:
            failed[path] = f"{before}; {reason}"

    def _job_ended(self, job: JobState, ended: JobEnded) -> None:
        if job.about.in_background:
            if self._jobs:
                self._show()
            elif not self.strip.is_over:
                self.strip.grid_remove()
            return
        if job.kind in self._failed and job.started_at is not None:
            self._last = job
        if self._jobs:
            self._show()
        elif job.about.can_continue and job.cancelling:
            self._count_stopped()
        else:
            self._show_outcome(0, job)

    def _show_outcome(self, stopped: int, ended: JobState | None = None) -> None:
        last, failed = self._last, sum(map(len, self._failed.values()))
        if last is not None and (
            failed
            or stopped
            or last.question
            or last.passed_over
            or (last is ended and (last.known or last.imported or last.read_here))
        ):
            self.strip.show_outcome(last, failed, stopped)
            self._stopped_shown = stopped > 0
        else:
            self.dismiss()

    def _count_stopped(self) -> None:
        """Show how much is left of an add that a person stopped, once that is known."""

        def counted_them(stopped: Sequence[MediaFile]) -> None:
            if not self._jobs:
                self._show_outcome(len(stopped))

        self._session.main_thread.run(self._session.library.stopped, counted_them)

    def _count_stopped_again(self) -> None:
        """Some of it may have been removed."""
        if self._stopped_shown and not self._jobs:
            self._count_stopped()


def _may_be_dataset(path: Path) -> bool:
    """Return whether it is worth looking into a path for a dataset: no image is one."""
    return path.suffix.lower() in _ANNOTATION_SUFFIXES or os.path.isdir(path)
