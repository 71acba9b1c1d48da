"""SAM 2.1 following a thing: as the package's own predictor does, in memory that does not grow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from src.models.sam2.video_memory import VideoMemory, video_module
from tests.models.sam2.random_weights import ALL_SIZES, TINY, Sam2Size, loaded, needs_sam2

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


@pytest.mark.parametrize("size", ALL_SIZES)
def test_it_finds_what_the_packages_own_predictor_finds(size: Sam2Size, tmp_path: Path) -> None:
    module: Any = loaded(size)
    frames, start = drawn(5), 2
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
    # the test would say nothing if all were empty
    assert any(0 < mask.mean() < 1 for mask in found.values())


def test_what_is_remembered_does_not_grow() -> None:
    module: Any = loaded(TINY)

    class Counted(VideoMemory):
        def begin(self, number: int, image_rgb: np.ndarray, mask: np.ndarray) -> None:
            super().begin(number, image_rgb, mask)
            self.reach = 1  # else the test takes minutes

    frames = drawn(6)
    memory = Counted(module, SIZE_WH, len(frames))
    memory.begin(2, frames[2], square_on(2))
    assert memory.remembered == 1
    for number in (3, 4, 5, 1, 0):
        memory.follow(number, frames[number])
        # the beginning, what is beside it, the last and the one before it
        assert memory.remembered <= 5
        assert memory._state["images"] == {} and memory._state["cached_features"] == {}
    assert sorted(memory._outputs["non_cond_frame_outputs"]) == [0, 1, 3]


def test_the_reach_is_as_far_as_the_network_looks_back() -> None:
    module: Any = loaded(TINY)
    memory = VideoMemory(module, SIZE_WH, 100)
    assert memory.reach >= module.max_obj_ptrs_in_encoder
    assert memory.reach >= module.num_maskmem


def test_other_segmenters_follow_nothing() -> None:
    assert video_module(None) is None

    class Wrapped:
        model = type("Model", (), {"module": torch.nn.Linear(1, 1)})

    assert video_module(Wrapped()) is None  # type: ignore[arg-type]
    Wrapped.model.module = loaded(TINY)  # type: ignore[attr-defined]
    assert video_module(Wrapped()) is loaded(TINY)  # type: ignore[arg-type]
