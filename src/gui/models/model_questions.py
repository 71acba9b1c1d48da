"""What the Models panel asks about models that were chosen, without a window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from src.counting import counted, moment
from src.events import AnnotationUnmatched
from src.gui.core.job_state import JobState, time_left
from src.model_records import Coverage, ModelRow

Answer = Literal[
    "Start", "Later", "Continue", "Cancel", "Cancelling…", "Retry", "Segment again", "Close"
]
_LISTED = 4


@dataclass(frozen=True)
class Prompt:
    """A line above the table that says what is to be decided, and what can be done.

    Attributes:
        kind: of notice.
        verbs: what its links say.
    """

    text: str
    kind: Literal["info", "warn", "error"]
    verbs: tuple[Answer, ...]


def question(
    coverage: Coverage,
    wanted: ModelRow | None,
    used: ModelRow | None,
    job: JobState | None = None,
    problem: str = "",
    put_off: bool = False,
) -> Prompt:
    """Show how far another CLIP is on its way into use, and ask whether to continue.

    Args:
        wanted: the CLIP that is to take over; None where the one in use has segments left to read.
        used: the CLIP that answers.
        job: that reads the library with it, when it runs.
        problem: why the last one ended early.
        put_off: whether a person wants it later.
    """
    done, total = coverage.done, coverage.total
    if job is not None and job.doing is not None and job.doing.doing == "embed":
        done, total = job.doing.done, job.doing.total
    name = coverage.label if wanted is None else wanted.name
    until = "" if wanted is None or used is None else f" Search uses {used.name} until then."
    if job is not None:
        verb: Answer = "Cancelling…" if job.cancelling else "Cancel"
        read = f"{name} has processed {done:,} of {counted(total, 'segment')}."
        return Prompt(f"{read}{until}", "info", (verb,))
    left = total - done
    speed = None if wanted is None else wanted.speed
    time = f", {time_left(left / speed).removesuffix(' left')}" if speed and left else ""
    if problem:
        return Prompt(f"Couldn't switch to {name}. {problem}", "error", ("Retry",))
    if done:
        text = f"{name} has processed {done:,} of {counted(total, 'segment')}; {left:,} left{time}."
        return Prompt(f"{text}{until}", "info" if put_off else "warn", ("Continue",))
    text = f"{name} has to process {counted(total, 'segment')} first{time}."
    return Prompt(
        f"{text}{until}",
        "info" if put_off else "warn",
        ("Start",) if put_off else ("Start", "Later"),
    )


def question_of_tags(job: JobState | None = None, problem: str = "") -> Prompt:
    """Offer to compute the automatic tags anew, where another CLIP gave them.

    Args:
        job: that does it, when it runs.
        problem: why the last one ended early.
    """
    if job is not None:
        verb: Answer = "Cancelling…" if job.cancelling else "Cancel"
        return Prompt(" · ".join([job.headline, *job.detail]), "info", (verb,))
    if problem:
        return Prompt(f"Couldn't update the automatic tags. {problem}", "error", ("Retry",))
    text = (
        "The automatic tags come from another CLIP than the one in use. Updating them keeps your "
        "own tags."
    )
    return Prompt(text, "warn", ("Continue",))


def question_of_sam(frames: int, job: JobState | None = None) -> Prompt:
    """Offer to segment again what another SAM has segmented.

    Args:
        frames: how many it has cut.
        job: that cuts them again, when it runs or waits.
    """
    if job is not None:
        verb: Answer = "Cancelling…" if job.cancelling else "Cancel"
        parts = " · ".join([job.headline, *job.detail])
        return Prompt(f"Segmenting again: {parts}", "info", (verb,))
    cut = f"{counted(frames, 'frame')} {'was' if frames == 1 else 'were'}"
    return Prompt(
        f"{cut} segmented by another SAM than the one in use. Segment them again? "
        "Your tags move to the matching new segments, and any without a match are listed.",
        "info",
        ("Segment again", "Later"),
    )


def list_of_kept(kept: Sequence[AnnotationUnmatched]) -> Prompt:
    """List what people did on segments that are like none of the new ones."""
    count = counted(len(kept), "segment")
    lines = [
        f"{stays.path.name}"
        + ("" if stays.timestamp_s is None else f" at {moment(stays.timestamp_s)}")
        + (f": {', '.join(stays.tags)}" if stays.tags else "")
        for stays in kept[:_LISTED]
    ]
    if len(kept) > _LISTED:
        lines.append(f"and {len(kept) - _LISTED:,} more. Search for their tags to see them.")
    match, was = ("matches", "was") if len(kept) == 1 else ("match", "were")
    title = f"{count} with your tags {match} none of the new ones and {was} kept:"
    return Prompt("\n".join([title, *lines]), "info", ("Close",))


def card_of_coverage(coverage: Coverage) -> tuple[str, str]:
    """Return what the card says while another CLIP waits to be used."""
    return (
        "New CLIP not ready",
        f"Processed {coverage.done:,} of {coverage.total:,} segments. Click to continue.",
    )


def card_of_failure(name: str) -> tuple[str, str]:
    """Return what it says while a download has failed and was not retried."""
    return "Download failed", f"Couldn't download {name}. Click for details."
