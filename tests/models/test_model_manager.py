"""Real architectures at full size with random weights, in Meta's and open_clip's formats."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from safetensors.torch import load_file, save_file
from segment_anything import sam_model_registry

from src.config import APPLICATION_FOLDER, STARTER_FOLDER
from src.errors import CheckpointError, ModelNotLoadedError
from src.models.model_manager import ModelManager
from src.models.model_registry import MODEL_REGISTRY


@pytest.fixture(scope="module")
def sam_b(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("sam") / "sam_vit_b_01ec64.pth"
    torch.save(sam_model_registry["vit_b"]().state_dict(), path)
    yield path
    path.unlink()


@pytest.fixture(scope="module")
def clip_b(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("clip") / "ViT-B-32 laion2b_s34b_b79k.safetensors"
    model = open_clip.create_model("ViT-B-32", load_weights=False)
    save_file(model.state_dict(), path)
    yield path
    path.unlink()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A models folder of its own that holds the starter models."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "starter").symlink_to(STARTER_FOLDER)
    return folder


def test_with_nothing_else_the_starter_models_work(folder: Path) -> None:
    manager = ModelManager(folder, device="cpu")
    clip = manager.load_clip()
    assert clip.label == "starter CLIP" and clip.name.startswith("starter-clip@")
    assert clip.unknown_words("a red truck") == ("truck",)
    assert manager.load_sam().label == "starter SAM"
    assert {(found.kind, found.bundled) for found in manager.available()} == {
        ("clip", True),
        ("sam", True),
    }
    assert manager.vocabulary(clip).is_file()


def test_a_models_folder_elsewhere_needs_no_copy_of_what_is_bundled(tmp_path: Path) -> None:
    script = (
        "from src.models.model_manager import ModelManager as M; m = M(device='cpu'); "
        "print(m.models_folder, [f.bundled for f in m.available()], m.vocabulary(m.load_clip())); "
        "import sys; print('sympy' in sys.modules)  # of torch's compiler, see left_out.py"
    )
    said = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"MEDIA_LIBRARY_MODELS": str(tmp_path)},
        cwd=APPLICATION_FOLDER,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    found, compiler = said.splitlines()
    assert found == f"{tmp_path} [True, True] {STARTER_FOLDER / 'vocabulary.txt'}"
    assert compiler == "False"


def test_without_any_sam_the_manager_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelNotLoadedError, match="sam_vit_b"):
        ModelManager(tmp_path).load_sam()
    with pytest.raises(ModelNotLoadedError, match="no CLIP"):
        ModelManager(tmp_path).load_clip()


def test_a_sam_under_metas_name_is_used(folder: Path, sam_b: Path) -> None:
    (folder / sam_b.name).symlink_to(sam_b)
    generator = ModelManager(folder, device="cpu").load_sam(
        points_per_side=2, pred_iou_thresh=-9, stability_score_thresh=0
    )
    assert generator.label == "SAM vit_b"
    image = np.random.default_rng(0).integers(0, 255, (60, 90, 3), np.uint8)
    assert all(r["segmentation"].shape == (60, 90) for r in generator.generate(image))


def test_open_clip_weights_are_used_and_told_apart(folder: Path, clip_b: Path) -> None:
    (folder / clip_b.name).symlink_to(clip_b)
    manager = ModelManager(folder, device="cpu")
    clip = manager.load_clip()
    assert clip.label == "CLIP ViT-B-32"
    assert clip.name.startswith("ViT-B-32@")
    assert clip.unknown_words("a red truck") == ()
    assert clip.known_words("a red truck") == ("a", "red", "truck")
    images = [np.zeros((30, 90, 3), np.uint8), np.full((50, 50, 3), 200, np.uint8)]
    embeddings = clip.encode_image(images)
    assert embeddings.shape == (2, 512) and embeddings.dtype == np.float32
    assert clip.encode_text(["a red truck"]).shape == (1, 512)
    assert manager.vocabulary(clip) == STARTER_FOLDER.parent / "vocabulary.txt"
    (folder / "vocabulary.txt").write_text("truck\n")
    assert manager.vocabulary(clip) == folder / "vocabulary.txt"


def test_openais_weights_take_their_own_activation(
    folder: Path, clip_b: Path, tmp_path: Path
) -> None:
    path = tmp_path / "ViT-B-32-openai.safetensors"
    path.symlink_to(clip_b)
    assert ModelManager(folder, device="cpu").load_clip(path).label == "CLIP ViT-B-32-quickgelu"


def test_damaged_weights_in_the_folder_are_passed_over(folder: Path, sam_b: Path) -> None:
    cut = sam_b.read_bytes()[:1_000_000]
    (folder / "sam_vit_b_01ec64.pth").write_bytes(cut)
    (folder / "some clip.safetensors").write_bytes(b"<!doctype html>")
    manager = ModelManager(folder, device="cpu")
    assert manager.load_sam().label == "starter SAM"
    assert manager.load_clip().label == "starter CLIP"
    assert len(manager.problems) == 2


def test_a_person_chooses_what_is_used(folder: Path, sam_b: Path, clip_b: Path) -> None:
    (folder / sam_b.name).symlink_to(sam_b)
    (folder / "mine").mkdir()
    (folder / "mine" / "weights.safetensors").symlink_to(clip_b)
    chosen = ModelManager(folder, "cpu", clip_model="starter", sam_model="starter")
    assert (chosen.load_clip().label, chosen.load_sam().label) == ("starter CLIP", "starter SAM")
    chosen = ModelManager(folder, "cpu", clip_model="mine/weights.safetensors", sam_model="none")
    mine = chosen.load_clip()
    assert mine.label == "CLIP ViT-B-32"
    with pytest.raises(ModelNotLoadedError, match="no SAM is to be used"):
        chosen.load_sam()
    assert chosen.problems == []
    # by its name, whatever is chosen
    starter = ModelManager(folder, "cpu", clip_model="starter")
    assert starter.load_clip_named(mine.name).name == mine.name
    assert chosen.load_clip_named(starter.load_clip().name).label == "starter CLIP"
    with pytest.raises(ModelNotLoadedError, match="ViT-B-32@0123456789ab"):
        starter.load_clip_named("ViT-B-32@0123456789ab")


def test_a_choice_that_cant_be_used_is_passed_over(folder: Path) -> None:
    (folder / "broken.safetensors").write_bytes(b"<!doctype html>")
    manager = ModelManager(
        folder, "cpu", clip_model="broken.safetensors", sam_model="sam_vit_h_4b8939.pth"
    )
    assert manager.load_clip().label == "starter CLIP"
    assert manager.load_sam().label == "starter SAM"
    assert manager.load_sam().label == "starter SAM"  # said once
    first, second = map(str, manager.problems)
    assert "broken.safetensors: its header" in first
    assert "sam_vit_h_4b8939.pth: chosen in the settings" in second


def test_a_damaged_starter_clip_says_why_nothing_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "starter").mkdir()
    (tmp_path / "starter" / "starter-clip.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelNotLoadedError, match=r"starter-clip\.\w+: "):
        ModelManager(tmp_path, "cpu").load_clip()


class RunsCode:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (print, ("this ran",))


@pytest.mark.parametrize("load", ["load_sam", "load_clip"])
@pytest.mark.parametrize(
    "content", ["missing", "empty", "cut", "text", "bytes", "code", "another model", "not tensors"]
)
def test_what_is_no_checkpoint_is_refused(
    folder: Path,
    tmp_path: Path,
    load: str,
    content: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "weights.pth"
    if content == "empty":
        path.touch()
    elif content == "cut":
        torch.save({"weight": torch.zeros(1000)}, path)
        path.write_bytes(path.read_bytes()[:2000])
    elif content == "text":
        path.write_text("<html>log in first</html>")
    elif content == "bytes":
        path.write_bytes(b"sam_vit_b_01ec64.pth")  # which pickle takes for its own, for a while
    elif content == "code":
        path.write_bytes(pickle.dumps(RunsCode()))
    elif content == "another model":
        torch.save({"layer.weight": torch.zeros(3, 3)}, path)
    elif content == "not tensors":
        torch.save({"epoch": 3}, path)
    with pytest.raises(CheckpointError, match=r"weights\.pth: \w"):
        getattr(ModelManager(folder, device="cpu"), load)(path)
    assert "this ran" not in capsys.readouterr().out


def test_a_sam_with_parts_missing_is_refused(tmp_path: Path, folder: Path) -> None:
    state = {"image_encoder.pos_embed": torch.zeros(1, 64, 64, 768)}
    path = tmp_path / "sam.pth"
    torch.save(state, path)
    with pytest.raises(CheckpointError, match="not a whole SAM vit_b"):
        ModelManager(folder, device="cpu").load_sam(path)


@pytest.mark.parametrize("wrong", ["extra", "missing", "shape"])
def test_a_sam_that_is_not_quite_one_is_refused(
    tmp_path: Path, folder: Path, sam_b: Path, wrong: str
) -> None:
    state = torch.load(sam_b, weights_only=True)
    if wrong == "extra":
        state["image_encoder.more.weight"] = torch.zeros(3)
    elif wrong == "missing":
        del state["mask_decoder.mask_tokens.weight"]
    else:
        state["mask_decoder.mask_tokens.weight"] = torch.zeros(4, 128)
    path = tmp_path / "sam.pth"
    torch.save(state, path)
    with pytest.raises(CheckpointError, match="not a whole SAM vit_b"):
        ModelManager(folder, device="cpu").load_sam(path)


@pytest.mark.parametrize("wrong", ["extra", "missing", "shape"])
def test_a_clip_that_is_not_quite_one_is_refused(
    tmp_path: Path, folder: Path, clip_b: Path, wrong: str
) -> None:
    state = load_file(clip_b)
    if wrong == "extra":
        state["visual.more.weight"] = torch.zeros(3)
    elif wrong == "missing":
        del state["text_projection"]
    else:
        state["text_projection"] = torch.zeros(512, 768)
    path = tmp_path / "ViT-B-32.safetensors"
    save_file(state, path)
    with pytest.raises(CheckpointError, match="knows no CLIP of 512 dimensions with these weights"):
        ModelManager(folder, device="cpu").load_clip(path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vit_l", "vit_h"])
def test_the_large_sams_load_and_run(tmp_path: Path, folder: Path, name: str) -> None:
    path = folder / next(entry.file_name for entry in MODEL_REGISTRY if entry.name == name)
    torch.save(sam_model_registry[name]().state_dict(), path)
    generator = ModelManager(folder, device="cpu").load_sam(
        points_per_side=2, pred_iou_thresh=-9, stability_score_thresh=0
    )
    assert generator.label == f"SAM {name}"
    image = np.random.default_rng(0).integers(0, 255, (60, 90, 3), np.uint8)
    assert all(r["segmentation"].shape == (60, 90) for r in generator.generate(image))
