"""Where models run, and what happens when the memory there runs out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from src.config import APPLICATION_FOLDER
from src.models.clip_encoder import ClipEncoder
from src.models.device import FittingBatches, half_precision
from src.models.mask_generator import MaskGenerator
from src.models.model_manager import ModelManager, pick_device
from src.models.prompt_decoder import Decoded, PromptDecoder
from src.settings import Device, Settings

CPU = torch.device("cpu")


def out_of_memory() -> RuntimeError:
    """What the allocator of a CPU says: no size that was asked for is that large."""
    with pytest.raises(RuntimeError) as raised:
        torch.empty(1 << 60, dtype=torch.uint8)
    return raised.value


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        out_of_memory(),
        MemoryError(),
        RuntimeError("could not create a primitive"),
    ],
    ids=["GPU", "CPU", "Python", "oneDNN"],
)
def test_batches_are_halved_until_they_fit_and_stay_so(error: Exception) -> None:
    refused: list[int] = []

    def work(items: list[int]) -> list[int]:
        if len(items) > 3:
            refused.append(len(items))
            raise error
        return items

    batches = FittingBatches(16)
    assert [n for batch in batches.run(list(range(20)), work) for n in batch] == list(range(20))
    assert (refused, batches.size) == ([16, 8, 4], 2)
    list(batches.run(list(range(20)), work))
    assert refused == [16, 8, 4]


def test_what_never_fits_and_what_is_no_lack_of_memory_is_said() -> None:
    def too_large(items: list[int]) -> None:
        raise out_of_memory()

    def wrong(items: list[int]) -> None:
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="allocate"):
        list(FittingBatches(8).run([1, 2, 3], too_large))
    batches = FittingBatches(8)
    with pytest.raises(RuntimeError, match="shapes"):
        list(batches.run([1, 2, 3], wrong))
    assert batches.size == 8


def test_clip_embeds_the_same_in_smaller_batches(
    clip: ClipEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 255, (60, 60, 3), np.uint8) for _ in range(9)]
    whole = clip.encode_image(images)
    encode, error = clip.model.encode_image, out_of_memory()

    def small_memory(pixels: torch.Tensor, **options: object) -> torch.Tensor:
        if len(pixels) > 2:
            raise error
        return torch.as_tensor(encode(pixels, **options))

    monkeypatch.setattr(clip.batches, "size", clip.batches.size)  # put back afterwards
    monkeypatch.setattr(clip.model, "encode_image", small_memory)
    np.testing.assert_allclose(clip.encode_image(images), whole, atol=1e-5)
    assert clip.batches.size == 2


def test_masks_are_the_same_when_fewer_clicks_fit(
    mask_generator: MaskGenerator, scene_files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = np.asarray(Image.open(scene_files[0]).convert("RGB"))
    whole = mask_generator.generate(image)
    batches = mask_generator.batches_of_clicks
    monkeypatch.setattr(batches, "size", batches.size)  # put back afterwards
    decode, error, sizes = PromptDecoder.decode, out_of_memory(), set[int]()

    def small_memory(decoder: PromptDecoder, sparse: torch.Tensor) -> Decoded:
        if len(sparse) > 3:
            raise error
        sizes.add(len(sparse))
        return decode(decoder, sparse)

    monkeypatch.setattr(PromptDecoder, "decode", small_memory)
    halved = mask_generator.generate(image)
    assert max(sizes) <= 3
    assert [r["point_coords"] for r in halved] == [r["point_coords"] for r in whole]
    assert [r["bbox"] for r in halved] == [r["bbox"] for r in whole]
    assert batches.size <= 3  # for the next image, too


MEMORY_RUNS_OUT = """
import resource
import numpy as np
from src.models.model_manager import ModelManager

clip = ModelManager(device="cpu", batch_size=16, clip_model="starter").load_clip()
images = list(np.random.default_rng(0).integers(0, 255, (300, 60, 60, 3), np.uint8))
wanted = clip.encode_image(images[:16])
mapped = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (mapped + 150_000_000,) * 2)
clip.batches.size = 300
np.testing.assert_allclose(clip.encode_image(images)[:16], wanted, atol=1e-5)
print(clip.batches.size)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a limit of memory that holds is Linux's")
def test_memory_that_runs_out_in_truth_halves_the_batch() -> None:
    # What malloc keeps for later counts under this limit, and oneDNN can't have it for its code.
    give_back = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    done = subprocess.run(
        [sys.executable, "-c", MEMORY_RUNS_OUT],
        cwd=APPLICATION_FOLDER,
        env=os.environ | give_back,
        check=True,
        capture_output=True,
        text=True,
    )
    assert int(done.stdout) < 300


@pytest.mark.parametrize("wish", ["auto", "cpu", "cuda", "mps"])
def test_models_run_where_it_is_wished_or_on_the_cpu(
    wish: Device,
) -> None:
    gpus = [
        name
        for name, there in (
            ("cuda", torch.cuda.is_available()),
            ("mps", torch.backends.mps.is_available()),
        )
        if there
    ]
    device = pick_device(wish)
    if wish == "auto":
        assert device.type == (gpus[0] if gpus else "cpu")
    else:
        assert device.type == (wish if wish in gpus else "cpu")
    assert float(torch.ones(3, device=device).sum()) == 3
    manager = ModelManager.of(Settings(device=wish))
    assert manager.device == device
    assert manager.lacks(manager.wished_device) == (wish not in ("auto", "cpu", *gpus))


def test_a_gpu_gives_what_the_cpu_gives(
    clip: ClipEncoder, mask_generator: MaskGenerator, scene_files: list[Path]
) -> None:
    there = ModelManager()
    if there.device.type == "cpu":
        pytest.skip("no GPU here")
    images = [np.asarray(Image.open(path).convert("RGB")) for path in scene_files]
    likeness = (there.load_starter_clip().encode_image(images) * clip.encode_image(images)).sum(1)
    assert likeness.min() > 0.999
    embedding = there.load_starter_sam().embed(images[0]).features.cpu()
    torch.testing.assert_close(
        embedding, mask_generator.embed(images[0]).features, rtol=0.01, atol=0.01
    )


def test_half_precision_is_for_devices_that_gain_by_it() -> None:
    wish = half_precision(CPU)
    assert wish in (None, torch.bfloat16)
    if wish is None:
        pytest.skip("this CPU computes in 32 bits")
    product = torch.ones(8, 8, dtype=wish) @ torch.ones(8, 8, dtype=wish)
    assert product.dtype == torch.bfloat16 and float(product[0, 0]) == 8
