"""A model is built for weights of a file without random ones, and loaded as any other."""

from __future__ import annotations

import torch

from src.config import STARTER_FOLDER
from src.models.starter.architecture import build_sam, read_starter_sam
from src.models.weights_from_file import WeightsFromFile


def test_layers_are_made_without_a_random_number() -> None:
    before = torch.get_rng_state()
    with WeightsFromFile():
        torch.nn.Conv2d(3, 4, 3), torch.nn.Linear(3, 4), torch.nn.Embedding(3, 4)
        torch.nn.init.trunc_normal_(torch.empty(3, 4))
    assert torch.equal(torch.get_rng_state(), before)
    torch.nn.Linear(3, 4)
    assert not torch.equal(torch.get_rng_state(), before)


def test_a_model_that_was_loaded_is_the_one_that_was_saved() -> None:
    config, weights = read_starter_sam(STARTER_FOLDER)
    with WeightsFromFile():
        one = build_sam(config)
    other = build_sam(config)
    for sam in (one, other):
        sam.load_state_dict(weights, strict=True)
    # buffers that no file holds, too
    for (name, tensor), (_, same) in zip(
        [*one.named_parameters(), *one.named_buffers()],
        [*other.named_parameters(), *other.named_buffers()],
        strict=True,
    ):
        assert torch.equal(tensor, same), name
