"""Work for test_durability.py to kill: one verb on a library, each promise written down."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from src.config import LibraryPaths
from src.events import Event, FrameStored, JobDone, Progress
from src.library import MediaLibrary
from src.models.clip_encoder import ClipEncoder
from src.models.model_manager import ModelManager
from src.settings import Settings

SETTINGS = Settings(points_per_side=4, duplicate_distance=-1)
OTHER_CLIP = "another-clip@1"


class EachPictureOnce(ClipEncoder):
    """Embeds what is given to it several times at once but once: a thousand crops are the same."""

    def encode_image(self, images: Sequence[np.ndarray]) -> np.ndarray:
        keys = [(image.shape, image.tobytes()) for image in images]
        different = dict(zip(keys, images, strict=True))
        if len(different) == len(images):
            return super().encode_image(images)
        rows = dict(zip(different, super().encode_image(list(different.values())), strict=True))
        return np.stack([rows[key] for key in keys])


class Models(ModelManager):
    """The starter models, and the same CLIP under another name as the one to change to."""

    def __init__(self, other_clip: bool = False) -> None:
        super().__init__(device="cpu", points_per_side=SETTINGS.points_per_side)
        self.other_clip = other_clip

    def load_clip(self, checkpoint_path: Path | str | None = None) -> ClipEncoder:
        clip = super().load_clip(checkpoint_path)
        if self.other_clip:
            of = {field.name: getattr(clip, field.name) for field in dataclasses.fields(clip)}
            clip = EachPictureOnce(**of | {"name": OTHER_CLIP})
        return clip


def work(verb: str, root: Path, media: list[Path], said: Path) -> None:
    """Run a verb to its end; `said` gets a line for each thing that was acknowledged."""
    handle = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    models = Models(other_clip=verb == "switch")
    with MediaLibrary(LibraryPaths(root), models, SETTINGS) as library:
        library.load_models()
        os.write(handle, b"started\n")
        for line in _verb(verb, library, media, root):
            os.write(handle, line.encode() + b"\n")
    os.write(handle, b"closed\n")


def _verb(verb: str, library: MediaLibrary, media: list[Path], root: Path) -> Iterator[str]:
    if verb == "ingest":
        yield from _said(library.add(media))
    elif verb == "switch":
        yield from _said(library.switch_clip())
    elif verb == "reembed":
        yield from _said(library.reembed())
        yield from _said(library.index.catch_up())
    elif verb == "index":
        yield from _said(library.index.rebuild())
    elif verb == "export":
        yield from _said(library.export(root.with_name(f"{root.name}-dataset")))
    else:
        assert verb == "tag", verb
        reader = library.metadata.connection.read()
        ids = [row[0] for row in reader.execute("SELECT id FROM segments ORDER BY id")]
        for number in np.random.default_rng(len(ids)).permutation(len(ids)):
            library.add_tag(ids[number], f"mine {number % 7}")
            yield f"tag {ids[number]} mine {number % 7}"


def _said(events: Iterator[Event]) -> Iterator[str]:
    for event in events:
        if isinstance(event, FrameStored):
            yield f"frame {event.path.name} {event.frame_index} {event.segments}"
        elif isinstance(event, Progress):
            yield f"{event.doing} {event.done}"
        elif isinstance(event, JobDone):
            yield "done"
