"""SAM 2.1 found in the models folder whatever it is called, and what is said where it can't be."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from src.config import APPLICATION_FOLDER, STARTER_FOLDER
from src.errors import CheckpointError
from src.models.checkpoints import read_state_dict
from src.models.model_manager import ModelManager
from src.models.model_registry import entry
from src.models.sam2 import building
from src.models.sam2.segmenter import META_SAM_2, architecture
from src.models.sam2.weights import Sam2Size
from tests.models.sam2.random_weights import (
    ALL_SIZES,
    BASE_PLUS,
    LARGE,
    SMALL,
    TINY,
    needs_sam2,
    random_state,
    sketch,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A models folder of its own that holds the starter models."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "starter").symlink_to(STARTER_FOLDER)
    return folder


def test_sizes_are_told_apart_and_the_small_ones_come_first_on_a_cpu(folder: Path) -> None:
    (folder / "mine").mkdir()
    names = {SMALL: "b.pth", LARGE: "a.bin", TINY: "mine/d.ckpt", BASE_PLUS: "c.pt"}
    for size, name in names.items():
        torch.save({"model": sketch(size)}, folder / name)
        assert architecture(read_state_dict(folder / name)) == size.name
    torch.save(sketch(TINY), folder / "e.pt")  # the weights alone, in no other dict
    (folder / "damaged.pt").write_bytes(b"PK\x03\x04 and no more")
    torch.save({"model": {"a": torch.zeros(2)}}, folder / "another.pt")
    (folder / "words.txt").write_text("no weights")
    manager = ModelManager(folder, device="cpu")
    found = [file.choice for file in manager.available("sam")]
    assert found == ["mine/d.ckpt", "e.pt", "b.pth", "c.pt", "a.bin", "starter"]
    assert {file.choice for file in manager.available("clip")} == {
        "damaged.pt",
        "another.pt",
        "starter",
    }
    elsewhere = [path.name for path in META_SAM_2.files(folder, torch.device("cuda"))]
    assert elsewhere == ["a.bin", "c.pt", "b.pth", "d.ckpt", "e.pt"]


def test_a_file_that_changes_is_looked_into_again(folder: Path) -> None:
    file = folder / "weights.pt"
    torch.save(sketch(TINY), file)
    assert META_SAM_2.may_have(file)
    torch.save({"a": torch.zeros(3)}, file)
    assert not META_SAM_2.may_have(file)


def test_what_is_not_whole_or_of_the_version_before_is_passed_over_with_a_reason(
    folder: Path,
) -> None:
    before = sketch(SMALL)
    del before["no_obj_embed_spatial"]
    torch.save({"model": before}, folder / "sam2_hiera_small.pt")
    assert architecture(before) == "sam2_hiera_small"
    manager = ModelManager(folder, device="cpu")
    assert manager.load_sam().label == "starter SAM"
    assert "SAM 2.0" in str(manager.problems[0])
    assert "sam2.1_hiera_small.pt" in str(manager.problems[0])


@needs_sam2
def test_weights_that_are_not_whole_are_refused(folder: Path) -> None:
    torch.save({"model": sketch(TINY)}, folder / "x.pt")
    with pytest.raises(CheckpointError, match=r"not a whole sam2\.1_hiera_tiny"):
        ModelManager(folder, device="cpu").load_sam(folder / "x.pt")


def test_without_the_package_it_says_what_to_do(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save({"model": sketch(TINY)}, folder / "x.pt")
    monkeypatch.setitem(sys.modules, "sam2", None)
    monkeypatch.setitem(sys.modules, "sam2.sam2_video_predictor", None)
    manager = ModelManager(folder, device="cpu")
    assert manager.load_sam().label == "starter SAM"
    said = str(manager.problems[0])
    assert "needs the package sam2" in said
    assert f"{sys.executable} -m pip install --no-build-isolation" in said


def test_a_folder_called_like_the_package_is_not_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sam2").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "sam2", raising=False)
    assert not building.is_installed()


@needs_sam2
@pytest.mark.parametrize("size", ALL_SIZES)
def test_a_whole_checkpoint_is_loaded_and_cuts(
    size: Sam2Size,
    folder: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = folder / "any name.pt"
    torch.save({"model": random_state(size)}, file)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        segmenter = ModelManager(folder, device="cpu").load_sam(
            points_per_side=1, pred_iou_thresh=-1, stability_score_thresh=0
        )
    file.unlink()
    assert segmenter.label == size.label
    assert segmenter.name.startswith(f"{size.name}@")
    image = np.random.default_rng(0).integers(0, 255, (60, 90, 3), np.uint8)
    # it looks at the picture once, which takes seconds
    seen = segmenter.model.embed(image)
    monkeypatch.setattr(segmenter.model, "embed", lambda _image: seen)
    with segmenter.session(image) as session:
        session.add_point(40, 30)
        first = session.mask()
        session.add_point(80, 50, positive=False)
        assert first.shape == session.mask().shape == (60, 90)
        session.undo()
        np.testing.assert_array_equal(session.mask(), first)
        session.add_box(10, 10, 50, 40)
        assert not session.mask()[:, 60:].any()
    assert all(r["segmentation"].shape == (60, 90) for r in segmenter.generate(image))
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")


@needs_sam2
def test_weights_that_are_no_numbers_are_refused(folder: Path) -> None:
    state = random_state(TINY)
    state["no_mem_embed"] = torch.full_like(state["no_mem_embed"], float("nan"))
    torch.save({"model": state}, folder / "x.pt")
    with pytest.raises(CheckpointError, match="no_mem_embed are not all numbers"):
        ModelManager(folder, device="cpu").load_sam(folder / "x.pt")


@needs_sam2
def test_the_package_is_imported_when_it_is_needed_and_leaves_hydra_alone() -> None:
    script = """
import sys
from src.models.model_manager import ModelManager
print(sorted({"sam2", "hydra", "omegaconf"} & sys.modules.keys()), "sympy" in sys.modules)
from src.models.sam2.building import build
from src.models.sam2.weights import SIZES
print(type(build(SIZES[0])).__name__)
from hydra.core.global_hydra import GlobalHydra
print(GlobalHydra.instance().is_initialized())
"""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=APPLICATION_FOLDER,
        capture_output=True,
        text=True,
    )
    assert (ran.stderr, ran.returncode) == ("", 0)
    assert ran.stdout.splitlines() == ["[] False", "SAM2VideoPredictor", "False"]


def test_a_download_is_checked_to_be_the_size_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "any.part"
    torch.save({"model": sketch(SMALL)}, file)
    entry("sam2.1_hiera_small").check(file)
    with pytest.raises(CheckpointError, match=r"a sam2\.1_hiera_small, and not"):
        entry("sam2.1_hiera_tiny").check(file)
