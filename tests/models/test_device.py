"""Memory that runs out halves the batch, and the work goes on to the same result."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from src.models.clip_encoder import ClipEncoder
from src.models.device import FittingBatches, half_precision
from src.models.mask_generator import MaskGenerator
from src.models.prompt_decoder import Decoded, PromptDecoder

CPU = torch.device("cpu")


def out_of_memory() -> RuntimeError:
    """What the allocator of a CPU says: no size that was asked for is that large."""
    with pytest.raises(RuntimeError) as raised:
        torch.empty(1 << 60, dtype=torch.uint8)
    return raised.value


def test_batches_are_halved_until_they_fit_and_stay_so() -> None:
    refused: list[int] = []

    def work(items: list[int]) -> list[int]:
        if len(items) > 3:
            refused.append(len(items))
            raise torch.OutOfMemoryError("CUDA out of memory")
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


def test_half_precision_is_for_devices_that_gain_by_it() -> None:
    wish = half_precision(CPU)
    assert wish in (None, torch.bfloat16)
    if wish is None:
        pytest.skip("this CPU computes in 32 bits")
    product = torch.ones(8, 8, dtype=wish) @ torch.ones(8, 8, dtype=wish)
    assert product.dtype == torch.bfloat16 and float(product[0, 0]) == 8
