"""What a person sees of models, as frozen records."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Coverage:
    """How far the library is on its way to another CLIP.

    Attributes:
        label: of the CLIP that is wanted, for a person.
        name: the same, as the library stores it.
        label_in_use: of the CLIP that answers searches meanwhile; the same when the weights of
            the one before are gone.
        done: segments that the wanted one has embedded.
        total: all segments.
    """

    label: str
    name: str
    label_in_use: str
    done: int
    total: int


@dataclass(frozen=True)
class ModelOffer:
    """Models that together take over from the bundled ones.

    Attributes:
        bytes: of all of them, about.
        hosts: where they come from.
    """

    names: tuple[str, ...]
    bytes: int
    hosts: tuple[str, ...]


@dataclass(frozen=True)
class ModelRow:
    """One line of the table of models.

    Attributes:
        bytes: of its file; about that, where only the server knows.
        speed: as measured on this machine: images a second for a CLIP, seconds an image of
            640x480 for a SAM; None when it was not measured.
        in_use: it is what embeds or segments now, or would if it is sound.
        path: None while it is not here.
        choice: what the settings call it (clip_model, sam_model); None while it is not here.
        part_bytes: what is here of it, of a download that was stopped.
    """

    kind: Literal["clip", "sam"]
    name: str
    purpose: str
    bytes: int
    licence: str | None
    speed: float | None
    in_use: bool
    state: Literal["bundled", "here", "can be downloaded"]
    path: Path | None
    choice: str | None
    part_bytes: int = 0
