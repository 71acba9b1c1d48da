"""Files that would run code, or lie about what they hold, wherever weights are looked for."""

from __future__ import annotations

import io
import json
import pickle
import shutil
import struct
import time
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from src.config import STARTER_FOLDER
from src.errors import CheckpointError, ModelNotLoadedError
from src.models.checkpoints import read_state_dict
from src.models.model_manager import ModelManager
from src.models.weight_checks import check_finite


class RunsCode:
    """A pickle of it writes a file when it is read in full trust."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return (open, (str(self.witness), "w"))


def hostile(witness: Path) -> dict[str, bytes]:
    """What is put into a file, by what it is."""
    lies = {
        "offsets": {"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 1 << 40]}},
        "shape": {"a": {"dtype": "F32", "shape": [1 << 40, 1 << 20], "data_offsets": [0, 16]}},
        "order": {"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [16, 0]}},
        "kind": {"a": {"dtype": "X99", "shape": [2, 2], "data_offsets": [0, 16]}},
    }
    made = {"a pickle": pickle.dumps(RunsCode(witness), protocol=2)}
    made["a pickle in a dict"] = pickle.dumps({"a": RunsCode(witness)}, protocol=4)
    for name, header in lies.items():
        text = json.dumps(header).encode()
        made[f"safetensors, {name}"] = struct.pack("<Q", len(text)) + text + bytes(16)
    made["safetensors, length"] = struct.pack("<Q", 1 << 60) + b"{}"
    made["deep"] = b"\x80\x02" + b"(" * 100_000
    return made


def saved(content: object, path: Path, legacy: bool = False) -> bytes:
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    return path.read_bytes()


SAM_NAMES = tuple(f"sam_vit_{size}_x.pth" for size in "bh")
CLIP_NAMES = tuple(
    f"{place}weights{suffix}"
    for place in ("", "clip/")
    for suffix in (".pt", ".bin", ".pth", ".ckpt", ".safetensors")
)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "clip").mkdir()
    (folder / "starter").symlink_to(STARTER_FOLDER, target_is_directory=True)
    return folder


def goes_on_with_the_starter_models(models: Path) -> list[str]:
    """Load both; returns why what else lies there was not taken."""
    manager = ModelManager(models, device="cpu")
    assert manager.load_clip().label == "starter CLIP"
    assert manager.load_sam().label == "starter SAM"
    return [str(problem) for problem in manager.problems]


def test_nothing_that_lies_in_the_models_folder_is_run_or_believed(
    models: Path, tmp_path: Path
) -> None:
    witness = tmp_path / "it ran"
    contents = hostile(witness)
    contents["saved by torch"] = saved({"a": RunsCode(witness)}, tmp_path / "x")
    contents["saved by an old torch"] = saved({"a": RunsCode(witness)}, tmp_path / "x", legacy=True)
    for what, content in contents.items():
        for name in (*SAM_NAMES, *CLIP_NAMES):
            (models / name).write_bytes(content)
        reasons = goes_on_with_the_starter_models(models)
        assert not witness.exists(), what
        assert len(reasons) == len(SAM_NAMES) + len(CLIP_NAMES), (what, reasons)
        assert all(len(reason.split(": ", 1)[1]) > 20 for reason in reasons), reasons
    # the same files are dangerous to a program that trusts them
    with pickle.loads(contents["a pickle"]):
        assert witness.exists()


@pytest.mark.parametrize(
    "state",
    [
        {"visual.conv1.weight": torch.tensor(0.0), "image_encoder.pos_embed": torch.tensor(0.0)},
        {1: torch.zeros(2), "visual.conv1.weight": torch.zeros(768, 3, 32, 32)},
        {"visual.conv1.weight": torch.zeros(2, 2).to_sparse()},
        OrderedDict(state_dict={"state_dict": torch.zeros(2)}),
    ],
    ids=["no shape", "a number for a name", "sparse", "nested"],
)
def test_weights_of_odd_shapes_and_names_are_refused(
    models: Path, tmp_path: Path, state: dict[object, object]
) -> None:
    content = saved(state, tmp_path / "x")
    (models / "sam_vit_b_x.pth").write_bytes(content)
    (models / "weights.bin").write_bytes(content)
    assert len(goes_on_with_the_starter_models(models)) == 2


def test_plain_weights_are_read_from_every_kind_of_file(tmp_path: Path) -> None:
    state = {"a": torch.arange(4.0)}
    for suffix in (".pt", ".bin", ".pth", ".ckpt"):
        saved({"state_dict": state}, tmp_path / f"weights{suffix}")
    save_file(state, tmp_path / "weights.safetensors")
    for path in tmp_path.iterdir():
        assert read_state_dict(path)["a"].tolist() == [0, 1, 2, 3]


def safetensors(header: object) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(16)


def zipped(parts: dict[str, bytes], packed: bool = False) -> bytes:
    stream = io.BytesIO()
    kind = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(stream, "w", kind) as file:
        for name, content in parts.items():
            file.writestr(f"archive/{name}", content)
    return stream.getvalue()


def bombs() -> dict[str, bytes]:
    """Small files that cost minutes or gigabytes to read in good faith, by name."""
    numbers = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    halves = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    marks = b"\x80\x02" + b"(" * 3_000_000
    return {
        "many.safetensors": safetensors({str(i): numbers for i in range(70_000)}),
        "overlap.safetensors": safetensors({"a": halves, "b": {**halves, "data_offsets": [4, 12]}}),
        "header.safetensors": struct.pack("<Q", 20 << 20) + b"[" * (20 << 20),
        "packed.pth": zipped({"data.pkl": bytes(32 << 20), "version": b"3"}, packed=True),
        "entries.pth": zipped(
            {"data.pkl": b"\x80\x02}."} | {f"data/{i}": b"" for i in range(30_000)}
        ),
        "steps.pth": marks,
        "steps in a zip.pth": zipped({"data.pkl": marks, "version": b"3"}),
    }


def test_what_would_cost_minutes_or_gigabytes_is_refused_at_once(tmp_path: Path) -> None:
    """Long before the reader itself would stop: each of these is a miniature of a worse one."""
    for name, content in bombs().items():
        path = tmp_path / name
        path.write_bytes(content)
        began = time.process_time()
        with pytest.raises(CheckpointError) as refused:
            read_state_dict(path)
        assert time.process_time() - began < 3, name
        assert len(refused.value.reason) > 20, name


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_weight_that_is_no_number_is_named(tmp_path: Path, bad: float) -> None:
    layer = torch.nn.Linear(2, 2)
    check_finite(layer, tmp_path / "weights.pt")
    with torch.no_grad():
        layer.weight[1, 1] = bad
    with pytest.raises(CheckpointError, match="the weights weight are not all numbers"):
        check_finite(layer, tmp_path / "weights.pt")


@pytest.mark.parametrize("file", ["starter-clip.safetensors", "starter-sam.safetensors"])
def test_a_model_with_a_nan_is_not_used(models: Path, file: str) -> None:
    folder = models / "starter"
    folder.unlink()
    shutil.copytree(STARTER_FOLDER, folder)
    with safe_open(folder / file, "pt") as weights:
        metadata = weights.metadata()
    state = load_file(folder / file)
    next(value for value in state.values() if value.numel() > 7).view(-1)[7] = torch.nan
    save_file(state, folder / file, metadata)
    manager = ModelManager(models, device="cpu")
    with pytest.raises(ModelNotLoadedError, match="not all numbers"):
        manager.load_clip() if "clip" in file else manager.load_sam()
