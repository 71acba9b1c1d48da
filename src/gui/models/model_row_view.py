"""What the Models panel says of each model and of all together, without a window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from src.counting import counted, megabytes
from src.gui.core.job_state import JobState, downloaded, part_of, time_left
from src.gui.core.wording import capital
from src.model_records import Coverage, ModelOffer, ModelRow
from src.settings import NO_SAM, STARTER, Settings

AUTOMATIC, STARTER_ONLY, CLIP_ONLY = "Automatic", "Starter models", "CLIP only"
BITS_A_SECOND = 100e6  # of a usual line, for an idea of how long a download takes
BY_HAND = "Custom"

_STATES = {"bundled": "Built in", "here": "Downloaded", "can be downloaded": "Not downloaded"}

Verb = Literal["use", "download", "cancel", "retry"]


@dataclass(frozen=True)
class ModelRowView:
    """One line of the table, in words.

    Attributes:
        verb: what its button does; None where there is nothing to do.
        measure: words of the link that measures it; empty where it can't be measured.
        fraction: of a download, 0 to 1; None while there is none.
        doing: what stands beside the bar of a download.
        problem: the sentence of what went wrong.
    """

    name: str
    purpose: str
    size: str = ""
    licence: str = ""
    speed: str = ""
    measure: str = ""
    state: str = ""
    in_use: bool = False
    verb: Verb | None = None
    button: str = ""
    enabled: bool = True
    fraction: float | None = None
    doing: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Offered:
    """Larger models, in words.

    Attributes:
        fetching: they are on their way.
    """

    text: str
    fetching: bool


def offered(offer: ModelOffer, fetching: bool) -> Offered:
    """Return what larger models bring, and what it takes to have them."""
    if fetching:
        return Offered("Larger models are being downloaded. They take over when complete.", True)
    minutes = max(1, round(offer.bytes * 8 / BITS_A_SECOND / 60))
    size = _unbroken(megabytes(offer.bytes))
    speed = _unbroken("100 Mbit/s")
    return Offered(
        "The built-in models know colours and shapes only. Larger ones find anything you can "
        f"name: {size} from {' and '.join(offer.hosts)}, about {counted(minutes, 'minute')} at "
        f"{speed}.",
        False,
    )


def _unbroken(text: str) -> str:
    """Keep a number and its unit on one line."""
    return text.replace(" ", "\u00a0")


def view_of(
    row: ModelRow,
    job: JobState | None = None,
    problem: str = "",
    measuring: bool = False,
    wanted: ModelRow | None = None,
) -> ModelRowView:
    """Return what a person should see of a model.

    Args:
        job: its download, when one runs or waits.
        problem: what went wrong with it last.
        measuring: whether it is being measured, or waits for it.
        wanted: the CLIP that is to take over and has not yet.
    """
    is_here = row.path is not None
    shown = ModelRowView(
        row.name,
        capital(row.purpose or "added by you"),
        megabytes(row.bytes),
        row.licence or "",
        _speed(row) if is_here else "",
        state="In use" if row.in_use else _STATES[row.state],
        in_use=row.in_use,
        problem=problem,
    )
    if job is not None:
        return replace(
            shown,
            state="",
            verb="cancel",
            button="Cancelling…" if job.cancelling else "Cancel",
            enabled=not job.cancelling,
            fraction=job.fraction,
            doing=_doing(job),
            problem="",
        )
    if is_here:
        again = "Measure" if row.speed is None else "Measure again"
        shown = replace(shown, measure="Measuring…" if measuring else again)
        if row == wanted:
            return replace(shown, state="Selected")
        if not row.in_use:
            return replace(shown, verb="use", button="Use")
        if row.kind == "clip" and wanted is not None:
            return replace(shown, verb="use", button="Keep")
        return shown
    if row.part_bytes:
        shown = replace(shown, state=f"{part_of(row.part_bytes, row.bytes)}")
    if problem:
        state = shown.state if row.part_bytes else "Not downloaded"
        return replace(shown, state=state, verb="retry", button="Retry")
    return replace(shown, verb="download", button="Resume" if row.part_bytes else "Download")


def to_look_at(view: ModelRowView) -> ModelRowView:
    """Leave out of a line what can be done, where the library is open for reading only."""
    return replace(view, verb=None, button="", measure="")


def view_of_no_sam(in_use: bool) -> ModelRowView:
    """Return the line for doing without SAM."""
    return ModelRowView(
        "Whole images only (CLIP only)",
        "No segments; fastest",
        state="In use" if in_use else "Always available",
        in_use=in_use,
        verb=None if in_use else "use",
        button="" if in_use else "Use",
    )


def mode(rows: Sequence[ModelRow]) -> tuple[str, str]:
    """Return the name of the mode that the models in use make, and what it means."""
    used = {row.kind: row for row in rows if row.in_use}
    clip, sam = used.get("clip"), used.get("sam")
    if clip is None:
        return "No models", "Searching and adding files need a CLIP. Download one below."
    knows = (
        "The built-in CLIP knows colours, shapes and textures, but not the names of things"
        if clip.state == "bundled"
        else f"{clip.name} knows everyday words"
    )
    if sam is None:
        return "CLIP-only mode", (
            f"Images and frames are found as a whole and not cut into segments. {knows}."
        )
    cuts = (
        "The built-in SAM cuts images into simple segments"
        if sam.state == "bundled"
        else f"{sam.name} cuts images into segments"
    )
    if clip.state == sam.state == "bundled":
        return "Starter mode", f"{knows}. {cuts}. No download needed."
    full = "bundled" not in (clip.state, sam.state)
    return "Full mode" if full else "Mixed mode", f"{knows}. {cuts}."


def card(rows: Sequence[ModelRow]) -> tuple[str, str]:
    """Return what the card at the sidebar's foot says of the models in use."""
    used = {row.kind: row for row in rows if row.in_use}
    clip, sam = used.get("clip"), used.get("sam")
    if clip is None:
        return "No models", "Searching and adding files need a CLIP."
    if sam is None:
        return "CLIP only", "Images are found as a whole and not cut into segments."
    if clip.state == sam.state == "bundled":
        return "Starter models", "Know colours, shapes and textures. No download needed."
    if clip.state == "bundled":
        return clip.name, f"With {sam.name}. Knows colours, shapes and textures."
    return clip.name, f"With {sam.name}. Knows everyday words."


def wanted_clip(rows: Sequence[ModelRow], coverage: Coverage | None) -> ModelRow | None:
    """Return the CLIP that is to take over; None where none is."""
    if coverage is None:
        return None
    first = next((row for row in rows if row.kind == "clip"), None)  # the one tried first
    return first if first is not None and first.path is not None and not first.in_use else None


def choice_of(settings: Settings) -> str:
    """Return the names of the models chosen for both kinds."""
    if settings.sam_model == NO_SAM:
        return CLIP_ONLY
    chosen = settings.clip_model, settings.sam_model
    return {(None, None): AUTOMATIC, (STARTER, STARTER): STARTER_ONLY}.get(chosen, BY_HAND)


def chosen(settings: Settings, choice: str) -> Settings:
    """Settings with both kinds of models chosen together."""
    if choice == AUTOMATIC:
        return replace(settings, clip_model=None, sam_model=None)
    if choice == STARTER_ONLY:
        return replace(settings, clip_model=STARTER, sam_model=STARTER)
    if choice == CLIP_ONLY:
        return replace(settings, sam_model=NO_SAM)
    return settings


def using(settings: Settings, row: ModelRow | None) -> Settings:
    """Settings with one model chosen; None does without SAM."""
    if row is None:
        return replace(settings, sam_model=NO_SAM)
    if row.kind == "clip":
        return replace(settings, clip_model=row.choice)
    return replace(settings, sam_model=row.choice)


def _speed(row: ModelRow) -> str:
    if row.speed is None:
        return "Not measured"
    if row.kind == "sam":
        return f"{row.speed:.1f} s per image"
    return f"{row.speed:.0f} images/s" if row.speed >= 10 else f"{row.speed:.1f} images/s"


def _doing(job: JobState) -> str:
    if job.doing is not None:
        return " · ".join([job.headline, *job.detail])
    if job.download is None:
        return "Waiting"
    parts = [f"{job.fraction:.0%}", *downloaded(job.download)]
    seconds = job.seconds_left
    return " · ".join(parts if seconds is None else [*parts, time_left(seconds)])
