"""The models of a library as the window knows them, and what is done with them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Literal

from src.errors import MediaLibraryError, ModelNotLoadedError
from src.events import AnnotationUnmatched, Event, ModelFetched
from src.gui.core.job_state import JobState
from src.gui.core.session import Session
from src.gui.core.wording import explained
from src.gui.models import model_questions, model_row_view
from src.gui.models.model_questions import Answer, Prompt
from src.gui.models.model_row_view import ModelRowView, Offered, Verb
from src.job_kinds import SEGMENT
from src.model_records import Coverage, ModelOffer, ModelRow
from src.settings import STARTER, Settings
from src.worker import JobEnded

log = logging.getLogger(__name__)

About = Literal["clip", "sam", "kept"]
_Found = tuple[list[ModelRow], ModelOffer | None, Coverage | None, bool, int]


class ModelsController:
    """Lists, fetches, measures and chooses models, and notifies of each change."""

    def __init__(self, session: Session, on_error: Callable[[Exception], None]) -> None:
        self._session, self._on_error = session, on_error
        self.rows: list[ModelRow] = []
        self.coverage: Coverage | None = None
        self._offer: ModelOffer | None = None
        self.choosing = False  # a choice is being carried out, which may load a model
        self.changed: list[Callable[[], None]] = []
        self._problems: dict[str, str] = {}
        self._switch_problem = ""
        self._put_off = ""  # the CLIP that a person wants to use later
        self._tags_wait = False  # they are still those of another CLIP
        self._cut_by_others = 0
        self._sam_put_off = False
        self._kept: list[AnnotationUnmatched] = []
        self._to_measure: list[ModelRow] = []
        session.signals.models_ready.append(self.refresh)
        session.signals.models_failed.append(self.refresh)
        session.signals.job_event.append(self._heard)
        session.signals.job_ended.append(self._ended)

    # -- what is shown

    def refresh(self) -> None:
        """List the models, and find how far another CLIP is on its way."""
        library = self._session.library

        def look() -> _Found:
            try:
                coverage, tags_wait = library.coverage(), library.tags_wait()
            except ModelNotLoadedError:
                coverage, tags_wait = None, False
            models = library.model_list
            return models.rows(), models.offer(), coverage, tags_wait, library.segmented_by_others()

        self._session.main_thread.run(look, self._looked)

    def _looked(self, found: _Found) -> None:
        self.rows, self._offer, self.coverage, self._tags_wait, self._cut_by_others = found
        self._tell()

    def view(self, row: ModelRow) -> ModelRowView:
        view = model_row_view.view_of(
            row,
            self._download_of(row),
            self._problems.get(row.name, ""),
            row in self._to_measure,
            model_row_view.wanted_clip(self.rows, self.coverage),
        )
        return view if self.can_choose else model_row_view.to_look_at(view)

    @property
    def can_choose(self) -> bool:
        """Whether models can be chosen and fetched for the library."""
        return not self._session.read_only

    @property
    def questions(self) -> dict[About, Prompt]:
        """What is to be decided, or being done, about models that were chosen."""
        asked: dict[About, Prompt] = {}
        if not self.can_choose:
            return asked
        if self.coverage is not None:
            used = (row for row in self.rows if row.kind == "clip" and row.in_use)
            asked["clip"] = model_questions.question(
                self.coverage,
                model_row_view.wanted_clip(self.rows, self.coverage),
                next(used, None),
                self._job("switch"),
                self._switch_problem,
                self._put_off == self.coverage.name,
            )
        elif self._tags_wait:
            switching = self._job("switch")
            asked["clip"] = model_questions.question_of_tags(switching, self._switch_problem)
        cutting = self._job("segment")
        if cutting is not None or (self._cut_by_others and not self._sam_put_off):
            asked["sam"] = model_questions.question_of_sam(self._cut_by_others, cutting)
        if self._kept:
            asked["kept"] = model_questions.list_of_kept(self._kept)
        return asked

    @property
    def card(self) -> tuple[str, str]:
        """What the card in the sidebar says."""
        failed = [row.name for row in self.rows if row.path is None and row.name in self._problems]
        if failed:
            return model_questions.card_of_failure(failed[0])
        if self.coverage is not None and self._job("switch") is None:
            return model_questions.card_of_coverage(self.coverage)
        return model_row_view.card(self.rows)

    @property
    def offer(self) -> Offered | None:
        """Larger models that are offered while there are only the bundled ones; None else."""
        if self._offer is None or not self.can_choose:
            return None
        fetching = any(job.name in self._offer.names for job in self._session.jobs_of("download"))
        wanted = self.settings.offer_models and self.settings.clip_model != STARTER
        return model_row_view.offered(self._offer, fetching) if wanted or fetching else None

    @property
    def settings(self) -> Settings:
        return self._session.library.settings

    def _job(self, kind: str) -> JobState | None:
        return next(iter(self._session.jobs_of(kind)), None)

    def _download_of(self, row: ModelRow) -> JobState | None:
        downloads = self._session.jobs_of("download")
        return next((job for job in downloads if job.name == row.name), None)

    def _tell(self) -> None:
        for listener in self.changed:
            listener()

    # -- what is done

    def act(self, row: ModelRow, verb: Verb) -> None:
        """Do what a model's button says."""
        job = self._download_of(row)
        if verb == "use":
            self.choose(model_row_view.using(self.settings, row))
        elif verb == "cancel" and job is not None:
            self._session.cancel(job)
        elif verb in ("download", "retry") and job is None:
            library = self._session.library
            self._problems.pop(row.name, None)
            self._session.start("download", lambda: library.model_list.download(row.name), row.name)
        self._tell()

    def take_offer(self) -> None:
        """Fetch all that is offered."""
        names = self._offer.names if self._offer is not None else ()
        for row in self.rows:
            if row.name in names:
                self.act(row, "download")

    def decline_offer(self) -> None:
        """Stop offering models in this library; the Models panel still lists them."""
        self._session.keep(offer_models=False)
        self._tell()

    def answer(self, about: About, verb: Answer) -> None:
        """Do what a link of a question says."""
        job = self._job("switch" if about == "clip" else "segment")
        library = self._session.library
        if verb == "Cancel" and job is not None:
            self._session.cancel(job)
        elif about == "kept":
            self._kept.clear()
        elif about == "sam" and verb == "Later":
            self._sam_put_off = True
        elif about == "clip" and verb == "Later" and self.coverage is not None:
            self._put_off = self.coverage.name
        elif about == "sam" and verb == "Segment again" and job is None:
            self._kept.clear()
            self._session.start("segment", library.segment_again, SEGMENT.title)
        elif about == "clip" and job is None:
            self._switch_problem = ""
            self._session.start("switch", library.switch_clip, "Loading the model")
        self._tell()

    def choose(self, settings: Settings) -> None:
        """Use the models of these settings from now on."""
        if not self.rows or not self.can_choose:  # models are being loaded, and listed then
            return
        library, self.choosing = self._session.library, True
        self._put_off = self._switch_problem = ""
        self._sam_put_off = False

        def choose() -> bool:
            library.choose_models(settings.clip_model, settings.sam_model)
            ready = self._session.models_ready
            return ready and library.coverage() is None and library.tags_wait()

        def chosen(tags_wait: bool) -> None:
            self.choosing = False
            if tags_wait and self._job("switch") is None:
                self._session.start("switch", library.switch_clip, "Tagging segments again")
            if self._session.models_ready:
                self.refresh()
            else:  # there was none that could be loaded at the start
                self._session.load_models()

        def failed(exc: Exception) -> None:
            chosen(False)
            self._on_error(exc)

        self._session.main_thread.run(choose, chosen, failed)
        self._tell()

    def rescan(self) -> None:
        """Rescan the models folder for files that were added or removed."""
        if self.rows:
            self.choose(self.settings)

    def measure(self, row: ModelRow) -> None:
        """Measure how fast a model is here; one after another, since they share the machine."""
        self._to_measure.append(row)
        if len(self._to_measure) == 1:
            self._measure_next()
        self._tell()

    def _measure_next(self) -> None:
        row, session = self._to_measure[0], self._session

        def measured(_: ModelRow) -> None:
            self._problems.pop(row.name, None)
            through()

        def failed(exc: Exception) -> None:
            if isinstance(exc, MediaLibraryError):
                self._problems[row.name] = f"Couldn't measure the speed. {explained(exc)[0]}"
            else:
                self._on_error(exc)
            through()

        def through() -> None:
            self._to_measure.pop(0)
            self.refresh()
            if self._to_measure:
                self._measure_next()

        session.main_thread.run(
            lambda: session.library.model_list.measure(row, lambda: not session.is_closing),
            measured,
            failed,
        )

    # -- what the jobs say

    def _heard(self, job: JobState, event: Event) -> None:
        if isinstance(event, AnnotationUnmatched):
            self._kept.append(event)
        if isinstance(event, ModelFetched):
            self.rescan()
        elif job.about.about_models:
            self._tell()

    def _ended(self, job: JobState, ended: JobEnded) -> None:
        if not job.about.about_models:
            return
        if ended.error is not None and job.kind != "segment":
            sentence, details = explained(ended.error)
            log.warning("%s: %s %s", job.name, sentence, details)
            if job.kind == "download":
                self._problems[job.name] = sentence
            else:
                self._switch_problem = sentence
        self.refresh()
