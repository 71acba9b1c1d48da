"""The mask decoder of the starter SAM, from segment_anything's own."""

from __future__ import annotations

from typing import Any

import torch
from segment_anything.modeling import MaskDecoder
from torch.nn import functional


class DetailedMaskDecoder(MaskDecoder):
    """Segment Anything's mask decoder with fine features of the picture led into its masks.

    A place of the embedding is a patch of 16 pixels; what is finer is added while the masks are
    enlarged, as SAM 2 does (Ravi et al. 2024). The features come after the embedding's channels:
    (B, C, G, G) embedding, (B, 4 * C / 4, G, G) of stride 8 and (B, 16 * C / 8, G, G) of stride 4,
    as functional.pixel_unshuffle lays them.
    """

    def __init__(self, *, transformer_dim: int, **sizes: Any) -> None:
        super().__init__(transformer_dim=transformer_dim, **sizes)
        self.channels = (transformer_dim, transformer_dim, 2 * transformer_dim)

    def split(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Take apart what the image encoder gives.

        Returns:
            (B, C, G, G) the embedding, (B, C / 4, 2G, 2G) and (B, C / 8, 4G, 4G) the details.
        """
        embedding, fine, finest = features.split(self.channels, dim=1)
        return embedding, functional.pixel_shuffle(fine, 2), functional.pixel_shuffle(finest, 4)

    def enlarge(
        self, picture: torch.Tensor, fine: torch.Tensor, finest: torch.Tensor
    ) -> torch.Tensor:
        """The picture from which masks are read.

        Args:
            picture: (B * K, C, G, G) after the transformer, for K prompts on each of B pictures.
            fine: (B, C / 4, 2G, 2G).
            finest: (B, C / 8, 4G, 4G).

        Returns:
            (B * K, C / 8, 4G, 4G).
        """
        enlarge, norm, act, enlarge_more, act_more = self.output_upscaling
        seen = enlarge(picture).unflatten(0, (len(fine), -1)) + fine[:, None]
        seen = enlarge_more(act(norm(seen.flatten(0, 1)))).unflatten(0, (len(finest), -1))
        return torch.as_tensor(act_more((seen + finest[:, None]).flatten(0, 1)))

    def decode(
        self,
        features: torch.Tensor,
        position: torch.Tensor,
        sparse: torch.Tensor,
        dense: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Masks for K prompts on each of B pictures.

        Args:
            features: (B, 4 C, G, G) as the class describes.
            position: (1, C, G, G).
            sparse: (B * K, T, C) prompt tokens.
            dense: (B * K, C, G, G).

        Returns:
            (B * K, 4, 4G, 4G) logits, (B * K, 4) predicted IoUs, and (B * K, C / 8, 4G, 4G)
            the picture that the logits are read from.
        """
        count = len(sparse)
        embedding, fine, finest = self.split(features)
        own = torch.cat([self.iou_token.weight, self.mask_tokens.weight])
        tokens = torch.cat([own.expand(count, -1, -1), sparse], dim=1)
        picture = embedding.repeat_interleave(count // len(features), dim=0) + dense
        read, seen = self.transformer(picture, position.expand(count, -1, -1, -1), tokens)
        upscaled = self.enlarge(seen.mT.reshape(picture.shape), fine, finest)
        weights = torch.stack(
            [
                layer(read[:, 1 + index])
                for index, layer in enumerate(self.output_hypernetworks_mlps)
            ],
            dim=1,
        )
        logits = (weights @ upscaled.flatten(2)).unflatten(2, upscaled.shape[2:])
        return logits, self.iou_prediction_head(read[:, 0]), upscaled

    def predict_masks(
        self,
        image_embeddings: torch.Tensor,
        image_pe: torch.Tensor,
        sparse_prompt_embeddings: torch.Tensor,
        dense_prompt_embeddings: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """What Meta's gives: logits and predicted IoUs, as decode does for one picture."""
        logits, ious, _ = self.decode(
            image_embeddings, image_pe, sparse_prompt_embeddings, dense_prompt_embeddings
        )
        return logits, ious
