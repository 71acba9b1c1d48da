"""The table of models: what is here, what can be fetched, and how fast they run here."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from src.errors import CheckpointError
from src.library_files import write_atomically
from src.model_records import ModelRow
from src.models.checkpoints import PART, bytes_here, fingerprint
from src.models.kept_facts import as_json, read_facts
from src.models.model_manager import ModelManager
from src.models.model_registry import MODEL_REGISTRY, RegistryEntry
from src.models.published_files import is_published
from src.models.stopping import stopping
from src.stopping import GoOn, StoppedError, ask

SPEEDS_FILE = "speeds.json"
PROBE_IMAGES = 32
PROBE_IMAGE_WH = 640, 480
BUNDLED = {
    "clip": "knows colours, shapes and textures only; built in",
    "sam": "cuts simple segments; built in",
}
OWN = {"clip": "search; your own model file", "sam": "segments; your own model file"}
NOT_METAS = {"clip": "search; not the published file", "sam": "segments; not Meta's file"}


def model_table(manager: ModelManager) -> list[ModelRow]:
    """List what is here, for each kind in the order it is tried, then what can be downloaded."""
    speeds = _read_speeds(manager.models_folder)
    rows: list[ModelRow] = []
    by_file = {entry.file_name: entry for entry in MODEL_REGISTRY}
    in_use = [manager.in_use("clip"), manager.in_use("sam")]
    for found in manager.available():
        entry = None if found.bundled else by_file.pop(found.path.name, None)
        is_original = entry is not None and _is_original(entry, found.path)
        if found.bundled:
            purpose = BUNDLED[found.kind]
        elif entry is None:
            purpose = OWN[found.kind]
        else:
            purpose = _purpose(entry) if is_original else NOT_METAS[found.kind]
        rows.append(
            ModelRow(
                kind=found.kind,
                name=entry.name if entry else found.label,
                purpose=purpose,
                bytes=found.bytes,
                licence=entry.licence if entry and is_original else None,
                speed=speeds.get(_speed_key(manager, found.path)),
                in_use=found in in_use,
                state="bundled" if found.bundled else "here",
                path=found.path,
                choice=found.choice,
            )
        )
    rows += [
        ModelRow(
            kind=entry.kind,
            name=entry.name,
            purpose=_purpose(entry),
            bytes=entry.about,
            licence=entry.licence,
            speed=None,
            in_use=False,
            state="can be downloaded",
            path=None,
            choice=None,
            part_bytes=bytes_here(manager.models_folder / (entry.file_name + PART)),
        )
        # what can be used at once comes first
        for entry in sorted(by_file.values(), key=lambda entry: bool(entry.needs))
    ]
    return sorted(rows, key=lambda row: (row.kind, row.state == "can be downloaded"))


def _purpose(entry: RegistryEntry) -> str:
    return "; ".join(part for part in (entry.purpose, entry.needs) if part)


def _is_original(entry: RegistryEntry, path: Path) -> bool:
    try:
        return is_published(entry, path)
    except OSError:
        return False  # and loading it will say why


def measure(manager: ModelManager, row: ModelRow, go_on: GoOn = lambda: True) -> ModelRow:
    """Run a model that is here on noise, and remember its speed beside the models.

    Args:
        go_on: asked again and again; once it says no, the row comes back as it was.

    Raises:
        CheckpointError: the weights can't be used, or the speed can't be kept.
    """
    if row.path is None:
        return row
    try:
        speed = _speed_of(manager, row.kind, row.path, go_on)
    except StoppedError:
        return row
    speeds = _read_speeds(manager.models_folder) | {_speed_key(manager, row.path): speed}
    file = manager.models_folder / SPEEDS_FILE
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, as_json(speeds))
    except OSError as exc:
        raise CheckpointError(
            file,
            f"what was measured can't be kept ({exc.strerror or exc}); see that the folder can "
            "be written to",
        ) from exc
    return replace(row, speed=speed)


def _speed_of(
    manager: ModelManager, kind: Literal["clip", "sam"], path: Path, go_on: GoOn
) -> float:
    bundled = path.parent.name == "starter"
    width, height = PROBE_IMAGE_WH
    noise = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    if kind == "clip":
        clip = manager.load_starter_clip() if bundled else manager.load_clip(path)
        with stopping(clip.model, go_on):
            clip.encode_image([noise])  # what happens once, is not its speed
            began = time.perf_counter()
            clip.encode_image([noise] * PROBE_IMAGES)
            return PROBE_IMAGES / (time.perf_counter() - began)
    sam = manager.load_starter_sam() if bundled else manager.load_sam(path)
    began = time.perf_counter()
    for _ in sam.masks(noise, go_on):
        ask(go_on)
    return time.perf_counter() - began


def _speed_key(manager: ModelManager, path: Path) -> str:
    return f"{path.name}@{fingerprint(path)} on {manager.device}"


def _read_speeds(folder: Path) -> dict[str, float]:
    return read_facts(folder / SPEEDS_FILE, (int, float))
