"""SAM's image encoder on a CPU: the same numbers, with less memory to go through.

Meta's encoder (Kirillov et al. 2023, after Li et al. 2022) writes down the scores of all places of
the picture for all places, 800 MB for a global block of ViT-B, and goes through them twice more to
add the relative positions. Here, for a ViT of any size:

- some rows of scores at a time go from the product with the keys through softmax to the product
  with the values while they are in the processor's cache, and begin as their relative positions;
- what windows hold beyond the picture's edge is filled in behind the projection, not projected.

Nothing is approximated: what differs is the order of sums.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from segment_anything.modeling import ImageEncoderViT
from segment_anything.modeling.image_encoder import (
    Attention,
    Block,
    get_rel_pos,
    window_partition,
    window_unpartition,
)
from torch.nn import functional

from src.models.starter.image_encoder import DetailedEncoder

Tensor = torch.Tensor

# Scores at a time: 4 MB in 32 bits. A quarter or double of that took 2 to 8 % longer.
_IN_CACHE = 1 << 20


def encode_pixels(encoder: ImageEncoderViT, pixels: Tensor) -> Tensor:
    """Do what the encoder's own `forward` does.

    Other devices than a CPU, and encoders that are more than Meta's or the starter's, do it
    themselves.

    Args:
        encoder: of any size, in eval mode.
        pixels: (1, 3, S, S), as `Sam.preprocess` gives them.

    Returns:
        (1, C, G, G), the starter's (1, 4 C, G, G), in the precision in which the block it is
        called in multiplies.
    """
    if pixels.device.type != "cpu" or type(encoder) not in (ImageEncoderViT, DetailedEncoder):
        return torch.as_tensor(encoder(pixels))
    if isinstance(encoder, DetailedEncoder):
        stages, seen = encoder.begin(pixels)
        return encoder.finish(stages, _through(encoder.blocks, seen.contiguous()))
    seen = encoder.patch_embed(pixels).contiguous()
    if encoder.pos_embed is not None:
        seen = seen + encoder.pos_embed
    seen = _through(encoder.blocks, seen)
    return torch.as_tensor(encoder.neck(seen.permute(0, 3, 1, 2)))


def _through(blocks: Iterable[Block], seen: Tensor) -> Tensor:
    """Lead places (1, G, G, C) through the transformer."""
    for block in blocks:
        seen = seen + _attention(block, block.norm1(seen))
        seen = seen + block.mlp(block.norm2(seen))
    return seen


def _attention(block: Block, seen: Tensor) -> Tensor:
    """Look from all places (1, G, G, C) at all, or at those in the same window."""
    attention: Attention = block.attn
    grid_hw = tuple(seen.shape[1:3])
    asked = functional.linear(seen, attention.qkv.weight)
    if block.window_size > 0:
        asked, padded_hw = window_partition(asked, block.window_size)
    if attention.qkv.bias is not None:
        # Meta projects zeros beyond the edge, of which the bias is left
        asked = asked + attention.qkv.bias.to(asked.dtype)
    windows, height, width, _ = asked.shape
    heads = attention.num_heads
    split = asked.view(windows, height * width, 3, heads, -1).permute(2, 0, 3, 1, 4)
    # (windows * heads, places, d) each
    queries, keys, values = split.contiguous().flatten(1, 2).unbind(0)
    mixed = _look(attention, queries, keys, values, (height, width))
    mixed = mixed.view(windows, heads, height, width, -1).permute(0, 2, 3, 1, 4).flatten(3)
    if block.window_size > 0:
        mixed = window_unpartition(mixed, block.window_size, padded_hw, grid_hw)
    return torch.as_tensor(attention.proj(mixed))


def _look(
    attention: Attention, queries: Tensor, keys: Tensor, values: Tensor, size_hw: tuple[int, int]
) -> Tensor:
    """softmax(scale * queries . keys + relative positions) . values: (N, places, d) of such."""
    height, width = size_hw
    count, places, _ = queries.shape
    if attention.use_rel_pos:
        grid = queries.unflatten(1, size_hw)
        by_row = grid @ get_rel_pos(height, height, attention.rel_pos_h).mT
        across = grid.transpose(1, 2) @ get_rel_pos(width, width, attention.rel_pos_w).mT
        by_row = by_row.flatten(1, 2)[..., None]  # (N, places, height, 1)
        by_column = across.transpose(1, 2).flatten(1, 2)[..., None, :]
    mixed = torch.empty_like(values)
    most = max(1, _IN_CACHE // places**2)
    rows = max(1, _IN_CACHE // places)
    for first in range(0, count, most):
        some = slice(first, first + most)
        for start in range(0, places, rows):
            part = some, slice(start, start + rows)
            if attention.use_rel_pos:
                scores = (by_row[part] + by_column[part]).flatten(2)
                scores.baddbmm_(queries[part], keys[some].mT, alpha=attention.scale)
            else:
                scores = attention.scale * queries[part] @ keys[some].mT
            mixed[part] = torch.softmax(scores, dim=-1) @ values[some]
    return mixed
