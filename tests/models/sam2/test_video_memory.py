"""SAM 2.1 following a thing: as the package's own predictor does, in memory that does not grow."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from src.models.sam2 import building
from src.models.sam2.video_memory import VideoMemory, video_module
from src.models.sam2.weights import SIZES, Sam2Size
from tests.models.sam2.random_weights import TINY, loaded, needs_sam2

pytestmark = needs_sam2
SIZE_WH = 96, 64


def drawn(count: int) -> list[np.ndarray]:
    """A square that wanders over noise."""
    random = np.random.default_rng(3)
    ground = random.integers(0, 255, (SIZE_WH[1], SIZE_WH[0], 3), np.uint8)
    frames = []
    for number in range(count):
        frame = ground.copy()
        frame[20:40, 10 + 2 * number : 30 + 2 * number] = (220, 40, 30)
        frames.append(frame)
    return frames


def square_on(number: int) -> np.ndarray:
    mask = np.zeros(SIZE_WH[::-1], bool)
    mask[20:40, 10 + 2 * number : 30 + 2 * number] = True
    return mask


@cache
def small() -> Any:
    """A tiny SAM 2.1 that looks at pictures of 128 pixels, where the whole one takes minutes."""
    place, open_config, instantiate = building._package()
    config = open_config(place / "configs" / "sam2.1" / TINY.config)["model"]
    config["_target_"], config["image_size"] = building._CLASS, 128
    config["sam_mask_decoder_extra_args"] = dict(building._STABLE)
    config["binarize_mask_from_pts_for_mem_enc"] = True
    torch.manual_seed(1)
    module = instantiate(config)
    for parameter in module.memory_encoder.parameters():  # else all frames are remembered alike
        torch.nn.init.normal_(parameter, std=0.06 if parameter.ndim > 1 else 0.3)
    return module.eval()


def test_it_finds_what_the_packages_own_predictor_finds(tmp_path: Path) -> None:
    check_against_the_package(small(), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
def test_so_it_does_at_full_size(size: Sam2Size, tmp_path: Path) -> None:
    check_against_the_package(loaded(size), tmp_path)


def check_against_the_package(module: Any, tmp_path: Path) -> None:
    frames, start = drawn(7), 3
    # the package reads JPEGs, so both see what is in them
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(tmp_path / f"{number}.jpg", quality=95)
    frames = [np.asarray(Image.open(tmp_path / f"{number}.jpg")) for number in range(len(frames))]
    state = module.init_state(str(tmp_path))
    module.add_new_mask(state, start, 1, square_on(start))
    expected: dict[int, torch.Tensor] = {}
    for reverse in (False, True):
        for number, _, logits in module.propagate_in_video(state, reverse=reverse):
            expected[number] = logits[0, 0] > 0
    memory = VideoMemory(module, SIZE_WH, len(frames))
    memory.begin(start, frames[start], square_on(start))
    order = [*range(start + 1, len(frames)), *range(start - 1, -1, -1)]
    found = {number: memory.follow(number, frames[number]) for number in order}
    for number, mask in found.items():
        assert np.array_equal(mask, expected[number].numpy()), number
    outputs = state["output_dict_per_obj"][0]["non_cond_frame_outputs"]
    ours = memory._outputs["non_cond_frame_outputs"]
    for number, output in outputs.items():
        assert torch.equal(output["pred_masks"], ours[number]["pred_masks"])
    # the test would say nothing if all were empty, or if the memory changed nothing
    assert all(0 < mask.mean() < 1 for mask in found.values())
    forgetful = VideoMemory(module, SIZE_WH, len(frames))
    forgetful.begin(start, frames[start], square_on(start))
    last = len(frames) - 1
    forgetful.follow(last, frames[last])
    alone = forgetful._outputs["non_cond_frame_outputs"][last]["pred_masks"]
    assert not torch.equal(alone, ours[last]["pred_masks"])


def test_what_is_remembered_does_not_grow() -> None:
    module = small()

    frames = drawn(6)
    memory = VideoMemory(module, SIZE_WH, len(frames))
    memory.reach = 1  # else it would take a long video
    memory.begin(2, frames[2], square_on(2))
    assert memory.remembered == 1
    for number in (3, 4, 5, 1, 0):
        memory.follow(number, frames[number])
        # the beginning, what is beside it, the last and the one before it
        assert memory.remembered <= 5
        assert memory._state["images"] == {} and memory._state["cached_features"] == {}
    assert sorted(memory._outputs["non_cond_frame_outputs"]) == [0, 1, 3]


def test_the_reach_is_as_far_as_the_network_looks_back() -> None:
    module = small()
    memory = VideoMemory(module, SIZE_WH, 100)
    assert memory.reach >= module.max_obj_ptrs_in_encoder
    assert memory.reach >= module.num_maskmem


def test_other_segmenters_follow_nothing() -> None:
    assert video_module(None) is None

    class Wrapped:
        model = type("Model", (), {"module": torch.nn.Linear(1, 1)})

    assert video_module(Wrapped()) is None  # type: ignore[arg-type]
    Wrapped.model.module = small()  # type: ignore[attr-defined]
    assert video_module(Wrapped()) is small()  # type: ignore[arg-type]
