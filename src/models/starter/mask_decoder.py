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
        """Split what the image encoder gives.

        Returns:
            (B, C, G, G) the embedding, (B, C / 4, 2G, 2G) and (B, C / 8, 4G, 4G) the details.
        """
        embedding, fine, finest = features.split(self.channels, dim=1)
        return embedding, functional.pixel_shuffle(fine, 2), functional.pixel_shuffle(finest, 4)

    def enlarge(
        self, picture: torch.Tensor, fine: torch.Tensor, finest: torch.Tensor
    ) -> torch.Tensor:
        """Return the picture from which masks are read.

        Args:
            picture: (N, C, G, G) after the transformer.
            fine: (1, C / 4, 2G, 2G).
            finest: (1, C / 8, 4G, 4G).

        Returns:
            (N, C / 8, 4G, 4G).
        """
        enlarge, norm, act, enlarge_more, act_more = self.output_upscaling
        seen = act(norm(enlarge(picture) + fine))
        return torch.as_tensor(act_more(enlarge_more(seen) + finest))

    def predict_masks(
        self,
        image_embeddings: torch.Tensor,
        image_pe: torch.Tensor,
        sparse_prompt_embeddings: torch.Tensor,
        dense_prompt_embeddings: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Masks for N prompts on one picture, as Meta's gives them; PromptDecoder is faster.

        Args:
            image_embeddings: (1, 4 C, G, G) as the class describes.
            image_pe: (1, C, G, G).
            sparse_prompt_embeddings: (N, T, C).
            dense_prompt_embeddings: (N, C, G, G).

        Returns:
            (N, 4, 4G, 4G) logits and (N, 4) predicted IoUs.
        """
        count = len(sparse_prompt_embeddings)
        embedding, fine, finest = self.split(image_embeddings)
        own = torch.cat([self.iou_token.weight, self.mask_tokens.weight])
        tokens = torch.cat([own.expand(count, -1, -1), sparse_prompt_embeddings], dim=1)
        picture = embedding + dense_prompt_embeddings
        read, seen = self.transformer(picture, image_pe.expand(count, -1, -1, -1), tokens)
        upscaled = self.enlarge(seen.mT.reshape(picture.shape), fine, finest)
        weights = torch.stack(
            [
                layer(read[:, 1 + index])
                for index, layer in enumerate(self.output_hypernetworks_mlps)
            ],
            dim=1,
        )
        logits = (weights @ upscaled.flatten(2)).unflatten(2, upscaled.shape[2:])
        return logits, self.iou_prediction_head(read[:, 0])
