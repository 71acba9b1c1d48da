"""SAM's mask decoder for many prompts on one picture: the same numbers, with less arithmetic.

Meta's decoder (Kirillov et al. 2023, appendix A) treats every prompt as a picture of its own.
Here, for a SAM of any size:

- in the first block all prompts attend to the same picture, whose keys, values and queries are
  therefore projected once and not once a prompt;
- in later blocks the projections move from the thousands of places of the picture to the few
  tokens: q (W x) = (W' q) x, and a sum of W v is W of the sum of v;
- masks are enlarged only for the prompts that a caller chooses by their predicted IoU.

Nothing is approximated: what differs is the order of sums in float32.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from segment_anything.modeling import Sam
from segment_anything.modeling.transformer import Attention, TwoWayAttentionBlock

Tensor = torch.Tensor


@dataclass(frozen=True)
class Decoded:
    """What the decoder makes of B prompts, before any mask is drawn.

    Attributes:
        predicted_iou: (B, 3), of SAM's three guesses.
        tokens: (B, T, C), after the transformer.
        picture: (B, G * G, C), the picture as each prompt sees it.
    """

    predicted_iou: Tensor
    tokens: Tensor
    picture: Tensor


class PromptDecoder:
    """Decodes prompts on one picture."""

    def __init__(self, sam: Sam, features: Tensor) -> None:
        """Prepare what all prompts on a picture share.

        Args:
            sam: in eval mode.
            features: (1, C, G, G) of its image encoder.
        """
        decoder, prompts = sam.mask_decoder, sam.prompt_encoder
        self._decoder = decoder
        self._blocks: list[TwoWayAttentionBlock] = list(decoder.transformer.layers)
        no_mask = prompts.no_mask_embed.weight.reshape(1, -1, 1, 1)
        self._grid = features.shape[2:]
        self._places = _flat(features + no_mask)  # (G * G, C)
        self._position = _flat(prompts.get_dense_pe())
        placed = self._places + self._position
        to_image = self._blocks[0].cross_attn_token_to_image
        to_tokens = self._blocks[0].cross_attn_image_to_token
        self._keys = _heads(to_image.k_proj(placed), to_image)  # (H, G * G, d)
        self._values = _heads(to_image.v_proj(self._places), to_image)
        self._queries = _heads(to_tokens.q_proj(placed), to_tokens)

    def decode(self, sparse: Tensor) -> Decoded:
        """Run the transformer.

        Args:
            sparse: (B, N, C) prompt embeddings of SAM's prompt encoder; no mask prompts.
        """
        decoder = self._decoder
        own = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight])
        start = torch.cat([own.expand(len(sparse), -1, -1), sparse], dim=1)
        tokens, picture = self._first_block(start)
        for block in self._blocks[1:]:
            tokens, picture = self._later_block(block, tokens, start, picture)
        last = decoder.transformer.final_attn_token_to_image
        seen = _look(last, tokens + start, picture, picture + self._position)
        tokens = decoder.transformer.norm_final_attn(tokens + seen)
        ious = decoder.iou_prediction_head(tokens[:, 0])
        return Decoded(ious[:, 1:], tokens, picture)

    def draw(self, decoded: Decoded, chosen: Tensor) -> Tensor:
        """Draw masks.

        Args:
            chosen: (B, 3) bool, which guesses of which prompts.

        Returns:
            (K, 4G, 4G) logits, in the order of chosen.nonzero().
        """
        prompts = chosen.any(dim=1)
        picture = decoded.picture[prompts].mT
        large = self._decoder.output_upscaling(picture.unflatten(2, self._grid))
        tokens = decoded.tokens[prompts]
        weights = torch.stack(
            [
                layer(tokens[:, 1 + index])
                for index, layer in enumerate(self._decoder.output_hypernetworks_mlps)
                if index > 0  # the first is for prompts that leave no doubt, and is not asked
            ],
            dim=1,
        )
        logits = (weights @ large.flatten(2)).unflatten(2, large.shape[2:])
        return torch.as_tensor(logits[chosen[prompts]])

    def _first_block(self, start: Tensor) -> tuple[Tensor, Tensor]:
        """The block in which every prompt sees the same picture."""
        block = self._blocks[0]
        tokens = _attend_to_each_other(block, start, start)
        tokens = _mlp(block, tokens + self._look_at_shared(tokens + start))
        asked = tokens + start
        to_tokens = block.cross_attn_image_to_token
        count, length = asked.shape[:2]
        keys = _token_heads(to_tokens.k_proj(asked), to_tokens)  # (B, H, T, d)
        # every place asks every token of every prompt, in one product a head
        flat = keys.permute(1, 3, 0, 2).flatten(2)  # (H, d, B * T)
        scores = (self._queries @ flat).unflatten(2, (count, length))
        shares = torch.softmax(scores / math.sqrt(keys.shape[-1]), dim=-1)
        shares = shares.permute(2, 1, 0, 3).flatten(2)  # (B, G * G, H * T)
        told = _told(to_tokens, tokens)
        return tokens, block.norm4(self._places + torch.baddbmm(_bias(to_tokens), shares, told))

    def _look_at_shared(self, asked: Tensor) -> Tensor:
        """Tokens look at the picture that all prompts share: (B, T, C)."""
        attention = self._blocks[0].cross_attn_token_to_image
        queries = _token_heads(attention.q_proj(asked), attention)
        count, _, length, width = queries.shape
        flat = queries.transpose(0, 1).flatten(1, 2)  # (H, B * T, d)
        shares = torch.softmax(flat @ self._keys.mT / math.sqrt(width), dim=-1)
        seen = (shares @ self._values).unflatten(1, (count, length))
        return torch.as_tensor(attention.out_proj(seen.permute(1, 2, 0, 3).flatten(2)))

    def _later_block(
        self, block: TwoWayAttentionBlock, tokens: Tensor, start: Tensor, picture: Tensor
    ) -> tuple[Tensor, Tensor]:
        """A block in which each prompt has a picture of its own."""
        tokens = _attend_to_each_other(block, tokens, start)
        placed = picture + self._position
        seen = _look(block.cross_attn_token_to_image, tokens + start, picture, placed)
        tokens = _mlp(block, tokens + seen)
        attention = block.cross_attn_image_to_token
        keys = _token_heads(attention.k_proj(tokens + start), attention)
        _, heads, length, width = keys.shape
        folded = (keys @ _by_head(attention.q_proj.weight, heads)).flatten(1, 2)  # (B, H * T, C)
        bias = attention.q_proj.bias.unflatten(0, (heads, 1, width))
        offset = (keys * bias).sum(-1).flatten(1)[:, None]  # (B, 1, H * T)
        scores = torch.baddbmm(offset, placed, folded.mT).unflatten(2, (heads, length))
        shares = torch.softmax(scores / math.sqrt(width), dim=-1).flatten(2)
        told = torch.baddbmm(_bias(attention), shares, _told(attention, tokens))
        return tokens, block.norm4(picture + told)


def _attend_to_each_other(block: TwoWayAttentionBlock, tokens: Tensor, start: Tensor) -> Tensor:
    if block.skip_first_layer_pe:
        return torch.as_tensor(block.norm1(block.self_attn(q=tokens, k=tokens, v=tokens)))
    asked = tokens + start
    return torch.as_tensor(block.norm1(tokens + block.self_attn(q=asked, k=asked, v=tokens)))


def _mlp(block: TwoWayAttentionBlock, tokens: Tensor) -> Tensor:
    tokens = block.norm2(tokens)
    return torch.as_tensor(block.norm3(tokens + block.mlp(tokens)))


def _look(attention: Attention, asked: Tensor, picture: Tensor, placed: Tensor) -> Tensor:
    """Tokens (B, T, C) look at pictures (B, P, C), with position in `placed`: (B, T, C)."""
    queries = _token_heads(attention.q_proj(asked), attention)
    _, heads, length, width = queries.shape
    # a key's bias adds the same to all scores of a query, which softmax takes out again
    folded = (queries @ _by_head(attention.k_proj.weight, heads)).flatten(1, 2)
    shares = torch.softmax(folded @ placed.mT / math.sqrt(width), dim=-1)
    seen = (shares @ picture).unflatten(1, (heads, length))  # (B, H, T, C)
    values = seen @ _by_head(attention.v_proj.weight, heads).mT
    values = values + attention.v_proj.bias.unflatten(0, (heads, 1, width))
    return torch.as_tensor(attention.out_proj(values.transpose(1, 2).flatten(2)))


def _told(attention: Attention, tokens: Tensor) -> Tensor:
    """What each token tells the picture by each head, projected outwards: (B, H * T, C)."""
    values = _token_heads(attention.v_proj(tokens), attention)
    heads = attention.num_heads
    outwards = attention.out_proj.weight.T.unflatten(0, (heads, -1))  # (H, d, C)
    return torch.as_tensor((values @ outwards).flatten(1, 2))


def _bias(attention: Attention) -> Tensor:
    return torch.as_tensor(attention.out_proj.bias[None, None])


def _by_head(weight: Tensor, heads: int) -> Tensor:
    """(H * d, C) -> (H, d, C)."""
    return torch.as_tensor(weight.unflatten(0, (heads, -1)))


def _heads(projected: Tensor, attention: Attention) -> Tensor:
    """(P, H * d) -> (H, P, d)."""
    split = projected.unflatten(1, (attention.num_heads, -1))
    return torch.as_tensor(split.transpose(0, 1).contiguous())


def _token_heads(projected: Tensor, attention: Attention) -> Tensor:
    """(B, T, H * d) -> (B, H, T, d)."""
    split = projected.unflatten(2, (attention.num_heads, -1))
    return torch.as_tensor(split.transpose(1, 2))


def _flat(picture: Tensor) -> Tensor:
    """(1, C, G, G) -> (G * G, C)."""
    return picture[0].flatten(1).T.contiguous()
