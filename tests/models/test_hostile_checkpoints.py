"""Files that would run code, or lie about what they hold, wherever weights are looked for."""

from __future__ import annotations

import json
import pickle
import struct
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from src.config import STARTER_FOLDER
from src.models.checkpoints import read_state_dict
from src.models.model_manager import ModelManager


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
