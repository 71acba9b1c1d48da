"""SAM's mask decoder for many prompts on one picture: the same numbers, with less arithmetic.

Meta's decoder (Kirillov et al. 2023, appendix A) treats every prompt as a picture of its own.
Here, for a SAM of any size:

- in the first block all prompts attend to the same picture, whose keys, values and queries are
  therefore projected once and not once a prompt;
- in later blocks the projections move from the thousands of places of the picture to the few
  tokens: q (W x) = (W' q) x, and a sum of W v is W of the sum of v;
- masks are enlarged only for the prompts that a caller chooses by their predicted IoU.

Nothing is approximated: what differs is the order of sums in float32.

SAM 2's decoder (Ravi et al. 2024) is the same with finer features of the picture, which are added
while masks are enlarged, and a token more, of which is read whether the thing is there at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from segment_anything.modeling.transformer import Attention, TwoWayAttentionBlock
from torch.nn import functional

from src.models.starter.mask_decoder import DetailedMaskDecoder

Tensor = torch.Tensor

# Numbers of float32: 8 MB. Of Meta's ViT-B a prompt took 12 ms two at a time, 20 ms sixteen at a
# time and 29 ms sixty-four at a time.
_IN_CACHE = 1 << 21
# Places of a prompt's masks: the one for prompts that leave no doubt, and SAM's three guesses.
ONE_MASK, GUESSES = range(1), range(1, 4)


class DecodingParts(Protocol):
    """The parts of a SAM that decode, from segment_anything or sam2, in eval mode."""

    @property
    def prompt_encoder(self) -> Any: ...

    @property
    def mask_decoder(self) -> Any: ...


@dataclass(frozen=True)
class Decoded:
    """What the decoder makes of B prompts, before any mask is drawn.

    Attributes:
        ious: (B, 4) float32, predicted: of the one mask for prompts that leave no doubt, and of
            SAM's three guesses.
        tokens: (B, T, C), after the transformer: that of the IoUs, those of the four masks, the
            prompt's.
        picture: (B, G * G, C), the picture as each prompt sees it.
        presence: (B, 1) float32 logits of SAM 2, above 0 where the thing is on the picture at
            all; None of a SAM that does not say.
    """

    ious: Tensor
    tokens: Tensor
    picture: Tensor
    presence: Tensor | None = None

    @property
    def predicted_iou(self) -> Tensor:
        """(B, 3), of the three guesses."""
        return self.ious[:, 1:]


class PromptDecoder:
    """Decodes prompts on one picture."""

    def __init__(
        self,
        sam: DecodingParts,
        features: Tensor,
        dense: Tensor | None = None,
        details: tuple[Tensor, Tensor] | None = None,
    ) -> None:
        """Prepare what all prompts on a picture share.

        Args:
            sam: in eval mode.
            features: (1, C, G, G) of its image encoder; (1, 4 C, G, G) for a DetailedMaskDecoder.
            dense: (1, C, G, G), a mask prompt downscaled by SAM's prompt encoder; None without.
            details: (1, C / 4, 2G, 2G) and (1, C / 8, 4G, 4G), finer features of the picture, of
                a SAM that has them; a DetailedMaskDecoder's are among its features.
        """
        decoder, prompts = sam.mask_decoder, sam.prompt_encoder
        kind = _multiplied_in(features)
        # What is added to each place's corners while they are enlarged, and to their corners.
        enlarge, _, _, enlarge_more, _ = decoder.output_upscaling
        added, added_more = enlarge.bias.view(1, 1, -1), enlarge_more.bias.view(1, 1, 1, -1)
        if isinstance(decoder, DetailedMaskDecoder):
            features, fine, finest = decoder.split(features)
            details = fine, finest
        if details is not None:
            fine, finest = details
            # rows are places, corners, and their corners; so are columns
            rows, columns = features.shape[2:]
            fine = fine[0].unflatten(1, (rows, 2)).unflatten(3, (columns, 2))
            finest = finest[0].unflatten(1, (rows, 2, 2)).unflatten(4, (columns, 2, 2))
            added = added + fine.permute(1, 3, 2, 4, 0).reshape(rows * columns, 4, -1)
            finest = finest.permute(1, 4, 2, 5, 3, 6, 0).reshape(rows * columns, 4, 4, -1)
            added_more = added_more + finest
        self._added, self._added_more = added.to(kind), added_more.to(kind)
        self._decoder = decoder
        self._own = [decoder.iou_token.weight, decoder.mask_tokens.weight]
        self._says_presence = bool(getattr(decoder, "pred_obj_scores", False))
        if self._says_presence:
            self._own.insert(0, decoder.obj_score_token.weight)
        self._blocks: list[TwoWayAttentionBlock] = list(decoder.transformer.layers)
        if dense is None:
            dense = prompts.no_mask_embed.weight.reshape(1, -1, 1, 1)
        self._grid = features.shape[2:]
        self._places = _flat(features + dense).to(kind)  # (G * G, C)
        self._position = _flat(prompts.get_dense_pe()).to(kind)
        placed = self._places + self._position
        to_image = self._blocks[0].cross_attn_token_to_image
        to_tokens = self._blocks[0].cross_attn_image_to_token
        self._keys = _heads(to_image.k_proj(placed), to_image)  # (H, G * G, d)
        self._values = _heads(to_image.v_proj(self._places), to_image)
        self._queries = _heads(to_tokens.q_proj(placed), to_tokens)

    @property
    def most_at_once(self) -> int:
        """How many prompts to decode at once, that their pictures stay in a CPU's cache."""
        if self._places.device.type != "cpu":
            return 1024
        return max(1, _IN_CACHE // self._places.numel())

    def decode(self, sparse: Tensor) -> Decoded:
        """Run the transformer.

        Args:
            sparse: (B, N, C) prompt embeddings of SAM's prompt encoder.
        """
        decoder = self._decoder
        own = torch.cat(self._own)
        start = torch.cat([own.expand(len(sparse), -1, -1), sparse], dim=1)
        tokens, picture = self._first_block(start)
        for block in self._blocks[1:]:
            tokens, picture = self._later_block(block, tokens, start, picture)
        last = decoder.transformer.final_attn_token_to_image
        seen = _look(last, tokens + start, picture, picture + self._position)
        tokens = decoder.transformer.norm_final_attn(tokens + seen)
        presence = None
        with torch.autocast(tokens.device.type, enabled=False):
            if self._says_presence:
                presence = decoder.pred_obj_score_head(tokens[:, 0].float())
                tokens = tokens[:, 1:]
            # in 16 bits many masks of a picture would be rated alike, and one takes the best
            ious = decoder.iou_prediction_head(tokens[:, 0].float())
        return Decoded(ious, tokens, picture, presence)

    def draw(
        self,
        decoded: Decoded,
        chosen: Tensor,
        rows: int | None = None,
        masks: range = GUESSES,
    ) -> Tensor:
        """Draw some of the masks.

        Args:
            chosen: (B, M) bool, which of these masks of which prompts.
            rows: how many rows of places to draw, from the top; all when None.
            masks: the M that are chosen from.

        Returns:
            (K, 4 rows, 4G) logits, in the order of chosen.nonzero().
        """
        height, width = rows or self._grid[0], self._grid[1]
        prompts = chosen.any(dim=1)
        enlarged = self._enlarge(decoded.picture[:, : height * width][prompts])
        drawn = self._read(decoded.tokens[prompts], enlarged, masks)
        return _in_rows(drawn[chosen[prompts]], height, width)

    def draw_all(self, decoded: Decoded) -> tuple[Tensor, Tensor]:
        """Draw all masks, and what they are read from. For training: gradients pass.

        Returns:
            (B, 4, 4G, 4G) logits in the order of Decoded.ious, and (C / 8, 4G, 4G) the enlarged
            picture as the first prompt sees it.
        """
        enlarged = self._enlarge(decoded.picture)
        masks = self._read(decoded.tokens, enlarged, range(4))
        seen = _in_rows(enlarged[0].flatten(0, 2).mT, *self._grid)
        return _in_rows(masks.flatten(0, 1), *self._grid).unflatten(0, masks.shape[:2]), seen

    def _enlarge(self, seen: Tensor) -> Tensor:
        """Places (B, P, C) to their corners' corners: (B, P, 4, 4, C / 8).

        Enlarging by ConvTranspose2d(2, stride 2) gives each place 2 x 2 new ones and asks no
        neighbour, so here it is a matrix product over the channels, which stay last.
        """
        places = seen.shape[1]
        enlarge, norm, _, enlarge_more, _ = self._decoder.output_upscaling
        once = functional.linear(seen, _each_corner(enlarge)).unflatten(2, (4, -1))
        once = once.add_(self._added[:places])
        once = functional.layer_norm(once, norm.weight.shape, norm.weight, norm.bias, norm.eps)
        twice = functional.linear(functional.gelu(once), _each_corner(enlarge_more))
        twice = twice.unflatten(3, (4, -1)).add_(self._added_more[:places])
        return torch.as_tensor(functional.gelu(twice))

    def _read(self, tokens: Tensor, enlarged: Tensor, masks: range) -> Tensor:
        """Logits of some of the four masks: (B, M, P * 16)."""
        layers = self._decoder.output_hypernetworks_mlps
        weights = torch.stack([layers[mask](tokens[:, 1 + mask]) for mask in masks], dim=1)
        return torch.as_tensor(weights @ enlarged.flatten(1, 3).mT)

    def _first_block(self, start: Tensor) -> tuple[Tensor, Tensor]:
        """Return the block in which every prompt sees the same picture."""
        block = self._blocks[0]
        tokens = _attend_to_each_other(block, start, start)
        tokens = _mlp(block, tokens + self._look_at_shared(tokens + start))
        to_tokens = block.cross_attn_image_to_token
        keys = _scaled_heads(to_tokens.k_proj(tokens + start), to_tokens)
        count, _, length, _ = keys.shape
        # every place asks every token of every prompt, in one product a head
        flat = keys.transpose(0, 1).flatten(1, 2)  # (H, B * T, d)
        scores = flat @ self._queries.mT
        # over the tokens, with the places side by side in memory
        shares = torch.softmax(scores.unflatten(1, (count, length)), dim=2)
        shares = shares.transpose(0, 1).flatten(1, 2)  # (B, H * T, G * G)
        before = self._places.expand(count, -1, -1)
        return tokens, block.norm4(torch.baddbmm(before, shares.mT, _told(to_tokens, tokens)))

    def _look_at_shared(self, asked: Tensor) -> Tensor:
        """Tokens look at the picture that all prompts share: (B, T, C)."""
        attention = self._blocks[0].cross_attn_token_to_image
        queries = _scaled_heads(attention.q_proj(asked), attention)
        count, _, length, _ = queries.shape
        flat = queries.transpose(0, 1).flatten(1, 2)  # (H, B * T, d)
        shares = torch.softmax(flat @ self._keys.mT, dim=-1)
        seen = (shares @ self._values).unflatten(1, (count, length))
        return torch.as_tensor(attention.out_proj(seen.permute(1, 2, 0, 3).flatten(2)))

    def _later_block(
        self, block: TwoWayAttentionBlock, tokens: Tensor, start: Tensor, picture: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return a block in which each prompt has a picture of its own."""
        tokens = _attend_to_each_other(block, tokens, start)
        placed = picture + self._position
        seen = _look(block.cross_attn_token_to_image, tokens + start, picture, placed)
        tokens = _mlp(block, tokens + seen)
        attention = block.cross_attn_image_to_token
        keys = _scaled_heads(attention.k_proj(tokens + start), attention)
        _, heads, length, width = keys.shape
        folded = (keys @ _by_head(attention.q_proj.weight, heads)).flatten(1, 2)  # (B, H * T, C)
        bias = attention.q_proj.bias.unflatten(0, (heads, 1, width))
        offset = (keys * bias).sum(-1).flatten(1)[..., None]  # (B, H * T, 1)
        scores = torch.baddbmm(offset, folded, placed.mT).unflatten(1, (heads, length))
        shares = torch.softmax(scores, dim=2).flatten(1, 2)
        told = _told(attention, tokens)
        return tokens, block.norm4(torch.baddbmm(picture, shares.mT, told))


def _multiplied_in(features: Tensor) -> torch.dtype:
    """Return the type in which matrices are multiplied with these features: autocast's, if any.

    What many prompts read is kept in it, lest it be brought to it for each of them.
    """
    device = features.device.type
    if torch.is_autocast_enabled(device):
        return torch.get_autocast_dtype(device)
    return features.dtype


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
    queries = _scaled_heads(attention.q_proj(asked), attention)
    _, heads, length, _ = queries.shape
    # a key's bias adds the same to all scores of a query, which softmax takes out again
    folded = (queries @ _by_head(attention.k_proj.weight, heads)).flatten(1, 2)
    shares = torch.softmax(folded @ placed.mT, dim=-1)
    seen = (shares @ picture).unflatten(1, (heads, length))  # (B, H, T, C)
    values = seen @ _by_head(attention.v_proj.weight, heads).mT
    values = values + attention.v_proj.bias.unflatten(0, (heads, 1, -1))
    return torch.as_tensor(attention.out_proj(values.transpose(1, 2).flatten(2)))


def _told(attention: Attention, tokens: Tensor) -> Tensor:
    """Return what each token tells the picture by each head, projected outwards: (B, H * T, C).

    A place gives each head shares that add up to 1, so each head brings its part of the bias.
    """
    values = _token_heads(attention.v_proj(tokens), attention)
    heads = attention.num_heads
    outwards = attention.out_proj.weight.T.unflatten(0, (heads, -1))  # (H, d, C)
    return torch.as_tensor((values @ outwards + attention.out_proj.bias / heads).flatten(1, 2))


def _each_corner(layer: torch.nn.ConvTranspose2d) -> Tensor:
    """Reshape its weight (C, c, 2, 2) to that of a linear layer to 2 x 2 corners: (4 * c, C)."""
    return torch.as_tensor(layer.weight.permute(2, 3, 1, 0).flatten(0, 2))


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


def _scaled_heads(projected: Tensor, attention: Attention) -> Tensor:
    """Scale it so that products with it are scores: the tokens are few, scores many."""
    heads = _token_heads(projected, attention)
    return heads * (1 / math.sqrt(heads.shape[-1]))


def _in_rows(corners: Tensor, height: int, width: int) -> Tensor:
    """Corners' corners of places (N, height * width * 16) to pixels (N, 4 height, 4 width)."""
    apart = corners.unflatten(1, (height, width, 2, 2, 2, 2))
    pixels = apart.permute(0, 1, 3, 5, 2, 4, 6).reshape(-1, 4 * height, 4 * width)
    return torch.as_tensor(pixels)


def _flat(picture: Tensor) -> Tensor:
    """(1, C, G, G) -> (G * G, C)."""
    return picture[0].flatten(1).T.contiguous()
