"""What the Models panel says, without a window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from src.events import AnnotationUnmatched, Downloading, Progress
from src.gui.core.job_state import JobState, question_at_close
from src.gui.models import model_row_view
from src.gui.models.model_questions import card_of_coverage, list_of_kept, question, question_of_sam
from src.model_records import Coverage, ModelRow
from src.settings import Settings

FILE = Path("/models/some.bin")
STARTER_CLIP = ModelRow(
    kind="clip",
    name="starter CLIP",
    purpose="built in",
    bytes=8_000_000,
    licence=None,
    speed=None,
    in_use=True,
    state="bundled",
    path=FILE,
    choice="starter",
)
STARTER_SAM = replace(STARTER_CLIP, kind="sam", name="starter SAM")
LAION = replace(
    STARTER_CLIP,
    name="ViT-B-32-laion2b",
    bytes=605_109_252,
    licence="MIT",
    in_use=False,
    state="here",
    choice="ViT-B-32-laion2b_s34b_b79k.bin",
)
VIT_B = replace(LAION, kind="sam", name="vit_b", choice="sam_vit_b_01ec64.pth")
USED_B = replace(VIT_B, in_use=True)
NOT_HERE = replace(LAION, state="can be downloaded", path=None, choice=None)
COVERAGE = Coverage("CLIP ViT-B-32", "ViT-B-32@1", "starter CLIP", 0, 48_210)


def test_a_model_that_is_not_here_can_be_fetched() -> None:
    shown = model_row_view.view_of(NOT_HERE)
    assert (shown.size, shown.licence, shown.speed, shown.measure) == ("605 MB", "MIT", "", "")
    assert (shown.state, shown.verb, shown.button) == ("Not downloaded", "download", "Download")


def test_a_download_shows_its_way_and_can_be_stopped() -> None:
    job = JobState(NOT_HERE.name, kind="download", clock=lambda: 0.0)
    waiting = model_row_view.view_of(NOT_HERE, job)
    assert (waiting.doing, waiting.fraction, waiting.button) == ("Waiting", 0.0, "Cancel")
    job.take(Downloading(NOT_HERE.name, 158_000_000, 375_000_000, 12_300_000, 17.6))
    job.clock = lambda: 5.0
    running = model_row_view.view_of(NOT_HERE, job, "an earlier problem")
    assert running.doing == "42% · 158 of 375 MB · 12 MB/s · about 20 s left"
    assert running.fraction == pytest.approx(0.421, abs=0.001) and not running.problem
    job.take(Progress("check", 1, 4))
    assert model_row_view.view_of(NOT_HERE, job).doing == "Verifying the download · 25%"
    job.cancelling = True
    stopping = model_row_view.view_of(NOT_HERE, job)
    assert (stopping.button, stopping.enabled) == ("Cancelling…", False)


def test_what_failed_says_why_and_can_be_tried_again() -> None:
    shown = model_row_view.view_of(NOT_HERE, problem="the disk is full")
    assert (shown.state, shown.button, shown.problem) == (
        "Not downloaded",
        "Retry",
        "the disk is full",
    )


def test_what_has_come_of_a_stopped_download_is_said() -> None:
    part = replace(NOT_HERE, bytes=375_042_383, part_bytes=158_000_000)
    shown = model_row_view.view_of(part)
    assert (shown.state, shown.verb, shown.button) == ("158 of 375 MB", "download", "Resume")
    shown = model_row_view.view_of(part, problem="the disk is full")
    assert (shown.state, shown.button) == ("158 of 375 MB", "Retry")


def test_speeds_are_written_for_people() -> None:
    assert model_row_view.view_of(LAION).speed == "Not measured"
    assert model_row_view.view_of(LAION).measure == "Measure"
    assert model_row_view.view_of(replace(LAION, speed=38.4)).speed == "38 images/s"
    assert model_row_view.view_of(replace(LAION, speed=2.44)).speed == "2.4 images/s"
    assert model_row_view.view_of(replace(VIT_B, speed=2.44)).speed == "2.4 s per image"
    assert model_row_view.view_of(replace(VIT_B, speed=2.44)).measure == "Measure again"
    assert model_row_view.view_of(LAION, measuring=True).measure == "Measuring…"


def test_what_is_here_can_be_used_and_what_is_in_use_can_be_kept() -> None:
    assert model_row_view.view_of(LAION).button == "Use"
    assert model_row_view.view_of(STARTER_CLIP).verb is None
    rows = [LAION, STARTER_CLIP, VIT_B]
    assert model_row_view.wanted_clip(rows, None) is None
    wanted = model_row_view.wanted_clip(rows, COVERAGE)
    assert wanted is LAION
    assert (
        model_row_view.view_of(LAION, wanted=wanted).state,
        model_row_view.view_of(LAION).state,
    ) == (
        "Selected",
        "Downloaded",
    )
    assert model_row_view.view_of(STARTER_CLIP, wanted=wanted).button == "Keep"
    # the one in use has segments left to read: no other is to take over
    assert model_row_view.wanted_clip([STARTER_CLIP, LAION], COVERAGE) is None


@pytest.mark.parametrize(
    ("rows", "title", "card"),
    [
        ([STARTER_CLIP, STARTER_SAM], "Starter mode", "Starter models"),
        ([STARTER_CLIP], "CLIP-only mode", "CLIP only"),
        ([replace(LAION, in_use=True)], "CLIP-only mode", "CLIP only"),
        (
            [replace(LAION, in_use=True), replace(STARTER_CLIP, in_use=False), USED_B],
            "Full mode",
            "ViT-B-32-laion2b",
        ),
        (
            [replace(LAION, in_use=True), STARTER_SAM],
            "Mixed mode",
            "ViT-B-32-laion2b",
        ),
        ([NOT_HERE, STARTER_SAM], "No models", "No models"),
    ],
)
def test_the_mode_is_named(rows: list[ModelRow], title: str, card: str) -> None:
    assert model_row_view.mode(rows)[0] == title
    assert model_row_view.card(rows)[0] == card


def test_choices_are_settings_and_are_found_again_in_them() -> None:
    settings = Settings(batch_size=7)
    for choice in (model_row_view.STARTER_ONLY, model_row_view.CLIP_ONLY, model_row_view.AUTOMATIC):
        settings = model_row_view.chosen(settings, choice)
        assert model_row_view.choice_of(settings) == choice and settings.batch_size == 7
    settings = model_row_view.using(settings, LAION)
    assert (settings.clip_model, settings.sam_model) == (LAION.choice, None)
    settings = model_row_view.using(settings, VIT_B)
    assert (settings.clip_model, settings.sam_model) == (LAION.choice, VIT_B.choice)
    assert model_row_view.choice_of(settings) == model_row_view.BY_HAND
    assert (
        model_row_view.choice_of(model_row_view.using(settings, None)) == model_row_view.CLIP_ONLY
    )


def test_another_clip_asks_once_and_waits_quietly() -> None:
    asked = question(COVERAGE, replace(LAION, speed=38.0), STARTER_CLIP)
    assert asked.text == (
        "ViT-B-32-laion2b has to process 48,210 segments first, about 21 min. "
        "Search uses starter CLIP until then."
    )
    assert (asked.kind, asked.verbs) == ("warn", ("Start", "Later"))
    later = question(COVERAGE, LAION, STARTER_CLIP, put_off=True)
    assert (later.kind, later.verbs) == ("info", ("Start",)) and "about" not in later.text
    half = replace(COVERAGE, done=31_200)
    begun = question(half, LAION, STARTER_CLIP)
    assert "31,200 of 48,210 segments; 17,010 left" in begun.text
    assert begun.verbs == ("Continue",)
    nearly = question(replace(COVERAGE, done=48_209), LAION, STARTER_CLIP)
    assert "48,209 of 48,210 segments; 1 left" in nearly.text
    assert "31,200 of 48,210" in card_of_coverage(half)[1]
    failed = question(half, LAION, STARTER_CLIP, problem="the disk is full")
    assert failed.kind == "error" and failed.text.endswith("the disk is full")
    job = JobState(kind="switch")
    job.take(Progress("embed", 31_264, 48_210))
    running = question(half, LAION, STARTER_CLIP, job)
    assert running.text.startswith("ViT-B-32-laion2b has processed 31,264 of 48,210 segments.")
    assert running.verbs == ("Cancel",)


def test_another_sam_offers_to_cut_again_and_lists_what_fits_nowhere() -> None:
    assert question_of_sam(1).text.startswith("1 frame was segmented by another SAM")
    assert question_of_sam(1200).verbs == ("Segment again", "Later")
    assert question_of_sam(1200, JobState("Segmenting again", kind="segment")).verbs == ("Cancel",)
    stays = AnnotationUnmatched(Path("/m/dog.mp4"), 5, 5.5, "s1", ("dog", "tail"))
    lines = list_of_kept([stays] * 6).text.splitlines()
    assert lines[0] == ("6 segments with your tags match none of the new ones and were kept:")
    assert list_of_kept([stays]).text.splitlines()[0] == (
        "1 segment with your tags matches none of the new ones and was kept:"
    )
    assert lines[1] == "dog.mp4 at 0:05.5: dog, tail"
    assert lines[-1].startswith("and 2 more") and len(lines) == 6


def test_closing_asks_about_what_runs() -> None:
    assert question_at_close({"add"})[0] == "Stop adding files?"
    title, sentence = question_at_close({"download"})
    assert title == "Stop the download?" and "resume in the Models panel" in sentence
    title, sentence = question_at_close({"add", "download"})
    assert title == "Stop all running jobs?" and "resume in the Models panel" in sentence
