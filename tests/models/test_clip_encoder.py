from __future__ import annotations

import numpy as np
import pytest

from src.models.clip_encoder import ClipEncoder, letterbox


@pytest.mark.parametrize("size_wh", [(200, 50), (50, 200), (10, 10), (1, 400)])
def test_letterbox_shows_the_whole_image_in_its_proportions(size_wh: tuple[int, int]) -> None:
    width, height = size_wh
    image = np.full((height, width, 3), 200, np.uint8)
    square = letterbox(image, 96, (1, 2, 3))
    assert square.shape == (96, 96, 3)
    rows, columns = np.nonzero((square == 200).all(axis=2))
    shown = columns.max() - columns.min() + 1, rows.max() - rows.min() + 1
    longest = max(width, height)
    assert shown == (max(1, round(96 * width / longest)), max(1, round(96 * height / longest)))
    free = square[~(square == 200).all(axis=2)]
    assert (free == (1, 2, 3)).all()


def test_embeddings_have_length_one_and_do_not_depend_on_the_batch(clip: ClipEncoder) -> None:
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 255, (40 + i, 60, 3), np.uint8) for i in range(clip.batches.size + 3)]
    together = clip.encode_image(images)
    assert together.shape == (len(images), 512) and together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(together[-1:], clip.encode_image(images[-1:]), atol=1e-4)
    texts = clip.encode_text(["a red circle", "something blue"])
    np.testing.assert_allclose(np.linalg.norm(texts, axis=1), 1, rtol=1e-5)


def test_nothing_in_gives_nothing_out(clip: ClipEncoder) -> None:
    assert clip.encode_image([]).shape == (0, 512)
    assert clip.encode_text([]).shape == (0, 512)


def test_colours_are_told_apart(clip: ClipEncoder) -> None:
    names = ("red", "green", "blue", "yellow", "black", "white")
    values = ((220, 30, 30), (30, 160, 50), (30, 60, 210), (240, 220, 40), (15, 15, 15), (245,) * 3)
    images = []
    for value in values:
        image = np.full((80, 80, 3), 128, np.uint8)
        image[12:68, 12:68] = value
        images.append(image)
    scores = clip.encode_image(images) @ clip.encode_text([f"something {n}" for n in names]).T
    assert [names[i] for i in scores.argmax(axis=1)] == list(names)
